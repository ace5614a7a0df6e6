"""Which tasks a health DAG has, as data: what each is called, and which verdicts it holds."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from quorate.model import Group, Inventory, unit_id, upper_snake

Granularity = Literal["group", "host", "unit"]
GRANULARITIES: tuple[str, ...] = get_args(Granularity)

HOSTS_TASK = "check_hosts"
INVENTORY_TASK = "check_inventory"

_LONGEST_ID = 250  # of an Airflow task id
_OTHER = re.compile(r"[^A-Za-z0-9_.-]")


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckTask:
    """One check task: its id, the selectors of the verdicts that it holds, and what its failure is named by.

    `section` is the group or check that it belongs to; None for the hosts that belong to none.
    """

    task_id: str
    only: tuple[str, ...]
    subject: str
    section: str | None = None

    @property
    def failure_type(self) -> str:
        """The classification of this task's critical failure, such as `CRITICAL_NFS_FAILURE`."""
        return critical_failure(self.subject)


def critical_failure(subject: str) -> str:
    """Return the failure type of something critical about a group or check, or `host`, or `inventory`."""
    return f"CRITICAL_{upper_snake(subject)}_FAILURE"


def check_tasks(inventory: Inventory, granularity: Granularity = "group") -> tuple[CheckTask, ...]:
    """Return the check tasks of an inventory, in its order: groups, checks, hosts that are in neither.

    Together they hold every verdict that a sweep can give. A host's own verdict is held by each task of
    its groups, so that no group is green while one of its hosts can't be asked; where it is in no group, by
    the checks that it is a member of.
    """
    grouped = {host for group in inventory.groups.values() for host in group.hosts}
    tasks = [task for group in inventory.groups.values() for task in _of_group(group, granularity)]
    for check in inventory.checks.values():
        alone = [host for host in dict.fromkeys(check.hosts) if host not in grouped]
        only = (check.name, *(f"host/{host}" for host in alone))
        tasks.append(
            CheckTask(task_id=f"check_{check.name}", only=only, subject=check.name, section=check.name)
        )
    checked = {host for check in inventory.checks.values() for host in check.hosts}
    rest = tuple(f"host/{host}" for host in inventory.hosts if host not in grouped | checked)
    if rest:
        tasks.append(CheckTask(task_id=HOSTS_TASK, only=rest, subject="host"))
    return tuple(_with_valid_ids(tasks))


def _of_group(group: Group, granularity: Granularity) -> Iterator[CheckTask]:
    def task(parts: Sequence[str], only: Sequence[str]) -> CheckTask:
        return CheckTask(
            task_id="__".join([f"check_{group.name}", *parts]),
            only=tuple(only),
            subject=group.name,
            section=group.name,
        )

    # A selector of the whole group would match nothing where the group declares neither unit nor VIP.
    whole = [group.name] if group.units or group.virtual_ip else []
    hosts = [f"host/{host}" for host in group.hosts]
    vip = [f"{group.name}/vip"] if group.virtual_ip else []
    vip += [f"{group.name}/failover"] if group.active_passive else []
    if granularity == "group" or not whole:
        yield task([], [*whole, *hosts])
    elif granularity == "host":
        for host in group.hosts:
            units = [f"{group.name}/{host}"] if group.units else []
            yield task([host], [*units, f"host/{host}", *vip])
    else:
        if vip:
            # Where there are no units, nothing else tells that a host can't be asked.
            yield task(["vip"], [*vip, *([] if group.units else hosts)])
        for host in group.hosts:
            for unit in group.units:
                name = unit_id(unit)
                yield task([host, name], [f"{group.name}/{host}/{name}", f"host/{host}"])


def _with_valid_ids(tasks: Sequence[CheckTask]) -> Iterator[CheckTask]:
    """Yield the tasks with ids that Airflow takes, each once: `a@b` and `a_b` must not become one task."""
    taken: set[str] = set()
    for task in tasks:
        plain = _OTHER.sub("_", task.task_id)[:_LONGEST_ID]
        name, number = plain, 1
        while name in taken:
            number += 1
            end = f"_{number}"
            name = plain[: _LONGEST_ID - len(end)] + end
        taken.add(name)
        yield CheckTask(task_id=name, only=task.only, subject=task.subject, section=task.section)
