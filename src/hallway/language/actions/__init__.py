"""The kinds of actions: each reads its own sentences with the matcher and says what is to be done.

They must not know each other, nor when they are carried out.
"""
