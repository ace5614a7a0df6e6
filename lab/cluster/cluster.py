"""The example cluster for real: its hosts, how they are furnished, and whether all of it is well."""

import math
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from lab import environment, identity
from lab.cluster import airflow, etcd, ftp, haproxy, keepalived, mounts, names, patroni, rabbitmq, storage
from lab.cluster.inventory import inventory
from lab.cluster.part import Part, host
from lab.command import LabError
from lab.lab import SUDOERS, Lab
from lab.machine import BOOTING
from lab.spec import File, HostSpec

SERVICES: dict[str, tuple[Callable[[str], Part], ...]] = {
    **dict.fromkeys(names.HAPROXY, (haproxy.part, keepalived.part, mounts.part, airflow.part)),
    "scheduler-2": (airflow.part,),
    **dict.fromkeys(names.NFS, (storage.part, airflow.part)),
    **dict.fromkeys(names.RABBIT, (rabbitmq.part,)),
    **dict.fromkeys(names.POSTGRESQL, (etcd.part, patroni.part)),
    **dict.fromkeys(names.CELERY, (mounts.part, airflow.part)),
    "ftp": (ftp.part,),
}
"""What runs on which host."""
PROBLEMS: tuple[Callable[[Lab], list[str]], ...] = (
    etcd.problems,
    patroni.problems,
    haproxy.problems,
    keepalived.problems,
    rabbitmq.problems,
    storage.problems,
    mounts.problems,
    airflow.problems,
    ftp.problems,
)
RENEWALS: tuple[Callable[[Lab], list[str]], ...] = (patroni.renew, rabbitmq.renew, airflow.renew)
"""What starts anew the services that do not come back by themselves from what a fault did to them."""
MONITOR_FILES = ("/etc/quorate/id_ed25519", "/etc/quorate/known_hosts")
"""Where the hosts of Airflow have what a monitor needs that runs on them: a DAG's task, or a sweep."""
STARTING = 240.0
"""Seconds after which every service of the cluster must be well."""
PATIENCE = 25.0
"""Seconds after which what a fault left stuck will not come back by itself."""


def specs() -> list[HostSpec]:
    """Return all hosts, in the order of the inventory, each with the sudo rule that the sweep needs."""
    rule = Part(files={SUDOERS: File(text=sudo_rule(), mode=0o440)})
    return [host(name, [*(part(name) for part in SERVICES[name]), rule]) for name in names.ADDRESSES]


@cache
def sudo_rule() -> str:
    """Return what `quorate sudoers` prints for the cluster."""
    text = inventory(identity_file="/dev/null", known_hosts="/dev/null")
    command = [sys.executable, "-m", "quorate", "sudoers", "-i", "/dev/stdin"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LabError(f"quorate sudoers failed: {done.stderr.strip()}")
    return done.stdout


def furnish(lab: Lab) -> None:
    """Give the hosts of Airflow this checkout's quorate, its DAG, and the key that hosts are asked with."""
    key, known = MONITOR_FILES
    wheel = environment.wheel(lab.folder)
    for name in (*names.HAPROXY, "scheduler-2", *names.NFS, *names.CELERY):
        machine = lab[name]
        environment.install_quorate(machine.rootfs, machine.upper, wheel)
        for path, file in ((key, lab.identity_file), (known, lab.known_hosts)):
            # The DAG's tasks run as Airflow's user, and ssh's own rule on key files does not bind quorate.
            identity.put(machine.upper, path, file.read_text(encoding="ascii"), mode=0o644)
    text = inventory(identity_file=str(lab.identity_file), known_hosts=str(lab.known_hosts))
    monitor_inventory(lab).write_text(text, encoding="utf-8")
    declared = inventory(identity_file=key, known_hosts=known)
    for name in names.NFS:
        disk = lab[name].disk(storage.SHARED)
        for path, said in airflow.dag_files(declared).items():
            identity.put(disk, path.removeprefix(storage.SHARED), said)


def monitor_inventory(lab: Lab) -> Path:
    """Return the file of the inventory for a monitor in the lab's network; only this cluster has one."""
    return lab.folder / "cluster.yaml"


def cluster() -> Lab:
    """Return the cluster, not up yet."""
    # Units of one host wait for those of others, so no host has started everything before all are up.
    return Lab(specs(), furnish=furnish, accepted=BOOTING)


def problems(lab: Lab) -> list[str]:
    """Return what is not well in the cluster, a sentence each, service by service."""
    with ThreadPoolExecutor(max_workers=len(PROBLEMS)) as pool:
        return [sentence for found in pool.map(lambda ask: ask(lab), PROBLEMS) for sentence in found]


def renew(lab: Lab) -> list[str]:
    """Start anew what the lab itself sees stuck, whatever a sweep says of it; return what that was."""
    return [renewed for ask in RENEWALS for renewed in ask(lab)]


def wait_until_well(
    lab: Lab, say: Callable[[str], None], bound: float = STARTING, patience: float = math.inf
) -> None:
    """Wait until every service is well; say now and then what is awaited.

    What is stuck for longer than `patience`, in seconds, is started anew.
    """
    began = time.monotonic()
    renewal = began + patience
    said = ""
    while left := problems(lab):
        if time.monotonic() > began + bound:
            raise LabError(f"not well after {bound:g} s: {'; '.join(left)}")
        if time.monotonic() > renewal:
            renewal += patience
            for renewed in renew(lab):
                say(f"{renewed} was stuck, and is started anew")
        if left[0] != said:
            said = left[0]
            say(f"{len(left)} to go: {said}")
        time.sleep(1.0)
