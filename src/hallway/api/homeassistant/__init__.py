"""The Home Assistant door: the REST API as its document of December 2014 has it, for unmodified clients.

It must not know the home's inside or other doors: it reads requests, lets operations run, and writes answers.
"""
