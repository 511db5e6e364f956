"""Whether somebody wrote something: blanks and invisible characters are nothing to read."""


def is_legible(text: str) -> bool:
    """Whether there is a letter or a digit of any script in it."""
    return any(character.isalnum() for character in text)
