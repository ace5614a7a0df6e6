"""What goes over the wire beside the questions: nothing, unless the cipher needs it."""

import asyncio
from collections import Counter
from pathlib import Path

import asyncssh
import pytest
from asyncssh.connection import SSHServerConnection
from asyncssh.constants import MSG_IGNORE

from quorate.model import Ask, Host, Reply, SshSettings
from quorate.transports import Transport
from quorate.transports.wire import Frame, begin, end, parse_login_command


class Accepting(asyncssh.SSHServer):
    """Lets everyone in."""

    def begin_auth(self, _username: str) -> bool:
        return False


async def answer(process: asyncssh.SSHServerProcess[bytes]) -> None:
    """Answer a first batch as a host does, with nothing but exit codes."""
    token, questions = parse_login_command(process.command or "")
    said = [begin(token, 2)]
    for question in questions:
        frame = Frame(
            number=question.number, stdout=b"", stderr=b"", exit_code=0, uptime=1.0, truncated=False
        )
        said.append(end(token, frame))
    for out, err in said:
        process.stdout.write(out)
        process.stderr.write(err)


async def asked(cipher: str, folder: Path) -> tuple[object, ...]:
    """Return the replies of a server that speaks one cipher only."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    server = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_factory=Accepting,
        server_host_keys=[key],
        process_factory=answer,
        encryption_algs=[cipher],
        encoding=None,
    )
    async with server:
        port = server.get_port()
        known = folder / "known_hosts"
        known.write_text(f"[127.0.0.1]:{port} {key.export_public_key().decode()}")
        host = Host(name="one", address="127.0.0.1", ssh=SshSettings(port=port, known_hosts=str(known)))
        async with Transport({"one": host}, resolve=lambda _: "") as transport:
            deadline = asyncio.get_running_loop().time() + 20
            _, replies = await transport.ask("one", [Ask(argv=("true",))], deadline=deadline)
    return replies


@pytest.mark.parametrize(("cipher", "sent"), [("aes128-gcm@openssh.com", False), ("aes128-ctr", True)])
async def test_empty_packets_are_sent_only_where_the_cipher_needs_them(
    cipher: str, sent: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    came: Counter[int] = Counter()

    def count(_connection: SSHServerConnection, kind: int, *_: object) -> None:
        came[kind] += 1

    monkeypatch.setattr(SSHServerConnection, "log_received_packet", count)
    replies = await asked(cipher, tmp_path)
    assert [type(reply) for reply in replies] == [Reply]
    assert came, "packets were counted at all"
    assert bool(came[MSG_IGNORE]) is sent
