"""Situations on real hosts: a small cluster of machines that is brought into each, swept, and healed."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from lab import HostSpec, Lab, LabError, Machine, Network
from lab.recorded_units import RUNS, service
from lab.spec import unit_file
from quorate.cli.sudoers import sudoers
from quorate.inventory import parse_inventory
from quorate.model import Inventory, Report
from sweeps import declared
from sweeps.asking import Happens, swept
from sweeps.situation import NOMINAL, Situation, Then
from sweeps.verdicts import differences

_INSTALL = "\n[Install]\nWantedBy=multi-user.target\n"
_VIPS = {"haproxy-1": (f"{declared.AIRFLOW_VIP}/24",), "nfs-1": (f"{declared.NFS_VIP}/24",)}
_ONESHOT = ("Type=oneshot", "RemainAfterExit=yes", "ExecStart=/bin/true")
_HERE = Path(__file__).parent
REMEMBER = (_HERE / "remember.sh").read_text(encoding="utf-8")
HEAL = (_HERE / "heal.sh").read_text(encoding="utf-8")


def specs() -> list[HostSpec]:
    """Return the hosts of the cluster, with the units that they have when all is well."""
    found = []
    for host, address in declared.HOSTS.items():
        units = [i.rpartition("/")[2] for i in declared.units_of({})[host]]
        texts = {u: service(*(_ONESHOT if u == "nfs-server" else (RUNS,))) + _INSTALL for u in units}
        passive = declared.ACTIVE_ONLY if host == "nfs-2" else ()
        found.append(
            HostSpec(
                name=host,
                address=address,
                units=texts,
                stopped=frozenset(unit_file(unit) for unit in passive),
                vips=_VIPS.get(host, ()),
            )
        )
    return found


class Lane:
    """One cluster of real machines, in which one situation at a time is looked at."""

    def __init__(self) -> None:
        self.specs = {spec.name: spec for spec in specs()}
        self.be_new()

    def be_new(self) -> None:
        """Take other machines, which are yet to be booted."""
        self.lab = Lab(self.specs.values())
        self.touched: set[str] = set()
        self.rules = ""

    def up(self) -> None:
        """Boot the machines, remember how they are when all is well, and prove that it is so."""
        self.lab.up()
        self.allow(self.inventory(NOMINAL))
        for host in self.specs:
            self.shell(host, REMEMBER)
        self.heal()

    def down(self) -> None:
        """End the machines."""
        self.lab.down()

    # What steps are made of.

    def machine(self, host: str) -> Machine:
        """Return a machine that is about to be changed."""
        self.touched.add(host)
        return self.lab[host]

    def network_of(self, host: str) -> Network:
        """Return the network, in which a host, or the monitor, is about to be changed."""
        self.touched.add(host)
        return self.lab.network

    def shell(self, host: str, script: str, *, about: str = "") -> None:
        """Run shell lines as root on a host; the first that fails is an error."""
        done = self.machine(host).run(["sh", "-ec", script])
        if done.returncode != 0:
            said = done.stderr.decode(errors="replace").strip()
            raise LabError(f"{about or script} on {host} ended with exit code {done.returncode}: {said}")

    def write_unit(self, host: str, unit: str, text: str) -> None:
        """Write a unit's file, and let systemd read it."""
        self.machine(host).write_unit(unit, text)

    def write_file(self, host: str, path: str, text: str, *, mode: int = 0o644) -> None:
        """Write a file."""
        self.machine(host).write_file(path, text, mode=mode)

    def known_hosts(self, name: str, *, without: str) -> None:
        """Write a file of the host keys that are known, but for addresses that begin so."""
        lines = self.lab.known_hosts.read_text(encoding="ascii").splitlines(keepends=True)
        (self.lab.folder / name).write_text("".join(line for line in lines if not line.startswith(without)))

    # Sweeping.

    def inventory(self, situation: Situation) -> Inventory:
        """Return the inventory that a situation is swept with."""
        return parse_inventory(self.inventory_text(situation), source="cluster.yaml")

    def inventory_text(self, situation: Situation) -> str:
        """Return the inventory file that a situation is swept with."""
        ssh: dict[str, Any] = {
            "user": "rocky",
            "identity_file": str(self.lab.identity_file),
            "known_hosts": str(self.lab.known_hosts),
            **self.filled(situation.ssh),
        }
        hosts = {name: self.filled(changes) for name, changes in situation.hosts.items()}
        return declared.inventory_text(
            ssh, hosts=hosts, groups_changed=situation.groups, judging=situation.judging
        )

    def filled(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """Return settings with this lane's folder in place of `{folder}`."""
        folder = str(self.lab.folder)
        return {
            key: self.filled(value)
            if isinstance(value, Mapping)
            else value.replace("{folder}", folder)
            if isinstance(value, str)
            else value
            for key, value in settings.items()
        }

    def allow(self, inventory: Inventory) -> None:
        """Let the plain user do what the product says that a sweep of this inventory needs, and no more."""
        rules = sudoers(inventory, "cluster.yaml")
        if rules != self.rules:
            for host in self.specs:
                self.lab.install_sudoers(host, rules)
            self.rules = rules

    def sweep(self, situation: Situation) -> Report:
        """Sweep from the monitor."""

        def happening(then: Then) -> Callable[[], Awaitable[None]]:
            async def happen() -> None:
                # The steps wait for processes; meanwhile connections must stay alive.
                for step in then.real:
                    await asyncio.to_thread(step, self)

            return happen

        happens: Happens = [(then.after, happening(then)) for then in situation.then]
        with self.lab.network.entered():
            return asyncio.run(swept(self.inventory(situation), happens=happens))

    def look_at(self, situation: Situation) -> Report:
        """Bring the machines into a situation and sweep them; they are not healed."""
        self.allow(self.inventory(situation))
        for step in situation.real:
            step(self)
        return self.sweep(situation)

    # Healing.

    def heal(self) -> None:
        """Bring every machine that was touched back to where all is well, and prove it by a sweep."""
        if "monitor" in self.touched:
            self.lab.network.heal("monitor")
        for host in sorted(self.touched & set(self.specs)):
            self.heal_host(host)
        self.allow(self.inventory(NOMINAL))
        self.touched.clear()
        if differing := differences(NOMINAL, self.sweep(NOMINAL)):
            raise LabError(f"the hosts are not healed: {differing}")

    def heal_host(self, host: str) -> None:
        """Undo whatever was done to a host."""
        machine, spec = self.lab[host], self.specs[host]
        machine.thaw()
        was_off = machine.state == "off"
        if was_off:
            machine.start()
        self.lab.network.heal(host)
        if was_off:
            machine.wait_until_up()
        addresses = " ".join([f"{spec.address}/24", *spec.vips])
        running = " ".join(name for name in spec.units if unit_file(name) not in spec.stopped)
        done = machine.run(["sh", "-uc", HEAL, "heal", addresses, " ".join(spec.units), running])
        if done.returncode != 0:
            raise LabError(f"{host} could not be healed: {done.stderr.decode(errors='replace').strip()}")
