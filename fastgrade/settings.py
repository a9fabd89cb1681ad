"""The settings of a course, read from its ``nbgrader_config.py``.

An instructor writes ``c.FastGrade.preload = ["numpy"]`` beside nbgrader's own settings.
`FastGrade` declares what may be written, `Settings` is the frozen value that travels to workers
as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from traitlets import Bool, Dict, Enum, List, Unicode
from traitlets.config import Config, Configurable

__all__ = ["LEVELS", "FastGrade", "Limits", "Settings", "settings_from_config"]

#: Protection, weakest first; `fastgrade.sandbox` holds them.
LEVELS = ("none", "rlimits", "sandbox", "namespaces")


@dataclass(frozen=True)
class Limits:
    """What one submission may use. Sizes are in MiB, times in seconds.

    Parameters
    ----------
    cell_seconds : float
        Wall time of one cell; the cell is interrupted, then its process ended.
    total_seconds : float
        Wall time of the whole submission.
    cpu_seconds : int
        CPU time of each process.
    memory_mb : int
        Memory of the submission beyond what the warm process holds already.
    file_mb : int
        Size of any one file that it writes.
    disk_mb : int
        Size of all files that it leaves in its folder.
    open_files : int
        File descriptors of each process.
    processes : int
        Processes that the submission may start, in all.
    output_bytes : int
        Bytes that one cell may print or display; the rest is cut.
    message_mb : int
        Size of one value that crosses between student and judge.
    submission_mb : int
        Size of a submitted notebook; a larger one is not read. As nbgrader, of what students may
        submit.
    """

    cell_seconds: float = 30.0
    total_seconds: float = 300.0
    cpu_seconds: int = 120
    memory_mb: int = 1024
    file_mb: int = 64
    disk_mb: int = 256
    open_files: int = 128
    processes: int = 8
    output_bytes: int = 5_000_000
    message_mb: int = 64
    submission_mb: int = 100

    def __post_init__(self):
        for item in fields(self):
            value = getattr(self, item.name)
            least = 0 if item.name == "processes" else 1e-3
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise TypeError(f"{item.name} must be a number, got {type(value).__name__}")
            if not least <= value < float("inf"):
                raise ValueError(f"{item.name} must be positive and finite, got {value}")
            if item.type == "int":
                object.__setattr__(self, item.name, int(value))


@dataclass(frozen=True)
class Settings:
    """All that grading depends on beside the task itself.

    Parameters
    ----------
    mode : {"judge", "kernel"}
        Whether tests run in a process of their own or, for cells that need live objects, in the
        student's.
    preload : tuple of str
        Modules that the student's warm process imports once.
    judge_preload : tuple of str
        Modules that the judge's warm process imports once.
    forbidden_modules : tuple of str
        Modules, with all below them, that student code cannot load.
    forbidden_files : tuple of str
        Files or folders that student code cannot read.
    readable : tuple of str
        Further files or folders that student code can read.
    judge_environment : dict of str to str
        Environment variables that the judge alone sees: the secret of hidden seeds.
    minimum_protection : {"none", "rlimits", "sandbox", "namespaces"}
        Hidden tests are refused on a machine that offers less.
    namespaces : bool
        Whether to use bubblewrap where it works.
    extra_cells : {"run", "drop"}
        What becomes of cells that the student added or edited beside the solution cells.
    redact_hidden : bool
        Whether hidden tests are cut from the autograded notebook, and so from feedback.
    hidden_begin, hidden_end : str
        nbgrader's delimiters of hidden tests.
    limits : Limits
        What one submission may use.
    assignments : dict
        For each assignment, the settings that differ there; limits stand beside the others.
    """

    mode: str = "judge"
    preload: tuple[str, ...] = ("numpy",)
    judge_preload: tuple[str, ...] = ("numpy",)
    forbidden_modules: tuple[str, ...] = ()
    forbidden_files: tuple[str, ...] = ()
    readable: tuple[str, ...] = ()
    judge_environment: dict[str, str] = field(default_factory=dict)
    minimum_protection: str = "sandbox"
    namespaces: bool = True
    extra_cells: str = "run"
    redact_hidden: bool = True
    hidden_begin: str = "BEGIN HIDDEN TESTS"
    hidden_end: str = "END HIDDEN TESTS"
    limits: Limits = field(default_factory=Limits)
    assignments: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self):
        _one_of("mode", self.mode, ("judge", "kernel"))
        _one_of("minimum_protection", self.minimum_protection, LEVELS)
        _one_of("extra_cells", self.extra_cells, ("run", "drop"))
        if self.minimum_protection == "namespaces" and not self.namespaces:
            raise ValueError(
                "namespaces must be true where minimum_protection is 'namespaces', got False"
            )
        for name in _TUPLES:
            value = getattr(self, name)
            if isinstance(value, str) or not all(isinstance(item, str) for item in value):
                raise TypeError(f"{name} must be a list of strings, got {value!r}")
            object.__setattr__(self, name, tuple(value))

    def for_assignment(self, assignment: str) -> Settings:
        """Return the settings that hold for `assignment`, with no exceptions left in them.

        Raises
        ------
        ValueError
            If the assignment's exceptions name a setting that does not exist.

        >>> course = Settings(assignments={"ps1": {"cell_seconds": 5}})
        >>> course.for_assignment("ps1").limits.cell_seconds
        5
        """
        limits, others = {}, {}
        for name, value in self.assignments.get(assignment, {}).items():
            if name in _LIMITS:
                limits[name] = value
            elif name in _SETTINGS:
                others[name] = value
            else:
                raise ValueError(
                    f"assignments[{assignment!r}] must name limits or settings, got {name!r}"
                )
        return replace(self, assignments={}, limits=replace(self.limits, **limits), **others)

    def to_json(self) -> str:
        """Return the settings as one JSON document with sorted names."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str | bytes) -> Settings:
        """Return the settings that `to_json` wrote."""
        data = json.loads(text)
        data["limits"] = Limits(**data["limits"])
        return cls(**data)


_TUPLES = ("preload", "judge_preload", "forbidden_modules", "forbidden_files", "readable")
_LIMITS = {item.name for item in fields(Limits)}
_SETTINGS = {item.name for item in fields(Settings)} - {"limits", "assignments"}


class FastGrade(Configurable):
    """Settings of fastgrade in ``nbgrader_config.py``."""

    mode = Enum(
        ("judge", "kernel"),
        default_value="judge",
        help="Where tests run: in a process of their own, or in the student's.",
    ).tag(config=True)
    preload = List(
        Unicode(), ["numpy"], help="Modules that the student's warm process imports once."
    ).tag(config=True)
    judge_preload = List(
        Unicode(), ["numpy"], help="Modules that the judge's warm process imports once."
    ).tag(config=True)
    forbidden_modules = List(
        Unicode(), help="Modules, with all below them, that student code cannot load."
    ).tag(config=True)
    forbidden_files = List(Unicode(), help="Files or folders that student code cannot read.").tag(
        config=True
    )
    readable = List(Unicode(), help="Further files or folders that student code can read.").tag(
        config=True
    )
    judge_environment = Dict(
        key_trait=Unicode(),
        value_trait=Unicode(),
        help="Environment variables that the judge alone sees.",
    ).tag(config=True)
    minimum_protection = Enum(
        LEVELS,
        default_value="sandbox",
        help="Hidden tests are refused on a machine that offers less.",
    ).tag(config=True)
    namespaces = Bool(True, help="Whether to use bubblewrap where it works.").tag(config=True)
    extra_cells = Enum(
        ("run", "drop"),
        default_value="run",
        help="What becomes of cells that the student added or edited.",
    ).tag(config=True)
    redact_hidden = Bool(
        True, help="Whether hidden tests are cut from the autograded notebook."
    ).tag(config=True)
    limits = Dict(help="Limits of every submission: see fastgrade.settings.Limits.").tag(
        config=True
    )
    assignments = Dict(help="For each assignment, the settings and limits that differ there.").tag(
        config=True
    )


def settings_from_config(config: Config | Mapping[str, Any] | None = None) -> Settings:
    """Return the course's settings from a loaded nbgrader configuration.

    Parameters
    ----------
    config : traitlets.config.Config, optional
        What ``nbgrader_config.py`` holds; defaults apply where it is silent.

    Raises
    ------
    ValueError
        If a limit or setting has a name or value that does not exist.
    """
    config = Config() if config is None else Config(config)
    traits = FastGrade(config=config)
    known = set(traits.traits(config=True))
    for name in config.get("FastGrade", {}):
        if name not in known:
            raise ValueError(f"FastGrade must name a known setting, got {name!r}")
    for name in traits.limits:
        if name not in _LIMITS:
            raise ValueError(f"FastGrade.limits must name limits of Limits, got {name!r}")
    delimiters = config.get("ClearHiddenTests", {})
    limits = dict(traits.limits)
    timeout = config.get("Execute", {}).get("timeout", False)
    if timeout is not False and "cell_seconds" not in limits:
        # nbgrader's own limit for a cell; None and -1 stand for none there.
        # On the command line it is still a text, such as "None".
        seconds = 0.0 if str(timeout) == "None" else float(timeout)
        limits["cell_seconds"] = seconds if seconds > 0 else 86_400.0
    settings = Settings(
        limits=Limits(**limits),
        assignments={name: dict(value) for name, value in traits.assignments.items()},
        hidden_begin=delimiters.get("begin_test_delimeter", Settings.hidden_begin),
        hidden_end=delimiters.get("end_test_delimeter", Settings.hidden_end),
        judge_environment=dict(traits.judge_environment),
        **{
            name: getattr(traits, name)
            for name in known - {"limits", "assignments", "judge_environment"}
        },
    )
    for assignment in settings.assignments:
        settings.for_assignment(assignment)
    return settings


def _one_of(name: str, value: object, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{name} must be one of {', '.join(allowed)}, got {value!r}")
