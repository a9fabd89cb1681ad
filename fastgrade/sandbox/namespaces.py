"""Namespaces of processes, network, IPC and host name for a warm process, through bubblewrap."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys

__all__ = ["available", "bubblewrap"]


def bubblewrap() -> list[str]:
    """Return the command that starts a program in namespaces of its own.

    The file system is seen as it is, since Landlock says what of it can be used; processes,
    network, IPC and host name are private.
    """
    command = ["bwrap", "--unshare-pid", "--unshare-net", "--unshare-ipc"]
    command += ["--unshare-uts", "--unshare-cgroup-try", "--dev-bind", "/", "/", "--proc", "/proc"]
    if os.geteuid() == 0:
        # Root keeps the right to become another user, to hand its folder over to it, and to see
        # what that one shares with others of its memory.
        for capability in ("SETUID", "SETGID", "CHOWN", "DAC_READ_SEARCH", "KILL", "SYS_PTRACE"):
            command += ["--cap-add", f"CAP_{capability}"]
    return command


@functools.cache
def available() -> bool:
    """Return whether bubblewrap is installed and works here."""
    if sys.platform != "linux" or shutil.which("bwrap") is None:
        return False
    try:
        done = subprocess.run([*bubblewrap(), "true"], capture_output=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
