"""Real means: what is done to machines to bring them into a situation."""

from typing import TYPE_CHECKING

from lab.network import Direction
from lab.recorded_units import service
from sweeps.situation import Step

if TYPE_CHECKING:
    from sweeps.lane import Lane


def sh(host: str, script: str) -> Step:
    """Run shell lines as root on a host; the first that fails is an error."""
    return lambda lane: lane.shell(host, script)


def unit_file(host: str, unit: str, *lines: str, unit_lines: tuple[str, ...] = (), more: str = "") -> Step:
    """Write another file for a service, and let systemd read it; `lines` are of its [Service] section."""
    text = service(*lines, unit=unit_lines) + more

    def write(lane: "Lane") -> None:
        lane.write_unit(host, unit, text)

    return write


def restart_as(host: str, unit: str, *lines: str, unit_lines: tuple[str, ...] = ()) -> tuple[Step, ...]:
    """Start a unit with another file in place of the one that it had."""
    # KILL first: what the old file says about stopping is of no interest, and could take its time.
    begun = (
        f"systemctl kill --signal=KILL {unit}; systemctl stop {unit}; systemctl reset-failed {unit}; "
        f"systemctl start --no-block {unit}"
    )
    return unit_file(host, unit, *lines, unit_lines=unit_lines), sh(host, f"({begun}) 2>&1 || true")


def eventually(host: str, test: str, *, bound: int = 30) -> Step:
    """Wait until a test of the shell succeeds on a host, for `bound` seconds at most."""
    script = f"for i in $(seq {bound * 20}); do if {test}; then exit 0; fi; sleep 0.05; done; exit 1"
    return lambda lane: lane.shell(host, script, about=f"waiting for {test}")


def shows(host: str, unit: str, *properties: str) -> Step:
    """Wait until systemd says all of that of a unit, such as `SubState=exited`."""
    names = ",".join(each.partition("=")[0] for each in properties)
    lines = "\\n".join(sorted(properties))
    return eventually(host, f'test "$(systemctl show -p {names} {unit} | sort)" = "$(printf \'{lines}\')"')


def for_rocky(host: str, program: str, script: str) -> Step:
    """Put a script in a program's place, for the plain user alone."""
    wrapper = f"""#!/bin/sh
if [ "$(id -un)" != rocky ]; then exec /usr/bin/{program} "$@"; fi
{script}
"""
    return lambda lane: lane.write_file(host, f"/usr/local/bin/{program}", wrapper, mode=0o755)


def away(host: str, program: str) -> Step:
    """Move a program out of the way, for everyone."""
    return sh(host, f"mv /usr/bin/{program} /usr/bin/{program}.away; rm -f /usr/sbin/{program}")


def sshd_config(host: str, *lines: str) -> Step:
    """Put lines before sshd's settings, where the first of a name counts, and let it read them."""
    text = "\\n".join(lines)
    return sh(
        host,
        f"printf '{text}\\n' | cat - /etc/ssh/sshd_config > /etc/ssh/new; "
        "mv /etc/ssh/new /etc/ssh/sshd_config; systemctl restart ssh",
    )


def cut(host: str) -> Step:
    """Drop everything that a host sends or is sent."""
    return lambda lane: lane.network_of(host).cut(host)


def drop(host: str, direction: Direction) -> Step:
    """Drop packets one way."""
    return lambda lane: lane.network_of(host).drop(host, direction)


def refuse_once(host: str) -> Step:
    """Refuse one connection to sshd, and let the next ones through."""
    first = "tcp dport 22 tcp flags & (syn | ack) == syn limit rate 1/hour burst 1 packets"
    return lambda lane: lane.network_of(host).drop(host, "in", first, action="reject with tcp reset")


def unplug(host: str) -> Step:
    """Pull the cable of a host, or of the monitor."""
    return lambda lane: lane.network_of(host).unplug(host)


def holds(host: str, address: str) -> Step:
    """Give a host an address, as keepalived does."""
    return lambda lane: lane.network_of(host).add_address(host, address)


def lets_go(host: str, address: str) -> Step:
    """Take an address from a host."""
    return lambda lane: lane.network_of(host).remove_address(host, address)


def freeze(host: str) -> Step:
    """Stop every process of a machine."""
    return lambda lane: lane.machine(host).freeze()


def power_off(host: str) -> Step:
    """Shut a machine down."""
    return lambda lane: lane.machine(host).power_off()


def reboot_until(host: str, system_state: str) -> Step:
    """Start a machine anew, and wait until its systemd says that word of the whole system."""

    def boot(lane: "Lane") -> None:
        machine = lane.machine(host)
        machine.kill()
        machine.start()
        machine.wait_until_up(accepted=(system_state,))

    return boot
