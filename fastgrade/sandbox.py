"""Confine a process to what grading needs: resource limits, Landlock and seccomp.

The base needs neither root nor containers nor a helper program, only Linux 5.13 (Landlock) and
system calls made through ctypes:

- **rlimits** bound memory, CPU time, file size, open files and core dumps;
- **Landlock** lets the process read the Python installation and the folders it was given, and
  write to its own folder alone;
- **seccomp** refuses sockets, signals to others, tracing, new programs, new sessions, namespaces
  and the rest of what an answer never needs; starting a process is asked of a supervisor, who
  counts.

As root the process also becomes an unprivileged user of its own.  Where bubblewrap works, the warm
process, and with it every submission, lives in PID, network, IPC and UTS namespaces of its own.
`probe` says what this machine offers and what would raise it.
"""

from __future__ import annotations

import ctypes
import errno
import functools
import itertools
import os
import platform
import shutil
import socket
import struct
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from fastgrade import processes
from fastgrade.course import LEVELS, Limits

try:
    import fcntl
    import resource
except ImportError:  # Windows: `probe` still says what is missing there
    fcntl = resource = None

__all__ = [
    "ControlGroup",
    "Forks",
    "Protection",
    "ReadableTree",
    "SandboxError",
    "bubblewrap",
    "confine",
    "prepare",
    "probe",
]


class SandboxError(RuntimeError):
    """The protection that the course asks for cannot be had here."""


# --------------------------------------------------------------------------- system calls

_MACHINES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}

#: Numbers of system calls on x86_64 and aarch64; None where a call does not exist.
_CALLS: dict[str, tuple[int | None, int | None]] = {
    "socket": (41, 198),
    "connect": (42, 203),
    "accept": (43, 202),
    "accept4": (288, 242),
    "bind": (49, 200),
    "listen": (50, 201),
    "socketpair": (53, 199),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "process_mrelease": (448, 448),
    "kcmp": (312, 272),
    "pidfd_open": (434, 434),
    "pidfd_getfd": (438, 438),
    "pidfd_send_signal": (424, 424),
    "kill": (62, 129),
    "tkill": (200, 130),
    "tgkill": (234, 131),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "execve": (59, 221),
    "execveat": (322, 281),
    "fork": (57, None),
    "vfork": (58, None),
    "clone": (56, 220),
    "clone3": (435, 435),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "adjtimex": (159, 171),
    "sethostname": (170, 161),
    "setdomainname": (171, 162),
    "iopl": (172, None),
    "ioperm": (173, None),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "open_by_handle_at": (304, 265),
    "name_to_handle_at": (303, 264),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "shmget": (29, 194),
    "shmat": (30, 196),
    "shmctl": (31, 195),
    "semget": (64, 190),
    "semop": (65, 193),
    "semtimedop": (220, 192),
    "semctl": (66, 191),
    "msgget": (68, 186),
    "msgsnd": (69, 189),
    "msgrcv": (70, 188),
    "msgctl": (71, 187),
    "mq_open": (240, 180),
    "mq_unlink": (241, 181),
    "fanotify_init": (300, 262),
    "inotify_add_watch": (254, 27),
    "syslog": (103, 116),
    "vhangup": (153, 58),
    "personality": (135, 92),
    "setsid": (112, 157),
    "setpgid": (109, 154),
    "setuid": (105, 146),
    "setgid": (106, 144),
    "setreuid": (113, 145),
    "setregid": (114, 143),
    "setgroups": (116, 159),
    "setresuid": (117, 147),
    "setresgid": (119, 149),
    "setfsuid": (122, 151),
    "setfsgid": (123, 152),
    "capset": (126, 91),
    "seccomp": (317, 277),
    "setpriority": (141, 140),
    "ioprio_set": (251, 30),
    "sched_setscheduler": (144, 119),
    "sched_setparam": (142, 118),
    "sched_setattr": (314, 274),
    "sched_setaffinity": (203, 122),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
    "truncate": (76, 45),
    "chmod": (90, None),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, None),
    "fchown": (93, 55),
    "lchown": (94, None),
    "fchownat": (260, 54),
    "utime": (132, None),
    "utimes": (235, None),
    "futimesat": (261, None),
    "utimensat": (280, 88),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "sync": (162, 81),
    "syncfs": (306, 267),
    "prlimit64": (302, 261),
    "prctl": (157, 167),
    "ioctl": (16, 29),
    "landlock_create_ruleset": (444, 444),
    "landlock_add_rule": (445, 445),
    "landlock_restrict_self": (446, 446),
}
_NEWEST = 463  # calls that did not exist when this list was made do not exist for an answer

#: Pretended to succeed: Landlock does not govern them, and copying a file in Python makes them.
_IGNORED = (
    *("chmod", "fchmod", "fchmodat", "fchmodat2", "chown", "fchown", "lchown", "fchownat"),
    *("utime", "utimes", "futimesat", "utimensat", "setxattr", "lsetxattr", "fsetxattr"),
    *("removexattr", "lremovexattr", "fremovexattr", "sync", "syncfs"),
)
_CONDITIONAL = (
    *("fork", "vfork", "clone", "clone3", "socketpair", "prlimit64", "sched_setaffinity"),
    *("prctl", "ioctl"),
)
_OURS = ("landlock_create_ruleset", "landlock_add_rule", "landlock_restrict_self")


def _machine() -> tuple[int, int] | None:
    known = _MACHINES.get(platform.machine())
    return known if sys.platform == "linux" and struct.calcsize("P") == 8 else None


def _number(name: str) -> int | None:
    machine = _machine()
    return None if machine is None else _CALLS[name][machine[1]]


def _syscall(name: str, *args: object) -> int:
    number = _number(name)
    if number is None:
        raise OSError(errno.ENOSYS, name)
    converted = [ctypes.c_long(arg) if isinstance(arg, int) else arg for arg in args]
    result = processes.libc().syscall(ctypes.c_long(number), *converted)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{name}: {os.strerror(code)}")
    return result


_PR_SET_KEEPCAPS, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 8, 22, 38


# --------------------------------------------------------------------------- Landlock

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_MAKE_CHAR, _MAKE_SOCK, _MAKE_FIFO, _MAKE_BLOCK = 1 << 6, 1 << 9, 1 << 10, 1 << 11
_TRUNCATE, _IOCTL_DEV = 1 << 14, 1 << 15
_DIRECTORY_ONLY = 0x1FFF & ~(_EXECUTE | _WRITE_FILE | _READ_FILE) | 1 << 13


@functools.cache
def landlock_abi() -> int:
    """Return the version of Landlock that the kernel offers, 0 for none."""
    try:
        return _syscall("landlock_create_ruleset", 0, 0, 1)
    except OSError:
        return 0


def _handled(abi: int) -> int:
    bits = 0x1FFF
    for version, bit in ((2, 13), (3, 14), (5, 15)):
        if abi >= version:
            bits |= 1 << bit
    return bits


class ReadableTree:
    """The paths that student code may read, opened once and used by every fork.

    Parameters
    ----------
    roots : iterable of str
        Files and folders to allow; those that do not exist are left out.
    forbidden : iterable of str
        Files and folders inside of them to leave out.  A folder that holds one is allowed entry
        by entry; byte code of a forbidden file is left out too.
    """

    def __init__(self, roots: Iterable[str], forbidden: Iterable[str] = ()):
        self.forbidden = {os.path.realpath(path) for path in forbidden}
        self._above = {str(parent) for path in self.forbidden for parent in Path(path).parents}
        self.rules: list[tuple[int, int]] = []
        self.paths: list[str] = []
        covered: set[str] = set()
        for root in sorted({os.path.realpath(root) for root in roots}):
            if not covered.intersection(map(str, Path(root).parents)):
                self._allow(root)
                if root not in self._above:
                    covered.add(root)

    def _allow(self, path: str) -> None:
        if self._is_forbidden(path) or not os.path.lexists(path):
            return
        if path in self._above or self._caches_forbidden(path):
            self._add(path, _READ_DIR)
            try:
                entries = sorted(os.listdir(path))
            except OSError:
                return
            for entry in entries:
                self._allow(os.path.join(path, entry))
        else:
            self._add(path, _READ_FILE | (_READ_DIR if os.path.isdir(path) else 0))

    def _is_forbidden(self, path: str) -> bool:
        if path in self.forbidden or os.path.realpath(path) in self.forbidden:
            return True
        folder, name = os.path.split(path)
        if os.path.basename(folder) != "__pycache__":
            return False
        source = os.path.join(os.path.dirname(folder), name.split(".")[0] + ".py")
        return source in self.forbidden

    def _caches_forbidden(self, path: str) -> bool:
        return os.path.basename(path) == "__pycache__" and os.path.dirname(path) in self._above

    def _add(self, path: str, access: int) -> None:
        try:
            descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            return
        self.rules.append((descriptor, access))
        self.paths.append(path)

    @functools.cached_property
    def _public(self) -> bool:
        return all(_is_public(path) for path in self.paths)

    def is_public(self) -> bool:
        """Whether any user may read these paths, as far as their owners go."""
        return self._public

    def close(self) -> None:
        """Close the descriptors, once they have served."""
        for descriptor, _ in self.rules:
            os.close(descriptor)
        self.rules.clear()


def _is_public(path: str) -> bool:
    try:
        if not os.stat(path).st_mode & 0o004:
            return False
        return all(os.stat(parent).st_mode & 0o001 for parent in Path(path).parents)
    except OSError:
        return False


def _restrict(tree: ReadableTree, writable: Iterable[str]) -> None:
    abi = landlock_abi()
    attributes = struct.pack("QQQ", _handled(abi), 3 if abi >= 4 else 0, 3 if abi >= 6 else 0)
    size = 8 if abi < 4 else 16 if abi < 6 else 24
    ruleset = _syscall("landlock_create_ruleset", attributes, size, 0)
    try:
        for descriptor, access in tree.rules:
            rule = struct.pack("=Qi", access, descriptor)
            _syscall("landlock_add_rule", ruleset, 1, rule, 0)
        nodes = _MAKE_CHAR | _MAKE_SOCK | _MAKE_FIFO | _MAKE_BLOCK
        everything = _handled(abi) & ~(_EXECUTE | nodes | _IOCTL_DEV)
        for path in writable:
            is_folder = os.path.isdir(path)
            access = everything if is_folder else everything & ~_DIRECTORY_ONLY
            descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
            try:
                rule = struct.pack("=Qi", access, descriptor)
                _syscall("landlock_add_rule", ruleset, 1, rule, 0)
            finally:
                os.close(descriptor)
        _syscall("landlock_restrict_self", ruleset, 0)
    finally:
        os.close(ruleset)


def python_roots() -> list[str]:
    """Return what any Python program has to read: interpreter, libraries, fonts, time zones."""
    paths = sysconfig.get_paths()
    roots = [paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    for prefix in {sys.prefix, sys.base_prefix, sys.exec_prefix}:
        roots += [os.path.join(prefix, name) for name in ("lib", "lib64", "share")]
    roots += ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share"]
    roots += [f"/etc/{name}" for name in ("ld.so.cache", "localtime", "timezone", "fonts")]
    roots += [f"/dev/{name}" for name in ("null", "zero", "random", "urandom")]
    roots += ["/proc/cpuinfo", "/proc/meminfo", "/sys/devices/system/cpu"]
    return [root for root in roots if os.path.exists(root)]


# --------------------------------------------------------------------------- seccomp

_LOAD, _EQUAL, _ABOVE, _ANY_BIT, _AND, _RETURN = 0x20, 0x15, 0x25, 0x45, 0x54, 0x06
_ALLOW, _KILL, _ASK, _ERRNO = 0x7FFF0000, 0x80000000, 0x7FC00000, 0x00050000
_CLONE_THREAD, _CLONE_NEW = 0x00010000, 0x7E020000
_AT_NUMBER, _AT_ARCH, _AT_ARGS = 0, 4, 16


@functools.cache
def _program(supervised: bool, forks: bool) -> bytes:
    """Return the filter as BPF instructions."""
    machine = _machine()
    assert machine is not None
    code: list[tuple[int, int, int, int]] = []

    def emit(operation: int, operand: int, if_true: int = 0, if_false: int = 0) -> None:
        code.append((operation, if_true, if_false, operand))

    def when(name: str, *body: tuple[int, int, int, int]) -> None:
        number = _number(name)
        if number is not None:
            emit(_EQUAL, number, 0, len(body))
            code.extend(body)

    refuse = (_RETURN, 0, 0, _ERRNO | errno.EPERM)
    allow = (_RETURN, 0, 0, _ALLOW)
    if not forks:
        fork = (_RETURN, 0, 0, _ERRNO | errno.EAGAIN)
    else:
        fork = (_RETURN, 0, 0, _ASK) if supervised else allow

    def argument(index: int) -> tuple[int, int, int, int]:
        return (_LOAD, 0, 0, _AT_ARGS + 8 * index)

    emit(_LOAD, _AT_ARCH)
    emit(_EQUAL, machine[0], 1, 0)
    emit(_RETURN, _KILL)
    emit(_LOAD, _AT_NUMBER)
    emit(_ABOVE, _NEWEST, 0, 1)  # the x32 calls are above too
    emit(_RETURN, _ERRNO | errno.ENOSYS)
    when(
        "clone",
        argument(0),
        (_ANY_BIT, 0, 1, _CLONE_NEW),
        refuse,
        (_ANY_BIT, 0, 1, _CLONE_THREAD),
        allow,
        fork,
    )
    when("clone3", (_RETURN, 0, 0, _ERRNO | errno.ENOSYS))  # the C library then uses clone
    when("fork", fork)
    when("vfork", fork)
    # Datagram sockets, even paired ones, could still write to any named socket.
    when(
        "socketpair",
        argument(0),
        (_EQUAL, 1, 0, socket.AF_UNIX),
        refuse,
        argument(1),
        (_AND, 0, 0, 0xF),
        (_EQUAL, 0, 1, socket.SOCK_STREAM),
        allow,
        refuse,
    )
    when("prlimit64", argument(0), (_EQUAL, 0, 1, 0), allow, refuse)
    when("sched_setaffinity", argument(0), (_EQUAL, 0, 1, 0), allow, refuse)
    when(
        "prctl",
        argument(0),
        (_EQUAL, 1, 0, processes.PR_SET_PDEATHSIG),
        (_EQUAL, 0, 1, _PR_SET_SECCOMP),
        refuse,
        allow,
    )
    when(
        "ioctl",
        argument(1),
        (_EQUAL, 1, 0, 0x5412),  # TIOCSTI: type into a terminal
        (_EQUAL, 0, 1, 0x541C),  # TIOCLINUX
        refuse,
        allow,
    )
    for name in _CALLS:
        if name in _IGNORED:
            when(name, (_RETURN, 0, 0, _ERRNO))
        elif name not in _CONDITIONAL and name not in _OURS:
            when(name, refuse)
    emit(_RETURN, _ALLOW)
    return b"".join(struct.pack("HBBI", *instruction) for instruction in code)


def _filter(forks: bool, supervised: bool) -> int | None:
    """Install the filter; return the descriptor on which forks are asked for, if any."""
    supervised = supervised and forks
    program = _program(supervised, forks)
    buffer = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buffer))
    result = _syscall("seccomp", 1, 1 << 3 if supervised else 0, head)
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


# --------------------------------------------------------------------------- putting it together


def _set_limits(limits: Limits, forks: int) -> None:
    mib = 1 << 20
    with open("/proc/self/statm", encoding="ascii") as file:
        held = int(file.read().split()[0]) * resource.getpagesize()

    def bound(kind: int, value: int) -> None:
        _, hard = resource.getrlimit(kind)
        if hard != resource.RLIM_INFINITY:
            value = min(value, hard)
        resource.setrlimit(kind, (value, value))

    bound(resource.RLIMIT_AS, held + limits.memory_mb * mib)
    bound(resource.RLIMIT_CPU, limits.cpu_seconds)
    bound(resource.RLIMIT_FSIZE, limits.file_mb * mib)
    bound(resource.RLIMIT_NOFILE, limits.open_files)
    bound(resource.RLIMIT_CORE, 0)
    bound(resource.RLIMIT_MEMLOCK, 8 * mib)
    bound(resource.RLIMIT_SIGPENDING, 1024)
    if forks >= 0:
        bound(resource.RLIMIT_NPROC, _tasks_of_user() + forks)


def _tasks_of_user() -> int:
    mine, total = os.getuid(), 0
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                if entry.stat().st_uid == mine:
                    total += len(os.listdir(f"/proc/{entry.name}/task"))
            except OSError:
                continue
    return total


def unprivileged_identity(pid: int) -> int:
    """Return the user and group id that a process started by root takes."""
    return 64_000 + pid % 1_000


def _drop_privileges(identity: int, keep_reading: bool) -> None:
    if keep_reading:
        processes.prctl(_PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setresgid(identity, identity, identity)
    os.setresuid(identity, identity, identity)
    if keep_reading:
        # CAP_DAC_READ_SEARCH alone: the installation lies where only root can read, and Landlock
        # says what of it.
        header = struct.pack("Ii", 0x20080522, 0)
        _syscall("capset", header, struct.pack("6I", 4, 4, 0, 0, 0, 0))


def prepare(tree: ReadableTree) -> None:
    """Work out once, in a warm process, what `confine` then needs in every fork."""
    tree.is_public()
    landlock_abi()
    supervised = _notifies()
    for forks in (True, False):
        _program(supervised and forks, forks)


def confine(
    limits: Limits,
    tree: ReadableTree | None,
    writable: Iterable[str] = (),
    *,
    level: str = "sandbox",
    forks: bool = True,
    identity: int | None = None,
    keep_reading: bool = False,
) -> int | None:
    """Confine this process and all that it starts, for good.

    Parameters
    ----------
    limits : Limits
        Bounds of the resources.
    tree : ReadableTree or None
        What may be read; needed from level ``"sandbox"`` on, and closed.
    writable : iterable of str
        Folders that may be changed.
    level : {"none", "rlimits", "sandbox", "namespaces"}
        How far to go.
    forks : bool
        Whether processes may be started, if the supervisor grants them.
    identity : int, optional
        User and group id to take; only root can.
    keep_reading : bool
        As root, keep the right to read files of any owner that Landlock allows.

    Returns
    -------
    int or None
        A descriptor for `Forks`, to be sent to the supervisor.

    Raises
    ------
    SandboxError
        If a part could not be had.
    """
    if level == "none":
        return None
    try:
        parent = os.getppid()
        supervised = _notifies()
        _set_limits(limits, -1 if supervised or not forks else limits.processes + 4)
        if level == "rlimits":
            return None
        if tree is None:
            raise SandboxError("tree must be given from level 'sandbox' on, got None")
        if identity is not None and os.geteuid() == 0:
            _drop_privileges(identity, keep_reading)
        processes.end_with_parent(parent)  # forgotten when the identity changed
        processes.prctl(_PR_SET_NO_NEW_PRIVS, 1)
        _restrict(tree, writable)
        tree.close()
        return _filter(forks, supervised)
    except OSError as error:
        raise SandboxError(f"the sandbox could not be set up: {error}") from error


class ControlGroup:
    """A control group for a warm process and all that it forks: the last line of defence.

    Limits of single processes do not bound their sum; this one does, whatever they do.

    Parameters
    ----------
    limits : Limits
        What one submission may use.
    together : int
        How many submissions may be under way at once.
    """

    def __init__(self, limits: Limits, together: int = 4):
        memory = str((limits.memory_mb * 2 * together + 1024) << 20)
        tasks = str((limits.processes + 64) * together)
        name = f"fastgrade-{os.getpid()}-{next(_group_numbers)}"
        self.folders: list[Path] = []
        try:
            if _cgroups() == "v2":
                folder = Path("/sys/fs/cgroup") / name
                folder.mkdir()
                self.folders.append(folder)
                for file, value in (("memory.max", memory), ("pids.max", tasks)):
                    if (folder / file).exists():
                        (folder / file).write_text(value)
            else:
                for kind, file, value in (
                    ("memory", "memory.limit_in_bytes", memory),
                    ("pids", "pids.max", tasks),
                ):
                    folder = Path("/sys/fs/cgroup") / kind / name
                    folder.mkdir()
                    self.folders.append(folder)
                    (folder / file).write_text(value)
        except OSError as error:
            self.close()
            raise SandboxError(f"no control group could be made: {error}") from error

    def wrapper(self) -> list[str]:
        """Return the command that starts a program inside of the group."""
        join = 'for group in $0; do echo $$ > "$group/cgroup.procs" || exit 1; done; exec "$@"'
        return ["/bin/sh", "-c", join, " ".join(map(str, self.folders))]

    def close(self) -> None:
        """Remove the group, which must be empty by now; a busy one is tried a few times."""
        for folder in self.folders:
            for _ in range(50):
                try:
                    folder.rmdir()
                    break
                except FileNotFoundError:
                    break
                except OSError:
                    time.sleep(0.02)
        self.folders.clear()


_group_numbers = itertools.count()

# --------------------------------------------------------------------------- what is there


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


def _action_available(action: int) -> bool:
    try:
        _syscall("seccomp", 2, 0, struct.pack("I", action))
    except OSError:
        return False
    return True


@functools.cache
def _notifies() -> bool:
    return _action_available(_ASK)


def bubblewrap() -> list[str]:
    """Return the command that starts a program in namespaces of its own.

    The file system is seen as it is, since Landlock says what of it can be used; processes,
    network, IPC and host name are private.
    """
    command = ["bwrap", "--unshare-pid", "--unshare-net", "--unshare-ipc"]
    command += ["--unshare-uts", "--unshare-cgroup-try", "--dev-bind", "/", "/", "--proc", "/proc"]
    if os.geteuid() == 0:
        # Root keeps the right to become another user and to hand its folder over to it.
        for capability in ("SETUID", "SETGID", "CHOWN", "DAC_READ_SEARCH", "KILL"):
            command += ["--cap-add", f"CAP_{capability}"]
    return command


@functools.cache
def _bubblewrap_works() -> bool:
    if sys.platform != "linux" or shutil.which("bwrap") is None:
        return False
    try:
        done = subprocess.run([*bubblewrap(), "true"], capture_output=True, timeout=10)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _cgroups() -> str:
    if os.path.exists("/sys/fs/cgroup/cgroup.controllers"):
        return "v2" if os.access("/sys/fs/cgroup/cgroup.procs", os.W_OK) else ""
    return "v1" if os.access("/sys/fs/cgroup/memory/cgroup.procs", os.W_OK) else ""


@functools.cache
def probe() -> Protection:
    """Return what this machine offers and what would raise it."""
    fork = hasattr(os, "fork") and sys.platform != "win32"
    landlock = landlock_abi() if sys.platform == "linux" else 0
    seccomp = _machine() is not None and _action_available(_ERRNO)
    notify = seccomp and _notifies()
    namespaces = _bubblewrap_works()
    groups = _cgroups() if sys.platform == "linux" else ""
    missing = []
    if sys.platform != "linux":
        missing.append(
            f"Landlock and seccomp exist on Linux only, not on {platform.system()}: grade in a "
            "Linux container or virtual machine."
        )
    else:
        if not landlock:
            missing.append(
                "Landlock is not offered: Linux 5.13 or newer with 'landlock' among the active "
                "security modules (kernel parameter lsm=) brings it."
            )
        elif landlock < 6:
            missing.append(
                f"Landlock has version {landlock}; version 6 (Linux 6.12) also keeps signals in."
            )
        if not seccomp:
            missing.append(
                "System calls cannot be filtered: a kernel with CONFIG_SECCOMP_FILTER on x86_64 "
                "or aarch64, and a container runtime that allows seccomp(2), bring it."
            )
        elif not notify:
            missing.append(
                "New processes are bounded by RLIMIT_NPROC only: Linux 5.5 counts them exactly."
            )
        if not namespaces:
            missing.append(
                "Namespaces are not to be had: install bubblewrap, and allow unprivileged user "
                "namespaces or run as root outside of a container."
            )
        if not groups:
            missing.append(
                "Control groups cannot be written: run as root, or under a delegated unit "
                "(systemd-run --user --scope -p Delegate=yes)."
            )
    if not fork:
        level = "none"
    elif not (landlock and seccomp):
        level = "rlimits" if sys.platform == "linux" else "none"
    else:
        level = "namespaces" if namespaces else "sandbox"
    return Protection(
        level=level,
        fork=fork,
        landlock=landlock,
        seccomp=seccomp,
        notify=notify,
        bubblewrap=namespaces,
        root=hasattr(os, "geteuid") and os.geteuid() == 0,
        cgroups=groups,
        missing=tuple(missing),
    )
