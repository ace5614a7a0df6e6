"""Asks the servers of checks, all at once, each over a connection of its own."""

import math
from collections.abc import Iterable
from dataclasses import replace
from typing import Protocol

from quorate.engine.fan_out import Limits, fan_out
from quorate.engine.secrets import Secrets, SecretUnavailableError
from quorate.evidence import Mask, clean_text
from quorate.model import (
    AmqpReply,
    Check,
    CheckObservation,
    NoReply,
    PostgresReply,
    Reason,
    ServiceAsk,
    ServiceReply,
)
from quorate.probes.kinds import QUESTIONS


class ServiceAsker(Protocol):
    """What asks a service."""

    async def ask_service(self, ask: ServiceAsk, *, deadline: float) -> ServiceReply | NoReply:
        """Return what the service answered, or why it did not."""


async def ask_checks(
    checks: Iterable[Check], asker: ServiceAsker, secrets: Secrets, limits: Limits
) -> dict[str, CheckObservation]:
    """Return what the servers of each check answered, by the check's name; kinds without questions have none.

    What one server does costs no other's answer.
    """
    asked = {check.name: check for check in checks if check.kind in QUESTIONS}
    servers = {name: QUESTIONS[check.kind](check, "") for name, check in asked.items()}
    jobs = {
        f"{name}/{server}": _ask(asked[name], server, asker, secrets)
        for name, asks in servers.items()
        for server in asks
    }
    answers = await fan_out(jobs, limits)
    return {
        name: CheckObservation(
            answers={server: answers[f"{name}/{server}"] for server in asks},
            addresses={server: ask.host for server, ask in asks.items()},
        )
        for name, asks in servers.items()
    }


async def _ask(check: Check, server: str, asker: ServiceAsker, secrets: Secrets) -> ServiceReply | NoReply:
    try:
        password = await secrets.text(check.settings["password"])
    except SecretUnavailableError as error:
        return NoReply(reason=Reason.SECRET_UNAVAILABLE, detail=f"the password can't be had: {error}")
    ask = QUESTIONS[check.kind](check, password)[server]
    # The question has limits of its own. Past the sweep's end it is not 'no answer', it is cut off.
    return await asker.ask_service(ask, deadline=math.inf)


def masked(observation: CheckObservation, mask: Mask) -> CheckObservation:
    """Return what was answered without the secrets that may stand in it."""
    answers = {server: _masked(answer, mask) for server, answer in observation.answers.items()}
    return replace(observation, answers=answers)


def _masked(answer: ServiceReply | NoReply, mask: Mask) -> ServiceReply | NoReply:
    def said(text: str) -> str:
        return mask(clean_text(text))

    match answer:
        case NoReply():
            return replace(answer, detail=said(answer.detail))
        case PostgresReply():
            return replace(answer, value=said(answer.value)) if isinstance(answer.value, str) else answer
        case AmqpReply():
            cluster = None if answer.cluster is None else said(answer.cluster)
            return replace(
                answer, product=said(answer.product), version=said(answer.version), cluster=cluster
            )
