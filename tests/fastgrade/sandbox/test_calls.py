"""The filter of system calls on each architecture, on which it need not run for that."""

import ctypes.util
import errno
import struct
import subprocess
import sys

import pytest

from fastgrade.sandbox import syscalls
from tests import ROOT
from tests.fastgrade.sandbox.record_calls import numbers

KINDS = ("allowed", "pretended", "refused")
ALLOW, KILL, ERRNO = 0x7FFF0000, 0x80000000, 0x00050000


@pytest.mark.skipif(not ctypes.util.find_library("seccomp"), reason="libseccomp has the numbers")
def test_numbers_are_libseccomps():
    table = {name: list(found) for kind in KINDS for name, found in syscalls.calls(kind).items()}
    assert table == {name: numbers(name) for name in table}


def test_each_call_is_in_one_list():
    names = [name for kind in KINDS for name in syscalls.calls(kind)]
    assert len(names) == len(set(names))


def outcome(program, number, token, arguments=()):
    """Run a filter as the kernel does; return what it says of a call."""
    data = struct.pack("=iIQ6Q", number, token, 0, *(*arguments, 0, 0, 0, 0, 0, 0)[:6])
    place = value = 0
    while True:
        operation, if_true, if_false, operand = struct.unpack_from("HBBI", program, 8 * place)
        place += 1
        if operation == 0x20:
            value = struct.unpack_from("=I", data, operand)[0]
        elif operation == 0x54:
            value &= operand
        elif operation == 0x06:
            return operand
        else:
            holds = {0x15: value == operand, 0x25: value > operand, 0x45: value & operand}[
                operation
            ]
            place += if_true if holds else if_false


@pytest.mark.parametrize("machine", syscalls.ARCHITECTURES)
def test_the_filter_decides_by_the_architectures_own_numbers(machine):
    build = f"""
import platform, sys
platform.machine = lambda: {machine!r}
from fastgrade.sandbox import seccomp
print(seccomp.program(False, True).hex())
"""
    told = subprocess.run(
        [sys.executable, "-c", build], cwd=ROOT, capture_output=True, text=True, check=True
    )
    program, token = bytes.fromhex(told.stdout), syscalls.ARCHITECTURES[machine]
    column = list(syscalls.ARCHITECTURES).index(machine)

    def of(name, *arguments):
        table = {**syscalls.calls("allowed"), **syscalls.calls("pretended")}
        return outcome(
            program, {**table, **syscalls.calls("refused")}[name][column], token, arguments
        )

    for name in ("read", "mmap", "futex", "exit_group"):
        assert of(name) == ALLOW
    for name in ("flock", "fsync", "fchmod"):
        assert of(name) == ERRNO
    for name in ("kill", "socket", "execve", "sysinfo", "statfs", "memfd_create"):
        assert of(name) == ERRNO | errno.EPERM
    assert of("clone3") == ERRNO | errno.ENOSYS
    assert of("clone", 0x20000000) == ERRNO | errno.EPERM
    assert of("openat", 0, 0, 0o1000) == ERRNO | errno.EPERM
    assert outcome(program, 100_000, token) == ERRNO | errno.ENOSYS
    assert outcome(program, 0, 0x40000003) == KILL
