"""The shell of a notebook's kernel, without the kernel.

Cells run in the class that a kernel runs them in, so that figures, tables, text and tracebacks come
out as they would there. What the kernel would publish goes to whoever made the shell.
"""

from __future__ import annotations

import builtins
import getpass
import os
import sys
import types
from collections.abc import Callable
from typing import Any

from ipykernel.compiler import XCachingCompiler, get_file_name
from ipykernel.kernelbase import Kernel
from ipykernel.zmqshell import ZMQInteractiveShell
from jupyter_client.session import Session
from traitlets.config import Config

__all__ = ["make_shell", "refuse_input"]

_NO_COMMANDS = "Shell commands are not run while a notebook is graded; the notebook goes on."


class _Compiler(XCachingCompiler):
    """Names cells as a kernel does, wherever the temporary folder is."""

    def get_code_name(self, raw_code: str, code: str, number: int) -> str:
        return f"/tmp/ipykernel_{os.getpid()}/{os.path.basename(get_file_name(raw_code))}"


class _Shell(ZMQInteractiveShell):
    """A kernel's shell that needs no event loop and runs no commands."""

    @property  # type: ignore[misc]  # IPython may set it; here it is made when it is read
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


def make_shell(publish: Callable[[str, dict[str, Any]], None]) -> Any:
    """Return the shell, warm and as good as new.

    Parameters
    ----------
    publish : callable
        Called with the type and the content of each message that a kernel would send.
    """

    class Wire(Session):
        """Hands on what a kernel sends."""

        def send(
            self, stream: Any, msg_or_type: Any, content: Any = None, *a: Any, **k: Any
        ) -> Any:
            if isinstance(msg_or_type, str):
                publish(msg_or_type, content)
            else:
                publish(msg_or_type["msg_type"], msg_or_type["content"])

    config = Config()
    config.HistoryManager.enabled = False
    config.IPKernelApp = Config()  # some libraries tell a notebook from a console by this name
    shell: Any = _Shell.instance(config=config, compiler_class=_Compiler)
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
    # A cell that runs now leaves nothing behind but warm caches.
    for code in ("1 + 1", "raise ValueError('warm')"):
        shell.run_cell(code, store_history=False)
    shell.reset(new_session=True)
    shell.execution_count = 1
    shell.last_traceback = None
    for name in ("last_type", "last_value", "last_exc"):
        sys.__dict__.pop(name, None)
    return shell


def refuse_input() -> None:
    """Make `input` and `getpass` fail as where nobody sits at the notebook."""
    nobody = types.SimpleNamespace(_allow_stdin=False)
    builtins.input = types.MethodType(Kernel.raw_input, nobody)
    getpass.getpass = types.MethodType(Kernel.getpass, nobody)
