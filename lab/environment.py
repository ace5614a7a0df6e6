"""Airflow for the machines: a virtual environment in a root file system, from hashed requirements."""

import importlib.util
import json
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

from packaging.markers import Marker

from lab.command import LabError, run

PLACE = "opt/airflow"
ROOT = Path(__file__).resolve().parent.parent
CHROOT = ("unshare", "--mount", "--pid", "--mount-proc", "--net", "--fork", "--kill-child", "chroot")
"""Runs a program of a root file system, without network: what it needs is there already."""


MARKERS = (
    "import json; from pip._vendor.packaging import markers as m; print(json.dumps(m.default_environment()))"
)


def install(requirements: Path, rootfs: Path, lock: int) -> None:
    """Install compiled requirements into /opt/airflow of a root file system.

    They are fetched from out here, where this machine's settings for its registries are, as wheels for the
    Python over there; a package that has no wheel for it is an error.
    """
    inside = [*CHROOT, str(rootfs), f"/{PLACE}/bin/python"]
    run([*CHROOT, str(rootfs), "python3", "-m", "venv", f"/{PLACE}"], timeout=60, keep_open=(lock,))
    markers: dict[str, str] = json.loads(run([*inside, "-c", MARKERS]))
    (rootfs / "opt/requirements.txt").write_text(
        without_markers(requirements.read_text(encoding="utf-8"), markers), encoding="utf-8"
    )
    wheels = rootfs / "opt/wheels"
    tag = "cp" + markers["python_version"].replace(".", "")
    # A compiled file names everything; pip must not look for dependencies, whose extras carry no hash.
    exact = ["--quiet", "--no-deps", "--require-hashes"]
    target = [f"--python-version={markers['python_version']}", "--implementation=cp", f"--abi={tag}"]
    # Wheels of the stable ABI and of no ABI are named by these.
    target += ["--abi=abi3", "--abi=none", *(f"--platform={name}" for name in platforms())]
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--only-binary=:all:"]
    listed = str(rootfs / "opt/requirements.txt")
    run([*pip, *exact, f"--dest={wheels}", *target, "-r", listed], timeout=600, keep_open=(lock,))
    offline = ["-m", "pip", "install", "--no-index", "--find-links=/opt/wheels"]
    run([*inside, *offline, *exact, "-r", "/opt/requirements.txt"], timeout=600, keep_open=(lock,))
    shutil.rmtree(wheels)


def without_markers(compiled: str, environment: Mapping[str, str]) -> str:
    """Return the part of a compiled requirements file that is for one environment, with its hashes.

    pip decides by the interpreter that it runs in, which out here is another one than over there.
    """
    blocks = re.findall(
        r"^(\S+==\S+)(?: ; ([^\\\n]+?))? \\\n((?:    --hash=\S+(?: \\)?\n)+)", compiled, re.MULTILINE
    )
    wanted = [b for b in blocks if not b[1] or Marker(b[1]).evaluate(dict(environment))]
    return "".join(f"{name} \\\n{hashes}" for name, _, hashes in wanted)


def platforms() -> list[str]:
    """Return the platform tags that wheels for Debian on this processor may have, newest first."""
    machine = run(["uname", "-m"]).strip()
    manylinux = [f"manylinux_2_{minor}_{machine}" for minor in range(36, 16, -1)]
    return [*manylinux, f"manylinux2014_{machine}", f"linux_{machine}"]


def install_quorate(rootfs: Path, upper: Path, built: Path) -> None:
    """Put quorate, built as a wheel, beside Airflow in a machine's own layer, with its entry points."""
    site = next((rootfs / PLACE / "lib").glob("python3.*/site-packages"), None)
    if site is None:
        raise LabError(f"the root file system {rootfs} has no Airflow in /{PLACE}")
    with zipfile.ZipFile(built) as archive:
        archive.extractall(upper / site.relative_to(rootfs))
    command = upper / PLACE / "bin/quorate"
    command.parent.mkdir(parents=True, exist_ok=True)
    command.write_text(f'#!/bin/sh\nexec /{PLACE}/bin/python -m quorate "$@"\n', encoding="ascii")
    command.chmod(0o755)


def wheel(folder: Path) -> Path:
    """Build this checkout into a wheel in a folder; return the wheel."""
    if importlib.util.find_spec("hatchling") is None:
        raise LabError("hatchling is not installed here: `make lab-up` installs what the lab needs")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LabError(f"this checkout could not be built: {done.stderr.strip().splitlines()[-1]}")
    return next(folder.glob("quorate-*.whl"))
