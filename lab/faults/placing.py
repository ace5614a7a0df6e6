"""Putting faults in place and taking them away; what is in place is written down beside the lab."""

from pathlib import Path

from lab.command import LabError
from lab.faults import aftermath
from lab.faults.fault import Fault
from lab.lab import Lab


def put_in_place(lab: Lab, fault: Fault) -> None:
    """Do a fault's set-up, and return when everything holds that must.

    It is written down before anything is done, so that `take_away` finds it whatever happens.
    """
    note_of(lab, fault).touch()
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
    if fault.shakes_airflow:
        try:
            aftermath.forget_restarts(lab)
        except LabError as error:
            problems.append(str(error))
    if problems:  # it stays written down, so that it can be tried once more
        raise LabError(f"fault {fault.name} could not be undone: {'; '.join(problems)}")
    note_of(lab, fault).unlink(missing_ok=True)


def in_place(lab: Lab) -> list[str]:
    """Return the names of the faults that are in place, in the order in which they were put there."""
    notes = (lab.folder / "faults").glob("*")
    return [note.name for note in sorted(notes, key=lambda note: note.stat().st_mtime_ns)]


def note_of(lab: Lab, fault: Fault) -> Path:
    """Return the file that stands for a fault that is in place; faults come and go side by side."""
    folder = lab.folder / "faults"
    folder.mkdir(exist_ok=True)
    return folder / fault.name
