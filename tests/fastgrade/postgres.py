"""A PostgreSQL server on this machine: the real one, started for the tests."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.machine import postgres_programs


@contextlib.contextmanager
def server():
    """A server on loopback, run by an ordinary user, for PostgreSQL refuses root."""
    where = postgres_programs()
    if where is None:
        pytest.fail("no PostgreSQL server is installed: python -m tests.machine", pytrace=False)
    user = {"user": "nobody", "group": "nogroup"} if os.geteuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="fastgrade-postgres-"))
    if user:
        shutil.chown(folder, **user)
    data = str(folder / "data")

    def call(program, *arguments):
        done = subprocess.run(
            [str(where / program), *arguments],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=900,
            extra_groups=[] if user else None,
            **user,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def start():
        """Start the server; return its port. One that was free may be taken by then."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        options = f"-h 127.0.0.1 -p {port} -k {folder} -c fsync=off"
        log = folder / f"log-{port}"
        try:
            call(
                *("pg_ctl", "-D", data, "-w", "-t", "600", "-l", str(log), "-o", options),
                "start",
            )
        except AssertionError:
            if "could not bind" not in log.read_text():
                raise
            return start()
        return port

    try:
        call("initdb", "-D", data, "-U", "teacher", "--auth=trust", "-E", "UTF8", "--no-sync")
        port = start()
        try:
            yield (
                f"127.0.0.1:{port}",
                lambda name: call(
                    "createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "teacher", name
                ),
            )
        finally:
            call("pg_ctl", "-D", data, "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
