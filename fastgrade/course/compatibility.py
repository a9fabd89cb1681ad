"""Which of nbgrader's own settings count when fastgrade grades, and which cannot.

`nbgrader autograde` has many settings. Most are honored where their matter is dealt with: folders
and patterns in `folders`, penalties and students in `gradebook`, steps after execution in `run`.
What is left is here: a setting that would change grades is refused, one that has no effect is
named. None is passed over in silence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from nbconvert.exporters import NotebookExporter
from nbgrader.converters import Autograde
from nbgrader.preprocessors import (
    AssignLatePenalties,
    Execute,
    OverwriteCells,
    SaveAutoGrades,
)
from traitlets import import_item

__all__ = ["Hooks", "penalizes_late", "refusal", "steps", "without_effect"]

#: Settings of `Execute` that do here what they do there, or that only tune a kernel's manager.
_FINE = {
    *("enabled", "timeout", "interrupt_on_timeout", "skip_cells_with_tag", "execute_retries"),
    *("raise_on_iopub_timeout", "iopub_timeout", "startup_timeout", "shell_timeout_interval"),
    *("shutdown_kernel", "ipython_hist_file", "record_timing"),
}


def steps(names: Sequence[Any]) -> list[type[Any]]:
    """Return preprocessors as classes; a configuration may name them."""
    return [import_item(step) if isinstance(step, str) else step for step in names]


def _enabled(autograde: Autograde, kind: type[Any]) -> bool:
    """Whether the course has a step of this kind that is switched on."""
    return any(
        issubclass(step, kind) and step(parent=autograde).enabled
        for step in steps(autograde.autograde_preprocessors)
    )


def penalizes_late(autograde: Autograde) -> bool:
    """Whether the course takes points off late submissions."""
    return _enabled(autograde, AssignLatePenalties)


def refusal(autograde: Autograde) -> str | None:
    """Return why this course cannot be graded by fastgrade, or None.

    Parameters
    ----------
    autograde : nbgrader.converters.Autograde
        nbgrader's own converter, configured as the course says.
    """
    if autograde.coursedir.notebook_id != "*":
        return (
            f"c.CourseDirectory.notebook_id is {autograde.coursedir.notebook_id!r}, but fastgrade "
            "grades all notebooks of a submission: remove the line, or use `nbgrader autograde`"
        )
    if not _enabled(autograde, Execute):
        return (
            "c.Execute is switched off, so grades would come from outputs that students have "
            "saved: use `nbgrader autograde --no-execute` for that"
        )
    if not _enabled(autograde, SaveAutoGrades):
        return (
            "c.SaveAutoGrades is switched off or no step of c.Autograde.autograde_preprocessors, "
            "but saving grades is what fastgrade does: use `nbgrader autograde` for that"
        )
    if not issubclass(autograde.exporter_class, NotebookExporter):
        return (
            f"c.Autograde.exporter_class is {autograde.exporter_class.__name__}, but fastgrade "
            "writes notebooks: use `nbgrader autograde` for that"
        )
    return None


def without_effect(autograde: Autograde) -> list[str]:
    """Return the settings of nbgrader that the course makes and fastgrade has no use for."""
    config = autograde.config
    found = []
    for kind, fine in (
        (Execute, _FINE),
        (OverwriteCells, {"enabled", "add_missing_cells"}),
    ):
        for owner in kind.__mro__:
            section = config.get(owner.__name__, {})
            found += [
                f"{owner.__name__}.{name}"
                for name in kind.class_trait_names(config=True)
                if name in section and name not in fine and owner.__name__ != "NbGraderPreprocessor"
            ]
    usual = [step.__name__ for step in Autograde().sanitize_preprocessors]
    found += [
        f"{step.__name__} in Autograde.sanitize_preprocessors"
        for step in steps(autograde.sanitize_preprocessors)
        if step.__name__ not in usual
    ]
    ours = ("nbgrader.", "fastgrade.")
    found += [
        f"{step.__name__} in Autograde.autograde_preprocessors"
        for step in steps(autograde.autograde_preprocessors)
        if issubclass(step, Execute) and not step.__module__.startswith(ours)
    ]
    return sorted(dict.fromkeys(found))


class Hooks:
    """The course's `Autograde.pre_convert_hook` and `post_convert_hook`.

    They are called as nbgrader calls them, once for each submission that is processed, with the
    name of the student instead of the pattern that chose it. A hook that raises is reported and
    changes nothing else.

    Parameters
    ----------
    autograde : nbgrader.converters.Autograde
        Holds the hooks.
    tell : callable
        Takes a sentence for the instructor.
    """

    def __init__(self, autograde: Autograde, tell: Callable[[str], None]):
        self._hooks = {"pre": autograde.pre_convert_hook, "post": autograde.post_convert_hook}
        self._tell = tell

    def call(self, when: str, assignment: str, student: str, notebooks: list[str]) -> bool:
        """Call the hook ``"pre"`` or ``"post"``; return whether there is one."""
        hook = self._hooks[when]
        if hook is None:
            return False
        try:
            hook(assignment=assignment, student=student, notebooks=notebooks)
        except Exception as error:
            self._tell(f"{when}_convert_hook failed for {student}: {type(error).__name__}: {error}")
        return True
