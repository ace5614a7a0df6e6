"""What the JSON gateway of a simulated etcd member answers, as etcd 3.4 does.

Source: etcd's documentation, "gRPC gateway"; answers of a real cluster. Numbers of 64 bits are text there.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

from quorate.simulation.services.site import NOT_FOUND, Request, Response, said

_CLUSTER = "4739873710944778815"
_VERSION = "3.4.23"


@dataclass(frozen=True, kw_only=True, slots=True)
class EtcdMember:
    """A member of the cluster; `alarms` are those of it that are raised."""

    name: str
    address: str
    learner: bool = False
    alarms: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class EtcdSite:
    """The gateway of the member `own`, as this member sees the cluster; None where it has no leader."""

    own: str
    members: tuple[EtcdMember, ...]
    leader: str | None

    def answer(self, request: Request) -> Response | None:
        """Return the answer to a request; what needs a leader fails while there is none."""
        match request.method, request.path:
            case "POST", "/v3/maintenance/status":
                return said(self._status())
            case "POST", "/v3/cluster/member/list":
                header = {key: value for key, value in self._header().items() if key != "revision"}
                return said({"header": header, "members": [_listed(each) for each in self.members]})
            case "POST", "/v3/maintenance/alarm":
                without = said(_error(14, "etcdserver: no leader"), 503)
                return without if self.leader is None else said(self._alarms())
            case "POST", "/v3/auth/authenticate":
                return said(_error(9, "etcdserver: authentication is not enabled"), 400)
            case "GET", "/health":
                healthy = self.leader is not None
                return said({"health": str(healthy).lower()}, 200 if healthy else 503)
            case _:
                return NOT_FOUND

    def _header(self) -> dict[str, Any]:
        return {"cluster_id": _CLUSTER, "member_id": _id(self.own), "revision": "48112", "raft_term": "9"}

    def _status(self) -> dict[str, Any]:
        found = {
            "header": self._header(),
            "version": _VERSION,
            "dbSize": "61440",
            "leader": "" if self.leader is None else _id(self.leader),
            "raftIndex": "91207",
            "raftTerm": "9",
            "raftAppliedIndex": "91207",
            "errors": ["etcdserver: no leader"] if self.leader is None else self._errors(),
            "dbSizeInUse": "53248",
            "isLearner": any(member.learner for member in self.members if member.name == self.own),
        }
        # What is empty or false is left out (protocol buffers in JSON).
        return {key: value for key, value in found.items() if value}

    def _errors(self) -> list[str]:
        return [f"memberID:{_id(m.name)} alarm:{alarm} " for m in self.members for alarm in m.alarms]

    def _alarms(self) -> dict[str, Any]:
        raised = [{"memberID": _id(m.name), "alarm": alarm} for m in self.members for alarm in m.alarms]
        return {"alarms": raised} if raised else {}


def _id(name: str) -> str:
    return str(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big"))


def _listed(member: EtcdMember) -> dict[str, Any]:
    found: dict[str, Any] = {
        "ID": _id(member.name),
        "name": member.name,
        "peerURLs": [f"http://{member.address}:2380"],
        "clientURLs": [f"http://{member.address}:2379"],
    }
    return found | ({"isLearner": True} if member.learner else {})


def _error(code: int, words: str) -> dict[str, Any]:
    return {"error": words, "message": words, "code": code}
