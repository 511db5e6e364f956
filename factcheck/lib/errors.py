"""The root of everything that the product refuses or fails at.

A subclass carries one full sentence for the person at the desk as its message.
"""


class FactcheckError(Exception):
    """What every refusal of the product is; ``str(error)`` is a sentence for a person."""


class StaleVersion(FactcheckError):
    """Somebody else saved the same thing since the page was read."""


class Refusal(FactcheckError):
    """A rule of the newsroom says no; nothing was changed."""
