"""Which keys a known_hosts file holds for a host. Source: sshd(8), SSH_KNOWN_HOSTS FILE FORMAT.

asyncssh's own reader refuses the whole file for one malformed line, decodes every key of it, and can't tell
an unknown key from a changed one. This one skips lines that it can't read, decodes the keys of the hosts
that are asked for, and says whether a key was known.
"""

import binascii
import hmac
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import asyncssh

from quorate.model import Reason
from quorate.transports.errors import HostError

_MARKERS = {"@cert-authority", "@revoked"}


@dataclass(frozen=True, kw_only=True, slots=True)
class HostKeys:
    """What is known of one host's keys.

    `known` tells whether a plain key stands in the file for just this address and port. A key that stands
    for the address alone is accepted on other ports too, as OpenSSH does, but one that differs there is no
    proof of a change.
    """

    trusted: tuple[asyncssh.SSHKey, ...] = ()
    authorities: tuple[asyncssh.SSHKey, ...] = ()
    revoked: tuple[asyncssh.SSHKey, ...] = ()
    known: bool = False


@dataclass(frozen=True, slots=True)
class _Line:
    marker: str | None
    key: str


class KnownHosts:
    """The lines of one known_hosts file, found by host name."""

    def __init__(self, text: str) -> None:
        self._exact: dict[str, list[_Line]] = defaultdict(list)
        self._hashed: list[tuple[bytes, bytes, _Line]] = []
        self._patterns: list[tuple[list[tuple[bool, re.Pattern[str]]], _Line]] = []
        for line in text.splitlines():
            self._add(line.split())

    def _add(self, words: list[str]) -> None:
        marker = words.pop(0) if words and words[0] in _MARKERS else None
        if len(words) < 3 or words[0].startswith(("#", "@")):
            return
        names, line = words[0].lower(), _Line(marker, f"{words[1]} {words[2]}")
        if names.startswith("|"):
            hashed = _hashed(words[0])
            if hashed:
                self._hashed.append((*hashed, line))
        elif any(c in names for c in "*?!"):
            self._patterns.append(([_pattern(p) for p in names.split(",") if p], line))
        else:
            for name in names.split(","):
                self._exact[name].append(line)

    def keys(self, address: str, port: int) -> HostKeys:
        """Return the keys known for a host at an address and port."""
        name = address.lower()
        if port == 22:
            return self._decoded(self._lines(name), known=True)
        exact = self._decoded(self._lines(f"[{name}]:{port}"), known=True)
        if exact.trusted or exact.authorities:
            return exact
        anywhere = self._decoded(self._lines(name), known=False)
        return HostKeys(
            trusted=anywhere.trusted,
            authorities=anywhere.authorities,
            revoked=exact.revoked + anywhere.revoked,
        )

    def _lines(self, name: str) -> list[_Line]:
        found = list(self._exact.get(name, ()))
        found += [line for patterns, line in self._patterns if _fits(name, patterns)]
        encoded = name.encode()
        found += [line for salt, digest, line in self._hashed if hmac.digest(salt, encoded, "sha1") == digest]
        return found

    @staticmethod
    def _decoded(lines: list[_Line], *, known: bool) -> HostKeys:
        keys: dict[str | None, list[asyncssh.SSHKey]] = {None: [], **{marker: [] for marker in _MARKERS}}
        for line in lines:
            try:
                keys[line.marker].append(asyncssh.import_public_key(line.key))
            except (asyncssh.KeyImportError, ValueError, UnicodeError):
                continue  # a kind of key that this library does not know can't be the one that we verify
        return HostKeys(
            trusted=tuple(keys[None]),
            authorities=tuple(keys["@cert-authority"]),
            revoked=tuple(keys["@revoked"]),
            known=known and bool(keys[None]),
        )


def _hashed(pattern: str) -> tuple[bytes, bytes] | None:
    try:
        _, magic, salt, digest = pattern.split("|")
        return (binascii.a2b_base64(salt), binascii.a2b_base64(digest)) if magic == "1" else None
    except (ValueError, binascii.Error):
        return None


def _pattern(pattern: str) -> tuple[bool, re.Pattern[str]]:
    negated = pattern.startswith("!")
    expression = "".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in pattern.removeprefix("!"))
    return negated, re.compile(expression)


def _fits(name: str, patterns: list[tuple[bool, re.Pattern[str]]]) -> bool:
    matching = [negated for negated, pattern in patterns if pattern.fullmatch(name)]
    return bool(matching) and not any(matching)


class KnownHostsFiles:
    """known_hosts files by path, each read again only when it has changed."""

    def __init__(self) -> None:
        self._read: dict[str, tuple[tuple[int, int, int], KnownHosts]] = {}
        self._keys: dict[tuple[str, str, int], HostKeys] = {}

    def keys(self, path: str, address: str, port: int) -> HostKeys:
        """Return the keys that a file holds for a host; a file that is missing holds none.

        HostError `host_key_unknown` where the file is there and can't be read.
        """
        file = Path(path).expanduser()
        try:
            status = file.stat()
            stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
            if path not in self._read or self._read[path][0] != stamp:
                self._read[path] = (stamp, KnownHosts(file.read_text(errors="replace")))
                self._keys = {key: keys for key, keys in self._keys.items() if key[0] != path}
        except (FileNotFoundError, NotADirectoryError):
            return HostKeys()
        except OSError as error:
            detail = f"the file of known host keys, {path}, can't be read: {error.strerror}"
            raise HostError(Reason.HOST_KEY_UNKNOWN, detail) from None
        key = (path, address, port)
        if key not in self._keys:
            self._keys[key] = self._read[path][1].keys(address, port)
        return self._keys[key]
