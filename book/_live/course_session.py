"""Cells of a page, run as IPython would run them, for Python in a browser.

A session is a namespace that cells share. What a cell prints, displays and ends with becomes
outputs of the form that notebooks have (nbformat 4).
"""

from __future__ import annotations
import __future__ as future

import ast
import base64
import builtins
import contextlib
import html
import importlib
import importlib.abc
import importlib.machinery
import io
import json
import linecache
import os
import re
import sys
import traceback
import types
from collections.abc import Callable, Iterator
from typing import Any

Output = dict[str, Any]

#: The representations that a page can show, by the method that gives them.
METHODS = {
    "_repr_html_": "text/html",
    "_repr_markdown_": "text/markdown",
    "_repr_svg_": "image/svg+xml",
    "_repr_png_": "image/png",
    "_repr_latex_": "text/latex",
}
#: Beyond this a cell's text is cut: a page with millions of lines stops answering.
LONGEST = 200_000
#: A line that imports what draws: ten megabytes, which words about it must not fetch.
DRAWS = re.compile(r"^\s*(?:from|import)\b.*\b(?:matplotlib|plotting)\b", re.MULTILINE)
#: What NumPy says of an array that no memory of 32 bits could hold.
BEYOND = re.compile("array is too big|Maximum allowed dimension exceeded")
NO_MEMORY = (
    "Python in the page ran out of memory: {error}. It has about two gigabytes, less on a phone. "
    "Take smaller arrays, or fewer of them."
)


class Cell:
    """What comes of the cell that runs, each output told at once to ``tell``."""

    def __init__(self, name: str, tell: Callable[[Output], None]) -> None:
        self.name, self.tell = name, tell
        self.outputs: list[Output] = []
        self.written = 0

    def put(self, output: Output) -> None:
        """Keep an output; text joins the text before it."""
        last = self.outputs[-1] if self.outputs else {}
        if output["output_type"] == "stream" and last.get("name") == output["name"]:
            last["text"] += output["text"]
        elif output["output_type"] == "update_display_data":
            for old in self.outputs:
                if old.get("transient") == output["transient"]:
                    old["data"], old["metadata"] = output["data"], output["metadata"]
        else:
            self.outputs.append(dict(output))
        self.tell(output)

    def write(self, name: str, text: str) -> None:
        """Keep what is printed, as far as a page can show it."""
        room = LONGEST - self.written
        self.written += len(text)
        if room <= 0 or not text:
            return
        if len(text) > room:
            text = text[:room] + f"\n(cut after {LONGEST:,} characters)\n"
        self.put({"output_type": "stream", "name": name, "text": text})


class Stream(io.TextIOBase):
    """``sys.stdout`` or ``sys.stderr`` of the cell that runs."""

    def __init__(self, name: str) -> None:
        self.name = name

    def writable(self) -> bool:
        """Return that text can be written."""
        return True

    def write(self, text: str) -> int:
        """Pass a text on to the cell."""
        if cell is not None:
            cell.write(self.name, text)
        return len(text)


cell: Cell | None = None
sessions: dict[str, dict[str, Any]] = {}
handles = 0


def representations(shown: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return an object's representations by kind, and what they say about them."""
    if type(shown).__name__ == "Figure" and type(shown).__module__ == "matplotlib.figure":
        return figure(shown)
    bundle = getattr(shown, "_repr_mimebundle_", None)
    if bundle is not None and not isinstance(shown, type):
        told = bundle(include=None, exclude=None)
        data, metadata = told if isinstance(told, tuple) else (told, {})
        return {"text/plain": repr(shown), **data}, metadata
    data = {"text/plain": pretty(shown)}
    if not isinstance(shown, type):
        for method, kind in METHODS.items():
            make = getattr(shown, method, None)
            made = make() if callable(make) else None
            if made is not None:
                data[kind] = base64.b64encode(made).decode() if isinstance(made, bytes) else made
    return data, {}


def pretty(shown: Any) -> str:
    """Return an object as text, containers broken into lines where they are long."""
    if type(shown) in (list, tuple, dict, set, frozenset):
        from pprint import pformat

        return pformat(shown, width=79, compact=True, sort_dicts=False)
    return repr(shown)


def figure(shown: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a figure as the book's pages draw theirs, in the page's colors, wide and narrow."""
    from regbook.figures import html as drawn

    words = [ax.get_title() for ax in shown.axes if ax.get_title()]
    name = html.escape("Figure: " + "; ".join(words) if words else "Figure", quote=True)
    return {
        "text/plain": repr(shown),
        "text/html": drawn(shown).replace('aria-label=""', f'aria-label="{name}"', 1),
    }, {}


def display(
    *shown: Any,
    raw: bool = False,
    metadata: dict[str, Any] | None = None,
    display_id: Any = None,
    update: bool = False,
    **_: Any,
) -> DisplayHandle | None:
    """Show objects below the cell, as IPython's function of this name does."""
    global handles
    if display_id is True:
        handles += 1
        display_id = f"display-{handles}"
    for one in shown:
        data, told = (one, {}) if raw else representations(one)
        output = {
            "output_type": "update_display_data" if update else "display_data",
            "data": data,
            "metadata": {**told, **(metadata or {})},
        }
        if display_id is not None:
            output["transient"] = {"display_id": display_id}
        if cell is not None:
            cell.put(output)
    return DisplayHandle(display_id) if display_id is not None else None


class DisplayHandle:
    """A place below a cell whose content can change."""

    def __init__(self, display_id: str | None = None) -> None:
        global handles
        handles += 1
        self.display_id = display_id or f"display-{handles}"

    def display(self, shown: Any, **options: Any) -> None:
        """Show an object here first."""
        display(shown, display_id=self.display_id, **options)

    def update(self, shown: Any, **options: Any) -> None:
        """Show another one in its place."""
        display(shown, display_id=self.display_id, update=True, **options)


class Text:
    """A text of some kind that is displayed as what it is: HTML, Markdown or SVG."""

    kind = "text/plain"

    def __init__(self, data: str) -> None:
        self.data = data

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {self.kind: self.data}


def install_ipython() -> None:
    """Let ``IPython`` be imported: what courses use of it in cells, and no more."""
    package, shown = types.ModuleType("IPython"), types.ModuleType("IPython.display")
    core, tools = types.ModuleType("IPython.core"), types.ModuleType("IPython.core.pylabtools")
    nothing = types.SimpleNamespace(register=lambda *_: None, unregister=lambda *_: None)
    # Libraries ask for the kernel to know that they are in a notebook; pyplot asks for events.
    shell = types.SimpleNamespace(kernel=types.SimpleNamespace(), events=nothing)
    kinds = {"HTML": "text/html", "Markdown": "text/markdown", "SVG": "image/svg+xml"}
    for name, kind in kinds.items():
        setattr(shown, name, type(name, (Text,), {"kind": kind}))
    vars(shown).update(display=display, DisplayHandle=DisplayHandle)
    vars(tools).update(backend2gui={})
    vars(package).update(get_ipython=lambda: shell, display=shown, __path__=[])
    vars(core).update(__path__=[])
    for module in (package, shown, core, tools):
        sys.modules[module.__name__] = module


def flush_figures() -> None:
    """Show the figures that pyplot holds, and close them."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None:
        return
    try:
        for number in pyplot.get_fignums():
            display(pyplot.figure(number))
    finally:
        pyplot.close("all")


def close_figures() -> None:
    """Close the figures that pyplot holds."""
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


class Absent(types.ModuleType):
    """A package that can be imported and not used: a cell's other lines run without it."""

    __path__ = ()

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        raise ModuleNotFoundError(
            f"{self.__name__} is not in the page; the notebook to download has it"
        )


def without(packages: list[str]) -> None:
    """Let packages be imported that the page has not, until something is asked of them."""
    for package in packages:
        sys.modules.setdefault(package, Absent(package))


def execute(source: str, filename: str, namespace: dict[str, Any]) -> None:
    """Run a cell's source, and display the value of its last expression."""
    # A traceback quotes the lines of a file that linecache knows.
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    flags = namespace.get("__flags__", 0)
    tree = ast.parse(source, filename)
    for statement in tree.body:
        if isinstance(statement, ast.ImportFrom) and statement.module == "__future__":
            for name in statement.names:
                flags |= getattr(future, name.name).compiler_flag
    namespace["__flags__"] = flags
    last = tree.body[-1] if tree.body else None
    ends_in_value = isinstance(last, ast.Expr) and not source.rstrip().endswith(";")
    if ends_in_value:
        del tree.body[-1]
    exec(compile(tree, filename, "exec", flags, dont_inherit=True), namespace)
    if ends_in_value:
        expression = ast.Expression(last.value)  # type: ignore[union-attr]
        value = eval(compile(expression, filename, "eval", flags, dont_inherit=True), namespace)
        if value is not None:
            namespace["_"] = value
            data, metadata = representations(value)
            cell.put(  # type: ignore[union-attr]
                {
                    "output_type": "execute_result",
                    "data": data,
                    "metadata": metadata,
                    "execution_count": None,
                }
            )


def lines_of(error: BaseException, filename: str) -> Iterator[int]:
    """Yield the lines of a cell that an error came through, the outermost first."""
    if isinstance(error, SyntaxError) and error.filename == filename and error.lineno:
        yield error.lineno
    for frame, line in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_filename == filename:
            yield line


def told(error: BaseException) -> str:
    """Return an error's traceback from the cell on, or what the error shows instead."""
    render = getattr(error, "_render_traceback_", None)
    if render is not None:
        return "\n".join(render())
    parts = traceback.TracebackException.from_exception(error)
    own = [frame for frame in parts.stack if frame.filename != __file__]
    parts.stack = traceback.StackSummary.from_list(own)
    return "".join(parts.format()).rstrip("\n")


def failure(error: BaseException, filename: str) -> dict[str, Any]:
    """Return an error as plain data: its name, its message, its traceback and the cell's line."""
    message = str(error)
    if isinstance(error, MemoryError) or (isinstance(error, ValueError) and BEYOND.search(message)):
        message = NO_MEMORY.format(error=message or "no more is to be had")
    return {
        "name": type(error).__name__,
        "message": message,
        "traceback": told(error),
        "line": next(lines_of(error, filename), None),
    }


def run_cell(
    session: str, name: str, source: str, tell: Callable[[Output], None], quiet: bool = False
) -> dict[str, Any]:
    """Run one cell and return its name, its outputs and what stopped it.

    A quiet cell draws no figure: it is there for what it defines.
    """
    global cell
    if session not in sessions:
        sessions[session] = {"__name__": "__main__", "__builtins__": builtins, "display": display}
    cell = Cell(name, tell)
    filename = f"<{session}: {name}>"
    stopped = None
    streams = contextlib.ExitStack()
    with streams:
        streams.enter_context(contextlib.redirect_stdout(Stream("stdout")))
        streams.enter_context(contextlib.redirect_stderr(Stream("stderr")))
        try:
            execute(source, filename, sessions[session])
        except BaseException as error:  # also SystemExit and KeyboardInterrupt end a cell, no more
            stopped = failure(error, filename)
        try:
            close_figures() if quiet else flush_figures()
        except Exception as error:
            stopped = stopped or failure(error, filename)
        if stopped is not None:
            cell.put(
                {
                    "output_type": "error",
                    "ename": stopped["name"],
                    "evalue": stopped["message"],
                    "traceback": stopped["traceback"].split("\n"),
                }
            )
    outputs, cell = cell.outputs, None
    return {"name": name, "outputs": outputs, "error": stopped}


def run_cell_as_text(
    session: str, name: str, source: str, tell: Callable[[str], None], quiet: bool = False
) -> str:
    """Run one cell; what comes of it, and each output on the way, is JSON."""
    done = run_cell(
        session, name, source, lambda output: tell(json.dumps(output, default=str)), quiet
    )
    return json.dumps(done, default=str)


class OnDemand(importlib.abc.MetaPathFinder):
    """Installs what the site offers beside NumPy when it is first imported."""

    def __init__(self, archives: dict[str, str], install: Callable[[str], None]) -> None:
        self.archives, self.install = dict(archives), install

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:
        """Install the archive that a package is in; the finders after this one look again."""
        archive = self.archives.pop(name, None)
        if archive is not None and importlib.machinery.PathFinder.find_spec(name) is None:
            self.install(archive)
            importlib.invalidate_caches()


def prepare(archives: dict[str, str], install: Callable[[str], None]) -> None:
    """Let packages be imported that are still on the site: their names, and their archives."""
    sys.meta_path.insert(0, OnDemand(archives, install))
    # Drawing is done by the formatter of figures; nothing opens a window.
    os.environ["MPLBACKEND"] = "module://course_figures"


def warm(package: str) -> None:
    """Import what a package takes long for, before the time of a cell is counted."""
    if package == "matplotlib":
        for module in ("matplotlib.pyplot", "matplotlib.backends.backend_svg", "regbook.figures"):
            importlib.import_module(module)


def wanted(source: str) -> list[str]:
    """Return the packages that cells will import and that can be fetched ahead.

    Examples
    --------
    >>> wanted("from reglib import plotting"), wanted("print('without matplotlib')")
    (['matplotlib'], [])
    """
    return ["matplotlib"] if DRAWS.search(source) else []


def reset(session: str) -> None:
    """Forget what the cells of a session have defined."""
    sessions.pop(session, None)


install_ipython()
