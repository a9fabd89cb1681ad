"""What the sandbox holds back, level by level, as root and as an ordinary user."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from fastgrade.sandbox import SandboxError, protection
from fastgrade.sandbox.confine import confine
from fastgrade.sandbox.landlock import ReadableTree, landlock_abi, python_roots
from fastgrade.sandbox.protection import probe
from fastgrade.settings import Limits
from tests import ROOT

needs_sandbox = pytest.mark.skipif(
    not probe().reaches("sandbox"), reason="this system has no Landlock or no seccomp"
)


def run(program, *prefix, folder, level="sandbox", forbidden=(), landlock=99, **limits):
    """Run a program confined to `folder`; return what it printed as JSON."""
    start = f"""
import sys, json, os
sys.path.insert(0, {str(ROOT)!r})
from fastgrade.settings import Limits
from fastgrade.sandbox import landlock
offered = landlock.landlock_abi()
landlock.landlock_abi = lambda: min(offered, {landlock})
from fastgrade.sandbox.landlock import ReadableTree, python_roots
from fastgrade.sandbox.confine import confine
packages = [{str(ROOT / "fastgrade")!r}, {str(ROOT / "warmfork")!r}]
tree = ReadableTree([*python_roots(), *packages, {str(folder)!r}], {forbidden!r})
os.chdir({str(folder)!r})
own = [{str(folder / "own")!r}]
listener = confine(Limits(**{limits!r}), tree, own, level={level!r}, forks=False)
def attempt(act):
    try:
        act()
        return "done"
    except BaseException as error:
        return type(error).__name__
"""
    (folder / "own").mkdir(exist_ok=True)
    done = subprocess.run(
        [*prefix, sys.executable, "-c", start + program], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


FILES = """
print(json.dumps([attempt(act) for act in (
    lambda: open("open.txt").read(),
    lambda: open("closed.txt").read(),
    lambda: open("own/new", "w").write("x"),
    lambda: open("open.txt", "w"),
    lambda: os.unlink("open.txt"),
    lambda: os.symlink("/etc/passwd", "own/link"),
    lambda: open("own/link"),
    lambda: os.mkfifo("own/fifo"),
    lambda: open("/etc/shadow"),
    lambda: os.listdir("/"),
    lambda: __import__("wave"),
)]))
"""
EXPECTED = ["done", "PermissionError", "done", "PermissionError", "PermissionError", "done"]
EXPECTED += ["PermissionError"] * 4 + ["done"]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "open.txt").write_text("x")
    (tmp_path / "closed.txt").write_text("x")
    return tmp_path


@needs_sandbox
def test_files_are_reached_as_allowed(folder):
    forbidden = [str(folder / "closed.txt")]
    assert run(FILES, folder=folder, forbidden=forbidden) == EXPECTED
    assert (folder / "open.txt").read_text() == "x"


@needs_sandbox
def test_the_sandbox_needs_no_root_and_no_capability(folder):
    """As a user without any capability, in a user namespace where that can be had."""
    bwrap = [shutil.which("bwrap") or "bwrap", "--unshare-user", "--uid", "1000", "--gid", "1000"]
    bwrap += ["--dev-bind", "/", "/", "--cap-drop", "ALL"]
    if os.geteuid() != 0:
        bwrap = []
    elif subprocess.run([*bwrap, "true"], capture_output=True).returncode:
        pytest.skip("neither an ordinary user nor able to become one")
    forbidden = [str(folder / "closed.txt")]
    assert run(FILES, *bwrap, folder=folder, forbidden=forbidden) == EXPECTED


@needs_sandbox
def test_system_calls_that_answers_never_need_are_refused(folder):
    program = """
import ctypes, socket, signal, subprocess, resource
libc = ctypes.CDLL(None)
print(json.dumps([attempt(act) for act in (
    lambda: socket.socket(),
    lambda: socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM),
    lambda: socket.socketpair(),
    lambda: os.kill(os.getppid(), 0),
    lambda: os.fork(),
    lambda: subprocess.run(["true"]),
    lambda: os.setsid(),
    lambda: resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE),
    lambda: os.chmod("open.txt", 0),
)] + [libc.unshare(0x10000000), oct(os.stat("open.txt").st_mode & 0o777 | 0o200)]))
"""
    mode = oct((folder / "open.txt").stat().st_mode & 0o777 | 0o200)
    expected = ["PermissionError", "PermissionError", "done", "PermissionError", "BlockingIOError"]
    expected += ["BlockingIOError", "PermissionError", "PermissionError", "done", -1, mode]
    assert run(program, folder=folder) == expected


@needs_sandbox
def test_threads_may_be_started(folder):
    program = """
import threading
thread = threading.Thread(target=lambda: None)
print(json.dumps([attempt(thread.start), attempt(thread.join)]))
"""
    assert run(program, folder=folder) == ["done", "done"]


@pytest.mark.skipif(sys.platform != "linux", reason="resource limits as Linux has them")
def test_limits_hold(folder):
    program = """
def write():
    with open("own/big", "wb") as file:
        file.write(bytes(3 << 20))
def hoard():
    return bytearray(400 << 20)
def files():
    return [open(os.devnull) for _ in range(80)]
print(json.dumps([attempt(act) for act in (write, hoard, files)]))
"""
    limits = {"file_mb": 1, "memory_mb": 200, "open_files": 50}
    told = run(program, folder=folder, level="rlimits", **limits)
    assert told == ["OSError", "MemoryError", "OSError"]


def test_a_folder_with_forbidden_files_is_opened_entry_by_entry(tmp_path):
    package = tmp_path / "package"
    (package / "__pycache__").mkdir(parents=True)
    (package / "sub").mkdir()
    for name in ("free.py", "secret.py", "sub/deep.py"):
        (package / name).write_text("")
    for name in ("free", "secret"):
        (package / f"__pycache__/{name}.cpython-311.pyc").write_text("")
    tree = ReadableTree([str(package)], [str(package / "secret.py")])
    try:
        allowed = {os.path.relpath(path, tmp_path) for path in tree.paths}
    finally:
        tree.close()
    assert "package/free.py" in allowed
    assert "package/sub" in allowed
    assert "package/__pycache__/free.cpython-311.pyc" in allowed
    assert not [path for path in allowed if "secret" in path]


def test_roots_leave_out_the_courses_folder():
    assert str(ROOT) not in python_roots()
    assert not any(str(ROOT / "solutions").startswith(root + "/") for root in python_roots())


def test_probe_says_what_is_missing():
    protection = probe()
    assert protection.landlock == landlock_abi()
    assert protection.reaches("none")
    if protection.level != "namespaces":
        assert protection.missing


def test_a_sandbox_without_its_tree_is_an_error():
    if not hasattr(os, "fork"):
        pytest.skip("there are no forks")
    pid = os.fork()
    if pid == 0:
        try:
            confine(Limits(memory_mb=100_000), None)
        except SandboxError:
            os._exit(0)
        os._exit(1)
    assert os.waitpid(pid, 0)[1] == 0


def test_a_rule_that_nothing_keeps_lowers_the_level(monkeypatch):
    """Old kernels rely on the filter: a call that it begins to allow must not go unnoticed."""
    if not probe().reaches("sandbox"):
        pytest.skip("the level is lower already")
    monkeypatch.setattr(protection, "landlock_abi", lambda: 2)
    assert protection.probe.__wrapped__().reaches("sandbox")
    known = protection.calls("allowed")
    monkeypatch.setattr(protection, "calls", lambda kind: {**known, "truncate": (76, 45)})
    lowered = protection.probe.__wrapped__()
    assert lowered.level == "rlimits"
    assert any("truncation" in what for what in lowered.missing)


OLD_KERNEL = """
import fcntl, signal, socket
here, there = socket.socketpair()
def truncate():
    os.open("open.txt", os.O_RDONLY | os.O_TRUNC)
def own():
    fcntl.fcntl(here, fcntl.F_SETOWN, os.getppid())
print(json.dumps([attempt(act) for act in (
    truncate,
    own,
    lambda: fcntl.fcntl(here, 10, signal.SIGKILL),
    lambda: fcntl.fcntl(here, fcntl.F_SETFL, os.O_ASYNC),
    lambda: os.truncate("open.txt", 0),
    lambda: os.kill(os.getppid(), 0),
    lambda: open("own/new", "w").write("x"),
    lambda: open("own/new", "w").write("y"),
)]))
"""


@needs_sandbox
@pytest.mark.parametrize("version", [1, 2, 5])
def test_what_an_older_landlock_cannot_refuse_is_refused_by_the_filter(folder, version):
    """Versions below 3 know nothing of truncation, those below 6 nothing of signals."""
    found = run(OLD_KERNEL, folder=folder, landlock=version)
    assert found == ["PermissionError"] * 6 + ["done"] * 2
    assert (folder / "open.txt").read_text() == "x"
