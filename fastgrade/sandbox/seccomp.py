"""Seccomp: which system calls an answer may make.

Sockets, signals to others, tracing, new programs, new sessions, namespaces and the rest of what an
answer never needs are refused. Starting a process is asked of a supervisor, who counts (`Forks`).
"""

from __future__ import annotations

import ctypes
import errno
import functools
import os
import socket
import struct

from fastgrade.sandbox.syscalls import CALLS, machine, number, syscall
from warmfork import processes

try:
    import fcntl
except ImportError:  # Windows, where nothing is filtered
    fcntl = None  # type: ignore[assignment]

__all__ = ["Forks", "available", "install", "notifies", "program"]

_NEWEST = 463  # calls that did not exist when this list was made do not exist for an answer

#: Pretended to succeed: Landlock does not govern them, and copying a file in Python makes them.
_IGNORED = (
    *("chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "fchown", "lchown", "fchownat"),
    *("utime", "utimes", "futimesat", "utimensat", "setxattr", "lsetxattr", "fsetxattr"),
    *("removexattr", "lremovexattr", "fremovexattr", "sync", "syncfs"),
)
_OURS = ("landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self")
_PR_SET_DUMPABLE, _PR_SET_SECCOMP = 4, 22

_LOAD, _EQUAL, _ABOVE, _ANY_BIT, _AND, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x54, 0x06
_ALLOW, _KILL, _ASK, _ERRNO = 0x7FFF0000, 0x80000000, 0x7FC00000, 0x00050000
_CLONE_THREAD, _CLONE_NEW = 0x00010000, 0x7E020000
_AT_NUMBER, _AT_ARCH, _AT_ARGS = 0, 4, 16


@functools.cache
def available() -> bool:
    """Whether system calls can be filtered."""
    return machine() is not None and _has_action(_ERRNO)


@functools.cache
def notifies() -> bool:
    """Whether a supervisor can be asked, so that new processes are counted exactly."""
    return _has_action(_ASK)


def _has_action(action: int) -> bool:
    try:
        syscall("seccomp", 2, 0, struct.pack("I", action))
    except OSError:
        return False
    return True


_Instruction = tuple[int, int, int, int]  # operation, jump if true, jump if false, operand


def _refuse(error: int = errno.EPERM) -> _Instruction:
    return (_RETURN, 0, 0, _ERRNO | error)


def _argument(index: int) -> _Instruction:
    return (_LOAD, 0, 0, _AT_ARGS + 8 * index)


_ALLOWED: _Instruction = (_RETURN, 0, 0, _ALLOW)


def _conditional(fork: _Instruction) -> dict[str, list[_Instruction]]:
    """Return what is done about the calls that are allowed with some arguments only."""
    itself = [_argument(0), (_EQUAL, 0, 1, 0), _ALLOWED, _refuse()]
    return {
        "clone": [
            _argument(0),
            (_ANY_BIT, 0, 1, _CLONE_NEW),
            _refuse(),
            (_ANY_BIT, 0, 1, _CLONE_THREAD),
            _ALLOWED,
            fork,
        ],
        "clone3": [_refuse(errno.ENOSYS)],  # the C library then uses clone
        "fork": [fork],
        "vfork": [fork],
        # Datagram sockets, even paired ones, could still write to any named socket.
        "socketpair": [
            _argument(0),
            (_EQUAL, 1, 0, socket.AF_UNIX),
            _refuse(),
            _argument(1),
            (_AND, 0, 0, 0xF),
            (_EQUAL, 0, 1, socket.SOCK_STREAM),
            _ALLOWED,
            _refuse(),
        ],
        "prlimit64": itself,
        "sched_setaffinity": itself,
        "prctl": [
            _argument(0),
            (_EQUAL, 2, 0, processes.PR_SET_PDEATHSIG),
            (_EQUAL, 1, 0, _PR_SET_DUMPABLE),  # who is not, hides what it shares of its memory
            (_EQUAL, 0, 1, _PR_SET_SECCOMP),
            _refuse(),
            _ALLOWED,
        ],
        "ioctl": [
            _argument(1),
            (_EQUAL, 1, 0, 0x5412),  # TIOCSTI: type into a terminal
            (_EQUAL, 0, 1, 0x541C),  # TIOCLINUX
            _refuse(),
            _ALLOWED,
        ],
    }


@functools.cache
def program(supervised: bool, forks: bool) -> bytes:
    """Return the filter as BPF instructions.

    Parameters
    ----------
    supervised : bool
        Whether a supervisor is asked before a process is started.
    forks : bool
        Whether any may be started.
    """
    known = machine()
    assert known is not None
    asked = (_RETURN, 0, 0, _ASK) if supervised else _ALLOWED
    rules = _conditional(asked if forks else _refuse(errno.EAGAIN))
    for name in CALLS:
        if name in _IGNORED:
            rules[name] = [_refuse(0)]
        elif name not in _OURS:
            rules.setdefault(name, [_refuse()])
    code = [
        (_LOAD, 0, 0, _AT_ARCH),
        (_EQUAL, 1, 0, known[0]),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _AT_NUMBER),
        (_ABOVE, 0, 1, _NEWEST),  # the x32 calls are above too
        _refuse(errno.ENOSYS),
    ]
    for name, body in rules.items():
        found = number(name)
        if found is not None:
            code += [(_EQUAL, 0, len(body), found), *body]
    code.append(_ALLOWED)
    return b"".join(struct.pack("HBBI", *instruction) for instruction in code)


def install(forks: bool) -> int | None:
    """Filter this process's calls for good; return the descriptor that asks for forks, if any.

    Raises
    ------
    OSError
        If the system refuses.
    """
    supervised = notifies() and forks
    code = program(supervised, forks)
    buffer = ctypes.create_string_buffer(code, len(code))
    head = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(buffer))
    result = syscall("seccomp", 1, 1 << 3 if supervised else 0, head)
    return result if supervised else None


class Forks:
    """The supervisor's end of seccomp: grants a number of new processes, then refuses.

    Parameters
    ----------
    descriptor : int
        The listener that the confined process sent; closed by `close`.
    allowance : int
        How many processes may be started.
    """

    _RECEIVE, _SEND = 0xC0502100, 0xC0182101

    def __init__(self, descriptor: int, allowance: int):
        self.descriptor = descriptor
        self.allowance = allowance
        self.granted = 0
        self.refused = 0

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self.descriptor

    def answer(self) -> None:
        """Answer one request."""
        request = bytearray(80)
        try:
            fcntl.ioctl(self.descriptor, self._RECEIVE, request)
        except OSError:
            return  # the process was ended while it asked
        identity = struct.unpack_from("Q", request)[0]
        if self.granted < self.allowance:
            self.granted += 1
            reply = struct.pack("QqiI", identity, 0, 0, 1)
        else:
            self.refused += 1
            reply = struct.pack("QqiI", identity, 0, -errno.EAGAIN, 0)
        try:
            fcntl.ioctl(self.descriptor, self._SEND, bytearray(reply))
        except OSError:
            return

    def close(self) -> None:
        """Stop answering: from now on no process of the submission can start another."""
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1
