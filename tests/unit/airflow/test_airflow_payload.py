"""Reports travel as plain data of bounded size, and come back as they were."""

import json
from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st
from made import failed, passive, report, verdict

from quorate.airflow.files import InventoryFile
from quorate.airflow.payload import (
    EVENT_BYTES,
    EventPayload,
    pack_report,
    report_without_lines,
    unpack_report,
)
from quorate.airflow.sweeping import Order, Swept, pack_order, pack_swept, unpack_order, unpack_swept
from quorate.model import DeclaredMaintenance, Evidence, Reason, State, TaskInstance


def test_a_report_comes_back_as_it_was():
    swept = report(
        failed(since=datetime(2026, 1, 1, tzinfo=UTC), notes=("a",), caused_by="host/nfs-1", detail="why"),
        passive(),
        verdict("nfs/vip", observed={"holders": ["nfs-1"]}),
        active_nodes={"nfs": "nfs-1"},
        only=("nfs",),
        maintenance=(
            DeclaredMaintenance(select="nfs", until=datetime(2026, 1, 1, 4, tzinfo=UTC), reason="disks"),
            DeclaredMaintenance(select="ftp", until=datetime(2025, 1, 1, tzinfo=UTC), expired=True),
        ),
    )
    assert unpack_report(json.loads(json.dumps(pack_report(swept)))) == swept


@given(
    st.lists(
        st.builds(
            lambda state, reason, notes: verdict("nfs/nfs-1/lsyncd", state, reason, notes=tuple(notes)),
            st.sampled_from(State),
            st.sampled_from(Reason),
            st.lists(st.text("abc_", min_size=1), max_size=2),
        ),
        max_size=4,
    )
)
def test_every_state_and_reason_comes_back(verdicts):
    assert unpack_report(pack_report(report(*verdicts))) == report(*verdicts)


def test_a_report_in_an_xcom_has_no_log_lines_but_says_that_there_were_logs():
    bare = report_without_lines(report(failed()))
    (evidence,) = bare["verdicts"][0]["evidence"]
    assert (evidence["unit"], evidence["lines"]) == ("lsyncd", [])
    assert "no space left" not in json.dumps(bare)


def test_log_lines_in_an_event_are_bounded_the_newest_stay():
    lines = tuple(f"{n} " + "x" * 1000 for n in range(2000))
    unit = failed(evidence=(Evidence(source="journal", host="nfs-1", unit="lsyncd", lines=lines),))
    packed = pack_report(report(unit, unit))
    assert len(json.dumps(packed)) < EVENT_BYTES + 10_000
    first, second = (v["evidence"][0] for v in packed["verdicts"])
    assert first["truncated"]
    assert first["lines"][-1].startswith("1999 ")
    assert second["lines"] == []


def test_an_event_is_written_to_a_log_in_a_few_words_and_travels_whole():
    packed = EventPayload(swept={"report": pack_report(report(failed()))}, file={"text": "name: x"})
    assert repr(packed) == "what was swept"
    assert repr(EventPayload(error="cluster.yaml: no such file")) == "an error"
    assert json.loads(json.dumps(packed)) == dict(packed)


def test_what_was_swept_comes_back():
    logs = Evidence(source="airflow", host=None, unit=None, lines=("a",), error="b")
    swept = Swept(report=report(failed()), selected=frozenset({"nfs/nfs-1/lsyncd"}), task_logs=logs)
    assert unpack_swept(json.loads(json.dumps(pack_swept(swept)))) == swept
    nothing = replace(swept, selected=None, task_logs=None)
    assert unpack_swept(pack_swept(nothing)) == nothing


def test_an_order_comes_back():
    order = Order(
        file=InventoryFile(source="/dags/cluster.yaml", text="name: x\n"),
        only=("nfs",),
        timeout=60.0,
        evidence=True,
        task=TaskInstance(id="0199", dag_id="d", task_id="t", run_id="r", map_index=3, try_number=2),
    )
    assert unpack_order(json.loads(json.dumps(pack_order(order)))) == order
