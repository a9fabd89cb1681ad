"""The student's process: runs solution cells and lets the judge call what they defined.

It is a fork of a warm process in which no test and no answer was ever loaded. It confines itself
before it sees the first line of student code. Cells run in the same IPython shell class as in a
notebook kernel, so that figures, tables, text and tracebacks come out as they would there; what
the kernel would publish goes to the grader instead. Where tests stand the process forks; the fork
stays in that place, forks again for each question, and serves the last of them itself.
"""

from __future__ import annotations

import builtins
import contextlib
import getpass
import io
import os
import re
import signal
import socket
import sys
import tempfile
import traceback
import types
from collections.abc import Mapping, Sequence
from typing import Any

from fastgrade.rpc import protocol, student_side
from fastgrade.sandbox.confine import REFUSED, confine, prepare
from fastgrade.sandbox.imports import Guard, module_paths
from fastgrade.sandbox.landlock import ReadableTree, loaded_packages, python_roots
from fastgrade.settings import Limits
from warmfork import processes
from warmfork.channel import Channel
from warmfork.displays import forget_terminal

__all__ = ["before_imports", "main", "warm_up"]

_NO_COMMANDS = "Shell commands are not run while a notebook is graded; the notebook goes on."

_guard: Guard
_tree: ReadableTree | None = None
_shell: Any = None
_raw_input: Any = None
_getpass: Any = None


# --------------------------------------------------------------------------- in the warm process


def before_imports(options: Mapping[str, Any]) -> None:
    """Refuse forbidden modules from the first import on, so that none is ever in memory."""
    global _guard
    _guard = Guard(options["forbidden_modules"])
    options["forbidden_paths"].extend(module_paths(_guard.names))
    _guard.install()


def warm_up(options: Mapping[str, Any]) -> None:
    """Make the shell, and open what every submission may read."""
    global _tree
    _make_shell()
    forget_terminal()
    if "matplotlib" in sys.modules:
        import matplotlib.backends.backend_agg
        import matplotlib.pyplot  # noqa: F401
        import matplotlib_inline.backend_inline  # noqa: F401  registers itself with the shell
        import PIL.Image

        PIL.Image.preinit()  # the first picture would import the formats
    if options["level"] in ("sandbox", "namespaces"):
        _tree = ReadableTree(
            [*python_roots(), *options["readable"], *loaded_packages()],
            options["forbidden_paths"],
        )
        prepare(_tree)


def _make_shell() -> None:
    """Make the shell of a kernel without the kernel."""
    global _shell, _raw_input, _getpass
    from ipykernel.compiler import XCachingCompiler, get_file_name
    from ipykernel.kernelbase import Kernel
    from ipykernel.zmqshell import ZMQInteractiveShell
    from jupyter_client.session import Session
    from traitlets.config import Config

    class Wire(Session):
        """Hands what a kernel publishes to the grader."""

        def send(
            self, stream: Any, msg_or_type: Any, content: Any = None, *a: Any, **k: Any
        ) -> Any:
            if isinstance(msg_or_type, str):
                _channel.publish(msg_or_type, content)
            else:
                _channel.publish(msg_or_type["msg_type"], msg_or_type["content"])

    class Compiler(XCachingCompiler):
        """Names cells as a kernel does, wherever the temporary folder is."""

        def get_code_name(self, raw_code: str, code: str, number: int) -> str:
            return f"/tmp/ipykernel_{os.getpid()}/{os.path.basename(get_file_name(raw_code))}"

    class Shell(ZMQInteractiveShell):
        """A kernel's shell that needs no event loop and runs no commands."""

        @property
        def db(self) -> Any:
            if getattr(self, "_db", None) is None:
                from IPython.external.pickleshare import PickleShareDB

                self._db = PickleShareDB(os.path.join(os.environ["IPYTHONDIR"], "db"))
            return self._db

        def enable_gui(self, gui: str | None = None) -> None:
            self.active_eventloop = gui

        def system(self, command: str, *more: Any) -> None:
            told = command if len(command) <= 80 else command[:77] + "..."
            print(f"Not run: {told}\n{_NO_COMMANDS}", file=sys.stderr)
            self.user_ns["_exit_code"] = 127

        def getoutput(self, command: str, split: bool = True, depth: int = 0) -> Any:
            self.system(command)
            return [] if split else ""

    _raw_input, _getpass = Kernel.raw_input, Kernel.getpass
    config = Config()
    config.HistoryManager.enabled = False
    config.IPKernelApp = Config()  # some libraries tell a notebook from a console by this name
    shell = Shell.instance(config=config, compiler_class=Compiler)
    session = Wire(key=b"", username="student")
    for publisher in (shell.display_pub, shell.displayhook):
        publisher.session = session
        publisher.pub_socket = None
    shell.displayhook.topic = b"execute_result"
    shell.user_ns["__name__"] = "__main__"
    # %%bash and its like: all of them go through one method.
    scripts = shell.magics_manager.registry["ScriptMagics"]
    scripts.shebang = shell.system
    shell.magics_manager.magics["cell"]["script"] = shell.system
    _shell = shell
    # A cell that runs now leaves nothing behind but warm caches.
    global _channel
    _channel = _Nowhere()
    for code in ("1 + 1", "raise ValueError('warm')"):
        shell.run_cell(code, store_history=False)
    shell.reset(new_session=True)
    shell.execution_count = 1
    shell.last_traceback = None
    for name in ("last_type", "last_value", "last_exc"):
        sys.__dict__.pop(name, None)


# --------------------------------------------------------------------------- the fork


class _Nowhere:
    def publish(self, kind: str, content: Mapping[str, Any]) -> None:
        pass


class _Output(Channel):
    """The channel to the grader, which also carries what cells print and display."""

    def __init__(self, connection: socket.socket, cap: int):
        super().__init__(connection)
        self._cap = cap
        self._left = cap

    def begin(self) -> None:
        """Allow the next cell its full share of output."""
        self._left = self._cap

    def publish(self, kind: str, content: Mapping[str, Any]) -> None:
        """Send one output, unless the cell has used up its share."""
        if self._left < 0:
            return
        size = sum(len(str(value)) for value in content.values())
        self._left -= size
        if self._left < 0:
            self.send({"say": "cut"})
        else:
            self.send({"say": kind, "content": content})


_channel: Any = _Nowhere()


class _Stream(io.TextIOBase):
    """`sys.stdout` and `sys.stderr` as a kernel has them: text that is published when flushed."""

    encoding = "UTF-8"
    errors = "strict"

    def __init__(self, name: str, descriptor: int):
        self.name = name
        self._descriptor = descriptor
        self._parts: list[str] = []
        self._size = 0

    def writable(self) -> bool:
        return True

    def isatty(self) -> bool:
        return False

    def fileno(self) -> int:
        return self._descriptor

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text)}")
        self._parts.append(text)
        self._size += len(text)
        if self._size > 32768:
            self.flush()
        return len(text)

    def flush(self) -> None:
        if self._parts:
            text = "".join(self._parts)
            self._parts.clear()
            self._size = 0
            _channel.publish("stream", {"name": self.name, "text": text})


def main(arguments: Mapping[str, Any], descriptors: Sequence[int]) -> int:
    """Serve the grader until it hangs up.

    Parameters
    ----------
    arguments : mapping
        ``folder``, ``limits``, ``level``, ``identity``.
    descriptors : sequence of int
        Socket to the grader, and pipes for what C code writes to stdout and stderr.
    """
    global _channel
    limits = Limits(**arguments["limits"])
    control = socket.socket(fileno=descriptors[0])
    null = os.open(os.devnull, os.O_RDONLY)
    for source, target in ((null, 0), (descriptors[1], 1), (descriptors[2], 2)):
        os.dup2(source, target)
        os.close(source)
    folder = arguments["folder"]
    os.chdir(folder)
    os.environ.update(
        HOME=folder, TMPDIR=folder, IPYTHONDIR=os.path.join(folder, ".ipython"), PWD=folder
    )
    tempfile.tempdir = None
    if "matplotlib" not in sys.modules:  # else it has its list of fonts already
        os.environ["MPLCONFIGDIR"] = os.path.join(folder, ".matplotlib")
    sys.path.insert(0, "")
    _channel = _Output(control, limits.output_bytes)
    try:
        listener = confine(
            limits,
            _tree,
            [folder, os.devnull],
            level=arguments["level"],
            identity=arguments["identity"],
            keep_reading=_tree is not None and not _tree.is_public(),
        )
    except Exception as error:
        _channel.send({"say": "failed", "why": str(error)})
        return 1
    passed = [] if listener is None else [listener]
    _channel.send({"say": "ready"}, passed)
    if listener is not None:
        os.close(listener)
    sys.stdout, sys.stderr = _Stream("stdout", 1), _Stream("stderr", 2)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115  lives as long as the process
    builtins.input = types.MethodType(_raw_input, types.SimpleNamespace(_allow_stdin=False))
    getpass.getpass = types.MethodType(_getpass, types.SimpleNamespace(_allow_stdin=False))
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)
    with contextlib.suppress(EOFError, BrokenPipeError):
        while True:
            request, passed = _channel.receive()
            if request["do"] == "run":
                _run(request)
            elif request["do"] == "hold" and _fork():
                _channel.close()
                _channel = Channel(socket.socket(fileno=passed.pop()))
            elif request["do"] == "question" and (request["last"] or _fork()):
                with contextlib.suppress(BaseException):
                    _question(passed, limits)
                os._exit(0)
            for descriptor in passed:
                os.close(descriptor)
    return 0


def _fork() -> bool:
    """Fork; return whether this is the child. A submission may have used up its processes."""
    try:
        return processes.fork() == 0
    except OSError:
        return False


def _is_refusal(error: BaseException | None) -> bool:
    """Tell whether an error is, or comes from, what the sandbox refuses."""
    for _ in range(20):  # an answer may have tied errors into a ring
        if error is None or isinstance(error, (PermissionError, socket.gaierror)):
            break
        error = error.__cause__ or error.__context__
    return isinstance(error, (PermissionError, socket.gaierror))


def _run(request: Mapping[str, Any]) -> None:
    _channel.begin()
    _shell.execution_count = request["count"]
    scope = _guard.instructor() if request["instructor"] else contextlib.nullcontext()
    failed = True
    try:
        with scope:
            result = _shell.run_cell(request["code"], store_history=True)
        failed = not result.success
        if _is_refusal(result.error_in_exec):
            print(REFUSED, file=sys.stderr)
    except BaseException as error:  # an interrupt that came between cell and shell
        _shell.showtraceback((type(error), error, error.__traceback__))
    finally:
        with contextlib.suppress(BaseException):
            sys.stdout.flush()
            sys.stderr.flush()
        _channel.send({"say": "done", "failed": failed})


def _question(descriptors: Sequence[int], limits: Limits) -> None:
    """Serve the judge in a fork of its own."""
    global _channel
    judge, control = (socket.socket(fileno=descriptor) for descriptor in descriptors)
    _channel.close()
    _channel = _Output(control, limits.output_bytes)
    _channel.send({"say": "forked", "pid": os.getpid()})
    limit = limits.message_mb << 20
    student_side.StudentPeer(judge, limit, _shell.user_ns, _describe).serve_forever()
    with contextlib.suppress(BaseException):
        sys.stdout.flush()
        sys.stderr.flush()
    _channel.send({"say": "bye"})


def _describe(error: BaseException) -> tuple[list[str], int | None, str]:
    """Return the traceback of student code as a notebook would show it, and its innermost line."""
    frames = error.__traceback__
    engine = (__file__, student_side.__file__, protocol.__file__)
    while frames is not None and frames.tb_frame.f_code.co_filename in engine:
        frames = frames.tb_next
    if frames is None:
        return [f"{type(error).__name__}: {error}"[:2000]], None, ""
    lines = _shell.InteractiveTB.structured_traceback(type(error), error, frames)
    number, source = None, ""
    for frame in traceback.extract_tb(frames):
        if re.search(r"ipykernel_|<ipython-input", frame.filename):
            number, source = frame.lineno, frame.line or ""
    return [str(line)[:20_000] for line in lines][:200], number, source
