"""Which keys a file holds for a host. The forms of a line are those of sshd(8)."""

import base64
import hmac

import asyncssh
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quorate.model import Reason
from quorate.transports.errors import HostError
from quorate.transports.known_hosts import HostKeys, KnownHosts, KnownHostsFiles

KEY, OTHER = (
    asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip() for _ in range(2)
)


def keys_of(text: str, address: str = "192.0.2.165", port: int = 22) -> tuple[int, int, int, bool]:
    keys = KnownHosts(text).keys(address, port)
    return len(keys.trusted), len(keys.authorities), len(keys.revoked), keys.known


def hashed(name: str) -> str:
    salt = b"12345678901234567890"
    digest = hmac.digest(salt, name.encode(), "sha1")
    return f"|1|{base64.b64encode(salt).decode()}|{base64.b64encode(digest).decode()}"


@pytest.mark.parametrize(
    ("names", "address", "port", "found"),
    [
        ("192.0.2.165", "192.0.2.165", 22, (1, 0, 0, True)),
        ("192.0.2.16", "192.0.2.165", 22, (0, 0, 0, False)),
        ("nfs-1,192.0.2.165", "192.0.2.165", 22, (1, 0, 0, True)),
        ("NFS-1.example.ORG", "nfs-1.EXAMPLE.org", 22, (1, 0, 0, True)),
        ("[192.0.2.165]:2222", "192.0.2.165", 2222, (1, 0, 0, True)),
        ("[192.0.2.165]:2222", "192.0.2.165", 22, (0, 0, 0, False)),
        ("[192.0.2.165]:2222", "192.0.2.165", 2223, (0, 0, 0, False)),
        ("192.0.2.165", "192.0.2.165", 2222, (1, 0, 0, False)),
        ("192.0.2.*", "192.0.2.165", 22, (1, 0, 0, True)),
        ("192.0.2.16?", "192.0.2.165", 22, (1, 0, 0, True)),
        ("192.0.2.*,!192.0.2.165", "192.0.2.165", 22, (0, 0, 0, False)),
        ("!192.0.2.1", "192.0.2.165", 22, (0, 0, 0, False)),
        ("[192.0.2.*]:2222", "192.0.2.165", 2222, (1, 0, 0, True)),
        (hashed("192.0.2.165"), "192.0.2.165", 22, (1, 0, 0, True)),
        (hashed("[192.0.2.165]:2222"), "192.0.2.165", 2222, (1, 0, 0, True)),
        (hashed("192.0.2.166"), "192.0.2.165", 22, (0, 0, 0, False)),
        ("2001:db8::1", "2001:db8::1", 22, (1, 0, 0, True)),
        ("[2001:db8::1]:2222", "2001:db8::1", 2222, (1, 0, 0, True)),
        ("@cert-authority 192.0.2.*", "192.0.2.165", 22, (0, 1, 0, False)),
        ("@revoked *", "192.0.2.165", 22, (0, 0, 1, False)),
    ],
)
def test_a_name_in_every_form(names, address, port, found):
    assert keys_of(f"{names} {KEY}\n", address, port) == found


def test_a_key_of_the_port_itself_comes_before_one_of_the_address():
    keys = KnownHosts(f"192.0.2.165 {OTHER}\n[192.0.2.165]:2222 {KEY}\n").keys("192.0.2.165", 2222)
    assert keys.trusted == (asyncssh.import_public_key(KEY),)
    assert keys.known


@pytest.mark.parametrize(
    "line",
    [
        "",
        "# a comment",
        "192.0.2.165",
        "192.0.2.165 ssh-ed25519",
        "192.0.2.165 ssh-ed25519 AAAA",
        "192.0.2.165 ssh-ed25519 !!!",
        "192.0.2.165 no-such-kind AAAA",
        "@strange 192.0.2.165 " + KEY,
        "|1|broken " + KEY,
        "|2|YQ==|YQ== " + KEY,
        "\x00\xff garbage " + KEY,
    ],
)
def test_a_line_that_can_not_be_read_is_skipped_and_the_others_hold(line):
    assert keys_of(f"{line}\n192.0.2.165 {KEY}\n{line}\n") == (1, 0, 0, True)


@given(st.text())
def test_no_text_raises(text):
    KnownHosts(text).keys("192.0.2.165", 22)


@given(st.text(max_size=30))
def test_no_pattern_raises(pattern):
    KnownHosts(f"{pattern} {KEY}\n").keys("192.0.2.165", 2222)


def test_a_file_is_read_again_only_when_it_has_changed(tmp_path, monkeypatch):
    path = tmp_path / "known_hosts"
    files = KnownHostsFiles()
    assert files.keys(str(path), "192.0.2.165", 22) == HostKeys()
    path.write_text(f"192.0.2.165 {KEY}\n")
    first = files.keys(str(path), "192.0.2.165", 22)
    assert first.known
    with monkeypatch.context() as patched:
        patched.setattr("pathlib.Path.read_text", lambda *_, **__: pytest.fail("it was read again"))
        assert files.keys(str(path), "192.0.2.165", 22) is first
    path.write_text(f"192.0.2.165 {OTHER}\n192.0.2.165 {KEY}\n")
    assert len(files.keys(str(path), "192.0.2.165", 22).trusted) == 2


def test_a_folder_in_place_of_the_file_is_said_so(tmp_path):
    with pytest.raises(HostError) as failure:
        KnownHostsFiles().keys(str(tmp_path), "192.0.2.165", 22)
    assert failure.value.reason is Reason.HOST_KEY_UNKNOWN
    assert str(tmp_path) in failure.value.detail
