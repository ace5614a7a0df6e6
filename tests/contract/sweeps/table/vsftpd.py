"""The unit that many situations are about: vsftpd on ftp, the one that must run there."""

from sweeps.situation import Changes
from sweeps.steps import sh, shows

UNIT = "ftp/ftp/vsftpd"
FILE = "/etc/systemd/system/vsftpd.service"
LOAD_ERROR = (
    f"(echo '[Service]'; head -c 2000000 /dev/zero | tr '\\0' x; echo) > {FILE}; systemctl daemon-reload"
)
"""Shell lines that give the unit a file which systemd fails to read: a line in it is too long."""
NO_LIMIT = ("StartLimitIntervalSec=0",)
"""Lines of [Unit] with which systemd never gives a unit up."""
FAILED = (sh("ftp", "systemctl kill --signal=KILL vsftpd"), shows("ftp", "vsftpd", "ActiveState=failed"))
"""Steps that let it fail."""
SIM_FAILED = {"vsftpd": {"state": "failed-by-signal", "age": "20m", "status": 9}}
"""What becomes of the simulated unit then."""


def vsftpd(spec: object) -> Changes:
    """Return the change that makes the simulated unit so."""
    return {"ftp": {"units": {"vsftpd": spec}}}


def killed(times: int, unit: str = "vsftpd") -> str:
    """Return the shell lines that kill a unit so often, each time once it runs again."""
    told = f"systemctl show -p NRestarts,SubState {unit} | sort | xargs"
    return "; ".join(
        f"systemctl kill --signal=KILL {unit}; "
        f'until test "$({told})" = "NRestarts={count} SubState=running"; do sleep 0.05; done'
        for count in range(1, times + 1)
    )
