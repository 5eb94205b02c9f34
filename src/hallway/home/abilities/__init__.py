"""Abilities: what devices can do, one small file each: attributes, actions, and the entity that shows them.

A device class is a set of abilities. They must not know the home, only the device they are asked about.
"""
