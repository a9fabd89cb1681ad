"""Where tests run in the judge, and what they cannot find there: the notebook's own names.

A test that looks through `globals()`, asks `dir()` for a name or evaluates a text sees the names of
the notebook in stock nbgrader. Here those are in another process. What would be told of the judge's
own names might be wrong, so such a look has no answer.
"""

from __future__ import annotations

import builtins
import sys
import types
from collections.abc import Callable
from typing import Any

__all__ = ["Namespace"]


class Namespace(types.ModuleType):
    """The module ``__main__`` of the judge; its `unable` makes the error that tells of a look."""

    # No name of the module, whatever tests call theirs.
    __slots__ = ("unable",)
    unable: Callable[[str], Exception] | None

    def __init__(self) -> None:
        super().__init__("__main__")
        self.unable = None
        self.refresh()

    def refresh(self) -> None:
        """Let code of this module have Python's functions as they are now, but for a few."""
        own = {name: self._looking(name) for name in ("globals", "locals", "vars", "dir")}
        own |= {name: self._evaluating(name) for name in ("eval", "exec")}
        self.__dict__["__builtins__"] = {**vars(builtins), **own}

    def __getattr__(self, name: str) -> Any:
        if not name.startswith("__"):
            self._refuse(f"the attribute {name} of __main__")
        raise AttributeError(name)

    def _refuse(self, what: str) -> None:
        if self.unable is not None:
            raise self.unable(f"a test looks at {what}, and only the notebook has all of its names")

    def _looking(self, name: str) -> Callable[..., Any]:
        original = getattr(builtins, name)

        def look(*args: Any) -> Any:
            if args:
                return original(*args)
            frame = sys._getframe(1)
            if name == "globals" or frame.f_locals is frame.f_globals:
                self._refuse(f"{name}()")
            if name == "globals":
                return frame.f_globals
            return sorted(frame.f_locals) if name == "dir" else frame.f_locals

        return look

    def _evaluating(self, name: str) -> Callable[..., Any]:
        original = getattr(builtins, name)

        def evaluate(source: Any, *scope: Any) -> Any:
            if not scope:
                self._refuse(f"{name}()")
                frame = sys._getframe(1)
                scope = frame.f_globals, frame.f_locals
            return original(source, *scope)

        return evaluate
