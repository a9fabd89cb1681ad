"""Namespaces: bubblewrap puts a warm process into its own, and each submission gets more.

The warm process has no network, and sees of the file system what student code may read, without a
way to change it. Each fork then has processes and IPC of its own, ``/proc`` shows these alone, and
its folder lies in memory: a tmpfs of a limited size, in which the kernel counts all files, also
those without a name.
"""

from __future__ import annotations

import contextlib
import functools
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from fastgrade.sandbox.workdir import MOST_FILES
from warmfork import isolation

__all__ = ["available", "bubblewrap", "own_folder", "show_only"]

_READ_ONLY, _NO_SUID, _NO_DEVICES, _NO_EXEC, _REMOUNT, _BIND, _ALL = 1, 2, 4, 8, 32, 4096, 16384
_PRIVATE = 1 << 18


def bubblewrap() -> list[str]:
    """Return the command that starts a program in namespaces of its own.

    It keeps all rights over these: it makes a further namespace for each submission, and lets the
    submission have no right at all.
    """
    command = ["bwrap", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts"]
    command += ["--unshare-cgroup-try", "--dev-bind", "/", "/", "--proc", "/proc"]
    if os.geteuid() != 0:
        command += ["--unshare-user"]
    return [*command, "--cap-add", "ALL"]


@functools.cache
def available() -> bool:
    """Return whether bubblewrap is installed and what it starts can make namespaces."""
    if sys.platform != "linux" or shutil.which("bwrap") is None:
        return False
    probe = "import sys; sys.path[:] = sys.argv[1:]; from warmfork import isolation as i;"
    probe += " sys.exit(not i.is_possible())"
    paths = [path for path in sys.path if path]
    try:
        done = subprocess.run(
            [*bubblewrap(), sys.executable, "-sP", "-c", probe, *paths],
            capture_output=True,
            timeout=20,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def own_folder(folder: str, size: int, owner: int | None, hidden: str) -> None:
    """Give this process its own IPC, its own ``/proc``, and a folder of limited size.

    What lies in the folder already is copied; the folders beside it are out of sight.

    Parameters
    ----------
    folder : str
        The folder, below `hidden`.
    size : int
        Bytes that may be written into it.
    owner : int, optional
        User and group that everything in it shall belong to.
    hidden : str
        The folder that holds those of all submissions.

    Raises
    ------
    OSError
        If the system refuses.
    """
    isolation.unshare(isolation.NEW_MOUNTS | isolation.NEW_IPC)
    isolation.mount("none", "/", flags=_ALL | _PRIVATE)
    isolation.mount("proc", "/proc", "proc", _NO_SUID | _NO_DEVICES | _NO_EXEC)
    before = os.open(folder, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        options = f"mode=711,size={size},nr_inodes={MOST_FILES}"
        isolation.mount("tmpfs", hidden, "tmpfs", _NO_SUID | _NO_DEVICES, options)
        os.mkdir(folder, 0o700)
        source = f"/proc/self/fd/{before}"
        if os.listdir(source):
            shutil.copytree(source, folder, symlinks=True, dirs_exist_ok=True)
    finally:
        os.close(before)
    if owner is not None:
        for root, folders, names in os.walk(folder):
            for name in ("", *folders, *names):
                os.chown(os.path.join(root, name), owner, owner, follow_symlinks=False)


def show_only(paths: Iterable[str], names: Iterable[str], writable: str) -> None:
    """Leave nothing in sight of this process and its forks but some files and folders.

    Parameters
    ----------
    paths : iterable of str
        Files and folders; they cannot be changed.
    names : iterable of str
        Other names of theirs, whose links are kept.
    writable : str
        A folder that can be changed.

    Raises
    ------
    OSError
        If the system refuses.
    """
    isolation.unshare(isolation.NEW_MOUNTS)
    isolation.mount("none", "/", flags=_ALL | _PRIVATE)
    root = tempfile.mkdtemp(dir=writable)
    isolation.mount("tmpfs", root, "tmpfs", _NO_SUID | _NO_DEVICES, "mode=755,size=8m")
    for path in sorted(paths):
        target = root + path
        if os.path.isdir(path):
            os.makedirs(target, exist_ok=True)
        else:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            Path(target).touch()
        isolation.mount(path, target, flags=_BIND)
        devices = 0 if path.startswith("/dev/") else _NO_DEVICES
        flags = _REMOUNT | _BIND | _READ_ONLY | _NO_SUID | devices
        with contextlib.suppress(PermissionError):  # of what the owner of the machine has locked
            isolation.mount("none", target, flags=flags)
    for name in names:
        _keep_links(name, root)
    # Programs look for these; without a right to write there they are told why they fail.
    for path in ("/tmp", "/dev/shm", "/etc"):
        os.makedirs(root + path, exist_ok=True)
    for path in (writable, "/proc"):
        os.makedirs(root + path, exist_ok=True)
        isolation.mount(path, root + path, flags=_BIND | _ALL)
    os.chroot(root)
    os.chdir("/")


def _keep_links(name: str, root: str) -> None:
    for path in (*reversed(Path(name).parents), Path(name)):
        target = root + str(path)
        if path.is_symlink() and not os.path.lexists(target):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            os.symlink(os.readlink(path), target)
