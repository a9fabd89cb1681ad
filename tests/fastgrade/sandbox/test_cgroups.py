"""Control groups bound what the processes of a submission use together."""

import os
import subprocess
import sys

import pytest

from fastgrade.sandbox import cgroups
from fastgrade.sandbox.cgroups import Bounds, ControlGroup, hierarchy

needs_groups = pytest.mark.skipif(not hierarchy(), reason="control groups cannot be made here")
MB = 1 << 20


def inside(group, program):
    """Run a program in a group; return what has become of it."""
    join = "import os, sys\nfor d in sys.argv[1:]: os.write(int(d), b'0')\n"
    command = [sys.executable, "-c", join + program, *map(str, group.descriptors)]
    return subprocess.run(command, capture_output=True, text=True, pass_fds=group.descriptors)


@pytest.fixture
def group():
    made = ControlGroup(hierarchy(), Bounds(memory=60 * MB, tasks=20))
    folders = list(made.folders)
    yield made
    made.close()
    assert not any(folder.exists() for folder in folders)


@needs_groups
def test_threads_and_processes_are_counted_together(group):
    program = """
import threading, time
if os.fork() == 0:
    time.sleep(0.5)
    os._exit(0)
count = 0
try:
    while count < 100:
        threading.Thread(target=time.sleep, args=(0.5,)).start()
        count += 1
except RuntimeError:
    print(count)
"""
    assert int(inside(group, program).stdout) == 18
    assert group.refused_tasks()
    assert not group.memory_kills()


@needs_groups
def test_memory_counts_that_processes_share(group):
    program = """
import mmap
parts = [mmap.mmap(-1, 30 << 20) for _ in range(3)]  # there until all have written
for shared in parts:
    if os.fork() == 0:
        shared.write(bytes(30 << 20))
        os._exit(0)
while True:
    os.wait()
"""
    inside(group, program)
    assert group.memory_kills()
    assert not group.refused_tasks()


@pytest.mark.parametrize(
    ("files", "version"),
    [
        ({"cgroup.controllers": "memory pids", "cgroup.subtree_control": "cpu memory pids"}, "v2"),
        ({"cgroup.controllers": "memory", "cgroup.subtree_control": "memory"}, None),
        ({"cgroup.controllers": "hugetlb", "cgroup.subtree_control": ""}, None),
        ({"cgroup.controllers": "memory pids"}, None),
        ({"memory/cgroup.procs": "", "pids/cgroup.procs": ""}, "v1"),
        ({"memory/cgroup.procs": ""}, None),
        ({}, None),
    ],
)
def test_control_groups_count_only_where_they_limit(tmp_path, files, version):
    """Version 2 lets groups be made that have no limits, as beside version 1."""
    if "cgroup.controllers" in files:
        files = {"cgroup.procs": "", **files}
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    found = hierarchy(tmp_path)
    assert (found and found.version) == version


@needs_groups
def test_control_groups_of_killed_graders_are_removed():
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    parent = hierarchy().folders["memory"]
    here = f"fastgrade-{os.stat('/proc/self/ns/pid').st_ino}"
    left, used = parent / f"{here}-{ended.pid}-0", parent / f"{here}-{os.getpid()}-test"
    elsewhere = parent / f"fastgrade-1-{ended.pid}-0"  # of a container with numbers of its own
    for folder in (left, used, elsewhere):
        folder.mkdir()
    try:
        hierarchy.__wrapped__(cgroups.ROOT)
        assert not left.exists()
        assert used.exists()
        assert elsewhere.exists()
    finally:
        used.rmdir()
        elsewhere.rmdir()
