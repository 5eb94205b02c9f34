"""Real servers of 2015 and 2016 that the tests run hallway against.

They are started from their published packages with an interpreter of their time and know nothing of hallway.
"""
