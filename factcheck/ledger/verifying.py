"""Whether the log still says what was recorded: every leaf computed again from its entry."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from factcheck.ledger.commitments import canonical_time, leaf_hash, salted_sha256
from factcheck.ledger.merkle import Frontier
from factcheck.ledger.models import Leaf
from factcheck.ledger.services import pending_entries

ROWS_AT_ONCE = 2_000

_ENTRY_FIELDS = (
    "id",
    "action",
    "subject",
    "actor",
    "at",
    "commitment",
    "opening__sha256",
    "opening__salt",
    "opening__body",
    "opening__erased_by",
)


@dataclass(frozen=True)
class Fault:
    """The first thing that is wrong. ``kind``: index, leaf, opening, commitment, entry or root."""

    kind: str
    index: int | None
    entry: int | None
    message: str


@dataclass(frozen=True)
class Report:
    size: int
    pending: int
    erased: int
    root: bytes
    fault: Fault | None


def verify(*, known_size: int = 0, known_root: bytes | None = None) -> Report:
    """Walk the whole log and stop at the first fault.

    ``known_root`` is a root that was noted when the log had ``known_size`` leaves. Only against
    something noted outside can it show that the end was cut off, or that the log was written anew.
    """
    frontier = Frontier()
    erased = pending = 0

    def report(fault: Fault | None) -> Report:
        return Report(frontier.size, pending, erased, frontier.root(), fault)

    def known_root_differs() -> Fault | None:
        if known_root is None or frontier.size != known_size or frontier.root() == known_root:
            return None
        return Fault(
            "root", None, None,
            f"The root over the first {known_size} leaves is {frontier.root().hex()}, not {known_root.hex()}: "
            "leaves were changed, exchanged or removed since that root was noted.",
        )  # fmt: skip

    if fault := known_root_differs():
        return report(fault)
    for index, logged, entry in _leaves():
        if index != frontier.size:
            return report(Fault("index", frontier.size, None, f"Leaf {frontier.size} is missing: the next is {index}."))
        if fault := _entry_fault(entry, index, logged):
            return report(fault)
        erased += bool(entry["opening__erased_by"])
        frontier.append(bytes.fromhex(logged))
        if fault := known_root_differs():
            return report(fault)
    if known_root is not None and frontier.size < known_size:
        return report(
            Fault("root", frontier.size, None, f"The log has {frontier.size} leaves; it has had {known_size}.")
        )
    for entry in pending_entries().order_by("id").values(*_ENTRY_FIELDS).iterator(ROWS_AT_ONCE):
        if fault := _entry_fault(entry, None, None):
            return report(fault)
        erased += bool(entry["opening__erased_by"])
        pending += 1
    return report(None)


def _leaves() -> Iterator[tuple[int, str, dict[str, Any]]]:
    fields = [f"entry__{name}" for name in _ENTRY_FIELDS]
    rows = Leaf.objects.order_by("index").values_list("index", "leaf_hash", *fields)
    for index, logged, *values in rows.iterator(ROWS_AT_ONCE):
        yield index, logged, dict(zip(_ENTRY_FIELDS, values, strict=True))


def _entry_fault(entry: dict[str, Any], index: int | None, logged: str | None) -> Fault | None:
    number = entry["id"]
    where = f"Entry {number} (leaf {index})" if index is not None else f"Entry {number} (no leaf yet)"
    committed = leaf_hash(entry["commitment"]).hex()
    if entry["opening__erased_by"]:
        if logged is not None and logged != committed:
            return Fault("leaf", index, number, f"{where}: the leaf is not that of the entry's commitment.")
        return None
    try:
        opened = salted_sha256(bytes.fromhex(entry["opening__salt"]), entry["opening__body"])
    except ValueError:
        return Fault("opening", index, number, f"{where}: the salt of the opening is not hexadecimal.")
    # Three witnesses, opening, commitment and leaf: the one that differs from the other two was altered.
    if opened != entry["commitment"]:
        if logged is not None and logged == leaf_hash(opened).hex():
            return Fault("commitment", index, number, f"{where}: the commitment was altered; opening and leaf agree.")
        return Fault("opening", index, number, f"{where}: the opening does not give the commitment.")
    if logged is not None and logged != committed:
        return Fault("leaf", index, number, f"{where}: the leaf is not that of the entry's commitment.")
    if entry["opening__sha256"] != opened:
        return Fault("opening", index, number, f"{where}: the opening's own hash was altered.")
    said = json.loads(entry["opening__body"])
    shown = {name: entry[name] for name in ("action", "subject", "actor")} | {"at": canonical_time(entry["at"])}
    for name, value in shown.items():
        if said.get(name) != value:
            return Fault(
                "entry",
                index,
                number,
                f"{where}: the {name} was altered to {value!r}; the opening says {said.get(name)!r}.",
            )
    return None
