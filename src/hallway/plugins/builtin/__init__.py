"""The hub's own sources: the sun, watched processes.

Each feeds a device of its own and knows nothing of the others.
"""
