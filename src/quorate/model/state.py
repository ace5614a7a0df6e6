"""States and reasons: the words in which every verdict is spoken."""

from enum import Enum, StrEnum


class State(Enum):
    """How good or bad a verdict is, best first; `rank` orders, `exit_code` is that of monitoring plugins."""

    OK = ("ok", 0, 0)
    EXPECTED = ("expected", 1, 0)
    WARNING = ("warning", 2, 1)
    UNKNOWN = ("unknown", 3, 3)
    CRITICAL = ("critical", 4, 2)

    def __init__(self, word: str, rank: int, exit_code: int) -> None:
        self.word = word
        self.rank = rank
        self.exit_code = exit_code


class Reason(StrEnum):
    """Why a verdict is what it is: one stable word, the same in code, output, docs and tests."""

    OK = "ok"

    # systemd units
    PASSIVE_INACTIVE = "passive_inactive"
    INACTIVE = "inactive"
    FAILED = "failed"
    FAILED_ON_PASSIVE = "failed_on_passive"
    UNIT_NOT_FOUND = "unit_not_found"
    UNIT_BROKEN = "unit_broken"
    MASKED = "masked"
    EXITED = "exited"
    STARTING = "starting"
    STUCK_STARTING = "stuck_starting"
    STOPPING = "stopping"
    STUCK_STOPPING = "stuck_stopping"
    STUCK_RELOADING = "stuck_reloading"
    CRASHED = "crashed"
    CRASH_LOOP = "crash_loop"
    RESTARTED_RECENTLY = "restarted_recently"
    UNRECOGNISED_STATE = "unrecognised_state"
    NO_ANSWER = "no_answer"

    # pairs and virtual addresses
    SPLIT_BRAIN = "split_brain"
    ROLE_MISPLACED = "role_misplaced"
    FAILOVER_IN_PROGRESS = "failover_in_progress"
    NO_ACTIVE_NODE = "no_active_node"
    DUPLICATE_VIP = "duplicate_vip"
    ACTIVE_NODE_UNKNOWN = "active_node_unknown"
    ACTIVE_NODE_AMBIGUOUS = "active_node_ambiguous"
    ACTIVE_WITHOUT_VIP = "active_without_vip"
    PEER_UNVERIFIED = "peer_unverified"

    # transport
    NAME_UNRESOLVED = "name_unresolved"
    HOST_UNREACHABLE = "host_unreachable"
    SSH_UNRESPONSIVE = "ssh_unresponsive"
    HOST_KEY_CHANGED = "host_key_changed"
    HOST_KEY_UNKNOWN = "host_key_unknown"
    SSH_AUTH_FAILED = "ssh_auth_failed"
    LOGIN_CLOSED = "login_closed"
    CONNECTION_LOST = "connection_lost"
    JUMP_HOST_FAILED = "jump_host_failed"
    TOOL_MISSING = "tool_missing"
    NO_SYSTEMD = "no_systemd"
    COMMAND_TIMEOUT = "command_timeout"
    UNPARSABLE = "unparsable"

    # would a failover work now
    STANDBY_FAULT = "standby_fault"
    WOULD_NOT_START = "would_not_start"
    ENABLED_AT_BOOT = "enabled_at_boot"
    SYNC_STALE = "sync_stale"

    # services
    CONNECT_FAILED = "connect_failed"
    AUTH_FAILED = "auth_failed"
    TIMEOUT = "timeout"
    QUERY_FAILED = "query_failed"
    READ_ONLY = "read_only"
    REDUNDANCY_LOST = "redundancy_lost"
    QUORUM_LOST = "quorum_lost"
    NO_LEADER = "no_leader"
    NOT_A_MEMBER = "not_a_member"
    PARTITIONED = "partitioned"
    ALARM = "alarm"
    IN_MAINTENANCE = "in_maintenance"
    QUEUES_CRITICAL = "queues_critical"

    # Patroni
    DCS_FAILED = "dcs_failed"
    FAILSAFE = "failsafe"
    PAUSED = "paused"
    NOT_STREAMING = "not_streaming"
    LAGGING = "lagging"
    LAG_UNKNOWN = "lag_unknown"
    TIMELINE_DIFFERS = "timeline_differs"
    PENDING_RESTART = "pending_restart"

    # HAProxy
    BACKEND_MISSING = "backend_missing"
    TOO_FEW_UP = "too_few_up"
    TOO_MANY_UP = "too_many_up"

    # Airflow and Celery
    UNHEALTHY = "unhealthy"
    NONE_ALIVE = "none_alive"
    QUEUE_UNSERVED = "queue_unserved"

    # TCP and HTTP
    SLOW = "slow"
    UNEXPECTED_STATUS = "unexpected_status"
    UNEXPECTED_BODY = "unexpected_body"
    CERTIFICATE_INVALID = "certificate_invalid"
    CERTIFICATE_EXPIRED = "certificate_expired"
    CERTIFICATE_EXPIRES = "certificate_expires"

    # hosts' resources and clocks
    CPU_HIGH = "cpu_high"
    LOAD_HIGH = "load_high"
    MEMORY_HIGH = "memory_high"
    DISK_FULL = "disk_full"
    INODES_FULL = "inodes_full"
    LOG_FOLDER_LARGE = "log_folder_large"
    MOUNT_MISSING = "mount_missing"
    CLOCK_OFF = "clock_off"

    # the monitor itself
    MONITOR_ISOLATED = "monitor_isolated"
    SWEEP_TIMEOUT = "sweep_timeout"
    INTERRUPTED = "interrupted"
    UNSUPPORTED_KIND = "unsupported_kind"
    SECRET_UNAVAILABLE = "secret_unavailable"  # noqa: S105  a reason, not a password
    INTERNAL_ERROR = "internal_error"
