"""What the management API of a simulated RabbitMQ node answers, as RabbitMQ 3.10 does.

Source: RabbitMQ's HTTP API reference; answers of a real cluster.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from quorate.simulation.services.site import NOT_FOUND, Request, Response, basic, said

_FAILED = "There are quorum queues that would lose their quorum if the target node is shut down"


@dataclass(frozen=True, kw_only=True, slots=True)
class ManagementSite:
    """The API of the node `own`, as this node sees the cluster.

    `nodes` are all that it lists, with whether it sees them running; `alarms` what nodes are short of;
    `queues` would lose their quorum without this node.
    """

    own: str
    user: str
    password: str = field(repr=False)
    nodes: Mapping[str, bool]
    alarms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    queues: tuple[str, ...] = ()

    def answer(self, request: Request) -> Response | None:
        """Return the answer to a request."""
        if request.headers.get("authorization") != basic(self.user, self.password):
            return said({"error": "not_authorised", "reason": "Login failed"}, 401)
        match request.method, request.path:
            case "GET", "/api/nodes":
                return said([self._node(name) for name in self.nodes])
            case "GET", "/api/overview":
                return said({"node": self.own})
            case "GET", "/api/whoami":
                return said({"name": self.user, "tags": ["monitoring"]})
            case "GET", "/api/health/checks/alarms":
                return self._health("There are alarms in effect in the cluster", alarms=self._alarms())
            case "GET", "/api/health/checks/node-is-quorum-critical":
                return self._health(_FAILED, queues=[_queue(name) for name in self.queues])
            case _:
                return NOT_FOUND

    def _node(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = {"name": name, "running": self.nodes[name]}
        if not self.nodes[name]:
            return found
        short = self.alarms.get(name, ())
        return found | {
            "partitions": [],
            "mem_alarm": "memory" in short,
            "disk_free_alarm": "disk" in short,
        }

    def _alarms(self) -> list[dict[str, str]]:
        return [{"node": name, "resource": what} for name, short in self.alarms.items() for what in short]

    def _health(self, reason: str, **found: list[dict[str, str]]) -> Response:
        if not any(found.values()):
            return said({"status": "ok"})
        return said({"status": "failed", "reason": reason, **found}, 503)


def _queue(name: str) -> dict[str, str]:
    readable = f"queue '{name}' in vhost 'airflow_host'"
    return {"name": name, "readable_name": readable, "type": "quorum", "virtual_host": "airflow_host"}
