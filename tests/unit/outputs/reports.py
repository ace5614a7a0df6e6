"""Reports of sweeps of the example cluster, as the engine would hand them over, made by hand."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from quorate.model import DeclaredMaintenance, Evidence, Reason, Report, State, Verdict

START = datetime(2026, 1, 1, 3, 0, 0, 123456, tzinfo=UTC)

GROUPS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "haproxy": (("haproxy-1", "haproxy-2"), ("haproxy", "keepalived")),
    "scheduler": (("haproxy-1", "scheduler-2"), ("airflow-scheduler",)),
    "webserver": (("haproxy-1", "haproxy-2"), ("airflow-webserver",)),
    "rabbitmq": (("rabbit-1", "rabbit-2", "rabbit-3"), ("rabbitmq-server",)),
    "postgresql": (("postgresql-1", "postgresql-2", "postgresql-3"), ("patroni", "etcd")),
    "celery": (("celery-1", "celery-2"), ("airflow-worker",)),
    "ftp": (("ftp",), ("vsftpd",)),
    "nfs": (("nfs-1", "nfs-2"), ("nfs-server", "lsyncd", "airflow-dag-processor", "keepalived")),
}
VIPS = {"haproxy": ("192.0.2.210", "haproxy-1"), "nfs": ("192.0.2.220", "nfs-1")}
ACTIVE_ONLY = ("nfs-server", "lsyncd", "airflow-dag-processor")
HOSTS = tuple(dict.fromkeys(host for hosts, _ in GROUPS.values() for host in hosts))
CHECKS = {
    "postgresql_vip": ("postgresql", "192.0.2.210:5000 answers as primary; SELECT COUNT(*) FROM dag is 42"),
    "rabbitmq_cluster": ("rabbitmq", "3/3 nodes healthy"),
}
RUNNING = {"load_state": "loaded", "active_state": "active", "sub_state": "running", "result": "success"}
FAILED = {"load_state": "loaded", "active_state": "failed", "sub_state": "failed", "result": "exit-code"}
RESTING = {"load_state": "loaded", "active_state": "inactive", "sub_state": "dead", "result": "success"}

Change = Callable[[Verdict], Verdict]


def _vip(group: str) -> Verdict:
    address, holder = VIPS[group]
    return Verdict(
        id=f"{group}/vip",
        kind="vip",
        group=group,
        state=State.OK,
        reason=Reason.OK,
        summary=f"VIP {address} of {group} is held by {holder}",
        observed={"address": address, "holders": [holder], "unasked": []},
        expected={"holders": 1},
    )


def _failover() -> Verdict:
    return Verdict(
        id="nfs/failover",
        kind="failover",
        group="nfs",
        state=State.OK,
        reason=Reason.OK,
        summary="a failover of nfs to nfs-2 would work",
        observed={"active_node": "nfs-1", "standbys": {"nfs-2": {"vrrp": {"VI_1": "BACKUP"}}}},
        expected={"vrrp": "BACKUP", "load_state": "loaded"},
    )


NO_HOLDER: dict[str, Any] = {
    "state": State.UNKNOWN,
    "reason": Reason.ACTIVE_NODE_UNKNOWN,
    "summary": "whether nfs could fail over is NOT VERIFIED (no active node is proven)",
    "observed": {},
    "caused_by": "nfs/vip",
}
"""What becomes of the failover's verdict where nobody knows who is active."""


def _unit(group: str, host: str, unit: str) -> Verdict:
    role = {"nfs-1": "active", "nfs-2": "passive"}.get(host)
    resting = role == "passive" and unit in ACTIVE_ONLY
    on = f"{role.upper()} node {host}" if role else host
    return Verdict(
        id=f"{group}/{host}/{unit}",
        kind="unit",
        group=group,
        host=host,
        unit=unit,
        role=role,
        state=State.EXPECTED if resting else State.OK,
        reason=Reason.PASSIVE_INACTIVE if resting else Reason.OK,
        summary=f"{unit} on {on} is {'INACTIVE (expected)' if resting else 'ACTIVE'}",
        observed=RESTING if resting else RUNNING,
        expected={"active_state": "inactive" if resting else "active"},
        duration=0.021,
    )


def _nominal() -> tuple[Verdict, ...]:
    verdicts = [
        Verdict(
            id=f"host/{host}",
            kind="host",
            host=host,
            state=State.OK,
            reason=Reason.OK,
            summary=f"{host} answers",
            observed={"answered": True},
            expected={"answered": True},
            duration=0.083,
        )
        for host in HOSTS
    ]
    verdicts += [_vip(group) for group in VIPS]
    verdicts.append(_failover())  # of nfs, whose virtual IP is the last
    verdicts += [_unit(g, h, u) for g, (hosts, units) in GROUPS.items() for h in hosts for u in units]
    for name, (kind, summary) in CHECKS.items():
        verdicts.append(
            Verdict(
                id=name,
                kind=kind,
                group=name,
                state=State.OK,
                reason=Reason.OK,
                summary=summary,
                duration=0.034,
            )
        )
    verdicts += [
        Verdict(
            id=f"rabbitmq_cluster/{host}",
            kind="rabbitmq",
            group="rabbitmq_cluster",
            host=host,
            state=State.OK,
            reason=Reason.OK,
            summary=f"{host} lets the monitor log in",
        )
        for host in GROUPS["rabbitmq"][0]
    ]
    return tuple(verdicts)


def _report(
    changes: Mapping[str, Change | dict[str, Any]] | None = None,
    *,
    before: Iterable[Verdict] = (),
    active: str | None = "nfs-1",
    duration: float = 0.4123,
    interrupted: bool = False,
) -> Report:
    """Return the nominal report with some verdicts changed, by id or by a prefix of it by `/`."""
    changes = changes or {}
    verdicts = list(before)
    for nominal_verdict in _nominal():
        verdict = nominal_verdict
        for selector, change in changes.items():
            if verdict.id == selector or verdict.id.startswith(f"{selector}/"):
                verdict = replace(verdict, **change) if isinstance(change, dict) else change(verdict)
        verdicts.append(verdict)
    return Report(
        cluster="airflow-prod",
        started_at=START,
        duration=duration,
        verdicts=tuple(verdicts),
        active_nodes={"nfs": active},
        interrupted=interrupted,
    )


def journal(host: str, unit: str, lines: tuple[str, ...] = (), **rest: Any) -> Evidence:
    return Evidence(source="journal", host=host, unit=unit, lines=lines, **rest)


def unknown(reason: Reason, cause: str, why: str) -> Change:
    """Make a change that leaves a verdict unverified, explained by another one."""

    def change(verdict: Verdict) -> Verdict:
        if verdict.id == cause:
            return verdict
        what = f"{verdict.unit} on {verdict.host}" if verdict.unit else verdict.id
        return replace(
            verdict,
            state=State.UNKNOWN,
            reason=reason,
            role=None,
            summary=f"{what} is UNKNOWN ({why})",
            observed={},
            caused_by=cause,
        )

    return change


LSYNCD_LINES = (
    "2026-01-01T02:56:10+0000 nfs-1 lsyncd[4121]: Normal: Calling rsync with filter-list of new files",
    (
        "2026-01-01T02:58:11+0000 nfs-1 lsyncd[4121]: Error: Temporary or permanent failure on startup of "
        "rsync to nfs-2:/srv/airflow/dags/ (exit code 12): error in rsync protocol data stream (code 12)"
    ),
    "2026-01-01T02:58:12+0000 nfs-1 systemd[1]: lsyncd.service: Main process exited, code=exited, status=255",
    "2026-01-01T02:58:12+0000 nfs-1 systemd[1]: lsyncd.service: Failed with result 'exit-code'.",
)


def nominal() -> Report:
    return _report()


def unit_failed() -> Report:
    """One unit failed on the active node, with its journal."""
    return _report(
        {
            "nfs/nfs-1/lsyncd": {
                "state": State.CRITICAL,
                "reason": Reason.FAILED,
                "summary": "lsyncd on ACTIVE node nfs-1 is FAILED",
                "detail": "the main process exited with status 255",
                "since": START - timedelta(minutes=1, seconds=48),
                "observed": FAILED,
                "evidence": (journal("nfs-1", "lsyncd", LSYNCD_LINES),),
            }
        }
    )


def passive_unreachable() -> Report:
    """The passive host is gone: one alarm, and its units are consequences."""
    return _report(
        {
            "host/nfs-2": {
                "state": State.CRITICAL,
                "reason": Reason.HOST_UNREACHABLE,
                "summary": "nfs-2 (192.0.2.203) could NOT be asked (host unreachable)",
                "detail": "no TCP connection to 192.0.2.203:22: no answer within 5 s",
                "observed": {"answered": False},
                "duration": 5.002,
            },
            "nfs/vip": {"notes": ("uniqueness_unproven",)},
            "nfs/failover": {
                "summary": "nothing that was seen stands against a failover of nfs to nfs-2",
                "notes": ("standby_unverified",),
                "detail": "nfs-2 could not be asked (host unreachable)",
            },
            "nfs/nfs-2": unknown(Reason.HOST_UNREACHABLE, "host/nfs-2", "nfs-2 is unreachable"),
            "host/rabbit-1": {"notes": ("sudo_denied",)},
        },
        duration=5.04,
    )


def duplicate_vip() -> Report:
    """Two nodes hold the pair's address and both run its units; one journal can't be read."""

    def split(verdict: Verdict) -> Verdict:
        if verdict.unit not in ACTIVE_ONLY:
            return replace(verdict, role=None)
        lines = (f"2026-01-01T02:59:30+0000 nfs-2 systemd[1]: Started {verdict.unit}.service.",)
        return replace(
            verdict,
            state=State.CRITICAL,
            reason=Reason.SPLIT_BRAIN,
            role=None,
            summary=f"{verdict.unit} on nfs-2 is ACTIVE (SPLIT BRAIN)",
            since=START - timedelta(seconds=30),
            observed=RUNNING,
            expected={"active_state": "inactive"},
            caused_by="nfs/vip",
            evidence=(journal("nfs-2", verdict.unit or "", lines),),
        )

    refused = journal("nfs-2", "keepalived", error="sudo: a password is required")
    quiet = journal("nfs-1", "keepalived", note="the journal is volatile and begins at 2026-01-01T02:40:00Z")
    return _report(
        {
            "nfs/vip": {
                "state": State.CRITICAL,
                "reason": Reason.DUPLICATE_VIP,
                "summary": "VIP 192.0.2.220 of nfs is held by nfs-1 AND nfs-2",
                "detail": "Both nodes held the address in 2 looks in a row. keepalived on one of them "
                "does not hear the other: look at VRRP (protocol 112) between them.",
                "observed": {"address": "192.0.2.220", "holders": ["nfs-1", "nfs-2"], "unasked": []},
                "evidence": (quiet, refused),
            },
            "nfs/failover": {**NO_HOLDER, "reason": Reason.ACTIVE_NODE_AMBIGUOUS},
            "nfs/nfs-2": split,
            "nfs/nfs-1": {"role": None},
            "nfs/nfs-2/keepalived": {
                "state": State.WARNING,
                "reason": Reason.RESTARTED_RECENTLY,
                "summary": "keepalived on nfs-2 was RESTARTED 2 times in 15 minutes",
                "since": START - timedelta(hours=26, minutes=3),
                "evidence": (refused,),
            },
        },
        active=None,
    )


def isolated() -> Report:
    """Nothing outside of the monitor answered: nothing is known, and nothing is green."""
    monitor = Verdict(
        id="monitor",
        kind="monitor",
        state=State.UNKNOWN,
        reason=Reason.MONITOR_ISOLATED,
        summary="nothing outside this machine answered: isolated, or all down",
        detail="14 hosts were asked; none answered on any protocol",
    )
    lost = unknown(Reason.MONITOR_ISOLATED, "monitor", "nothing outside this machine answered")
    everything: dict[str, Change | dict[str, Any]] = {verdict.id: lost for verdict in _nominal()}
    everything["nfs/failover"] = NO_HOLDER
    return _report(everything, before=[monitor], active=None, duration=5.31)


def warnings_only() -> Report:
    """All works, with less redundancy or headroom than declared; one unit's journal is empty, one cut."""
    return _report(
        {
            "nfs/nfs-2/lsyncd": {
                "state": State.WARNING,
                "reason": Reason.FAILED_ON_PASSIVE,
                "summary": "lsyncd on PASSIVE node nfs-2 is FAILED",
                "since": START - timedelta(days=2, hours=4, minutes=7),
                "observed": FAILED,
                "evidence": (journal("nfs-2", "lsyncd"),),
            },
            "celery/celery-2/airflow-worker": {
                "state": State.WARNING,
                "reason": Reason.MASKED,
                "summary": "airflow-worker on celery-2 is ACTIVE, but MASKED: it would not start again",
                "observed": RUNNING | {"load_state": "masked"},
                "expected": {"active_state": "active", "load_state": "loaded"},
                "evidence": (
                    journal("celery-2", "airflow-worker", ("celery@celery-2 ready.",), truncated=True),
                ),
            },
        }
    )


def in_maintenance() -> Report:
    """The passive host is being worked on, and what that breaks raises no alarm."""
    work = {"notes": ("maintenance",)}
    down = unknown(Reason.HOST_UNREACHABLE, "host/nfs-2", "nfs-2 is unreachable")
    report = _report(
        {
            "host/nfs-2": {
                "state": State.CRITICAL,
                "reason": Reason.HOST_UNREACHABLE,
                "summary": "nfs-2 (192.0.2.203) could NOT be asked (host unreachable)",
                **work,
            },
            "nfs/nfs-2": lambda verdict: replace(down(verdict), **work),
            "nfs/failover": {
                "summary": "nothing that was seen stands against a failover of nfs to nfs-2",
                "notes": ("standby_unverified",),
            },
            "ftp": work,
            "celery/celery-2/airflow-worker": {
                "state": State.WARNING,
                "reason": Reason.MASKED,
                "summary": "airflow-worker on celery-2 is ACTIVE (masked)",
                "observed": RUNNING | {"load_state": "masked"},
            },
        }
    )
    entries = (
        DeclaredMaintenance(select="host/nfs-2", until=START + timedelta(hours=1), reason="new disks"),
        DeclaredMaintenance(select="nfs/nfs-2", until=START + timedelta(hours=1), reason="new disks"),
        DeclaredMaintenance(select="ftp", until=START + timedelta(days=2)),
        DeclaredMaintenance(
            select="rabbitmq", until=START - timedelta(days=9), reason="upgrade to 4.1", expired=True
        ),
    )
    return replace(report, maintenance=entries)


def interrupted() -> Report:
    """Ctrl-C after the units had been asked: what had not answered is unverified."""

    def stopped(verdict: Verdict) -> Verdict:
        return replace(
            verdict,
            state=State.UNKNOWN,
            reason=Reason.INTERRUPTED,
            summary=f"{verdict.id} is UNKNOWN (interrupted)",
            caused_by="rabbitmq_cluster" if verdict.host else None,
        )

    return _report({"postgresql_vip": stopped, "rabbitmq_cluster": stopped}, interrupted=True, duration=1.2)


HOSTILE = (
    "\x1b[31mred\x1b[0m <b>&amp;</b> | pipe=1;2 \"quoted\" 'it' \\ back\nsecond line\r\x00\x9b31m\u202ekcab "
    '\ud800 ]]> {label="x"} 🚨 CRITICAL: not one \ufffe'
)


def hostile() -> Report:
    """Every text that a host could have a hand in tries to be something else."""
    small = [
        Verdict(
            id="host/h1",
            kind="host",
            host="h1",
            state=State.CRITICAL,
            reason=Reason.LOGIN_CLOSED,
            summary=HOSTILE,
            detail=HOSTILE,
            notes=(HOSTILE,),
            observed={"banner": HOSTILE, "limit": float("inf"), "age": float("nan"), "seen": {"b", "a"}},
            expected={"banner": None, "limit": float("inf")},
        ),
        Verdict(
            id="g/h1/u",
            kind="unit",
            group="g",
            host="h1",
            unit="u.service",
            state=State.UNKNOWN,
            reason=Reason.LOGIN_CLOSED,
            summary=HOSTILE,
            caused_by="host/h1",
            evidence=(Evidence(source="journal", host="h1", unit="u.service", error=HOSTILE),),
        ),
        Verdict(
            id="g/h1/w",
            kind="unit",
            group="g",
            host="h1",
            unit="w.timer",
            state=State.WARNING,
            reason=Reason.EXITED,
            summary=HOSTILE,
            evidence=(
                Evidence(
                    source="journal", host="h1", unit="w.timer", lines=(HOSTILE, "x" * 300), note=HOSTILE
                ),
            ),
        ),
    ]
    entry = DeclaredMaintenance(select=HOSTILE, until=START, reason=HOSTILE, expired=True)
    return Report(
        cluster=HOSTILE, started_at=START, duration=0.1, verdicts=tuple(small), maintenance=(entry,)
    )


def empty() -> Report:
    return Report(cluster="airflow-prod", started_at=START, duration=0.0, verdicts=())


REPORTS: Mapping[str, Callable[[], Report]] = {
    "nominal": nominal,
    "unit_failed": unit_failed,
    "passive_unreachable": passive_unreachable,
    "duplicate_vip": duplicate_vip,
    "isolated": isolated,
    "warnings_only": warnings_only,
    "in_maintenance": in_maintenance,
    "interrupted": interrupted,
    "hostile": hostile,
    "empty": empty,
}
