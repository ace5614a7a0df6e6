"""Kind `http`: one request to a web server, its status, its body and its certificate."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import Field

from quorate.inventory.document import Document, Path
from quorate.inventory.entries import CheckEntry, Entry, SecretEntry
from quorate.inventory.faults import Fault
from quorate.inventory.fields import Duration, Line, default, duration, required, unset
from quorate.inventory.kinds.kind import Kind, Resolved
from quorate.inventory.kinds.tls import TlsEntry, tls
from quorate.inventory.kinds.urls import Url, has_credentials, located
from quorate.inventory.secrets import secret
from quorate.inventory.tree import mapping
from quorate.model import Host, Tls

_WARNING, _CRITICAL = "21d", "7d"


class CertificateEntry(Entry):
    """How long the server's certificate must still be valid."""

    warning: Duration = default(_WARNING, "With less time left, it is a warning.")
    critical: Duration = default(_CRITICAL, "With less time left, it is critical.")


class HttpEntry(CheckEntry):
    """Send a web server a request."""

    kind: Literal["http"] = required("Send a web server a request.")
    url: Url = required("What is asked for; its host may be the name of one of the inventory's hosts.")
    method: Literal["GET", "HEAD"] = default("GET", "`HEAD` asks for no body.")
    status: list[Annotated[int, Field(ge=200, le=599)]] = default(
        [200], "The status that the answer must have, one of these; redirects are not followed.", min_length=1
    )
    contains: Line = unset("Text that must stand in the body.")
    user: Line = unset("User of HTTP Basic authentication.")
    password: SecretEntry = unset("Where the user's password is to be had.")
    tls: TlsEntry = unset("How the server is spoken to over TLS, where the URL is https.")
    timeout: Duration = default("5s", "Limit of all of it.")
    slow: Duration = default("2s", "An answer that takes longer is a warning.")
    certificate: CertificateEntry = unset("How soon the end of the server's certificate is told.")


def rules(tree: dict[str, Any], path: Path, document: Document) -> Iterator[Fault]:
    """Yield faults of credentials in the URL, of half a login, and of keys that do not go together."""
    check = mapping(tree, *(str(part) for part in path))
    url = check.get("url")
    if isinstance(url, str) and has_credentials(url):
        what, hint = "url holds a user or a password", "write them as keys of their own: user and password"
        yield document.fault((*path, "url"), what, hint, show=False)
    elif isinstance(url, str) and url.lower().startswith("http://"):
        for key in ("tls", "certificate"):
            if key in check:
                what, hint = f"{key} stands beside a URL without TLS", "write https://, or take it out"
                yield document.fault((*path, key), what, hint, at_key=True, show=False)
    for key, other in (("user", "password"), ("password", "user")):
        if key in check and other not in check:
            what, hint = f"{key} stands without {other}", f"add {other}, or take it out"
            yield document.fault((*path, key), what, hint, at_key=True, show=False)
    if check.get("method") == "HEAD" and "contains" in check:
        what, hint = "contains stands beside the method HEAD, which has no body", "take one of them out"
        yield document.fault((*path, "contains"), what, hint, at_key=True, show=False)
    yield from _certificate_rules(mapping(check, "certificate"), (*path, "certificate"), document)


def _certificate_rules(limits: dict[str, Any], path: Path, document: Document) -> Iterator[Fault]:
    try:
        warning = duration(limits.get("warning", _WARNING))
        critical = duration(limits.get("critical", _CRITICAL))
    except ValueError:
        return  # what is no duration has its own fault
    if critical > warning:
        key = "critical" if "critical" in limits else "warning"
        what = "critical is longer than warning"
        if "critical" not in limits:
            what = f"the default critical of {_CRITICAL} is longer than warning"
        elif "warning" not in limits:
            what = f"critical is longer than the default warning of {_WARNING}"
        hint = "it would be critical before it is a warning"
        yield document.fault((*path, key), what, hint)


def resolve(entry: HttpEntry, hosts: Mapping[str, Host]) -> Resolved:
    """Return the settings; a host of the URL that is one of the inventory's is asked at its address.

    `url` is for people. `certificate` has warning and critical in seconds, None where nothing is judged.
    """
    web = located(entry.url)
    named = hosts.get(web.host)
    address = (named.address or "localhost") if named else web.host
    secured = (tls(entry.tls) or Tls()) if web.secured else None
    if secured is not None and secured.name is None and address != web.host:
        secured = replace(secured, name=web.host)
    settings: dict[str, Any] = {
        "url": web.shown,
        "host": address,
        "port": web.port,
        "path": web.path,
        "host_header": web.authority,
        "method": entry.method,
        "status": tuple(entry.status),
        "contains": entry.contains,
        "tls": secured,
        "user": entry.user,
        "timeout": entry.timeout,
        "slow": entry.slow,
        "certificate": _certificate(entry.certificate, secured),
    }
    if entry.password is not None:
        settings["password"] = secret(entry.password)
    concerned = (named.name,) if named else tuple(h.name for h in hosts.values() if h.address == address)
    return Resolved(settings=MappingProxyType(settings), hosts=concerned)


def _certificate(limits: CertificateEntry | None, secured: Tls | None) -> Mapping[str, float] | None:
    """Return the limits; who does not care whether a certificate is valid has to set them to be told."""
    if secured is None or (limits is None and not secured.verify):
        return None
    limits = limits or CertificateEntry()
    return MappingProxyType({"warning": limits.warning, "critical": limits.critical})


KIND = Kind(entry=HttpEntry, resolve=resolve, rules=rules)
