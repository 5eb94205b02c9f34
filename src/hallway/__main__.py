"""`python -m hallway`: the same as the command `hallway`.

It must hold nothing but the call.
"""

from hallway.cli import main

if __name__ == "__main__":
    raise SystemExit(main())
