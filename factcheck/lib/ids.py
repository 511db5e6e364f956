"""Public ids: short, unguessable enough for an address, easy to read aloud."""

import secrets
from collections.abc import Callable

# No vowels but a few, no 0/o, 1/l/i, u/v: an id is read over the telephone, and must not spell a word.
ALPHABET = "23456789abcdefghjkmnpqrstwxyz"
LENGTH = 8


def new_id() -> str:
    """Eight characters of 29: half a trillion; uniqueness is the database's constraint."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def chosen_id(wanted: str, is_taken: Callable[[str], bool]) -> str:
    """The id that a form chose for what it makes; a new one where it is no id, or somebody else's."""
    is_id = len(wanted) == LENGTH and set(wanted) <= set(ALPHABET)
    return wanted if is_id and not is_taken(wanted) else new_id()
