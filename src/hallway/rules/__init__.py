"""What runs the rules of a home: binding, deciding, doing, remembering and explaining.

The sentences are read by the language; here they are frozen data. It must not know doors, nor how a rule is written.
"""
