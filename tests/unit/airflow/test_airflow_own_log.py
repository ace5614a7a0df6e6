"""A task's own log: found by Airflow's configuration, put into words, and never a reason to fail."""

import json
import os
import time
from pathlib import Path

import pytest

from quorate.airflow import own_log as room
from quorate.airflow.log_lines import read_blocks
from quorate.airflow.own_log import own_log
from quorate.airflow.viewer import unbracketed
from quorate.evidence import make_mask
from quorate.model import Evidence, TaskInstance

TEMPLATE = (
    "dag_id={{ ti.dag_id }}/run_id={{ ti.run_id }}/task_id={{ ti.task_id }}/"
    "{% if ti.map_index >= 0 %}map_index={{ ti.map_index }}/{% endif %}"
    "attempt={{ try_number|default(ti.try_number) }}.log"
)
RUN = "manual__2026-11-22T18:34:59.876511+00:00"
TASK = TaskInstance(id="01a2048a", dag_id="ha_health", task_id="check_nfs", run_id=RUN, try_number=2)
MASK = make_mask(["hunter2"])


def line(event: str, *, second: int = 4, **more: object) -> str:
    stamp = f"2026-11-22T18:35:{second:02}.396310Z"
    own = {"dag_id": "ha_health", "ti_id": "01a2048a", "lineno": 7, "filename": "x.py"}
    return json.dumps({"timestamp": stamp, "level": "info", "event": event, "logger": "task", **own, **more})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for one try's log, where Airflow would have it; the configuration is not Airflow's own."""
    monkeypatch.setattr(room, "_configured", lambda: (str(tmp_path), TEMPLATE))
    below = tmp_path / "dag_id=ha_health" / f"run_id={RUN}" / "task_id=check_nfs"
    below.mkdir(parents=True)
    return below


def written(folder: Path, *lines: str, name: str = "attempt=2.log") -> None:
    (folder / name).write_text("".join(text + "\n" for text in lines))


def had(**options: object) -> Evidence:
    return own_log(TASK, **({"mask": MASK} | options))  # type: ignore[arg-type]  # options by name


def test_lines_have_time_level_logger_and_message(folder: Path) -> None:
    written(
        folder, line("✅ nfs-server: ACTIVE"), line("slow", second=5, level="warning", took=3.5, where="a b")
    )
    assert had().lines == (
        "2026-11-22T18:35:04.396310Z INFO task: ✅ nfs-server: ACTIVE",
        "2026-11-22T18:35:05.396310Z WARNING task: slow took=3.5 where=a b",
    )
    assert (had().source, had().error, had().truncated) == ("worker", None, False)


def test_an_operators_logger_is_its_class(folder: Path) -> None:
    written(
        folder, line("✅ lsyncd: ACTIVE", logger="airflow.task.operators.quorate.airflow.operators.Check")
    )
    assert had().lines[0].endswith(" INFO Check: ✅ lsyncd: ACTIVE")


def test_a_line_that_is_no_json_is_kept_without_a_bracket_at_its_start(folder: Path) -> None:
    written(
        folder, "Segmentation fault", "[2026-11-22 18:35] {x.py:7} INFO - old", "{broken", "[]", "null", "7"
    )
    assert had().lines == (
        "Segmentation fault",
        "· [2026-11-22 18:35] {x.py:7} INFO - old",
        "{broken",
        "· []",
        "null",
        "7",
    )


def test_the_folds_of_the_viewer_are_gone(folder: Path) -> None:
    written(folder, line("::group::Pre Execute"), line("a ::endgroup:: b"), line("::endgroup::"))
    shown = had().lines
    assert [text.rpartition("task: ")[2] for text in shown] == ["Pre Execute", "a :endgroup: b"]
    assert not any("::group::" in text or "::endgroup::" in text for text in shown)


def test_an_exception_reads_as_python_prints_it(folder: Path) -> None:
    frames = [{"filename": "/dags/x.py", "lineno": 12, "name": "execute"}]
    inner = {"exc_type": "OSError", "exc_value": "no hunter2", "is_cause": True, "frames": frames}
    outer = {
        "exc_type": "HealthCheckError",
        "exc_value": "two\nlines",
        "exc_notes": ["a note"],
        "frames": frames,
    }
    written(folder, line("Task failed", level="error", error_detail=[outer, inner]))
    assert had().lines == (
        "2026-11-22T18:35:04.396310Z ERROR task: Task failed",
        "    Traceback (most recent call last):",
        '      File "/dags/x.py", line 12, in execute',
        "    OSError: no ***",
        "    The above exception was the direct cause of the following exception:",
        "    Traceback (most recent call last):",
        '      File "/dags/x.py", line 12, in execute',
        "    HealthCheckError: two",
        "    lines",
        "    a note",
    )


def test_an_exception_during_another_and_a_group(folder: Path) -> None:
    group = {"exc_type": "ExceptionGroup", "exc_value": "many", "frames": [], "exceptions": []}
    group["exceptions"] = [[{"exc_type": "ValueError", "exc_value": "one", "frames": None}], "odd"]
    written(folder, line("x", error_detail=[group, {"exc_type": "KeyError", "exc_value": "", "frames": [3]}]))
    text = "\n".join(had().lines)
    assert "During handling of the above exception" in text
    assert "    KeyError\n" in text
    assert "ValueError: one" in text


def test_the_triggerers_part_is_in_its_place(folder: Path) -> None:
    written(folder, line("deferring", second=1), line("resumed", second=9))
    written(folder, line("swept", second=5), name="attempt=2.log.trigger.7.log")
    written(folder, line("of another try", second=5), name="attempt=1.log.trigger.7.log")
    written(folder, line("of another try", second=5), name="attempt=21.log")
    assert [text.rpartition(": ")[2] for text in had().lines] == ["deferring", "swept", "resumed"]


def test_only_the_triggerers_part_is_there(folder: Path) -> None:
    written(folder, line("swept"), name="attempt=2.log.trigger.7.log")
    assert len(had().lines) == 1


def test_a_mapped_task_and_a_name_that_is_a_pattern(tmp_path: Path, folder: Path) -> None:
    task = TaskInstance(id="x", dag_id="d*", task_id="t[0]", run_id="r?", map_index=3)
    below = tmp_path / "dag_id=d*" / "run_id=r?" / "task_id=t[0]" / "map_index=3"
    below.mkdir(parents=True)
    written(below, line("a", second=1), name="attempt=1.log")
    written(below, line("b", second=2), name="attempt=1.log.trigger.7.log")
    assert len(own_log(task, mask=MASK).lines) == 2


def test_the_last_lines_are_kept(folder: Path) -> None:
    written(folder, *(line(f"{n}\nmore", second=n % 60) for n in range(50)))
    assert [text.rpartition(" ")[2] for text in had(lines=3).lines] == ["more", "49", "more"]


def test_a_long_log_is_read_from_its_end_and_stays_small(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "TAIL_BYTES", 300_000)
    written(folder, *(line(f"{n} " + "x" * 6000) for n in range(400)))
    shown = had()
    assert shown.truncated
    assert shown.lines[-1].startswith("2026-11-22T18:35:04.396310Z INFO task: 399 xxx")
    assert "more characters left out" in shown.lines[-1]
    assert sum(len(text.encode()) + 1 for text in shown.lines) <= room.LIMIT_BYTES
    assert "only the last" in (shown.note or "")


def test_lines_are_cleaned_and_masked(folder: Path) -> None:
    written(folder, line("\x1b[31mred\x07 password=hunter2 \u202eevil", url="amqp://u:hunter2@h/"))
    assert had().lines == (
        "2026-11-22T18:35:04.396310Z INFO task: red password=*** evil url=amqp://u:***@h/",
    )


def test_the_inventorys_folder_wins(folder: Path, tmp_path: Path) -> None:
    written(folder, line("x"))
    assert had(base_log_folder=str(tmp_path)).lines
    elsewhere = had(base_log_folder="/nowhere")
    assert elsewhere.error is not None
    assert f"there is no file /nowhere/dag_id=ha_health/run_id={RUN}/" in elsewhere.error
    assert "base_log_folder" in elsewhere.error


def test_a_log_that_can_not_be_read(folder: Path) -> None:
    (folder / "attempt=2.log").mkdir()
    assert "attempt=2.log" in (had().error or "")
    (folder / "attempt=2.log").rmdir()
    os.mkfifo(folder / "attempt=2.log")
    assert "is not a regular file" in (had().error or "")


def test_a_mount_that_hangs_is_not_waited_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written(folder, line("x"))
    monkeypatch.setattr(room, "READ_SECONDS", 0.1)
    monkeypatch.setattr(room, "_tail", lambda _: time.sleep(1) or ("", False))
    began = time.monotonic()
    assert "could not be read within 0.1 s" in (had().error or "")
    assert time.monotonic() - began < 0.8


def test_whatever_reading_raises_is_told_as_what_it_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: str) -> tuple[str, bool]:
        raise RecursionError("hunter2")

    written(folder, line("x"))
    monkeypatch.setattr(room, "_tail", broken)
    assert had().error == "RecursionError while reading it"


@pytest.mark.parametrize("template", ["{{ ti.no_such }}", "{% nonsense", "{logical_date}", "{{ 1 / 0 }}"])
def test_a_template_that_needs_what_is_not_known(
    folder: Path, monkeypatch: pytest.MonkeyPatch, template: str
) -> None:
    monkeypatch.setattr(room, "_configured", lambda: ("/logs", template))
    assert "log_filename_template" in (had().error or "")


def test_a_template_of_the_old_form(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "_configured", lambda: (str(tmp_path), "{dag_id}/{task_id}/{try_number}.log"))
    (tmp_path / "ha_health" / "check_nfs").mkdir(parents=True)
    (tmp_path / "ha_health" / "check_nfs" / "2.log").write_text(line("x") + "\n")
    assert len(had().lines) == 1


def test_nothing_is_raised_where_airflow_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> tuple[str, str]:
        raise RuntimeError("hunter2")

    monkeypatch.setattr(room, "_configured", broken)
    assert had() == Evidence(source="worker", host=None, unit=None, error="RuntimeError while reading it")


@pytest.mark.parametrize(
    "text", ["[2026] x", "  [x", "[", "::group::a", "x ::endgroup::", "plain", "", "a [b]"]
)
def test_a_line_for_the_viewer(text: str) -> None:
    shown = unbracketed(text)
    assert not shown.lstrip().startswith("[")
    assert "::group::" not in shown
    assert "::endgroup::" not in shown
    assert unbracketed(shown) == shown
    if text in ("plain", "", "a [b]"):
        assert shown == text


def test_odd_json_is_read(folder: Path) -> None:
    odd = ['{"event": null}', '{"event": ["a"], "timestamp": "yesterday", "level": 3, "error_detail": 7}']
    odd += ['{"event": "e", "timestamp": "2026-11-22T18:35:04"}', "[" * 20_000, '{"event":"\\ud800"}']
    blocks = read_blocks("\n".join(odd))
    assert len(blocks) == len(odd)
    written(folder, *odd)
    assert len(had().lines) == len(odd)
