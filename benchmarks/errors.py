"""What stops a benchmark: a server that does not start, a wrong answer, an event that never comes.

Numbers that miss their target are no error; a number that was made by wrong answers would be a lie.
"""


class BenchmarkError(Exception):
    """The run cannot be trusted or cannot go on; the text says what happened and where."""
