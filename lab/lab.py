"""A lab: a few machines, their network and a monitor's place in it, gone without a trace when it is left."""

import atexit
import json
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

from lab import cgroups, cleaning, identity, limits, network, rootfs, state
from lab.command import LabError
from lab.machine import STARTED, Machine, wait_for_end
from lab.network import Network
from lab.requirements import ensure_programs, require_devices, require_root
from lab.spec import HostSpec
from lab.state import HostRecord, LabRecord

SUDOERS = "/etc/sudoers.d/quorate"
HALT_BOUND = 2.0
"""Seconds that machines get to shut down in order when the lab goes away with all they have written."""
BOOTS_AT_ONCE = 8


class Lab:
    """The machines of one lab by name. Use it as a context manager, or `up` and `down`.

    `furnish` is called when the keys of all are there and before any boots: it may write into their layers
    what needs both. `accepted` are the states of systemd in which a machine counts as up.
    """

    def __init__(
        self,
        specs: Iterable[HostSpec],
        *,
        cache: Path | None = None,
        furnish: "Callable[[Lab], None] | None" = None,
        accepted: tuple[str, ...] = STARTED,
    ) -> None:
        self.specs = tuple(specs)
        self.accepted = accepted
        self.furnish = furnish
        self.cache = cache or rootfs.default_cache()
        self.machines: dict[str, Machine] = {}
        self.record: LabRecord | None = None

    @classmethod
    def attach(cls, record: LabRecord) -> "Lab":
        """Return a lab that another process brought up, to act on its machines."""
        specs = [HostSpec(name=n, address=h.address, vips=h.vips) for n, h in record.hosts.items()]
        lab = cls(specs)
        lab.take(record)
        return lab

    def take(self, record: LabRecord) -> None:
        """Make the objects that stand for what a record names."""
        self.record = record
        self.network = Network(record.name, {spec.name: spec.address for spec in self.specs})
        for name, host in record.hosts.items():
            self.machines[name] = Machine(
                name,
                host.address,
                folder=record.folder / "machines" / name,
                rootfs=Path(host.rootfs),
                group=f"{record.name}/{name}",
                network=self.network,
                devices=host.devices,
                disks=host.disks,
            )
            self.machines[name].launcher = host.launcher

    def __getitem__(self, name: str) -> Machine:
        return self.machines[name]

    @property
    def folder(self) -> Path:
        """The lab's own folder, gone when it goes."""
        if self.record is None:
            raise LabError("the lab is not up")
        return self.record.folder

    @property
    def identity_file(self) -> Path:
        """The private key that logs in as the plain user on every host."""
        return self.folder / "id_ed25519"

    @property
    def known_hosts(self) -> Path:
        """The host keys of all hosts."""
        return self.folder / "known_hosts"

    def __enter__(self) -> "Lab":
        self.previous = on_sigterm(leave_in_order) if in_main_thread() else None
        try:
            self.up()
        except BaseException:
            self.restore_signal()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if not (self.record and self.record.kept):
                self.down()
        finally:
            self.restore_signal()

    def restore_signal(self) -> None:
        """Give SIGTERM back to whom it belonged to before."""
        if self.previous is not None:
            on_sigterm(self.previous)

    def up(self, *, bound: float = 60.0) -> None:
        """Bring everything up, and whatever goes wrong or interrupts it, take everything away again."""
        require_root()
        require_devices(device for spec in self.specs for device in spec.devices)
        ensure_programs()
        places = {spec.rootfs: rootfs.build(spec.rootfs, self.cache) for spec in self.specs}
        hosts = {
            s.name: HostRecord(
                address=s.address,
                rootfs=str(places[s.rootfs]),
                vips=s.vips,
                devices=s.devices,
                disks=s.disks,
            )
            for s in self.specs
        }
        with state.exclusive():
            cleaning.remove_abandoned()
            # The last lab to leave unmounts the folder if the first one to come had found none.
            others = state.records()
            made = not network.folder_is_mounted() or any(r.made_netns_folder for r in others)
            raised = limits.raise_instances(others)
            record = state.new_record(hosts, made_netns_folder=made, inotify=raised)
            record.save()
        atexit.register(self.down)
        try:
            self.take(record)
            self.boot(bound)
        except BaseException:
            self.down()
            raise

    def boot(self, bound: float) -> None:
        """Make the network, start all machines, and wait until each is up."""
        assert self.record is not None, "the record is written first"
        self.network.create()
        with ThreadPoolExecutor(max_workers=BOOTS_AT_ONCE) as pool:
            try:
                self.prepare(pool)
                for task in [pool.submit(self.start_one, spec) for spec in self.specs]:
                    task.result()
                self.save_launchers()
                for task in [pool.submit(self.wait_for_one, s.name, bound) for s in self.specs]:
                    task.result()
            except BaseException:
                pool.shutdown(wait=False, cancel_futures=True)
                cgroups.kill(self.record.name)  # so that no thread waits for a machine's boot
                raise

    def prepare(self, pool: ThreadPoolExecutor) -> None:
        """Write what tells the machines from each other, and the keys that they know each other by."""
        client = identity.new_key(self.folder / "id_ed25519")
        root = identity.new_key(self.folder / "root_ed25519")
        hosts = {each.name: each.address for each in self.specs}

        def prepare_one(spec: HostSpec) -> list[str]:
            machine = self.machines[spec.name]
            return identity.prepare(machine.upper, spec, rootfs=machine.rootfs, hosts=hosts, client=client)

        keys = dict(zip(hosts, pool.map(prepare_one, self.specs), strict=True))
        known = "".join(f"{hosts[name]} {key}\n" for name, lines in keys.items() for key in lines)
        self.known_hosts.write_text(known, encoding="ascii")
        for spec in self.specs:
            if spec.root_key:
                identity.install_root_key(self.machines[spec.name].upper, root, known)
        if self.furnish:
            self.furnish(self)

    def start_one(self, spec: HostSpec) -> None:
        """Start one machine, with its virtual addresses."""
        self.machines[spec.name].start()
        for vip in spec.vips:
            self.network.add_address(spec.name, vip)

    def wait_for_one(self, name: str, bound: float) -> None:
        """Wait until a machine is up."""
        self.machines[name].wait_until_up(bound, accepted=self.accepted)

    def down(self) -> None:
        """Shut the machines down, by force after two seconds, and remove everything that the lab made."""
        record, self.record = self.record, None
        atexit.unregister(self.down)
        if record is None:
            return
        with uninterrupted():
            leaders = [leader for machine in self.machines.values() if (leader := machine.leader)]
            for machine in self.machines.values():
                machine.halt()
            deadline = time.monotonic() + HALT_BOUND
            for leader in leaders:
                wait_for_end(leader, max(0.0, deadline - time.monotonic()))
            with state.exclusive():
                cleaning.remove(record)
            for machine in self.machines.values():
                if machine.child:
                    machine.child.wait()

    def save_launchers(self) -> None:
        """Write down the processes that hold the machines, after one was started."""
        if self.record is None:
            raise LabError("the lab is not up")
        self.record.hosts = {
            n: replace(h, launcher=self.machines[n].launcher) for n, h in self.record.hosts.items()
        }
        self.record.save()

    def keep(self) -> None:
        """Let the machines outlive this process; `python -m lab down` ends them."""
        if self.record is None:
            raise LabError("the lab is not up")
        self.record.kept = True
        self.record.save()
        atexit.unregister(self.down)

    def memory(self) -> int:
        """Return the bytes of memory that all machines hold together."""
        if self.record is None:
            raise LabError("the lab is not up")
        return cgroups.memory(self.record.name)

    def install_sudoers(self, host: str, text: str) -> None:
        """Install the plain user's sudo rules on a host, after visudo(8) has found no fault in them."""
        machine = self.machines[host]
        done = machine.run(["visudo", "--check", "--quiet", "--file=-"], input=text.encode())
        if done.returncode != 0:
            raise LabError(f"these sudo rules have a fault: {done.stderr.decode(errors='replace').strip()}")
        machine.write_file(SUDOERS, text, mode=0o440)

    def remove_sudoers(self, host: str) -> None:
        """Leave the plain user on a host without any sudo rule, as hosts are at first."""
        self.machines[host].read("rm", "-f", SUDOERS)

    def inventory(self, groups: Mapping[str, Any] | None = None, *, name: str = "lab") -> str:
        """Return the text of an inventory of these hosts; it is for a monitor inside the lab's network."""
        ssh = {
            "user": rootfs.USER,
            "identity_file": str(self.identity_file),
            "known_hosts": str(self.known_hosts),
        }
        hosts = {spec.name: spec.address for spec in self.specs}
        parts = {"name": name, "ssh": ssh, "hosts": hosts, **({"groups": groups} if groups else {})}
        return "".join(f"{key}: {json.dumps(value)}\n" for key, value in parts.items())

    def ssh_argv(self, host: str, *command: str) -> list[str]:
        """Return the ssh command line that runs a command on a host as the plain user, from the monitor."""
        options = {
            "BatchMode": "yes",
            "ConnectTimeout": "5",
            "IdentityFile": self.identity_file,
            "IdentitiesOnly": "yes",
            "UserKnownHostsFile": self.known_hosts,
            "GlobalKnownHostsFile": "/dev/null",
        }
        words = [f"-o{name}={value}" for name, value in options.items()]
        address = self.machines[host].address
        return self.network.inside(
            "monitor", ["ssh", "-F", "none", *words, f"{rootfs.USER}@{address}", *command]
        )


def in_main_thread() -> bool:
    """Return whether this thread may say what signals do."""
    return threading.current_thread() is threading.main_thread()


def leave_in_order(number: int, _frame: FrameType | None) -> None:
    """Turn SIGTERM into an exception, so that every context manager is left."""
    raise SystemExit(128 + number)


def on_sigterm(handler: Any) -> Any:
    """Say what SIGTERM does, and return what it did."""
    return signal.signal(signal.SIGTERM, handler)


@contextmanager
def uninterrupted() -> Iterator[None]:
    """Keep SIGINT and SIGTERM waiting until a lab is gone; it takes a few seconds at most."""
    if not in_main_thread():
        yield
        return
    held = {signal.SIGINT, signal.SIGTERM}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, held)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
