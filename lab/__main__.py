"""The lab's command: `python -m lab up|down|status|exec|monitor|inventory|record|clean`; needs root."""

import argparse
import subprocess
import sys
import time
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path

from lab import cleaning, state
from lab.command import LabError
from lab.lab import Lab
from lab.recording import record_all
from lab.requirements import require_root
from lab.sleepers import CLUSTER, groups_of
from lab.state import LabRecord

RECORDED = Path(__file__).resolve().parent.parent / "tests" / "cases" / "recorded"


def up(arguments: argparse.Namespace) -> int:
    """Boot hosts of the example cluster and leave them running."""
    if any(record.kept and not record.abandoned for record in state.records()):
        raise LabError("a lab is up already: `python -m lab status` shows it, `python -m lab down` ends it")
    unknown = [name for name in arguments.hosts if name not in CLUSTER]
    if unknown:
        raise LabError(f"the example cluster has no host {unknown[0]}: it has {', '.join(CLUSTER)}")
    began = time.monotonic()
    with Lab([CLUSTER[name] for name in arguments.hosts or CLUSTER]) as lab:
        lab.keep()
    print(f"{len(lab.machines)} machines are up after {time.monotonic() - began:.1f} s")
    print("python -m lab inventory > cluster.yaml; python -m lab monitor quorate check -i cluster.yaml")
    return 0


def down(_: argparse.Namespace) -> int:
    """End the machines that `up` left running."""
    kept = [record for record in state.records() if record.kept and not record.abandoned]
    for record in kept:
        Lab.attach(record).down()
        print(f"lab {record.id} is gone, {len(record.hosts)} machines")
    if not kept:
        print("no lab is up")
    return 0


def status(_: argparse.Namespace) -> int:
    """Say how every lab on this machine is; exit code 0 only if one is up and all of it well."""
    records = [record for record in state.records() if not record.abandoned]
    well = bool(records)
    for record in records:
        held = "kept until `down`" if record.kept else f"held by process {record.owner.pid}"
        print(f"lab {record.id}, {held}")
        for machine in Lab.attach(record).machines.values():
            power = machine.state
            systemd = machine.system_state(timeout=2.0) if power == "running" else ""
            sshd = machine.greeting().startswith(b"SSH-2.0")
            well = well and systemd == "running" and sshd
            words = f"{power:8} systemd {systemd or '-':10} sshd {'answers' if sshd else 'silent'}"
            print(f"  {machine.name:14} {machine.address:14} {words}")
    for record in cleaning.abandoned():
        well = False
        print(f"lab {record.id} is abandoned: its process has ended; `python -m lab clean` removes it")
    if not records:
        print("no lab is up")
    return 0 if well else 1


def kept_lab() -> LabRecord:
    """Return the lab that `up` left running."""
    for record in state.records():
        if record.kept and not record.abandoned:
            return record
    raise LabError("no lab is up: `python -m lab up` boots one")


def execute(arguments: argparse.Namespace) -> int:
    """Run a command as root on a host, or without one, a shell."""
    lab = Lab.attach(kept_lab())
    if arguments.host not in lab.machines:
        raise LabError(f"the lab has no host {arguments.host}: it has {', '.join(lab.machines)}")
    command = arguments.command or ["bash", "-l"]
    return subprocess.run(lab[arguments.host].argv(command), check=False).returncode


def monitor(arguments: argparse.Namespace) -> int:
    """Run a command of this machine where the lab's hosts can be reached."""
    lab = Lab.attach(kept_lab())
    command = arguments.command or ["bash"]
    return subprocess.run(lab.network.inside("monitor", command), check=False).returncode


def inventory(_: argparse.Namespace) -> int:
    """Print the inventory of the hosts that are up."""
    lab = Lab.attach(kept_lab())
    print(lab.inventory(groups_of(set(lab.machines))), end="")
    return 0


def record(arguments: argparse.Namespace) -> int:
    """Write down the answers of a real machine for the tests."""
    patterns = arguments.names or ["*"]
    with Lab([CLUSTER["nfs-1"]]) as lab:
        written = record_all(
            lab["nfs-1"], arguments.into, lambda name: any(fnmatch(name, p) for p in patterns)
        )
    if not written:
        raise LabError(f"no recording is named {' or '.join(patterns)}")
    print(f"{len(written)} recordings in {arguments.into}")
    return 0


def clean(_: argparse.Namespace) -> int:
    """Remove what labs left behind whose process was killed."""
    with state.exclusive():
        gone = cleaning.remove_abandoned()
    print(f"removed {', '.join(f'lab {name}' for name in gone)}" if gone else "nothing was left behind")
    return 0


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    top = argparse.ArgumentParser(
        prog="python -m lab", description="Real hosts on this one machine; needs root."
    )
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, action: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=(action.__doc__ or "").splitlines()[0])
        command.set_defaults(action=action)
        return command

    add("up", up).add_argument("hosts", nargs="*", metavar="HOST", help="all 14 unless named")
    add("down", down)
    add("status", status)
    on_host = add("exec", execute)
    on_host.add_argument("host")
    on_host.add_argument("command", nargs=argparse.REMAINDER)
    add("monitor", monitor).add_argument("command", nargs=argparse.REMAINDER)
    add("inventory", inventory)
    recorder = add("record", record)
    recorder.add_argument("names", nargs="*", metavar="NAME", help="only these; shell patterns")
    recorder.add_argument("--into", type=Path, default=RECORDED, metavar="FOLDER")
    add("clean", clean)
    return top


def main() -> int:
    """Run one command; an error is one sentence and exit code 1."""
    arguments = parser().parse_args()
    try:
        require_root()
        result: int = arguments.action(arguments)
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return result


if __name__ == "__main__":
    sys.exit(main())
