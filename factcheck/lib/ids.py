"""Public ids: short, unguessable enough for an address, easy to read aloud."""

import secrets

# No vowels but a few, no 0/o, 1/l/i, u/v: an id is read over the telephone, and must not spell a word.
ALPHABET = "23456789abcdefghjkmnpqrstwxyz"
LENGTH = 8


def new_id() -> str:
    """Eight characters of 29: half a trillion; uniqueness is the database's constraint."""
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
