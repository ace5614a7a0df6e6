"""Hosts that play a script to the engine: real text for every question, in place of a transport."""

import asyncio
import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

from quorate.model import (
    ActivePassive,
    Ask,
    Contact,
    EvidenceSettings,
    Group,
    Host,
    Inventory,
    JudgingSettings,
    NoReply,
    Reason,
    Reply,
    ServiceAsk,
    ServiceReply,
    SshSettings,
)

VIP = "192.0.2.220"
UPTIME = 100_000.0
FAST = JudgingSettings(interval=0.0)
HANGS = "hangs"
"""A host, or a question, that never answers."""

RUNS = {"ActiveState": "active", "SubState": "running", "Result": "success", "NRestarts": "0"}
RESTS = {"ActiveState": "inactive", "SubState": "dead", "Result": "success"}
FAILED = {"ActiveState": "failed", "SubState": "failed", "Result": "exit-code"}
STARTS = {"ActiveState": "activating", "SubState": "start"}
CRASHED = {"ActiveState": "activating", "SubState": "auto-restart", "NRestarts": "1"}

Properties = Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Moment:
    """What a host answers at one look: the properties of its units, and the addresses that it holds.

    `keepalived` are the messages of its journal, or the answer in their place; `marker` is what is answered
    of the marker of what was copied.
    """

    units: Mapping[str, Properties] = field(default_factory=dict)
    held: tuple[str, ...] = ()
    unanswered: Reason | None = None
    keepalived: Sequence[str] | Reply = ("(VI_1) Entering BACKUP STATE (init)",)
    marker: Reply | None = None


Scene = Moment | NoReply | Exception | str
"""One look: what is answered, why the host can't be asked, what the transport raises, or HANGS."""


@dataclass(kw_only=True)
class Player:
    """An asker that plays scenes by host, the last of them for ever, and keeps what it was asked.

    `further` are answers to follow-ups and to questions for logs, by a word of the question; HANGS and
    exceptions there are played as well. `services` are answers by address and port.
    """

    scenes: Mapping[str, Sequence[Scene]]
    further: Mapping[str, Reply | NoReply | Exception | str] = field(default_factory=dict)
    services: Mapping[tuple[str, int], ServiceReply | NoReply | Exception | str] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    service_asks: list[ServiceAsk] = field(default_factory=list)
    batches: list[tuple[str, tuple[Ask, ...]]] = field(default_factory=list)
    deadlines: dict[str, set[float]] = field(default_factory=dict)
    under_way: int = 0

    def looks(self, host: str) -> int:
        """Return how often a host was looked at."""
        return self.asked.count((host, "look"))

    async def ask(
        self, host: str, asks: Sequence[Ask], *, deadline: float
    ) -> tuple[Contact, tuple[Reply | NoReply, ...]]:
        kind = _kind(asks)
        self.asked.append((host, kind))
        self.batches.append((host, tuple(asks)))
        self.deadlines.setdefault(host, set()).add(deadline)
        self.under_way += 1
        try:
            await asyncio.sleep(0)
            if kind != "look":
                return Contact(host=host), tuple([await self._further(ask) for ask in asks])
            scenes = self.scenes[host]
            return await _play(host, scenes[min(self.looks(host), len(scenes)) - 1], asks)
        finally:
            self.under_way -= 1

    async def ask_service(self, ask: ServiceAsk, *, deadline: float) -> ServiceReply | NoReply:  # noqa: ARG002  it plays no time
        self.service_asks.append(ask)
        self.under_way += 1
        try:
            await asyncio.sleep(0)
            answer = self.services[ask.host, ask.port]
            if isinstance(answer, Exception):
                raise answer
            return await _never() if isinstance(answer, str) else answer
        finally:
            self.under_way -= 1

    async def _further(self, ask: Ask) -> Reply | NoReply:
        said = shlex.join(ask.argv)
        answer = next(
            (a for word, a in self.further.items() if word in said),
            Reply(stdout=b"", stderr=b"", exit_code=0),
        )
        if isinstance(answer, Exception):
            raise answer
        return await _never() if isinstance(answer, str) else answer


async def _never() -> NoReturn:
    await asyncio.get_running_loop().create_future()
    raise AssertionError("nobody answers")


def _kind(asks: Sequence[Ask]) -> str:
    argvs = [ask.argv for ask in asks]
    if any("--header" in argv for argv in argvs):
        return "logs"
    if any("ip" in argv for argv in argvs):
        return "look"
    further = any("is-system-running" in argv or "journalctl" in argv for argv in argvs)
    return "follow-up" if further else "look"


async def _play(host: str, scene: Scene, asks: Sequence[Ask]) -> tuple[Contact, tuple[Reply | NoReply, ...]]:
    if isinstance(scene, Exception):
        raise scene
    if isinstance(scene, str):
        await _never()
    if isinstance(scene, NoReply):
        answered = scene.reason is not Reason.HOST_UNREACHABLE
        return Contact(host=host, failure=scene, answered=answered), (scene,) * len(asks)
    assert isinstance(scene, Moment)
    if scene.unanswered is not None:
        nothing = NoReply(reason=scene.unanswered, detail="no answer came")
        return Contact(host=host), (nothing,) * len(asks)
    return Contact(host=host, duration=0.01), tuple(_answer(ask, scene) for ask in asks)


def _answer(ask: Ask, moment: Moment) -> Reply:
    if "ip" in ask.argv:
        return reply(addresses(*moment.held))
    if "journalctl" in ask.argv:
        said = moment.keepalived
        return said if isinstance(said, Reply) else journal(*said)
    if "sh" in ask.argv:
        assert moment.marker is not None
        return moment.marker
    units = ask.argv[ask.argv.index("--") + 1 :]
    return reply("\n".join(block(unit, moment.units.get(unit, RUNS)) for unit in units), uptime=UPTIME)


def reply(stdout: str = "", *, stderr: str = "", exit_code: int = 0, uptime: float | None = None) -> Reply:
    """Return what a command printed."""
    return Reply(stdout=stdout.encode(), stderr=stderr.encode(), exit_code=exit_code, uptime=uptime)


def block(unit: str, properties: Properties) -> str:
    """Return a unit's part of the answer of `systemctl show`; it changed its state a hundred seconds ago."""
    changed = str(int((UPTIME - 100) * 1_000_000))
    values = {"Type": "simple", "Id": unit, "Names": unit, "LoadState": "loaded"}
    values |= {"StateChangeTimestampMonotonic": changed, "ActiveEnterTimestampMonotonic": changed}
    values |= {"TimeoutStartUSec": "infinity"}
    return "".join(f"{key}={value}\n" for key, value in (values | properties).items())


def addresses(*held: str) -> str:
    """Return the answer of `ip -j addr show` of a host with an address of its own and those held."""
    info = [{"family": "inet", "local": address} for address in ("192.0.2.1", *held)]
    return json.dumps([{"ifname": "eth0", "flags": ["BROADCAST", "UP"], "addr_info": info}])


def journal(*messages: str) -> Reply:
    """Return the answer of `journalctl --output=json` with some messages."""
    lines = [
        json.dumps(
            {"__REALTIME_TIMESTAMP": "1767225600000000", "SYSLOG_IDENTIFIER": "lsyncd", "MESSAGE": said}
        )
        for said in messages
    ]
    return reply("".join(line + "\n" for line in lines))


def pair(**more: object) -> Inventory:
    """Return an active/passive pair with lsyncd on the active node and keepalived on both."""
    units = ("lsyncd.service", "keepalived.service")
    group = Group(
        name="nfs",
        hosts=("nfs-1", "nfs-2"),
        units=units,
        active_passive=ActivePassive(vip=VIP, units=units[:1]),
    )
    return cluster(group, **more)


def farm(*names: str, units: Sequence[str] = ("haproxy.service",), **more: object) -> Inventory:
    """Return a group whose units run on all of its hosts."""
    return cluster(Group(name="web", hosts=names, units=tuple(units)), **more)


def cluster(*groups: Group, ssh: SshSettings | None = None, **more: object) -> Inventory:
    """Return an inventory of groups, with pauses of no length between looks."""
    names = dict.fromkeys(host for group in groups for host in group.hosts)
    hosts = {name: Host(name=name, address="192.0.2.1", ssh=ssh or SshSettings()) for name in names}
    settings = {"judging": FAST, "evidence": EvidenceSettings(log_lines=5)} | more
    return Inventory(name="test", hosts=hosts, groups={g.name: g for g in groups}, **settings)


ACTIVE = Moment(held=(VIP,))
PASSIVE = Moment(units={"lsyncd.service": RESTS})
