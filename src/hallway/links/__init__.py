"""Links: other hubs and brokers that the home talks to by itself.

They must not know doors; what comes in from them goes through the home's commands like everything else.
"""
