"""Kind `vault`: every declared server of a HashiCorp Vault cluster answers and is unsealed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from quorate.extending import (
    CheckEntry,
    Duration,
    Extension,
    Finding,
    Judge,
    Kind,
    Member,
    MemberEntry,
    Port,
    Probe,
    Resolved,
    Scene,
    TlsEntry,
    default,
    flag,
    json_object,
    member_rules,
    member_verdicts,
    places,
    reading,
    required,
    text,
    tls,
    unset,
    unwell_detail,
)
from quorate.model import (
    Check,
    CheckObservation,
    Host,
    HttpAsk,
    HttpReply,
    HttpRequest,
    NoReply,
    Reason,
    State,
    Verdict,
)


class VaultEntry(CheckEntry):
    """Ask every server of a Vault cluster whether it is unsealed."""

    kind: Literal["vault"] = required("Ask every server of a Vault cluster whether it is unsealed.")
    hosts: list[MemberEntry] = required("The cluster's servers.", min_length=1)
    port: Port = default(8200, "Port of the servers.")
    tls: TlsEntry = unset("How the servers are spoken to over TLS; without it, plain HTTP.")
    timeout: Duration = default("5s", "Limit of each server.")


def resolve(entry: VaultEntry, hosts: Mapping[str, Host]) -> Resolved:
    """Return the settings, ready for use."""
    names = tuple(member.name for member in entry.hosts)
    settings = {
        "members": places(entry.hosts, entry.port, hosts),
        "tls": tls(entry.tls),
        "timeout": entry.timeout,
    }
    return Resolved(settings=settings, hosts=names, members=names)


@dataclass(frozen=True, kw_only=True)
class Health:
    """What a server says of itself."""

    version: str
    sealed: bool
    duration: float


def questions(check: Check, _secrets: Mapping[str, str]) -> Mapping[str, HttpAsk]:
    """Return the question to each server, by the name of its host."""
    request = HttpRequest(path="/v1/sys/health?standbyok=true&sealedcode=200&uninitcode=200")
    return {
        member["name"]: HttpAsk(
            host=member["address"],
            port=member["port"],
            requests=(request,),
            timeout=check.settings["timeout"],
            tls=check.settings["tls"],
        )
        for member in check.settings["members"]
    }


def read(_check: Check, _member: str, reply: HttpReply) -> Health | NoReply:
    """Return what an answer says, or that it can't be read; numbers and texts are never guessed."""
    body = json_object(reply.answers[0], "Vault's health")
    if isinstance(body, NoReply):
        return body
    return reading(
        "Vault's health",
        lambda: Health(version=text(body, "version"), sealed=flag(body, "sealed"), duration=reply.duration),
    )


def verdicts(check: Check, observation: CheckObservation, scene: Scene) -> list[Verdict]:
    """Return the verdict of the cluster, then of each server."""
    servers = member_verdicts(check, observation, scene, "Vault", judge)
    state, reason = whole(servers)
    unsealed = sum(server.state is State.OK for server in servers)
    return [
        Verdict(
            id=check.name,
            kind=check.kind,
            group=check.name,
            state=state,
            reason=reason,
            summary=f"Vault: {unsealed} of {len(servers)} servers are unsealed",
            detail=unwell_detail(servers),
            observed={"unsealed": unsealed},
            expected={"unsealed": len(servers)},
        ),
        *servers,
    ]


def judge(_name: str, health: Any) -> Member:
    """Judge a server that answered; one that did not is judged already."""
    if health.sealed:
        finding = Finding(state=State.WARNING, reason=Reason.UNHEALTHY, detail="it is sealed")
        return Member(finding=finding, said="sealed")
    return Member(finding=Finding(state=State.OK, reason=Reason.OK), said=f"Vault {health.version}")


def whole(servers: list[Verdict]) -> tuple[State, Reason]:
    """Judge the cluster: what nobody could ask is UNKNOWN, one server that works is a cluster that works."""
    if all(server.state is State.OK for server in servers):
        return State.OK, Reason.OK
    if any(server.state is State.OK for server in servers):
        return State.WARNING, Reason.REDUNDANCY_LOST
    if all(server.reason is Reason.UNHEALTHY for server in servers):
        return State.CRITICAL, Reason.NONE_ALIVE
    return State.UNKNOWN, next(s.reason for s in servers if s.reason is not Reason.UNHEALTHY)


EXTENSION = Extension(
    kind=Kind(entry=VaultEntry, resolve=resolve, rules=member_rules),
    probe=Probe(questions=questions, read=read),
    judge=Judge(verdicts=verdicts),
)
