"""What an etcd member says of itself and of its cluster."""

from dataclasses import dataclass

from quorate.model.asking import NoReply


@dataclass(frozen=True, kw_only=True, slots=True)
class EtcdMember:
    """A member as the member list has it; a learner has no vote. `name` is empty until it was started."""

    id: int
    name: str
    learner: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class EtcdFacts:
    """The answers of one member; `leader` is 0 where it sees none. Source: etcd's rpc.proto.

    `errors` is what it finds wrong with itself, without the alarms, which it tells of there as well.
    `members` and `alarms` may fail where the status is told; `alarms` are the raising member's id and a word.
    """

    version: str
    cluster: int
    member: int
    leader: int
    learner: bool = False
    errors: tuple[str, ...] = ()
    db_size: int
    members: tuple[EtcdMember, ...] | NoReply
    alarms: tuple[tuple[int, str], ...] | NoReply
    duration: float = 0.0
