"""What the REST API of a simulated Patroni node answers, as Patroni 3.0.2 does.

Source: Patroni's documentation, "Patroni REST API"; answers of a real cluster.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from quorate.simulation.services.site import NOT_FOUND, Request, Response, said

_SYSTEM = "7711176914422255698"
_WRITTEN = 124474360
"""Where the leader's log of changes ends."""

LEADING = frozenset({"leader", "standby_leader"})


@dataclass(frozen=True, kw_only=True, slots=True)
class PatroniNode:
    """A node as it sees itself; `lag` in bytes, None where nobody knows; `dcs_seen` seconds ago."""

    name: str
    address: str
    role: str = "replica"
    state: str = "running"
    timeline: int = 12
    lag: int | None = 0
    streaming: bool = True
    paused: bool = False
    pending_restart: bool = False
    failsafe: bool = False
    dcs_seen: float = 2.0


@dataclass(frozen=True, kw_only=True, slots=True)
class PatroniSite:
    """The API of the node `own`; `nodes` are all whose Patroni runs, `leader` holds the lock in the DCS.

    Without `dcs`, the DCS can't be read.
    """

    own: str
    nodes: tuple[PatroniNode, ...]
    leader: str | None
    dcs: bool = True

    def answer(self, request: Request) -> Response | None:
        """Return the answer to a request."""
        match request.method, request.path:
            case "GET", "/patroni" | "/":
                return said(self._patroni())
            case "GET", "/cluster":
                # Without the DCS, an exception ends the request: the connection is closed without a word.
                return said(self._cluster()) if self.dcs else None
            case _:
                return NOT_FOUND

    @property
    def _node(self) -> PatroniNode:
        return next(node for node in self.nodes if node.name == self.own)

    def _patroni(self) -> dict[str, Any]:
        node, now = self._node, time.time()
        leads = node.role in LEADING
        found: dict[str, Any] = {
            "state": node.state,
            "postmaster_start_time": datetime.fromtimestamp(now - 1_900_000, UTC).isoformat(" "),
            "role": "master" if node.role == "leader" else node.role,
            "server_version": 150018,
            "xlog": {"location": _WRITTEN} if leads else _received(node, now),
            "timeline": node.timeline,
        }
        if node.name == self.leader and leads:
            followers = (each for each in self.nodes if each.streaming and each.role not in LEADING)
            found["replication"] = [_stream(each) for each in followers]
        found |= {
            "dcs_last_seen": int(now - node.dcs_seen),
            "database_system_identifier": _SYSTEM,
            "patroni": {"version": "3.0.2", "scope": "airflow"},
        }
        flags = {
            "pause": node.paused,
            "pending_restart": node.pending_restart,
            "failsafe_mode_is_active": node.failsafe,
        }
        return found | {key: True for key, holds in flags.items() if holds}

    def _cluster(self) -> dict[str, Any]:
        found: dict[str, Any] = {"members": [self._member(node) for node in self.nodes]}
        return found | ({"pause": True} if any(node.paused for node in self.nodes) else {})

    def _member(self, node: PatroniNode) -> Mapping[str, Any]:
        leads = node.name == self.leader
        # In the DCS there is one leader at most, whatever a node thinks of itself.
        role = (node.role if node.role in LEADING else "leader") if leads else _following(node.role)
        found: dict[str, Any] = {
            "name": node.name,
            "role": role,
            "state": node.state,
            "api_url": f"http://{node.address}:8008/patroni",
            "host": node.address,
            "port": 5432,
            "timeline": node.timeline,
        }
        if node.pending_restart:
            found["pending_restart"] = True
        return found if leads else found | {"lag": "unknown" if node.lag is None else node.lag}


def _following(role: str) -> str:
    return "replica" if role in LEADING else role


def _received(node: PatroniNode, now: float) -> dict[str, Any]:
    at = _WRITTEN - (node.lag or 0)
    return {
        "received_location": at,
        "replayed_location": None if node.lag is None else at,
        "replayed_timestamp": datetime.fromtimestamp(now - 1, UTC).isoformat(" "),
        "paused": False,
    }


def _stream(node: PatroniNode) -> dict[str, Any]:
    synced = node.role == "sync_standby"
    return {
        "usename": "replicator",
        "application_name": node.name,
        "client_addr": node.address,
        "state": "streaming",
        "sync_state": "sync" if synced else "async",
        "sync_priority": int(synced),
    }
