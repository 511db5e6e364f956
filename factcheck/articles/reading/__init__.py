"""Reads somebody's document into blocks and notes, in a child process: plain Python, no Django, no network.

``articles.documents`` starts it. A document is hostile until it has been read: what comes out is text alone.
"""
