"""The table of hosts: aligned, with totals of what is known, and nothing made up for what is not."""

import json

from quorate.model import Reason, State
from quorate.outputs.hosts_table import HostRow, HostsTable, render_json, render_text

WELL = HostRow(
    name="celery-1",
    address="192.0.2.199",
    state=State.OK,
    reason=Reason.OK,
    cores=8,
    memory_bytes=16 * 2**30,
)
HERE = HostRow(name="me", address=None, state=State.OK, reason=Reason.OK, cores=2, memory_bytes=2**30)
GONE = HostRow(
    name="ftp",
    address="192.0.2.164",
    state=State.CRITICAL,
    reason=Reason.HOST_UNREACHABLE,
    why="no route\x1b[31m to host",
)
MUTE = HostRow(name="old", address="192.0.2.9", state=State.OK, reason=Reason.OK, why="cores are not known")


def table(*hosts: HostRow, remark: str | None = None) -> HostsTable:
    return HostsTable(cluster="prod", hosts=hosts, remark=remark)


def test_hosts_in_columns_with_their_totals() -> None:
    assert render_text(table(WELL, HERE)).splitlines() == [
        "prod: 2 of 2 hosts answered",
        "",
        "host      address       cores    memory  state",
        "celery-1  192.0.2.199       8  16.0 GiB  ✅ answers",
        "me        this machine      2   1.0 GiB  ✅ answers",
        "2 hosts                    10  17.0 GiB  2 answered",
    ]


def test_what_is_not_known_is_in_no_total() -> None:
    lines = render_text(table(WELL, GONE, MUTE, remark="the monitor is cut off")).splitlines()
    assert lines[:2] == ["prod: 2 of 3 hosts answered", "the monitor is cut off"]
    assert lines[5].split()[:5] == ["ftp", "192.0.2.164", "?", "?", "❌"]
    assert lines[5].endswith("host unreachable (no route�[31m to host)")
    assert lines[6].endswith("✅ answers (cores are not known)")
    assert "at least 8" in lines[7]
    assert "at least 16.0 GiB" in lines[7]


def test_where_nothing_is_known_there_are_no_totals() -> None:
    assert render_text(table(GONE)).splitlines()[-1].split() == ["1", "host", "?", "?", "0", "answered"]


def test_colour_is_for_those_who_ask_for_it() -> None:
    assert "\x1b[31m" in render_text(table(GONE), colour=True)
    assert "\x1b" not in render_text(table(GONE))


def test_json_has_null_for_what_is_not_known() -> None:
    found = json.loads(render_json(table(WELL, GONE)))
    assert found["schema"] == "quorate.hosts/1"
    assert found["hosts"][1] == {
        "name": "ftp",
        "address": "192.0.2.164",
        "cores": None,
        "memory_bytes": None,
        "answered": False,
        "state": "critical",
        "reason": "host_unreachable",
        "detail": "no route�[31m to host",
    }
    assert found["totals"] == {
        "hosts": 2,
        "answered": 1,
        "cores": 8,
        "memory_bytes": 16 * 2**30,
        "complete": False,
    }
