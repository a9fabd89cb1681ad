"""The warm process: forks on request, passes files, ends all that it started."""

import json
import mmap
import os
import signal
import socket
import threading
import time

import pytest

from warmfork import processes
from warmfork.channel import Channel, ChannelError
from warmfork.zygote import Zygote, ZygoteError

PROGRAM = """
import os, socket, sys, time
from warmfork import processes
from warmfork.channel import Channel

def before_imports(options):
    options["seen"] = "json" in sys.modules

def after(options):
    global greeting
    greeting = options["greeting"]

def talk(arguments, descriptors):
    channel = Channel(socket.socket(fileno=descriptors[0]))
    channel.send({"greeting": greeting, "arguments": arguments, "pid": os.getpid(),
                  "environment": sorted(os.environ)})
    return 7

def family(arguments, descriptors):
    children = []
    for _ in range(3):
        pid = os.fork()
        if pid == 0:
            time.sleep(1000)
        children.append(pid)
    Channel(socket.socket(fileno=descriptors[0])).send({"children": children})
    time.sleep(1000)

def hoard(arguments, descriptors):
    import mmap
    def fill():
        where = mmap.mmap(-1, 16 << 20, arguments["flags"])
        for page in range(0, len(where), 4096):
            where[page] = 1
        return where
    held = [fill()]
    told, telling = os.pipe()
    for _ in range(4):
        if os.fork() == 0:
            held += [fill()] if arguments["own"] else []
            os.write(telling, b"1")
            time.sleep(1000)
    count = 0
    while count < 4:
        count += len(os.read(told, 4))
    Channel(socket.socket(fileno=descriptors[0])).send({})
    time.sleep(1000)

def daemon(arguments, descriptors):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            Channel(socket.socket(fileno=descriptors[0])).send({"pid": os.getpid()})
            time.sleep(1000)
        os._exit(0)
    time.sleep(1000)
"""


@pytest.fixture(scope="module")
def zygote(tmp_path_factory):
    folder = tmp_path_factory.mktemp("zygote")
    (folder / "warm_program.py").write_text(PROGRAM)
    os.environ["PATH_TO_TEST_SECRET"] = "secret"
    import sys

    sys.path.append(str(folder))
    warm = ["warm_program:before_imports", "warm_program:after"]
    try:
        with Zygote(["colorsys"], warm, {"greeting": "hello"}, {"EXTRA": "1"}) as zygote:
            yield zygote
    finally:
        sys.path.remove(str(folder))
        del os.environ["PATH_TO_TEST_SECRET"]


def fork(zygote, entry, **arguments):
    ours, theirs = socket.socketpair()
    pid = zygote.fork(f"warm_program:{entry}", arguments, [theirs.fileno()])
    theirs.close()
    return pid, Channel(ours)


def test_forks_get_arguments_files_and_what_was_warmed(zygote):
    pid, channel = fork(zygote, "talk", number=3)
    message, _ = channel.receive()
    assert message["greeting"] == "hello"
    assert message["arguments"] == {"number": 3}
    assert message["pid"] == pid
    assert "EXTRA" in message["environment"]
    assert "PATH_TO_TEST_SECRET" not in message["environment"]
    with pytest.raises(EOFError):
        channel.receive()
    assert os.waitstatus_to_exitcode(zygote.end(pid).status) in (7, -signal.SIGKILL)


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def test_the_whole_family_is_ended_and_waited_for(zygote):
    pid, channel = fork(zygote, "family")
    children = channel.receive()[0]["children"]
    assert len(children) == 3
    assert all(map(alive, [pid, *children]))
    zygote.end(pid)
    assert not any(map(alive, [pid, *children]))


@pytest.mark.parametrize("flags", ["MAP_PRIVATE", "MAP_SHARED"])
@pytest.mark.parametrize(("own", "expected"), [(False, 16), (True, 5 * 16)])
def test_memory_that_forks_share_counts_once(zygote, flags, own, expected):
    flags = getattr(mmap, flags) | mmap.MAP_ANONYMOUS
    pid, channel = fork(zygote, "hoard", flags=flags, own=own)
    channel.receive()
    told = zygote.use(pid, 10 << 20).memory / 2**20
    zygote.end(pid)
    # What the warm process holds is shared too, and taken off: it may have been copied since.
    assert expected - 8 < told < expected + 16


def test_memory_is_not_counted_many_times_where_the_system_hides_what_is_shared(monkeypatch):
    held = {1: 100, 2: 90, 3: 80}
    monkeypatch.setattr(processes, "memory", lambda pid: held[pid])
    monkeypatch.setattr(processes, "share", lambda pid: None)
    assert processes.memory_of([1, 2, 3], common=50, enough=60) == 50
    assert processes.memory_of([1, 2, 3], common=50, enough=200) == 50 + 40 + 30


def test_daemons_are_ended_when_that_is_asked_for(zygote):
    pid, channel = fork(zygote, "daemon")
    daemon = channel.receive()[0]["pid"]
    other, talking = fork(zygote, "family")
    children = talking.receive()[0]["children"]
    zygote.end(pid)
    assert alive(daemon), "it has left its group"
    again, channel = fork(zygote, "daemon")
    second = channel.receive()[0]["pid"]
    zygote.end(again, sweep=True)
    assert not any(map(alive, [daemon, second]))
    assert all(map(alive, [other, *children])), "what is under way goes on"
    zygote.end(other)


def test_only_members_of_the_family_are_ended_by_number(zygote):
    pid, channel = fork(zygote, "family")
    child = channel.receive()[0]["children"][0]
    assert not zygote.end_child(pid, os.getpid())
    assert not zygote.end_child(pid, pid)
    for nobody in (2**22 + 5, 2**70, 0, -1):
        assert not zygote.end_child(pid, nobody)
    assert zygote.end_child(pid, child)
    deadline = time.monotonic() + 60
    while alive(child) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not alive(child)
    zygote.end(pid)


def test_unknown_processes_are_not_touched(zygote):
    with pytest.raises(ZygoteError, match="no process"):
        zygote.end(os.getpid())
    with pytest.raises(ZygoteError, match="no process"):
        zygote.interrupt(1)


def test_a_zygote_that_dies_is_reported():
    with Zygote() as zygote:
        os.kill(zygote.ready["pid"], signal.SIGKILL)
        with pytest.raises(ZygoteError, match="has ended"):
            zygote.fork("os:getcwd", {})


def test_a_zygote_that_lost_its_keeper_hangs_up():
    with Zygote() as zygote:
        zygote._process.kill()
        # It hears of that a moment later.
        deadline = time.monotonic() + 30
        while alive(zygote.ready["pid"]) and time.monotonic() < deadline:
            time.sleep(0.01)
        with pytest.raises(ZygoteError, match="has ended"):
            zygote.fork("os:getcwd", {})


def test_a_zygote_that_lost_its_keeper_has_time_to_clear_up(zygote):
    """Only it knows who has left its session."""
    with Zygote(warm=["warm_program:after"], options={"greeting": ""}) as other:
        daemon = fork(other, "daemon")[1].receive()[0]["pid"]
        warm = other.ready["pid"]
        os.kill(warm, signal.SIGSTOP)
        other._process.kill()
        threading.Timer(0.5, os.kill, (warm, signal.SIGCONT)).start()
    assert not alive(daemon)


def test_forks_end_with_their_zygote(tmp_path, zygote):
    with Zygote(warm=["warm_program:after"], options={"greeting": ""}) as other:
        pid, channel = fork(other, "family")
        children = channel.receive()[0]["children"]
    assert not any(map(alive, [pid, *children]))


@pytest.mark.parametrize("data", [b"\0\0\0\1{", b"\0\0\0\2[]", b"\0\0\0\4" + b"\xff" * 4])
def test_what_is_no_message_is_refused(data):
    ours, theirs = socket.socketpair()
    channel = Channel(ours)
    theirs.sendall(data)
    with pytest.raises(ChannelError):
        channel.feed()


def test_long_messages_are_refused_before_they_arrive():
    ours, theirs = socket.socketpair()
    theirs.sendall(b"\xff\xff\xff\xff")
    with pytest.raises(ChannelError, match="at most 100"):
        Channel(ours, 100).receive()


def test_messages_are_put_together_from_pieces():
    ours, theirs = socket.socketpair()
    channel = Channel(ours)
    data = json.dumps({"a": 1}).encode()
    frame = len(data).to_bytes(4, "big") + data
    assert channel.feed() == []
    theirs.sendall(frame[:3])
    assert channel.feed() == []
    theirs.sendall(frame[3:] + frame + frame[:5])
    assert channel.feed() == [{"a": 1}, {"a": 1}]
    theirs.sendall(frame[5:])
    assert channel.feed() == [{"a": 1}]
    theirs.close()
    with pytest.raises(EOFError):
        channel.feed()
