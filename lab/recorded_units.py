"""The units whose answers are recorded, one for each state that a real systemd can be brought into."""

LIBRARY = "/usr/local/lib/systemd/system"
"""Where the units are put: outside /etc, so that `systemctl mask` can hide them."""


def service(*lines: str, unit: tuple[str, ...] = ()) -> str:
    """Return the text of a service unit; `unit` are lines of its [Unit] section."""
    return "\n".join(["[Unit]", "Description=recorded by the lab", *unit, "[Service]", *lines, ""])


RUNS = "ExecStart=/bin/sleep infinity"
STUBBORN = "ExecStart=/bin/sh -c 'trap \"\" TERM; while :; do sleep 1; done'"

UNITS: dict[str, str] = {
    "rec-running.service": service(RUNS) + "[Install]\nWantedBy=multi-user.target\nAlias=rec-alias.service\n",
    "rec-template@.service": service(RUNS),
    "rec-oneshot.service": service("Type=oneshot", "RemainAfterExit=yes", "ExecStart=/bin/true"),
    "rec-exited.service": service("Type=simple", "RemainAfterExit=yes", "ExecStart=/bin/true"),
    "rec-failed-exit.service": service("ExecStart=/bin/sh -c 'exit 3'"),
    "rec-failed-kill.service": service("ExecStart=/bin/sh -c 'kill -KILL $$$$'"),
    "rec-failed-term.service": service("Type=oneshot", "ExecStart=/bin/sh -c 'kill -TERM $$$$'"),
    "rec-failed-143.service": service(
        "ExecStart=/bin/sh -c 'trap \"exit 143\" TERM; while :; do sleep 0.1; done'"
    ),
    "rec-failed-130.service": service("ExecStart=/bin/sh -c 'exit 130'", "KillSignal=SIGINT"),
    "rec-failed-203.service": service("ExecStart=/usr/bin/no-such-program"),
    "rec-failed-timeout.service": service("Type=notify", RUNS, "TimeoutStartSec=1"),
    "rec-failed-stop-timeout.service": service(STUBBORN, "TimeoutStopSec=1"),
    "rec-failed-start-limit.service": service(
        "ExecStart=/bin/false",
        "Restart=always",
        "RestartSec=50ms",
        unit=("StartLimitIntervalSec=60", "StartLimitBurst=3"),
    ),
    "rec-failed-dependency.service": service(
        RUNS, unit=("Requires=rec-failed-exit-oneshot.service", "After=rec-failed-exit-oneshot.service")
    ),
    "rec-failed-exit-oneshot.service": service("Type=oneshot", "ExecStart=/bin/false"),
    "rec-inactive.service": service(RUNS),
    "rec-stopped.service": service(RUNS),
    "rec-killed-cleanly.service": service(RUNS),
    "rec-condition.service": service(RUNS, unit=("ConditionPathExists=/no/such/path",)),
    "rec-masked.service": service(RUNS),
    "rec-masked-running.service": service(RUNS),
    "rec-vanished-running.service": service(RUNS),
    "rec-bad-setting.service": service("Type=simple"),
    "rec-bad-setting-running.service": service(RUNS),
    "rec-activating.service": service("Type=notify", RUNS, "TimeoutStartSec=1h"),
    "rec-activating-infinite.service": service("Type=notify", RUNS, "TimeoutStartSec=infinity"),
    "rec-activating-pre.service": service("ExecStartPre=/bin/sleep 3600", RUNS, "TimeoutStartSec=2h"),
    "rec-auto-restart.service": service("ExecStart=/bin/false", "Restart=always", "RestartSec=1h"),
    "rec-crash-loop.service": service(
        "ExecStart=/bin/sh -c 'echo starting; sleep 0.5; echo crashing >&2; exit 1'",
        "Restart=always",
        "RestartSec=500ms",
        unit=("StartLimitIntervalSec=0",),
    ),
    "rec-restarted-once.service": service(
        "ExecStart=/bin/sh -c 'test -e /run/rec-once && exec sleep infinity; touch /run/rec-once; exit 1'",
        "Restart=always",
        "RestartSec=50ms",
    ),
    "rec-deactivating.service": service(RUNS, "ExecStop=/bin/sleep 3600", "TimeoutStopSec=2h"),
    "rec-deactivating-term.service": service(STUBBORN, "TimeoutStopSec=1h"),
    "rec-reloading.service": service(RUNS, "ExecReload=/bin/sleep 3600", "TimeoutStartSec=2h"),
    "rec-maintenance.service": service("ExecStart=/bin/true", "CacheDirectory=rec-maintenance"),
    "rec-blocking.service": service("Type=oneshot", "ExecStart=/bin/sleep 3600"),
    "rec-queued.service": service(RUNS, unit=("After=rec-blocking.service",)),
    "rec-by-socket.socket": "[Socket]\nListenStream=/run/rec-by-socket\n",
    "rec-by-socket.service": service(RUNS),
    "rec-by-timer.timer": "[Timer]\nOnCalendar=yearly\n",
    "rec-by-timer.service": service("Type=oneshot", "ExecStart=/bin/true"),
    "rec-by-path.path": "[Path]\nPathExists=/no/such/path\n",
    "rec-by-path.service": service("Type=oneshot", "ExecStart=/bin/true"),
    "rec-log-normal.service": service(
        "Type=oneshot",
        "ExecStart=/bin/sh -c 'echo started; echo a warning >&2; echo \"umlauts äöü ✅\"; exit 1'",
    ),
    "rec-log-escapes.service": service(
        "Type=oneshot",
        "ExecStart=/bin/sh -c "
        "'printf \"\\\\033[31mred alert\\\\033[0m\\\\n\\\\007bell\\\\ttab\\\\rreturn\\\\n\"'",
    ),
    "rec-log-binary.service": service(
        "Type=oneshot", "ExecStart=/bin/sh -c 'printf \"\\\\377\\\\376 not utf-8 \\\\200\\\\n\"'"
    ),
    "rec-log-multiline.service": service(
        "Type=oneshot", "ExecStart=/usr/bin/logger --journald=/run/rec-multiline"
    ),
    "rec-log-long.service": service(
        "Type=oneshot",
        "ExecStart=/bin/sh -c 'head -c 6000 /dev/zero | tr \"\\\\0\" x; echo; echo short line after it'",
    ),
    "rec-log-huge.service": service(
        "Type=oneshot", "ExecStart=/bin/sh -c 'head -c 60000 /dev/zero | tr \"\\\\0\" y; echo'"
    ),
    "rec-log-secret.service": service(
        "Type=oneshot",
        "ExecStart=/bin/echo connecting to postgresql://airflow_user:hunter2@192.0.2.210:5000/airflow_db "
        "password=hunter2",
    ),
}

SETUP = r"""
set -u
start() { systemctl start --no-block "$@"; }
printf 'MESSAGE=first line\nMESSAGE=second line\nMESSAGE=Traceback:\nPRIORITY=3\n' > /run/rec-multiline
systemctl daemon-reload
systemctl enable rec-running.service
for u in running template@one oneshot exited failed-exit failed-kill failed-term failed-143 failed-130 \
  failed-203 failed-timeout failed-stop-timeout failed-start-limit failed-dependency stopped killed-cleanly \
  condition masked-running vanished-running bad-setting-running activating activating-infinite \
  activating-pre auto-restart crash-loop restarted-once deactivating deactivating-term reloading blocking \
  log-normal log-escapes log-binary log-multiline log-long log-huge log-secret; do
  start "rec-$u.service"
done
start rec-by-socket.socket rec-by-timer.timer rec-by-path.path
sleep 1
start rec-queued.service
systemctl stop --no-block rec-failed-143.service rec-failed-stop-timeout.service rec-stopped.service \
  rec-deactivating.service rec-deactivating-term.service
systemctl kill --signal=TERM rec-killed-cleanly.service
systemctl reload --no-block rec-reloading.service
systemctl mask rec-masked.service rec-masked-running.service
rm /usr/local/lib/systemd/system/rec-vanished-running.service
printf '[Service]\nExecStart=\nType=simple\n' > /usr/local/lib/systemd/system/rec-bad-setting-running.service
systemctl daemon-reload
sleep 3
"""
"""What brings the units into their states, run as root by a shell once they are in place."""

STATES: dict[str, tuple[tuple[str, ...], str]] = {
    "running": (("rec-running",), "a service that runs, enabled, with an alias"),
    "by-alias": (("rec-alias",), "a running service asked for by its alias: it answers under its own Id"),
    "template-instance": (("rec-template@one",), "an instance of a template that runs"),
    "oneshot-exited": (("rec-oneshot",), "a oneshot that stays active without a process"),
    "simple-exited": (("rec-exited",), "Type=simple that ended and stays active through RemainAfterExit"),
    "failed-exit": (("rec-failed-exit",), "ended with exit code 3"),
    "failed-signal-kill": (("rec-failed-kill",), "killed by SIGKILL"),
    "failed-signal-term": (("rec-failed-term",), "a oneshot killed by SIGTERM"),
    "failed-143": (("rec-failed-143",), "stopped, and exited with 143"),
    "failed-130": (("rec-failed-130",), "exited with 130, KillSignal is SIGINT"),
    "failed-203": (("rec-failed-203",), "its program does not exist"),
    "failed-start-timeout": (("rec-failed-timeout",), "Type=notify that did not notify in time"),
    "failed-stop-timeout": (("rec-failed-stop-timeout",), "ignored SIGTERM until systemd killed it"),
    "failed-start-limit": (("rec-failed-start-limit",), "restarted too often, so systemd gave up"),
    "inactive-dependency-failed": (("rec-failed-dependency",), "never started: what it requires failed"),
    "inactive": (("rec-inactive",), "loaded and never started"),
    "inactive-stopped": (("rec-stopped",), "ran, and was stopped cleanly"),
    "inactive-killed-cleanly": (
        ("rec-killed-cleanly",),
        "ended by SIGTERM, which systemd counts as a clean exit",
    ),
    "inactive-condition": (("rec-condition",), "not started, because its condition was not met"),
    "masked": (("rec-masked",), "masked and not running"),
    "masked-running": (("rec-masked-running",), "masked while it runs"),
    "not-found": (("rec-no-such-unit",), "no such unit; ActiveState is inactive all the same"),
    "not-found-running": (("rec-vanished-running",), "runs, but its file was removed"),
    "bad-setting": (("rec-bad-setting",), "a unit file that systemd refuses"),
    "bad-setting-running": (
        ("rec-bad-setting-running",),
        "runs, but its file became one that systemd refuses",
    ),
    "activating": (("rec-activating",), "Type=notify that never notifies"),
    "activating-infinite": (("rec-activating-infinite",), "starting without a limit"),
    "activating-start-pre": (("rec-activating-pre",), "starting, in ExecStartPre"),
    "activating-auto-restart": (("rec-auto-restart",), "crashed, waits an hour for its next start"),
    "restarted-once": (("rec-restarted-once",), "runs after one restart by systemd"),
    "deactivating": (("rec-deactivating",), "stopping, its ExecStop sleeps"),
    "deactivating-sigterm": (("rec-deactivating-term",), "stopping, ignores SIGTERM"),
    "reloading": (("rec-reloading",), "reloading, its ExecReload sleeps"),
    "queued": (("rec-queued",), "inactive with a start job that waits for another unit"),
    "socket-triggered": (
        ("rec-by-socket.service", "rec-by-socket.socket"),
        "inactive service, listening socket",
    ),
    "timer-triggered": (("rec-by-timer.service", "rec-by-timer.timer"), "inactive service, waiting timer"),
    "path-triggered": (("rec-by-path.service", "rec-by-path.path"), "inactive service, waiting path unit"),
    "several": (
        ("rec-running", "rec-no-such-unit", "rec-failed-exit", "rec-inactive"),
        "four units in one answer",
    ),
    "same-unit-twice": (("rec-running", "rec-alias"), "a unit and its alias in one question"),
    "bare-template": (
        ("rec-running", "rec-template@", "rec-failed-exit"),
        "a bare template aborts the answer",
    ),
    "glob": (("rec-failed-*",), "a glob matches units that were not meant"),
    "other-kinds": (
        ("-.mount", "multi-user.target", "dbus.socket", "system.slice"),
        "units that are no services",
    ),
}
"""Recording → units asked for, and what it shows."""
