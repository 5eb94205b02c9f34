"""The door for pimatic 0.9: REST with sessions, and what its clients expect of a server.

It must not know the other doors.
"""
