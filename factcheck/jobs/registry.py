"""What kinds of work there are. The package that owns the work registers it in its AppConfig.ready()."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from factcheck.jobs.leases import Lease


@dataclass(frozen=True)
class Kind:
    """A kind of work.

    ``run`` does it. It may be run again for the same subject, and it must not block without end: a
    thread cannot be killed, so that it waits only on sockets with a deadline and on child
    processes that it kills after ``lease.seconds_left()``. The sweeper ends the *row* in any case.

    ``gave_up(subject, reason)`` is called once, in the transaction that closes the job as failed.
    """

    name: str
    run: Callable[["Lease"], None]
    gave_up: Callable[[str, str], None]
    deadline_seconds: float
    max_attempts: int = 3


@dataclass(frozen=True)
class Periodic:
    """Work that the sweeper does itself, in its own process, when it starts and then every so often."""

    name: str
    every_seconds: float
    run: Callable[[], object]


_kinds: dict[str, Kind] = {}
_periodic: dict[str, Periodic] = {}


def register(kind: Kind) -> None:
    if _kinds.setdefault(kind.name, kind) != kind:
        raise ValueError(f"Two kinds of work are called {kind.name}.")


def register_periodic(periodic: Periodic) -> None:
    if _periodic.setdefault(periodic.name, periodic) != periodic:
        raise ValueError(f"Two periodic works are called {periodic.name}.")


def kind_named(name: str) -> Kind:
    """Raises LookupError for a kind that no package of this process has registered."""
    try:
        return _kinds[name]
    except KeyError:
        raise LookupError(f"No package has registered the kind of work {name!r}.") from None


def kinds() -> list[Kind]:
    return list(_kinds.values())


def periodic_work() -> list[Periodic]:
    return list(_periodic.values())
