"""The one root file system of all hosts of the cluster."""

from pathlib import Path

from lab.spec import RootfsSpec

REQUIREMENTS = Path(__file__).resolve().parents[2] / "requirements" / "lab.txt"
ROOTFS = RootfsSpec(
    disabled=(
        "epmd.service",
        "epmd.socket",
        "etcd",
        "haproxy",
        "keepalived",
        "nfs-client.target",
        "nfs-ganesha",
        "patroni",
        "postgresql",
        "rabbitmq-server",
        "rpcbind.service",
        "rpcbind.socket",
        "rsync",
        "vsftpd",
    ),
    requirements=REQUIREMENTS,
).with_packages(
    "curl",
    "etcd-client",
    "etcd-server",
    "haproxy",
    "iputils-ping",
    "keepalived",
    "libfaketime",
    "libnfs-utils",
    "lsyncd",
    "nfs-ganesha",
    "nfs-ganesha-vfs",
    "patroni",
    "postgresql",
    "python3-venv",
    "rabbitmq-server",
    "rsync",
    "socat",
    "sshfs",
    "vsftpd",
)
