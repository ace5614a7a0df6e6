"""What faults of the database are made of: who leads, what PostgreSQL says, and the ways back."""

import shlex
import time
from dataclasses import dataclass

from lab.cluster import etcd, names, patroni
from lab.command import LabError
from lab.faults.balancing import writes_to
from lab.faults.drop_in import taken_back
from lab.faults.steps import Condition, Holds, Run, Step
from lab.lab import Lab

CTL = patroni.CTL


@dataclass(frozen=True)
class Well:
    """Waits until etcd and Patroni are well again: the next fault must find them so.

    A replica that follows nobody for so long as `patience` is copied anew.
    """

    within: float = 75.0
    patience: float = 30.0

    def apply(self, lab: Lab) -> None:
        """Ask them until they are."""
        began = time.monotonic()
        renewed = False
        while left := [*etcd.problems(lab), *patroni.problems(lab)]:
            waited = time.monotonic() - began
            if waited > self.within:
                raise LabError(f"the database is not well after {self.within:g} s: {'; '.join(left)}")
            if waited > self.patience and not renewed:
                renewed = bool(patroni.renew(lab))
            time.sleep(0.5)


@dataclass(frozen=True)
class Leads:
    """Makes a host's PostgreSQL the leader, by a switchover where another one is."""

    host: str

    def apply(self, lab: Lab) -> None:
        """Switch over, and wait until the others follow."""
        if patroni.status(lab, self.host).get("role") not in patroni.PRIMARY:
            lab[self.host].read(*CTL.split(), "switchover", "--force", "--candidate", self.host)
            # Until it is promoted, the one before it still says that it leads, and that all is well.
            answers(self.host, "/primary").wait(lab)
        Well().apply(lab)


def answers(host: str, path: str) -> Condition:
    """Return the condition that a host's Patroni says 200 to a path such as `/primary`."""
    url = f"http://{names.ADDRESSES[host]}:{patroni.REST_PORT}{path}"
    return Holds(host, f"curl -sf -o /dev/null --max-time 2 {url}")


def leads_elsewhere(than: str) -> tuple[Condition, ...]:
    """Return the conditions that another node than this one leads, and HAProxy has found it."""
    asker = names.HAPROXY[0]
    return (Holds(asker, other_leads(than), within=45), *(writes_to(host, 1) for host in names.HAPROXY))


def others_follow(than: str) -> Condition:
    """Return the condition that of the other nodes one leads and one streams from it, on one timeline.

    Patroni tells the others where it stands once in each of its rounds: a moment later than it is true.
    """
    others = {n: f"http://{names.ADDRESSES[n]}:{patroni.REST_PORT}" for n in names.POSTGRESQL if n != than}
    script = f"""\
import json, urllib.request
def get(url):
    return json.load(urllib.request.urlopen(url, timeout=2))
nodes = {others!r}
own = [get(url + "/patroni") for url in nodes.values()]
told = [m for url in nodes.values() for m in get(url + "/cluster")["members"] if m["name"] in nodes]
assert [one["state"] for node in own for one in node.get("replication", ())] == ["streaming"], own
assert len({{member["timeline"] for member in [*own, *told]}}) == 1, told"""
    return Holds(names.HAPROXY[0], f"python3 -c {shlex.quote(script)}", within=45)


def sql(statement: str) -> str:
    """Return the script that has a host's PostgreSQL run a statement as its superuser."""
    return f'su postgres -c "psql -qAtX -v ON_ERROR_STOP=1 -c \\"{statement}\\""'


def sql_says(host: str, statement: str, value: str) -> Condition:
    """Return the condition that a host's PostgreSQL answers a statement with this value."""
    return Holds(host, f"test $({sql(statement)}) = {value}")


def other_leads(host: str) -> str:
    """Return the script that ends with 0 if another node than this one leads, as the others' Patroni say."""
    urls = [f"http://{names.ADDRESSES[n]}:{patroni.REST_PORT}/primary" for n in names.POSTGRESQL if n != host]
    return " || ".join(f"curl -sf -o /dev/null --max-time 2 {url}" for url in urls)


def rejoined(host: str) -> tuple[Step, ...]:
    """Return the steps that make a former primary a replica, from a new copy where another node leads.

    Patroni does that by pg_rewind, but not in each case: where a primary ends before its first checkpoint,
    its control file has the old timeline still, and it follows the new leader in vain.
    """
    script = f"""\
{taken_back("patroni")}systemctl reset-failed patroni; systemctl stop patroni
su postgres -c '{patroni.BIN}/pg_ctl stop -s -m immediate -D {patroni.DATA}' 2>/dev/null || true
if {other_leads(host)}; then rm -rf {patroni.DATA}; fi
systemctl start patroni"""
    return (Run(host, script, timeout=60.0), Well())
