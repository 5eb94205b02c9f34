"""Real clients of the Home Assistant API, as published between 2015 and 2023, unmodified, against a running hallway.

Each is installed from its registry into a cache and driven as its users drive it; none of them knows hallway.
"""
