"""The kinds of predicates: each reads its own sentences with the matcher and says what they mean.

They must not know each other, nor when and how a test is decided.
"""
