"""Which lines speak of a task instance: identifiers are fixed strings, bounded on both sides."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quorate.evidence import evidence_of_task, find_entries, make_mask
from quorate.evidence.task_logs import belongs, stands
from quorate.model import TaskInstance
from quorate.probes.journal import JournalEntry

START = datetime(2026, 11, 22, 18, 35, 4, 396310, tzinfo=UTC)
ID, CELERY, OTHER = (
    "01a2048a-43c7-7f33-b9d1-ba8fc5407208",
    "7f0e1c5a-9f7e-4ab4-9f0c-0a9f5a3a8f11",
    "0b6f0a44-55aa-4a57-8ad8-2f3d5d0d0b0b",
)
RUN = "manual__2026-11-22T18:34:59.876511+00:00"
TASK = TaskInstance(id=ID, dag_id="ha_health", task_id="check_nfs", run_id=RUN)
MAPPED = TaskInstance(id=ID, dag_id="ha_health", task_id="check_nfs", run_id=RUN, map_index=3)
WORKLOAD = (
    f"[{CELERY}] Executing workload in Celery: token='eyJ***' ti=TaskInstance(id=UUID('{ID}'), "
    "dag_version_id=UUID('01a2048a-0000-7000-8000-000000000000'), task_id='check_nfs', dag_id='ha_health')"
)


def entry(message: str, seconds: float = 0, source: str = "airflow-worker[9]") -> JournalEntry:
    return JournalEntry(time=START + timedelta(seconds=seconds), source=source, message=message)


def found(*messages: str, task: TaskInstance = TASK) -> list[str]:
    return [e.message for e in find_entries({"celery-1": [entry(m) for m in messages]}, task)]


# Lines as Airflow 3.3 and Celery 5 write them.


@pytest.mark.parametrize(
    "line",
    [
        f"2026-11-22 [info] PATCH /execution/task-instances/{ID}/run status_code=200",
        f"TaskInstance Finished: dag_id=other, ti_id={ID}, state=failed",
        f"Task finished workload_id={ID} final_state=failed",
        f'{{"event":"x","ti_id":"{ID}"}}',
        f"<TaskInstance: ha_health.check_nfs {RUN} [queued]>",
        f"TaskInstanceKey(dag_id='ha_health', task_id='check_nfs', run_id='{RUN}', map_index=-1)",
        f"dag_id=ha_health/run_id={RUN}/task_id=check_nfs/attempt=1.log",
        f"Marking run {RUN} of ha_health: task check_nfs.",
        f"ha_health: check_nfs failed in {RUN}: exit code 1",
        f"<TaskInstance: ha_health.check_nfs {RUN}: state queued>",
        f"ha_health.check_nfs {RUN}:",
        f"<TaskInstance: ha_health.other {RUN} [x]> before <TaskInstance: ha_health.check_nfs {RUN} [x]>",
        f"dag_id=ha_health task_id=check_nfs. run_id={RUN} upstream task_id=other",
        f"ha_health.check_nfs {RUN} external_task_id=other",
        f"task_id=other check_nfs ti_id={ID}",
    ],
)
def test_a_line_that_speaks_of_the_task_instance(line: str) -> None:
    assert belongs(line, TASK)


@pytest.mark.parametrize(
    "line",
    [
        "",
        "Adopting 0 orphaned tasks",
        f"ti_id={ID}0",
        f"ti_id=f{ID}",
        f"ti_id={ID}-2",
        f"ti_id={ID[:-1]}",
        f"<TaskInstance: ha_health.check_nfs_2 {RUN} [queued]>",
        f"<TaskInstance: ha_health.group.check_nfs {RUN} [queued]>",
        f"<TaskInstance: my.ha_health.check_nfs {RUN} [queued]>",
        f"<TaskInstance: ha_health.check_nfs {RUN}.2 [queued]>",
        f"<TaskInstance: ha_health.check_nfs {RUN}:00 [queued]>",
        f"<TaskInstance: ha_health.check_nfs re{RUN} [queued]>",
        "<TaskInstance: ha_health.check_nfs manual__2026-11-22T18:34:59.876511 00:00 [queued]>",
        "<TaskInstance: ha_health.check_nfs manual__2026-11-22T18:34:59x876511+00:00 [queued]>",
        f"<TaskInstance: ha_health.check_hosts {RUN} [queued]>",
        f"DAG run ha_health {RUN} finished",
        f"dag_id=ha_health task_id=other run_id={RUN} waits for check_nfs",
        f'{{"dag_id": "ha_health", "task_id": "other", "run_id": "{RUN}", "event": "check_nfs is done"}}',
        f'"{{\\"dag_id\\": \\"ha_health\\", \\"task_id\\": \\"other\\"}}" {RUN} check_nfs',
        f"TaskInstanceKey(dag_id='ha_health', task_id='check_nfs.2', run_id='{RUN}') check_nfs",
        f"<TaskInstance: ha_health.other {RUN} [queued]> after check_nfs",
        f"<TaskInstance: other.check_nfs {RUN} [queued]> triggered by ha_health, check_nfs",
        f"ha_health.check_nfs {RUN}:queued",
        "ha_health check_nfs",
    ],
)
def test_a_line_that_speaks_of_another_one(line: str) -> None:
    assert not belongs(line, TASK)


@pytest.mark.parametrize(
    ("told", "task", "belonging"),
    [
        ("", MAPPED, True),
        (" map_index=3", MAPPED, True),
        (' "map_index": 3', MAPPED, True),
        (" map_index=30", MAPPED, False),
        (" map_index=-1", MAPPED, False),
        (" map_index=3", TASK, False),
        (" map_index=-1", TASK, True),
    ],
)
def test_the_map_index_counts_where_it_is_told(told: str, task: TaskInstance, belonging: bool) -> None:
    assert belongs(f"<TaskInstance: ha_health.check_nfs {RUN}{told} [running]>", task) is belonging


@pytest.mark.parametrize("run", ["manual+1", "a(b", "x.*", "[a-z]+", "\\d", "run 1", "läuft", "a|b"])
def test_a_run_id_is_no_pattern(run: str) -> None:
    task = TaskInstance(id=ID, dag_id="d", task_id="t", run_id=run)
    assert belongs(f"d.t {run} x", task)
    assert not belongs("d.t xyz abc manual11 7 b", task)


def test_numbers_within_numbers_are_no_identifiers() -> None:
    assert not stands("job 1789012 done", "789", ".-")
    assert not stands("job 789012 done", "789", ".-")
    assert not stands("job 7-789 done", "789", ".-")
    assert stands("job 1789012, then 789 done", "789", ".-")
    assert stands("789", "789", ".-")
    assert not stands("anything", "", ".-")


# What Celery calls it.


def test_the_celery_id_that_a_worker_ties_to_the_task_instance() -> None:
    received = f"Task execute_workload[{CELERY}] received"
    succeeded = f"Task execute_workload[{CELERY}] succeeded in 4.2s: None"
    stranger = f"Task execute_workload[{OTHER}] received"
    assert found(received, stranger, WORKLOAD, succeeded) == [received, WORKLOAD, succeeded]


def test_a_celery_id_ties_lines_of_all_hosts() -> None:
    journals = {"celery-1": [entry(f"task {CELERY} sent")], "celery-2": [entry(WORKLOAD, 1)]}
    assert [e.source for e in find_entries(journals, TASK)] == [
        "celery-1 airflow-worker[9]",
        "celery-2 airflow-worker[9]",
    ]


def test_another_tasks_celery_id_ties_nothing() -> None:
    elsewhere = WORKLOAD.replace(ID, OTHER)
    assert found(elsewhere, f"Task execute_workload[{CELERY}] received") == []
    assert found(f"[{OTHER}] request PATCH {ID}", f"[{OTHER}] done") == [f"[{OTHER}] request PATCH {ID}"]


# Together.


def test_lines_of_all_hosts_stand_in_time_order_each_once() -> None:
    journals = {
        "scheduler-2": [entry(f"b {ID}", 2, "airflow-scheduler[7]"), entry(f"d {ID}", 4)],
        "haproxy-1": [entry(f"a {ID}", 1), entry(f"a {ID}", 1), entry(f"c {ID}", 3)],
    }
    shown = evidence_of_task(find_entries(journals, TASK), failed={}, lines=100, mask=make_mask([]))
    assert shown.lines == (
        f"2026-11-22T18:35:05.396310Z haproxy-1 airflow-worker[9]: a {ID}",
        f"2026-11-22T18:35:06.396310Z scheduler-2 airflow-scheduler[7]: b {ID}",
        f"2026-11-22T18:35:07.396310Z haproxy-1 airflow-worker[9]: c {ID}",
        f"2026-11-22T18:35:08.396310Z scheduler-2 airflow-worker[9]: d {ID}",
    )
    assert (shown.source, shown.host, shown.unit) == ("airflow", None, None)


def test_the_last_lines_are_kept_cleaned_and_masked() -> None:
    journals = {"celery-1": [entry(f"line {n} {ID} \x1b[31mhunter2\n[odd] two", n) for n in range(50)]}
    shown = evidence_of_task(find_entries(journals, TASK), failed={}, lines=5, mask=make_mask(["hunter2"]))
    assert [line.rpartition(": ")[2] for line in shown.lines] == [
        "[odd] two",
        f"line 48 {ID} ***",
        "[odd] two",
        f"line 49 {ID} ***",
        "[odd] two",
    ]
    assert all(line.startswith("2026-") for line in shown.lines)


def test_hosts_that_could_not_be_had_are_named_those_of_one_reason_together() -> None:
    failed = {"celery-1": "the sweep's time ended", "celery-2": "the sweep's time ended", "ftp": "hunter2"}
    shown = evidence_of_task((), failed=failed, lines=5, mask=make_mask(["hunter2"]))
    assert shown.error == "celery-1, celery-2: the sweep's time ended; ftp: ***"


def test_what_a_hostile_host_sends_stays_small() -> None:
    journals = {"celery-1": [entry(f"{ID} " + "x" * 100_000, n) for n in range(40)]}
    shown = evidence_of_task(find_entries(journals, TASK), failed={}, lines=100, mask=make_mask([]))
    assert sum(len(line.encode()) + 1 for line in shown.lines) <= 65536
    assert shown.truncated


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="a.-+:~_ 1\n", max_size=60), st.text(alphabet="a.-+:~_1", min_size=1, max_size=4))
def test_an_identifier_between_spaces_is_always_found(text: str, identifier: str) -> None:
    assert stands(f"{text} {identifier} {text}", identifier, ".-~:+") or identifier not in text
    assert not stands(f"x{identifier}x", identifier, ".-~:+") or identifier in f"x{identifier}"[:-1]


def test_searching_takes_linear_time() -> None:
    task = TaskInstance(id=ID, dag_id="-", task_id="-", run_id="-")
    assert not belongs("a-" * 150_000 + "a", task)
