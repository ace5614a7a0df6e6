"""Nothing can be asked at all: what is the monitor's own fault, and what is not."""

from sweeps.declared import HOSTS, SOON
from sweeps.situation import Changes, Expected, Situation, Step, critical, lost, unknown
from sweeps.steps import cut, freeze, sh, unplug


def nobody(
    name: str,
    reason: str,
    simulated: Changes,
    *real: Step,
    ssh: Changes | None = None,
    hosts: Changes | None = None,
) -> Situation:
    """Return a situation in which no host can be asked, and the monitor is why."""
    isolated = reason == "monitor_isolated"
    each = unknown("host_unreachable" if isolated else reason, by="monitor")
    expect: dict[str, Expected] = {"monitor": unknown(reason)}
    for host in HOSTS:
        expect |= lost(host, each, units_by="monitor" if isolated else None)
    return Situation(
        name=name,
        real=real,
        simulated=simulated,
        ssh=ssh or {},
        hosts=hosts or {},
        active=None,
        expect={
            **expect,
            "haproxy/vip": unknown("active_node_unknown", by="monitor" if isolated else "host/haproxy-1"),
            "nfs/vip": unknown("active_node_unknown", by="monitor" if isolated else "host/nfs-1"),
        },
    )


MONITOR = (
    nobody("monitor-isolated", "monitor_isolated", {"*": {"ssh": "silent"}}, unplug("monitor"), ssh=SOON),
    nobody(
        "all-hosts-cut-off",
        "monitor_isolated",
        {"*": {"ssh": "silent"}},
        *(cut(host) for host in HOSTS),
        ssh=SOON,
    ),
    Situation(
        name="one-refusal-is-an-answer",
        real=(*(cut(host) for host in HOSTS if host != "ftp"), sh("ftp", "systemctl stop ssh")),
        simulated={"*": {"ssh": "silent"}, "ftp": {"ssh": "refused"}},
        ssh=SOON,
        active=None,
        expect={
            **{i: v for host in HOSTS for i, v in lost(host, critical("host_unreachable")).items()},
            "haproxy/vip": unknown("active_node_unknown", by="host/haproxy-1"),
            "nfs/vip": unknown("active_node_unknown", by="host/nfs-1"),
        },
    ),
    nobody(
        "all-hosts-frozen",
        "ssh_unresponsive",
        {"*": {"ssh": "mute"}},
        *(freeze(host) for host in HOSTS),
        ssh=SOON,
    ),
    nobody(
        "no-host-knows-the-key",
        "ssh_auth_failed",
        {"*": {"ssh": "auth_refused"}},
        *(sh(host, "rm /home/rocky/.ssh/authorized_keys") for host in HOSTS),
    ),
    nobody(
        "no-host-key-is-known",
        "host_key_unknown",
        {"*": {"ssh": "unknown_key"}},
        lambda lane: lane.known_hosts("known_hosts.none", without="192"),
        ssh={"known_hosts": "{folder}/known_hosts.none"},
    ),
    nobody(
        "no-name-is-resolved",
        "name_unresolved",
        {},
        hosts={host: {"address": f"{host}.invalid"} for host in HOSTS},
    ),
)
