"""A journal that can't be seen is told as such, and a unit is looked for in it by its own name."""

from dataclasses import replace

from played import FAILED, RUNS, Moment, Player, farm, journal, reply

from quorate.engine import sweep
from quorate.model import Inventory, SshSettings, Verdict
from quorate.plan import make_plan

HINT = (
    "Hint: You are currently not seeing messages from other users and the system.\n"
    "      Users in groups 'adm', 'systemd-journal' can see all messages.\n"
)
ACCESS = "journalctl --no-pager --lines=0"
PLAIN_USER = SshSettings(sudo=False)


async def swept(inventory: Inventory, player: Player) -> Verdict:
    report = await sweep(inventory, player, make_plan(inventory))
    return next(verdict for verdict in report.verdicts if verdict.id == "web/web-1/haproxy")


def player(unit: dict[str, str], further: dict[str, object]) -> Player:
    return Player(scenes={"web-1": [Moment(units={"haproxy.service": unit})]}, further=further)


async def test_a_hidden_journal_is_not_an_empty_one() -> None:
    hidden = reply("-- No entries --\n", stderr=HINT)
    verdict = await swept(farm("web-1", ssh=PLAIN_USER), player(FAILED, {ACCESS: hidden}))
    assert verdict.evidence[0].lines == ()
    assert "not seeing messages" in (verdict.evidence[0].error or "")


async def test_an_empty_journal_that_can_be_seen_is_empty() -> None:
    verdict = await swept(farm("web-1", ssh=PLAIN_USER), player(FAILED, {}))
    assert (verdict.evidence[0].lines, verdict.evidence[0].error) == ((), None)


async def test_root_is_not_asked_whether_it_can_see() -> None:
    asked = player(FAILED, {})
    await swept(farm("web-1"), asked)
    assert not any(ask.argv[-1] == "--lines=0" for _, asks in asked.batches for ask in asks)


async def test_no_restarts_in_a_hidden_journal_prove_nothing() -> None:
    restarted = {**RUNS, "NRestarts": "7"}
    hidden = reply("-- No entries --\n", stderr=HINT)
    verdict = await swept(farm("web-1", ssh=PLAIN_USER), player(restarted, {ACCESS: hidden}))
    assert (verdict.reason, "restarts_in_window" in verdict.observed) == ("crash_loop", False)
    seen = await swept(farm("web-1", ssh=PLAIN_USER), player(restarted, {}))
    assert (seen.reason, seen.observed["restarts_in_window"]) == ("restarted_recently", 0)


async def test_a_unit_is_looked_for_by_its_own_name_not_by_an_alias() -> None:
    alias = {**FAILED, "Id": "lb.service", "Names": "lb.service haproxy.service"}
    asked = player(alias, {"--unit=lb.service": journal("boom")})
    verdict = await swept(farm("web-1"), asked)
    assert verdict.evidence[0].unit == "haproxy"
    assert [line.endswith("boom") for line in verdict.evidence[0].lines] == [True]
    restarted = {**RUNS, "NRestarts": "7", "Id": "lb.service", "Names": "lb.service haproxy.service"}
    counted = player(restarted, {})
    await swept(replace(farm("web-1")), counted)
    assert any("UNIT=lb.service" in ask.argv for _, asks in counted.batches for ask in asks)
