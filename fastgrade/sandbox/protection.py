"""What protection this machine offers, and what would raise it."""

from __future__ import annotations

import functools
import os
import platform
import sys
from dataclasses import dataclass
from typing import Any

from fastgrade.sandbox import cgroups, namespaces, seccomp
from fastgrade.sandbox.landlock import landlock_abi
from fastgrade.sandbox.syscalls import calls
from fastgrade.settings import LEVELS

__all__ = ["Protection", "probe"]


@dataclass(frozen=True)
class Protection:
    """What protection this machine offers.

    Parameters
    ----------
    level : {"none", "rlimits", "sandbox", "namespaces"}
        The strongest level that works.
    fork : bool
        Whether processes can be forked.
    landlock : int
        Version of Landlock, 0 for none.
    seccomp : bool
        Whether system calls can be filtered.
    notify : bool
        Whether starting processes can be counted exactly.
    bubblewrap : bool
        Whether namespaces can be had through bubblewrap.
    root : bool
        Whether this is root, so that submissions get a user of their own.
    cgroups : str
        ``"v2"``, ``"v1"`` or ``""``: control groups that can be written.
    missing : tuple of str
        What is missing, each with what would bring it.
    """

    level: str
    fork: bool
    landlock: int
    seccomp: bool
    notify: bool
    bubblewrap: bool
    root: bool
    cgroups: str
    missing: tuple[str, ...]

    def reaches(self, level: str) -> bool:
        """Whether this is at least `level`.

        >>> Protection("rlimits", True, 0, False, False, False, False, "", ()).reaches("sandbox")
        False
        """
        return LEVELS.index(self.level) >= LEVELS.index(level)


@functools.cache
def probe() -> Protection:
    """Return what this machine offers and what would raise it."""
    linux = sys.platform == "linux"
    groups = cgroups.hierarchy() if linux else None
    found: dict[str, Any] = {
        "fork": hasattr(os, "fork") and sys.platform != "win32",
        "landlock": landlock_abi() if linux else 0,
        "seccomp": seccomp.available(),
        "notify": seccomp.available() and seccomp.notifies(),
        "bubblewrap": namespaces.available(),
        "root": hasattr(os, "geteuid") and os.geteuid() == 0,
        "cgroups": groups.version if groups else "",
    }
    if not (found["fork"] and linux):
        level = "none"
    elif not (found["landlock"] and found["seccomp"]) or _unkept(found["landlock"]):
        level = "rlimits"
    else:
        level = "namespaces" if found["bubblewrap"] else "sandbox"
    missing = _missing(found) if linux else [_OTHER_SYSTEM.format(platform.system())]
    return Protection(level=level, missing=tuple(missing), **found)


#: What Landlock does not govern below a version, each with the system calls that do it: the filter
#: has to refuse them there.
_GOVERNED = {
    3: ("truncation", ("truncate",)),
    4: ("connections", ("socket", "bind", "connect", "listen")),
    6: ("signals", ("kill", "tkill", "tgkill", "pidfd_send_signal", "rt_sigqueueinfo")),
}


def _unkept(version: int) -> list[str]:
    """Return what neither this version of Landlock nor the filter of system calls prevents."""
    allowed = {*calls("allowed"), *calls("pretended")}
    return [
        what
        for governed, (what, names) in _GOVERNED.items()
        if version < governed and allowed.intersection(names)
    ]


_OTHER_SYSTEM = (
    "Landlock and seccomp exist on Linux only, not on {}: grade in a Linux container or virtual "
    "machine."
)


def _missing(found: dict[str, Any]) -> list[str]:
    """Return what Linux does not offer here, each with what would bring it."""
    missing = []
    if not found["landlock"]:
        missing.append(
            "Landlock is not offered: Linux 5.13 or newer with 'landlock' among the active "
            "security modules (kernel parameter lsm=) brings it."
        )
    elif _unkept(found["landlock"]):
        missing.append(
            f"Landlock has version {found['landlock']}, and nothing keeps in "
            f"{', '.join(_unkept(found['landlock']))}: a newer kernel does."
        )
    elif found["landlock"] < 6:
        missing.append(
            f"Landlock has version {found['landlock']}; version 6 (Linux 6.12) would keep signals "
            "in a second time, beside the filter of system calls."
        )
    if not found["seccomp"]:
        missing.append(
            "System calls cannot be filtered: a kernel with CONFIG_SECCOMP_FILTER on x86_64 "
            "or aarch64, and a container runtime that allows seccomp(2), bring it."
        )
    elif not found["notify"]:
        missing.append(
            "New processes are bounded by RLIMIT_NPROC only: Linux 5.5 counts them exactly."
        )
    if not found["bubblewrap"]:
        missing.append(
            "Namespaces are not to be had: install bubblewrap, and allow unprivileged user "
            "namespaces or run as root outside of a container."
        )
    if not found["cgroups"]:
        missing.append(
            "Control groups cannot be made, so that memory and threads are counted ten times a "
            "second and processors are shared by all processes alike: run as root where "
            "/sys/fs/cgroup can be written, or as 'systemd-run --user --scope -p Delegate=yes "
            "fastgrade ...'."
        )
    return missing
