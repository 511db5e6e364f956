"""Private keys: files outside the database, made once, and opened by the one process that signs.

A key is made when it is first asked for. Only a process that said ``hold()`` is given one, and only the sweeper does;
all others can learn no more than whether a key's file is kept as it should be, and do not open it for that.
"""

import os
import secrets
import stat
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from django.conf import settings
from django.utils.translation import gettext as _

from factcheck.ledger.errors import KeyUnusable

_MOST_BYTES = 10_000
_held = False


def hold() -> None:
    """Let this process have private keys. Called by the sweeper, which opens nothing that comes from outside."""
    global _held
    _held = True


def let_go() -> None:
    global _held
    _held = False


def place_of(name: str) -> Path:
    return Path(settings.KEYS_DIR) / f"{name}.pem"


def private_key(name: str, make: Callable[[], PrivateKeyTypes]) -> PrivateKeyTypes:
    """The key of this name, made now if there is none. Raises KeyUnusable with a sentence for who runs the machine."""
    if not _held:
        raise KeyUnusable(_("Only the sweeper signs: no other process is given a private key."))
    place = place_of(name)
    try:
        place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not os.path.lexists(place):
            _keep(place, make())
        if complaint := complaint_about(name):
            raise KeyUnusable(complaint)
        descriptor = os.open(place, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            return serialization.load_pem_private_key(file.read(_MOST_BYTES), password=None)
    except OSError as error:
        reason = error.strerror or str(error)
        raise KeyUnusable(
            _("The key %(place)s can be neither read nor made: %(reason)s.") % {"place": place, "reason": reason}
        ) from error
    except (ValueError, TypeError) as error:
        raise KeyUnusable(_("The file %(place)s is no private key.") % {"place": place}) from error


def complaint_about(name: str) -> str:
    """What is wrong with how a key's file is kept, as a sentence; "" for nothing, or for no key yet."""
    place = place_of(name)
    try:
        folder, file = place.parent.stat(), place.lstat()
    except FileNotFoundError:
        return ""
    except OSError as error:
        return _("The key %(place)s cannot be looked at: %(reason)s.") % {"place": place, "reason": error.strerror}
    if not stat.S_ISREG(file.st_mode):
        return _("The key %(place)s is no plain file.") % {"place": place}
    for path, found, wanted in ((place, file, "0600"), (place.parent, folder, "0700")):
        if stat.S_IMODE(found.st_mode) & 0o077:
            return _(
                "Others than its owner can get at the key: %(path)s has the permissions %(found)s, and should have "
                "%(wanted)s. Nothing is signed until it has."
            ) % {"path": path, "found": f"{stat.S_IMODE(found.st_mode):04o}", "wanted": wanted}
    if not os.access(place, os.R_OK):
        return _("The key %(place)s cannot be read by the user of this process.") % {"place": place}
    return ""


def _keep(place: Path, key: PrivateKeyTypes) -> None:
    """Whole or not at all; and where two processes make a key at once, one of them wins."""
    content = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    draft = place.with_name(f"{place.name}.{secrets.token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        try:
            place.hardlink_to(draft)
        except FileExistsError:
            return
        folder = os.open(place.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    finally:
        draft.unlink()
