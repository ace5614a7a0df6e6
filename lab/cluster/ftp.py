"""The file server that partners put their files on: Debian's vsftpd, as it comes."""

import socket

from lab.cluster import names
from lab.cluster.part import Part
from lab.lab import Lab

HOST = "ftp"


def part(host: str) -> Part:  # noqa: ARG001  there is one
    """Return the file server."""
    return Part(enabled=frozenset({"vsftpd"}))


def problems(lab: Lab) -> list[str]:
    """Return whether it greets, as the monitor sees it."""
    with lab.network.entered():
        try:
            with socket.create_connection((names.ADDRESSES[HOST], 21), timeout=2) as connection:
                greeting = connection.recv(64)
        except OSError as error:
            return [f"vsftpd on {HOST} does not answer: {error}"]
    return [] if greeting.startswith(b"220") else [f"vsftpd on {HOST} greets with {greeting!r}"]
