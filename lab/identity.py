"""What makes a machine itself: machine-id, host keys, host name, and who may log in."""

import os
import shutil
import uuid
from collections.abc import Mapping
from pathlib import Path

from lab.command import LabError, run
from lab.rootfs import USER
from lab.spec import File, HostSpec, unit_file

KEY_TYPES = ("ed25519", "ecdsa")


def new_key(key: Path) -> Path:
    """Make a key that somebody logs in with, and return its private file."""
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "quorate-lab", "-f", str(key)])
    return key


def prepare(
    upper: Path, spec: HostSpec, *, rootfs: Path, hosts: Mapping[str, str], client: Path
) -> list[str]:
    """Write into a machine's layer what tells it from the others, and return its public host keys."""
    upper.mkdir(mode=0o755, parents=True, exist_ok=True)
    names = "".join(f"{address} {name}\n" for name, address in hosts.items())
    put(upper, "/etc/machine-id", f"{uuid.uuid4().hex}\n", mode=0o444)
    put(upper, "/etc/hostname", f"{spec.name}\n")
    put(upper, "/etc/hosts", f"127.0.0.1 localhost\n::1 localhost\n{names}")
    keys = []
    for kind in KEY_TYPES:
        path = upper / f"etc/ssh/ssh_host_{kind}_key"
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", f"root@{spec.name}", "-f", str(path)])
        keys.append(" ".join(path.with_suffix(".pub").read_text(encoding="ascii").split()[:2]))
    install_user(upper, rootfs, client)
    install_units(upper, spec)
    for place, file in spec.files.items():
        install_file(upper, place, file if isinstance(file, File) else File(text=file), rootfs)
    return keys


def install_file(upper: Path, path: str, file: File, rootfs: Path) -> None:
    """Write a file with its mode and its owner, who has the new folders on the way to it too."""
    user = user_of(rootfs, file.owner)
    target = upper / path.lstrip("/")
    made = [folder for folder in target.parents if not folder.exists() and folder.is_relative_to(upper)]
    put(upper, path, file.text, mode=file.mode)
    for each in (target, *made):
        original = rootfs / each.relative_to(upper)
        if each is not target and original.is_dir():  # the overlay shows this folder in its place
            shutil.copystat(original, each)
            os.chown(each, original.stat().st_uid, original.stat().st_gid)
        else:
            os.chown(each, *user)


def user_of(rootfs: Path, name: str) -> tuple[int, int]:
    """Return the numbers of a user of a root file system and of its group. Source: passwd(5)."""
    for line in (rootfs / "etc/passwd").read_text(encoding="utf-8").splitlines():
        fields = line.split(":")
        if fields[0] == name:
            return int(fields[2]), int(fields[3])
    raise LabError(f"the root file system {rootfs} has no user {name}")


def install_root_key(upper: Path, key: Path, known: str) -> None:
    """Let root of a host log in as root on the others that have this key, and know the keys of all hosts."""
    put(upper, "/root/.ssh/id_ed25519", key.read_text(encoding="ascii"), mode=0o600)
    put(upper, "/root/.ssh/authorized_keys", key.with_suffix(".pub").read_text(encoding="ascii"), mode=0o600)
    (upper / "root").chmod(0o700)
    (upper / "root/.ssh").chmod(0o700)
    put(upper, "/etc/ssh/ssh_known_hosts", known)


def enable(upper: Path, unit: str) -> None:
    """Let a unit of a package start at boot."""
    link = upper / "etc/systemd/system/multi-user.target.wants" / unit_file(unit)
    link.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(f"/lib/systemd/system/{unit_file(unit)}")


def install_user(upper: Path, rootfs: Path, client: Path) -> None:
    """Let the monitor's key log in as the plain user; the user itself is in the root file system."""
    home = rootfs / "home" / USER
    copy = upper / "home" / USER
    copy.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    copy.mkdir(exist_ok=True)
    shutil.copystat(home, copy)
    ssh = copy / ".ssh"
    ssh.mkdir(mode=0o700, exist_ok=True)
    keys = ssh / "authorized_keys"
    shutil.copyfile(client.with_suffix(".pub"), keys)
    keys.chmod(0o600)
    owner = home.stat()
    for path in (copy, ssh, keys):
        os.chown(path, owner.st_uid, owner.st_gid)


def install_units(upper: Path, spec: HostSpec) -> None:
    """Write the host's units, and enable those that start at boot."""
    folder = "/etc/systemd/system"
    stopped = {unit_file(name) for name in spec.stopped}
    for name, text in spec.units.items():
        file = unit_file(name)
        put(upper, f"{folder}/{file}", text)
        if file not in stopped:
            link = upper / f"{folder[1:]}/multi-user.target.wants" / file
            link.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            link.symlink_to(f"{folder}/{file}")
    for name in spec.enabled:
        enable(upper, name)


def put(upper: Path, path: str, text: str, *, mode: int = 0o644) -> None:
    """Write a file of the machine before it boots."""
    target = upper / path.lstrip("/")
    target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    target.chmod(mode)
