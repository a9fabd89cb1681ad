"""Kernels that start in milliseconds: forks of a process that has imported everything already.

`WarmProvisioner` is a kernel provisioner of jupyter_client, so whatever starts kernels can use it
unchanged: Jupyter Book, nbgrader, nbclient, JupyterLab. Name it in a kernel specification::

    "metadata": {"kernel_provisioner": {"provisioner_name": "warm", "config": {
        "preload": ["matplotlib.pyplot", "pandas"]}}}

or choose it for every kernel through the environment::

    JUPYTER_DEFAULT_PROVISIONER_NAME=warm FASTGRADE_PRELOAD=matplotlib.pyplot,pandas

A warm kernel gives the outputs of a plain one. Where none can be had (no fork, another
interpreter, a module that cannot be imported) a plain kernel is started, and the log says why.
Preload what is installed, not what is being edited: a warm process does not see later changes.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.localinterfaces import localhost
from jupyter_client.provisioning import LocalProvisioner
from traitlets import List, Unicode, default

from warmfork.displays import forget_terminal
from warmfork.zygote import Zygote, ZygoteError

__all__ = ["WarmProvisioner"]

PRELOAD_VARIABLE = "FASTGRADE_PRELOAD"
#: Imported in every warm process: the kernel itself. Not the inline backend, which ties itself
#: to the shell that is there when it is imported.
KERNEL_MODULES = (
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.interactiveshell",
    "IPython.core.logger",
    "IPython.core.oinspect",
    "IPython.core.pylabtools",
    "IPython.extensions.storemagic",
    "ipykernel.debugger",
    "ipykernel.ipkernel",
    "ipykernel.kernelapp",
    "psutil",
    "sqlite3",
    "tornado.platform.asyncio",
    "tornado.queues",
)
#: What a numerical library reads once, while it is being imported.
_READ_AT_IMPORT = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "KERAS_BACKEND",
    "KERAS_HOME",
    "MPLCONFIGDIR",
    "MATPLOTLIBRC",
    "HOME",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
)
#: Variables of the interpreter that a fork has no need of; any other one needs a new process.
_HARMLESS = {
    "PYTHONPATH",
    "PYTHONUNBUFFERED",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONIOENCODING",
    "PYTHONNOUSERSITE",
    "PYTHON_VERSION",
}
#: The name of a socket has at most 107 characters; what comes below the folder takes up to 30.
_LONGEST_FOLDER = 75


class NoWarmKernelError(Exception):
    """Why a plain kernel has to do."""


class WarmProvisioner(LocalProvisioner):
    """Start an ipykernel as a fork of a warm process, and manage it like any local one."""

    preload = List(Unicode(), help="Modules that the warm process imports.").tag(config=True)
    _sockets: TemporaryDirectory[str] | None = None

    @default("preload")
    def _preload_from_environment(self) -> list[str]:
        return _names_in_environment()

    @classmethod
    def start_warming(cls) -> None:
        """Begin the imports that kernels of this environment will share, and do not wait.

        For a caller who knows that kernels will be asked for soon. What goes wrong is told when
        the first one is.
        """
        if _can_fork():
            names = tuple(_names_in_environment())
            threading.Thread(target=_warm_up, args=(names, dict(os.environ)), daemon=True).start()

    async def pre_launch(self, **kwargs: Any) -> dict[str, Any]:
        """Have the kernel listen on files in a folder of its own instead of on ports.

        A port is chosen before there is a kernel, and may be somebody else's by the time that the
        kernel listens: it would end at once.
        """
        manager: Any = self.parent
        if self._sockets is None and _may_use_files(manager, self.kernel_spec.argv):
            self._sockets = TemporaryDirectory(prefix="kernel-", ignore_cleanup_errors=True)
            manager.transport, manager.cache_ports = "ipc", False
            manager.ip = str(Path(self._sockets.name, "channel"))
        return await super().pre_launch(**kwargs)

    async def cleanup(self, restart: bool = False) -> None:
        """Remove what the kernel listened on, unless it will come back."""
        await super().cleanup(restart=restart)
        if self._sockets is not None and not restart:
            self._sockets.cleanup()
            self._sockets = None

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Launch a warm kernel if there can be one, a plain kernel otherwise."""
        try:
            arguments = kernel_arguments(cmd, kwargs)
            environment = dict(kwargs.get("env") or os.environ)
            process = await asyncio.to_thread(
                start, arguments, environment, kwargs, tuple(self.preload)
            )
        except NoWarmKernelError as reason:
            self.log.info("starting a plain kernel: %s", reason)
            return await super().launch_kernel(cmd, **kwargs)
        self.process = process  # type: ignore[assignment]  # has what jupyter_client uses of Popen
        self.pid = self.pgid = process.pid
        self.cwd = kwargs.get("cwd") or Path.cwd()
        return self.connection_info


def _names_in_environment() -> list[str]:
    names = os.environ.get(PRELOAD_VARIABLE, "").split(",")
    return [name.strip() for name in names if name.strip()]


def _can_fork() -> bool:
    return hasattr(os, "fork") and hasattr(os, "pidfd_open")


def _may_use_files(manager: Any, command: Sequence[str]) -> bool:
    """Return whether a kernel can listen on files, and nobody chose where it listens."""
    return (
        _can_fork()
        and "ipykernel_launcher" in command
        and manager.transport == "tcp"
        and manager.ip == localhost()
        and not any(manager.ports)
        and len(tempfile.gettempdir()) <= _LONGEST_FOLDER
    )


def kernel_arguments(cmd: Sequence[str], kwargs: Mapping[str, Any]) -> list[str]:
    """Return the arguments of an ipykernel of this interpreter.

    Raises
    ------
    NoWarmKernelError
        If the command starts anything else, or asks for what only a new process can give.
    """
    if not _can_fork():
        raise NoWarmKernelError("this system cannot fork")
    if len(cmd) < 3 or not _is_this_interpreter(cmd[0]):
        raise NoWarmKernelError(f"{cmd[0] if cmd else 'nothing'} is another interpreter")
    if list(cmd[1:3]) != ["-m", "ipykernel_launcher"]:
        raise NoWarmKernelError("the command is not `python -m ipykernel_launcher`")
    environment = kwargs.get("env") or os.environ
    strange = [name for name in environment if name.startswith("PYTHON") and name not in _HARMLESS]
    if strange:
        raise NoWarmKernelError(f"{strange[0]} is set")
    if any(kwargs.get(name) == subprocess.PIPE for name in ("stdin", "stdout", "stderr")):
        raise NoWarmKernelError("its output is asked for through a pipe")
    return list(cmd[3:])


def _is_this_interpreter(command: str) -> bool:
    from shutil import which

    found = which(command)
    # Not resolved: the interpreter of a virtual environment is a link to the one it was made from.
    return command == sys.executable or (found is not None and _same(found, sys.executable))


def _same(one: str, other: str) -> bool:
    return os.path.dirname(one) == os.path.dirname(other) and os.path.samefile(one, other)


# ------------------------------------------------------------------- the warm processes of this one

_zygotes: dict[tuple[Any, ...], tuple[Zygote, list[str]]] = {}
_lock = threading.Lock()


def start(
    arguments: list[str],
    environment: dict[str, str],
    kwargs: Mapping[str, Any],
    preload: tuple[str, ...],
) -> _Fork:
    """Fork a kernel and return it as what `subprocess.Popen` would have given."""
    request = {
        "arguments": arguments,
        "environment": environment,
        "folder": str(kwargs.get("cwd") or Path.cwd()),
    }
    try:
        try:
            return _fork(preload, request, kwargs)
        except ZygoteError:
            # It may have been ended from outside since the last kernel: a second one decides.
            _close_all()
            return _fork(preload, request, kwargs)
    except ZygoteError as error:
        raise NoWarmKernelError(str(error)) from error


def _fork(preload: tuple[str, ...], request: Mapping[str, Any], kwargs: Mapping[str, Any]) -> _Fork:
    zygote, paths = warm_process(preload, request["environment"])
    with open(os.devnull, "rb") as nothing:
        streams = [
            nothing.fileno(),
            _descriptor(kwargs.get("stdout"), 1),
            _descriptor(kwargs.get("stderr"), 2),
        ]
        pid = zygote.fork("warmfork.jupyter_kernels:serve", {**request, "paths": paths}, streams)
    return _Fork(zygote, pid)


def warm_process(
    preload: tuple[str, ...], environment: Mapping[str, str]
) -> tuple[Zygote, list[str]]:
    """Return the warm process for these modules, started once, and a plain kernel's search path.

    Raises
    ------
    ZygoteError
        If a module cannot be imported.
    """
    settings = {name: environment[name] for name in _READ_AT_IMPORT if name in environment}
    path = environment.get("PYTHONPATH", "")
    key = (os.getpid(), preload, path, tuple(sorted(settings.items())))
    with _lock:
        if key not in _zygotes:
            paths = _search_path(environment)
            _zygotes[key] = (
                Zygote(
                    preload=[*KERNEL_MODULES, *preload],
                    warm=["warmfork.jupyter_kernels:before_imports"],
                    options={"paths": paths},
                    environment=settings,
                ),
                paths,
            )
        return _zygotes[key]


def _warm_up(preload: tuple[str, ...], environment: dict[str, str]) -> None:
    with contextlib.suppress(ZygoteError, OSError):
        warm_process(preload, environment)


def _search_path(environment: Mapping[str, str]) -> list[str]:
    """Return ``sys.path`` of a plain kernel, without the folder of the notebook."""
    code = "import json, sys; print(json.dumps(sys.path[1:]))"
    # One probe a warm process: cheaper than guessing what site and .pth files add.
    found = subprocess.run(
        [sys.executable, "-c", code], env=dict(environment), capture_output=True, check=False
    )
    if found.returncode:
        raise ZygoteError(f"{sys.executable} does not start: {found.stderr.decode()[-300:]}")
    return json.loads(found.stdout)


@atexit.register
def _close_all() -> None:
    with _lock:
        for (owner, *_), (zygote, _paths) in _zygotes.items():
            if owner == os.getpid():
                zygote.close()
        _zygotes.clear()


def _descriptor(stream: Any, default: int) -> int:
    if stream is None:
        return default
    return stream if isinstance(stream, int) else stream.fileno()


class _Fork:
    """A process that is the child of the warm one, with the part of Popen that Jupyter uses."""

    stdin = stdout = stderr = None

    def __init__(self, zygote: Zygote, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._zygote = zygote
        # It stays a zombie until the warm process ends it, so the number cannot be another's.
        self._handle = os.pidfd_open(pid)

    def poll(self) -> int | None:
        """Return how the process ended, None while it runs."""
        if self.returncode is None and select.select([self._handle], [], [], 0)[0]:
            self._reap()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait until the process has ended and return how."""
        if self.returncode is None:
            if not select.select([self._handle], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("kernel", timeout or 0)
            self._reap()
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal to the process if it still runs."""
        if self.poll() is None:
            signal.pidfd_send_signal(self._handle, number)

    def terminate(self) -> None:
        """Ask the process to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the process."""
        self.send_signal(signal.SIGKILL)

    def _reap(self) -> None:
        try:
            status = self._zygote.end(self.pid).status
            self.returncode = os.waitstatus_to_exitcode(status)
        except ZygoteError:
            self.returncode = -signal.SIGKILL
        os.close(self._handle)


# ------------------------------------------------------------------------------ in the warm process


def before_imports(options: Mapping[str, Any]) -> None:
    """Give the imports the search path that a plain kernel has."""
    sys.path[:] = options["paths"]


def serve(arguments: Mapping[str, Any], descriptors: Sequence[int]) -> int:
    """Become a kernel: take on what a new process would have been started with, and run."""
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(arguments["environment"])
    time.tzset()
    os.chdir(arguments["folder"])
    sys.path[:] = with_folder(arguments["paths"])
    launcher = next(
        (path for path in map(_launcher, sys.path) if path.exists()), Path("ipykernel_launcher.py")
    )
    sys.argv[:] = [str(launcher), *arguments["arguments"]]
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    _draw_new_random_numbers()
    _forget_backend()
    forget_terminal()

    from ipykernel.kernelapp import IPKernelApp

    try:
        # The class read the parent's number when the warm process imported it.
        IPKernelApp.launch_instance(argv=list(arguments["arguments"]), parent_handle=os.getppid())
    finally:
        atexit._run_exitfuncs()
        for stream in (sys.__stdout__, sys.__stderr__):
            if stream is not None:
                stream.flush()
    return 0


def with_folder(paths: Sequence[str]) -> list[str]:
    """Return the search path with the notebook's folder where IPython puts it.

    IPython itself would not: the warm process is isolated, which it takes for a wish.

    Examples
    --------
    >>> with_folder(["lib", "site-packages", "more"])
    ['lib', '', 'site-packages', 'more']
    """
    place = next(
        (
            number
            for number, path in enumerate(paths)
            if Path(path).name in {"site-packages", "dist-packages"}
        ),
        0,
    )
    return [*paths[:place], "", *paths[place:]]


def _launcher(folder: str) -> Path:
    return Path(folder, "ipykernel_launcher.py")


def _draw_new_random_numbers() -> None:
    """Seed NumPy's global generator anew: forks would all draw the same numbers.

    Python's own generator is seeded by `os.fork`.
    """
    if "numpy.random" in sys.modules:
        sys.modules["numpy.random"].seed()


def _forget_backend() -> None:
    """Let matplotlib choose its backend as if it were imported now.

    It looked at the environment when the warm process imported it, before there was a kernel.
    """
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    if "matplotlib" in sys.modules:
        sys.modules["matplotlib"].rcParams["backend"] = os.environ["MPLBACKEND"]
