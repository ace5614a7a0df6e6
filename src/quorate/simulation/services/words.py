"""What a scenario can say of a service: a word, or keys with what differs, by kind of check.

patroni_cluster: {postgresql-1: replica, postgresql-2: {role: leader, timeline: 13}, postgresql-3: mute}
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from quorate.simulation.durations import seconds
from quorate.simulation.services.state import MANNERS, Manner

EVERY = "*"
"""Stands for every member of a check."""

_MANY = frozenset({"patroni", "etcd", "haproxy", "rabbitmq", "celery"})
"""Kinds whose services are told of by member."""
_SIZE = re.compile(r"(\d+)(B|KiB|MiB|GiB)")
_UNITS = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}

Read = Callable[[Any], Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Told:
    """What a scenario says of a service; without a manner, that is what the machines make of it."""

    manner: Manner | None = None
    keys: Mapping[str, Any] = field(default_factory=dict)


NOTHING = Told()


@dataclass(frozen=True, kw_only=True, slots=True)
class Vocabulary:
    """The keys of a kind with how each is read, and the words that stand for some of them."""

    keys: Mapping[str, Read] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    other: Read | None = None
    """How a key is read that the vocabulary does not know, such as the name of a backend."""


def _refuse(why: str) -> NoReturn:
    raise ValueError(why)


def _flag(value: Any) -> bool:
    return value if isinstance(value, bool) else _refuse("is neither true nor false")


def _whole(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else _refuse("is no whole number")


def _text(value: Any) -> str:
    return value if isinstance(value, str) and value else _refuse("is no text")


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(_text(each) for each in (value if isinstance(value, list) else _refuse("is no list")))


def _size(value: Any) -> int | None:
    """Return bytes; `unknown` is what nobody knows."""
    match = _SIZE.fullmatch(_text(value))
    if match is None and value != "unknown":
        raise ValueError("is no size: write 64MiB, or unknown")
    return int(match[1]) * _UNITS[match[2]] if match else None


def _one_of(*words: str) -> Read:
    def read(value: Any) -> str:
        if value not in words:
            raise ValueError(f"is none of {', '.join(words)}")
        return str(value)

    return read


def _manner(kind: str) -> Read:
    return _one_of(*sorted(MANNERS[kind]))


def _ages(value: Any) -> dict[str, float | None]:
    """Return how old heartbeats are, by host; null where there is none."""
    told = value if isinstance(value, dict) else _refuse("is no mapping of hosts")
    return {str(host): None if age is None else seconds(_text(age)) for host, age in told.items()}


def _servers(value: Any) -> dict[str, str] | tuple[str, ...] | None:
    """Return the servers that are up, or the status of some, or None where the backend is missing."""
    if isinstance(value, dict):
        return {str(server): _text(status) for server, status in value.items()}
    return None if value is None else _texts(value)


_PATRONI = Vocabulary(
    keys={
        "role": _one_of("leader", "replica", "sync_standby", "standby_leader"),
        "state": _text,
        "timeline": _whole,
        "lag": _size,
        "streaming": _flag,
        "paused": _flag,
        "pending_restart": _flag,
        "failsafe": _flag,
        "dcs": _flag,
        "dcs_seen": lambda value: seconds(_text(value)),
    },
    words={
        "leader": {"role": "leader"},
        "replica": {"role": "replica"},
        "paused": {"paused": True},
        "pending_restart": {"pending_restart": True},
        "failsafe": {"failsafe": True},
        "not_streaming": {"streaming": False},
        "lagging": {"lag": 64 * 2**20},
        "lag_unknown": {"lag": None},
        "other_timeline": {"timeline": 11, "streaming": False},
        "starting": {"state": "starting"},
        "dcs_down": {"dcs": False, "dcs_seen": 300.0},
    },
)
_ETCD = Vocabulary(
    keys={"leader": _flag, "learner": _flag, "alarms": _texts},
    words={
        "no_leader": {"leader": False},
        "learner": {"learner": True},
        "no_space": {"alarms": ("NOSPACE",)},
        "corrupt": {"alarms": ("CORRUPT",)},
    },
)
_RABBITMQ = Vocabulary(
    keys={
        "management": _manner("airflow"),
        "partitioned": _flag,
        "drained": _flag,
        "apart": _flag,
        "queues": _texts,
        "short_of": _texts,
    },
    words={
        "partitioned": {"partitioned": True},
        "drained": {"drained": True},
        "apart": {"apart": True},
        "queues_critical": {"queues": ("card_processing_queue",)},
    },
)
_CELERY = Vocabulary(
    keys={
        "worker": _text,
        "queues": _texts,
        "silent": _flag,
        "after": lambda value: seconds(_text(value)),
        "broken": _flag,
    },
    words={"silent": {"silent": True}, "broken": {"broken": True}},
)
_AIRFLOW = Vocabulary(
    keys={
        "database": _flag,
        "jobs": _one_of("normal", "forbidden"),
        "schedulers": _ages,
        "triggerers": _ages,
        "dag_processors": _ages,
    },
    words={"forbidden": {"jobs": "forbidden"}, "without_database": {"database": False}},
)
_HTTP = Vocabulary(
    keys={
        "status": _whole,
        "body": _text,
        "after": lambda value: seconds(_text(value)),
        "ends_in": lambda value: seconds(_text(value)),
        "expired": _flag,
        "trusted": _flag,
    },
    words={"expired": {"expired": True}, "untrusted": {"trusted": False}},
)
VOCABULARIES: Mapping[str, Vocabulary] = {
    "postgresql": Vocabulary(),
    "rabbitmq": _RABBITMQ,
    "patroni": _PATRONI,
    "etcd": _ETCD,
    "haproxy": Vocabulary(other=_servers),
    "celery": _CELERY,
    "airflow": _AIRFLOW,
    "http": _HTTP,
    "tcp": Vocabulary(),
}


def told_services(checks: Mapping[str, Any], services: Mapping[str, Any]) -> dict[str, dict[str, Told]]:
    """Return what is said of services, by kind and by member; ValueError for what means nothing.

    A service of a check without members is called as the check.
    """
    found: dict[str, dict[str, Told]] = {}
    for name, value in services.items():
        check = checks.get(name, {})
        kind = check.get("kind", "")
        by_kind = found.setdefault(kind, {})
        if kind not in _MANY:
            by_kind[name] = _told(name, kind, name, value)
            continue
        by_member = value if isinstance(value, dict) else {EVERY: value}
        for member, said in by_member.items():
            if member not in {EVERY, *map(_name, check["hosts"])}:
                raise ValueError(f"services: {said!r} is nothing that {member} of {name} can be")
            by_kind[member] = _told(name, kind, member, said)
    return found


def _name(member: str | Mapping[str, str]) -> str:
    return member if isinstance(member, str) else member["name"]


def _told(check: str, kind: str, member: str, value: Any) -> Told:
    vocabulary, who = VOCABULARIES.get(kind), f"{member} of {check}"
    match value:
        case dict() if vocabulary is not None:
            return _told_by_keys(vocabulary, kind, who, value)
        case str() if vocabulary is not None and value in vocabulary.words:
            return Told(keys=vocabulary.words[value])
        case str() if value in MANNERS.get(kind, ()):
            return Told(manner=Manner(value))
        case _:
            raise ValueError(f"services: {value!r} is nothing that {who} can be")


def _told_by_keys(vocabulary: Vocabulary, kind: str, who: str, value: Mapping[str, Any]) -> Told:
    keys: dict[str, Any] = {}
    manner = None
    for key, each in value.items():
        read = _manner(kind) if key == "manner" else vocabulary.keys.get(key, vocabulary.other)
        if read is None:
            raise ValueError(f"services: {key} is nothing that is known of {who}")
        try:
            found = read(each)
        except ValueError as error:
            raise ValueError(f"services: {key} of {who}: {each!r} {error}") from None
        if key == "manner":
            manner = Manner(found)
        else:
            keys[key] = found
    return Told(manner=manner, keys=keys)
