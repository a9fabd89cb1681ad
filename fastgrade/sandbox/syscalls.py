"""System calls by name, on the machines whose numbers are known here."""

from __future__ import annotations

import ctypes
import errno
import functools
import json
import os
import platform
import struct
import sys
from pathlib import Path

from warmfork import processes

__all__ = ["ARCHITECTURES", "TABLE", "architecture", "calls", "number", "syscall"]

#: As seccomp names them, in the order of the numbers in the table.
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
TABLE = Path(__file__).with_name("calls.json")


@functools.cache
def calls(kind: str) -> dict[str, tuple[int | None, ...]]:
    """Return the numbers of calls on each architecture; None where one does not exist.

    Parameters
    ----------
    kind : {"allowed", "pretended", "refused"}
        What becomes of them in the sandbox; what is not in the table is refused, too.
    """
    table = json.loads(TABLE.read_text(encoding="ascii"))
    return {name: tuple(numbers) for name, numbers in table[kind].items()}


def architecture() -> int | None:
    """Return this machine's architecture as seccomp names it; None if its numbers are not known."""
    known = ARCHITECTURES.get(platform.machine())
    return known if sys.platform == "linux" and struct.calcsize("P") == 8 else None


@functools.cache
def number(name: str) -> int | None:
    """Return the number of a call of the table on this machine; None where it does not exist."""
    if architecture() is None:
        return None
    column = list(ARCHITECTURES).index(platform.machine())
    return {**calls("allowed"), **calls("pretended"), **calls("refused")}[name][column]


def syscall(name: str, *args: object) -> int:
    """Make a call and return its result.

    Raises
    ------
    OSError
        If it fails or does not exist.
    """
    found = number(name)
    if found is None:
        raise OSError(errno.ENOSYS, name)
    converted = [ctypes.c_long(arg) if isinstance(arg, int) else arg for arg in args]
    result = processes.libc().syscall(ctypes.c_long(found), *converted)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")
    return result
