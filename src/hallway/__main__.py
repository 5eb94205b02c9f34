"""`hallway` and `python -m hallway`: who stops the command while it is still being loaded sees no traceback.

It must hold nothing but the call, and load nothing before that.
"""

STOPPED = 130  # 128 and the number of the signal, which has no name yet


def main() -> int:
    """Load the command line and run it; its exit code."""
    try:
        import os
        import signal

        by_ctrl_c = signal.getsignal(signal.SIGINT)
        if by_ctrl_c is signal.default_int_handler:  # else it is to be ignored
            # an exception would not do: what is loaded passes some on as others, and prints some and goes on
            signal.signal(signal.SIGINT, lambda _number, _frame: os._exit(STOPPED))
        from hallway.cli import main as run

        signal.signal(signal.SIGINT, by_ctrl_c)
        return run()
    except KeyboardInterrupt:
        return STOPPED


if __name__ == "__main__":
    raise SystemExit(main())
