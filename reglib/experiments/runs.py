"""Run an experiment for every setting and seed."""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from reglib._arguments import Flag, Function, Integer, PathName, arguments
from reglib._result_cache import ResultCache
from reglib.experiments import stress

if TYPE_CHECKING:
    import pandas as pd

Metrics = float | Mapping[str, float] | Sequence[Mapping[str, float]]


@arguments(build_and_score=Function(), cache=PathName(), progress=Flag())
def run(
    build_and_score: Callable[..., Metrics],
    settings: Mapping[Any, Mapping[str, Any]] | Iterable[Mapping[str, Any]],
    seeds: int | Iterable[int],
    *,
    cache: str | os.PathLike[str] | None = None,
    progress: bool | None = None,
) -> pd.DataFrame:
    """Return the metrics of every setting under every seed as a tidy table.

    Parameters
    ----------
    build_and_score : callable
        Called as ``build_and_score(seed, **setting)``; takes all its randomness from ``seed`` and
        returns a number, a mapping of metrics, or a list of mappings, one a row (say, an epoch).
    settings : mapping or iterable
        Names to keyword arguments. Arguments alone get a name such as ``l2=0.01``.
    seeds : int or iterable of int
        The seeds, the same for every setting; ``5`` stands for 0 to 4.
    cache : path, optional
        A folder for results. What is there already is not computed again, unless the function's
        source, what it uses, be it in reglib or elsewhere, its arguments, or NumPy's minor version
        have changed. A damaged or edited result is dropped with a warning and computed again.
        By default the folder that the environment variable ``REGLIB_CACHE`` names, else none.
    progress : bool, optional
        Whether to show a progress bar (tqdm); by default only on a terminal.

    Returns
    -------
    pandas.DataFrame
        Columns ``setting``, ``seed`` and the metrics; a number's column is ``score``.

    Notes
    -----
    With the environment variable ``REGLIB_STRESS`` set to anything, seeds are others and arguments
    named ``epochs`` or ``steps`` are four times as large, whether a setting gives them or the
    function's signature does: a conclusion that does not survive it is not worth much.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit, a result holds no numbers, or the function uses something that
        the cache cannot look into.

    Examples
    --------
    >>> run(lambda seed, k=1: seed * k, [{"k": 2}, {"k": 3}], seeds=2)["score"].tolist()
    [0.0, 2.0, 0.0, 3.0]
    """
    import pandas as pd

    named = _named_settings(settings)
    seeds = _seeds(seeds)
    if stress.wanted():
        seeds = stress.other_seeds(seeds)
        named = {name: stress.longer(build_and_score, args) for name, args in named.items()}
    folder = cache if cache is not None else os.environ.get("REGLIB_CACHE") or None
    known = None if folder is None else ResultCache(Path(folder), build_and_score)
    pairs = [(name, setting, seed) for name, setting in named.items() for seed in seeds]
    rows: list[dict[str, Any]] = []
    computed = 0
    for name, setting, seed in _with_progress(pairs, progress):
        results = known.get(setting, seed) if known else None
        if results is None:
            results = _rows(build_and_score(seed, **setting), name, seed)
            computed += 1
            if known:
                known.put(name, setting, seed, results)
        rows += [{"setting": name, "seed": seed, **result} for result in results]
    _report(build_and_score, named, known, len(pairs), computed)
    return pd.DataFrame(rows)


def _report(
    function: Callable[..., Any],
    settings: Mapping[Any, Mapping[str, Any]],
    known: ResultCache | None,
    runs: int,
    computed: int,
) -> None:
    """Tell of damaged results, and write a line to the log that the environment names."""
    damaged = known.damaged if known else 0
    log = os.environ.get("REGLIB_RUN_LOG")
    if log:
        lengths = any(stress.lengths_of(function, setting) for setting in settings.values())
        name = getattr(function, "__name__", "function")
        line = {"experiment": name, "runs": runs, "computed": computed, "damaged": damaged}
        line |= {"has a length": lengths, "file": known.path.name if known else None}
        with Path(log).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
    elif damaged and known:
        warnings.warn(
            f"{known.path} held {damaged} damaged results; their runs were repeated", stacklevel=4
        )


def _named_settings(settings: Any) -> dict[Any, dict[str, Any]]:
    if isinstance(settings, Mapping):
        pairs = list(settings.items())
    elif isinstance(settings, Iterable) and not isinstance(settings, (str, bytes)):
        pairs = [(None, setting) for setting in settings]
    else:
        raise TypeError(f"settings must be a mapping or a list of mappings, got {settings!r}")
    named: dict[Any, dict[str, Any]] = {}
    for name, setting in pairs:
        if not isinstance(setting, Mapping) or not all(isinstance(key, str) for key in setting):
            raise TypeError(f"settings must hold keyword arguments, got {setting!r}")
        if name is None:
            name = ", ".join(f"{key}={value}" for key, value in setting.items()) or "default"
        if name in named:
            raise ValueError(f"settings must have names of their own, got {name!r} twice")
        named[name] = dict(setting)
    if not named:
        raise ValueError("settings must not be empty")
    return named


def _seeds(seeds: int | Iterable[int]) -> list[int]:
    if isinstance(seeds, (int, np.integer)):
        return list(range(Integer(">= 1").check("seeds", seeds)))
    if not isinstance(seeds, Iterable) or isinstance(seeds, (str, bytes)):
        raise TypeError(f"seeds must be an integer or a list of integers, got {seeds!r}")
    listed = [Integer(">= 0").check("seeds", seed) for seed in seeds]
    if not listed or len(set(listed)) < len(listed):
        raise ValueError(f"seeds must be one or more different integers, got {listed}")
    return listed


def _rows(metrics: Any, setting: Any, seed: int) -> list[dict[str, float]]:
    """Return what the function returned as a list of rows of floats."""
    if isinstance(metrics, Mapping):
        metrics = [metrics]
    elif not isinstance(metrics, (list, tuple)):
        metrics = [{"score": metrics}]
    where = f"build_and_score, under {setting!r} and seed {seed},"
    rows = []
    for row in metrics:
        if not isinstance(row, Mapping):
            raise TypeError(f"{where} must return numbers, mappings or a list of them, got {row!r}")
        for name in ("setting", "seed"):
            if name in row:
                raise ValueError(f"{where} must not return a metric called {name!r}")
        try:
            rows.append({str(name): float(value) for name, value in row.items()})
        except (TypeError, ValueError) as error:
            raise TypeError(f"{where} must return numbers as metrics, got {row!r}") from error
    return rows


def _with_progress(pairs: list[Any], progress: bool | None) -> Iterable[Any]:
    """Wrap in a bar on a terminal; in a book build it would be noise in the page."""
    if progress is None:
        progress = sys.stderr is not None and sys.stderr.isatty()
    if not progress:
        return pairs
    from tqdm.auto import tqdm

    return tqdm(pairs, desc="runs", leave=False)
