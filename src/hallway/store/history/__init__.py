"""The past of a home in history.db (and in PostgreSQL, where one is given): samples, messages, changes, traces.

It knows series and values as the home gives them, not what they mean.
"""
