"""The installed commands, in forks of a process that has imported them.

A command starts in hundredths of a second instead of seconds. It has a process, an environment, a
folder and streams of its own, as `classroom.run` gives it; what this leaves out is Python's start.
"""

import atexit
import functools
import os
import select
import subprocess
import sys
import tempfile
import traceback

from warmfork.zygote import Zygote, resolve

ENTRIES = {"fastgrade": "fastgrade.cli:main", "nbgrader": "nbgrader.apps.nbgraderapp:main"}
PRELOAD = (
    "fastgrade.cli",
    "fastgrade.course.feedback",
    "nbgrader.apps.nbgraderapp",
    "nbgrader.apps.api",
    "nbgrader.converters",
    "nbgrader.plugins",
)
#: The patience with a command, in seconds, on a machine that has much else to do.
PATIENCE = 900


@functools.cache
def _start():
    zygote = Zygote(preload=PRELOAD)
    atexit.register(zygote.close)
    return zygote


def warm_process():
    """Return the process that forks; a test may have killed the last one."""
    if _start().has_hung_up():
        _start.cache_clear()
    return _start()


def run(program, command, cwd, environment):
    """Run ``command`` as `program` in a fork, and return what it did."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        ended, running = os.pipe()
        try:
            arguments = {
                "program": program,
                "argv": [str(word) for word in command],
                "cwd": str(cwd),
                "environment": environment,
            }
            streams = [out.fileno(), err.fileno(), running]
            warm = warm_process()
            pid = warm.fork(f"{__name__}:begin", arguments, streams)
            os.close(running)
            running = -1
            in_time, _, _ = select.select([ended], [], [], PATIENCE)
            status = warm.end(pid).status
        finally:
            os.close(ended)
            if running >= 0:
                os.close(running)
        out.seek(0)
        err.seek(0)
        told = out.read().decode(), err.read().decode()
    assert in_time, f"{command} does not end: {told}"
    return subprocess.CompletedProcess(command, os.waitstatus_to_exitcode(status), *told)


def begin(arguments, descriptors):
    """Be the command; the third descriptor stays open as long as this process lives."""
    os.dup2(descriptors[0], 1)
    os.dup2(descriptors[1], 2)
    os.set_inheritable(descriptors[2], False)
    os.chdir(arguments["cwd"])
    os.environ.clear()
    os.environ.update(arguments["environment"])
    sys.argv[:] = arguments["argv"]
    try:
        status = resolve(ENTRIES[arguments["program"]])()
    except SystemExit as leaving:
        status = leaving.code
    except BaseException:
        traceback.print_exc()
        status = 1
    if isinstance(status, str):
        print(status, file=sys.stderr)
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return status if isinstance(status, int) else int(status is not None)
