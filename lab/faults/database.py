"""Faults of etcd, of Patroni, of PostgreSQL, and of who logs in to it.

Each that depends on who leads begins with `Leads`: whichever node led before, postgresql-1 does then.
"""

from lab.cluster import etcd, names, patroni
from lab.faults.balancing import writes_to
from lab.faults.database_steps import (
    CTL,
    Leads,
    Well,
    answers,
    leads_elsewhere,
    others_follow,
    rejoined,
    sql,
    sql_says,
)
from lab.faults.drop_in import changed
from lab.faults.fault import Fault, Watch
from lab.faults.steps import Drop, Holds, MachineIs, Mend, PowerCut, PowerOn, Run, Step

LEADER, REPLICA, THIRD = names.POSTGRESQL
WHILE_NOBODY_LEADS = (
    "postgresql_vip critical connect_failed",
    "postgresql_vip critical timeout",
    "postgresql_vip critical query_failed",
    "postgresql_vip critical read_only",
    # Who asks Patroni, HAProxy and Airflow themselves sees it change hands.
    *(f"{check}* *" for check in ("patroni_cluster", "balancers", "airflow_health")),
)
"""What is true of the database behind the VIP from its leader's end until HAProxy has found the next one."""
KILLED: tuple[Step, ...] = (
    Run(
        LEADER,
        f"{changed('patroni', '[Service]', 'Restart=no')}systemctl kill --signal=KILL --kill-who=all patroni",
    ),
)


def url(host: str) -> str:
    """Return where a host's Patroni tells what it knows of itself."""
    return f"http://{names.ADDRESSES[host]}:{patroni.REST_PORT}/patroni"


def without_patroni(host: str) -> dict[str, str]:
    """Return what is said of Patroni while one node's refuses connections, its unit being the cause."""
    return {"patroni_cluster": "warning redundancy_lost", f"patroni_cluster/{host}": "warning connect_failed"}


PATRONI = (
    Fault(
        name="patroni-stopped-on-replica",
        summary=f"Patroni is stopped on {REPLICA}, a replica, and PostgreSQL with it.",
        hosts=(REPLICA,),
        set_up=(Leads(LEADER), Run(REPLICA, "systemctl stop patroni")),
        undo=(Run(REPLICA, "systemctl start patroni"), Well()),
        expected={f"postgresql/{REPLICA}/patroni": "critical inactive", **without_patroni(REPLICA)},
        root_causes=(f"postgresql/{REPLICA}/patroni",),
    ),
    Fault(
        name="patroni-bad-config",
        summary=f"{THIRD}'s Patroni was restarted with a configuration that it can't read.",
        hosts=(THIRD,),
        set_up=(
            Leads(LEADER),
            Run(THIRD, f"cp -pn {patroni.CONFIG} {patroni.CONFIG}.good; echo '{{' > {patroni.CONFIG}"),
            Run(THIRD, "systemctl restart patroni"),
        ),
        undo=(
            Run(THIRD, f"test ! -e {patroni.CONFIG}.good || mv {patroni.CONFIG}.good {patroni.CONFIG}"),
            Run(THIRD, "systemctl reset-failed patroni; systemctl start patroni"),
            Well(),
        ),
        holds=(Holds(THIRD, "systemctl is-failed --quiet patroni"),),
        expected={f"postgresql/{THIRD}/patroni": "critical failed", **without_patroni(THIRD)},
        root_causes=(f"postgresql/{THIRD}/patroni",),
    ),
    Fault(
        name="patroni-restarted-by-systemd",
        alone=True,  # it waits for both balancers
        summary=f"Patroni on {LEADER}, the leader, is killed; systemd starts it again, PostgreSQL runs on.",
        hosts=(LEADER,),
        set_up=(Leads(LEADER), Run(LEADER, "systemctl kill --signal=KILL --kill-who=main patroni")),
        undo=(Run(LEADER, "systemctl reset-failed patroni"), Well()),
        holds=(
            Holds(LEADER, "test $(systemctl show -P NRestarts patroni) = 1"),
            answers(LEADER, "/primary"),
            *(writes_to(host, 1) for host in names.HAPROXY),
        ),
        expected={f"postgresql/{LEADER}/patroni": "warning restarted_recently"},
    ),
    Fault(
        name="leader-killed",
        summary=f"Patroni and PostgreSQL on {LEADER}, the leader, are killed for good; a replica follows.",
        hosts=(LEADER,),
        set_up=(Leads(LEADER), *KILLED),
        undo=(*rejoined(LEADER), Leads(LEADER)),
        holds=leads_elsewhere(LEADER),
        expected={f"postgresql/{LEADER}/patroni": "critical failed", **without_patroni(LEADER)},
        root_causes=(f"postgresql/{LEADER}/patroni",),
        watch=Watch(seconds=90, allowed=WHILE_NOBODY_LEADS),
        shakes_airflow=True,
    ),
    Fault(
        name="leader-stopped",
        summary=f"Patroni is stopped on {LEADER}, the leader: it hands over, sweep after sweep.",
        hosts=(LEADER,),
        set_up=(Leads(LEADER), Run(LEADER, "systemctl stop patroni")),
        undo=(Run(LEADER, "systemctl start patroni"), Well(), Leads(LEADER)),
        holds=leads_elsewhere(LEADER),
        expected={f"postgresql/{LEADER}/patroni": "critical inactive", **without_patroni(LEADER)},
        root_causes=(f"postgresql/{LEADER}/patroni",),
        watch=Watch(
            seconds=90, allowed=(*WHILE_NOBODY_LEADS, f"postgresql/{LEADER}/patroni warning stopping")
        ),
        shakes_airflow=True,
    ),
    Fault(
        name="leader-powered-off",
        summary=f"{LEADER}, the leader and a member of etcd, loses its power; a replica follows.",
        hosts=(LEADER,),
        set_up=(Leads(LEADER), PowerCut(LEADER)),
        undo=(PowerOn(LEADER), *rejoined(LEADER), Leads(LEADER)),
        holds=(MachineIs(LEADER, "off"), *leads_elsewhere(LEADER), others_follow(LEADER)),
        expected={
            f"host/{LEADER}": "critical host_unreachable",
            "patroni_cluster": "warning redundancy_lost",
            "etcd_cluster": "warning redundancy_lost",
        },
        root_causes=(f"host/{LEADER}",),
        shakes_airflow=True,
    ),
    Fault(
        name="leader-frozen-patroni",
        summary=f"{LEADER}'s Patroni stands still, its PostgreSQL does not: another one becomes primary too.",
        hosts=(LEADER,),
        set_up=(Leads(LEADER), Run(LEADER, "systemctl kill --signal=STOP --kill-who=main patroni")),
        undo=(
            Run(LEADER, "systemctl kill --signal=CONT --kill-who=main patroni"),
            *rejoined(LEADER),
            Leads(LEADER),
        ),
        holds=(
            *leads_elsewhere(LEADER),
            sql_says(LEADER, "SELECT pg_is_in_recovery()", "f"),
        ),
        expected={
            "patroni_cluster": "warning redundancy_lost",
            f"patroni_cluster/{LEADER}": "warning timeout",
        },
        watch=Watch(seconds=90, allowed=WHILE_NOBODY_LEADS),
        shakes_airflow=True,
    ),
    Fault(
        name="patroni-paused",
        summary="Patroni's automatic failover is paused, as for maintenance that was never ended.",
        hosts=(LEADER,),
        set_up=(Run(LEADER, f"{CTL} pause --wait"),),
        undo=(Run(LEADER, f"{CTL} resume --wait || true"), Well()),
        holds=tuple(
            Holds(host, f"curl -s --max-time 2 {url(host)} | grep -q pause") for host in names.POSTGRESQL
        ),
        expected={"patroni_cluster": "warning paused"},
    ),
    Fault(
        name="two-primaries",
        summary=f"{REPLICA} was promoted by hand while Patroni is paused: two nodes run as primary.",
        hosts=(LEADER, REPLICA),
        set_up=(
            Leads(LEADER),
            Run(LEADER, f"{CTL} pause --wait"),
            Run(REPLICA, f"su postgres -c '{patroni.BIN}/pg_ctl promote -w -D {patroni.DATA}'"),
        ),
        undo=(Run(LEADER, f"{CTL} resume --wait || true"), *rejoined(REPLICA), Leads(LEADER)),
        holds=tuple(
            Holds(
                host,
                f'curl -s --max-time 2 {url(host)} | grep -qE \'"role": "(master|primary)"\'',
            )
            for host in (LEADER, REPLICA)
        ),
        expected={"patroni_cluster": "critical split_brain"},
        shakes_airflow=True,
    ),
)

ETCD = (
    Fault(
        name="etcd-minority-lost",
        summary=f"etcd is stopped on {THIRD}: two of three members are left.",
        hosts=(THIRD,),
        set_up=(Run(THIRD, "systemctl stop etcd"),),
        undo=(Run(THIRD, "systemctl start etcd"), Well()),
        holds=tuple(
            Holds(host, f"curl -s --max-time 2 {etcd.client_url(host)}/health | grep -q true")
            for host in (LEADER, REPLICA)
        ),
        expected={
            f"postgresql/{THIRD}/etcd": "critical inactive",
            "etcd_cluster": "warning redundancy_lost",
            f"etcd_cluster/{THIRD}": "warning connect_failed",
        },
        root_causes=(f"postgresql/{THIRD}/etcd",),
    ),
    Fault(
        name="etcd-hung",
        summary=f"etcd on {THIRD} stands still, and systemd says active.",
        hosts=(THIRD,),
        set_up=(Run(THIRD, "systemctl kill --signal=STOP etcd"),),
        undo=(Run(THIRD, "systemctl kill --signal=CONT etcd"), Well()),
        holds=(Holds(THIRD, "! pgrep -x etcd -r S,R"),),
        expected={"etcd_cluster": "warning redundancy_lost", f"etcd_cluster/{THIRD}": "warning timeout"},
    ),
    Fault(
        name="etcd-majority-lost",
        summary=f"etcd is stopped on {REPLICA} and {THIRD}: no majority, so Patroni lets nobody lead.",
        hosts=(REPLICA, THIRD),
        set_up=(Run(REPLICA, "systemctl stop etcd"), Run(THIRD, "systemctl stop etcd")),
        undo=(
            Run(REPLICA, "systemctl start --no-block etcd"),
            Run(THIRD, "systemctl start --no-block etcd"),
            Well(),
            Leads(LEADER),
        ),
        holds=tuple(writes_to(host, 0) for host in names.HAPROXY),
        expected={
            f"postgresql/{REPLICA}/etcd": "critical inactive",
            f"postgresql/{THIRD}/etcd": "critical inactive",
            "etcd_cluster": "critical quorum_lost",
            "patroni_cluster": "critical no_leader",
            "balancers": "critical too_few_up",
            "postgresql_vip": "critical connect_failed",
        },
        root_causes=tuple(f"postgresql/{host}/etcd" for host in (REPLICA, THIRD)),
        shakes_airflow=True,
    ),
    Fault(
        name="etcd-waits-for-majority",
        summary=f"etcd is stopped on {REPLICA} and {THIRD}, and {LEADER}'s is started anew: it finds nobody.",
        hosts=names.POSTGRESQL,
        set_up=(
            Run(REPLICA, "systemctl stop etcd"),
            Run(THIRD, "systemctl stop etcd"),
            Run(LEADER, "systemctl restart --no-block etcd"),
        ),
        undo=(
            *(Run(host, "systemctl start --no-block etcd") for host in names.POSTGRESQL),
            Well(),
            Leads(LEADER),
        ),
        holds=(
            Holds(LEADER, "test $(systemctl show -P ActiveState etcd) = activating"),
            *(writes_to(host, 0) for host in names.HAPROXY),
        ),
        expected={
            f"postgresql/{LEADER}/etcd": "warning starting",
            f"postgresql/{REPLICA}/etcd": "critical inactive",
            f"postgresql/{THIRD}/etcd": "critical inactive",
            "etcd_cluster": "critical quorum_lost",
            # A unit that is starting explains nothing.
            f"etcd_cluster/{LEADER}": "warning connect_failed | warning timeout | warning no_leader",
            "patroni_cluster": "critical no_leader",
            "balancers": "critical too_few_up",
            "postgresql_vip": "critical connect_failed",
        },
        root_causes=(
            *(f"postgresql/{host}/etcd" for host in names.POSTGRESQL),
            "etcd_cluster",
            f"etcd_cluster/{LEADER}",
        ),
        shakes_airflow=True,
    ),
    Fault(
        name="leaderless",
        summary="Patroni is stopped on all three nodes, and PostgreSQL with it.",
        hosts=names.POSTGRESQL,
        set_up=tuple(Run(host, "systemctl stop patroni") for host in (THIRD, REPLICA, LEADER)),
        undo=(*(Run(host, "systemctl start patroni") for host in names.POSTGRESQL), Well(), Leads(LEADER)),
        holds=tuple(writes_to(host, 0) for host in names.HAPROXY),
        expected={
            **{f"postgresql/{host}/patroni": "critical inactive" for host in names.POSTGRESQL},
            "patroni_cluster": "unknown connect_failed",
            "balancers": "critical too_few_up",
            "postgresql_vip": "critical connect_failed",
        },
        root_causes=tuple(f"postgresql/{host}/patroni" for host in names.POSTGRESQL),
        shakes_airflow=True,
    ),
)

POSTGRESQL = (
    Fault(
        name="standby-lags",
        summary=f"{REPLICA} receives what is written, and what replays it stands still: it lags by 20 MB.",
        hosts=(REPLICA,),
        set_up=(
            Leads(LEADER),
            # pg_wal_replay_pause() would not do: Patroni resumes what is paused in its next round.
            Run(REPLICA, "pkill -STOP -f '[s]tartup recovering'"),
            Run(
                LEADER,
                sql(
                    "CREATE TABLE lag AS SELECT repeat(md5(i::text), 8) FROM generate_series(1, 70000) i",
                ),
            ),
        ),
        undo=(
            Run(REPLICA, "pkill -CONT -f '[s]tartup recovering' || true"),
            Leads(LEADER),
            Run(LEADER, sql("DROP TABLE IF EXISTS lag")),
        ),
        holds=(
            sql_says(REPLICA, "SELECT pg_last_wal_receive_lsn() - pg_last_wal_replay_lsn() > 16777216", "t"),
        ),
        expected={"patroni_cluster": "warning lagging", f"patroni_cluster/{REPLICA}": "warning lagging"},
    ),
    Fault(
        name="standby-does-not-stream",
        summary=f"{THIRD} is not let in by the leader: its replication is refused.",
        hosts=(THIRD,),
        set_up=(
            Leads(LEADER),
            Drop(THIRD, "out", f"tcp dport {patroni.PORT}", action="reject with tcp reset"),
        ),
        undo=(Mend(THIRD), Well()),
        holds=(
            sql_says(THIRD, "SELECT count(*) FROM pg_stat_wal_receiver", "0"),
            sql_says(LEADER, "SELECT count(*) FROM pg_stat_replication", "1"),
        ),
        expected={
            "patroni_cluster": "warning not_streaming",
            f"patroni_cluster/{THIRD}": "warning not_streaming",
        },
    ),
    Fault(
        name="dag-table-locked",
        summary="A session holds an exclusive lock on the table dag: whoever reads it waits.",
        hosts=(LEADER,),
        set_up=(
            Leads(LEADER),
            Run(
                LEADER,
                "systemd-run --quiet --unit=locker --uid=postgres psql -qX -d "
                f"{names.DATABASE} -c 'BEGIN' -c 'LOCK TABLE dag' -c 'SELECT pg_sleep(600)'",
            ),
        ),
        undo=(
            Run(
                LEADER,
                sql(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(600)'"
                ),
            ),
            Run(LEADER, "systemctl stop locker 2>/dev/null || true; systemctl reset-failed"),
        ),
        expected={"postgresql_vip": "critical timeout"},
        shakes_airflow=True,
    ),
    Fault(
        name="wrong-database-password",
        summary="The monitor has a wrong password for the database.",
        hosts=(),
        set_up=(),
        undo=(),
        expected={"postgresql_vip": "unknown auth_failed"},
        secrets={"AIRFLOW_DB_PASSWORD": "not-the-password"},
    ),
)

FAULTS: tuple[Fault, ...] = (*PATRONI, *ETCD, *POSTGRESQL)
