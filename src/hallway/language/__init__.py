"""What people write: expressions such as `$outside + 2` and, on top of them, the sentences of rules.

The language knows the values of the home, not its devices; whoever evaluates a text says what its names stand for.
"""
