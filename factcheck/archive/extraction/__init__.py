"""The child process that reads hostile files: plain Python, no Django, no import from outside this folder.

It is started by ``archive.extracting`` with this folder as a package of its own, so that it
costs milliseconds; inside, imports are relative for that reason.
"""
