"""Plugins: sources and drivers that feed devices of the home.

They must not know doors, links or the store.
"""
