"""The network of a lab: a bridge, a namespace a host, one for the monitor; nothing of it outside namespaces.

Every host's interface is `eth0`, and the bridge's port towards it is named as the host's number. The root
namespace of this machine has no interface, address, route or rule of the lab.
"""

import ctypes
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from lab.command import LabError, run

FOLDER = Path("/run/netns")
BRIDGE = "bridge"
MONITOR = "monitor"
MONITOR_ADDRESSES = ("192.0.2.1/24", "2001:db8::1/64")
PREFIX_LENGTH = 24
CLONE_NEWNET = 0x40000000
TABLE = "inet quorate_lab"
Direction = Literal["in", "out"]


class Network:
    """The namespaces of one lab, named `<prefix>-<host>`; hosts are given as name → IPv4 address."""

    def __init__(self, prefix: str, hosts: Mapping[str, str]) -> None:
        self.prefix = prefix
        self.hosts = dict(hosts)

    def namespace(self, name: str) -> str:
        """Return the name that `ip netns` knows a host's namespace by."""
        return f"{self.prefix}-{name}"

    def path(self, name: str) -> Path:
        """Return the file that stands for a namespace."""
        return FOLDER / self.namespace(name)

    def create(self) -> None:
        """Make all namespaces and the bridge, and connect the monitor; hosts are connected one by one."""
        for name in (BRIDGE, MONITOR, *self.hosts):
            run(["ip", "netns", "add", self.namespace(name)])
        self.ip(BRIDGE, "link add br0 type bridge", "link set br0 up")
        self.connect(MONITOR, MONITOR_ADDRESSES)

    def attach(self, host: str) -> None:
        """Plug a host in, with its own address and no other, as it is before it boots."""
        self.connect(host, (f"{self.hosts[host]}/{PREFIX_LENGTH}",))

    def connect(self, name: str, addresses: Sequence[str]) -> None:
        """Lay a cable between the bridge and a namespace."""
        port = self.port(name)
        # The card's own address stays the same, as a real one's: neighbours need not notice a restart.
        far_end = f"eth0 address {mac(addresses[0])} netns {self.namespace(name)}"
        self.ip(
            BRIDGE,
            f"link add {port} type veth peer name {far_end}",
            f"link set {port} master br0",
            f"link set {port} up",
        )
        added = [f"addr add {address} dev eth0 nodad" for address in addresses]
        self.ip(name, "link set lo up", *added, "link set eth0 up")

    def detach(self, host: str) -> None:
        """Take a host's cable away with all its addresses, as it is when its power is off."""
        if self.port(host) in run(["ip", "-n", self.namespace(BRIDGE), "-brief", "link", "show"]):
            self.ip(BRIDGE, f"link del {self.port(host)}")

    def port(self, name: str) -> str:
        """Return the bridge's interface towards a namespace; 15 characters are the most it may have."""
        return f"port-{'m' if name == MONITOR else list(self.hosts).index(name)}"

    def ip(self, name: str, *commands: str) -> None:
        """Run commands of ip(8) in a namespace, in one batch; the first that fails is an error."""
        run(["ip", "-n", self.namespace(name), "-batch", "-"], stdin="\n".join(commands) + "\n")

    def inside(self, name: str, argv: Sequence[str]) -> list[str]:
        """Return the argument vector that runs a program in a namespace, with this machine's files."""
        return ["nsenter", f"--net={self.path(name)}", "--", *argv]

    @contextmanager
    def entered(self, name: str = MONITOR) -> Iterator[None]:
        """Move the calling thread into a namespace, with the sockets and threads that it makes there.

        Source: setns(2), which changes one thread. Sockets made before keep where they are.
        """
        with Path("/proc/thread-self/ns/net").open("rb") as home, self.path(name).open("rb") as there:
            set_namespace(there.fileno())
            try:
                yield
            finally:
                set_namespace(home.fileno())

    def cut(self, host: str) -> None:
        """Drop everything to and from a host, in silence: a connect runs into its time limit."""
        self.drop(host, "in")
        self.drop(host, "out")

    def drop(self, host: str, direction: Direction, match: str = "", *, action: str = "drop") -> None:
        """Drop what comes into or leaves a host; `match` narrows it in nft(8)'s words: `ip protocol vrrp`.

        `action` is what is done instead of dropping: `reject with tcp reset`.
        """
        hook, side = ("input", "iifname") if direction == "in" else ("output", "oifname")
        self.nft(
            host,
            f"add table {TABLE}\n"
            f"add chain {TABLE} {direction} {{ type filter hook {hook} priority -300; }}\n"
            f'add rule {TABLE} {direction} {side} != "lo" {match} {action}\n',
        )

    def heal(self, host: str) -> None:
        """Undo `cut`, `drop` and `unplug`."""
        self.nft(host, f"add table {TABLE}\ndelete table {TABLE}\n")
        if self.attached(host):  # a machine that is off has no cable
            self.plug(host)

    def nft(self, host: str, rules: str) -> None:
        """Apply rules of nft(8) in a host's namespace, all or none."""
        run(self.inside(host, ["nft", "-f", "-"]), stdin=rules)

    def unplug(self, host: str) -> None:
        """Pull a host's cable: its interface loses the carrier, and neighbours say 'no route to host'."""
        self.ip(BRIDGE, f"link set {self.port(host)} down")

    def plug(self, host: str) -> None:
        """Put the cable back."""
        self.ip(BRIDGE, f"link set {self.port(host)} up")

    def add_address(self, host: str, address: str) -> None:
        """Give a host another address, such as a virtual one, with its prefix length."""
        self.ip(host, f"addr add {address} dev eth0{' nodad' if ':' in address else ''}")
        self.forget(address)

    def remove_address(self, host: str, address: str) -> None:
        """Take an address from a host."""
        self.ip(host, f"addr del {address} dev eth0")
        self.forget(address)

    def forget(self, address: str) -> None:
        """Make everyone ask again who holds an address, as a gratuitous ARP of keepalived does."""
        for name in (MONITOR, *self.hosts):
            if name == MONITOR or self.attached(name):
                self.ip(name, f"neigh flush to {address.partition('/')[0]} dev eth0")

    def attached(self, host: str) -> bool:
        """Return whether a host has its interface."""
        return "eth0" in run(["ip", "-n", self.namespace(host), "-brief", "link", "show"])


def mac(address: str) -> str:
    """Return a locally administered hardware address that an IPv4 address implies."""
    numbers = address.partition("/")[0].split(".")
    return ":".join(["02", "00", *(f"{int(number):02x}" for number in numbers)])


def set_namespace(descriptor: int) -> None:
    """Move the calling thread into a network namespace."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise LabError(f"could not enter a network namespace: {os.strerror(ctypes.get_errno())}")


def namespaces(prefix: str) -> list[str]:
    """Return the names of the namespaces that begin with `prefix`."""
    return sorted(entry.name for entry in FOLDER.glob(f"{prefix}*")) if FOLDER.is_dir() else []


def delete_namespace(name: str) -> None:
    """Delete a namespace; its interfaces go with it."""
    run(["ip", "netns", "delete", name])


def folder_is_mounted() -> bool:
    """Return whether ip(8) has made its folder of namespaces a mount, which it does with the first one."""
    mounts = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    return any(line.split()[1] == str(FOLDER) for line in mounts)
