"""What `hallway COMMAND` does where that takes more than a few lines, one module a command.

They are chosen and called by `hallway.cli`, and know nothing of each other.
"""
