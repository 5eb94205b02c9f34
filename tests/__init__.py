"""The tests: one file per module, and whole hubs where a promise can only be seen from outside."""
