"""The inventory file as written: one pydantic model for every mapping in it.

They know shapes only. What one place says of another is in `quorate.inventory.rules`.
"""

from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, GetJsonSchemaHandler, model_validator
from pydantic_core import CoreSchema

from quorate.inventory.fields import (
    Address,
    CheckName,
    Duration,
    GroupName,
    HostName,
    HostPath,
    Line,
    Moment,
    Pause,
    Port,
    Unit,
    Variable,
    VirtualIp,
    default,
    required,
    unset,
    wrong,
)

DIRECT = "none"
"""What `jump` says where a host is reached directly, as ProxyJump does in ssh_config(5)."""


class Entry(BaseModel):
    """A mapping of the file: unknown keys are errors, and no value is bent into another type."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)

    short_for: ClassVar[str] = ""
    """The key that text in place of the mapping stands for, if there is one."""

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        reference = handler(core)
        if cls.short_for:
            definition = handler.resolve_ref_schema(reference)
            full = dict(definition)
            short = {"type": "string", "minLength": 1, "description": f"Short for {{{cls.short_for}: …}}."}
            definition.clear()
            definition.update({"description": full.pop("description"), "anyOf": [short, full]})
        return reference


SECRET_HINT = "write {env: NAME}, {file: PATH} or {airflow_connection: ID}"  # noqa: S105  how to write one


class SecretEntry(Entry):
    """Where a secret is to be had: exactly one of the keys. It is never written in the file itself."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    env: Variable = unset("Name of the environment variable that holds the secret.")
    file: Line = unset("File that holds the secret.")
    airflow_connection: Line = unset("Id of the Airflow connection whose password is the secret.")

    @model_validator(mode="before")
    @classmethod
    def _one_key(cls, value: Any) -> Any:
        if value is None:
            raise wrong("has no value", SECRET_HINT)
        if not isinstance(value, dict):
            raise wrong("is written in plain text", SECRET_HINT)
        if len(value) != 1 or not value.keys() <= cls.model_fields.keys():
            raise wrong("must have exactly one key: env, file or airflow_connection", SECRET_HINT)
        return value


class SshEntry(Entry):
    """How hosts are reached."""

    user: Line = unset("User to log in as; without it, what OpenSSH would take.")
    port: Port = unset("Port of the SSH server: 22 unless set here or in config_file.")
    identity_file: Line = unset("Private key; without it the agent and OpenSSH's usual files are tried.")
    passphrase: SecretEntry = unset("Where the passphrase of the private key is to be had.")
    airflow_connection: Line = unset(
        "Id of an Airflow connection of type SSH; it gives what is not set here. Inside Airflow only."
    )
    known_hosts: Line = default("~/.ssh/known_hosts", "File of known host keys; they are always verified.")
    config_file: Line = unset(
        "OpenSSH client configuration to honour, such as ~/.ssh/config; none unless named."
    )
    jump: Line = unset(
        f"Host of the inventory that the connection goes through; `{DIRECT}` overrides a default."
    )
    connect_timeout: Duration = default("5s", "Limit of connecting, and again of logging in.")
    command_timeout: Duration = default("10s", "Limit of one question, after login.")
    host_timeout: Duration = default("20s", "Limit of all that one host is asked, evidence included.")
    sudo: bool = default(
        True, "Whether `sudo -n` is used to read journals and where else a command needs it."
    )


class HostEntry(Entry):
    """A machine; an address alone is short for {address: …}."""

    short_for: ClassVar[str] = "address"

    address: Address = unset("IP address or host name.")
    local: bool = default(
        False, "This machine, asked without SSH; with an address: only if this machine has that address."
    )
    ssh: SshEntry = unset("How this host is reached; each key overrides that of the top level.")

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {cls.short_for: value}
        if value is None:
            raise wrong("has no value", "write its address")
        if not isinstance(value, dict):
            raise wrong("must be an address or a mapping", "such as {address: 192.0.2.10}")
        return value


class SyncEntry(Entry):
    """A marker whose age on the passive node tells how old the data there is."""

    path: HostPath = required("File on the nodes that the active one renews, and that goes with the data.")
    max_age: Duration = required("How old it may be on the passive node, by that node's own clock.")


class ActivePassiveEntry(Entry):
    """What runs only on the node that holds the virtual IP."""

    vip: VirtualIp = required("Virtual IP; the host that holds it is the active node.")
    units: list[Unit] = required(
        "Units that run only on the active node; all are in the group's units.", min_length=1
    )
    failover_grace: Pause = default(
        "60s", "How long a failover may take before its contradictions are critical."
    )
    sync: SyncEntry = unset("A marker by which the passive node's copy of the data is known to be fresh.")


class GroupEntry(Entry):
    """Hosts that run the same units."""

    hosts: list[Line] = required("Names of hosts.", min_length=1)
    units: list[Unit] = default(
        [], "systemd units that run on every host of the group; `.service` may be left out."
    )
    active_passive: ActivePassiveEntry = unset("Makes the group a pair of which one node is active.")
    vip: VirtualIp = unset("Virtual IP that exactly one host holds, while every unit runs on all.")
    tolerates: Annotated[int, Field(ge=0)] = default(
        0, "On how many hosts a unit may be bad before it is critical; until then it is a warning."
    )


class LogsFromEntry(Entry):
    """A unit of a group, whose journal is meant."""

    group: Line = required("Name of a group.")
    unit: Unit = required("One of that group's units.")


class CheckEntry(Entry):
    """What checks of every kind have."""

    kind: Line = required("What is checked.")
    logs_from: LogsFromEntry = unset("Whose journal explains a failure of this check.")


class UnknownCheckEntry(CheckEntry):
    """A check of a kind that is not known: only what checks of every kind have can be looked at."""

    model_config = ConfigDict(extra="ignore")


class EvidenceEntry(Entry):
    """How much of the logs is collected."""

    log_lines: Annotated[int, Field(ge=1, le=10_000)] = default(100, "How many of a journal's last lines.")
    since: Duration = default("15m", "How far back searches by identifier look.")


class JudgingEntry(Entry):
    """When to ask again, and what counts as a crash loop."""

    samples: Annotated[int, Field(ge=1, le=10)] = default(
        3, "How often contradictions and transitions are looked at, the first look included."
    )
    interval: Duration = default("1s", "Pause between two looks.")
    restart_limit: Annotated[int, Field(ge=1)] = default(
        3, "So many restarts within restart_window are a crash loop."
    )
    restart_window: Duration = default("15m", "How long a restart counts.")
    start_timeout: Duration = default("5m", "Start limit of units whose own is infinite.")
    stop_timeout: Duration = default("5m", "Stop limit of units whose own is infinite.")


class AirflowEntry(Entry):
    """Where task-specific logs are."""

    task_logs: list[LogsFromEntry] = default(
        [], "Units whose journals are searched for a task's identifiers."
    )
    base_log_folder: Line = unset("Airflow's base_log_folder on the hosts.")


class MaintenanceEntry(Entry):
    """Verdicts that count for nothing until a moment, because someone works on what they are about."""

    select: Line = required("Which verdicts: an id, or a prefix of it that ends at a slash.")
    until: Moment = required("When that is over: date, time and time zone.")
    reason: Line = unset("What is being done, for those who read the report.")


class InventoryFile(Entry):
    """The declared cluster."""

    name: Line = default("cluster", "Name of the cluster in reports.")
    ssh: SshEntry = Field(
        default_factory=SshEntry, description="How hosts are reached; a host may override each key."
    )
    evidence: EvidenceEntry = Field(
        default_factory=EvidenceEntry, description="How much of the logs is collected."
    )
    judging: JudgingEntry = Field(
        default_factory=JudgingEntry, description="When to ask again, and what counts as a crash loop."
    )
    hosts: dict[HostName, HostEntry] = required("The machines, by name.", min_length=1)
    groups: dict[GroupName, GroupEntry] = Field(
        default_factory=dict,
        description="Hosts that run the same units, by name; names are shared with checks.",
    )
    checks: dict[CheckName, dict[str, Any]] = Field(
        default_factory=dict, description="Questions beyond systemd, by name; names are shared with groups."
    )
    airflow: AirflowEntry = Field(default_factory=AirflowEntry, description="Where task-specific logs are.")
    maintenance: list[MaintenanceEntry] = Field(
        default_factory=list, description="What is being worked on, and until when; it raises no alarm."
    )


SECTIONS: dict[str, type[dict[str, Any] | list[Any]]] = {
    name: list if field.default_factory is list else dict
    for name, field in InventoryFile.model_fields.items()
    if field.default_factory is not None
}
"""Keys of the top level that may be left empty, which is as if they were not there; what they are then."""
