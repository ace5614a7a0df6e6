"""What a login to a host needs: the inventory's settings, and those of an OpenSSH client configuration."""

import socket
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import asyncssh
from asyncssh.encryption import get_default_encryption_algs
from asyncssh.kex import get_default_kex_algs

from quorate.model import Host, Reason, Secret, SshSettings
from quorate.transports.errors import HostError, cleaned
from quorate.transports.identities import Wanted, agent_path
from quorate.transports.tcp import Endpoint
from quorate.transports.threads import in_thread

Options = asyncssh.SSHClientConnectionOptions

# Cheap algorithms first, all others that asyncssh trusts behind them. Measured in docs/reference/ssh.md.
# As lists: working out a pattern such as `^aes*` takes 2 ms.
_KEX = [
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    *(name.decode() for name in get_default_kex_algs()),
]
_CIPHERS = [
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    *(name.decode() for name in get_default_encryption_algs()),
]


PASSWORD_WAYS = ("password", "keyboard-interactive")
"""How a server may ask for a password. Source: RFC 4252, chapter 8, and RFC 4256."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """One host as a login sees it.

    `known_as` is the name under which its key stands in known_hosts, `hops` are the hosts of a client
    configuration's ProxyJump, first one first, `options` is shared and to be copied before it is changed.
    """

    host: Host
    endpoint: Endpoint
    known_as: str
    options: Options
    wanted: Wanted
    hops: tuple[Host, ...] = ()
    proxy_command: tuple[str, ...] = ()

    @property
    def settings(self) -> SshSettings:
        """The inventory's settings of the host."""
        return self.host.ssh


class Targets:
    """Targets by host, worked out once; connection options once per distinct user or configuration.

    `resolve` tells why an Airflow connection, from which settings are still to be taken, can't be had.
    """

    def __init__(self, resolve: Callable[[Secret], str] | None = None) -> None:
        self._resolve = resolve
        self._targets: dict[Host, Target] = {}
        self._options: dict[tuple[str | None, bool], Options] = {}

    async def target(self, host: Host, *, hop: bool = False) -> Target:
        """Return what a login to the host needs.

        HostError where its client configuration can't be used, or where settings are still to be taken from
        an Airflow connection. A `hop` of a ProxyJump is reached directly, whatever the configuration says of
        its own jumps.
        """
        if host.ssh.airflow_connection is not None:
            raise await self._not_taken(host.ssh.airflow_connection)
        if host not in self._targets:
            if host.ssh.config_file:
                found = await in_thread(partial(_caught, partial(_from_config, host, hop=hop)))
                if isinstance(found, HostError):
                    raise found
            else:
                found = self._plain(host)
            self._targets[host] = found
        return self._targets[host]

    def _plain(self, host: Host) -> Target:
        settings = host.ssh
        kind = (settings.user, settings.password is not None)
        if kind not in self._options:
            self._options[kind] = _options(
                settings,
                config=None,
                username=settings.user or (),
                kex_algs=_KEX,
                encryption_algs=_CIPHERS,
                compression_algs=["none"],
            )
        address = _address(host)
        return Target(
            host=host,
            endpoint=Endpoint(address=address, port=settings.port or 22),
            known_as=address,
            options=self._options[kind],
            wanted=_wanted(settings, agent_path=agent_path()),
        )

    async def _not_taken(self, connection: str) -> HostError:
        """Return why a host that is reached as an Airflow connection says can't be asked at all.

        Nothing is tried without it: on another port, or as another user, the answer would be a stranger's.
        """
        why = "it can only be read inside Airflow"
        if self._resolve is not None:
            why = await in_thread(partial(_refusal, self._resolve, connection, why))
        detail = (
            f"how to log in is in the Airflow connection {connection!r}: {why}. Outside Airflow, set "
            "ssh.user and ssh.identity_file instead of ssh.airflow_connection"
        )
        return HostError(Reason.SECRET_UNAVAILABLE, detail, answered=False)


def _refusal(resolve: Callable[[Secret], str], connection: str, otherwise: str) -> str:
    """Return why a connection can't be had, in the resolver's words where it has some."""
    try:
        resolve(Secret(airflow_connection=connection, part="login"))
    except Exception as error:  # noqa: BLE001  whatever keeps it back, such as a database that is away
        return cleaned(str(error)) or otherwise
    return otherwise


def _wanted(settings: SshSettings, *, agent_path: str | None, **more: Any) -> Wanted:
    return Wanted(
        named=settings.identity_file,
        private_key=settings.private_key,
        passphrase=settings.passphrase,
        password=settings.password,
        agent_path=agent_path,
        **more,
    )


def _address(host: Host) -> str:
    if host.address is None:
        raise HostError(Reason.INTERNAL_ERROR, f"{host.name} has no address", answered=False)
    return host.address


def _options(settings: SshSettings, **more: Any) -> Options:
    try:
        return Options(
            known_hosts=([], [], []),
            client_keys=None,
            agent_path=None,
            preferred_auth=("publickey", *(PASSWORD_WAYS if settings.password else ())),
            x509_trusted_certs=None,
            gss_host=None,
            gss_kex=False,
            gss_auth=False,
            agent_forwarding=False,
            x11_forwarding=False,
            login_timeout=0,
            keepalive_interval=0,
            connect_timeout=None,
            proxy_command=None,
            tunnel=None,
            command=None,
            env=None,
            send_env=None,
            request_pty=False,
            **more,
        )
    except (OSError, ValueError, asyncssh.Error) as error:
        detail = f"the SSH settings can't be used: {error}"
        raise HostError(Reason.INTERNAL_ERROR, detail, answered=False) from None


def _caught(function: Callable[[], Target]) -> Target | HostError:
    try:
        return function()
    except HostError as failure:
        return failure


def _from_config(host: Host, *, hop: bool) -> Target:
    settings = host.ssh
    path = cast(str, settings.config_file)
    try:
        options = _options(
            settings,
            config=[str(Path(path).expanduser())],
            host=_address(host),
            port=settings.port or (),
            username=settings.user or (),
        )
        hops = () if hop or settings.jump else _hops(options, host)
    except HostError as failure:
        detail = f"the SSH client configuration {path} can't be used: {failure.detail}"
        raise HostError(Reason.INTERNAL_ERROR, detail, answered=False) from None
    except ValueError as error:
        detail = f"the SSH client configuration {path} can't be used: {error}"
        raise HostError(Reason.INTERNAL_ERROR, detail, answered=False) from None
    config = options.config
    command = [] if hop or settings.jump or hops else _words(config.get("ProxyCommand"))
    agent = cast(str | None, config.get("IdentityAgent", agent_path()))
    return Target(
        host=host,
        endpoint=Endpoint(
            address=options.host,
            port=options.port,
            family=options.family or socket.AF_UNSPEC,
            bind=cast(str | None, config.get("BindAddress")),
        ),
        known_as=options.host_key_alias or options.host,
        options=options,
        wanted=_wanted(
            settings,
            agent_path=None if agent in (None, "none") else str(Path(agent).expanduser()),
            files=tuple(cast(list[str], config.get("IdentityFile", ()))),
            only_files=bool(config.get("IdentitiesOnly")),
        ),
        hops=hops,
        proxy_command=tuple(command),
    )


def _words(value: object) -> list[str]:
    # Through the user's shell, as ssh does it: a command may hold pipes and quotes. Source: ssh_config(5).
    if not isinstance(value, str) or value.lower() == "none":
        return []
    return ["/bin/sh", "-c", f"exec {value}"]


def _hops(options: Options, host: Host) -> tuple[Host, ...]:
    """Return the hosts of ProxyJump, `[user@]host[:port]` with commas; each is verified like any other."""
    value = cast(str | None, options.config.get("ProxyJump"))
    if not value or value.lower() == "none":
        return ()
    hops = []
    for text in value.split(","):
        spec = text.strip().removeprefix("ssh://")
        user, _, place = spec.rpartition("@")
        address, _, port = place.rpartition(":") if _has_port(place) else (place, "", "")
        if not address or (port and not port.isdigit()):
            raise ValueError(f"ProxyJump {value!r} is not of the form [user@]host[:port]")
        # The user of the last host is not the hop's, as with ssh; a key that the inventory names is for both.
        # A password and a host's own key are for the one host that they were given for.
        ssh = replace(
            host.ssh, user=user or None, port=int(port) if port else None, password=None, host_key=None
        )
        hops.append(Host(name=f"{spec} (ProxyJump)", address=address.strip("[]"), ssh=ssh))
    return tuple(hops)


def _has_port(place: str) -> bool:
    return place.count(":") == 1 or "]:" in place
