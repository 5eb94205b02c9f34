"""A PostgreSQL server by its URL: a replica of the home, and the archive of what was.

Only `address` may be imported where no URL is set: the rest needs asyncpg, which is an extra.
"""
