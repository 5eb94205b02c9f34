"""Benchmarks: the hub beside a raw ASGI app, on the same machine in the same run.

Run them with `python -m benchmarks`; docs/benchmarks.md tells what the numbers mean.
Nothing here is part of the installed package and the hub knows nothing of it.
"""
