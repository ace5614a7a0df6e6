"""The declared cluster: what the operator says should be true."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

KEEPALIVED = "keepalived.service"
"""The unit that moves a group's virtual IP, where the group declares it."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Secret:
    """Where a secret is to be had; never the secret itself. Exactly one of the first three fields is set.

    `part` is which secret of an Airflow connection is meant: its password, or a field of its extra.
    """

    env: str | None = None
    file: str | None = None
    airflow_connection: str | None = None
    part: str = "password"


@dataclass(frozen=True, kw_only=True, slots=True)
class SshSettings:
    """How a host is reached; durations in seconds. `None` means what OpenSSH would do."""

    user: str | None = None
    port: int | None = None
    """22 unless set here or in the client configuration file."""
    identity_file: str | None = None
    passphrase: Secret | None = None
    private_key: Secret | None = None
    """A key as text, where it is in no file."""
    password: Secret | None = None
    host_key: str | None = None
    """A public key (`ssh-ed25519 AAAA…`) that the host may show beside those in known_hosts."""
    airflow_connection: str | None = None
    """Id of the Airflow connection from which the settings are still to be taken."""
    known_hosts: str = "~/.ssh/known_hosts"
    config_file: str | None = None
    """An OpenSSH client configuration to honour, such as ~/.ssh/config; none unless named."""
    jump: str | None = None
    """Name of the inventory host that the connection goes through."""
    connect_timeout: float = 5.0
    command_timeout: float = 10.0
    host_timeout: float = 20.0
    sudo: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Host:
    """A machine: asked over SSH at `address`, or without it where `local`.

    With both, it is asked locally only if this machine has that address.
    """

    name: str
    address: str | None = None
    local: bool = False
    ssh: SshSettings = field(default_factory=SshSettings)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sync:
    """A file whose age on the passive node tells how old the data there is; `max_age` in seconds."""

    path: str
    max_age: float


@dataclass(frozen=True, kw_only=True, slots=True)
class ActivePassive:
    """Which units run only where the virtual IP is; `failover_grace` in seconds."""

    vip: str
    units: tuple[str, ...]
    failover_grace: float = 60.0
    sync: Sync | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Group:
    """Hosts that run the same units; units by their full systemd name (`lsyncd.service`)."""

    name: str
    hosts: tuple[str, ...]
    units: tuple[str, ...] = ()
    active_passive: ActivePassive | None = None
    vip: str | None = None
    tolerates: int = 0

    @property
    def virtual_ip(self) -> str | None:
        """The address that exactly one host of the group should hold."""
        return self.active_passive.vip if self.active_passive else self.vip

    @property
    def active_only(self) -> frozenset[str]:
        """Units that may run only on the active node."""
        return frozenset(self.active_passive.units) if self.active_passive else frozenset()


@dataclass(frozen=True, kw_only=True, slots=True)
class LogsFrom:
    """Whose journal explains a failed check: a unit of a group."""

    group: str
    unit: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """A question beyond systemd: its kind, the inventory hosts it concerns, and the kind's own settings.

    `members` are the names that stand behind its own in the ids of its members, without members empty.
    `asks_hosts` tells that its question is asked of its hosts themselves, together with their units.
    `needs_roles` tells that who holds the virtual IPs of its hosts decides what its answers mean.
    """

    name: str
    kind: str
    hosts: tuple[str, ...] = ()
    members: tuple[str, ...] = ()
    asks_hosts: bool = False
    needs_roles: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    logs_from: LogsFrom | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Maintenance:
    """Which verdicts count for nothing, by a selector, and until when; `until` has a time zone."""

    select: str
    until: datetime
    reason: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class EvidenceSettings:
    """How much of a log is collected; `since` in seconds bounds searches by identifier only."""

    log_lines: int = 100
    since: float = 900.0


@dataclass(frozen=True, kw_only=True, slots=True)
class JudgingSettings:
    """When to ask again, and what counts as a crash loop; durations in seconds."""

    samples: int = 3
    """How often contradictions and transitions are looked at, the first look included."""
    interval: float = 1.0
    restart_limit: int = 3
    restart_window: float = 900.0
    start_timeout: float = 300.0
    """The start limit of units whose own TimeoutStartUSec is infinite."""
    stop_timeout: float = 300.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Inventory:
    """The whole declared cluster, hosts, groups and checks in the order of the file."""

    name: str
    hosts: Mapping[str, Host]
    groups: Mapping[str, Group] = field(default_factory=dict)
    checks: Mapping[str, Check] = field(default_factory=dict)
    evidence: EvidenceSettings = field(default_factory=EvidenceSettings)
    judging: JudgingSettings = field(default_factory=JudgingSettings)
    task_logs: tuple[LogsFrom, ...] = ()
    base_log_folder: str | None = None
    maintenance: tuple[Maintenance, ...] = ()


def unit_id(unit: str) -> str:
    """Return the name by which a unit goes in ids and output: without `.service`, other suffixes kept."""
    return unit.removesuffix(".service")
