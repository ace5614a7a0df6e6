"""Builds a simulated unit from what a scenario says of it: the state's words, the program's own, and ages."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from quorate.simulation.data import load_yaml
from quorate.simulation.durations import seconds
from quorate.simulation.state import JournalLine, SimulatedUnit

RESTART_MESSAGE = "5eb03494b6584870a536b337290809b3"
"""The message id of a restart that systemd scheduled; source: sd-messages.h."""

_RESTARTS_KEPT = 200
"""How many restarts a journal still holds."""

_KEYS = frozenset(
    [
        "state",
        "age",
        "ran",
        "status",
        "properties",
        "journal",
        "restarts",
        "triggered_by",
        "alias",
        "answered",
        "description",
    ]
)
_STATUS_NAMES = {1: "FAILURE", 2: "INVALIDARGUMENT", 9: "KILL", 15: "TERM", 203: "EXEC", 255: "EXCEPTION"}
_JOB_IDS = {"start": "4711", "stop": "4712", "reload": "4713"}


def full_name(unit: str) -> str:
    """Return the name with its suffix, as systemctl completes it."""
    return unit if "." in unit else f"{unit}.service"


def build_unit(name: str, spec: str | Mapping[str, Any], *, host: str, address: str) -> SimulatedUnit:
    """Return a unit as `spec` describes it; a bare duration means that it has run for so long.

    Keys of a spec: `state` (a word of states.yaml), `age` since that state set in, `ran` before it, `status`
    (exit status or signal), `properties` (systemctl's words, which win), `journal` (lines of the program,
    before the state set in where it ended with it), `restarts` ({count, every}), `triggered_by`, `alias`,
    `answered`, `description`. ValueError for any other key or state.
    """
    if isinstance(spec, str):
        spec = {"age": spec}
    if unknown := set(spec) - _KEYS:
        raise ValueError(f"{name}: {', '.join(sorted(unknown))} is nothing that a unit has")
    word = spec.get("state", "running")
    state = load_yaml("states.yaml").get(word)
    if state is None:
        raise ValueError(f"{name}: {word!r} is no state that states.yaml knows")
    program = load_yaml("programs.yaml").get(name.removesuffix(".service"), {})
    unit = full_name(name)
    age, ran = seconds(spec.get("age", "1h")), seconds(spec.get("ran", "2h"))
    words = _words(unit, spec, program)
    ages = dict.fromkeys(state.get("at", ()), age) | dict.fromkeys(state.get("before", ()), age + ran)
    lines = [
        *_program_lines(spec, program, state, age=age, ran=ran, pid=_pid(unit, host)),
        *_state_lines(state, words, age),
        *_restart_lines(spec, words, age if state.get("runs") else age + ran),
    ]
    place = {"host": host, "address": address}
    return SimulatedUnit(
        name=unit,
        template=state.get("template", "service"),
        properties=_properties(unit, spec, program, state, words) | _pids(state, _pid(unit, host)),
        ages=ages,
        journal=tuple(sorted((_placed(line, place) for line in lines), key=lambda line: -line.age)),
        answered=spec.get("answered", True),
    )


def _words(unit: str, spec: Mapping[str, Any], program: Mapping[str, Any]) -> dict[str, str]:
    status = int(spec.get("status", 1))
    return {
        "unit": unit,
        "description": spec.get("description", program.get("description", unit)),
        "status": str(status),
        "status_name": _STATUS_NAMES.get(status, "n/a"),
    }


def _properties(
    unit: str,
    spec: Mapping[str, Any],
    program: Mapping[str, Any],
    state: Mapping[str, Any],
    words: Mapping[str, str],
) -> dict[str, str]:
    found = {"Id": unit, "Names": " ".join([unit, *map(full_name, spec.get("alias", ()))])}
    if state.get("template", "service") == "not-found":
        found |= {
            "Description": unit,
            "LoadError": f'org.freedesktop.systemd1.NoSuchUnit "Unit {unit} not found."',
        }
    else:
        found |= {
            "User": "",
            "Restart": "no",
            "RestartUSec": "100ms",
            "Description": words["description"],
            "FragmentPath": f"/lib/systemd/system/{unit}",
            "ControlGroup": f"/system.slice/{unit}",
            **program.get("properties", {}),
        }
    found |= {key: text.format_map(words) for key, text in state.get("properties", {}).items()}
    if "restarts" in spec:
        found["NRestarts"] = str(spec["restarts"]["count"])
    if "triggered_by" in spec:
        found["TriggeredBy"] = " ".join(spec["triggered_by"])
    if "job" in state:
        found["Job"] = _JOB_IDS[state["job"]]
    return found | {key: str(value) for key, value in spec.get("properties", {}).items()}


def _pids(state: Mapping[str, Any], pid: int) -> dict[str, str]:
    return {"MainPID": str(pid), "ExecMainPID": str(pid)} if state.get("runs") else {}


def _pid(unit: str, host: str) -> int:
    return random.Random(f"{host}/{unit}").randint(700, 9000)  # noqa: S311  no secret: a number that stays the same


def _program_lines(
    spec: Mapping[str, Any],
    program: Mapping[str, Any],
    state: Mapping[str, Any],
    *,
    age: float,
    ran: float,
    pid: int,
) -> Iterator[JournalLine]:
    # What a program said lies within the time that it ran: until now, or until its state set in.
    runs = state.get("runs", False)
    earlier = program.get("journal", ()) if runs or "before" in state else ()
    limit = (age + ran if "before" in state else age) if runs else ran
    for entry in [*earlier, *spec.get("journal", ())]:
        before, text, priority = entry if len(entry) == 3 else (*entry, 6)
        if entry in earlier and seconds(before) >= limit:
            continue
        yield JournalLine(
            age=seconds(before) + (0 if runs else age),
            text=bytes(text) if isinstance(text, list) else text,
            priority=priority,
            identifier=program.get("identifier", "sh"),
            pid=pid,
            manager=False,
        )


def _state_lines(state: Mapping[str, Any], words: Mapping[str, str], age: float) -> Iterator[JournalLine]:
    for before, priority, text in state.get("journal", ()):
        yield JournalLine(age=age + before, text=text.format_map(words), priority=priority)


def _restart_lines(
    spec: Mapping[str, Any], words: Mapping[str, str], restarted: float
) -> Iterator[JournalLine]:
    if "restarts" not in spec:
        return
    count, every = spec["restarts"]["count"], seconds(spec["restarts"]["every"])
    unit, status = words["unit"], f"{words['status']}/{words['status_name']}"
    for back in range(min(count, _RESTARTS_KEPT)):
        at, number = restarted + back * every, str(count - back)
        ended = f"{unit}: Main process exited, code=exited, status={status}"
        yield JournalLine(age=at + 5.001, text=ended, priority=5)
        yield JournalLine(age=at + 5, text=f"{unit}: Failed with result 'exit-code'.", priority=4)
        yield JournalLine(
            age=at + 0.002,
            text=f"{unit}: Scheduled restart job, restart counter is at {number}.",
            fields={"MESSAGE_ID": RESTART_MESSAGE, "N_RESTARTS": number},
        )
        yield JournalLine(age=at + 0.001, text=f"Stopped {unit} - {words['description']}.")
        if back:
            yield JournalLine(age=at, text=f"Started {unit} - {words['description']}.")


def _placed(line: JournalLine, place: Mapping[str, str]) -> JournalLine:
    if line.manager or isinstance(line.text, bytes):
        return line
    # The line's own time stays open until it is asked for; braces of the program's own are left alone.
    text = line.text
    for key, value in place.items():
        text = text.replace(f"{{{key}}}", value)
    return replace(line, text=text)
