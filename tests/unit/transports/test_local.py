"""Whether a host is this machine, without any tool and without a packet."""

import socket

import pytest

from quorate.model import Host
from quorate.transports import is_this_machine


def own_address() -> str | None:
    """Return an address of this machine that is not loopback, where it has one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        try:
            sock.connect(("192.0.2.1", 9))
        except OSError:
            return None
        return str(sock.getsockname()[0])


def test_without_an_address_local_is_enough():
    assert is_this_machine(Host(name="me", local=True))


def test_a_host_that_is_not_local_is_never_this_machine():
    assert not is_this_machine(Host(name="other", address=own_address() or "192.0.2.1"))


def test_an_address_of_this_machine():
    address = own_address()
    if address is None:
        pytest.fail("this machine has no address but loopback, so this can not be shown")
    assert is_this_machine(Host(name="me", address=address, local=True))


@pytest.mark.parametrize(
    "address",
    [
        "192.0.2.165",
        "2001:db8::165",
        "127.0.0.1",
        "127.0.0.53",
        "::1",
        "localhost",
        "0.0.0.0",
        "::",
        "224.0.0.1",
        "255.255.255.255",
        "no-such-host.invalid",
        "a..b",
        "fe80::1%nowhere",
    ],
)
def test_other_addresses_and_loopback_are_not_this_machine(address):
    assert not is_this_machine(Host(name="me", address=address, local=True))
