"""Homes that move in from other programs, and out again: documents are turned into definitions and back.

Nothing here opens the store: what is read comes in as text, what is to be kept goes out as values.
"""
