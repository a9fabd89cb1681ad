"""A Dask cluster on this machine, and how to wait for it."""

import contextlib
import json
import os
import signal
import subprocess
import time

from fastgrade.batch.certificates import flags, make
from tests.fastgrade.classroom import BIN, environment
from tests.processes import descendants


def finish(pool, number, patience=600):
    """Wait until so many outcomes are there."""
    found = {}
    deadline = time.monotonic() + patience
    while len(found) < number and time.monotonic() < deadline:
        for outcome in pool.wait(0.5):
            assert outcome.number not in found, "one outcome a task"
            found[outcome.number] = outcome
    assert len(found) == number
    return found


def own_port(file):
    """Arguments that let a Dask scheduler choose its ports, and write the address into a file."""
    return "--port", "0", "--dashboard-address", ":0", "--scheduler-file", str(file)


def told_address(file, scheduler):
    """Wait for the address that a Dask scheduler writes into a file."""
    patience = time.monotonic() + 600
    while time.monotonic() < patience:
        with contextlib.suppress(OSError, ValueError):  # not there yet, or half of it
            return json.loads(file.read_text())["address"]
        assert scheduler.poll() is None, "the scheduler has ended"
        time.sleep(0.05)
    raise AssertionError("the scheduler does not tell its address")


def wait_for_workers(address, certificates, number):
    from distributed import Client, Security

    one, _, key = flags(certificates).values()
    security = Security(
        require_encryption=True, tls_ca_file=one, tls_client_cert=one, tls_client_key=key
    )
    with Client(address, timeout="600s", set_as_default=False, security=security) as client:
        client.wait_for_workers(number, timeout=600)


class Cluster:
    """A Dask scheduler and two workers, each a process of its own, on loopback."""

    def __init__(self, folder):
        self.folder = folder
        self.processes = []
        self.certificates = folder / "certificates"
        make(self.certificates)
        file = folder / "scheduler.json"
        pools = self.start("scheduler", "--protocol", "tls", "--host", "127.0.0.1", *own_port(file))
        self.address = told_address(file, pools)

    def start(self, kind, *arguments):
        for name, path in flags(self.certificates).items():
            arguments += (f"--{name}", path)
        log = open(self.folder / f"{kind}-{len(self.processes)}.log", "wb")  # noqa: SIM115
        process = subprocess.Popen(
            [str(BIN / "dask"), kind, *arguments],
            cwd=self.folder,
            env=environment(),
            stdout=log,
            stderr=log,
        )
        log.close()
        self.processes.append(process)
        return process

    def start_worker(self):
        return self.start(
            "worker", self.address, "--nworkers", "1", "--nthreads", "1", "--no-dashboard"
        )

    def wait_for(self, workers):
        wait_for_workers(self.address, self.certificates, workers)

    def stop(self):
        for process in reversed(self.processes):
            below = descendants(process.pid)
            process.terminate()
            try:
                process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            for pid in below:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
