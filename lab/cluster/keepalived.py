"""keepalived: the pairs of hosts that hold a virtual address by VRRP, one of them at a time."""

import json

from lab.cluster import names
from lab.cluster.part import Part
from lab.command import LabError
from lab.lab import Lab

CONFIG = "/etc/keepalived/keepalived.conf"
NOMINAL = 110
STANDBY = 100
"""Priorities of the host that holds the address when all is well, and of the other one."""
FAULT_FILE = "/run/keepalived-fault"
"""Another number than 0 in it puts the host's VRRP instance into the state FAULT, as a dead cable does."""
STARTUP_DELAY = 3
"""Seconds that the other one waits at its start, so that two hosts that boot together don't both begin."""
CHECK_PENALTY = 20
"""What a failed check takes from the priority: more than there is between the two hosts."""


def pair(
    *,
    name: str,
    host: str,
    router: int,
    vip: str,
    priority: int,
    peer: str,
    notify: str | None = None,
    check: str | None = None,
) -> Part:
    """Return the keepalived of one host of a pair.

    `name` is the VRRP instance's, `router` its number, `host` and `peer` are names of hosts. `notify` is the
    path of a script that is called with `INSTANCE`, the instance's name, its new state and its priority;
    `check` is a command that is run every second, by its full path: the address moves where it fails.
    """
    script = (
        f'vrrp_script check {{\n  script "{check}"\n  interval 1\n  timeout 2\n  fall 2\n  rise 2\n'
        f"  weight -{CHECK_PENALTY}\n}}\n"
    )
    nominal = priority >= NOMINAL
    config = f"""\
global_defs {{
  router_id {host}
  script_user root
  enable_script_security
  # Three seconds without a word move the address: two busy cores for all machines must not.
  vrrp_priority -10
  {"" if nominal else f"vrrp_startup_delay {STARTUP_DELAY}"}
}}
track_file fault {{
  file {FAULT_FILE}
  weight 0
  init_file 0
}}
{script if check else ""}vrrp_instance {name} {{
  state {"MASTER" if nominal else "BACKUP"}
  interface eth0
  virtual_router_id {router}
  priority {priority}
  advert_int 1
  unicast_src_ip {names.ADDRESSES[host]}
  unicast_peer {{
    {names.ADDRESSES[peer]}
  }}
  virtual_ipaddress {{
    {vip}/{names.PREFIX_LENGTH} dev eth0
  }}
  track_file {{
    fault
  }}
  {"track_script { check }" if check else ""}
  {f"notify {notify}" if notify else ""}
}}
"""
    return Part(files={CONFIG: config}, enabled=frozenset({"keepalived"}))


def part(host: str) -> Part:
    """Return the keepalived of the airflow VIP on haproxy-1 or haproxy-2."""
    nominal, standby = names.HAPROXY
    return pair(
        name="airflow",
        host=host,
        router=names.AIRFLOW_ROUTER,
        vip=names.AIRFLOW_VIP,
        priority=NOMINAL if host == nominal else STANDBY,
        peer=standby if host == nominal else nominal,
        check="/usr/bin/pgrep -x haproxy",
    )


def problems(lab: Lab) -> list[str]:
    """Return what is not well with the airflow VIP."""
    return vip_problems(lab, names.AIRFLOW_VIP, names.HAPROXY)


def vip_problems(lab: Lab, vip: str, pair_of: tuple[str, str]) -> list[str]:
    """Return what is not well with an address that the first host of a pair holds when all is well."""
    found, holders = [], []
    for host in pair_of:
        try:
            if lab[host].read("systemctl", "show", "-PActiveState", "keepalived").strip() != "active":
                found.append(f"keepalived is not active on {host}")
            if vip in addresses(lab, host):
                holders.append(host)
        except LabError as error:
            found.append(f"{host} does not say whether it holds {vip}: {error}")
    if holders != [pair_of[0]]:
        found.append(f"{vip} is on {' and '.join(holders) or 'no host'}, not on {pair_of[0]}")
    return found


def addresses(lab: Lab, host: str) -> list[str]:
    """Return the addresses of a host's eth0 as the kernel lists them."""
    links = json.loads(lab[host].read("timeout", "5", "ip", "-j", "addr", "show", "dev", "eth0"))
    return [info["local"] for link in links for info in link["addr_info"] if "local" in info]
