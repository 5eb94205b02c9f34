"""Engine.IO 3 and 4: long polling, websocket, and the change from one to the other.

A transport: it carries messages and must not know what they mean, nor the home.
"""
