"""The operations of pimatic 0.9: one file an area, `table` holds them all.

Names, routes, parameters and permissions are facts of its API description. They must not know how a request is written.
"""
