"""Who lives below a process, and who is left of them."""

import contextlib
import os
import signal
import time


def no_process_is_left(pids):
    deadline = time.monotonic() + 300
    while time.monotonic() < deadline:
        alive = [pid for pid in pids if os.path.exists(f"/proc/{pid}/cmdline")]
        alive = [pid for pid in alive if state(pid) not in "ZX"]
        if not alive:
            return True
        time.sleep(0.1)
    return False


def state(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0]
    except OSError:
        return "X"


def descendants(pid):
    """All processes below one, whoever their parents are by now."""
    found, waiting = set(), [pid]
    while waiting:
        parent = waiting.pop()
        try:
            tasks = os.listdir(f"/proc/{parent}/task")
        except OSError:
            continue
        for task in tasks:
            try:
                with open(f"/proc/{parent}/task/{task}/children") as file:
                    children = {int(child) for child in file.read().split()}
            except OSError:
                continue
            waiting += children - found
            found |= children
    return found


def kill_family(pid):
    """Kill a process and all below it, at once: none is left to answer while it hears of that."""
    for member in (*descendants(pid), pid):
        with contextlib.suppress(ProcessLookupError):
            os.kill(member, signal.SIGKILL)
