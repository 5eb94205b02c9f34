"""The doors: how a home is reached over the network, and what all of them share.

It must not know the model's inside: doors speak to operations only, and never to each other.
"""
