"""The lab's command: `python -m lab up|down|status|check|faults|fault|heal|…`; needs root."""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable
from fnmatch import fnmatch
from pathlib import Path

from lab import cleaning, state
from lab.cluster import airflow_api, cluster
from lab.command import LabError
from lab.faults import catalogue, placing, sweeping
from lab.lab import Lab
from lab.recording import record_all
from lab.requirements import require_root
from lab.sleepers import CLUSTER, groups_of
from lab.state import LabRecord

RECORDED = Path(__file__).resolve().parent.parent / "tests" / "cases" / "recorded"


def up(arguments: argparse.Namespace) -> int:
    """Boot the example cluster, wait until every service is well, and leave it running."""
    if any(record.kept and not record.abandoned for record in state.records()):
        raise LabError("a lab is up already: `python -m lab status` shows it, `python -m lab down` ends it")
    if arguments.units is not None:
        return up_with_units(arguments.units)
    began = time.monotonic()

    def say(text: str) -> None:
        print(f"{time.monotonic() - began:5.0f} s  {text}", flush=True)

    with cluster.cluster() as lab:
        say(f"{len(lab.machines)} machines are up")
        cluster.wait_until_well(lab, say)
        say("every service is well")
        lab.keep()
    print("Ask it:   python -m lab check\nBreak it: python -m lab faults; python -m lab fault NAME")
    print("End it:   python -m lab down")
    return 0


def up_with_units(names: list[str]) -> int:
    """Boot hosts whose units only sleep, in seconds."""
    unknown = [name for name in names if name not in CLUSTER]
    if unknown:
        raise LabError(f"the example cluster has no host {unknown[0]}: it has {', '.join(CLUSTER)}")
    with Lab([CLUSTER[name] for name in names or CLUSTER]) as lab:
        lab.keep()
    print(f"{len(lab.machines)} machines are up; their units sleep under the names of real ones")
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
        lab = Lab.attach(record)
        well = machines_are_well(lab) and well
        if not is_cluster(lab):
            continue
        print(f"  together they hold {lab.memory() / 2**30:.1f} GiB of memory")
        for name in placing.in_place(lab):
            print(f"  fault in place: {name}")
        for sentence in cluster.problems(lab):
            well = False
            print(f"  not well: {sentence}")
    for record in cleaning.abandoned():
        well = False
        print(f"lab {record.id} is abandoned: its process has ended; `python -m lab clean` removes it")
    if not records:
        print("no lab is up")
    return 0 if well else 1


def machines_are_well(lab: Lab) -> bool:
    """Print a line a machine; return whether systemd and sshd are content on all."""
    well = True
    for machine in lab.machines.values():
        power = machine.state
        systemd = machine.system_state(timeout=2.0) if power == "running" else ""
        sshd = machine.greeting().startswith(b"SSH-2.0")
        # A passive node's lsyncd that was stopped in order counts as failed, and its systemd as degraded.
        well = well and systemd in ("running", "degraded") and sshd
        words = f"{power:8} systemd {systemd or '-':10} sshd {'answers' if sshd else 'silent'}"
        print(f"  {machine.name:14} {machine.address:14} {words}")
    return well


def is_cluster(lab: Lab) -> bool:
    """Whether a lab is the example cluster for real, and not hosts with sleeping units."""
    return cluster.monitor_inventory(lab).exists()


def kept_lab() -> LabRecord:
    """Return the lab that `up` left running."""
    for record in state.records():
        if record.kept and not record.abandoned:
            return record
    raise LabError("no lab is up: `python -m lab up` boots one")


def kept_cluster() -> Lab:
    """Return the example cluster that `up` left running."""
    lab = Lab.attach(kept_lab())
    if not is_cluster(lab):
        raise LabError("the lab that is up has sleeping units only: `python -m lab down`, then `up`")
    return lab


def check(arguments: argparse.Namespace) -> int:
    """Sweep the cluster with `quorate check`, as faults in place want it; options behind `--` are its own."""
    lab = kept_cluster()
    options = [option for option in arguments.options if option != "--"]
    broken = [catalogue.named(name) for name in placing.in_place(lab)]
    moved = [fault for fault in broken if fault.moves_the_monitor]
    argv, environment = sweeping.command(lab, moved[-1] if moved else None, *options)
    return subprocess.run(argv, env=environment, check=False).returncode


def dag(_: argparse.Namespace) -> int:
    """Let the cluster's own Airflow run the health DAG once, and show what came of it."""
    run = airflow_api.run_dag(kept_cluster())
    width = max(map(len, run.tasks))
    for task, said in run.tasks.items():
        print(f"{task:{width}}  {said}")
    print(f"run of {run.dag_id}: {run.state}")
    return 0 if run.state == "success" else 1


def faults(_: argparse.Namespace) -> int:
    """List the faults, with what they do."""
    width = max(len(fault.name) for fault in catalogue.FAULTS)
    for fault in catalogue.FAULTS:
        print(f"{fault.name:{width}}  {fault.summary}")
    return 0


def fault(arguments: argparse.Namespace) -> int:
    """Put a fault in place, and say what a sweep is to show."""
    lab = kept_cluster()
    chosen = catalogue.named(arguments.name)
    if chosen.name in placing.in_place(lab):
        raise LabError(f"the fault {chosen.name} is in place already: `python -m lab heal` undoes it")
    placing.put_in_place(lab, chosen)
    print(f"{chosen.name}: {chosen.summary}\nA sweep is to show:")
    for key, said in chosen.expected.items():
        print(f"  {key}: {said}")
    print("See: python -m lab check; undo: python -m lab heal")
    return 0


def heal(_: argparse.Namespace) -> int:
    """Undo all faults that are in place, the last one first, and wait until every service is well."""
    lab = kept_cluster()
    names = placing.in_place(lab)
    for name in reversed(names):
        placing.take_away(lab, catalogue.named(name))
        print(f"{name} is undone")
    cluster.wait_until_well(lab, lambda text: print(f"  {text}", flush=True), patience=cluster.PATIENCE)
    print("every service is well" if names else "no fault was in place, and every service is well")
    return 0


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
    if is_cluster(lab):
        print(cluster.monitor_inventory(lab).read_text(encoding="utf-8"), end="")
    else:
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
        prog="python -m lab", description="The example cluster for real on this one machine; needs root."
    )
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, action: Callable[[argparse.Namespace], int]) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=(action.__doc__ or "").splitlines()[0])
        command.set_defaults(action=action)
        return command

    add("up", up).add_argument(
        "--units", nargs="*", metavar="HOST", help="only these hosts, or all, with units that sleep"
    )
    add("down", down)
    add("status", status)
    add("check", check).add_argument("options", nargs=argparse.REMAINDER, metavar="-- OPTION")
    add("dag", dag)
    add("faults", faults)
    add("fault", fault).add_argument("name", metavar="NAME")
    add("heal", heal)
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
        sys.stdout.flush()
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Who read has gone; Python would say so again when it flushes at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except KeyboardInterrupt:
        return 130
    return result


if __name__ == "__main__":
    sys.exit(main())
