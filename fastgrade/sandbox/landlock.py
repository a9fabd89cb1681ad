"""Landlock: what of the file system a process may read, and what it may write.

The rules are opened once, in a warm process, and every fork applies them to itself.
"""

from __future__ import annotations

import functools
import os
import struct
import sys
import sysconfig
from collections.abc import Iterable
from pathlib import Path

from fastgrade.sandbox.syscalls import syscall

__all__ = ["ReadableTree", "landlock_abi", "loaded_packages", "python_roots", "restrict"]

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_MAKE_CHAR, _MAKE_SOCK, _MAKE_FIFO, _MAKE_BLOCK = 1 << 6, 1 << 9, 1 << 10, 1 << 11
_TRUNCATE, _IOCTL_DEV = 1 << 14, 1 << 15
#: How many processors there are; what they do now would tell of others.
_PROCESSORS = ("online", "possible", "present")
_DIRECTORY_ONLY = 0x1FFF & ~(_EXECUTE | _WRITE_FILE | _READ_FILE) | 1 << 13


@functools.cache
def landlock_abi() -> int:
    """Return the version of Landlock that the kernel offers, 0 for none."""
    try:
        return syscall("landlock_create_ruleset", 0, 0, 1)
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
        Files and folders inside of them to leave out. A folder that holds one is allowed entry
        by entry; byte code of a forbidden file is left out too.
    """

    def __init__(self, roots: Iterable[str], forbidden: Iterable[str] = ()):
        self.forbidden = {os.path.realpath(path) for path in forbidden}
        self._above = {str(parent) for path in self.forbidden for parent in Path(path).parents}
        self.rules: list[tuple[int, int]] = []
        self.paths: list[str] = []
        self._listed: set[str] = set()
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
            self._listed.add(path)
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

    def whole(self) -> list[str]:
        """Return the files, and the folders that can be read with all that is in them."""
        return [path for path in self.paths if path not in self._listed]

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


def restrict(tree: ReadableTree, writable: Iterable[str]) -> None:
    """Let this process, for good, read what is in the tree and write what is given.

    Raises
    ------
    OSError
        If the system refuses.
    """
    abi = landlock_abi()
    attributes = struct.pack("QQQ", _handled(abi), 3 if abi >= 4 else 0, 3 if abi >= 6 else 0)
    size = 8 if abi < 4 else 16 if abi < 6 else 24
    ruleset = syscall("landlock_create_ruleset", attributes, size, 0)
    try:
        for descriptor, access in tree.rules:
            rule = struct.pack("=Qi", access, descriptor)
            syscall("landlock_add_rule", ruleset, 1, rule, 0)
        nodes = _MAKE_CHAR | _MAKE_SOCK | _MAKE_FIFO | _MAKE_BLOCK
        everything = _handled(abi) & ~(_EXECUTE | nodes | _IOCTL_DEV)
        for path in writable:
            is_folder = os.path.isdir(path)
            access = everything if is_folder else everything & ~_DIRECTORY_ONLY
            descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
            try:
                rule = struct.pack("=Qi", access, descriptor)
                syscall("landlock_add_rule", ruleset, 1, rule, 0)
            finally:
                os.close(descriptor)
        syscall("landlock_restrict_self", ruleset, 0)
    finally:
        os.close(ruleset)


def loaded_packages() -> list[str]:
    """Return the folders of all imported packages, and the files of single modules."""
    paths = []
    for name, module in list(sys.modules.items()):
        if "." in name or name == "__main__":
            continue
        search = getattr(module, "__path__", None)
        file = getattr(module, "__file__", None)
        if search is not None:
            paths += [os.fspath(path) for path in search]
        elif file:
            paths.append(file)
    return paths


def python_roots() -> list[str]:
    """Return what any Python program has to read: interpreter, libraries, fonts, time zones."""
    paths = sysconfig.get_paths()
    roots = [paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    for prefix in {sys.prefix, sys.base_prefix, sys.exec_prefix}:
        roots += [os.path.join(prefix, name) for name in ("lib", "lib64", "share")]
    roots += ["/lib", "/lib64", "/usr/lib", "/usr/lib64", "/usr/local/lib", "/usr/share"]
    roots += [f"/etc/{name}" for name in ("ld.so.cache", "localtime", "timezone", "fonts")]
    roots += [f"/dev/{name}" for name in ("null", "zero", "random", "urandom")]
    roots += ["/proc/cpuinfo", *(f"/sys/devices/system/cpu/{name}" for name in _PROCESSORS)]
    # An account of its own, or a path that was set, has packages elsewhere.
    roots += [path for path in sys.path if path.endswith(("site-packages", "dist-packages"))]
    return [root for root in roots if os.path.exists(root)]
