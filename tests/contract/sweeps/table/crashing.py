"""systemd units that crash and are restarted by systemd, on a node that must run them."""

from lab.recorded_units import RUNS
from sweeps.situation import Situation, Then, critical, ok, warning
from sweeps.steps import eventually, restart_as, sh, shows
from sweeps.table.vsftpd import NO_LIMIT, UNIT, killed, vsftpd

CRASHES = ("ExecStart=/bin/sh -c 'sleep 0.2; exit 1'", "Restart=always")

CRASHING = (
    Situation(
        name="auto-restart",
        real=(
            *restart_as("ftp", "vsftpd", *CRASHES, "RestartSec=1h"),
            shows("ftp", "vsftpd", "SubState=auto-restart"),
        ),
        simulated=vsftpd({"state": "auto-restart", "age": "3s", "ran": "3h"}),
        expect={UNIT: critical("crashed")},
    ),
    Situation(
        name="auto-restart-then-running",
        real=(
            *restart_as("ftp", "vsftpd", RUNS, "Restart=always", "RestartSec=6s"),
            shows("ftp", "vsftpd", "SubState=running"),
            sh("ftp", "systemctl kill --signal=KILL vsftpd"),
            shows("ftp", "vsftpd", "SubState=auto-restart"),
        ),
        simulated=vsftpd({"state": "auto-restart", "age": "1s", "ran": "3h"}),
        then=(
            Then(
                real=(shows("ftp", "vsftpd", "SubState=running"),),
                simulated=vsftpd({"age": "200ms", "restarts": {"count": 1, "every": "1s"}}),
            ),
        ),
        expect={UNIT: warning("restarted_recently")},
    ),
    Situation(
        name="auto-restart-again",
        real=(
            *restart_as("ftp", "vsftpd", RUNS, "Restart=always", "RestartSec=6s", unit_lines=NO_LIMIT),
            shows("ftp", "vsftpd", "SubState=running"),
            sh("ftp", "systemctl kill --signal=KILL vsftpd"),
            shows("ftp", "vsftpd", "SubState=auto-restart"),
        ),
        simulated=vsftpd({"state": "auto-restart", "age": "1s", "ran": "3h"}),
        then=(
            Then(
                real=(shows("ftp", "vsftpd", "SubState=running"),),
                simulated=vsftpd({"age": "500ms", "restarts": {"count": 1, "every": "1s"}}),
            ),
            Then(
                after=2,
                real=(
                    sh("ftp", "systemctl kill --signal=KILL vsftpd"),
                    shows("ftp", "vsftpd", "SubState=auto-restart"),
                ),
                simulated=vsftpd(
                    {
                        "state": "auto-restart",
                        "age": "300ms",
                        "ran": "1s",
                        "restarts": {"count": 1, "every": "1s"},
                    }
                ),
            ),
        ),
        expect={UNIT: critical("crashed")},
    ),
    Situation(
        name="crash-loop",
        real=(
            *restart_as("ftp", "vsftpd", *CRASHES, "RestartSec=100ms", unit_lines=NO_LIMIT),
            eventually("ftp", 'test "$(systemctl show --value -p NRestarts vsftpd)" -ge 4'),
        ),
        simulated=vsftpd(
            {"state": "auto-restart", "age": "50ms", "ran": "200ms", "restarts": {"count": 4, "every": "1s"}}
        ),
        expect={UNIT: critical("crash_loop")},
    ),
    Situation(
        name="slow-crash-loop",
        real=(
            *restart_as("ftp", "vsftpd", RUNS, "Restart=always", "RestartSec=50ms", unit_lines=NO_LIMIT),
            shows("ftp", "vsftpd", "SubState=running"),
            sh("ftp", killed(3)),
        ),
        simulated=vsftpd({"age": "1m", "restarts": {"count": 3, "every": "4m"}}),
        expect={UNIT: critical("crash_loop")},
    ),
    Situation(
        name="restarted-recently",
        real=(
            *restart_as("ftp", "vsftpd", RUNS, "Restart=always", "RestartSec=50ms", unit_lines=NO_LIMIT),
            shows("ftp", "vsftpd", "SubState=running"),
            sh("ftp", killed(1)),
        ),
        simulated=vsftpd({"age": "1m", "restarts": {"count": 1, "every": "4m"}}),
        expect={UNIT: warning("restarted_recently")},
    ),
    Situation(
        name="restarted-twice-and-more-is-allowed",
        real=(
            *restart_as("ftp", "vsftpd", RUNS, "Restart=always", "RestartSec=50ms", unit_lines=NO_LIMIT),
            shows("ftp", "vsftpd", "SubState=running"),
            sh("ftp", killed(3)),
        ),
        simulated=vsftpd({"age": "1m", "restarts": {"count": 3, "every": "4m"}}),
        judging={"restart_limit": 4},
        expect={UNIT: warning("restarted_recently")},
    ),
    Situation(
        name="restarted-before-the-window",
        real=(
            *restart_as("ftp", "vsftpd", RUNS, "Restart=always", "RestartSec=50ms", unit_lines=NO_LIMIT),
            shows("ftp", "vsftpd", "SubState=running"),
            sh("ftp", f"{killed(3)}; sleep 1.2"),
        ),
        simulated=vsftpd({"age": "1m", "restarts": {"count": 3, "every": "1m"}}),
        judging={"restart_window": "1s"},
    ),
    Situation(
        name="crash-loop-and-no-sudo",
        real=(
            *restart_as("ftp", "vsftpd", RUNS, "Restart=always", "RestartSec=50ms", unit_lines=NO_LIMIT),
            shows("ftp", "vsftpd", "SubState=running"),
            sh("ftp", f"{killed(3)}; rm /etc/sudoers.d/quorate"),
        ),
        simulated={
            "ftp": {
                "sudo": "password",
                "units": {"vsftpd": {"age": "1m", "restarts": {"count": 3, "every": "4m"}}},
            }
        },
        expect={UNIT: critical("crash_loop"), "host/ftp": ok("sudo_denied")},
        logs=False,
    ),
)
"""Crashing and restarted by systemd."""
