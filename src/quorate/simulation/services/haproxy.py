"""What the statistics page of a simulated HAProxy answers, as HAProxy 2.6 does.

Source: HAProxy's management guide, 9.1 "CSV format"; answers of a real one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from quorate.simulation.services.site import NOT_FOUND, Request, Response

_HEADER = (
    "pxname,svname,qcur,qmax,scur,smax,slim,stot,bin,bout,dreq,dresp,ereq,econ,eresp,wretr,wredis,status,"
    "weight,act,bck,chkfail,chkdown,lastchg,downtime,qlimit,pid,iid,sid,throttle,lbtot,tracked,type,rate,"
    "rate_lim,rate_max,check_status,check_code,check_duration,hrsp_1xx,hrsp_2xx,hrsp_3xx,hrsp_4xx,hrsp_5xx,"
    "hrsp_other,hanafail,req_rate,req_rate_max,req_tot,cli_abrt,srv_abrt,comp_in,comp_out,comp_byp,comp_rsp,"
    "lastsess,last_chk,last_agt,qtime,ctime,rtime,ttime,agent_status,agent_code,agent_duration,check_desc"
)
_COLUMNS = _HEADER.split(",")
_TYPES = {"FRONTEND": 0, "BACKEND": 1}
_CHECKS = {"UP": ("L7OK", 200), "DOWN": ("L7STS", 503)}

UP, DOWN = "UP", "DOWN"


@dataclass(frozen=True, kw_only=True, slots=True)
class BalancerSite:
    """The statistics page at `path`; `backends` have the status of each of their servers, by name."""

    path: str
    backends: Mapping[str, Mapping[str, str]]

    def answer(self, request: Request) -> Response | None:
        """Return the answer to a request."""
        if request.method != "GET" or request.path != f"{self.path};csv":
            return NOT_FOUND
        lines = [f"# {_HEADER},", *map(_line, self._rows()), ""]
        return Response(body="\n".join(lines).encode(), content="text/plain")

    def _rows(self) -> Iterator[dict[str, object]]:
        for number, (name, servers) in enumerate(self.backends.items(), start=2):
            place = {"pxname": name, "pid": 1, "iid": number}
            up = [server for server, status in servers.items() if status == UP]
            yield place | {"svname": "FRONTEND", "status": "OPEN", "scur": 0, "stot": 0}
            for at, (server, status) in enumerate(servers.items(), start=1):
                check, code = _CHECKS.get(status, ("", ""))
                told = {"svname": server, "status": status, "weight": 1, "sid": at, "act": 1}
                yield place | told | {"qcur": 0, "scur": 0, "check_status": check, "check_code": code}
            whole = {"svname": "BACKEND", "status": UP if up else "DOWN", "act": len(up)}
            yield place | whole | {"qcur": 0, "scur": 0, "stot": 0, "weight": len(up)}


def _line(row: Mapping[str, object]) -> str:
    told = {**row, "type": _TYPES.get(str(row["svname"]), 2)}
    return ",".join(str(told.get(column, "")) for column in _COLUMNS) + ","
