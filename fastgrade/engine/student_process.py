"""The student's process: runs solution cells and lets the judge call what they defined.

It is a fork of a warm process in which no test and no answer was ever loaded. It confines itself
before it sees the first line of student code. Cells run in a kernel's shell (`student_shell`), and
what they show goes to the grader (`student_outputs`). Where tests stand the process forks; the fork
stays in that place, forks again for each question, and serves the last of them itself.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import sys
import tempfile
import traceback
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from fastgrade.engine import imports
from fastgrade.engine.student_outputs import Output, Stream
from fastgrade.rpc import protocol, student_side
from fastgrade.sandbox.confine import REFUSED, confine, prepare
from fastgrade.sandbox.imports import Guard, module_paths
from fastgrade.sandbox.landlock import ReadableTree, loaded_packages, python_roots
from fastgrade.sandbox.namespaces import own_folder, show_only
from fastgrade.sandbox.seccomp import keep_descriptors
from fastgrade.settings import Limits
from warmfork import processes
from warmfork.channel import Channel
from warmfork.displays import forget_terminal

__all__ = ["before_imports", "main", "warm_up"]

_guard: Guard
_tree: ReadableTree | None = None
_shell: Any = None
_channel: Any = None


def _publish(kind: str, content: Mapping[str, Any]) -> None:
    if _channel is not None:
        _channel.publish(kind, content)


# --------------------------------------------------------------------------- in the warm process


def before_imports(options: Mapping[str, Any]) -> None:
    """Refuse forbidden modules from the first import on, so that none is ever in memory."""
    global _guard
    _guard = Guard(options["forbidden_modules"])
    options["forbidden_paths"].extend(module_paths(_guard.names))
    _guard.install()


def warm_up(options: Mapping[str, Any]) -> None:
    """Make the shell, and open what every submission may read."""
    global _tree, _shell
    from fastgrade.engine.student_shell import make_shell  # nothing of Jupyter before the guard

    _shell = make_shell(_publish)
    forget_terminal()
    imports.load(options["imports"], options["forbidden_paths"])
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
    if _tree is not None and options["level"] == "namespaces":
        show_only(
            _tree.whole(), [*sys.path, *python_roots(), *options["readable"]], options["place"]
        )


# --------------------------------------------------------------------------- the fork


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
    _channel = Output(control, limits.output_bytes)
    try:
        if arguments["level"] == "namespaces":
            own_folder(
                arguments["folder"],
                limits.disk_mb << 20,
                arguments["identity"],
                arguments["place"],
            )
        _move_into(arguments["folder"])
        listener = confine(
            limits,
            _tree,
            [arguments["folder"], os.devnull],
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
    if arguments["level"] in ("sandbox", "namespaces"):
        keep_descriptors()
    _open_streams()
    with contextlib.suppress(EOFError, BrokenPipeError):
        _serve(limits)
    return 0


def _move_into(folder: str) -> None:
    """Make a folder the place where this process works and keeps whatever it keeps."""
    os.chdir(folder)
    os.environ.update(
        HOME=folder, TMPDIR=folder, IPYTHONDIR=os.path.join(folder, ".ipython"), PWD=folder
    )
    tempfile.tempdir = None
    if "matplotlib" not in sys.modules:  # else it has its list of fonts already
        os.environ["MPLCONFIGDIR"] = os.path.join(folder, ".matplotlib")
    sys.path.insert(0, "")


def _open_streams() -> None:
    from fastgrade.engine.student_shell import refuse_input

    sys.stdout, sys.stderr = Stream("stdout", 1, _publish), Stream("stderr", 2, _publish)
    sys.stdin = open(0, closefd=False)  # noqa: SIM115  lives as long as the process
    refuse_input()
    signal.signal(signal.SIGXCPU, signal.SIG_DFL)


def _serve(limits: Limits) -> NoReturn:
    global _channel
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
    try:
        with scope:
            result = _shell.run_cell(request["code"], store_history=True)
        if _is_refusal(result.error_in_exec):
            print(REFUSED, file=sys.stderr)
    except BaseException as error:  # an interrupt that came between cell and shell
        _shell.showtraceback((type(error), error, error.__traceback__))
    finally:
        with contextlib.suppress(BaseException):
            sys.stdout.flush()
            sys.stderr.flush()
        _channel.send({"say": "done"})


def _question(descriptors: Sequence[int], limits: Limits) -> None:
    """Serve the judge in a fork of its own."""
    global _channel
    judge, control = (socket.socket(fileno=descriptor) for descriptor in descriptors)
    _channel.close()
    _channel = Output(control, limits.output_bytes)
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
