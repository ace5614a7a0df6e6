"""What HAProxy's statistics say of the backends of a check."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class HaproxyServer:
    """One server of a backend; `status` is HAProxy's own word (`UP`, `DOWN 1/2`, `MAINT`, `no check` …).

    `up` is whether it is given new connections. `checked` is False where nothing but HAProxy's trust says so.
    """

    name: str
    status: str
    up: bool
    checked: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class HaproxyBackend:
    """A backend with its servers; its sessions now and its waiting connections, None where not said."""

    servers: tuple[HaproxyServer, ...]
    sessions: int | None = None
    queue: int | None = None

    @property
    def up(self) -> tuple[str, ...]:
        """The names of the servers that are given new connections."""
        return tuple(server.name for server in self.servers if server.up)


@dataclass(frozen=True, kw_only=True, slots=True)
class HaproxyFacts:
    """The declared backends that a load balancer has, by name, and the names of its `others`."""

    backends: Mapping[str, HaproxyBackend]
    others: tuple[str, ...] = ()
    duration: float = 0.0
