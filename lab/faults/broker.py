"""Faults of the RabbitMQ cluster that systemd can't see, or that are about its majority."""

from lab.cluster import names, rabbitmq
from lab.faults.fault import Fault
from lab.faults.steps import Condition, Drop, Holds, MachineIs, Mend, PowerCut, PowerOn, Run, Step

ONE, TWO, THREE = names.RABBIT
CHECK = "rabbitmq_cluster"
UNIT = "rabbitmq-server"
LOST = "warning redundancy_lost"
REFUSED = "warning connect_failed"
OTHERS = f"{{ {names.ADDRESSES[ONE]}, {names.ADDRESSES[TWO]} }}"
"""The nodes that rabbit-3 is cut off from, as a set in nft(8)'s words."""
FROM_OTHERS = (Drop(THREE, "in", f"ip saddr {OTHERS}"), Drop(THREE, "out", f"ip daddr {OTHERS}"))
COUNT = f"{rabbitmq.ASK}/nodes?columns=name,running | grep -o '\"running\":true' | wc -l"
"""Prints how many nodes a node sees running, itself included."""


def unit(host: str) -> str:
    """Return the id of a node's unit."""
    return f"rabbitmq/{host}/{UNIT}"


def member(host: str) -> str:
    """Return the id of a member of the check."""
    return f"{CHECK}/{host}"


def sees(host: str, number: int) -> Condition:
    """Return the condition that a node sees so many nodes running; a silent one is lost after 12 s."""
    return Holds(host, f"test $({COUNT}) -eq {number}", within=45.0)


def silent(host: str) -> Condition:
    """Return the condition that nobody listens where clients connect."""
    return Holds(host, f"! ss -Hltn sport = :{rabbitmq.AMQP_PORT} | grep -q .", within=45.0)


def whole() -> tuple[Step, ...]:
    """Return the steps that wait until every node sees all three again."""
    script = f"n=0; until test $({COUNT}) -eq 3; do n=$((n + 1)); test $n -lt 120; sleep 0.5; done"
    return tuple(Run(host, script, timeout=90.0) for host in names.RABBIT)


def on_partition(host: str, handling: str) -> Step:
    """Return the step that says what a running node does when it has lost the others."""
    return Run(
        host, f"rabbitmqctl eval 'application:set_env(rabbit, cluster_partition_handling, {handling}).'"
    )


def rejoin(host: str) -> Step:
    """Return the step that starts RabbitMQ anew in its Erlang node, as a side of a partition must be."""
    return Run(host, rabbitmq.RESTART_APP, timeout=120.0)


def resume(host: str) -> Step:
    """Return the step that waits until a node that has paused is at work again.

    RabbitMQ 3.10 resumes as soon as it sees a majority of Erlang nodes. Where that is one that has only begun
    to start, and does not know its feature flags yet, resuming fails, and is not tried again.
    """
    stopped = f"rabbitmqctl --quiet eval '{rabbitmq.ASTRAY}' | grep -q stopped"
    again = f"if {stopped}; then {rabbitmq.RESTART_APP}; fi"
    return Run(host, f"rabbitmqctl await_startup --timeout 30 || {again}", timeout=120.0)


def start(host: str) -> Step:
    """Return the step that starts a node's unit, and waits until the node is up."""
    return Run(host, f"systemctl reset-failed {UNIT} || true; systemctl start {UNIT}", timeout=120.0)


NODES = (
    Fault(
        name="rabbitmq-app-stopped",
        summary=f"RabbitMQ on {THREE} is stopped inside its Erlang node: the unit is active, nobody listens.",
        hosts=(THREE,),
        set_up=(Run(THREE, "rabbitmqctl stop_app"),),
        undo=(Run(THREE, "rabbitmqctl start_app", timeout=60.0), *whole()),
        holds=(silent(THREE),),
        expected={CHECK: LOST, member(THREE): REFUSED},
    ),
    Fault(
        name="rabbitmq-node-drained",
        summary=f"{THREE} is in maintenance: it takes no client and leads no queue.",
        hosts=(THREE,),
        set_up=(Run(THREE, "rabbitmq-upgrade drain", timeout=60.0),),
        undo=(Run(THREE, "rabbitmq-upgrade revive", timeout=60.0), *whole()),
        holds=(silent(THREE),),
        expected={CHECK: "warning in_maintenance", member(THREE): "warning in_maintenance"},
    ),
    Fault(
        name="rabbitmq-node-frozen",
        summary=f"RabbitMQ on {TWO} stands still: its kernel accepts connections, and nobody answers.",
        hosts=(TWO,),
        set_up=(Run(TWO, f"systemctl kill --signal=STOP --kill-who=main {UNIT}"),),
        # It did not see the others go and so did not pause: what it wakes up to is a partition, which stays.
        undo=(
            Run(TWO, f"systemctl kill --signal=CONT --kill-who=main {UNIT}"),
            rejoin(TWO),
            *whole(),
        ),
        # Until the others have given it up, what they do together with it stands still, too.
        holds=(sees(ONE, 2), sees(THREE, 2)),
        expected={CHECK: LOST, member(TWO): "warning timeout"},
    ),
    Fault(
        name="rabbitmq-host-powered-off",
        summary=f"{TWO} loses its power.",
        hosts=(TWO,),
        set_up=(PowerCut(TWO),),
        undo=(PowerOn(TWO), *whole()),
        holds=(MachineIs(TWO, "off"), sees(ONE, 2), sees(THREE, 2)),
        expected={
            f"host/{TWO}": "critical host_unreachable",
            unit(TWO): "unknown host_unreachable",
            CHECK: LOST,
            member(TWO): "warning timeout | warning connect_failed",
        },
        root_causes=(f"host/{TWO}",),
    ),
    Fault(
        name="rabbitmq-replica-lost",
        summary=f"{TWO} runs and takes logins, but its replica of the tasks' queue has ended.",
        hosts=names.RABBIT,
        set_up=(Run(TWO, rabbitmq.lose_replica("default")),),
        undo=(rejoin(TWO), *whole()),
        expected={CHECK: "warning queues_critical"},
    ),
)

MAJORITY = (
    Fault(
        name="rabbitmq-two-nodes-stopped",
        summary=f"{ONE} and {TWO} are stopped; {THREE} is told to go on alone.",
        hosts=names.RABBIT,
        set_up=(
            on_partition(THREE, "ignore"),
            Run(ONE, f"systemctl stop {UNIT}", timeout=60.0),
            Run(TWO, f"systemctl stop {UNIT}", timeout=60.0),
        ),
        undo=(start(ONE), start(TWO), *whole(), on_partition(THREE, "pause_minority")),
        holds=(silent(ONE), silent(TWO), sees(THREE, 1)),
        expected={
            unit(ONE): "critical inactive",
            unit(TWO): "critical inactive",
            CHECK: "critical quorum_lost",
            member(ONE): REFUSED,
            member(TWO): REFUSED,
        },
        root_causes=(unit(ONE), unit(TWO)),
    ),
    Fault(
        name="rabbitmq-minority-pauses",
        summary=f"{ONE} and {TWO} are stopped, and {THREE} pauses, since it is no majority: nobody is left.",
        hosts=names.RABBIT,
        set_up=(
            Run(ONE, f"systemctl stop {UNIT}", timeout=60.0),
            Run(TWO, f"systemctl stop {UNIT}", timeout=60.0),
        ),
        undo=(
            # Each waits for the tables of the last one: TWO or THREE, which waits for a majority.
            *(Run(host, f"systemctl --no-block start {UNIT}") for host in (ONE, TWO)),
            resume(THREE),
            start(ONE),
            start(TWO),
            *whole(),
        ),
        holds=(silent(ONE), silent(TWO), silent(THREE)),
        expected={
            unit(ONE): "critical inactive",
            unit(TWO): "critical inactive",
            CHECK: "critical quorum_lost",
            **{member(host): REFUSED for host in names.RABBIT},
        },
        # Nothing that systemd knows explains the one that pauses, nor then the lost quorum.
        root_causes=(unit(ONE), unit(TWO), CHECK, member(THREE)),
    ),
    Fault(
        name="rabbitmq-node-cut-off",
        summary=f"{THREE} can't reach the other nodes, and pauses: its unit is active, nobody listens.",
        hosts=names.RABBIT,
        set_up=FROM_OTHERS,
        undo=(Mend(THREE), *whole()),
        holds=(silent(THREE), sees(ONE, 2), sees(TWO, 2)),
        expected={CHECK: LOST, member(THREE): REFUSED},
    ),
    Fault(
        name="rabbitmq-partitioned",
        summary=f"{THREE} can't reach the other nodes, and both sides go on: every node takes logins.",
        hosts=names.RABBIT,
        set_up=(*(on_partition(host, "ignore") for host in names.RABBIT), *FROM_OTHERS),
        undo=(
            Mend(THREE),
            *(on_partition(host, "pause_minority") for host in names.RABBIT),
            # A partition stays until one side is started anew; what that side was told is lost.
            rejoin(THREE),
            *whole(),
        ),
        holds=(sees(ONE, 2), sees(TWO, 2), sees(THREE, 1)),
        expected={CHECK: "critical partitioned"},
    ),
)

ALARMS = (
    Fault(
        name="rabbitmq-memory-alarm",
        summary=f"{ONE} has more in memory than it may: the whole cluster keeps publishers waiting.",
        hosts=names.RABBIT,
        set_up=(Run(ONE, "rabbitmqctl set_vm_memory_high_watermark absolute 1MB"),),
        undo=(Run(ONE, f"rabbitmqctl set_vm_memory_high_watermark absolute {rabbitmq.MEMORY}"), *whole()),
        holds=(Holds(ONE, f"{rabbitmq.ASK}/nodes?columns=mem_alarm | grep -q true"),),
        expected={CHECK: "critical alarm"},
    ),
    Fault(
        name="rabbitmq-disk-alarm",
        summary=f"{TWO} has less disk left than it must: the whole cluster keeps publishers waiting.",
        hosts=names.RABBIT,
        set_up=(Run(TWO, "rabbitmqctl set_disk_free_limit 1000000GB"),),
        undo=(Run(TWO, "rabbitmqctl set_disk_free_limit 50MB"), *whole()),
        holds=(Holds(TWO, f"{rabbitmq.ASK}/nodes?columns=disk_free_alarm | grep -q true"),),
        expected={CHECK: "critical alarm"},
    ),
)

LOGINS = (
    Fault(
        name="rabbitmq-wrong-password",
        summary="The monitor has a wrong password for the broker, or someone has changed it.",
        hosts=(),
        set_up=(),
        undo=(),
        secrets={"RABBITMQ_PASSWORD": "not-the-password"},
        expected={
            CHECK: "unknown auth_failed",
            "celery_workers": "unknown auth_failed",
            **{member(host): "warning auth_failed" for host in names.RABBIT},
        },
    ),
    Fault(
        name="rabbitmq-secret-missing",
        summary="The monitor has no password for the broker.",
        hosts=(),
        set_up=(),
        undo=(),
        secrets={"RABBITMQ_PASSWORD": ""},
        expected={CHECK: "unknown secret_unavailable", "celery_workers": "unknown secret_unavailable"},
    ),
)

FAULTS = (*NODES, *MAJORITY, *ALARMS, *LOGINS)
