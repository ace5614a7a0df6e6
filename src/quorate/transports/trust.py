"""What a host's key means beside the keys that are known for it. Nothing here accepts a key."""

import shlex
from dataclasses import replace
from functools import lru_cache

import asyncssh

from quorate.model import Reason
from quorate.transports.errors import HostError, cleaned
from quorate.transports.known_hosts import HostKeys
from quorate.transports.target import Target

_CERTIFICATES = (
    "ssh-ed25519-cert-v01@openssh.com",
    "ecdsa-sha2-nistp256-cert-v01@openssh.com",
    "ecdsa-sha2-nistp384-cert-v01@openssh.com",
    "ecdsa-sha2-nistp521-cert-v01@openssh.com",
    "rsa-sha2-512-cert-v01@openssh.com",
    "rsa-sha2-256-cert-v01@openssh.com",
)
_PLAIN = (
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "rsa-sha2-512",
    "rsa-sha2-256",
    "ssh-rsa",
)


def accepted(keys: HostKeys, target: Target) -> HostKeys:
    """Return the keys that a host may show: those of known_hosts, and the one that the settings give.

    HostError where that one can't be read: what was declared is never left out without a word.
    """
    text = target.settings.host_key
    if text is None:
        return keys
    key = _decoded(text)
    if key is None:
        said = cleaned(text, 40)
        detail = f"the host_key of the host is no public key as OpenSSH writes it (ssh-ed25519 AAAA…): {said}"
        raise HostError(Reason.HOST_KEY_UNKNOWN, detail)
    return replace(keys, trusted=(*keys.trusted, key), known=True)


# All hosts that share a connection share its key, and decoding takes a tenth of a login.
@lru_cache(maxsize=256)
def _decoded(text: str) -> asyncssh.SSHKey | None:
    try:
        return asyncssh.import_public_key(text)
    except (asyncssh.KeyImportError, ValueError, UnicodeError):
        return None


def algorithms(keys: HostKeys) -> list[str]:
    """Return the kinds of host key to ask for: what is known first, then all the others.

    With the others, a host that only has a key of another kind shows it and can be told from one that is
    mute; it is refused all the same. `ssh-rsa` (SHA-1) is asked for only where just an RSA key is known.
    """
    known = [a.decode() for key in keys.trusted for a in key.sig_algorithms]
    wanted = [a for a in known if a in _PLAIN]
    certificates = _CERTIFICATES if keys.authorities else ()
    return list(dict.fromkeys([*certificates, *wanted, *(a for a in _PLAIN if a != "ssh-rsa")]))


def untrusted(error: Exception, target: Target, keys: HostKeys, shown: asyncssh.SSHKey | None) -> HostError:
    """Return what it means that a host's key is not accepted: changed or revoked, or unknown."""
    seen = (
        f"it shows {shown.get_algorithm()} {shown.get_fingerprint()}" if shown else cleaned(str(error), 200)
    )
    if "revoked" in str(error):
        detail = f"the host shows a key that {target.settings.known_hosts} says is revoked"
        return HostError(Reason.HOST_KEY_CHANGED, detail)
    if keys.known:
        known = ", ".join(f"{k.get_algorithm()} {k.get_fingerprint()}" for k in keys.trusted)
        renew = f"then: {_forget(target)} && {add_command(target)}"
        if target.settings.host_key is not None:
            renew = "then put its new key into the host_key of the Airflow connection"
        detail = (
            f"the host's key is none of those known for it: {seen}; known: {known}. Someone may be listening "
            f"in. If the host was set up anew, compare the fingerprint on the host itself, {renew}"
        )
        return HostError(Reason.HOST_KEY_CHANGED, detail)
    detail = (
        f"no key is known for the host: {seen}. Add it with: {add_command(target)} "
        "and compare the fingerprint with the one on the host itself"
    )
    return HostError(Reason.HOST_KEY_UNKNOWN, detail)


def add_command(target: Target) -> str:
    """Return the command that adds a host's key to the file of known ones, through its jump host if any."""
    endpoint = target.endpoint
    port = "" if endpoint.port == 22 else f"-p {endpoint.port} "
    scan = f"ssh-keyscan {port}{shlex.quote(endpoint.address)}"
    jump = target.settings.jump or (target.hops[-1].address if target.hops else None)
    if jump:
        scan = f"ssh {shlex.quote(jump)} {scan}"
    return f"{scan} >> {_file(target)}"


def _forget(target: Target) -> str:
    endpoint = target.endpoint
    name = target.known_as if endpoint.port == 22 else f"[{target.known_as}]:{endpoint.port}"
    return f"ssh-keygen -R {shlex.quote(name)} -f {_file(target)}"


def _file(target: Target) -> str:
    path = target.settings.known_hosts
    return path if path.startswith("~/") and shlex.quote(path[2:]) == path[2:] else shlex.quote(path)
