"""Seccomp: which system calls an answer may make.

What NumPy, pandas, matplotlib, scikit-learn and this course need is allowed, everything else is
refused, be it older or newer than the list (``calls.json``, recorded by
``tests/fastgrade/sandbox/record_calls.py``). Starting a process is asked of a supervisor, who
counts (`Forks`). What would be a channel from one submission to another is pretended or refused:
locks on files that everybody reads, and what the machine has left of memory and disk.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import functools
import os
import socket
import struct
from collections.abc import Iterator, Sequence

from fastgrade.sandbox.syscalls import architecture, calls, number, syscall
from warmfork import processes

try:
    import fcntl
except ImportError:  # Windows, where nothing is filtered
    fcntl = None  # type: ignore[assignment]

__all__ = ["Forks", "available", "install", "keep_descriptors", "notifies", "program"]

_PR_GET_DUMPABLE, _PR_SET_SECCOMP, _PR_SET_NAME, _PR_GET_NAME = 3, 22, 15, 16
_PR_SET_VMA = 0x53564D41
_ACCESS_MODE, _O_TRUNC, _O_ASYNC = 0o3, 0o1000, 0o20000
_LOCKS = (5, 6, 7, 36, 37, 38)
#: Of fcntl: descriptors, flags, the size of a pipe and seals; no leases, owners and signals.
_FCNTL = (0, 1, 2, 3, 1030, 1032, 1033, 1034)
#: Of ioctl: what is a terminal, how large it is, how much can be read, descriptors.
_IOCTL = (0x5401, 0x5413, 0x541B, 0x5421, 0x5450, 0x5451)

_LOAD, _EQUAL, _ABOVE, _ANY_BIT, _AND, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x54, 0x06
_ALLOW, _KILL, _ASK, _ERRNO = 0x7FFF0000, 0x80000000, 0x7FC00000, 0x00050000
_CLONE_THREAD, _CLONE_NEW = 0x00010000, 0x7E020000
_AT_NUMBER, _AT_ARCH, _AT_ARGS = 0, 4, 16


@functools.cache
def available() -> bool:
    """Whether system calls can be filtered."""
    return architecture() is not None and _has_action(_ERRNO)


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
_PRETENDED: _Instruction = (_RETURN, 0, 0, _ERRNO)


def _one_of(values: Sequence[int], then: _Instruction) -> list[_Instruction]:
    """Return what is done if the argument in question is one of some values."""
    code: list[_Instruction] = []
    for value in values:
        code += [(_EQUAL, 0, 1, value), then]
    return code


def _opening(flags: int) -> list[_Instruction]:
    """Return the rule for a file that is opened: to empty it needs the right to write."""
    return [
        _argument(flags),
        (_AND, 0, 0, _O_TRUNC | _ACCESS_MODE),
        (_EQUAL, 0, 1, _O_TRUNC | os.O_RDONLY),
        _refuse(),
        _ALLOWED,
    ]


def _conditional(fork: _Instruction) -> dict[str, list[_Instruction]]:
    """Return what is done about the calls that are allowed with some arguments only."""
    itself = [_argument(0), (_EQUAL, 0, 1, 0), _ALLOWED, _refuse()]
    # A process that is not dumpable would hide what it shares of its memory.
    prctl = (
        *(processes.PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_NAME, _PR_GET_NAME),
        _PR_GET_DUMPABLE,
    )
    return {
        "open": _opening(1),
        "openat": _opening(2),
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
        # A read that must not wait tells whether somebody has read the same before.
        "preadv2": [_argument(5), (_EQUAL, 0, 1, 0), _ALLOWED, _refuse(errno.EOPNOTSUPP)],
        "prlimit64": itself,
        "sched_setaffinity": itself,
        "sched_getaffinity": itself,
        "sched_getparam": itself,
        "sched_getscheduler": itself,
        "getpriority": [_argument(1), (_EQUAL, 0, 1, 0), _ALLOWED, _refuse()],
        "prctl": [
            _argument(0),
            *_one_of(prctl, _ALLOWED),
            (_EQUAL, 0, 1, _PR_SET_VMA),  # a name for memory, which the C library goes without
            _refuse(errno.EINVAL),
            _refuse(),
        ],
        "fcntl": [
            _argument(1),
            *_one_of(_FCNTL, _ALLOWED),
            *_one_of(_LOCKS, _PRETENDED),
            (_EQUAL, 1, 0, 4),  # F_SETFL
            _refuse(),
            _argument(2),
            (_ANY_BIT, 0, 1, _O_ASYNC),
            _refuse(),
            _ALLOWED,
        ],
        "ioctl": [_argument(1), *_one_of(_IOCTL, _ALLOWED), _refuse(errno.ENOTTY)],
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
    token = architecture()
    assert token is not None
    asked = (_RETURN, 0, 0, _ASK) if supervised else _ALLOWED
    rules: dict[str, list[_Instruction]] = {name: [_ALLOWED] for name in calls("allowed")}
    rules |= {name: [_PRETENDED] for name in calls("pretended")}
    rules |= _conditional(asked if forks else _refuse(errno.EAGAIN))
    code = [
        (_LOAD, 0, 0, _AT_ARCH),
        (_EQUAL, 1, 0, token),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _AT_NUMBER),
    ]
    for name, body in rules.items():
        found = number(name)
        if found is not None:
            code += [(_EQUAL, 0, len(body), found), *body]
    newest = max(filter(None, map(number, calls("allowed"))))
    # What is newer than the list does not exist for an answer, so that a library goes on without.
    code += [(_ABOVE, 0, 1, newest), _refuse(errno.ENOSYS), _refuse()]
    return b"".join(struct.pack("HBBI", *instruction) for instruction in code)


@functools.cache
def _last_program() -> bytes:
    """Return the filter that comes on top, once nothing more is to be handed over."""
    code = [
        (_LOAD, 0, 0, _AT_NUMBER),
        (_EQUAL, 0, 1, number("sendmsg") or 0),
        _refuse(),
        (_EQUAL, 0, 3, number("prctl") or 0),
        _argument(0),
        (_EQUAL, 0, 1, _PR_SET_SECCOMP),
        _refuse(errno.EINVAL),
        _ALLOWED,
    ]
    return b"".join(struct.pack("HBBI", *instruction) for instruction in code)


@contextlib.contextmanager
def _in_memory(code: bytes) -> Iterator[bytes]:
    """Give a filter as the system wants it, while it is read."""
    buffer = ctypes.create_string_buffer(code, len(code))
    yield struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(buffer))


def install(forks: bool) -> int | None:
    """Filter this process's calls for good; return the descriptor that asks for forks, if any.

    Raises
    ------
    OSError
        If the system refuses.
    """
    supervised = notifies() and forks
    with _in_memory(program(supervised, forks)) as head:
        result = syscall("seccomp", 1, 1 << 3 if supervised else 0, head)
    return result if supervised else None


def keep_descriptors() -> None:
    """Refuse from now on to send descriptors over sockets.

    Those on their way are counted for a user: an account's submissions and its grader could send no
    more once one of them had left many.

    Raises
    ------
    OSError
        If the system refuses.
    """
    with _in_memory(_last_program()) as head:
        syscall("prctl", _PR_SET_SECCOMP, 2, head, 0, 0)


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
