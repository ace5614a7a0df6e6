"""Every row of the transport's table, before and during the login: why there is no answer."""

import asyncio
import socket
import time

import pytest

from quorate.model import Host, NoReply, Reason, Reply

ASK = ["echo", "answer"]


async def failure(ask, host, **options) -> tuple[NoReply, bool]:
    """Ask a host that can't be asked; every question has the host's own reason."""
    contact, replies = await ask(host, ASK, ["id"], **options)
    assert contact.failure is not None, replies
    assert all((r.reason, r.detail) == (contact.failure.reason, contact.failure.detail) for r in replies)
    assert contact.remote
    return contact.failure, contact.answered


# TCP.


@pytest.mark.parametrize("name", ["no-such-host.invalid", "a..b", "x" * 300])
async def test_a_name_that_is_not_resolved(ask, shared, name):
    why, answered = await failure(ask, shared.host(22, address=name, connect_timeout=1.0))
    assert why.reason is Reason.NAME_UNRESOLVED
    assert name in why.detail
    assert not answered


async def test_a_resolver_that_hangs_holds_up_nobody(ask, shared, monkeypatch):
    real = socket.getaddrinfo

    def hangs(host, *rest):
        if host == "hanging.example":
            time.sleep(2.0)
        return real(host, *rest)

    monkeypatch.setattr(socket, "getaddrinfo", hangs)
    hosts = [
        shared.host(22, name=f"h{n}", address="hanging.example", connect_timeout=0.3) for n in range(100)
    ]
    good = shared.host(shared.servers[0].port, name="good", address="localhost")
    shared.know(f"[localhost]:{shared.servers[0].port}", shared.servers[0].host_key)
    started = time.monotonic()
    *failures, (contact, _) = await asyncio.gather(
        *(failure(ask, h, others=[good]) for h in hosts), ask(good, ASK, others=hosts)
    )
    assert {why.reason for why, _ in failures} == {Reason.NAME_UNRESOLVED}
    assert contact.failure is None
    assert time.monotonic() - started < 1.9  # before any of the look-ups ends


async def test_a_port_that_refuses(ask, shared):
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))  # bound, and nobody listens
        why, answered = await failure(ask, shared.host(sock.getsockname()[1]))
    assert why.reason is Reason.HOST_UNREACHABLE
    assert "refused" in why.detail
    assert answered


async def test_a_refusal_is_tried_a_second_time(ask, shared):
    server = shared.servers[0]
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
        asking = asyncio.create_task(
            ask(shared.host(server.port, connect_timeout=1.0), ASK, dial={"nfs-1": ("127.0.0.1", port)})
        )
        await asyncio.sleep(0.1)
        sock.listen()
        connection, _ = await asyncio.get_running_loop().run_in_executor(None, sock.accept)
    with connection:
        contact, _ = await asking
    assert contact.failure.reason is Reason.SSH_UNRESPONSIVE  # it was let in, and then nobody spoke


async def test_silence(ask, shared):
    with socket.socket() as hole, socket.socket() as first, socket.socket() as second:
        hole.bind(("127.0.0.1", 0))
        hole.listen(0)
        for filler in (first, second):  # with its queue full, the kernel drops what comes
            filler.setblocking(False)
            filler.connect_ex(hole.getsockname())
        why, answered = await failure(ask, shared.host(hole.getsockname()[1], connect_timeout=0.4))
    assert why.reason is Reason.HOST_UNREACHABLE
    assert "no answer within 0.4 s" in why.detail
    assert not answered


async def test_no_route(ask, shared):
    host = shared.host(22, address="fe80::1", connect_timeout=0.5)  # a link-local address without its link
    why, answered = await failure(ask, host)
    assert why.reason is Reason.HOST_UNREACHABLE
    assert not answered


async def test_a_limit_of_this_machine_is_not_the_hosts_failure(ask, shared, monkeypatch):
    def no_more(*_):
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("quorate.transports.tcp.socket.socket", no_more)
    why, answered = await failure(ask, shared.host(22))
    monkeypatch.undo()
    assert why.reason is Reason.INTERNAL_ERROR
    assert "ulimit" in why.detail
    assert not answered


# TCP answers, SSH does not.


async def mute(reader, writer):
    await reader.read(-1)


async def closes(reader, writer):
    return


async def dribbles(reader, writer):
    for byte in b"SSH-2.0-slow" * 100:
        writer.write(bytes([byte]))
        await asyncio.sleep(0.1)


async def endless_banner(reader, writer):
    while True:
        writer.write(b"Keep calm and wait for the greeting\r\n" * 10)
        await writer.drain()
        await asyncio.sleep(0.001)


async def endless_line(reader, writer):
    while True:
        writer.write(b"x" * 4096)
        await writer.drain()
        await asyncio.sleep(0.001)


async def http(reader, writer):
    await reader.readline()
    writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    await writer.drain()


async def binary(reader, writer):
    writer.write(b"SSH-2.0-\xff\xfe\r\n" + bytes(range(256)) * 64)
    await reader.read(-1)


async def half_a_handshake(reader, writer):
    writer.write(b"SSH-2.0-OpenSSH_9.2\r\n")
    await reader.read(-1)


async def old_protocol(reader, writer):
    writer.write(b"SSH-1.5-ancient\r\n")
    await reader.read(-1)


@pytest.mark.parametrize(
    ("behaviour", "says"),
    [
        (mute, "no SSH greeting within 0.6 s"),
        (closes, "closes it before any SSH greeting"),
        (dribbles, "within 0.6 s"),
        (endless_banner, "Keep calm"),
        (endless_line, "xxx"),
        (http, "HTTP/1.1 400"),
        (binary, ""),
        (half_a_handshake, "within 0.6 s"),
        (old_protocol, "Unsupported SSH version"),
    ],
)
async def test_what_is_no_ssh_server(ask, shared, fake, behaviour, says):
    port = await fake(behaviour)
    started = time.monotonic()
    why, answered = await failure(ask, shared.host(port, connect_timeout=0.6))
    assert why.reason is Reason.SSH_UNRESPONSIVE
    assert says in why.detail
    assert why.detail.isprintable()
    assert answered
    assert time.monotonic() - started < 5


async def test_mute_hosts_hold_up_nobody(ask, shared, fake):
    port = await fake(mute)
    mutes = [shared.host(port, name=f"mute-{n}", connect_timeout=1.5) for n in range(20)]
    good = shared.host(shared.servers[0].port, name="good")
    results = await asyncio.gather(
        *(failure(ask, m, others=[good], logins_at_once=1) for m in mutes),
        ask(good, ASK, others=mutes, logins_at_once=1),
    )
    contact, _ = results[-1]
    assert contact.failure is None
    assert contact.duration < 1.4


async def test_many_hosts_share_few_slots(ask, shared):
    server = shared.servers[0]
    hosts = [shared.host(server.port, name=f"h{n}") for n in range(8)]
    answers = await asyncio.gather(
        *(ask(h, ASK, others=[o for o in hosts if o is not h], logins_at_once=1) for h in hosts)
    )
    assert all(c.failure is None for c, _ in answers)


async def relay(reader, writer, port):
    inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)

    async def pump(source, sink):
        while data := await source.read(65536):
            sink.write(data)
        sink.close()

    try:
        await asyncio.gather(pump(reader, inner_writer), pump(inner_reader, writer))
    finally:
        inner_writer.close()


@pytest.mark.parametrize("said", [b"", b"Exceeded MaxStartups\r\n"])
async def test_a_connection_that_is_closed_at_once_is_tried_a_second_time(ask, shared, fake, said):
    tries = []

    async def full_at_first(reader, writer):
        tries.append(time.monotonic())
        if len(tries) == 1:
            writer.write(said)
            await writer.drain()
        else:
            await relay(reader, writer, shared.servers[0].port)

    port = await fake(full_at_first)
    host = shared.host(shared.servers[0].port)
    contact, (reply,) = await ask(host, ASK, dial={"nfs-1": ("127.0.0.1", port)})
    assert contact.failure is None
    assert reply.stdout == b"answer\n"
    assert len(tries) == 2


async def test_what_a_full_server_says_is_passed_on(ask, shared, fake):
    async def full(reader, writer):
        writer.write(b"Exceeded MaxStartups\r\n")
        await writer.drain()

    why, _ = await failure(ask, shared.host(await fake(full)))
    assert why.reason is Reason.SSH_UNRESPONSIVE
    assert "Exceeded MaxStartups" in why.detail


async def test_no_algorithm_in_common(ask, ground):
    server = ground.start("KexAlgorithms diffie-hellman-group14-sha1", "Ciphers 3des-cbc", "MACs hmac-sha1")
    why, _ = await failure(ask, ground.host(server.port))
    assert why.reason is Reason.SSH_UNRESPONSIVE
    assert "No matching encryption algorithm" in why.detail


# The login is accepted, and no shell begins.


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("echo This account is currently not available.; exit 1", "This account is currently not available."),
        ("echo 'go away' >&2", "go away"),
        ("printf '\\033[31mred\\033[0m\\007\\r\\n'; exit 3", "red"),
        ("internal-sftp", "ended before our shell began"),
        ("kill -9 $$", "ended by signal"),
    ],
)
async def test_a_login_that_leads_to_no_shell(ask, shared, command, says):
    server = shared.start(f"ForceCommand {command}")
    why, answered = await failure(ask, shared.host(server.port, connect_timeout=1.0))
    assert why.reason is Reason.LOGIN_CLOSED
    assert says in why.detail
    assert why.detail.isprintable()
    assert answered


async def test_the_banner_is_passed_on_with_it(ask, ground):
    (ground.folder / "banner").write_text("System is going down for maintenance.\n")
    server = ground.start(f"Banner {ground.folder}/banner", "ForceCommand exit 1")
    why, _ = await failure(ask, ground.host(server.port))
    assert why.reason is Reason.LOGIN_CLOSED
    assert "System is going down for maintenance." in why.detail


async def test_sessions_that_are_refused(ask, ground):
    server = ground.start("MaxSessions 0")
    why, _ = await failure(ask, ground.host(server.port))
    assert why.reason is Reason.LOGIN_CLOSED
    assert "session was refused" in why.detail


async def test_a_login_script_that_hangs(ask, ground):
    server = ground.start("ForceCommand sleep 30")
    why, answered = await failure(ask, ground.host(server.port, connect_timeout=0.6))
    assert why.reason is Reason.SSH_UNRESPONSIVE
    assert "no shell begins within 0.6 s" in why.detail
    assert answered


async def test_the_hosts_time_is_up_before_it_is_reached(ask, shared, fake):
    why, answered = await failure(ask, shared.host(await fake(mute), connect_timeout=5.0), within=0.4)
    assert why.reason is Reason.COMMAND_TIMEOUT
    assert "host_timeout" in why.detail
    assert answered


async def test_a_host_that_failed_is_asked_again(ask, shared):
    host = shared.host(shared.servers[0].port)
    dial = {"nfs-1": ("127.0.0.1", 1)}
    contact, _ = await ask(host, ASK, dial=dial)
    assert contact.failure.reason is Reason.HOST_UNREACHABLE
    dial["nfs-1"] = ("127.0.0.1", shared.servers[0].port)
    contact, (reply,) = await ask(host, ASK)
    assert contact.failure is None
    assert isinstance(reply, Reply)


async def test_an_address_of_this_machine_that_is_loopback_is_asked_over_ssh(ask, shared):
    host = shared.host(shared.servers[0].port)
    local = Host(name=host.name, address=host.address, local=True, ssh=host.ssh)
    contact, (reply,) = await ask(local, ["printenv", "SSH_CONNECTION"])
    assert contact.remote
    assert reply.exit_code == 0
