"""``.. api:: reglib.layers``: every public name of a module, from its docstrings.

A new name appears by itself, under the path that a reader imports it from, beside the names that
are defined in the same file. ``.. deviations:: reglib.deviations`` is the module that lists what
Keras has and the library has not.
"""

from __future__ import annotations

import importlib
import inspect
from collections import defaultdict
from collections.abc import Sequence
from types import ModuleType
from typing import Any, ClassVar

from docutils import nodes
from docutils.parsers.rst import directives
from docutils.statemachine import StringList
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.nodes import nested_parse_with_titles


def public_names(module: ModuleType) -> list[str]:
    """Return the names of functions, classes and constants that a module offers as its own.

    Its ``__all__`` says so; without one, whatever is defined in it or, for a package, below it.
    """
    listed = getattr(module, "__all__", None)
    if listed is not None:
        return sorted(listed)
    return sorted(
        name
        for name in dir(module)
        if not name.startswith("_") and belongs(getattr(module, name), module)
    )


def belongs(value: Any, module: ModuleType) -> bool:
    """Return whether a class or function is defined in a module or, for a package, below it."""
    if not (inspect.isclass(value) or inspect.isroutine(value)):
        return False
    home = getattr(value, "__module__", "") or ""
    return home == module.__name__ or home.startswith(module.__name__ + ".")


def topics(module: ModuleType) -> dict[str, list[str]]:
    """Return the public names by the file that defines them, in the order of the files' names."""
    found: dict[str, list[str]] = defaultdict(list)
    for name in public_names(module):
        home = getattr(getattr(module, name), "__module__", module.__name__) or ""
        parts = home.removeprefix(module.__name__).strip(".").split(".")
        found[parts[0]].append(name)
    return dict(sorted(found.items()))


def describe(module: ModuleType, chosen: Sequence[str] = (), first: bool = True) -> list[str]:
    """Return what Sphinx's autodoc is to document, as reStructuredText.

    Parameters
    ----------
    module : module
        Whose public names they are.
    chosen : sequence of str
        The topics of this page, where a module has several pages; all without it.
    first : bool
        Whether what the module says of itself stands on this page.

    Raises
    ------
    ValueError
        If the module has no such topic.
    """
    name = module.__name__
    lines = [f".. automodule:: {name}", "   :no-members:", ""] if first else []
    groups = topics(module)
    if unknown := [topic for topic in chosen if topic not in groups]:
        raise ValueError(f"{name} has no topics {unknown}; it has {', '.join(groups)}")
    for topic, names in groups.items():
        if chosen and topic not in chosen:
            continue
        if len(groups) > 1:
            if topic:
                lines += [f".. py:module:: {name}.{topic}", ""]
            title = topic.replace("_", " ").capitalize() or "General"
            lines += [title, "-" * len(title), ""]
        for member in names:
            value = getattr(module, member)
            if inspect.isclass(value):
                lines += [f".. autoclass:: {name}.{member}", "   :members:", ""]
            elif inspect.isroutine(value):
                lines += [f".. autofunction:: {name}.{member}", ""]
            else:
                lines += [f".. autodata:: {name}.{member}", "   :no-value:", ""]
    return lines


class Api(SphinxDirective):
    """``.. api:: module``.

    A large module has several pages: on each ``:topics:`` names its files, and ``:part:`` stands on
    all but the first.
    """

    required_arguments = 1
    option_spec: ClassVar[dict[str, Any]] = {"topics": str.split, "part": directives.flag}

    def describe(self, module: ModuleType) -> list[str]:
        """Return the documentation as reStructuredText."""
        try:
            return describe(module, self.options.get("topics", ()), "part" not in self.options)
        except ValueError as error:
            raise self.error(str(error)) from error

    def run(self) -> list[nodes.Node]:
        """Return the documentation of the module."""
        module = importlib.import_module(self.arguments[0])
        source = inspect.getsourcefile(module) or ""
        self.env.note_dependency(source)
        node = nodes.section()
        node.document = self.state.document
        nested_parse_with_titles(self.state, StringList(self.describe(module), source), node)
        return node.children


def describe_deviations(module: ModuleType) -> list[str]:
    """Return the tables of what is missing and what differs, as reStructuredText."""
    lines = [f".. automodule:: {module.__name__}", "   :no-members:", ""]
    for room, missing in module.NAMES.items():
        path = f"reglib.{room}".rstrip(".")
        rows = [(_literals(names), instead) for names, instead in missing.items()]
        lines += _table(f"Missing in {path}", ("Keras's names", "instead"), rows)
    rows = [(_literals(f"reglib.{room}"), has) for room, has in module.PARTS.items()]
    lines += _table("Modules with a part of Keras's names", ("module", "has"), rows)
    rows = [(_literals(name), why) for name, why in module.ARGUMENTS.items()]
    lines += _table("Missing arguments", ("argument", "why"), rows)
    return lines + _table("Other differences", ("what", "here"), list(module.BEHAVIOUR.items()))


def _literals(names: str) -> str:
    return ", ".join(f"``{name}``" for name in names.split())


def _table(title: str, header: tuple[str, str], rows: list[tuple[str, str]]) -> list[str]:
    """Return a section with a table of two columns."""
    lines = [title, "-" * len(title), "", ".. list-table::", "   :header-rows: 1", ""]
    for left, right in [header, *rows]:
        lines += [f"   * - {left}", f"     - {right}"]
    return [*lines, ""]


class Deviations(Api):
    """``.. deviations:: module``."""

    option_spec: ClassVar[dict[str, Any]] = {}

    def describe(self, module: ModuleType) -> list[str]:
        """Return the tables as reStructuredText."""
        return describe_deviations(module)


def keep_colons(
    app: Sphinx, what: str, name: str, value: Any, options: Any, lines: list[str]
) -> None:
    """Keep a property's first line whole: napoleon takes what stands before a colon for a type."""
    if what == "property" and lines:
        # An empty comment, which is all that it then looks at.
        lines[:0] = ["..", ""]


def setup(app: Sphinx) -> None:
    """Register the directive, and what docstrings need before napoleon reads them."""
    app.add_directive("api", Api)
    app.add_directive("deviations", Deviations)
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("autodoc-process-docstring", keep_colons, priority=400)
