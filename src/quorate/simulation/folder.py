"""The folder of a simulated cluster that is kept up: who may use it, and what lies in it."""

import contextlib
import fcntl
import os
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_OURS = ("cluster.yaml", "id_ed25519", "id_ed25519.pub", "known_hosts", "control", "lock")


class ServingError(Exception):
    """A cluster can't be kept up, or the one that is kept up can't be found; one sentence."""


def usual_folder() -> Path:
    """Return the folder that is used unless another is chosen: the user's own, the same every time."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and Path(runtime).is_dir():
        return Path(runtime) / "quorate-demo"
    return Path(tempfile.gettempdir()) / f"quorate-demo-{os.getuid()}"


@dataclass(frozen=True, slots=True)
class ServedFolder:
    """The folder of one cluster that is kept up."""

    path: Path

    @property
    def inventory(self) -> Path:
        """The inventory file."""
        return self.path / "cluster.yaml"

    @contextlib.contextmanager
    def socket(self) -> Iterator[str]:
        """Yield the path of the socket that is listened on, short enough for any folder.

        Source: unix(7): a socket's path has 107 bytes at most.
        """
        number = os.open(self.path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            yield f"/proc/self/fd/{number}/control"
        finally:
            os.close(number)

    def protect_socket(self) -> None:
        """Let nobody else ask for another scenario, should the folder be open to others."""
        (self.path / "control").chmod(0o600)

    def write_inventory(self, text: str) -> None:
        """Put the inventory in place at once, so that nobody reads half of it."""
        draft = self.path / ".cluster.yaml"
        draft.write_text(text)
        draft.replace(self.inventory)


@contextlib.contextmanager
def taken(path: Path) -> Iterator[ServedFolder]:
    """Make a folder ours alone for a cluster, and remove what was made at the end.

    ServingError where another cluster is kept up in it, or where others could put something in it.
    """
    path = path.absolute()
    made = _make(path)
    lock = os.open(path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            hint = "end that one first, or choose another --folder"
            raise ServingError(f"a simulated cluster is already served in {path}; {hint}") from None
        try:
            yield ServedFolder(path)
        finally:
            _remove(path, made=made)
    finally:
        os.close(lock)


def _make(path: Path) -> bool:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.mkdir(mode=0o700)
    except FileExistsError:
        _check(path)
        return (path / "lock").exists()  # left by a cluster that was killed
    except OSError as error:
        raise ServingError(
            f"the folder {path} can't be made: {error.strerror}; choose another --folder"
        ) from None
    return True


def _check(path: Path) -> None:
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode):
        raise ServingError(f"{path} is not a folder; choose another --folder")
    if found.st_uid != os.getuid():
        raise ServingError(f"the folder {path} belongs to another user; choose another --folder")
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise ServingError(f"others can write to the folder {path}; choose another --folder")


def _remove(path: Path, *, made: bool) -> None:
    with contextlib.suppress(OSError):  # who has removed it before us has done our work
        for password in (path / "passwords").glob("*"):
            password.unlink(missing_ok=True)
        (path / "passwords").rmdir()
    with contextlib.suppress(OSError):
        for name in _OURS:
            (path / name).unlink(missing_ok=True)
        if made:
            path.rmdir()
