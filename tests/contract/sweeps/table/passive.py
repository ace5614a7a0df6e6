"""Units that may run on the active node alone, on the passive one."""

from lab.recorded_units import RUNS, STUBBORN
from sweeps.situation import Situation, Then, critical, expected, ok, warning
from sweeps.steps import restart_as, sh, shows, unit_file
from sweeps.table.nfs import ACTIVE, ALL, FAILOVER, PASSIVE, STOPPED, UNIT_FILE, lsyncd, on_both

PASSIVE_NODE = (
    Situation(
        name="passive-stopped",
        real=(sh("nfs-2", "systemctl start lsyncd; systemctl stop lsyncd"),),
        simulated=lsyncd({"state": "inactive", "age": "10m"}),
    ),
    Situation(
        name="split-brain",
        real=(sh("nfs-2", "systemctl start lsyncd"),),
        simulated=lsyncd("2h"),
        expect={PASSIVE: critical("split_brain")},
    ),
    Situation(
        name="split-brain-and-masked",
        real=(
            sh("nfs-2", f"systemctl start lsyncd; rm {UNIT_FILE}; systemctl mask lsyncd"),
            shows("nfs-2", "lsyncd", "ActiveState=active", "LoadState=masked"),
        ),
        simulated=lsyncd({"state": "masked-running", "age": "2h"}),
        expect={PASSIVE: critical("split_brain"), FAILOVER: warning("would_not_start", by=PASSIVE)},
    ),
    Situation(
        name="split-brain-without-a-process",
        real=(sh("nfs-2", "systemctl start nfs-server"),),
        simulated={"nfs-2": {"units": {"nfs-server": {"state": "exited-oneshot", "age": "2h"}}}},
        expect={"nfs/nfs-2/nfs-server": critical("split_brain")},
    ),
    Situation(
        name="split-brain-while-reloading",
        real=(
            *restart_as("nfs-2", "lsyncd", RUNS, "ExecReload=/bin/sleep infinity", "TimeoutStartSec=1h"),
            shows("nfs-2", "lsyncd", "SubState=running"),
            sh("nfs-2", "systemctl reload --no-block lsyncd"),
            shows("nfs-2", "lsyncd", "SubState=reload"),
        ),
        simulated=lsyncd({"state": "reloading", "age": "1s"}),
        expect={PASSIVE: critical("split_brain")},
    ),
    Situation(
        name="role-misplaced",
        real=(sh("nfs-1", "systemctl stop lsyncd"), sh("nfs-2", "systemctl start lsyncd")),
        simulated={**lsyncd({"state": "inactive", "age": "10m"}, "nfs-1"), **lsyncd("10m")},
        expect={
            ACTIVE: critical("inactive"),
            PASSIVE: critical("role_misplaced"),
            FAILOVER: ok("sync_unseen"),
        },
    ),
    Situation(
        name="active-unit-failed",  # what the unit is there does not make the passive node's wrong
        real=(
            sh("nfs-1", "systemctl kill --signal=KILL lsyncd"),
            shows("nfs-1", "lsyncd", "ActiveState=failed"),
        ),
        simulated=lsyncd({"state": "failed-by-signal", "age": "10m", "status": 9}, "nfs-1"),
        expect={ACTIVE: critical("failed"), FAILOVER: ok("sync_unseen")},
    ),
    Situation(
        name="active-node-runs-nothing",
        real=(sh("nfs-1", f"systemctl stop {ALL}"),),
        simulated={"nfs-1": {"units": STOPPED}},
        expect={**on_both("nfs-1", critical("inactive")), FAILOVER: ok("sync_unseen")},
    ),
    Situation(
        name="passive-starting",
        real=(
            *restart_as("nfs-2", "lsyncd", "Type=notify", RUNS, "TimeoutStartSec=1h"),
            shows("nfs-2", "lsyncd", "SubState=start"),
        ),
        simulated=lsyncd({"state": "starting", "age": "1s"}),
        expect={PASSIVE: warning("starting")},
    ),
    Situation(
        name="passive-starting-then-active",
        real=(
            *restart_as("nfs-2", "lsyncd", "Type=notify", RUNS, "TimeoutStartSec=1h"),
            shows("nfs-2", "lsyncd", "SubState=start"),
        ),
        simulated=lsyncd({"state": "starting", "age": "1s"}),
        then=(
            Then(
                real=(
                    *restart_as("nfs-2", "lsyncd", RUNS),
                    shows("nfs-2", "lsyncd", "SubState=running"),
                ),
                simulated=lsyncd("100ms"),
            ),
        ),
        expect={PASSIVE: critical("split_brain")},
    ),
    Situation(
        name="passive-auto-restart",
        real=(
            *restart_as("nfs-2", "lsyncd", "ExecStart=/bin/false", "Restart=always", "RestartSec=1h"),
            shows("nfs-2", "lsyncd", "SubState=auto-restart"),
        ),
        simulated=lsyncd({"state": "auto-restart", "age": "2s", "ran": "5m"}),
        expect={PASSIVE: warning("failed_on_passive")},
    ),
    Situation(
        name="passive-stopping",
        real=(
            *restart_as("nfs-2", "lsyncd", STUBBORN, "TimeoutStopSec=1h"),
            shows("nfs-2", "lsyncd", "SubState=running"),
            sh("nfs-2", "sleep 0.2; systemctl stop --no-block lsyncd"),
            shows("nfs-2", "lsyncd", "ActiveState=deactivating"),
        ),
        simulated=lsyncd({"state": "stopping", "age": "1s"}),
        expect={PASSIVE: warning("stopping")},
    ),
    Situation(
        name="passive-not-found",
        real=(sh("nfs-2", f"rm {UNIT_FILE}; systemctl daemon-reload"),),
        simulated=lsyncd({"state": "not-found"}),
        expect={PASSIVE: warning("unit_not_found"), FAILOVER: warning("would_not_start")},
    ),
    Situation(
        name="passive-masked",
        real=(sh("nfs-2", f"rm {UNIT_FILE}; systemctl mask lsyncd"),),
        simulated=lsyncd({"state": "masked"}),
        expect={PASSIVE: warning("masked"), FAILOVER: warning("would_not_start")},
    ),
    Situation(
        name="passive-bad-setting",
        real=(unit_file("nfs-2", "lsyncd", "Type=simple"),),
        simulated=lsyncd({"state": "bad-setting"}),
        expect={PASSIVE: warning("unit_broken"), FAILOVER: warning("would_not_start")},
    ),
    Situation(
        name="passive-exits-143",
        real=(
            *restart_as(
                "nfs-2",
                "lsyncd",
                "ExecStart=/bin/sh -c 'trap \"exit 143\" TERM; while :; do sleep 0.1; done'",
            ),
            shows("nfs-2", "lsyncd", "SubState=running"),
            sh("nfs-2", "sleep 0.3; systemctl stop lsyncd"),
            shows("nfs-2", "lsyncd", "ActiveState=failed"),
        ),
        simulated=lsyncd({"state": "failed", "age": "10m", "status": 143}),
        expect={PASSIVE: expected("stopped_by_signal")},
    ),
    Situation(
        name="passive-exits-130",
        real=(
            *restart_as("nfs-2", "lsyncd", "ExecStart=/bin/sh -c 'exit 130'", "KillSignal=SIGINT"),
            shows("nfs-2", "lsyncd", "ActiveState=failed"),
        ),
        simulated=lsyncd({"state": "failed", "age": "10m", "status": 130, "properties": {"KillSignal": "2"}}),
        expect={PASSIVE: expected("stopped_by_signal")},
    ),
    Situation(
        name="passive-killed-by-its-stop-signal",  # which is a failure only for a oneshot
        real=(
            *restart_as("nfs-2", "lsyncd", "Type=oneshot", "ExecStart=/bin/sh -c 'kill -TERM $$$$'"),
            shows("nfs-2", "lsyncd", "ActiveState=failed"),
        ),
        simulated=lsyncd({"state": "failed-by-signal", "age": "10m", "status": 15}),
        expect={PASSIVE: expected("stopped_by_signal")},
    ),
    Situation(
        name="passive-killed",
        real=(
            sh("nfs-2", "systemctl start lsyncd; systemctl kill --signal=KILL lsyncd"),
            shows("nfs-2", "lsyncd", "ActiveState=failed"),
        ),
        simulated=lsyncd({"state": "failed-by-signal", "age": "10m", "status": 9}),
        expect={PASSIVE: warning("failed_on_passive")},
    ),
    Situation(
        name="passive-failed",
        real=(
            *restart_as("nfs-2", "lsyncd", "ExecStart=/bin/sh -c 'exit 3'"),
            shows("nfs-2", "lsyncd", "ActiveState=failed"),
        ),
        simulated=lsyncd({"state": "failed", "age": "10m", "status": 3}),
        expect={PASSIVE: warning("failed_on_passive")},
    ),
    Situation(
        name="passive-misspelt",
        groups={
            "nfs": {
                "units": ["nfs-server", "lsyncdd", "airflow-dag-processor", "keepalived"],
                "active_passive": {"units": ["nfs-server", "lsyncdd", "airflow-dag-processor"]},
            }
        },
        expect={
            "nfs/nfs-1/lsyncdd": critical("unit_not_found"),
            "nfs/nfs-2/lsyncdd": warning("unit_not_found"),
            FAILOVER: warning("would_not_start", "sync_unseen"),
        },
    ),
)
"""Units that may run on the active node alone."""
