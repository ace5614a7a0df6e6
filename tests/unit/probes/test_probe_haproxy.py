"""The statistics of HAProxy: real tables, tables that are cut, shifted or no tables, and what they become."""

from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded_http import answer, page, reply

from quorate.model import Check, HttpReply, NoReply, Reason, Tls
from quorate.model.haproxy import HaproxyBackend, HaproxyFacts, HaproxyServer
from quorate.probes.haproxy import questions, read

ALL = MappingProxyType({"min_up": 1, "max_up": None, "served_by": None})
ROW = "pxname,svname,scur,qcur,status,type"


def check(*backends: str, **settings: object) -> Check:
    names = ("haproxy-1", "haproxy-2")
    members = tuple({"name": n, "address": f"192.0.2.{i}", "port": 7000} for i, n in enumerate(names, 1))
    values: dict[str, object] = {"members": members, "path": "/", "tls": None, "user": None, "timeout": 5.0}
    values["backends"] = dict.fromkeys(backends or ("write",), ALL)
    return Check(
        name="lb", kind="haproxy", hosts=names, members=names, settings=MappingProxyType(values | settings)
    )


def facts(table: str | bytes, *backends: str, status: int = 200) -> HaproxyFacts | NoReply:
    return read(check(*backends), "haproxy-1", reply(page(table, status)))


def table(*rows: str, header: str = ROW) -> str:
    if header == ROW and rows and not any(",BACKEND," in row for row in rows):
        rows = (*rows, "write,BACKEND,,,UP,1")
    return "\n".join((f"# {header}", *rows, ""))


def states(found: HaproxyFacts | NoReply, backend: str) -> dict[str, str]:
    assert isinstance(found, HaproxyFacts), found
    return {server.name: server.status for server in found.backends[backend].servers}


def test_every_balancer_is_asked_for_its_table() -> None:
    asks = questions(check(path="/haproxy?stats", timeout=2.0), {})
    assert list(asks) == ["haproxy-1", "haproxy-2"]
    ask = asks["haproxy-2"]
    assert (ask.host, ask.port, ask.timeout, ask.tls) == ("192.0.2.2", 7000, 2.0, None)
    assert [(r.method, r.path) for r in ask.requests] == [("GET", "/haproxy?stats;csv")]
    assert (ask.user, ask.password) == (None, None)


def test_a_login_and_tls_are_passed_on() -> None:
    ask = questions(check(user="u", tls=Tls(ca_file="/ca")), {"password": "p"})["haproxy-1"]
    assert (ask.user, ask.password, ask.tls) == ("u", "p", Tls(ca_file="/ca"))


def test_a_real_table() -> None:
    found = read(check("write", "read", "web"), "haproxy-1", reply("haproxy/nominal.haproxy-1.http"))
    assert states(found, "write") == {"postgresql-1": "UP", "postgresql-2": "DOWN", "postgresql-3": "DOWN"}
    assert isinstance(found, HaproxyFacts)
    assert found.backends["write"].up == ("postgresql-1",)
    assert (found.backends["write"].sessions, found.backends["write"].queue) == (8, 0)
    assert found.backends["read"].up == ("postgresql-2", "postgresql-3")
    assert found.backends["web"].up == ("haproxy-1", "haproxy-2")
    assert (found.others, found.duration) == (("statistics",), 0.02)


def test_a_real_table_without_a_server_that_is_up() -> None:
    found = read(check(), "haproxy-1", reply("haproxy/write-backend-empty.haproxy-1.http"))
    assert set(states(found, "write").values()) == {"MAINT"}
    assert isinstance(found, HaproxyFacts)
    assert found.backends["write"].up == ()


@pytest.mark.parametrize(
    ("status", "up", "checked"),
    [
        ("UP", True, True),
        ("UP 1/3", True, True),
        ("no check", True, False),
        ("DOWN", False, True),
        ("DOWN 1/2", False, True),
        ("DOWN (agent)", False, True),
        ("NOLB", False, True),
        ("NOLB 1/2", False, True),
        ("MAINT", False, True),
        ("MAINT (via write/postgresql-1)", False, True),
        ("MAINT (resolution)", False, True),
        ("DRAIN", False, True),
        ("DRAIN (agent)", False, True),
    ],
)
def test_the_words_of_haproxy(status: str, up: bool, checked: bool) -> None:
    found = facts(table(f"write,a,0,0,{status},2"))
    server = HaproxyServer(name="a", status=status, up=up, checked=checked)
    assert isinstance(found, HaproxyFacts)
    assert found.backends == {"write": HaproxyBackend(servers=(server,))}


def test_columns_are_found_by_name() -> None:
    moved = table(
        '2,"UP","a, with ""quotes""",more,write',
        "1,UP,BACKEND,,write",
        header="type,status,svname,new column,pxname",
    )
    assert states(facts(moved), "write") == {'a, with "quotes"': "UP"}
    without_type = table(
        "write,FRONTEND,OPEN", "write,a,UP", "write,BACKEND,UP", header="pxname,svname,status"
    )
    assert states(facts(without_type), "write") == {"a": "UP"}


def test_sockets_and_frontends_are_no_servers() -> None:
    rows = ("write,FRONTEND,,,OPEN,0", "write,sock-1,,,OPEN,3", "write,a,0,0,UP,2", "write,BACKEND,1,2,UP,1")
    found = facts(table(*rows))
    assert states(found, "write") == {"a": "UP"}
    assert isinstance(found, HaproxyFacts)
    assert (found.backends["write"].sessions, found.backends["write"].queue) == (1, 2)


def test_a_backend_that_is_not_there() -> None:
    found = facts(
        table("write,FRONTEND,,,OPEN,0", "read,a,0,0,UP,2", "empty,BACKEND,0,0,DOWN,1"), "write", "empty"
    )
    assert isinstance(found, HaproxyFacts)
    assert (list(found.backends), found.others) == (["empty"], ("read",))
    assert found.backends["empty"].servers == ()


def test_strange_rows_of_other_backends_cost_nothing() -> None:
    assert states(facts(table("other,b,x,y,PERHAPS,2", "write,a,0,0,UP,2")), "write") == {"a": "UP"}


WRONG = [
    ("", "it is empty"),
    ("\n\n", "it is empty"),
    ("<html><body><h1>503 Service Unavailable</h1>", "it begins with '<html>"),
    ('{"status": "ok"}', "not HAProxy's table: it begins with"),
    (table(), "the table has no rows"),
    (table("write,a,UP", header="pxname,svname,state"), "not one column status"),
    (table("write,a,UP,UP", header="pxname,svname,status,status"), "not one column status"),
    (table("write,a,0,0,UP,2", "write,b,0,0"), "row 3 of the table has 4 columns and not 6"),
    (table("write,a,b,0,0,UP,2"), "row 2 of the table has 7 columns and not 6"),
    (table('write,"a,0,0,UP,2', "write,b,0,0,UP,2"), "not a table"),
    (table("write,a,0,0,PERHAPS,2"), "the server 'a' has an unknown status: 'PERHAPS'"),
    (table("write,a,0,0,,2"), "unknown status: ''"),
    (table("write,a,0,0,up,2"), "unknown status: 'up'"),
    (table("write,a,0,0,UPSIDE DOWN,2"), "unknown status"),
    (table("write,a,0,0,UP \u0661/\u0663,2"), "unknown status"),
    (table("write,a,0,0,UP,2", "write,a,0,0,DOWN,2"), "'a' stands twice"),
    (table("write,,0,0,UP,2"), "no name of sensible length"),
    (table("write," + "a" * 300 + ",0,0,UP,2"), "no name of sensible length"),
    (table("write,a,0,0,UP,2", "write,BACKEND,-1,0,UP,1"), "scur of 'write' is not a number: '-1'"),
    (table("write,a,0,0,UP,2", "write,BACKEND,0,many,UP,1"), "qcur of 'write' is not a number: 'many'"),
    (table("write,a,0,0,UP,2", "write,BACKEND," + "9" * 5000 + ",0,UP,1"), "scur of 'write' is not a number"),
    (table("write,a,0,0," + "U" * 200_000 + ",2"), "not a table"),
    (b"# pxname,svname,status\n\xff\xfe,\x00,\x00\xff\n", None),
    (b"\xff\xfe" * 500, "not HAProxy's table"),
]


@pytest.mark.parametrize(("body", "said"), WRONG, ids=range(len(WRONG)))
def test_what_is_no_table_is_said_and_not_guessed(body: str | bytes, said: str | None) -> None:
    found = facts(body)
    if said is None:
        assert isinstance(found, HaproxyFacts)
        return
    assert isinstance(found, NoReply)
    assert (found.reason, found.answered, found.duration) == (Reason.UNPARSABLE, True, 0.02)
    assert found.detail.startswith("the statistics at /;csv: ")
    assert said in found.detail
    assert found.detail.isprintable()
    assert len(found.detail) < 300


@pytest.mark.parametrize("status", [401, 403])
def test_a_refused_login(status: int) -> None:
    found = facts("<h1>Unauthorized</h1>", status=status)
    assert isinstance(found, NoReply)
    assert (found.reason, found.answered) == (Reason.AUTH_FAILED, True)
    assert str(status) in found.detail


def test_another_status_is_no_table() -> None:
    whole = answer("haproxy/nominal.haproxy-1.http").body
    found = facts(whole, status=503)
    assert isinstance(found, NoReply)
    assert (found.reason, "the answer has the status 503" in found.detail) == (Reason.UNPARSABLE, True)


def test_a_table_cut_anywhere_is_never_half_a_backend() -> None:
    whole = answer("haproxy/nominal.haproxy-1.http").body
    complete = states(facts(whole), "write")
    lines = [i + 1 for i, byte in enumerate(whole) if byte == ord("\n")]
    for end in {*range(0, whole.index(b"read,FRONTEND"), 97), *lines}:
        found = facts(whole[:end])
        if isinstance(found, HaproxyFacts):
            assert not found.backends or states(found, "write") == complete


def test_no_answer_is_handed_through() -> None:
    nothing = NoReply(reason=Reason.TIMEOUT, detail="no answer within 5 s")
    assert read(check(), "haproxy-1", HttpReply(answers=(nothing,))) is nothing


@given(st.integers(0, 2000), st.binary(max_size=40), st.integers(0, 60))
def test_a_damaged_table_is_read_or_refused(at: int, put: bytes, taken: int) -> None:
    whole = answer("haproxy/nominal.haproxy-1.http").body
    found = facts(whole[:at] + put + whole[at + taken :], "write", "read")
    assert isinstance(found, HaproxyFacts) or (found.reason is Reason.UNPARSABLE and found.detail)
