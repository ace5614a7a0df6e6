"""Whose key is trusted, which keys are offered, and what a client configuration and jump hosts change."""

import asyncio
import getpass
import importlib.util
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import asyncssh
import pytest

from quorate.model import Ask, Host, Reason, Secret
from quorate.transports import Transport

ASK = ["echo", "answer"]
USER = getpass.getuser()


async def failure(ask, host, **options):
    contact, replies = await ask(host, ASK, **options)
    assert contact.failure is not None, replies
    assert replies[0].reason is contact.failure.reason
    return contact.failure


async def works(ask, host, **options):
    contact, replies = await ask(host, ASK, **options)
    assert contact.failure is None, contact
    assert replies[0].stdout == b"answer\n"


# Host keys.


async def test_an_unknown_key_is_never_accepted_and_the_command_is_given(ask, ground):
    server = ground.start(known=False)
    why = await failure(ask, ground.host(server.port))
    assert why.reason is Reason.HOST_KEY_UNKNOWN
    assert f"ssh-keyscan -p {server.port} 127.0.0.1 >> {ground.known_hosts}" in why.detail
    assert asyncssh.import_public_key(server.host_key).get_fingerprint() in why.detail
    assert "fingerprint" in why.detail
    assert not ground.known_hosts.exists()


async def test_the_key_that_is_added_while_we_run_is_seen(ask, ground):
    server = ground.start(known=False)
    ground.know("other.example", server.host_key)
    assert (await failure(ask, ground.host(server.port))).reason is Reason.HOST_KEY_UNKNOWN
    ground.know(server.known_as, server.host_key)
    await works(ask, ground.host(server.port))


@pytest.mark.parametrize("algorithm", ["ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"])
async def test_a_changed_key_is_never_accepted(ask, ground, algorithm):
    server = ground.start(known=False)
    other = ground.public("other", algorithm)
    ground.know(server.known_as, other)
    why = await failure(ask, ground.host(server.port))
    assert why.reason is Reason.HOST_KEY_CHANGED
    assert asyncssh.import_public_key(server.host_key).get_fingerprint() in why.detail
    assert asyncssh.import_public_key(other).get_fingerprint() in why.detail


@pytest.mark.parametrize("algorithm", ["ssh-ed25519", "ecdsa-sha2-nistp384", "ssh-rsa"])
async def test_every_kind_of_known_key_is_accepted(ask, ground, algorithm):
    server = ground.start(host_key=algorithm)
    await works(ask, ground.host(server.port))


async def test_one_fitting_key_of_several_is_enough(ask, ground):
    server = ground.start(known=False)
    for algorithm in ("ecdsa-sha2-nistp256", "ssh-ed25519"):
        ground.know(server.known_as, ground.public(algorithm, algorithm))
    ground.know(server.known_as, server.host_key)
    await works(ask, ground.host(server.port))


async def test_a_revoked_key(ask, ground):
    server = ground.start()
    ground.know(f"@revoked {server.known_as}", server.host_key)
    why = await failure(ask, ground.host(server.port))
    assert why.reason is Reason.HOST_KEY_CHANGED
    assert "revoked" in why.detail


async def test_a_key_known_for_the_address_alone(ask, ground):
    server = ground.start(known=False)
    ground.know("127.0.0.1", server.host_key)
    await works(ask, ground.host(server.port))
    other = ground.start(known=False)
    why = await failure(ask, ground.host(other.port, name="nfs-2"))
    assert why.reason is Reason.HOST_KEY_UNKNOWN


async def test_malformed_lines_are_skipped_and_the_others_hold(ask, ground):
    ground.known_hosts.write_text(
        "garbage\n@what 127.0.0.1 x y\n|1|broken ssh-ed25519 AAAA\n127.0.0.1 ssh-x !\n"
    )
    server = ground.start()
    await works(ask, ground.host(server.port))
    stranger = ground.start(known=False)
    why = await failure(ask, ground.host(stranger.port, name="nfs-2"))
    assert why.reason is Reason.HOST_KEY_UNKNOWN


async def test_hashed_names(ask, ground):
    server = ground.start()
    ground.run("ssh-keygen", "-q", "-H", "-f", ground.known_hosts)
    assert "127.0.0.1" not in ground.known_hosts.read_text()
    await works(ask, ground.host(server.port))


async def test_a_certificate_authority(ask, ground):
    authority = asyncssh.generate_private_key("ssh-ed25519")
    server = ground.start(known=False)
    certificate = authority.generate_host_certificate(
        asyncssh.import_public_key(server.host_key), "nfs-1", principals=["127.0.0.1"]
    )
    server.stop()
    (server.folder / "host_key-cert.pub").write_bytes(certificate.export_certificate())
    certified = ground.start(
        f"HostCertificate {server.folder}/host_key-cert.pub", f"HostKey {server.folder}/host_key", known=False
    )
    assert (await failure(ask, ground.host(certified.port))).reason is Reason.HOST_KEY_UNKNOWN
    ground.know("@cert-authority [127.0.0.1]:*", authority.export_public_key().decode().strip())
    await works(ask, ground.host(certified.port))


async def test_the_key_is_looked_up_under_the_inventorys_address(ask, ground):
    server = ground.start(known=False)
    ground.know("[192.0.2.165]:2222", server.host_key)
    host = ground.host(2222, address="192.0.2.165")
    await works(ask, host, dial={"nfs-1": ("127.0.0.1", server.port)})


# Keys to log in with.


async def test_a_refused_login(ask, ground):
    server = ground.start(keys="")
    why = await failure(ask, ground.host(server.port))
    assert why.reason is Reason.SSH_AUTH_FAILED
    assert USER in why.detail
    assert str(ground.identity) in why.detail
    assert asyncssh.read_public_key(f"{ground.identity}.pub").get_fingerprint() in why.detail


async def test_a_server_without_public_keys(ask, ground):
    server = ground.start("PubkeyAuthentication no", "KbdInteractiveAuthentication yes")
    why = await failure(ask, ground.host(server.port))
    assert why.reason is Reason.SSH_AUTH_FAILED
    assert "does not accept public keys" in why.detail


async def test_too_many_keys_for_the_server(ask, ground, agent):
    server = ground.start("MaxAuthTries 2", keys="")
    for number in range(4):
        agent.add(ground.key(f"key-{number}"))
    why = await failure(ask, ground.host(server.port, identity_file=None))
    assert why.reason is Reason.SSH_AUTH_FAILED
    assert "Too many authentication failures" in why.detail


async def test_a_key_with_a_passphrase(ask, ground):
    server = ground.start()
    encrypted = ground.encrypted()
    host = ground.host(server.port, identity_file=str(encrypted), passphrase=Secret(env="PASSPHRASE"))
    await works(ask, host, resolve=lambda secret: {"PASSPHRASE": "s3cret"}[secret.env])


async def test_a_key_with_a_passphrase_as_ssh_keygen_writes_it(ask, ground):
    server = ground.start()
    ground.run("ssh-keygen", "-q", "-p", "-N", "s3cret", "-f", ground.identity)
    host = ground.host(server.port, passphrase=Secret(env="PASSPHRASE"))
    if importlib.util.find_spec("bcrypt"):
        await works(ask, host, resolve=lambda _: "s3cret")
    else:
        why = await failure(ask, host, resolve=lambda _: "s3cret")
        assert why.reason is Reason.SECRET_UNAVAILABLE
        assert "bcrypt" in why.detail


@pytest.mark.parametrize("kind", ["wrong", "none", "unavailable"])
async def test_a_passphrase_that_does_not_fit(ask, ground, kind):
    server = ground.start()
    encrypted = ground.encrypted()

    def resolve(secret):
        if kind == "unavailable":
            raise LookupError("the environment has no PASSPHRASE")
        return "wr0ng"

    secret = None if kind == "none" else Secret(env="PASSPHRASE")
    host = ground.host(server.port, identity_file=str(encrypted), passphrase=secret)
    why = await failure(ask, host, resolve=resolve)
    assert why.reason is Reason.SECRET_UNAVAILABLE
    assert str(encrypted) in why.detail
    assert "wr0ng" not in why.detail
    says = {"wrong": "does not fit", "none": "ssh.passphrase", "unavailable": "environment has no PASSPHRASE"}
    assert says[kind] in why.detail


@pytest.mark.parametrize("content", [None, "no key at all"])
async def test_a_key_file_that_can_not_be_used(ask, ground, content):
    server = ground.start()
    path = ground.folder / "missing"
    if content:
        path.write_text(content)
    why = await failure(ask, ground.host(server.port, identity_file=str(path)))
    assert why.reason is Reason.SECRET_UNAVAILABLE
    assert str(path) in why.detail


async def test_an_unreachable_host_is_unreachable_whatever_its_key(ask, ground):
    why = await failure(ask, ground.host(ground.free_port(), identity_file="/nowhere"))
    assert why.reason is Reason.HOST_UNREACHABLE


async def test_the_usual_files(ask, ground, monkeypatch):
    server = ground.start()
    folder = ground.folder / "home" / ".ssh"
    folder.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(folder.parent))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    (folder / "id_ed25519").write_bytes(ground.encrypted().read_bytes())
    why = await failure(ask, ground.host(server.port, identity_file=None))
    assert why.reason is Reason.SSH_AUTH_FAILED
    assert "~/.ssh/id_ed25519 (it is encrypted" in why.detail
    (folder / "id_rsa").write_bytes(ground.identity.read_bytes())
    await works(ask, ground.host(server.port, identity_file=None))


class Agent:
    def __init__(self, path: Path) -> None:
        self.path = path
        self.process = subprocess.Popen(["ssh-agent", "-D", "-a", path], stdout=subprocess.DEVNULL)

    def add(self, key: Path) -> None:
        environment = {**os.environ, "SSH_AUTH_SOCK": str(self.path)}
        subprocess.run(["ssh-add", "-q", key], env=environment, check=True)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(5)


@pytest.fixture
async def agent(tmp_path, monkeypatch):
    agent = Agent(tmp_path / "agent")
    while not agent.path.exists():  # noqa: ASYNC110  another program makes it
        await asyncio.sleep(0.01)
    monkeypatch.setenv("SSH_AUTH_SOCK", str(agent.path))
    monkeypatch.setenv("HOME", str(tmp_path))
    yield agent
    agent.stop()


async def test_the_agents_keys(ask, ground, agent):
    server = ground.start()
    host = ground.host(server.port, identity_file=None)
    assert "no key to offer" in (await failure(ask, host)).detail
    agent.add(ground.identity)
    others = [replace(host, name=f"nfs-{n}") for n in range(2, 6)]
    await asyncio.gather(*(works(ask, h, others=[o for o in others if o is not h]) for h in others))


async def test_an_rsa_key_of_the_agent(ask, ground, agent):
    server = ground.start(keys=ground.public("rsa", "ssh-rsa"))
    agent.add(ground.folder / "rsa")
    await works(ask, ground.host(server.port, identity_file=None))


async def test_an_encrypted_file_whose_key_the_agent_holds(ask, ground, agent):
    server = ground.start()
    agent.add(ground.identity)
    encrypted = ground.encrypted(with_public=True)
    await works(ask, ground.host(server.port, identity_file=str(encrypted)))


async def test_an_agent_that_is_gone(ask, ground, monkeypatch):
    server = ground.start()
    monkeypatch.setenv("SSH_AUTH_SOCK", str(ground.folder / "nowhere"))
    monkeypatch.setenv("HOME", str(ground.folder))
    why = await failure(ask, ground.host(server.port, identity_file=None))
    assert why.reason is Reason.SSH_AUTH_FAILED
    assert "SSH agent" in why.detail


async def test_an_agent_that_hangs(ask, ground, monkeypatch):
    server = ground.start()
    monkeypatch.setattr("quorate.transports.agent.AGENT_LIMIT", 0.3)
    monkeypatch.setenv("HOME", str(ground.folder))
    (ground.folder / ".ssh").mkdir()
    (ground.folder / ".ssh" / "id_ed25519").write_bytes(ground.identity.read_bytes())

    async def hangs(reader, writer):
        await reader.read(-1)
        writer.close()

    silent = await asyncio.start_unix_server(hangs, ground.folder / "silent")
    monkeypatch.setenv("SSH_AUTH_SOCK", str(ground.folder / "silent"))
    await works(ask, ground.host(server.port, identity_file=None))
    silent.close()


# Client configuration and jump hosts.


def config(ground, text: str) -> str:
    path = ground.folder / "ssh_config"
    path.write_text(text)
    return str(path)


async def test_a_client_configuration_is_honoured(ask, ground):
    server = ground.start()
    text = f"Host storage\n HostName 127.0.0.1\n Port {server.port}\n User {USER}\n"
    text += f" IdentityFile {ground.folder}/missing\n IdentityFile {ground.identity}\n"
    host = ground.host(0, address="storage", user=None, identity_file=None, config_file=config(ground, text))
    await works(ask, replace(host, ssh=replace(host.ssh, port=None)))


async def test_the_inventory_wins_over_the_configuration(ask, ground):
    server = ground.start()
    text = "Host *\n Port 1\n User nobody\n IdentityFile /nowhere\n UserKnownHostsFile /dev/null\n"
    await works(ask, ground.host(server.port, config_file=config(ground, text)))


@pytest.mark.parametrize("text", ["Port twenty\n", "Host *\n  ProxyJump a:b:c@d:e\n", None])
async def test_a_configuration_that_can_not_be_used(ask, ground, text):
    path = str(ground.folder / "missing") if text is None else config(ground, text)
    host = ground.host(22, config_file=path)
    why = await failure(ask, replace(host, ssh=replace(host.ssh, port=None)))
    assert path in why.detail
    assert "can't be used" in why.detail


async def test_a_proxy_command(ask, ground):
    server = ground.start()
    relay = "import socket,sys,threading,os;s=socket.create_connection((sys.argv[1],int(sys.argv[2])));"
    relay += "threading.Thread(target=lambda:[os.write(1,d) for d in iter(lambda:s.recv(9999),b'')]).start();"
    relay += "[s.sendall(d) for d in iter(lambda:os.read(0,9999),b'')]"
    (ground.folder / "relay.py").write_text(relay)
    text = f"ProxyCommand python3 {ground.folder}/relay.py %h %p\n"
    await works(ask, ground.host(server.port, config_file=config(ground, text)))


async def test_a_proxy_command_that_fails(ask, ground):
    server = ground.start()
    why = await failure(ask, ground.host(server.port, config_file=config(ground, "ProxyCommand exit 1\n")))
    assert why.reason is Reason.SSH_UNRESPONSIVE


async def test_a_proxy_jump(ask, ground):
    first, second, target = ground.start(), ground.start(), ground.start()
    text = f"Host 127.0.0.1\n ProxyJump {USER}@127.0.0.1:{first.port},{USER}@127.0.0.1:{second.port}\n"
    await works(ask, ground.host(target.port, config_file=config(ground, text)))
    assert "Accepted publickey" in first.log
    assert "Accepted publickey" in second.log


def behind(ground, port: int, name: str = "nfs-1", **changes) -> Host:
    return ground.host(port, name=name, jump="bastion", **changes)


async def test_hosts_behind_a_jump_host_share_its_connection(ground):
    jump, target = ground.start(), ground.start()
    hosts = {"bastion": ground.host(jump.port, name="bastion")}
    hosts |= {f"nfs-{n}": behind(ground, target.port, f"nfs-{n}") for n in range(6)}
    async with Transport(hosts, resolve=lambda _: "") as transport:
        deadline = asyncio.get_running_loop().time() + 40
        answers = await asyncio.gather(
            *(transport.ask(name, [Ask(argv=("echo", name))], deadline=deadline) for name in hosts)
        )
    assert [r.stdout.decode().strip() for _, (r,) in answers] == list(hosts)
    assert jump.log.count("Accepted publickey") == 1
    assert target.log.count("Accepted publickey") == 6


async def test_a_jump_host_that_fails_is_named_with_its_reason(ask, ground):
    target = ground.start()
    bastion = ground.host(ground.free_port(), name="bastion")
    host = behind(ground, target.port)
    why = await failure(ask, host, others=[bastion])
    assert why.reason is Reason.JUMP_HOST_FAILED
    assert "bastion" in why.detail
    assert "host_unreachable" in why.detail


async def test_a_host_that_its_jump_host_can_not_reach(ask, ground):
    jump = ground.start()
    bastion = ground.host(jump.port, name="bastion")
    why = await failure(ask, behind(ground, ground.free_port()), others=[bastion])
    assert why.reason is Reason.HOST_UNREACHABLE
    assert "through bastion" in why.detail
    why = await failure(ask, behind(ground, 22, address="no-such-host.invalid"), others=[bastion])
    assert why.reason is Reason.NAME_UNRESOLVED


async def test_a_jump_host_that_forwards_nothing(ask, ground):
    jump, target = ground.start("AllowTcpForwarding no"), ground.start()
    why = await failure(ask, behind(ground, target.port), others=[ground.host(jump.port, name="bastion")])
    assert why.reason is Reason.JUMP_HOST_FAILED
    assert "bastion" in why.detail


async def test_host_keys_are_verified_behind_a_jump_host_too(ask, ground):
    jump, target = ground.start(), ground.start(known=False)
    why = await failure(ask, behind(ground, target.port), others=[ground.host(jump.port, name="bastion")])
    assert why.reason is Reason.HOST_KEY_UNKNOWN
    assert f"ssh bastion ssh-keyscan -p {target.port} 127.0.0.1" in why.detail


async def test_a_mute_host_behind_a_jump_host(ask, ground, fake):
    async def mute(reader, writer):
        await reader.read(-1)

    jump = ground.start()
    host = behind(ground, await fake(mute), connect_timeout=0.6)
    why = await failure(ask, host, others=[ground.host(jump.port, name="bastion")])
    assert why.reason is Reason.SSH_UNRESPONSIVE


async def test_jump_hosts_that_lead_in_a_circle(ask, ground):
    one = ground.host(22, name="one", jump="two")
    two = ground.host(22, name="two", jump="one")
    why = await failure(ask, one, others=[two])
    assert why.reason is Reason.JUMP_HOST_FAILED
    assert "circle" in why.detail
    assert (await failure(ask, ground.host(22, jump="nobody"))).reason is Reason.JUMP_HOST_FAILED
