"""How the verdicts of checks read: the service's own error before any log, and no fact said twice."""

import json
from datetime import UTC, datetime

from quorate.model import Evidence, Reason, Report, State, Verdict
from quorate.outputs import FORMATS

ERROR = "no TCP connection to 192.0.2.147:5672: Connection refused"
LOGS = tuple(
    Evidence(source="journal", host=host, unit="rabbitmq-server", lines=(f"a line of {host}",), error=error)
    for host, error in (("rabbit-1", None), ("rabbit-2", "no answer within 5 s"))
)


def member(host: str, state: State, reason: Reason) -> Verdict:
    healthy = state is State.OK
    return Verdict(
        id=f"mq/{host}",
        kind="rabbitmq",
        group="mq",
        host=host,
        state=state,
        reason=reason,
        summary=f"{host} answers" if healthy else f"RabbitMQ on {host} is NOT HEALTHY (connect failed)",
        detail=None if healthy else ERROR,
        observed={"status": "healthy" if healthy else "failed"},
        expected={"status": "healthy"},
        caused_by=None if healthy else "rabbitmq/rabbit-2/rabbitmq-server",
    )


MQ = Verdict(
    id="mq",
    kind="rabbitmq",
    group="mq",
    state=State.CRITICAL,
    reason=Reason.QUORUM_LOST,
    summary="RabbitMQ QUORUM LOST: Only 1/2 nodes healthy",
    detail=f"rabbit-2: connect failed ({ERROR})",
    observed={
        "status": "failed",
        "healthy_nodes": 1,
        "total": 2,
        "nodes": [
            {"node": "rabbit-1", "status": "healthy"},
            {"node": "rabbit-2", "status": "failed", "error": ERROR},
        ],
    },
    expected={"healthy_nodes": 2},
    evidence=LOGS,
)
REPORT = Report(
    cluster="prod",
    started_at=datetime(2026, 1, 1, tzinfo=UTC),
    duration=0.5,
    verdicts=(
        MQ,
        member("rabbit-1", State.OK, Reason.OK),
        member("rabbit-2", State.WARNING, Reason.CONNECT_FAILED),
    ),
)


def test_text_leads_with_the_service_s_own_error() -> None:
    text = FORMATS["text"](REPORT)
    wanted = (
        "🚨 CRITICAL: RabbitMQ QUORUM LOST: Only 1/2 nodes healthy",
        "mq · quorum_lost",
        "rabbit-2: connect failed (no TCP connection to 192.0.2.147:5672: Connection refused)",
        "📋 SERVICE LOGS: rabbitmq-server on rabbit-1 (last 1 line)",
        "📋 SERVICE LOGS: rabbitmq-server on rabbit-2",
        "⚠️ Could not fetch the journal: no answer within 5 s",
    )
    places = [text.index(words) for words in wanted]
    assert places == sorted(places)
    assert "observed" not in text


def test_the_tree_names_the_members_that_are_not_well() -> None:
    tree = FORMATS["text"](REPORT).rpartition("\n\n")[2].splitlines()
    assert tree[0].split() == ["mq", "❌", "CRITICAL", "-", "quorum", "lost"]
    assert tree[1].split()[:4] == ["rabbit-2", "⚠️", "WARNING", "-"]
    assert "RabbitMQ on rabbit-2 is NOT HEALTHY (connect failed)" in tree[1]
    assert "← rabbitmq/rabbit-2/rabbitmq-server" in " ".join(tree[1:])
    assert not [line for line in tree if "rabbit-1" in line]


def test_the_other_formats() -> None:
    first, critical = FORMATS["nagios"](REPORT).splitlines()[:2]
    assert "RabbitMQ QUORUM LOST: Only 1/2 nodes healthy (mq)" in first
    assert critical == "CRITICAL: RabbitMQ QUORUM LOST: Only 1/2 nodes healthy (mq, quorum_lost)"
    junit = FORMATS["junit"](REPORT)
    assert '<failure message="RabbitMQ QUORUM LOST: Only 1/2 nodes healthy" type="quorum_lost">' in junit
    assert '{cluster="prod",id="mq/rabbit-2",group="mq",host="rabbit-2",unit="",kind="rabbitmq"} 2' in (
        FORMATS["prometheus"](REPORT)
    )
    shown = json.loads(FORMATS["json"](REPORT))["verdicts"][0]
    assert shown["observed"] == MQ.observed
    assert (shown["kind"], shown["failure_type"]) == ("rabbitmq", "CRITICAL_MQ_FAILURE")
