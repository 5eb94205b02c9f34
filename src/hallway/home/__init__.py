"""The model of a home: devices, entity states, variables, groups, events, services and numbered changes.

Synchronous and single-threaded; it must know no I/O, no asyncio, no door and no store.
"""
