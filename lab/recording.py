"""Real answers of a real machine, written down as files for the tests that parse them."""

import base64
import json
import time
from collections.abc import Callable
from pathlib import Path

from lab.command import LabError
from lab.machine import Machine
from lab.recorded_questions import Recording, recordings
from lab.recorded_units import LIBRARY, SETUP, UNITS


def prepare(machine: Machine) -> None:
    """Put the units in place and bring them into their states; takes about five seconds."""
    for name, text in UNITS.items():
        machine.write_file(f"{LIBRARY}/{name}", text)
    shell(machine, SETUP)


def shell(machine: Machine, script: str) -> None:
    """Run shell lines as root inside; where they fail, that is part of what is recorded afterwards."""
    machine.run(["sh", "-c", script])


def enter(machine: Machine, phase: str) -> None:
    """Bring the machine into another part of its life, in which units block it for as long as is needed."""
    if phase == "stopping":
        shell(machine, "systemctl poweroff --no-block; sleep 1")
    else:
        shell(
            machine,
            f"systemctl add-wants multi-user.target {LIBRARY}/rec-blocking.service rec-queued.service",
        )
        machine.kill()
        machine.start()
        machine.wait_until_up(accepted=("starting",))
        time.sleep(1)


def answer(machine: Machine, recording: Recording) -> dict[str, object]:
    """Ask one question and return what is written down of it, as it is."""
    user = ("runuser", "-u", recording.user, "--") if recording.user else ()
    shell(machine, recording.before)
    for _ in range(recording.attempts):
        done = machine.run([*recording.wrapper, *user, *recording.argv])
        uptime = time.clock_gettime(time.CLOCK_BOOTTIME)
        if recording.until in done.stdout:
            break
    else:
        raise LabError(f"recording {recording.name}: {recording.until.decode()} was never seen")
    shell(machine, recording.after)
    return {
        "about": recording.about,
        "argv": list(recording.argv),
        **({"user": recording.user} if recording.user else {}),
        "exit_code": done.returncode,
        **as_json("stdout", done.stdout),
        **as_json("stderr", done.stderr),
        "uptime": round(uptime, 2),
    }


def as_json(name: str, data: bytes) -> dict[str, str]:
    """Return bytes as text where they are UTF-8, else under `<name>_base64`."""
    try:
        return {name: data.decode()}
    except UnicodeDecodeError:
        return {f"{name}_base64": base64.b64encode(data).decode()}


def record_all(machine: Machine, folder: Path, wanted: Callable[[str], bool]) -> list[str]:
    """Write the recordings whose name is wanted into `folder`, one file each, and return their names."""
    chosen = [recording for recording in recordings() if wanted(recording.name)]
    if chosen:
        prepare(machine)
    folder.mkdir(parents=True, exist_ok=True)
    phase = "up"
    for recording in chosen:
        if recording.phase != phase:
            phase = recording.phase
            enter(machine, phase)
        text = json.dumps(answer(machine, recording), indent=2, ensure_ascii=False)
        (folder / f"{recording.name}.json").write_text(f"{text}\n", encoding="utf-8")
    return [recording.name for recording in chosen]
