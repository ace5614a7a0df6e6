"""systemd units on the way up, on a node that must run them."""

from lab.recorded_units import RUNS
from sweeps.situation import Situation, Then, critical, warning
from sweeps.steps import reboot_until, restart_as, sh, shows, unit_file
from sweeps.table.vsftpd import UNIT, vsftpd

NOTIFIES = ("Type=notify", "NotifyAccess=all")

STARTING = (
    Situation(
        name="starting",
        real=(
            *restart_as("ftp", "vsftpd", "Type=notify", RUNS, "TimeoutStartSec=1h"),
            shows("ftp", "vsftpd", "SubState=start"),
        ),
        simulated=vsftpd({"state": "starting", "age": "1s", "properties": {"TimeoutStartUSec": "1h"}}),
        expect={UNIT: warning("starting")},
    ),
    Situation(
        name="starting-before-its-program",
        real=(
            *restart_as("ftp", "vsftpd", "ExecStartPre=/bin/sleep infinity", RUNS, "TimeoutStartSec=1h"),
            shows("ftp", "vsftpd", "SubState=start-pre"),
        ),
        simulated=vsftpd({"state": "starting", "age": "1s", "properties": {"SubState": "start-pre"}}),
        expect={UNIT: warning("starting")},
    ),
    Situation(
        name="starting-then-active",
        real=(
            *restart_as("ftp", "vsftpd", "ExecStartPre=/bin/sleep infinity", RUNS, "TimeoutStartSec=1h"),
            shows("ftp", "vsftpd", "SubState=start-pre"),
        ),
        simulated=vsftpd({"state": "starting", "age": "1s"}),
        then=(
            Then(
                real=(
                    *restart_as("ftp", "vsftpd", RUNS),
                    shows("ftp", "vsftpd", "SubState=running"),
                ),
                simulated=vsftpd("100ms"),
            ),
        ),
    ),
    Situation(
        name="starting-then-failed",
        real=(
            *restart_as("ftp", "vsftpd", *NOTIFIES, RUNS, "TimeoutStartSec=1h"),
            shows("ftp", "vsftpd", "SubState=start"),
        ),
        simulated=vsftpd({"state": "starting", "age": "1s"}),
        then=(
            Then(
                real=(
                    sh("ftp", "systemctl kill --signal=KILL vsftpd"),
                    shows("ftp", "vsftpd", "ActiveState=failed"),
                ),
                simulated=vsftpd({"state": "failed-by-signal", "age": "100ms", "status": 9}),
            ),
        ),
        expect={UNIT: critical("failed")},
    ),
    Situation(
        # A service may ask for more time than its file allows; the file is what operators go by.
        name="starting-past-its-limit",
        real=(
            *restart_as(
                "ftp",
                "vsftpd",
                *NOTIFIES,
                "ExecStart=/bin/sh -c 'systemd-notify EXTEND_TIMEOUT_USEC=3600000000; exec sleep infinity'",
                "TimeoutStartSec=3",
            ),
            shows("ftp", "vsftpd", "SubState=start"),
            sh("ftp", "sleep 3.2"),
            shows("ftp", "vsftpd", "SubState=start"),
        ),
        simulated=vsftpd({"state": "starting", "age": "5s", "properties": {"TimeoutStartUSec": "3s"}}),
        expect={UNIT: critical("stuck_starting")},
    ),
    Situation(
        name="starting-unlimited",
        real=(
            *restart_as("ftp", "vsftpd", "Type=notify", RUNS, "TimeoutStartSec=infinity"),
            shows("ftp", "vsftpd", "SubState=start"),
        ),
        simulated=vsftpd({"state": "starting", "age": "1s", "properties": {"TimeoutStartUSec": "infinity"}}),
        expect={UNIT: warning("starting")},
    ),
    Situation(
        name="starting-unlimited-stuck",
        real=(
            *restart_as("ftp", "vsftpd", "Type=notify", RUNS, "TimeoutStartSec=infinity"),
            shows("ftp", "vsftpd", "SubState=start"),
            sh("ftp", "sleep 1.1"),
        ),
        simulated=vsftpd({"state": "starting", "age": "3s", "properties": {"TimeoutStartUSec": "infinity"}}),
        judging={"start_timeout": "1s"},
        expect={UNIT: critical("stuck_starting")},
    ),
    Situation(
        name="queued-behind-a-blocked-unit",
        real=(
            unit_file("ftp", "blocking", "Type=oneshot", "ExecStart=/bin/sleep infinity"),
            *restart_as("ftp", "vsftpd", RUNS, unit_lines=("After=blocking.service",)),
            sh("ftp", "systemctl stop vsftpd; systemctl start --no-block blocking; sleep 0.2"),
            sh("ftp", "systemctl start --no-block vsftpd"),
            shows("ftp", "vsftpd", "ActiveState=inactive"),
        ),
        simulated=vsftpd({"state": "queued", "age": "1s"}),
        expect={UNIT: warning("starting")},
    ),
    Situation(
        name="system-starting",
        real=(
            unit_file("ftp", "blocking", "Type=oneshot", "ExecStart=/bin/sleep infinity"),
            sh(
                "ftp",
                "cd /etc/systemd/system/multi-user.target.wants; rm vsftpd.*; ln -s ../blocking.service",
            ),
            reboot_until("ftp", "starting"),
        ),
        simulated={
            "ftp": {
                "system_state": "starting",
                "uptime": "20s",
                "units": {"vsftpd": {"state": "never-started"}},
            }
        },
        expect={UNIT: warning("starting")},
    ),
)
"""On the way up."""
