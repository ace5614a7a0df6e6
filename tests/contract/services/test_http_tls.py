"""TLS: whom we trust, what each bad certificate is called, and when a good one ends."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from quorate.model import HttpReply, Reason, Tls
from services.breaking import breaking, closed, mute, saying
from services.certificates import ENDS, Signed, encrypted_key, signed
from services.web import OK, answering, ask, failure


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def authority(folder: Path) -> Signed:
    return signed(folder, "authority", names=())


@pytest.fixture(scope="module")
def good(folder: Path, authority: Signed) -> Signed:
    return signed(folder, "good", by=authority, names=("127.0.0.1", "api.example"))


def _trusting(authority: Signed, **changes: object) -> Tls:
    return Tls(ca_file=str(authority.file), **changes)  # type: ignore[arg-type]  # its fields


@pytest.mark.parametrize("name", [None, "api.example"])
async def test_a_good_certificate(authority: Signed, good: Signed, name: str | None) -> None:
    async with breaking(answering(OK, OK), tls=good.server()) as server:
        reply = await ask(server.port, "/a", "/b", tls=_trusting(authority, name=name))

    assert isinstance(reply, HttpReply)
    assert [getattr(answer, "status", None) for answer in reply.answers] == [200, 200]
    assert reply.certificate_ends == ENDS
    assert server.connections == 1


async def test_without_tls_no_certificate_ends() -> None:
    async with breaking(answering(OK)) as server:
        reply = await ask(server.port)

    assert isinstance(reply, HttpReply)
    assert reply.certificate_ends is None


@pytest.mark.parametrize(
    ("made", "reason", "detail"),
    [
        ({"ends": datetime(2021, 1, 1, tzinfo=UTC)}, Reason.CERTIFICATE_EXPIRED, "certificate has expired"),
        (
            {"names": ("192.0.2.1", "api.example")},
            Reason.CERTIFICATE_INVALID,
            "IP address mismatch, certificate is not valid for '127.0.0.1'",
        ),
        ({"by": None}, Reason.CERTIFICATE_INVALID, "self-signed certificate"),
    ],
    ids=["ended", "other-name", "self-signed"],
)
async def test_a_bad_certificate(
    folder: Path, authority: Signed, made: dict[str, object], reason: Reason, detail: str
) -> None:
    bad = signed(folder, "bad", **({"by": authority} | made))  # type: ignore[arg-type]  # its parameters
    async with breaking(answering(OK), tls=bad.server()) as server:
        reply = await failure(server.port, tls=_trusting(authority))
        anyway = await ask(server.port, tls=Tls(verify=False))

    assert (reply.reason, reply.answered) == (reason, True)
    assert reply.detail == f"the server's certificate is not valid: {detail}"
    assert isinstance(anyway, HttpReply)
    assert anyway.certificate_ends == bad.certificate.not_valid_after_utc


async def test_the_system_does_not_trust_an_authority_of_our_own(good: Signed) -> None:
    async with breaking(answering(OK), tls=good.server()) as server:
        reply = await failure(server.port, tls=Tls())

    assert reply.reason is Reason.CERTIFICATE_INVALID
    assert "unable to get local issuer certificate" in reply.detail


@contextlib.contextmanager
def _picky(context: ssl.SSLContext) -> Iterator[int]:
    """Yield the port of a server that tells two clients that it does not take their certificate."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def refuse() -> None:
            for _ in range(2):
                client, _ = listening.accept()
                with (
                    client,
                    contextlib.suppress(OSError),
                    context.wrap_socket(client, server_side=True) as tls,
                ):
                    tls.recv(1)

        thread = threading.Thread(target=refuse)
        thread.start()
        yield listening.getsockname()[1]
        thread.join()


async def test_a_certificate_of_ours(folder: Path, authority: Signed, good: Signed) -> None:
    ours = signed(folder, "ours", by=authority, names=("quorate",))
    stranger = signed(folder, "stranger")
    async with breaking(answering(OK), tls=good.server(clients_of=authority)) as server:
        shown = await ask(server.port, tls=_trusting(authority, cert_file=str(ours.file)))
    with _picky(good.server(clients_of=authority)) as port:
        none = await failure(port, tls=_trusting(authority))
        other = await failure(port, tls=_trusting(authority, cert_file=str(stranger.file)))

    assert isinstance(shown, HttpReply)
    assert (none.reason, other.reason) == (Reason.AUTH_FAILED, Reason.AUTH_FAILED)
    assert none.detail == "the server does not take our certificate (tlsv13 alert certificate required)"
    assert other.detail == "the server does not take our certificate (tlsv1 alert unknown ca)"


@pytest.mark.parametrize(
    ("key", "content", "said"),
    [
        ("ca_file", None, "No such file or directory"),
        ("ca_file", b"no certificate", "no valid PEM file"),
        ("ca_file", b"", "no valid PEM file"),
        ("cert_file", None, "No such file or directory"),
        ("cert_file", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "no valid PEM file"),
    ],
)
async def test_files_that_are_no_use(tmp_path: Path, key: str, content: bytes | None, said: str) -> None:
    file = tmp_path / "file.pem"
    if content is not None:
        file.write_bytes(content)
    async with breaking(mute) as server:
        reply = await failure(server.port, tls=Tls(**{key: str(file)}))  # type: ignore[arg-type]  # a field

    with_key = " with its key" if key == "cert_file" and content is not None else ""
    assert (reply.reason, reply.answered) == (Reason.SECRET_UNAVAILABLE, False)
    assert reply.detail == f"tls.{key}: {file}{with_key} can't be used: {said}"
    assert server.connections == 0


async def test_a_folder_and_an_encrypted_key(tmp_path: Path, good: Signed) -> None:
    key = encrypted_key(good, tmp_path / "key.pem")
    folder = await failure(1, tls=Tls(ca_file=str(tmp_path)))
    locked = await failure(1, tls=Tls(cert_file=str(good.file), key_file=str(key)))

    assert folder.detail == f"tls.ca_file: {tmp_path} can't be used: Is a directory"
    assert locked.detail == (
        f"tls.cert_file: {good.file} with its key can't be used: "
        "its key is encrypted; store it without a passphrase"
    )


async def test_tls_where_none_is_spoken(authority: Signed) -> None:
    page = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"
    async with breaking(saying(page)) as server:
        reply = await failure(server.port, tls=_trusting(authority))

    assert (reply.reason, reply.answered) == (Reason.CONNECT_FAILED, True)
    assert reply.detail.startswith("what answers does not speak TLS; it sent: HTTP/1.1 400 Bad Request")


async def test_no_tls_where_it_is_spoken(good: Signed) -> None:
    async with breaking(answering(OK), tls=good.server()) as server:
        reply = await failure(server.port)

    assert (reply.reason, reply.answered) == (Reason.CONNECT_FAILED, True)
    assert reply.detail.startswith(("the port wants TLS", "the connection"))


async def test_a_handshake_that_ends_early(authority: Signed) -> None:
    async with breaking(closed) as server:
        reply = await failure(server.port, tls=_trusting(authority))
    assert (reply.reason, reply.answered) == (Reason.CONNECT_FAILED, True)
    assert reply.detail.startswith("the connection broke during the TLS handshake: ")

    async with breaking(mute) as server:
        reply = await failure(server.port, tls=_trusting(authority), timeout=0.3)
    assert (reply.reason, reply.answered) == (Reason.TIMEOUT, True)
    assert reply.detail == "no answer within 0.3 s during the TLS handshake"

    for first in (b"\x16\x03\x03\x40\0" + b"x" * 20_000, b"\x15\x03\x01\0\x02\x02\x28", b"\x16\x03"):
        async with breaking(saying(first)) as server:
            reply = await failure(server.port, tls=_trusting(authority), timeout=0.5)
        assert reply.reason in {Reason.CONNECT_FAILED, Reason.TIMEOUT}


async def test_a_name_that_no_certificate_can_have(authority: Signed, good: Signed) -> None:
    async with breaking(answering(OK), tls=good.server()) as server:
        reply = await failure(server.port, tls=_trusting(authority, name=".example"))

    assert reply.reason is Reason.CERTIFICATE_INVALID
    assert reply.detail.startswith(".example is no name that a certificate can be for: ")
