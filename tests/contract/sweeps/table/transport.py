"""Ways in which a host can't be asked, or not all of it, and those that look like it and are none."""

from sweeps.declared import HOSTS, SOON
from sweeps.situation import Changes, Expected, Situation, Step, critical, lost, ok, unknown
from sweeps.steps import (
    away,
    cut,
    drop,
    for_rocky,
    freeze,
    power_off,
    refuse_once,
    sh,
    sshd_config,
    unplug,
)

UNIT = "ftp/ftp/vsftpd"
SLOWLY = {"ftp": {"ssh": SOON}}
ADDRESS = HOSTS["ftp"]


def gone(
    name: str,
    simulated: str | None,
    verdict: Expected,
    *real: Step,
    hosts: Changes | None = None,
    why: str = "",
) -> Situation:
    """Return a situation in which ftp can't be asked; `simulated` is the manner of its simulated SSH."""
    return Situation(
        name=name,
        real=real,
        simulated=None if simulated is None else {"ftp": {"ssh": simulated}},
        why=why,
        hosts=hosts or {},
        expect=lost("ftp", verdict),
    )


def unasked(name: str, trouble: str, reason: str, *real: Step, hosts: Changes | None = None) -> Situation:
    """Return a situation in which ftp answers, but not what its units are."""
    return Situation(
        name=name,
        real=real,
        simulated={"ftp": {"trouble": {"systemctl": trouble}}},
        hosts=hosts or {},
        expect={UNIT: unknown(reason)},
    )


UNREACHABLE = (
    gone(
        "sshd-stopped",
        "refused",
        critical("host_unreachable"),
        sh("ftp", "systemctl stop ssh"),
    ),
    gone("host-cut-off", "silent", critical("host_unreachable"), cut("ftp"), hosts=SLOWLY),
    gone("host-unplugged", "silent", critical("host_unreachable"), unplug("ftp"), hosts=SLOWLY),
    gone("host-off", "silent", critical("host_unreachable"), power_off("ftp"), hosts=SLOWLY),
    gone("packets-to-the-host-lost", "silent", critical("host_unreachable"), drop("ftp", "in"), hosts=SLOWLY),
    gone(
        "packets-of-the-host-lost", "silent", critical("host_unreachable"), drop("ftp", "out"), hosts=SLOWLY
    ),
    Situation(
        name="refused-once",  # what comes at once is tried a second time
        real=(refuse_once("ftp"),),
        simulated={"ftp": {"ssh": "resets_once"}},
    ),
    Situation(
        name="name-unresolved",
        hosts={"ftp": {"address": "no-such-host.invalid"}},
        expect=lost("ftp", unknown("name_unresolved")),
    ),
)
"""Nobody there."""

MUTE = (
    gone("host-frozen", "mute", critical("ssh_unresponsive"), freeze("ftp"), hosts=SLOWLY),
    gone("sshd-frozen", "mute", critical("ssh_unresponsive"), sh("ftp", "pkill -STOP -x sshd"), hosts=SLOWLY),
    gone(
        "login-never-ends",
        "endless_login",
        critical("ssh_unresponsive"),
        sh("ftp", "sed -i '1i account required pam_exec.so /bin/sleep 600' /etc/pam.d/sshd"),
        hosts=SLOWLY,
    ),
)
"""Somebody there, who says nothing."""

KEYS = (
    gone(
        "host-key-changed",
        "other_key",
        critical("host_key_changed"),
        sh("ftp", "cd /etc/ssh; rm ssh_host_*; ssh-keygen -A >/dev/null; systemctl restart ssh"),
    ),
    gone(
        "host-key-of-another-algorithm",
        "other_algorithm",
        critical("host_key_changed"),
        sh("ftp", "cd /etc/ssh; rm ssh_host_*; ssh-keygen -q -t rsa -N '' -f ssh_host_rsa_key"),
        sshd_config("ftp", "HostKey /etc/ssh/ssh_host_rsa_key"),
    ),
    gone(
        "host-key-unknown",
        "unknown_key",
        unknown("host_key_unknown"),
        lambda lane: lane.known_hosts("known_hosts.others", without=ADDRESS),
        hosts={"ftp": {"ssh": {"known_hosts": "{folder}/known_hosts.others"}}},
    ),
    Situation(
        name="one-known-host-key-of-two-is-enough",
        real=(sh("ftp", "rm /etc/ssh/ssh_host_ed25519_key*"), sshd_config("ftp")),
        simulated=None,
        why="its hosts have one key each",
    ),
)
"""Host keys."""

LOGIN = (
    gone(
        "auth-refused",
        "auth_refused",
        unknown("ssh_auth_failed"),
        sh("ftp", "rm /home/rocky/.ssh/authorized_keys"),
    ),
    gone("run-nologin", "nologin", unknown("login_closed"), sh("ftp", "echo Maintenance. > /run/nologin")),
    gone(
        "shell-is-nologin",
        "no_shell",
        unknown("login_closed"),
        sh("ftp", "usermod -s /usr/sbin/nologin rocky"),
    ),
    gone(
        # sshd refuses such a user before it looks at a key, so that nobody can tell it from a wrong key.
        "shell-is-missing",
        "auth_refused",
        unknown("ssh_auth_failed"),
        sh("ftp", "usermod -s /usr/bin/no-such-shell rocky"),
    ),
    gone(
        "shell-says-nothing",
        None,
        unknown("login_closed"),
        sh("ftp", "usermod -s /bin/false rocky"),
        why="no_shell comes closest, and stands for nologin(8)",
    ),
    gone("account-expired", "nologin", unknown("login_closed"), sh("ftp", "chage -E 0 rocky")),
    gone("no-sessions", "no_session", unknown("login_closed"), sshd_config("ftp", "MaxSessions 0")),
    gone(
        "login-script-exits",
        "no_shell",
        unknown("login_closed"),
        sh("ftp", "printf 'echo This host is closed.\\nexit 1\\n' > /home/rocky/.bashrc"),
    ),
    Situation(
        name="banner-and-noise",
        real=(
            sh(
                "ftp",
                "printf 'Authorised users only.\\nAll is logged.\\n' > /etc/ssh/banner; "
                "printf 'echo ActiveState=failed\\necho; echo Id=vsftpd.service\\necho oops >&2\\n"
                "uptime\\nexport LANG=de_DE.UTF-8 SYSTEMD_COLORS=1 PAGER=less\\n' > /home/rocky/.bashrc",
            ),
            sshd_config("ftp", "Banner /etc/ssh/banner"),
        ),
        simulated={
            "ftp": {
                "banner": "Authorised users only.\nAll is logged.\n",
                "noise": "ActiveState=failed\n\nId=vsftpd.service\n",
            }
        },
    ),
)
"""Logins."""

KILLS_ITS_SESSION = """
pid=$$
while [ "$(ps -o comm= -p "$pid")" != sshd ]; do pid=$(ps -o ppid= -p "$pid" | tr -d ' '); done
printf 'Type=simple\\nActiveState=act'
kill -KILL "$pid"
sleep 60
"""
QUESTIONS = (
    Situation(
        name="connection-lost-while-asking",
        real=(for_rocky("ftp", "systemctl", KILLS_ITS_SESSION),),
        simulated={"ftp": {"trouble": {"systemctl": "loses_connection"}}},
        expect=lost("ftp", unknown("connection_lost")),
    ),
    unasked("systemctl-missing", "missing", "tool_missing", away("ftp", "systemctl")),
    unasked(
        "systemctl-not-executable",
        "not_executable",
        "tool_missing",
        away("ftp", "systemctl"),
        sh("ftp", "touch /usr/bin/systemctl"),
    ),
    unasked(
        "no-system-bus", "no_bus", "no_systemd", sh("ftp", "mv /run/dbus/system_bus_socket /run/dbus/away")
    ),
    unasked(
        "systemctl-hangs",
        "hangs",
        "command_timeout",
        for_rocky("ftp", "systemctl", "exec sleep 600"),
        hosts={"ftp": {"ssh": {"command_timeout": "2s"}}},
    ),
    Situation(
        name="time-of-the-host-is-over",  # before that of the question; little is left for its journal
        real=(for_rocky("ftp", "systemctl", "exec sleep 600"),),
        simulated={"ftp": {"trouble": {"systemctl": "hangs"}}},
        hosts={"ftp": {"ssh": {"host_timeout": "4s"}}},
        expect={UNIT: unknown("command_timeout")},
        logs=None,
    ),
    unasked(
        "systemctl-dribbles",
        "dribbles",
        "command_timeout",
        for_rocky("ftp", "systemctl", "while :; do printf .; sleep 0.2; done"),
        hosts={"ftp": {"ssh": {"command_timeout": "2s"}}},
    ),
    unasked(
        "systemctl-unparsable",
        "garbage",
        "unparsable",
        for_rocky("ftp", "systemctl", "head -c 300 /bin/sh"),
    ),
    unasked("systemctl-says-nothing", "says_nothing", "no_answer", for_rocky("ftp", "systemctl", "exit 0")),
    unasked(
        "systemctl-floods",
        "floods",
        "unparsable",
        for_rocky("ftp", "systemctl", "exec yes a line that says nothing"),
    ),
    Situation(
        name="a-question-hangs-and-the-others-do-not",
        real=(for_rocky("nfs-2", "ip", "exec sleep 600"),),
        simulated={"nfs-2": {"trouble": {"ip": "hangs"}}},
        hosts={"nfs-2": {"ssh": {"command_timeout": "2s"}}},
        expect={"nfs/vip": ok("uniqueness_unproven")},
    ),
)
"""Hosts that answer, though not all of what they are asked."""

JUMPED = {"ftp": {"ssh": {"jump": "haproxy-2"}}}
JUMPS = (
    Situation(name="jump-host", hosts=JUMPED),
    Situation(
        name="jump-host-stopped",
        real=(sh("haproxy-2", "systemctl stop ssh"),),
        simulated={"haproxy-2": {"ssh": "refused"}},
        hosts=JUMPED,
        expect={
            **lost("haproxy-2", critical("host_unreachable")),
            "haproxy/vip": ok("uniqueness_unproven"),
            **lost("ftp", unknown("jump_host_failed", by="host/haproxy-2")),
        },
    ),
    Situation(
        name="jump-host-frozen",
        real=(freeze("haproxy-2"),),
        simulated={"haproxy-2": {"ssh": "mute"}},
        hosts={**JUMPED, "haproxy-2": {"ssh": SOON}},
        expect={
            **lost("haproxy-2", critical("ssh_unresponsive")),
            "haproxy/vip": ok("uniqueness_unproven"),
            **lost("ftp", unknown("jump_host_failed", by="host/haproxy-2")),
        },
    ),
    Situation(
        name="host-behind-a-jump-host-stopped",
        real=(sh("ftp", "systemctl stop ssh"),),
        simulated={"ftp": {"ssh": "refused"}},
        hosts=JUMPED,
        expect=lost("ftp", critical("host_unreachable")),
    ),
    Situation(
        name="jump-host-forbids-it",
        real=(sshd_config("haproxy-2", "AllowTcpForwarding no"),),
        simulated=None,
        why="its hosts forward for everyone",
        hosts=JUMPED,
        expect=lost("ftp", unknown("jump_host_failed")),
    ),
)
"""Through another host."""

TRANSPORT = (*UNREACHABLE, *MUTE, *KEYS, *LOGIN, *QUESTIONS, *JUMPS)
