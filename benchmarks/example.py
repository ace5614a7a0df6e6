"""The example cluster on loopback: its hosts behind sshd, its database and broker real servers."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from benchmarks.question import Access, recorded

EXAMPLE = Path(__file__).parents[1] / "examples" / "cluster.yaml"
PASSIVE = "nfs-2"
CHECKS = ("postgresql_vip", "rabbitmq_cluster")
"""What is asked beside the units."""


@dataclass(frozen=True, kw_only=True)
class Service:
    """Where a server listens on this machine, and how it is logged in to; `name` of a database or vhost."""

    port: int
    name: str
    user: str
    password: str


@dataclass(frozen=True, kw_only=True)
class Example:
    """The inventory that the documentation shows, as YAML has it, with addresses on loopback."""

    declared: dict[str, Any]
    addresses: dict[str, str]

    def groups(self) -> list[list[tuple[str, str]]]:
        """Return the hosts and units of each group, every pair of them once."""
        return [
            [(host, unit) for host in group["hosts"] for unit in group["units"]]
            for group in self.declared["groups"].values()
        ]

    def state(self, host: str, unit: str) -> str:
        """Return the state in which a unit rightly is on a host."""
        passive = host == PASSIVE and unit in self.declared["groups"]["nfs"]["active_passive"]["units"]
        return "inactive" if passive else "active"

    def verdicts(self) -> dict[str, str]:
        """Return the state that a verdict on each unit rightly has, by its id."""
        words = {"active": "ok", "inactive": "expected"}
        return {
            f"{name}/{host}/{unit}": words[self.state(host, unit)]
            for name, group in self.declared["groups"].items()
            for host in group["hosts"]
            for unit in group["units"]
        }

    def virtual_ips(self) -> dict[str, str]:
        """Return the virtual IP of each host that holds one: the first of its group."""
        held = {}
        for group in self.declared["groups"].values():
            address = group.get("vip") or group.get("active_passive", {}).get("vip")
            if address:
                held[group["hosts"][0]] = address
        return held

    def write_answers(self, folder: Path) -> None:
        """Write what each host answers: its units run, but for those that the passive node keeps stopped."""
        running, inactive, held, own = map(
            recorded, ("systemctl-running", "systemctl-inactive", "ip-vip-v4", "ip-base")
        )
        running = running.replace(" rec-alias.service", "").replace("=1598200794", "=10000000")
        holders = self.virtual_ips()
        for name, address in self.addresses.items():
            place = folder / address
            (place / "inactive").mkdir(parents=True)
            blocks = []
            for unit in dict.fromkeys(
                unit for group in self.groups() for host, unit in group if host == name
            ):
                if self.state(name, unit) == "inactive":
                    (place / "inactive" / unit).touch()
                    blocks.append(inactive.replace("rec-inactive", unit))
                else:
                    blocks.append(running.replace("rec-running", unit))
            (place / "systemctl").write_text("\n".join(blocks))
            listed = held.replace("192.0.2.220", holders[name]) if name in holders else own
            (place / "ip").write_text(listed.replace("192.0.2.165", address))
            (place / "journalctl").write_text(recorded("journal-normal"))

    def inventory(self, access: Access, database: Service, broker: Service) -> str:
        """Return the text of the inventory: the example's, but for addresses, ports, logins, and no sudo.

        Its checks are those that the seed's DAG asks, too: what else the example declares has no peer there.
        """
        ssh = {
            **self.declared["ssh"],
            "user": access.user,
            "port": access.port,
            "identity_file": str(access.identity_file),
            "known_hosts": str(access.known_hosts),
            "sudo": False,
        }
        postgresql, rabbitmq = (self.declared["checks"][name] for name in CHECKS)
        members = [{"name": name, "address": "127.0.0.1", "port": broker.port} for name in rabbitmq["hosts"]]
        # A login to every node, as the seed's DAG asks: the one broker here is a cluster of no three nodes.
        rabbitmq = {key: value for key, value in rabbitmq.items() if key != "management"}
        checks = {
            "postgresql_vip": {
                **postgresql,
                "host": "127.0.0.1",
                "port": database.port,
                "database": database.name,
                "user": database.user,
            },
            "rabbitmq_cluster": {**rabbitmq, "hosts": members, "vhost": broker.name, "user": broker.user},
        }
        parts = {**self.declared, "ssh": ssh, "hosts": self.addresses, "checks": checks}
        # JSON is YAML, and a block a key keeps the lines short.
        return "".join(f"{key}: {json.dumps(value)}\n" for key, value in parts.items())

    def passwords(self, database: Service, broker: Service) -> dict[str, str]:
        """Return the environment variables that the inventory names for passwords."""
        checks = self.declared["checks"]
        return {
            checks["postgresql_vip"]["password"]["env"]: database.password,
            checks["rabbitmq_cluster"]["password"]["env"]: broker.password,
        }


def example() -> Example:
    """Return the example cluster, each of its hosts at a loopback address of its own."""
    declared = YAML(typ="safe").load(EXAMPLE)
    addresses = {name: f"127.79.0.{number}" for number, name in enumerate(declared["hosts"], 1)}
    return Example(declared=declared, addresses=addresses)
