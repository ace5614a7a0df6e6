"""Kind `celery`: ask all Celery workers through their broker who is there, and on which queues."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BeforeValidator, model_validator

from quorate.inventory.document import Document, Path
from quorate.inventory.entries import CheckEntry, Entry, SecretEntry
from quorate.inventory.faults import Fault
from quorate.inventory.fields import Duration, Line, Port, default, required, unset, wrong
from quorate.inventory.kinds.kind import Kind, Resolved
from quorate.inventory.kinds.members import MemberEntry, member_rules, places
from quorate.inventory.secrets import secret
from quorate.inventory.tree import mapping, word
from quorate.model import Host

_DEFAULT = "celery@"
"""What Celery puts before the host's name, where a worker is not named otherwise."""


def _worker(value: object) -> object:
    if isinstance(value, str) and not all(value.partition("@")):
        raise wrong("is not the name of a worker", "write it as `celery inspect ping` shows it: celery@host")
    return value


class WorkerEntry(Entry):
    """A host with a worker; a name alone is short for {name: …}."""

    short_for: ClassVar[str] = "name"

    name: Line = required("Name of one of the inventory's hosts.")
    worker: Annotated[Line, BeforeValidator(_worker)] = unset(
        "The worker's own name, where it is not celery@ and the host's name."
    )

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {cls.short_for: value}
        if not isinstance(value, dict):
            raise wrong("must be a host's name or a mapping", "such as {name: celery-1, worker: celery@w1}")
        return value


class CeleryEntry(CheckEntry):
    """Ask all Celery workers who is there, and on which queues."""

    kind: Literal["celery"] = required("Ask all Celery workers who is there, and on which queues.")
    brokers: list[MemberEntry] = required(
        "The RabbitMQ nodes, of which the first that answers is asked through.", min_length=1
    )
    port: Port = default(5672, "AMQP port of the nodes.")
    vhost: Line = default("/", "Virtual host that the workers use.")
    user: Line = required("RabbitMQ user.")
    password: SecretEntry = required("Where the user's password is to be had.")
    hosts: list[WorkerEntry] = required("The hosts with a worker each.", min_length=1)
    queues: list[Line] = default([], "Queues that some worker must consume from.")
    timeout: Duration = default("3s", "Limit of each broker, and then of the workers' answers.")


def rules(tree: dict[str, Any], path: Path, document: Document) -> Iterator[Fault]:
    """Yield faults of hosts and brokers that are none or stand twice, and of workers that stand twice."""
    yield from member_rules(tree, path, document, "brokers")
    yield from member_rules(tree, path, document)
    hosts = mapping(tree, *(str(part) for part in path)).get("hosts")
    seen: dict[str, str] = {}
    for index, entry in enumerate(hosts if isinstance(hosts, list) else ()):
        name = entry if isinstance(entry, str) else word(entry, "name")
        if name is None:
            continue
        worker = word(entry, "worker") or f"{_DEFAULT}{name}"
        if seen.setdefault(worker, name) != name:
            place: Path = (
                (*path, "hosts", index) if isinstance(entry, str) else (*path, "hosts", index, "name")
            )
            what = f"check {path[-1]} names the worker {worker} twice, on {seen[worker]} already"
            yield document.fault(place, what, "each worker has a name of its own")


def resolve(entry: CeleryEntry, hosts: Mapping[str, Host]) -> Resolved:
    """Return the settings; `members` are hosts with the names of their `worker`, `brokers` have places."""
    settings = {
        "brokers": places(entry.brokers, entry.port, hosts),
        "vhost": entry.vhost,
        "user": entry.user,
        "password": secret(entry.password),
        "members": tuple(
            MappingProxyType({"name": each.name, "worker": each.worker or f"{_DEFAULT}{each.name}"})
            for each in entry.hosts
        ),
        "queues": tuple(entry.queues),
        "timeout": entry.timeout,
    }
    names = tuple(each.name for each in entry.hosts)
    return Resolved(settings=MappingProxyType(settings), hosts=names, members=names)


KIND = Kind(entry=CeleryEntry, resolve=resolve, rules=rules)
