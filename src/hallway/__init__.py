"""hallway: a self-hosted home-automation hub.

One small process holds a home and opens it through every door that people already use.
"""

__version__ = "0.1.0"
