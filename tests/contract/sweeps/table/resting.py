"""systemd units on the way down, and at rest, on a node that must run them."""

from lab.recorded_units import RUNS, STUBBORN
from sweeps.situation import Situation, Then, critical, ok, warning
from sweeps.steps import restart_as, sh, shows, unit_file
from sweeps.table.vsftpd import FILE, LOAD_ERROR, UNIT, vsftpd

STOPPING = (
    Situation(
        name="stopping",
        real=(
            *restart_as("ftp", "vsftpd", STUBBORN, "TimeoutStopSec=1h"),
            shows("ftp", "vsftpd", "SubState=running"),
            sh("ftp", "sleep 0.2; systemctl stop --no-block vsftpd"),
            shows("ftp", "vsftpd", "ActiveState=deactivating"),
        ),
        simulated=vsftpd({"state": "stopping", "age": "1s", "properties": {"TimeoutStopUSec": "1h"}}),
        expect={UNIT: warning("stopping")},
    ),
    Situation(
        name="stopping-stuck",
        real=(
            *restart_as("ftp", "vsftpd", RUNS, "ExecStop=/bin/sleep infinity", "TimeoutStopSec=infinity"),
            shows("ftp", "vsftpd", "SubState=running"),
            sh("ftp", "systemctl stop --no-block vsftpd"),
            shows("ftp", "vsftpd", "ActiveState=deactivating"),
            sh("ftp", "sleep 1.1"),
        ),
        simulated=vsftpd({"state": "stopping", "age": "3s", "properties": {"TimeoutStopUSec": "infinity"}}),
        judging={"stop_timeout": "1s"},
        expect={UNIT: critical("stuck_stopping")},
    ),
    Situation(
        name="stopping-then-inactive",
        real=(
            *restart_as(
                "ftp",
                "vsftpd",
                RUNS,
                "ExecStop=/bin/sh -c 'until test -e /run/go; do sleep 0.05; done'",
                "TimeoutStopSec=1h",
            ),
            shows("ftp", "vsftpd", "SubState=running"),
            sh("ftp", "systemctl stop --no-block vsftpd"),
            shows("ftp", "vsftpd", "ActiveState=deactivating"),
        ),
        simulated=vsftpd({"state": "stopping", "age": "1s"}),
        then=(
            Then(
                real=(
                    sh("ftp", "touch /run/go"),
                    shows("ftp", "vsftpd", "ActiveState=inactive"),
                ),
                simulated=vsftpd({"state": "inactive", "age": "100ms"}),
            ),
        ),
        expect={UNIT: critical("inactive")},
    ),
)
"""On the way down."""

AT_REST = (
    Situation(
        name="stopped",
        real=(sh("ftp", "systemctl stop vsftpd"),),
        simulated=vsftpd({"state": "inactive", "age": "10m", "ran": "12d"}),
        expect={UNIT: critical("inactive")},
    ),
    Situation(
        name="killed-by-sigterm",  # for systemd that is a clean end
        real=(
            sh("ftp", "systemctl kill --signal=TERM vsftpd"),
            shows("ftp", "vsftpd", "ActiveState=inactive"),
        ),
        simulated=vsftpd({"state": "inactive", "age": "10m", "ran": "12d"}),
        expect={UNIT: critical("inactive")},
    ),
    Situation(
        name="condition-not-met",
        real=(
            *restart_as("ftp", "vsftpd", RUNS, unit_lines=("ConditionPathExists=/no/such/path",)),
            shows("ftp", "vsftpd", "ActiveState=inactive", "ConditionResult=no"),
        ),
        simulated=vsftpd({"state": "never-started", "properties": {"ConditionResult": "no"}}),
        expect={UNIT: critical("inactive")},
    ),
    Situation(
        name="what-it-requires-has-failed",
        real=(
            unit_file("ftp", "blocking", "Type=oneshot", "ExecStart=/bin/false"),
            *restart_as(
                "ftp", "vsftpd", RUNS, unit_lines=("Requires=blocking.service", "After=blocking.service")
            ),
            shows("ftp", "vsftpd", "ActiveState=inactive", "Job="),
        ),
        simulated=vsftpd({"state": "never-started"}),
        expect={UNIT: critical("inactive")},
    ),
    Situation(
        name="waiting-for-its-socket",
        real=(
            sh("ftp", "printf '[Socket]\\nListenStream=2121\\n' > /etc/systemd/system/vsftpd.socket"),
            sh("ftp", "systemctl stop vsftpd; systemctl daemon-reload; systemctl start vsftpd.socket"),
        ),
        simulated={
            "ftp": {
                "units": {
                    "vsftpd": {"state": "inactive", "triggered_by": ["vsftpd.socket"]},
                    "vsftpd.socket": {"state": "listening"},
                }
            }
        },
        expect={UNIT: ok("waiting")},
    ),
    Situation(
        name="waiting-for-its-timer",
        real=(
            sh("ftp", "printf '[Timer]\\nOnCalendar=yearly\\n' > /etc/systemd/system/vsftpd.timer"),
            sh("ftp", "systemctl stop vsftpd; systemctl daemon-reload; systemctl start vsftpd.timer"),
        ),
        simulated={
            "ftp": {
                "units": {
                    "vsftpd": {"state": "inactive", "triggered_by": ["vsftpd.timer"]},
                    "vsftpd.timer": {"state": "timer-waiting"},
                }
            }
        },
        expect={UNIT: ok("waiting")},
    ),
    Situation(
        name="its-socket-is-down-too",
        real=(
            sh("ftp", "printf '[Socket]\\nListenStream=2121\\n' > /etc/systemd/system/vsftpd.socket"),
            sh("ftp", "systemctl stop vsftpd; systemctl daemon-reload"),
        ),
        simulated={
            "ftp": {
                "units": {
                    "vsftpd": {"state": "inactive", "triggered_by": ["vsftpd.socket"]},
                    "vsftpd.socket": {"state": "socket-dead"},
                }
            }
        },
        expect={UNIT: critical("inactive")},
    ),
    Situation(
        name="not-found",
        real=(sh("ftp", f"systemctl stop vsftpd; rm {FILE}; systemctl daemon-reload"),),
        simulated=vsftpd({"state": "not-found"}),
        expect={UNIT: critical("unit_not_found")},
    ),
    Situation(
        name="misspelt",
        groups={"ftp": {"units": ["vsftp"]}},
        expect={"ftp/ftp/vsftp": critical("unit_not_found")},
    ),
    Situation(
        name="masked",
        real=(sh("ftp", f"systemctl stop vsftpd; rm {FILE}; systemctl mask vsftpd"),),
        simulated=vsftpd({"state": "masked"}),
        expect={UNIT: critical("masked")},
    ),
    Situation(
        name="bad-setting",
        real=(sh("ftp", "systemctl stop vsftpd"), unit_file("ftp", "vsftpd", "Type=simple")),
        simulated=vsftpd({"state": "bad-setting"}),
        expect={UNIT: critical("unit_broken")},
    ),
    Situation(
        name="load-error",
        real=(sh("ftp", f"systemctl stop vsftpd; {LOAD_ERROR}"),),
        simulated=vsftpd({"state": "load-error"}),
        expect={UNIT: critical("unit_broken")},
    ),
    Situation(
        name="maintenance",
        real=(
            *restart_as("ftp", "vsftpd", RUNS, "CacheDirectory=vsftpd"),
            shows("ftp", "vsftpd", "SubState=running"),
            sh(
                "ftp",
                "systemctl stop vsftpd; cd /var/cache/vsftpd; seq 20000 | xargs touch; "
                # Not --no-block: with it, systemctl 252 aborts.
                "systemctl clean --what=cache vsftpd >/dev/null 2>&1 & "
                "until pkill -STOP -x '\\(sd-rmrf\\)'; do sleep 0.01; done",
            ),
            shows("ftp", "vsftpd", "ActiveState=maintenance"),
        ),
        simulated=vsftpd({"state": "maintenance", "age": "1s"}),
        expect={UNIT: critical("inactive")},
    ),
)
"""Not running, and not failed."""
