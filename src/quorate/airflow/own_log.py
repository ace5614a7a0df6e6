"""The log of the running task itself, as Airflow writes it on the worker: JSON lines in a file a try.

dag_id=ha_health/run_id=manual__…/task_id=check_nfs/attempt=1.log                  the task's process
dag_id=ha_health/run_id=manual__…/task_id=check_nfs/attempt=1.log.trigger.7.log    the triggerer's part
"""

import glob
import os
import stat
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import SimpleNamespace

from quorate.airflow.in_time import OutOfTimeError, in_time
from quorate.airflow.log_lines import Block, read_blocks
from quorate.airflow.viewer import unbracketed
from quorate.evidence import Mask, clean_text
from quorate.model import Evidence, TaskInstance

TAIL_BYTES = 1024 * 1024
"""How much is read of each file, from its end."""
LIMIT_BYTES = 65536
LINE_LIMIT = 4096
READ_SECONDS = 5.0
"""How long the file may take to be read: logs often lie on a network mount, which may hang."""
_MOST_PARTS = 8


class _LogError(Exception):
    """The log can't be had; the message says why."""


def own_log(
    task: TaskInstance, *, base_log_folder: str | None = None, lines: int = 200, mask: Mask
) -> Evidence:
    """Return the last lines of this try's own log, those of the triggerer among them, in time order.

    Where the file is, Airflow's configuration says ([logging] base_log_folder, log_filename_template);
    `base_log_folder` replaces the folder. Lines are such as `2026-11-22T18:35:04.396310Z INFO task: message`.
    Nothing is raised: a log that can't be had, or not within READ_SECONDS, is the evidence's `error`.
    """
    try:
        path = _path(task, base_log_folder)
        blocks, cut = _within(READ_SECONDS, lambda: _read(path))
    except _LogError as error:
        return Evidence(source="worker", host=None, unit=None, error=_sentence(str(error), mask))
    except Exception as error:  # noqa: BLE001  no fault in reading a log may hide what the task found
        return Evidence(
            source="worker", host=None, unit=None, error=f"{type(error).__name__} while reading it"
        )
    kept, left_out, shortened = _newest(blocks, lines, mask)
    note = f"read from {path}" if not cut else f"read from {path}, only the last {TAIL_BYTES // 1024} KiB"
    return Evidence(
        source="worker",
        host=None,
        unit=None,
        lines=tuple(kept),
        truncated=left_out or shortened,
        note=_sentence(note, mask),
    )


def _path(task: TaskInstance, folder: str | None) -> Path:
    configured, template = _configured()
    return Path(os.path.expanduser(folder or configured)) / _rendered(template, task)  # noqa: PTH111  Path's own raises


def _configured() -> tuple[str, str]:
    """Return Airflow's log folder and the template of a log's name below it, as a task may read them."""
    from airflow.sdk.configuration import conf  # noqa: PLC0415  nothing here is needed to parse a DAG

    return conf.get("logging", "base_log_folder"), conf.get("logging", "log_filename_template")


def _rendered(template: str, task: TaskInstance) -> str:
    """Return the file's name below the log folder, as Airflow renders it for a running task."""
    try:
        if "{{" not in template:
            return template.format(
                dag_id=task.dag_id, task_id=task.task_id, run_id=task.run_id, try_number=task.try_number
            )
        import jinja2  # noqa: PLC0415  comes with Airflow

        ti = SimpleNamespace(
            id=task.id,
            dag_id=task.dag_id,
            task_id=task.task_id,
            run_id=task.run_id,
            map_index=task.map_index,
            try_number=task.try_number,
        )
        undefined = jinja2.StrictUndefined
        # As Airflow: plain text comes out, no page, and the template is the operator's own.
        return jinja2.Environment(undefined=undefined, autoescape=False).from_string(template).render(ti=ti)  # noqa: S701
    except Exception as error:  # noqa: BLE001  a template is a program: it may raise anything
        what = f"log_filename_template needs what a running task does not know ({type(error).__name__})"
        raise _LogError(what) from None


def _within(seconds: float, read: Callable[[], tuple[list[Block], bool]]) -> tuple[list[Block], bool]:
    """Return what reading brings; _LogError where it fails or takes longer."""
    try:
        return in_time(seconds, read)
    except OutOfTimeError:
        what = f"it could not be read within {seconds:g} s; its folder may be on a mount that hangs"
        raise _LogError(what) from None
    except OSError as error:
        raise _LogError(f"{error.filename}: {error.strerror}") from None


def _read(path: Path) -> tuple[list[Block], bool]:
    """Return what the parts of a log hold, in time order, and whether a part was longer than is read."""
    parts = sorted(glob.glob(f"{glob.escape(str(path))}.trigger.*.log"))[-_MOST_PARTS:]  # noqa: PTH207  of a name that may hold anything
    if path.exists():
        parts.insert(0, str(path))
    if not parts:
        hint = "set airflow: {base_log_folder: …} in the inventory if it lies elsewhere"
        raise _LogError(f"there is no file {path}; {hint}")
    blocks: list[Block] = []
    cut = False
    for part in parts:
        text, from_the_middle = _tail(part)
        blocks += read_blocks(text)
        cut = cut or from_the_middle
    return sorted(blocks, key=lambda block: block.time), cut


def _tail(path: str) -> tuple[str, bool]:
    """Return the last TAIL_BYTES of a file from the start of a line on, and whether that is not all."""
    number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    status = os.fstat(number)
    if not stat.S_ISREG(status.st_mode):
        os.close(number)
        raise _LogError(f"{path} is not a regular file")
    with os.fdopen(number, "rb") as file:
        start = max(0, status.st_size - TAIL_BYTES)
        file.seek(start)
        data = file.read(TAIL_BYTES)
    if start:
        data = data.partition(b"\n")[2]
    return data.decode("utf-8", "replace"), start > 0


def _newest(blocks: Sequence[Block], lines: int, mask: Mask) -> tuple[list[str], bool, bool]:
    """Return the last lines that fit, oldest first; whether bytes left some out; whether one was cut."""
    kept: list[str] = []
    left, shortened = LIMIT_BYTES, False
    for block in reversed(blocks):
        for line in reversed(_shown(block, mask)):
            if len(kept) == lines:
                return kept[::-1], False, shortened
            more = len(line) - LINE_LIMIT
            shown = f"{line[:LINE_LIMIT]} … ({more} more characters left out)" if more > 0 else line
            left -= len(shown.encode()) + 1
            if left < 0:
                return kept[::-1], True, shortened
            shortened = shortened or more > 0
            kept.append(shown)
    return kept[::-1], False, shortened


def _shown(block: Block, mask: Mask) -> list[str]:
    """Return a message's lines, cleaned and masked as a whole, those behind the first one set in."""
    first, *rest = mask(clean_text(block.text)).rstrip("\n").split("\n")
    return [unbracketed(line) for line in (f"{block.prefix}{first}".rstrip(), *_set_in(rest))]


def _set_in(lines: Iterable[str]) -> list[str]:
    return [f"    {line}".rstrip() for line in lines]


def _sentence(text: str, mask: Mask) -> str:
    return " ".join(mask(clean_text(text)).split())
