"""systemd units that run in some way, on a node that must run them."""

from lab.recorded_units import RUNS
from sweeps.situation import NOMINAL, Situation, ok, warning
from sweeps.steps import eventually, restart_as, sh, shows, unit_file
from sweeps.table.vsftpd import FILE, LOAD_ERROR, UNIT, vsftpd

RUNNING = (
    NOMINAL,
    Situation(
        name="masked-running",
        real=(sh("ftp", f"ln -sf /dev/null {FILE}; systemctl daemon-reload"),),
        simulated=vsftpd({"state": "masked-running", "age": "2d"}),
        expect={UNIT: warning("masked")},
    ),
    Situation(
        name="not-found-running",
        real=(sh("ftp", f"rm {FILE}; systemctl daemon-reload"),),
        simulated=vsftpd({"state": "not-found-running", "age": "2d"}),
        expect={UNIT: warning("unit_not_found")},
    ),
    Situation(
        name="bad-setting-running",
        real=(unit_file("ftp", "vsftpd", "Type=simple"),),
        simulated=vsftpd({"state": "bad-setting-running", "age": "2d"}),
        expect={UNIT: warning("unit_broken")},
    ),
    Situation(
        name="load-error-running",
        real=(sh("ftp", LOAD_ERROR),),
        simulated=vsftpd({"state": "error-running", "age": "2d"}),
        expect={UNIT: warning("unit_broken")},
    ),
    Situation(
        name="exited-oneshot",
        real=(
            *restart_as("ftp", "vsftpd", "Type=oneshot", "RemainAfterExit=yes", "ExecStart=/bin/true"),
            shows("ftp", "vsftpd", "SubState=exited"),
        ),
        simulated=vsftpd({"state": "exited-oneshot", "age": "2d"}),
        expect={UNIT: ok("no_process")},
    ),
    Situation(
        name="exited-simple",
        real=(
            *restart_as("ftp", "vsftpd", "Type=simple", "RemainAfterExit=yes", "ExecStart=/bin/true"),
            shows("ftp", "vsftpd", "SubState=exited"),
        ),
        simulated=vsftpd({"state": "exited-simple", "age": "2d"}),
        expect={UNIT: warning("exited")},
    ),
    Situation(
        name="reloading",
        real=(
            *restart_as("ftp", "vsftpd", RUNS, "ExecReload=/bin/sleep infinity", "TimeoutStartSec=1h"),
            shows("ftp", "vsftpd", "SubState=running"),
            sh("ftp", "systemctl reload --no-block vsftpd"),
            shows("ftp", "vsftpd", "SubState=reload"),
        ),
        simulated=vsftpd({"state": "reloading", "age": "1s"}),
    ),
    Situation(
        name="reloading-stuck",
        real=(
            *restart_as("ftp", "vsftpd", RUNS, "ExecReload=/bin/sleep infinity", "TimeoutStartSec=infinity"),
            shows("ftp", "vsftpd", "SubState=running"),
            sh("ftp", "systemctl reload --no-block vsftpd"),
            shows("ftp", "vsftpd", "SubState=reload"),
            sh("ftp", "sleep 1.1"),
        ),
        simulated=vsftpd({"state": "reloading", "age": "3s", "properties": {"TimeoutStartUSec": "infinity"}}),
        judging={"start_timeout": "1s"},
        expect={UNIT: warning("stuck_reloading")},
    ),
    Situation(
        name="by-its-alias",
        real=(
            sh("ftp", "ln -s vsftpd.service /etc/systemd/system/ftpd.service; systemctl daemon-reload"),
            eventually("ftp", "systemctl show -p Names ftpd | grep -q vsftpd"),
        ),
        simulated=vsftpd({"age": "2d", "alias": ["ftpd"]}),
        groups={"ftp": {"units": ["ftpd"]}},
    ),
    Situation(
        name="units-of-other-kinds",
        real=(
            sh("ftp", "printf '[Socket]\\nListenStream=2121\\n' > /etc/systemd/system/vsftpd.socket"),
            sh("ftp", "printf '[Timer]\\nOnCalendar=yearly\\n' > /etc/systemd/system/vsftpd.timer"),
            sh("ftp", "systemctl stop vsftpd; systemctl daemon-reload"),
            sh("ftp", "systemctl start vsftpd.socket vsftpd.timer; systemctl start vsftpd"),
        ),
        simulated={
            "ftp": {
                "units": {"vsftpd.socket": {"state": "listening"}, "vsftpd.timer": {"state": "timer-waiting"}}
            }
        },
        groups={"ftp": {"units": ["vsftpd", "vsftpd.socket", "vsftpd.timer"]}},
    ),
)
"""Running in some way."""
