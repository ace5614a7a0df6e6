"""What a kind of check asks, and how the answers are read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from quorate.model import Ask, Check, ServiceAsk

Questions = Callable[[Check, Mapping[str, str]], Mapping[str, ServiceAsk]]
Commands = Callable[[Check, str], Sequence[Ask]]
Reader = Callable[[Check, str, Any], Any]


def no_questions(_check: Check, _secrets: Mapping[str, str]) -> Mapping[str, ServiceAsk]:
    """Ask no service."""
    return {}


def no_commands(_check: Check, _host: str) -> Sequence[Ask]:
    """Ask no host."""
    return ()


def as_it_is(_check: Check, _member: str, reply: Any) -> Any:
    """Return a reply that needs no reading."""
    return reply


@dataclass(frozen=True, kw_only=True, slots=True)
class Probe:
    """The questions of one kind of check; a kind has questions to services, or commands for hosts.

    `questions` returns what each service is asked, by the member's name, or by the check's own where it has
    no members; of a check and its secrets, by the key of its settings that says where each is to be had.
    `commands` returns what is asked of one of the check's hosts, in the batch that the host is asked anyway.
    `read` returns the facts of a reply (a ServiceReply, or the HostReply of a host), given the check and the
    member's name; what can't be read is a NoReply with the reason `unparsable` and what came instead.
    `timed` tells that it counts when a host has answered: such commands are asked before those of others.
    """

    questions: Questions = no_questions
    commands: Commands = no_commands
    read: Reader = as_it_is
    timed: bool = False
