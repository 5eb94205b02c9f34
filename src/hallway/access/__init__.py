"""Who is asking, and what they may do: passwords, credentials seen before, sessions.

It must not know doors or how a credential was sent.
"""
