"""Asks what checks want to know: their services, all at once, each over a connection of its own."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, Protocol

from quorate.checks.kinds import JUDGES
from quorate.engine.fan_out import Limits, fan_out, pause
from quorate.engine.secrets import Secrets, SecretUnavailableError
from quorate.evidence import Mask, clean_text
from quorate.model import (
    Check,
    CheckObservation,
    HostObservation,
    Inventory,
    NoReply,
    Reason,
    Secret,
    ServiceAsk,
    ServiceReply,
)
from quorate.probes.kinds import PROBES


class ServiceAsker(Protocol):
    """What asks a service."""

    async def ask_service(self, ask: ServiceAsk, *, deadline: float) -> ServiceReply | NoReply:
        """Return what the service answered, or why it did not."""


async def ask_checks(
    inventory: Inventory, checks: Iterable[Check], asker: ServiceAsker, secrets: Secrets, limits: Limits
) -> dict[str, CheckObservation]:
    """Return what the services of each check answered, by the check's name, where it asks any.

    What one server does costs no other's answer. What may be a moment's only is asked again, until two looks
    in a row agree on that or the samples are used up.
    """
    asked = {check.name: check for check in checks if check.kind in PROBES}
    seen = await _ask_all(asked, asker, secrets, limits)
    was_open: dict[str, bool] = dict.fromkeys(seen, False)
    for _ in range(inventory.judging.samples - 1):
        is_open = {name: _unsettled(asked[name], seen[name]) for name in was_open}
        again = {name for name in was_open if is_open[name] is not was_open[name]}
        if not again or limits.over():
            break
        await pause(inventory.judging.interval, limits)
        came = await _ask_all({name: asked[name] for name in again}, asker, secrets, limits)
        seen |= {name: found for name, found in came.items() if not _cut_off(found)}
        was_open = {name: is_open[name] for name in again}
    return seen


def _unsettled(check: Check, seen: CheckObservation) -> bool:
    try:
        return JUDGES[check.kind].unsettled(check, seen)
    except Exception:  # noqa: BLE001  the judgement meets the same fault, and says so in the report
        return False


def ask_of(check: Check) -> Mapping[str, ServiceAsk]:
    """Return the questions of a check to services, by server, without its secrets in them."""
    return PROBES[check.kind].questions(check, dict.fromkeys(_places(check), ""))


async def _ask_all(
    asked: Mapping[str, Check], asker: ServiceAsker, secrets: Secrets, limits: Limits
) -> dict[str, CheckObservation]:
    servers: dict[str, Mapping[str, ServiceAsk]] = {}
    broken: dict[str, NoReply] = {}
    for name, check in asked.items():
        try:
            servers[name] = ask_of(check)
        except Exception as error:  # noqa: BLE001  a broken probe costs its own check alone
            broken[name] = _fault(error, f"the questions of kind {check.kind}")
    jobs = {
        f"{name}/{server}": _ask(asked[name], server, asker, secrets)
        for name, asks in servers.items()
        for server in asks
    }
    answers = await fan_out(jobs, limits)
    found = {
        name: CheckObservation(
            answers={server: answers[f"{name}/{server}"] for server in asks},
            addresses={server: ask.host for server, ask in asks.items()},
        )
        for name, asks in servers.items()
        if asks
    }
    return found | {name: CheckObservation(answers={name: why}) for name, why in broken.items()}


def _fault(error: Exception, where: str) -> NoReply:
    detail = f"a fault in quorate: {type(error).__name__} in {where}; please report it"
    return NoReply(reason=Reason.INTERNAL_ERROR, detail=detail)


def _places(check: Check) -> dict[str, Secret]:
    return {key: value for key, value in check.settings.items() if isinstance(value, Secret)}


async def _ask(check: Check, server: str, asker: ServiceAsker, secrets: Secrets) -> Any:
    texts = {}
    for key, place in _places(check).items():
        try:
            texts[key] = await secrets.text(place)
        except SecretUnavailableError as error:
            detail = f"the {key.replace('_', ' ')} can't be had: {error}"
            return NoReply(reason=Reason.SECRET_UNAVAILABLE, detail=detail)
    probe = PROBES[check.kind]
    # The question has limits of its own. Past the sweep's end it is not 'no answer', it is cut off.
    reply = await asker.ask_service(probe.questions(check, texts)[server], deadline=math.inf)
    return reply if isinstance(reply, NoReply) else probe.read(check, server, reply)


def _cut_off(seen: CheckObservation) -> bool:
    """Tell whether the sweep's end cut off another look, so that the one before it has to stand."""
    ends = (Reason.SWEEP_TIMEOUT, Reason.INTERRUPTED)
    return any(isinstance(answer, NoReply) and answer.reason in ends for answer in seen.answers.values())


def of_hosts(
    inventory: Inventory, checks: Iterable[Check], first: Mapping[str, HostObservation]
) -> dict[str, CheckObservation]:
    """Return what hosts answered to the commands of checks at the first look, by the check's name."""
    return {
        check.name: CheckObservation(
            answers={host: _of_host(check, host, first[host]) for host in check.hosts},
            addresses={host: inventory.hosts[host].address or "localhost" for host in check.hosts},
        )
        for check in checks
        if check.asks_hosts and check.kind in PROBES and all(host in first for host in check.hosts)
    }


def _of_host(check: Check, host: str, seen: HostObservation) -> Any:
    reply = seen.checks.get(check.name)
    if seen.contact.failure is not None:
        return seen.contact.failure
    if reply is None:
        return NoReply(reason=Reason.NO_ANSWER, detail="the host was not asked")
    try:
        return PROBES[check.kind].read(check, host, reply)
    except Exception as error:  # noqa: BLE001  a broken parser turns no host red, and costs no report
        detail = (
            f"a fault in quorate: {type(error).__name__} in the reading of {check.kind}; please report it"
        )
        return NoReply(reason=Reason.INTERNAL_ERROR, detail=detail)


def masked(observation: CheckObservation, mask: Mask) -> CheckObservation:
    """Return what was learned with every text in it cleaned, and without the secrets that may stand in it."""
    answers = {server: _masked(answer, mask) for server, answer in observation.answers.items()}
    return replace(observation, answers=answers)


def _masked(found: Any, mask: Mask) -> Any:
    if type(found) is str:  # not a Reason, which is a word of ours
        return mask(clean_text(found))
    if isinstance(found, Mapping):
        return {_masked(key, mask): _masked(value, mask) for key, value in found.items()}
    if isinstance(found, tuple | list):
        return tuple(_masked(each, mask) for each in found)
    if isinstance(found, frozenset):
        return frozenset(_masked(each, mask) for each in found)
    if is_dataclass(found) and not isinstance(found, type):
        return replace(found, **{f.name: _masked(getattr(found, f.name), mask) for f in fields(found)})
    return found
