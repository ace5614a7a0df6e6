"""What a host is asked in one batch, in which order, and whose answer is whose."""

from datetime import UTC, datetime, timedelta

from quorate.engine.batches import Moment, look_batch, read_look
from quorate.inventory import parse_inventory
from quorate.model import Contact, NoReply, Reason, Reply
from quorate.plan import make_plan

INVENTORY = parse_inventory(
    """
hosts: {a: 192.0.2.1, b: 192.0.2.2}
groups: {g: {hosts: [a], units: [x], vip: 192.0.2.9}}
checks:
  resources: {kind: resources, hosts: [a]}
  clocks: {kind: clock}
""",
    source="test",
)
NOW = Moment(loop=100.0, utc=datetime(2026, 1, 1, tzinfo=UTC))


def test_states_first_then_the_time_then_what_takes_longer() -> None:
    (plan, other) = make_plan(INVENTORY).hosts
    asked = [" ".join(ask.argv)[:20] for ask in look_batch(plan, INVENTORY.checks)]
    assert asked[0].startswith("systemctl show")
    assert "ip" in asked[1]
    assert asked[2].startswith("date")
    assert len(asked) > 4
    assert [ask.argv[0] for ask in look_batch(other, INVENTORY.checks)] == ["date"]
    assert len(look_batch(plan, {})) == 2


def test_each_answer_goes_to_its_check_with_the_moments_of_its_coming() -> None:
    (_, plan) = make_plan(INVENTORY).hosts
    reply = Reply(stdout=b"1", stderr=b"", exit_code=0, asked=97.0, came=98.0)
    seen = read_look(plan, INVENTORY.checks, Contact(host="b"), [reply], NOW)
    assert seen.checks["clocks"].answers == (reply,)
    assert seen.checks["clocks"].moments == (
        (NOW.utc - timedelta(seconds=3), NOW.utc - timedelta(seconds=2)),
    )
    late = NoReply(reason=Reason.COMMAND_TIMEOUT, detail="")
    seen = read_look(plan, INVENTORY.checks, Contact(host="b"), [late], NOW)
    assert seen.checks["clocks"].moments == (None,)
    assert read_look(plan, {}, Contact(host="b"), [], NOW).checks == {}
