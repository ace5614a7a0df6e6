"""Where reports go: standard output, or files that are whole or not written at all."""

import difflib
import os
import shutil
import stat
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from quorate.cli import end_quietly
from quorate.cli.errors import CommandError, complain
from quorate.model import Report
from quorate.outputs import FORMATS
from quorate.outputs.text import render_text


@dataclass(frozen=True, kw_only=True, slots=True)
class Output:
    """A format, and the file that it goes to; None is standard output."""

    format: str
    file: Path | None = None


def parse_outputs(options: Sequence[str], known: Mapping[str, object]) -> list[Output]:
    """Return the outputs that `-o FORMAT[=FILE]` options ask for; text to standard output without any."""
    outputs = [_parse_output(option, known) for option in options] or [Output(format="text")]
    if sum(output.file is None for output in outputs) > 1:
        raise CommandError(
            "-o: one format at most can go to standard output; give the others a file: -o json=FILE"
        )
    files = [output.file.resolve() for output in outputs if output.file is not None]
    if len(set(files)) < len(files):
        raise CommandError("-o: two formats go to the same file; give each its own")
    for output in outputs:
        _check_writable(output)
    return outputs


def _parse_output(option: str, known: Mapping[str, object]) -> Output:
    name, separator, file = option.partition("=")
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
        raise CommandError(f"-o: there is no format {name!r}; {hint}")
    if separator and not file:
        raise CommandError(f"-o {option}: a file's name is missing after the equals sign")
    return Output(format=name, file=Path(file) if file else None)


def _check_writable(output: Output) -> None:
    # A name that cannot work is told before the sweep, not after it.
    if output.file is None:
        return
    if output.file.is_dir():
        raise CommandError(f"-o: cannot write {output.file}: it is a folder")
    folder = output.file.resolve().parent
    if not folder.is_dir():
        raise CommandError(f"-o: cannot write {output.file}: there is no folder {folder}")


def print_report(report: Report, outputs: Sequence[Output]) -> int | None:
    """Write a report to all its outputs; return an exit code if one could not be written, else None."""
    failed = None
    for output in sorted(outputs, key=lambda o: o.file is None):
        if output.file is None:
            failed = print_out(_to_terminal(report, output)) or failed
        else:
            failed = _write_file(output.file, FORMATS[output.format](report)) or failed
    return failed


def _to_terminal(report: Report, output: Output) -> str:
    if output.format != "text" or sys.stdout is None or not sys.stdout.isatty():
        return FORMATS[output.format](report)
    colour = not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    width = max(40, min(shutil.get_terminal_size((100, 24)).columns, 140))
    return render_text(report, colour=colour, width=width)


def print_out(text: str) -> int:
    """Write text to standard output as UTF-8; return 0, or the exit code of what went wrong."""
    if sys.stdout is None:
        # Python has no standard output where it was started with it closed.
        return complain("cannot write to standard output: it is closed")
    try:
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode("utf-8", "replace"))
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        return end_quietly()
    except OSError as error:
        end_quietly()
        return complain(f"cannot write to standard output: {error.strerror}")
    return 0


def _write_file(path: Path, text: str) -> int | None:
    try:
        target = path.resolve()
        if target.exists() and not target.is_file():
            # A pipe or a device cannot be replaced, only written to.
            target.write_bytes(text.encode("utf-8", "replace"))
        else:
            _replace(target, text.encode("utf-8", "replace"))
    except BrokenPipeError:
        return 141
    except OSError as error:
        return complain(f"-o: cannot write {path}: {error.strerror}; nothing of it was written")
    return None


def _replace(target: Path, content: bytes) -> None:
    draft = target.with_name(f".{target.name}.{os.getpid()}.tmp")
    try:
        with draft.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            draft.chmod(stat.S_IMODE(target.stat().st_mode))
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)
