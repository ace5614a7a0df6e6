"""A unit changed by a drop-in file, for as long as a fault is in place."""

from lab.faults.steps import Run, Step

FORGET_RESTARTS = "journalctl --quiet --rotate --vacuum-files=1"
"""Empties a host's journal, in which restarts are counted for 15 minutes."""


def ways(unit: str) -> str:
    """Return the drop-in that these faults change a unit with; it is gone with the next boot."""
    return f"/run/systemd/system/{unit}.service.d/fault.conf"


def changed(unit: str, *lines: str) -> str:
    """Return the script that adds lines to a unit."""
    said = " ".join(f"'{line}'" for line in lines)
    return (
        f"mkdir -p {ways(unit).rpartition('/')[0]}; printf '%s\\n' {said} > {ways(unit)}\n"
        "systemctl daemon-reload\n"
    )


def taken_back(unit: str) -> str:
    """Return the script that takes these lines away again."""
    return f"rm -f {ways(unit)}; systemctl daemon-reload\n"


def again(host: str, unit: str) -> Step:
    """Return the step that starts a unit as new: as it was declared, and without a restart to its name."""
    script = (
        f"{taken_back(unit)}systemctl stop {unit}\n"
        f"systemctl reset-failed {unit} || true\nsystemctl start {unit}"
    )
    return Run(host, script, timeout=90.0)


def shown(unit: str, key: str, test: str) -> str:
    """Return the script that tests a property that systemd shows of a unit."""
    return f"test $(systemctl show -P {key} {unit}) {test}"


def forgotten(host: str) -> Step:
    """Return the step that empties a host's journal, in which restarts are counted for 15 minutes."""
    return Run(host, FORGET_RESTARTS)


def until(test: str) -> str:
    """Return the script that waits until a test holds."""
    return f"until {test}; do sleep 0.2; done\n"
