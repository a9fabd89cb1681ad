"""The settings of a course, read from its ``nbgrader_config.py``.

An instructor writes ``c.FastGrade.preload = ["numpy"]`` beside nbgrader's own settings. Each
setting stands once, as a field of `Settings` or `Limits` with its default and its meaning.
`FastGrade`, what may be written, is made of these fields; `Settings` is the frozen value that
travels to workers as JSON.
"""

from __future__ import annotations

import json
import types
from collections.abc import Callable, Mapping
from dataclasses import Field, asdict, dataclass, field, fields, replace
from functools import cache
from typing import Any

from traitlets import Bool, Dict, Enum, List, TraitType, Unicode
from traitlets.config import Config, Configurable

from fastgrade.sandbox.imports import modules_outside

__all__ = ["LEVELS", "FastGrade", "Limits", "Settings", "settings_from_config"]

#: Protection, weakest first; `fastgrade.sandbox` holds them.
LEVELS = ("none", "rlimits", "sandbox", "namespaces")


def _about(help: str, choices: tuple[str, ...] = (), nbgrader: str = "") -> dict[str, Any]:
    """Return what a field says of its setting.

    Parameters
    ----------
    help : str
        What it means, for whoever writes ``nbgrader_config.py``.
    choices : tuple of str
        All values that it may have.
    nbgrader : str
        The setting of nbgrader that it follows; it cannot be set otherwise.
    """
    return {"help": help, "choices": choices, "nbgrader": nbgrader}


def _setting(default: Any, help: str, **more: Any) -> Any:
    """Return a field that holds a setting: its value where the course is silent, its meaning."""
    return field(default=default, metadata=_about(help, **more))


@dataclass(frozen=True)
class Limits:
    """What one submission may use. Sizes are in MiB, times in seconds."""

    cell_seconds: float = _setting(
        30.0, "Wall time of one cell; the cell is interrupted, then its process ended."
    )
    total_seconds: float = _setting(300.0, "Wall time of the whole submission.")
    cpu_seconds: int = _setting(120, "CPU time of each process.")
    memory_mb: int = _setting(
        1024, "Memory of the submission beyond what the warm process holds already."
    )
    file_mb: int = _setting(64, "Size of any one file that it writes.")
    disk_mb: int = _setting(256, "Size of all files that it leaves in its folder.")
    open_files: int = _setting(128, "File descriptors of each process.")
    processes: int = _setting(8, "Processes that the submission may start, in all.")
    output_bytes: int = _setting(
        5_000_000, "Bytes that one cell may print or display; the rest is cut."
    )
    message_mb: int = _setting(64, "Size of one value that crosses between student and judge.")
    submission_mb: int = _setting(
        100, "Size of what a student may submit; a larger notebook is not read."
    )

    def __post_init__(self) -> None:
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
    """All that grading depends on beside the task itself."""

    mode: str = _setting(
        "auto",
        "Where tests run: in a process of their own ('judge'), in the student's ('kernel'), or "
        "each in the former if the instructor's solution passes it there, else in the latter "
        "('auto').",
        choices=("auto", "judge", "kernel"),
    )
    check_solution: bool = _setting(
        True,
        "Whether nobody is graded before the instructor's own solution gets full marks.",
    )
    preload: tuple[str, ...] = _setting(
        ("numpy",), "Modules that the student's warm process imports once."
    )
    judge_preload: tuple[str, ...] = _setting(
        ("numpy",), "Modules that the judge's warm process imports once."
    )
    forbidden_modules: tuple[str, ...] = _setting(
        (), "Modules, with all below them, that student code cannot load."
    )
    allowed_modules: tuple[str, ...] = _setting(
        (),
        "Modules of the course's packages that student code may load; all others of these "
        "packages are refused.",
    )
    forbidden_files: tuple[str, ...] = _setting(
        (), "Files or folders that student code cannot read."
    )
    readable: tuple[str, ...] = _setting((), "Further files or folders that student code can read.")
    judge_environment: dict[str, str] = field(
        default_factory=dict,
        metadata=_about(
            "Environment variables that the judge alone sees: the secret of hidden seeds."
        ),
    )
    secrets: tuple[str, ...] = _setting(
        (), "Variables of judge_environment that hidden tests are refused without."
    )
    secret_files: tuple[str, ...] = _setting(
        (), "Files that hold a secret: hidden tests are refused while another user can read one."
    )
    minimum_protection: str = _setting(
        "sandbox", "Hidden tests are refused on a machine that offers less.", choices=LEVELS
    )
    namespaces: bool = _setting(True, "Whether to use bubblewrap where it works.")
    extra_cells: str = _setting(
        "run",
        "What becomes of cells that the student added or edited beside the solution cells.",
        choices=("run", "drop"),
    )
    redact_hidden: bool = _setting(
        True, "Whether hidden tests are cut from the autograded notebook, and so from feedback."
    )
    hidden_begin: str = _setting(
        "BEGIN HIDDEN TESTS",
        "The line before hidden tests.",
        nbgrader="ClearHiddenTests.begin_test_delimeter",
    )
    hidden_end: str = _setting(
        "END HIDDEN TESTS",
        "The line after hidden tests.",
        nbgrader="ClearHiddenTests.end_test_delimeter",
    )
    solution_begin: str = _setting(
        "BEGIN SOLUTION",
        "The line before what students are not given of an answer.",
        nbgrader="ClearSolutions.begin_solution_delimeter",
    )
    solution_end: str = _setting(
        "END SOLUTION",
        "The line after it.",
        nbgrader="ClearSolutions.end_solution_delimeter",
    )
    limits: Limits = field(
        default_factory=Limits,
        metadata=_about(
            "What one submission may use. "
            + " ".join(f"{item.name}: {item.metadata['help']}" for item in fields(Limits))
        ),
    )
    assignments: dict[str, dict[str, Any]] = field(
        default_factory=dict,
        metadata=_about(
            "For each assignment, the settings that differ there; limits stand beside the others."
        ),
    )

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            choices = item.metadata["choices"]
            if choices and value not in choices:
                raise ValueError(f"{item.name} must be one of {', '.join(choices)}, got {value!r}")
            if item.type == "tuple[str, ...]":
                if isinstance(value, str) or not all(isinstance(part, str) for part in value):
                    raise TypeError(f"{item.name} must be a list of strings, got {value!r}")
                object.__setattr__(self, item.name, tuple(value))
        if self.minimum_protection == "namespaces" and not self.namespaces:
            raise ValueError(
                "namespaces must be true where minimum_protection is 'namespaces', got False"
            )

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

    @property
    def refused_modules(self) -> tuple[str, ...]:
        """All modules that student code cannot load."""
        return (*self.forbidden_modules, *_outside(self.allowed_modules))

    def to_json(self) -> str:
        """Return the settings as one JSON document with sorted names."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str | bytes) -> Settings:
        """Return the settings that `to_json` wrote."""
        data = json.loads(text)
        data["limits"] = Limits(**data["limits"])
        return cls(**data)


_LIMITS = {item.name for item in fields(Limits)}
_SETTINGS = {item.name for item in fields(Settings)} - {"limits", "assignments"}


@cache
def _outside(allowed: tuple[str, ...]) -> tuple[str, ...]:
    """Return the modules that are refused since others of their packages are allowed.

    To look through these packages takes 80 ms, and settings are made anew for each submission.
    """
    return tuple(modules_outside(allowed))


_TRAITS: dict[str, Callable[..., TraitType[Any, Any]]] = {
    "bool": lambda default, help: Bool(default, help=help),
    "tuple[str, ...]": lambda default, help: List(Unicode(), list(default), help=help),
    "dict[str, str]": lambda default, help: Dict(
        key_trait=Unicode(), value_trait=Unicode(), help=help
    ),
    "dict[str, dict[str, Any]]": lambda default, help: Dict(help=help),
    "Limits": lambda default, help: Dict(help=help),
}


def _trait(item: Field[Any]) -> TraitType[Any, Any]:
    """Return what `FastGrade` holds for a field of `Settings`."""
    help, choices = item.metadata["help"], item.metadata["choices"]
    if choices:
        trait: TraitType[Any, Any] = Enum(choices, default_value=item.default, help=help)
    else:
        trait = _TRAITS[str(item.type)](item.default, help)
    return trait.tag(config=True)


_OURS = {item.name: _trait(item) for item in fields(Settings) if not item.metadata["nbgrader"]}

#: What may be written in ``nbgrader_config.py``.
FastGrade = types.new_class(
    "FastGrade",
    (Configurable,),
    exec_body=lambda body: body.update(
        _OURS, __doc__="Settings of fastgrade in ``nbgrader_config.py``.", __module__=__name__
    ),
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
    for name in config.get("FastGrade", {}):
        if name not in _OURS:
            raise ValueError(f"FastGrade must name a known setting, got {name!r}")
    traits = FastGrade(config=config)
    written = {name: getattr(traits, name) for name in _OURS}
    for name in written["limits"]:
        if name not in _LIMITS:
            raise ValueError(f"FastGrade.limits must name limits of Limits, got {name!r}")
    limits = dict(written["limits"])
    timeout = config.get("Execute", {}).get("timeout", False)
    if timeout is not False and "cell_seconds" not in limits:
        # nbgrader's own limit for a cell; None and -1 stand for none there.
        # On the command line it is still a text, such as "None".
        seconds = 0.0 if str(timeout) == "None" else float(timeout)
        limits["cell_seconds"] = seconds if seconds > 0 else 86_400.0
    written |= {
        "limits": Limits(**limits),
        "assignments": {name: dict(value) for name, value in written["assignments"].items()},
        "judge_environment": dict(written["judge_environment"]),
    }
    for item in fields(Settings):
        owner, _, name = item.metadata["nbgrader"].partition(".")
        if name and name in config.get(owner, {}):
            written[item.name] = config[owner][name]
    settings = Settings(**written)
    for assignment in settings.assignments:
        settings.for_assignment(assignment)
    return settings
