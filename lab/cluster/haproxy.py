"""HAProxy on two hosts: the way to the database's leader, to its replicas, and to the API servers."""

import csv
import io

from lab.cluster import names, patroni
from lab.cluster.part import Part
from lab.command import LabError
from lab.lab import Lab

CONFIG = "/etc/haproxy/haproxy.cfg"
WRITE_PORT = 5000
READ_PORT = 6000
STATISTICS_PORT = 7000
WEB_PORT = 8081
API_SERVER_PORT = 8080
SOCKET = "/run/haproxy-admin.sock"


def part(host: str) -> Part:  # noqa: ARG001  both hosts have the same one
    """Return the HAProxy of a host."""
    return Part(files={CONFIG: config()}, enabled=frozenset({"haproxy"}))


def config() -> str:
    """Return the configuration; backends that are not there yet are down, and HAProxy runs all the same."""
    return f"""\
global
  maxconn 1000
  nbthread 1
  stats socket {SOCKET} mode 600 level admin
defaults
  mode tcp
  retries 2
  timeout connect 3s
  timeout client 1h
  timeout server 1h
  timeout check 3s
  default-server inter 1s fall 3 rise 1 on-marked-down shutdown-sessions
listen write
  bind *:{WRITE_PORT}
  option httpchk OPTIONS /primary
  http-check expect status 200
{servers(names.POSTGRESQL, patroni.PORT, f"check port {patroni.REST_PORT}")}
listen read
  bind *:{READ_PORT}
  option httpchk OPTIONS /replica
  http-check expect status 200
{servers(names.POSTGRESQL, patroni.PORT, f"check port {patroni.REST_PORT}")}
listen web
  bind *:{WEB_PORT}
  mode http
  option httpchk GET /api/v2/version
  http-check expect status 200
{servers(names.HAPROXY, API_SERVER_PORT, "check")}
listen statistics
  bind *:{STATISTICS_PORT}
  mode http
  stats enable
  stats uri /
  stats refresh 5s
"""


def servers(hosts: tuple[str, ...], port: int, rest: str) -> str:
    """Return the servers of a backend, a line each."""
    return "\n".join(f"  server {name} {names.ADDRESSES[name]}:{port} {rest}" for name in hosts)


def problems(lab: Lab) -> list[str]:
    """Return where not exactly one server takes writes, by the statistics of both hosts."""
    found = []
    for host in names.HAPROXY:
        try:
            up = servers_up(lab, host, "write")
        except (LabError, KeyError) as error:
            found.append(f"HAProxy on {host} does not tell its statistics: {error}")
            continue
        if len(up) != 1:
            found.append(f"HAProxy on {host} writes to {' and '.join(up) or 'no server'}, not to one")
    return found


def servers_up(lab: Lab, host: str, backend: str) -> list[str]:
    """Return the servers of a backend that are up as one host's HAProxy sees them."""
    url = f"http://{names.ADDRESSES[host]}:{STATISTICS_PORT}/;csv"
    table = lab[host].read("curl", "-sf", "--max-time", "3", url)
    rows = csv.DictReader(io.StringIO(table.removeprefix("# ")))
    return [
        row["svname"]
        for row in rows
        if row["pxname"] == backend
        and row["svname"] not in ("FRONTEND", "BACKEND")
        and row["status"].startswith("UP")
    ]
