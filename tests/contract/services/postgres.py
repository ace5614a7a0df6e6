"""A PostgreSQL primary and its hot standby, as Debian's package `postgresql` has them."""

import contextlib
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from services.processes import as_user, folder_of, free_ports, run, wait_until

PASSWORD = "pg-Secret-7f3a91"
ADMIN = "admin"
_USER = "postgres"

_HBA = f"""
local all all trust
host all {ADMIN},app,limited,serial,careful,crowded,nologin 127.0.0.1/32 scram-sha-256
host all ghost 127.0.0.1/32 reject
hostssl all tlsonly 127.0.0.1/32 scram-sha-256
host replication {ADMIN} 127.0.0.1/32 scram-sha-256
"""

_CONFIGURATION = """
listen_addresses = '127.0.0.1'
unix_socket_directories = '{folder}'
fsync = off
max_connections = 20
ssl = on
ssl_cert_file = '{folder}/cert.pem'
ssl_key_file = '{folder}/key.pem'
"""

_PREPARATION = f"""
CREATE ROLE app LOGIN PASSWORD '{PASSWORD}';
CREATE ROLE tlsonly LOGIN PASSWORD '{PASSWORD}';
CREATE ROLE nologin NOLOGIN PASSWORD '{PASSWORD}';
CREATE ROLE crowded LOGIN PASSWORD '{PASSWORD}' CONNECTION LIMIT 0;
CREATE ROLE careful LOGIN PASSWORD '{PASSWORD}';
ALTER ROLE careful SET default_transaction_read_only = on;
CREATE ROLE serial LOGIN PASSWORD '{PASSWORD}';
ALTER ROLE serial SET default_transaction_isolation = 'serializable';
CREATE ROLE limited LOGIN PASSWORD '{PASSWORD}';
CREATE TABLE dag (dag_id text, is_paused boolean);
INSERT INTO dag VALUES ('ha_health', false), ('etl', false), ('old''s; DROP TABLE dag; --', true);
CREATE TABLE hidden (id int);
GRANT SELECT ON dag TO PUBLIC;
REVOKE TEMPORARY ON DATABASE postgres FROM PUBLIC;
GRANT TEMPORARY ON DATABASE postgres TO app, careful, serial;
"""  # noqa: S608  the tests' own password
_PRIVATE_DATABASE = ("CREATE DATABASE private", "REVOKE CONNECT ON DATABASE private FROM PUBLIC")


def program(name: str) -> str:
    """Return where a server program is; Debian keeps them out of PATH."""
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    assert found, f"{name} is missing; install the Debian package postgresql"
    return str(found[-1])


@dataclass
class Postgres:
    """A server whose data are in `folder`; `sql` asks it as an administrator over its Unix socket."""

    folder: Path
    port: int
    options: dict[str, Any] = field(default_factory=lambda: as_user(_USER))
    process: subprocess.Popen[bytes] | None = None

    def start(self, *settings: str) -> None:
        argv = [program("postgres"), "-D", str(self.folder / "data"), "-p", str(self.port)]
        argv += [part for setting in settings for part in ("-c", setting)]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(argv, stdout=log, stderr=log, **self.options)

    def wait(self) -> None:
        wait_until(self._answers, f"PostgreSQL started; it says: {self.log}")

    def stop(self) -> None:
        """End it as an administrator does who is in a hurry: SIGQUIT, the immediate shutdown."""
        if self.process is not None:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait(20)
            self.process = None

    def sql(self, *statements: str) -> Any:
        """Run statements outside of a transaction; return the first column of the last one's first row."""
        with psycopg.connect(
            host=str(self.folder), port=self.port, user=ADMIN, dbname="postgres", autocommit=True
        ) as connection:
            for statement in statements:
                cursor = connection.execute(statement)
            row = cursor.fetchone() if cursor.description else None
        return row[0] if row else None

    def sessions(self) -> int:
        """Return how many sessions of ours the server holds."""
        return int(self.sql("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'quorate'"))

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log
        with contextlib.suppress(psycopg.OperationalError):
            return bool(self.sql("SELECT 1") == 1)
        return False


@contextlib.contextmanager
def primary() -> Iterator[Postgres]:
    """Yield a new cluster with roles and tables for the tests; TLS on, with a certificate of its own."""
    with folder_of(_USER) as folder:
        server = Postgres(folder, free_ports(1)[0])
        data = folder / "data"
        password_file = folder / "password"
        password_file.write_text(PASSWORD)
        password_file.chmod(0o644)
        make_certificate(folder, server.options)
        run(
            *(program("initdb"), "-N", "-D", str(data), "-U", ADMIN, "-E", "UTF8", "--locale=C.UTF-8"),
            *("--auth=scram-sha-256", f"--pwfile={password_file}"),
            **server.options,
        )
        password_file.unlink()
        with (data / "postgresql.conf").open("a") as configuration:
            configuration.write(_CONFIGURATION.format(folder=folder))
        (data / "pg_hba.conf").write_text(_HBA)
        server.start()
        try:
            server.wait()
            server.sql(_PREPARATION)
            server.sql(*_PRIVATE_DATABASE)
            yield server
        finally:
            server.stop()


@contextlib.contextmanager
def standby_of(leader: Postgres) -> Iterator[Postgres]:
    """Yield a hot standby that streams from the primary."""
    with folder_of(_USER) as folder:
        server = Postgres(folder, free_ports(1)[0])
        make_certificate(folder, server.options)
        source = f"host=127.0.0.1 port={leader.port} user={ADMIN} password={PASSWORD}"
        run(
            *(program("pg_basebackup"), "-D", str(folder / "data"), "-R", "-X", "stream", "-c", "fast"),
            *("--no-sync", "-d", source),
            **server.options,
        )
        with (folder / "data/postgresql.conf").open("a") as configuration:
            configuration.write(_CONFIGURATION.format(folder=folder))
        server.start()
        try:
            server.wait()
            yield server
        finally:
            server.stop()


def make_certificate(folder: Path, options: dict[str, Any]) -> None:
    """Make a key and a certificate for it, as a server's first start would."""
    run(
        *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"),
        *("-subj", "/CN=localhost", "-days", "2"),
        *("-keyout", str(folder / "key.pem"), "-out", str(folder / "cert.pem")),
        **options,
    )
