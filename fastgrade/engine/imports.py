"""What a notebook imports is imported once, by the warm processes, and not once a submission.

A heavy package can take longer than a cell may: no answer is to pay for that.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

from warmfork import processes

__all__ = ["load", "wanted"]

#: What warm processes import anyway.
_EVERYWHERE = ("IPython", "numpy")


def wanted(
    modules: Sequence[str],
    preload: Sequence[str],
    files: Iterable[str],
    refused: Sequence[str] = (),
) -> tuple[str, ...]:
    """Return those of a notebook's modules that a warm process should import for it.

    The course has the say on packages that it preloads itself. None is imported where a file beside
    the notebook has the name of one: there that file is meant.

    Parameters
    ----------
    modules : sequence of str
        What the notebook imports.
    preload : sequence of str
        What the course has imported.
    files : iterable of str
        Paths of what lies beside the notebook.
    refused : sequence of str
        Modules that cannot be imported, with all below them.

    Examples
    --------
    >>> wanted(["json", "numpy.linalg", "nbformat.v4", "no_such_module"], ["scipy"], ["data.csv"])
    ('nbformat.v4',)
    >>> wanted(["nbformat.v4"], [], ["nbformat.py"]), wanted(["nbformat.v4"], [], [], ["nbformat"])
    ((), ())
    """
    settled = {_top(name) for name in (*preload, *_EVERYWHERE)} | sys.stdlib_module_names
    found = tuple(
        name
        for name in modules
        if _top(name) not in settled
        and not any(name == other or name.startswith(other + ".") for other in refused)
        and _is_installed(_top(name))
    )
    beside = {PurePosixPath(name).parts[0].partition(".")[0] for name in files}
    return () if beside & {_top(name) for name in found} else found


def _top(name: str) -> str:
    return name.partition(".")[0]


@functools.cache
def _is_installed(package: str) -> bool:
    with contextlib.suppress(ImportError, ValueError):
        return importlib.util.find_spec(package) is not None
    return False


def load(modules: Sequence[str], forbidden: Sequence[str] = ()) -> None:
    """Import modules; one that cannot be imported is left to the cell that asks for it.

    Parameters
    ----------
    modules : sequence of str
        Dotted names.
    forbidden : sequence of str
        Files and folders of which nothing may be in memory.

    Raises
    ------
    RuntimeError
        If that is not possible: a fork would be without a thread that an import has started.
    """
    before = processes.threads(os.getpid())
    for name in modules:
        with contextlib.suppress(Exception):
            importlib.import_module(name)
    if processes.threads(os.getpid()) > before:
        raise RuntimeError(f"one of {', '.join(modules)} has started a thread")
    files = [getattr(module, "__file__", None) for module in sys.modules.values()]
    places = {str(place) for file in files if file for place in _above(os.path.realpath(file))}
    if modules and not places.isdisjoint(map(os.path.realpath, forbidden)):
        raise RuntimeError(f"one of {', '.join(modules)} lies where answers may not read")


def _above(file: str) -> tuple[PurePosixPath, ...]:
    path = PurePosixPath(file)
    return (path, *path.parents)
