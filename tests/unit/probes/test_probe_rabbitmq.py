"""The management API of RabbitMQ: what is asked, what real nodes answer, and what hostile ones do."""

import json
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from recorded_http import CASES, page

from quorate.model import AmqpAsk, AmqpReply, Check, HttpAnswer, HttpAsk, HttpReply, NoReply, Reason, Tls
from quorate.model.rabbitmq import ManagementFacts, RabbitAlarm, RabbitNode
from quorate.probes.rabbitmq import questions, read

NAMES = ("rabbit-1", "rabbit-2", "rabbit-3")
OK = page('{"status": "ok"}')
OWN = page('{"node": "rabbit@rabbit-1"}')
LATE = NoReply(reason=Reason.TIMEOUT, detail="no answer within 5 s", answered=True)
MISSING = page('{"error":"Object Not Found","reason":"Not Found"}', 404)
REFUSED = page('{"error":"not_authorised","reason":"Not monitor user"}', 401)


def check(**settings: object) -> Check:
    members = tuple({"name": n, "address": f"192.0.2.{i}", "port": 5672} for i, n in enumerate(NAMES, 1))
    values: dict[str, object] = {"members": members, "vhost": "/", "user": "u", "timeout": 5.0}
    values |= {"depth": "connect", "quorum": None}
    return Check(
        name="mq", kind="rabbitmq", hosts=NAMES, members=NAMES, settings=MappingProxyType(values | settings)
    )


def managed(**settings: object) -> Check:
    management = {"port": 15672, "user": "m", "timeout": 3.0}
    return check(**({"management": management, "management_tls": None} | settings))


def node(name: str = "rabbit@rabbit-1", **values: object) -> dict[str, object]:
    return {"name": name, "running": True, "partitions": [], "mem_alarm": False} | values


def facts(
    nodes: Any = None,
    overview: HttpAnswer | NoReply = OWN,
    alarms: HttpAnswer | NoReply = OK,
    queues: HttpAnswer | NoReply = OK,
) -> ManagementFacts | NoReply:
    first = nodes if isinstance(nodes, HttpAnswer | NoReply) else page(json.dumps(nodes or [node()]))
    answers = (first, overview, alarms, queues)
    found = read(managed(), "rabbit-1/management", HttpReply(answers=answers, duration=0.02))
    assert isinstance(found, ManagementFacts | NoReply)
    return found


def had(*given: Any, **more: Any) -> ManagementFacts:
    found = facts(*given, **more)
    assert isinstance(found, ManagementFacts), found
    return found


def test_without_a_management_section_only_logins_are_asked() -> None:
    asks = questions(check(), {"password": "p"})
    assert list(asks) == list(NAMES)
    assert all(isinstance(ask, AmqpAsk) for ask in asks.values())


def test_with_one_each_member_is_asked_twice() -> None:
    asks = questions(managed(), {"password": "p"})
    assert list(asks) == [*NAMES, *(f"{name}/management" for name in NAMES)]
    ask = asks["rabbit-2/management"]
    assert isinstance(ask, HttpAsk)
    assert (ask.host, ask.port, ask.timeout, ask.tls) == ("192.0.2.2", 15672, 3.0, None)
    assert (ask.user, ask.password) == ("m", "p")
    assert [request.path for request in ask.requests] == [
        "/api/nodes?columns=name,running,partitions,mem_alarm,disk_free_alarm,being_drained",
        "/api/overview?columns=node",
        "/api/health/checks/alarms",
        "/api/health/checks/node-is-quorum-critical",
    ]
    assert {request.method for request in ask.requests} == {"GET"}


def test_the_management_api_may_have_a_password_and_tls_of_its_own() -> None:
    secrets = {"password": "p", "management_password": "q"}
    ask = questions(managed(management_tls=Tls(verify=False)), secrets)["rabbit-1/management"]
    assert isinstance(ask, HttpAsk)
    assert (ask.password, ask.tls) == ("q", Tls(verify=False))


def test_a_login_needs_no_reading() -> None:
    reply = AmqpReply(product="RabbitMQ", version="3.10.8")
    assert read(managed(), "rabbit-1", reply) is reply


def recorded(situation: str, member: str) -> ManagementFacts:
    answers = json.loads((CASES / "rabbitmq" / f"{situation}.json").read_text())[member]
    pages = [page(json.dumps(answer["body"]), answer["status"]) for answer in answers]
    return had(*pages)


def test_a_real_node_of_a_healthy_cluster() -> None:
    nodes = tuple(RabbitNode(name=f"rabbit@{name}", running=True, alarms=()) for name in NAMES)
    assert recorded("nominal", "rabbit-2") == ManagementFacts(
        nodes=nodes, node="rabbit@rabbit-2", alarms=(), queues=(), duration=0.02
    )


def test_a_real_node_that_sees_another_one_stopped() -> None:
    found = recorded("app-stopped", "rabbit-1")
    assert isinstance(found.nodes, tuple)
    assert found.nodes[2] == RabbitNode(name="rabbit@rabbit-3", running=False)
    assert isinstance(found.queues, tuple)
    assert found.queues[:2] == ("celery_delayed_14", "celery_delayed_8")


def test_a_real_memory_alarm() -> None:
    found = recorded("memory-alarm", "rabbit-3")
    assert isinstance(found.nodes, tuple)
    assert [n.alarms for n in found.nodes] == [("memory",), (), ()]
    assert found.alarms == (RabbitAlarm(node="rabbit@rabbit-1", resource="memory"),)


def test_partitions_and_maintenance_as_versions_tell_them() -> None:
    nodes = [node(partitions=["rabbit@rabbit-3"], being_drained=True, disk_free_alarm=True)]
    assert had(nodes).nodes == (
        RabbitNode(
            name="rabbit@rabbit-1",
            running=True,
            partitions=("rabbit@rabbit-3",),
            alarms=("disk",),
            drained=True,
        ),
    )
    without_statistics = [{"name": "rabbit@rabbit-1", "running": True}]
    assert had(without_statistics).nodes == (RabbitNode(name="rabbit@rabbit-1", running=True),)


def test_a_check_that_an_old_version_lacks_is_no_failure() -> None:
    found = had(alarms=MISSING, queues=MISSING)
    assert (found.alarms, found.queues) == (None, None)


def test_what_is_slow_costs_only_itself() -> None:
    found = had(None, LATE, LATE, LATE)
    assert isinstance(found.nodes, tuple)
    assert (found.node, found.alarms, found.queues) == (None, LATE, LATE)
    found = had(LATE, OWN, OK, OK)
    assert (found.nodes, found.alarms) == (LATE, ())


def test_where_nothing_is_told_there_are_no_facts() -> None:
    assert facts(LATE, LATE, LATE, LATE) is LATE
    refused = facts(REFUSED, REFUSED, REFUSED, REFUSED)
    assert isinstance(refused, NoReply)
    assert (refused.reason, refused.answered) == (Reason.AUTH_FAILED, True)
    assert refused.detail.startswith("GET /api/nodes: the user is refused (status 401): ")
    assert "Not monitor user" in refused.detail


def test_a_user_who_may_not_see_the_nodes_may_see_alarms() -> None:
    failed = {"status": "failed", "alarms": [{"node": "rabbit@rabbit-1", "resource": "disk"}]}
    found = had(REFUSED, OWN, page(json.dumps(failed), 503), OK)
    assert isinstance(found.nodes, NoReply)
    assert found.alarms == (RabbitAlarm(node="rabbit@rabbit-1", resource="disk"),)


NO_LISTS: list[tuple[str | bytes, str]] = [
    ("", "it is empty"),
    ("<html>management</html>", "not JSON: it begins with '<html>"),
    ("{}", "not a list but an object"),
    ("[]", "no node is listed"),
    ("[" * 100_000, "nested too deeply"),
    ('[{"name": "a@b", "name": "a@c", "running": true}]', "stands twice"),
    (json.dumps([5]), "not an object but a number: 5"),
    (json.dumps([{"running": True}]), "has no 'name'"),
    (json.dumps([node(5)]), "'name' is not text"),  # type: ignore[arg-type]  # what a liar sends
    (json.dumps([node("")]), "'name' is empty or too long"),
    (json.dumps([node("n" * 400)]), "'name' is empty or too long"),
    (json.dumps([{"name": "a@b"}]), "has no 'running'"),
    (json.dumps([node(running="true")]), "'running' is not true or false but text: 'true'"),
    (json.dumps([node(running=1)]), "'running' is not true or false but a number: 1"),
    (json.dumps([node(running=None)]), "'running' is not true or false but null"),
    (json.dumps([node(mem_alarm="no")]), "'mem_alarm' is not true or false"),
    (json.dumps([node(being_drained={})]), "'being_drained' is not true or false but an object"),
    (json.dumps([node(partitions="a@b")]), "'partitions' is not a list"),
    (json.dumps([node(partitions=[1])]), "'partitions' is not text"),
    (json.dumps([node(), node()]), "a node is listed twice"),
    (b'[{"name": "\xff", "running": true}]', "not JSON"),
]


@pytest.mark.parametrize(("body", "said"), NO_LISTS, ids=range(len(NO_LISTS)))
def test_what_is_no_list_is_said_and_not_guessed(body: str | bytes, said: str) -> None:
    found = had(page(body))
    assert isinstance(found.nodes, NoReply)
    assert (found.nodes.reason, found.nodes.answered) == (Reason.UNPARSABLE, True)
    assert found.nodes.detail.startswith("GET /api/nodes: ")
    assert said in found.nodes.detail
    assert found.nodes.detail.isprintable()


@pytest.mark.parametrize("status", [200, 503])
@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("<h1>503 Service Unavailable</h1>", "not JSON"),
        ("[]", "not an object but a list"),
        ("{}", "has no 'status'"),
        ('{"status": true}', "'status' is not text"),
        ('{"status": "fine"}', "'status' is neither ok nor failed: 'fine'"),
        ('{"status": "failed"}', "has no "),
        ('{"status": "failed", "alarms": [], "queues": []}', "failed, and no "),
        ('{"status": "failed", "alarms": [1], "queues": [1]}', "not an object but a number"),
        ('{"status": "failed", "alarms": [{}], "queues": [{}]}', "has no "),
        ('{"status": "failed", "alarms": {}, "queues": {}}', "is not a list"),
    ],
)
def test_a_health_check_that_can_not_be_read(body: str, said: str, status: int) -> None:
    found = had(None, OWN, page(body, status), page(body, status))
    for part, path in ((found.alarms, "alarms"), (found.queues, "node-is-quorum-critical")):
        assert isinstance(part, NoReply)
        assert part.reason is Reason.UNPARSABLE
        assert part.detail.startswith(f"GET /api/health/checks/{path}: ")
        assert said in part.detail


def test_other_states_of_a_health_check() -> None:
    found = had(None, OWN, page("oops", 500), REFUSED)
    assert isinstance(found.alarms, NoReply)
    assert found.alarms.reason is Reason.UNEXPECTED_STATUS
    assert isinstance(found.queues, NoReply)
    assert found.queues.reason is Reason.AUTH_FAILED


def test_what_is_no_queue_has_a_name_for_people() -> None:
    found = had(queues=page('{"status":"failed","queues":[{"readable_name":"coordinator"}]}', 503))
    assert found.queues == ("coordinator",)


@pytest.mark.parametrize("body", ["", "{", '{"node": 5}', '{"node": ""}', "[]", "{}", '{"node": null}'])
def test_a_name_that_is_not_told(body: str) -> None:
    found = had(None, page(body))
    assert found.node is None
    assert isinstance(found.nodes, tuple)


def test_fewer_answers_than_questions() -> None:
    found = read(managed(), "rabbit-1/management", HttpReply(answers=(page(json.dumps([node()])),)))
    assert isinstance(found, ManagementFacts)
    assert isinstance(found.queues, NoReply)


LIES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["name", "running", "partitions", "status", "alarms", "node"]), inner
        )
    ),
    max_leaves=10,
)


@given(LIES, LIES, LIES, st.sampled_from([200, 503, 404, 401, 302]))
def test_lies_are_read_or_refused(nodes: Any, alarms: Any, queues: Any, status: int) -> None:
    pages = [page(json.dumps(lie), code) for lie, code in ((nodes, 200), (alarms, status), (queues, status))]
    found = facts(pages[0], OWN, pages[1], pages[2])
    assert isinstance(found, NoReply | ManagementFacts)
    if isinstance(found, ManagementFacts):
        assert isinstance(found.nodes, tuple | NoReply)
