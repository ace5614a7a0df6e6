"""The questions whose answers are recorded: to systemctl, ip, journalctl and sudo."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from lab.recorded_units import STATES

PROPERTIES = (
    "Id,Names,LoadState,ActiveState,SubState,Result,Type,UnitFileState,NRestarts,Job,TriggeredBy,"
    "ExecMainCode,ExecMainStatus,KillSignal,TimeoutStartUSec,TimeoutStopUSec,StateChangeTimestampMonotonic,"
    "ActiveEnterTimestampMonotonic,InactiveExitTimestampMonotonic"
)
SHOW = ("env", "LC_ALL=C", "systemctl", "show", "--no-pager", f"--property={PROPERTIES}", "--")
IP = ("env", "LC_ALL=C", "ip", "-j", "addr", "show")
FIELDS = "MESSAGE,PRIORITY,SYSLOG_IDENTIFIER,_PID,_SYSTEMD_UNIT,__REALTIME_TIMESTAMP"
JOURNAL = ("env", "LC_ALL=C", "journalctl", "--no-pager", "-o", "json", f"--output-fields={FIELDS}")
RESTART_MESSAGE = "5eb03494b6584870a536b337290809b3"
"""The message id of a restart that systemd scheduled; source: sd-messages.h."""


@dataclass(frozen=True, kw_only=True)
class Recording:
    """One answer to write down: `before` and `after` are shell lines run as root around the question.

    `argv` is what the file says was asked; `wrapper` goes before it and is not part of the question. With
    `until`, it is asked up to `attempts` times until the answer holds that. `phase` is when in the machine's
    life it is asked.
    """

    name: str
    about: str
    argv: tuple[str, ...]
    user: str | None = None
    wrapper: tuple[str, ...] = ()
    before: str = ""
    after: str = ""
    attempts: int = 1
    until: bytes = b""
    phase: Literal["up", "stopping", "starting"] = "up"


def hidden(folder: str) -> tuple[str, ...]:
    """Return the wrapper that hides `folder` from a command."""
    return ("unshare", "--mount", "sh", "-c", f'mount -t tmpfs none {folder} && exec "$@"', "sh")


def systemd_recordings() -> Iterator[Recording]:
    """Yield the answers of `systemctl show`, and what systemctl says where it can't answer."""
    for name, (units, about) in STATES.items():
        yield Recording(name=f"systemctl-{name}", about=about, argv=(*SHOW, *units))
    loop = (*SHOW, "rec-crash-loop")
    yield Recording(
        name="systemctl-crash-loop-running",
        about="a crash loop caught while it runs: active, NRestarts grows",
        argv=loop,
        attempts=100,
        until=b"SubState=running",
    )
    yield Recording(
        name="systemctl-crash-loop-auto-restart",
        about="the same crash loop caught between two runs",
        argv=loop,
        attempts=100,
        until=b"SubState=auto-restart",
    )
    yield Recording(
        name="systemctl-maintenance",
        about="`systemctl clean` at work: ActiveState is maintenance",
        argv=(*SHOW, "rec-maintenance"),
        before="systemctl start rec-maintenance; cd /var/cache/rec-maintenance; "
        "seq 150000 | xargs touch; systemctl clean --no-block --what=cache rec-maintenance",
        attempts=100,
        until=b"ActiveState=maintenance",
    )
    yield Recording(
        name="systemctl-as-user",
        about="a plain user may ask for states, no sudo needed",
        argv=(*SHOW, "rec-running", "rec-failed-exit"),
        user="rocky",
    )
    yield Recording(
        name="systemctl-not-booted",
        about="a machine whose PID 1 is not systemd",
        argv=(*SHOW, "rec-running"),
        wrapper=hidden("/run"),
    )
    yield Recording(
        name="systemctl-no-bus-as-user",
        about="systemd runs, but a plain user can't reach the system bus",
        argv=(*SHOW, "rec-running"),
        wrapper=hidden("/run/dbus"),
        user="rocky",
    )
    yield Recording(
        name="systemctl-no-bus",
        about="systemd runs, but neither its private socket nor the system bus can be reached",
        argv=(*SHOW, "rec-running"),
        wrapper=(
            *hidden("/run/dbus"),
            "unshare",
            "--mount",
            "sh",
            "-c",
            'mount --bind /dev/null /run/systemd/private && exec "$@"',
            "sh",
        ),
    )
    yield Recording(
        name="systemctl-chroot",
        about="systemctl inside a chroot",
        argv=(*SHOW, "rec-running"),
        wrapper=(
            "unshare",
            "--mount",
            "sh",
            "-c",
            'mount --bind / /mnt && mount -t proc proc /mnt/proc && exec chroot /mnt "$@"',
            "sh",
        ),
    )
    yield Recording(
        name="systemctl-unknown-property",
        about="a property that this systemd does not have is left out of the answer",
        argv=(
            "env",
            "LC_ALL=C",
            "systemctl",
            "show",
            "--no-pager",
            "--property=Id,NoSuchProperty,ActiveState",
            "--",
            "rec-running",
        ),
    )
    yield Recording(
        name="is-system-running-degraded",
        about="the system is up, and units have failed",
        argv=("env", "LC_ALL=C", "systemctl", "is-system-running"),
    )
    yield Recording(
        name="is-system-running-running",
        about="the system is up, and no unit has failed",
        argv=("env", "LC_ALL=C", "systemctl", "is-system-running"),
        before="systemctl stop rec-crash-loop; systemctl reset-failed",
    )


def life_recordings() -> Iterator[Recording]:
    """Yield what systemd says while the machine stops, and while it starts."""
    state = ("env", "LC_ALL=C", "systemctl", "is-system-running")
    yield Recording(
        name="is-system-running-stopping", about="the system is shutting down", argv=state, phase="stopping"
    )
    yield Recording(
        name="systemctl-system-stopping",
        about="units of a system that is shutting down",
        argv=(*SHOW, "rec-running", "rec-deactivating", "dbus"),
        phase="stopping",
    )
    yield Recording(
        name="systemctl-system-stopping-as-user",
        about="a plain user asks a system that is shutting down, whose message bus has stopped",
        argv=(*SHOW, "rec-running"),
        user="rocky",
        phase="stopping",
    )
    yield Recording(
        name="is-system-running-starting", about="the system is starting up", argv=state, phase="starting"
    )
    yield Recording(
        name="systemctl-system-starting",
        about="a system that is starting up: one unit runs, one starts, one waits for it with a start job",
        argv=(*SHOW, "rec-running", "rec-blocking", "rec-queued"),
        phase="starting",
    )


def address_recordings() -> Iterator[Recording]:
    """Yield the answers of `ip -j addr show`."""
    yield Recording(name="ip-base", about="lo and one interface", argv=IP)
    yield Recording(
        name="ip-vip-v4",
        about="with a virtual IPv4 address beside the host's own",
        argv=IP,
        before="ip addr add 192.0.2.220/24 dev eth0",
        after="ip addr del 192.0.2.220/24 dev eth0",
    )
    yield Recording(
        name="ip-vip-v4-as-host-route",
        about="with a virtual IPv4 address as keepalived adds it: /32, scope global, a label",
        argv=IP,
        before="ip addr add 192.0.2.220/32 dev eth0 label eth0:vip",
        after="ip addr del 192.0.2.220/32 dev eth0",
    )
    yield Recording(
        name="ip-vip-v6",
        about="with a virtual IPv6 address",
        argv=IP,
        before="ip addr add 2001:db8::220/64 dev eth0 nodad",
        after="ip addr del 2001:db8::220/64 dev eth0",
    )
    yield Recording(
        name="ip-vip-v6-deprecated",
        about="with a virtual IPv6 address whose preferred lifetime is over: deprecated, yet held",
        argv=IP,
        before="ip addr add 2001:db8::220/128 dev eth0 nodad preferred_lft 0",
        after="ip addr del 2001:db8::220/128 dev eth0",
    )
    yield Recording(
        name="ip-vip-v6-tentative",
        about="an IPv6 address whose duplicate address detection is not over",
        argv=IP,
        before="ip addr add 2001:db8::220/64 dev eth0",
        after="ip addr del 2001:db8::220/64 dev eth0",
        attempts=1,
    )
    yield Recording(
        name="ip-vip-v6-dadfailed",
        about="an IPv6 address that another machine holds already: dadfailed",
        argv=IP,
        before="ip link add dad0 type veth peer name dad1; ip link set dad0 up; ip link set dad1 up; "
        "sleep 2; ip addr add 2001:db8::220/64 dev dad0 nodad; sleep 1; "
        "ip addr add 2001:db8::220/64 dev dad1; sleep 2",
        after="ip link del dad0",
    )
    yield Recording(
        name="ip-vip-on-lo",
        about="a virtual address on lo: reachable from nowhere else",
        argv=IP,
        before="ip addr add 192.0.2.220/32 dev lo",
        after="ip addr del 192.0.2.220/32 dev lo",
    )
    yield Recording(
        name="ip-vip-on-down-interface",
        about="a virtual address on an interface that is down",
        argv=IP,
        before="ip link add down0 type veth peer name down1; ip addr add 192.0.2.220/24 dev down0",
        after="ip link del down0",
    )
    yield Recording(
        name="ip-vip-no-carrier",
        about="a virtual address on an interface that is set up, but has no carrier",
        argv=IP,
        before="ip link add down0 type veth peer name down1; ip addr add 192.0.2.220/24 dev down0; "
        "ip link set down0 up",
        after="ip link del down0",
    )
    yield Recording(
        name="ip-vip-peer",
        about="a point-to-point address: the peer's address is not held",
        argv=IP,
        before="ip link add ptp0 type veth peer name ptp1; "
        "ip addr add 192.0.2.9 peer 192.0.2.220/32 dev ptp0; ip link set ptp0 up; ip link set ptp1 up",
        after="ip link del ptp0",
    )
    yield Recording(
        name="ip-vip-similar",
        about="addresses that hold the text of 192.0.2.22 without being it",
        argv=IP,
        before="ip addr add 192.0.2.220/24 dev eth0; ip addr add 192.0.2.122/24 dev eth0",
        after="ip addr del 192.0.2.220/24 dev eth0; ip addr del 192.0.2.122/24 dev eth0",
    )
    yield Recording(
        name="ip-vip-on-bridge",
        about="a virtual address on a bridge, whose port carries none",
        argv=IP,
        before="ip link add br0 type bridge; ip link add port0 type veth peer name port1; "
        "ip link set port0 master br0; ip link set port0 up; ip link set port1 up; ip link set br0 up; "
        "ip addr add 192.0.2.220/24 dev br0; sleep 1",
        after="ip link del br0; ip link del port0",
    )
    yield Recording(
        name="ip-unknown-option",
        about="what ip says to an option that it does not know",
        argv=("env", "LC_ALL=C", "ip", "-nosuch", "addr", "show"),
    )


def journal_recordings() -> Iterator[Recording]:
    """Yield the answers of journalctl, and those of journalctl without permission."""
    kinds = {
        "normal": "lines of a service and of systemd about it",
        "escapes": "terminal escapes and control characters: the message is an array of bytes",
        "binary": "bytes that are not UTF-8",
        "multiline": "one entry whose message has several lines",
        "long": "a message above 4096 bytes is null without --all",
        "secret": "passwords in the lines",
    }
    for kind, about in kinds.items():
        yield Recording(
            name=f"journal-{kind}", about=about, argv=(*JOURNAL, "-n", "100", "-u", f"rec-log-{kind}.service")
        )
    for kind, about in {
        "long": "a message above 4096 bytes, with --all",
        "huge": "a line of 60,000 bytes, which journald splits, with --all",
    }.items():
        unit = f"rec-log-{kind}.service"
        yield Recording(
            name=f"journal-{kind}-all", about=about, argv=(*JOURNAL, "--all", "-n", "100", "-u", unit)
        )
    yield Recording(
        name="journal-none",
        about="a unit that never logged",
        argv=(*JOURNAL, "-n", "100", "-u", "rec-inactive.service"),
    )
    yield Recording(
        name="journal-restarts",
        about="the restarts that systemd scheduled for a crash loop",
        argv=(*JOURNAL, "-n", "10", f"MESSAGE_ID={RESTART_MESSAGE}", "UNIT=rec-crash-loop.service"),
    )
    yield Recording(
        name="journal-restarts-none",
        about="no restart was scheduled for this unit",
        argv=(*JOURNAL, "-n", "10", f"MESSAGE_ID={RESTART_MESSAGE}", "UNIT=rec-running.service"),
    )
    yield Recording(
        name="journal-header",
        about="the header of the journal files",
        argv=("env", "LC_ALL=C", "journalctl", "--header"),
    )
    for name, extra in {"no-permission": (), "no-permission-quiet": ("--quiet",)}.items():
        yield Recording(
            name=f"journal-{name}",
            about="a plain user sees no messages of the system; the hint is on standard error",
            argv=(*JOURNAL, *extra, "-n", "100", "-u", "rec-log-normal.service"),
            user="rocky",
        )
    own = "runuser -u rocky -- logger a line of my own; journalctl --sync; sleep 0.5"
    yield Recording(
        name="journal-no-permission-own-journal",
        about="a plain user who has a journal of their own: -o json implies --quiet, so that nothing tells "
        "a refusal from no lines",
        argv=(*JOURNAL, "-n", "100", "-u", "rec-log-normal.service"),
        user="rocky",
        before=own,
    )
    yield Recording(
        name="journal-no-permission-hint",
        about="the same user, not in JSON: the hint is on standard error",
        argv=(*JOURNAL[:4], "-n", "100", "-u", "rec-log-normal.service"),
        user="rocky",
        before=own,
    )
    yield Recording(
        name="journal-no-permission-hint-no-lines",
        about="the same user, not in JSON and no lines wanted: only the hint",
        argv=(*JOURNAL[:4], "--lines=0"),
        user="rocky",
        before=own,
    )
    yield Recording(
        name="journal-unknown-option",
        about="what journalctl says to an option that it does not know",
        argv=("env", "LC_ALL=C", "journalctl", "--no-such-option"),
    )
    yield Recording(
        name="journal-with-group",
        about="a member of systemd-journal needs no sudo",
        argv=(*JOURNAL, "-n", "100", "-u", "rec-log-normal.service"),
        user="rocky",
        before="usermod -aG systemd-journal rocky",
        after="gpasswd -d rocky systemd-journal",
    )
    yield Recording(
        name="journal-no-files",
        about="a machine whose journal has no files",
        argv=(*JOURNAL, "-n", "100", "-u", "rec-log-normal.service"),
        wrapper=(*hidden("/run/log"), *hidden("/var/log")),
    )


SUDOERS = "/etc/sudoers.d/rec"
SUDO_JOURNAL = ("env", "LC_ALL=C", "sudo", "-n", *JOURNAL[2:], "-n", "5", "-u", "rec-log-normal.service")


def sudo_recordings() -> Iterator[Recording]:
    """Yield what sudo says when it refuses, and when it allows."""
    rules = {
        "no-rule": ("", "no rule for this user at all"),
        "password-required": ("rocky ALL=(root) ALL", "a rule that wants a password"),
        "command-not-allowed": ("rocky ALL=(root) NOPASSWD: /usr/bin/true", "a rule for another command"),
        "not-allowed-unauthenticated": (
            "Defaults:rocky !authenticate\nrocky ALL=(root) /usr/bin/true",
            "a rule for another command, and no password is ever asked for",
        ),
        "not-in-sudoers": ("Defaults:rocky !authenticate", "no rule, and no password is ever asked for"),
        "tty-required": (
            "Defaults requiretty\nrocky ALL=(root) NOPASSWD: ALL",
            "a rule that wants a terminal",
        ),
        "syntax-error": (
            "rocky ALL=(root) NOPASSWD ALL",
            "a file of rules that can't be parsed, and no other rule",
        ),
        "allowed": ("rocky ALL=(root) NOPASSWD: /usr/bin/journalctl", "a rule for journalctl"),
        "allowed-lecture": (
            "Defaults lecture=always\nrocky ALL=(root) NOPASSWD: /usr/bin/journalctl",
            "allowed, with a lecture configured",
        ),
    }
    for name, (text, about) in rules.items():
        yield Recording(
            name=f"sudo-{name}",
            about=f"sudo -n journalctl: {about}",
            argv=SUDO_JOURNAL,
            user="rocky",
            before=f"printf '%b\\n' '{text}' > {SUDOERS}; chmod 440 {SUDOERS}",
            after=f"rm {SUDOERS}",
        )
    yield Recording(
        name="sudo-expired-account",
        about="sudo -n journalctl: the account has expired",
        argv=SUDO_JOURNAL,
        user="rocky",
        before=f"echo 'rocky ALL=(root) NOPASSWD: ALL' > {SUDOERS}; chmod 440 {SUDOERS}; chage -E 0 rocky",
        after=f"rm {SUDOERS}; chage -E -1 rocky",
    )
    for name, command in {"missing": "no-such-command", "not-executable": "/etc/passwd"}.items():
        yield Recording(
            name=f"command-{name}",
            about=f"a command that is {name.replace('-', ' ')}",
            argv=("sh", "-c", command),
        )
    yield Recording(
        name="sudo-missing-command",
        about="sudo allows everything, and the command does not exist",
        argv=("env", "LC_ALL=C", "sudo", "-n", "no-such-command"),
        user="rocky",
        before=f"echo 'rocky ALL=(root) NOPASSWD: ALL' > {SUDOERS}; chmod 440 {SUDOERS}",
        after=f"rm {SUDOERS}",
    )


def recordings() -> Iterator[Recording]:
    """Yield every recording in an order that works: what ends the crash loop, and the machine, comes last."""
    *states, last = systemd_recordings()
    yield from states
    yield from address_recordings()
    yield from journal_recordings()
    yield from sudo_recordings()
    yield last
    yield from life_recordings()
