"""What survives a crash: the redo log, home.db and the one thread that writes it.

It knows changes and values as the home gives them, not what they mean, and neither doors nor links.
"""
