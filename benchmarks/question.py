"""The question that all ways are asked alike: which hosts, which units, and what the hosts answer."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

RECORDED = Path(__file__).parents[1] / "tests" / "cases" / "recorded"
UNITS = ("haproxy", "keepalived", "airflow-scheduler", "airflow-webserver")


@dataclass(frozen=True, kw_only=True)
class Access:
    """How all hosts are logged in to."""

    user: str
    port: int
    identity_file: Path
    known_hosts: Path


@dataclass(frozen=True, kw_only=True)
class Question:
    """Hosts by name and address, and units that run on each of them.

    Two hosts after one another form a group with a virtual IP, which the first one holds: so that addresses
    are asked for, and roles are judged.
    """

    addresses: dict[str, str]
    units: tuple[str, ...] = UNITS

    def first(self, count: int) -> "Question":
        """Return the same question to the first hosts only."""
        return Question(addresses=dict(list(self.addresses.items())[:count]), units=self.units)

    def pairs(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """Yield the virtual IP and the hosts of each group; an odd host is in a group without one."""
        names = list(self.addresses)
        for number in range(0, len(names), 2):
            yield virtual_ip(number), tuple(names[number : number + 2])

    @property
    def verdicts(self) -> int:
        """How many verdicts a sweep gives, all of them OK."""
        hosts = len(self.addresses)
        return hosts + hosts // 2 + hosts * len(self.units)

    def inventory(self, access: Access, *, ports: dict[str, int] | None = None, connect: str = "5s") -> str:
        """Return the text of an inventory; `ports` are those of hosts that listen on another one."""
        ssh = {
            "user": access.user,
            "port": access.port,
            "identity_file": str(access.identity_file),
            "known_hosts": str(access.known_hosts),
            "connect_timeout": connect,
            "sudo": False,
        }
        hosts = {
            name: {"address": address, **({"ssh": {"port": ports[name]}} if ports and name in ports else {})}
            for name, address in self.addresses.items()
        }
        groups = {
            f"group-{names[0]}": {
                "hosts": list(names),
                "units": list(self.units),
                **({"vip": vip} if len(names) == 2 else {}),
            }
            for vip, names in self.pairs()
        }
        # JSON is YAML, and a block a key keeps the lines short.
        parts = {"name": "bench", "ssh": ssh, "hosts": hosts, "groups": groups}
        return "".join(f"{key}: {json.dumps(value)}\n" for key, value in parts.items())


def virtual_ip(number: int) -> str:
    """Return a virtual IP, from the range for benchmarks. Source: RFC 2544."""
    return f"198.18.{number // 250}.{number % 250 + 1}"


def loopback(count: int) -> Question:
    """Return the question to hosts on this machine's loopback, each at an address of its own."""
    return Question(addresses={f"h{n}": f"127.77.{n // 250}.{n % 250 + 1}" for n in range(count)})


def recorded(name: str) -> str:
    """Return what a real machine printed, from the tests' cases."""
    return str(json.loads((RECORDED / f"{name}.json").read_text())["stdout"])


def write_answers(question: Question, folder: Path) -> None:
    """Write what each host answers: recorded on real machines, with the host's own names and numbers.

    No two hosts answer alike, so that nothing read for one host is of use for the next.
    """
    block, held, own, journal = (
        recorded(name) for name in ("systemctl-running", "ip-vip-v4", "ip-base", "journal-normal")
    )
    holders = {names[0]: vip for vip, names in question.pairs() if len(names) == 2}
    for number, (name, address) in enumerate(question.addresses.items()):
        place = folder / address
        place.mkdir(parents=True)
        blocks = [
            block.replace("rec-running.service rec-alias.service", f"{unit}.service")
            .replace("rec-running", unit)
            .replace("=1598200794", f"={10_000_000 + 1000 * number + position}")
            for position, unit in enumerate(question.units)
        ]
        (place / "systemctl").write_text("\n".join(blocks))
        listed = held.replace("192.0.2.220", holders[name]) if name in holders else own
        (place / "ip").write_text(listed.replace("192.0.2.165", address))
        (place / "journalctl").write_text(journal)
