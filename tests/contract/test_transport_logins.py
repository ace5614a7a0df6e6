"""What an Airflow connection carries, at a real sshd: keys as text, passwords, and the host's own key."""

import asyncio
import logging
import os
import subprocess
from dataclasses import replace

import asyncssh
import pytest

from quorate.engine import resolve_secret
from quorate.model import Reason, Secret
from quorate.transports.errors import HostError
from quorate.transports.target import Targets

ASK = ["echo", "answer"]
PASSWORD, WRONG, PASSPHRASE = "hunter2-of-root", "wr0ng-password", "s3cret-phrase"
KEY = Secret(airflow_connection="ssh_prod", part="private_key")
PHRASE = Secret(airflow_connection="ssh_prod", part="private_key_passphrase")
SECRET = Secret(airflow_connection="ssh_prod", part="password")


async def failure(ask, host, **options):
    contact, replies = await ask(host, ASK, **options)
    assert contact.failure is not None, replies
    return contact.failure


async def works(ask, host, **options):
    contact, replies = await ask(host, ASK, **options)
    assert contact.failure is None, contact
    assert replies[0].stdout == b"answer\n"


def resolving(**parts):
    """Return what resolves the secrets of the connection, and raises in words where there is none."""

    def resolve(secret):
        if secret.part not in parts:
            raise LookupError(f"the Airflow connection 'ssh_prod' has no {secret.part}")
        return parts[secret.part]

    return resolve


# Keys as text.


@pytest.mark.parametrize("form", ["openssh", "pkcs8-pem", "pkcs1-pem"])
async def test_a_key_as_text(ask, ground, form):
    server = ground.once("rsa", "StrictModes no")
    key = asyncssh.generate_private_key("ssh-rsa", key_size=2048)
    (server.folder / "authorized_keys").write_bytes(key.export_public_key())
    host = ground.host(server.port, identity_file=None, private_key=KEY)
    text = key.export_private_key(form).decode()
    await works(ask, host, resolve=resolving(private_key=f"\n{text}\n\n"))


@pytest.mark.parametrize("form", ["openssh", "pkcs8-pem"])
async def test_a_key_as_text_with_a_passphrase(ask, ground, form):
    server = ground.start()
    text = asyncssh.read_private_key(ground.identity).export_private_key(form, passphrase=PASSPHRASE).decode()
    host = ground.host(server.port, identity_file=None, private_key=KEY, passphrase=PHRASE)
    await works(ask, host, resolve=resolving(private_key=text, private_key_passphrase=PASSPHRASE))


@pytest.mark.parametrize("kind", ["wrong", "none", "unavailable", "no key", "missing"])
async def test_a_key_as_text_that_can_not_be_used(ask, ground, kind, caplog):
    caplog.set_level(logging.DEBUG)
    server = ground.once("plain")
    text = asyncssh.read_private_key(ground.identity).export_private_key("pkcs8-pem", passphrase="x").decode()
    parts = {"private_key": "AAAAno-key-at-all" if kind == "no key" else text}
    if kind == "wrong":
        parts["private_key_passphrase"] = PASSPHRASE
    if kind == "missing":
        parts.clear()
    passphrase = PHRASE if kind in ("wrong", "unavailable") else None
    host = ground.host(server.port, identity_file=None, private_key=KEY, passphrase=passphrase)
    why = await failure(ask, host, resolve=resolving(**parts))
    assert why.reason is Reason.SECRET_UNAVAILABLE
    says = {
        "wrong": "passphrase does not fit",
        "none": "it is encrypted",
        "unavailable": "has no private_key_passphrase",
        "no key": "no private key in a format that is known",
        "missing": "has no private_key",
    }
    assert "the private key of the Airflow connection 'ssh_prod'" in why.detail
    assert says[kind] in why.detail
    for written in (why.detail, repr(why), caplog.text):
        assert PASSPHRASE not in written
        assert "no-key-at-all" not in written
        assert text.splitlines()[1] not in written


async def test_a_key_as_text_is_the_only_one_that_is_offered(ask, ground, monkeypatch):
    server = ground.start()
    folder = ground.folder / "home" / ".ssh"
    folder.mkdir(parents=True)
    (folder / "id_ed25519").write_bytes(ground.identity.read_bytes())
    monkeypatch.setenv("HOME", str(folder.parent))
    other = asyncssh.generate_private_key("ssh-ed25519")
    host = ground.host(server.port, identity_file=None, private_key=KEY)
    text = other.export_private_key().decode()
    why = await failure(ask, host, resolve=resolving(private_key=text))
    assert why.reason is Reason.SSH_AUTH_FAILED
    assert other.get_fingerprint() in why.detail
    assert "id_ed25519" not in why.detail
    assert text.splitlines()[1] not in why.detail


# Passwords. A real sshd lets root in by a password that stands in a shadow file of its own namespace alone.


@pytest.fixture
def with_password(ground):
    """Start an sshd to which root has PASSWORD, whatever this machine's own shadow file says."""
    if os.geteuid() != 0:
        pytest.skip("an sshd that asks for passwords has to read a shadow file, which takes root")

    def start(*lines: str, **options):
        hashed = subprocess.run(
            ["openssl", "passwd", "-6", PASSWORD], check=True, capture_output=True, text=True
        ).stdout.strip()
        shadow, program = ground.folder / "shadow", ground.folder / "sshd"
        shadow.write_text(f"root:{hashed}:19000:0:99999:7:::\n")
        shadow.chmod(0o600)
        program.write_text(
            "#!/bin/sh\nexec unshare --mount sh -c "
            f'\'mount --bind {shadow} /etc/shadow && exec /usr/sbin/sshd "$@"\' sshd "$@"\n'
        )
        program.chmod(0o755)
        return ground.start(*lines, program=program, keys="", **options)

    return start


def by_password(ground, server, **settings):
    host = ground.host(server.port, identity_file=None, user="root", password=SECRET)
    return replace(host, ssh=replace(host.ssh, **settings))


async def test_a_password(ask, ground, with_password, monkeypatch):
    server = with_password("PasswordAuthentication yes", "MaxAuthTries 2")
    folder = ground.folder / "home" / ".ssh"
    folder.mkdir(parents=True)
    for name in ("id_ed25519", "id_ecdsa", "id_rsa"):
        (folder / name).write_bytes(ground.key(name).read_bytes())
    monkeypatch.setenv("HOME", str(folder.parent))
    await works(ask, by_password(ground, server), resolve=resolving(password=PASSWORD))


async def test_a_password_behind_a_key_that_is_refused(ask, ground, with_password):
    server = with_password("PasswordAuthentication yes")
    host = by_password(ground, server, identity_file=str(ground.identity))
    await works(ask, host, resolve=resolving(password=PASSWORD))


async def test_a_password_that_is_asked_for_interactively(ask, ground, with_password):
    server = with_password("UsePAM yes", "KbdInteractiveAuthentication yes", "PubkeyAuthentication no")
    await works(ask, by_password(ground, server), resolve=resolving(password=PASSWORD))


async def test_a_wrong_password_is_told_once_and_never_shown(ask, ground, with_password, caplog):
    caplog.set_level(logging.DEBUG)
    server = with_password("PasswordAuthentication yes")
    why = await failure(ask, by_password(ground, server), resolve=resolving(password=WRONG))
    assert why.reason is Reason.SSH_AUTH_FAILED
    assert "offered: a password" in why.detail
    assert server.log.count("Failed password") == 1
    for written in (why.detail, repr(why), caplog.text):
        assert WRONG not in written


async def test_a_server_that_takes_no_passwords(ask, ground):
    server = ground.once("plain")
    host = ground.host(server.port, identity_file=None, password=SECRET)
    why = await failure(ask, host, resolve=resolving(password=WRONG))
    assert why.reason is Reason.SSH_AUTH_FAILED
    assert WRONG not in why.detail


async def test_a_password_that_can_not_be_had(ask, ground):
    server = ground.once("plain")
    host = ground.host(server.port, identity_file=None, password=SECRET)
    why = await failure(ask, host, resolve=resolving())
    assert why.reason is Reason.SECRET_UNAVAILABLE
    assert "the password can't be had: the Airflow connection 'ssh_prod' has no password" in why.detail


class Repeating(asyncssh.SSHServer):
    """Refuses every password, and says which one it was."""

    def connection_made(self, conn):
        self.conn = conn

    def begin_auth(self, _username):
        return True

    def password_auth_supported(self):
        return True

    def validate_password(self, _username, password):
        self.conn.send_auth_banner(f"{password} is wrong\n")
        return False


async def test_a_host_that_repeats_the_password(ask, ground):
    public = ground.public("host_key")
    server = await asyncssh.create_server(
        Repeating, "127.0.0.1", 0, server_host_keys=[ground.folder / "host_key"]
    )
    port = server.get_port()
    ground.know(f"[127.0.0.1]:{port}", public)
    host = ground.host(port, identity_file=None, password=SECRET)
    why = await failure(ask, host, resolve=resolving(password=WRONG))
    server.close()
    await server.wait_closed()
    assert why.reason is Reason.SSH_AUTH_FAILED
    assert WRONG not in why.detail
    assert "*** is wrong" in why.detail


# The host's own key.


@pytest.mark.parametrize("algorithm", ["ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"])
async def test_a_host_key_that_is_declared(ask, ground, algorithm):
    server = ground.start(host_key=algorithm, known=False)
    assert not ground.known_hosts.exists()
    await works(ask, ground.host(server.port, host_key=server.host_key))


async def test_a_host_key_that_is_declared_stands_beside_the_known_ones(ask, ground):
    server = ground.start()
    await works(ask, ground.host(server.port, host_key=ground.public("other")))


async def test_a_host_key_that_is_declared_and_does_not_fit(ask, ground):
    server = ground.start(known=False)
    other = ground.public("other")
    why = await failure(ask, ground.host(server.port, host_key=other))
    assert why.reason is Reason.HOST_KEY_CHANGED
    assert asyncssh.import_public_key(server.host_key).get_fingerprint() in why.detail
    assert asyncssh.import_public_key(other).get_fingerprint() in why.detail
    assert "host_key of the Airflow connection" in why.detail


async def test_a_revoked_key_stays_revoked_though_it_is_declared(ask, ground):
    server = ground.start()
    ground.know(f"@revoked {server.known_as}", server.host_key)
    why = await failure(ask, ground.host(server.port, host_key=server.host_key))
    assert why.reason is Reason.HOST_KEY_CHANGED


async def test_a_host_key_that_can_not_be_read(ask, ground):
    server = ground.once("plain")
    why = await failure(ask, ground.host(server.port, host_key="ssh-ed25519 nonsense"))
    assert why.reason is Reason.HOST_KEY_UNKNOWN
    assert "host_key" in why.detail


async def test_neither_password_nor_host_key_is_for_a_hop(ground):
    path = ground.folder / "ssh_config"
    path.write_text("Host *\n ProxyJump bastion.example\n")
    host = ground.host(22, config_file=str(path), password=SECRET, host_key=ground.public("other"))
    target = await Targets().target(host)
    (hop,) = target.hops
    assert (hop.ssh.password, hop.ssh.host_key) == (None, None)
    assert target.settings.password == SECRET


# A connection that can't be read here.


async def test_a_host_whose_login_is_in_airflow_is_not_even_connected_to(ask, ground, fake):
    connected = asyncio.Event()

    async def listen(_reader, _writer):
        connected.set()

    port = await fake(listen)
    host = ground.host(port, airflow_connection="ssh_prod")
    contact, replies = await ask(host, ASK, resolve=resolve_secret)
    assert contact.failure is not None
    assert not contact.answered
    assert contact.failure.reason is replies[0].reason is Reason.SECRET_UNAVAILABLE
    assert "the Airflow connection 'ssh_prod'" in contact.failure.detail
    assert "can only be read inside Airflow" in contact.failure.detail
    assert "ssh.identity_file" in contact.failure.detail
    assert not connected.is_set()


async def test_why_a_connection_can_not_be_had_is_told_in_the_resolvers_words(ground):
    host = ground.host(22, airflow_connection="ssh_prod")
    with pytest.raises(HostError) as raised:
        await Targets(resolving()).target(host)
    assert "the Airflow connection 'ssh_prod' has no login" in raised.value.detail
