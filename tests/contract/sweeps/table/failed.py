"""systemd units that have failed, and journals of them that can not be read."""

from lab.recorded_units import RUNS
from sweeps.situation import Situation, Step, critical, ok
from sweeps.steps import away, restart_as, sh, shows
from sweeps.table.vsftpd import FAILED, FILE, SIM_FAILED, UNIT, vsftpd


def fails(name: str, real: tuple[Step, ...], simulated: object) -> Situation:
    """Return a situation in which the unit has failed."""
    return Situation(
        name=name,
        real=(*real, shows("ftp", "vsftpd", "ActiveState=failed")),
        simulated=vsftpd(simulated),
        expect={UNIT: critical("failed")},
    )


FAILURES = (
    fails(
        "failed-with-an-exit-code",
        restart_as("ftp", "vsftpd", "ExecStart=/bin/sh -c 'exit 3'"),
        {"state": "failed", "age": "20m", "status": 3},
    ),
    fails(
        "failed-by-a-signal",
        FAILED,
        SIM_FAILED["vsftpd"],
    ),
    fails(
        "failed-without-its-program",
        restart_as("ftp", "vsftpd", "ExecStart=/usr/bin/no-such-program"),
        {"state": "failed", "age": "20m", "status": 203},
    ),
    fails(
        "failed-to-start-in-time",
        restart_as("ftp", "vsftpd", "Type=notify", RUNS, "TimeoutStartSec=300ms"),
        {"state": "failed-start-timeout", "age": "20m"},
    ),
    fails(
        "failed-too-often",
        restart_as(
            "ftp",
            "vsftpd",
            "ExecStart=/bin/false",
            "Restart=always",
            "RestartSec=50ms",
            unit_lines=("StartLimitIntervalSec=60", "StartLimitBurst=3"),
        ),
        {"state": "failed-start-limit", "age": "20m"},
    ),
    fails(
        "failed-and-its-file-is-gone",
        (sh("ftp", f"systemctl kill --signal=KILL vsftpd; rm {FILE}; systemctl daemon-reload"),),
        {
            "state": "failed-by-signal",
            "age": "20m",
            "status": 9,
            "properties": {"LoadState": "not-found", "UnitFileState": "", "FragmentPath": ""},
        },
    ),
)
"""Failed in some way."""

QUESTIONS = (
    Situation(
        name="journalctl-hangs",
        real=(
            *FAILED,
            away("ftp", "journalctl"),
            sh(
                "ftp",
                "printf '#!/bin/sh\\nexec sleep 600\\n' > /usr/bin/journalctl; chmod 755 /usr/bin/journalctl",
            ),
        ),
        simulated={
            "ftp": {
                "trouble": {"journalctl": "hangs"},
                "units": SIM_FAILED,
            }
        },
        hosts={"ftp": {"ssh": {"command_timeout": "2s"}}},
        expect={UNIT: critical("failed")},
        logs=False,
    ),
    *(
        Situation(
            name=f"failed-and-sudo-{name}",
            real=(
                *FAILED,
                sh("ftp", rule),
            ),
            simulated={
                "ftp": {
                    "sudo": simulated,
                    "units": SIM_FAILED,
                }
            },
            expect={UNIT: critical("failed"), "host/ftp": ok("sudo_denied")},
            logs=False,
        )
        for name, rule, simulated in (
            ("wants-a-password", "sed -i s/NOPASSWD:// /etc/sudoers.d/quorate", "password"),
            (
                "forbids-the-command",
                "echo 'rocky ALL=(root) NOPASSWD: /usr/bin/true' > /etc/sudoers.d/quorate",
                "forbidden",
            ),
            ("knows-nobody", "rm /etc/sudoers.d/quorate", "password"),
        )
    ),
    Situation(
        name="nothing-to-read-and-no-sudo",  # states need no sudo, so that all is well
        real=(sh("ftp", "rm /etc/sudoers.d/quorate"),),
        simulated={"ftp": {"sudo": "password"}},
    ),
    Situation(
        name="sudo-is-missing",
        real=(
            *FAILED,
            away("ftp", "sudo"),
        ),
        simulated={
            "ftp": {
                "trouble": {"sudo": "missing"},
                "units": SIM_FAILED,
            }
        },
        expect={UNIT: critical("failed"), "host/ftp": ok("sudo_denied")},
        logs=False,
    ),
)
"""The state is known; what explains it can't be asked."""
