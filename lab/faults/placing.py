"""Putting faults in place and taking them away; what is in place is written down beside the lab."""

import json

from lab.command import LabError
from lab.faults.fault import Fault
from lab.lab import Lab


def put_in_place(lab: Lab, fault: Fault) -> None:
    """Do a fault's set-up, and return when everything holds that must.

    It is written down before anything is done, so that `take_away` finds it whatever happens.
    """
    remember(lab, [*in_place(lab), fault.name])
    for step in fault.set_up:
        step.apply(lab)
    await_hold(lab, fault)


def await_hold(lab: Lab, fault: Fault) -> None:
    """Return when everything holds that a fault needs to count as in place."""
    for condition in fault.holds:
        try:
            condition.wait(lab)
        except LabError as error:
            raise LabError(f"fault {fault.name} is not in place: {error}") from error


def take_away(lab: Lab, fault: Fault) -> None:
    """Undo a fault, every step of it whatever an earlier one said; what failed is one error at the end."""
    problems = []
    for step in fault.undo:
        try:
            step.apply(lab)
        except LabError as error:
            problems.append(str(error))
    remember(lab, [name for name in in_place(lab) if name != fault.name])
    if problems:
        raise LabError(f"fault {fault.name} could not be undone: {'; '.join(problems)}")


def in_place(lab: Lab) -> list[str]:
    """Return the names of the faults that are in place, in the order in which they were put there."""
    try:
        names: list[str] = json.loads((lab.folder / "faults.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    return names


def remember(lab: Lab, names: list[str]) -> None:
    """Write down what is in place."""
    (lab.folder / "faults.json").write_text(json.dumps(names), encoding="utf-8")
