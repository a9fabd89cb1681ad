"""Experiments over seeds: run them, keep their results, and tell effects from noise.

An experiment is a function of a seed and of a setting's arguments that returns metrics.
:func:`run` calls it for every setting with the same seeds (common random numbers): where data,
initial weights and batches follow the seed, two settings differ in nothing but themselves, and
:func:`paired_differences` sees effects that an unpaired comparison would lose in the spread.

>>> def score(seed, shift=0.0):
...     return {"accuracy": np.random.default_rng(seed).normal(0.9, 0.02) + shift}
>>> frame = run(score, {"plain": {}, "better": {"shift": 0.01}}, seeds=5)
>>> frame.shape
(10, 3)
>>> paired_differences(frame, "plain", "accuracy").loc["better", "mean"].round(6)
np.float64(0.01)
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from reglib._arguments import (
    Array,
    Choice,
    Flag,
    Function,
    Integer,
    List,
    Number,
    PathName,
    arguments,
)
from reglib._result_cache import ResultCache
from reglib._student_t import t_quantile
from reglib._typing import ArrayLike

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
        source, what it uses, its arguments, reglib's source or NumPy's version have changed.
        By default the folder that the environment variable ``REGLIB_CACHE`` names, else none.
    progress : bool, optional
        Whether to show a progress bar (tqdm); by default only on a terminal.

    Returns
    -------
    pandas.DataFrame
        Columns ``setting``, ``seed`` and the metrics; a number's column is ``score``.

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
    folder = cache if cache is not None else os.environ.get("REGLIB_CACHE") or None
    known = None if folder is None else ResultCache(Path(folder), build_and_score)
    pairs = [(name, setting, seed) for name, setting in named.items() for seed in seeds]
    rows: list[dict[str, Any]] = []
    for name, setting, seed in _with_progress(pairs, progress):
        results = known.get(setting, seed) if known else None
        if results is None:
            results = _rows(build_and_score(seed, **setting), name, seed)
            if known:
                known.put(setting, seed, results)
        rows += [{"setting": name, "seed": seed, **result} for result in results]
    return pd.DataFrame(rows)


def paired_differences(
    frame: pd.DataFrame,
    baseline: Any,
    metric: str,
    *,
    level: float = 0.95,
    interval: str = "t",
) -> pd.DataFrame:
    r"""Return each setting's difference from a baseline, seed by seed, with an interval.

    With :math:`d_s` the difference under seed :math:`s`, the t interval is
    :math:`\bar d \pm t_{n-1}\, s_d/\sqrt n`. Unlike the difference of two means, it does not
    contain the spread that both settings share.

    Parameters
    ----------
    frame : DataFrame
        From :func:`run`, one row a setting and seed.
    baseline : label
        The setting to subtract.
    metric : str
        The column to compare.
    level : float
        Confidence level, in (0, 1).
    interval : str
        ``"t"``: for the mean, from the normal distribution of differences;
        ``"bootstrap"``: for the mean, percentiles over 10,000 resamples (optimistic below 10
        seeds); ``"sign"``: for the median, from order statistics, of any distribution; it needs
        6 seeds at level 0.95.

    Returns
    -------
    pandas.DataFrame
        One row a setting, with ``n``, ``mean``, ``sd``, ``low``, ``high`` and ``clear``: whether
        the interval excludes 0. If it does not, the difference may be noise.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit, a column or setting is missing, or seeds do not match.

    References
    ----------
    Bouthillier et al. (2021), "Accounting for variance in machine learning benchmarks".

    Examples
    --------
    >>> import pandas as pd
    >>> frame = pd.DataFrame({"setting": ["a"] * 3 + ["b"] * 3, "seed": [0, 1, 2] * 2,
    ...                       "loss": [1.0, 2.0, 3.0, 0.9, 1.9, 2.9]})
    >>> result = paired_differences(frame, "a", "loss").loc["b"]
    >>> int(result["n"]), round(float(result["mean"]), 6), bool(result["clear"])
    (3, -0.1, True)
    """
    import pandas as pd

    table = differences(frame, baseline, metric)
    rows = {name: _described(table[name].to_numpy(), level, interval) for name in table.columns}
    result = pd.DataFrame.from_dict(rows, orient="index")
    result["clear"] = (result["low"] > 0) | (result["high"] < 0)
    result.index.name = "setting"
    return result


def differences(frame: pd.DataFrame, baseline: Any, metric: str) -> pd.DataFrame:
    """Return the differences from a baseline: one row a seed, one column a setting.

    Parameters
    ----------
    frame : DataFrame
        From :func:`run`, one row a setting and seed.
    baseline : label
        The setting to subtract.
    metric : str
        The column to compare.

    Returns
    -------
    pandas.DataFrame
        The other settings in the order of ``frame``.

    Raises
    ------
    TypeError, ValueError
        If a column or setting is missing, or the settings were not run with the same seeds.

    Examples
    --------
    >>> frame = run(lambda seed, k: seed * k, {"one": {"k": 1}, "two": {"k": 2}}, seeds=3)
    >>> differences(frame, "one", "score")["two"].tolist()
    [0.0, 1.0, 2.0]
    """
    require_columns(frame, "setting", "seed", metric)
    order = list(dict.fromkeys(frame["setting"]))
    if baseline not in order:
        raise ValueError(f"baseline must be one of {', '.join(map(repr, order))}, got {baseline!r}")
    if len(order) < 2:
        raise ValueError("frame must hold another setting beside the baseline, got none")
    if frame.duplicated(["setting", "seed"]).any():
        raise ValueError(
            "frame must hold one row a setting and seed, got several; select one row of each, "
            "say the last epoch"
        )
    table = frame.pivot(index="seed", columns="setting", values=metric)
    if table.isna().to_numpy().any():
        raise ValueError(
            f"frame must hold a finite {metric!r} of every setting for the same seeds, got "
            "a missing one"
        )
    others = [name for name in order if name != baseline]
    return table[others].sub(table[baseline], axis=0)


def summary(
    frame: pd.DataFrame, metrics: str | Sequence[str] | None = None, *, level: float = 0.95
) -> pd.DataFrame:
    """Return mean, spread and t interval of the mean over the seeds, for each setting.

    Parameters
    ----------
    frame : DataFrame
        From :func:`run`, one row a setting and seed.
    metrics : str or sequence of str, optional
        The columns to describe; by default all but ``setting`` and ``seed``.
    level : float
        Confidence level, in (0, 1).

    Returns
    -------
    pandas.DataFrame
        One row a setting and metric, with ``n``, ``mean``, ``sd``, ``low``, ``high``.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit or a column is missing.

    Examples
    --------
    >>> frame = run(lambda seed: {"loss": seed}, {"plain": {}}, seeds=[1, 2, 3])
    >>> summary(frame).loc[("plain", "loss"), ["n", "mean", "sd"]].to_list()
    [3.0, 2.0, 1.0]
    """
    import pandas as pd

    chosen = _chosen(frame, metrics)
    rows = {
        (name, metric): _described(group[metric].to_numpy(), level, "t")
        for name, group in frame.groupby("setting", sort=False)
        for metric in chosen
    }
    result = pd.DataFrame.from_dict(rows, orient="index")
    result.index = pd.MultiIndex.from_tuples(rows, names=["setting", "metric"])
    return result


@arguments(digits=Integer(">= 0"))
def table(
    frame: pd.DataFrame, metrics: str | Sequence[str] | None = None, *, digits: int = 3
) -> pd.DataFrame:
    """Return mean ± standard deviation over the seeds as text, a row a setting, to be read.

    Parameters
    ----------
    frame : DataFrame
        From :func:`run`, one row a setting and seed.
    metrics : str or sequence of str, optional
        The columns to show; by default all but ``setting`` and ``seed``.
    digits : int
        Digits after the point.

    Returns
    -------
    pandas.DataFrame
        Of str, one column a metric.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit or a column is missing.

    Examples
    --------
    >>> frame = run(lambda seed: {"loss": seed}, {"plain": {}}, seeds=[1, 2, 3])
    >>> table(frame, digits=1).loc["plain", "loss"]
    '2.0 ± 1.0'
    """
    described = summary(frame, metrics)
    text = [
        f"{mean:.{digits}f} ± {sd:.{digits}f}"
        for mean, sd in zip(described["mean"], described["sd"], strict=True)
    ]
    shown = described.assign(text=text)["text"].unstack("metric", sort=False)
    return shown.rename_axis(index=None, columns=None)


@arguments(digits=Integer(">= 0"))
def difference_table(
    frame: pd.DataFrame,
    baseline: Any,
    metrics: str | Sequence[str] | None = None,
    *,
    level: float = 0.95,
    digits: int = 3,
) -> pd.DataFrame:
    """Return paired differences from a baseline as text, a row a setting, to be read.

    Each entry is the mean difference with its t interval in brackets, and says "covers 0" where
    the difference may be noise.

    Parameters
    ----------
    frame : DataFrame
        From :func:`run`, one row a setting and seed.
    baseline : label
        The setting to subtract.
    metrics : str or sequence of str, optional
        The columns to compare; by default all but ``setting`` and ``seed``.
    level : float
        Confidence level, in (0, 1).
    digits : int
        Digits after the point.

    Returns
    -------
    pandas.DataFrame
        Of str, one column a metric.

    Raises
    ------
    TypeError, ValueError
        As :func:`paired_differences`.

    Examples
    --------
    >>> frame = run(lambda seed, k=0: seed % 2 * k, {"none": {}, "one": {"k": 1}}, seeds=4)
    >>> difference_table(frame, "none", digits=2).loc["one", "score"]
    '0.50 [-0.42, 1.42] covers 0'
    """
    import pandas as pd

    chosen = _chosen(frame, metrics)
    columns = {}
    for metric in chosen:
        found = paired_differences(frame, baseline, metric, level=level)
        columns[metric] = [
            f"{row['mean']:.{digits}f} [{row['low']:.{digits}f}, {row['high']:.{digits}f}]"
            + ("" if row["clear"] else " covers 0")
            for _, row in found.iterrows()
        ]
        index = list(found.index)
    return pd.DataFrame(columns, index=index)


@arguments(
    values=Array(1, dtype=np.float64),
    level=Number("(0, 1)"),
    interval=Choice("t", "bootstrap", "sign"),
)
def confidence_interval(
    values: ArrayLike, *, level: float = 0.95, interval: str = "t"
) -> tuple[float, float]:
    """Return a confidence interval for the center of the values.

    Parameters
    ----------
    values : array_like
        Independent observations, shape (n,).
    level : float
        Confidence level, in (0, 1).
    interval : str
        ``"t"``, ``"bootstrap"`` or ``"sign"``, as for :func:`paired_differences`.

    Returns
    -------
    tuple of float
        The two ends; NaN where there are too few values for one.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit.

    Examples
    --------
    >>> low, high = confidence_interval([1.0, 2.0, 3.0])
    >>> round(low, 2), round(high, 2)  # 2 ± 4.303 · 1 / √3
    (-0.48, 4.48)
    """
    n = len(values)
    if n < 2:
        return math.nan, math.nan
    if interval == "bootstrap":
        picks = np.random.default_rng(0).integers(0, n, (10_000, n))
        ends = np.quantile(values[picks].mean(axis=1), [(1 - level) / 2, (1 + level) / 2])
        return float(ends[0]), float(ends[1])
    if interval == "sign":
        # The k-th smallest and largest cover the median unless fewer than k lie on one side.
        tails = np.cumsum([math.comb(n, k) for k in range(n + 1)]) / 2.0**n
        k = int(np.sum(tails <= (1 - level) / 2))
        ordered = np.sort(values)
        return (float(ordered[k - 1]), float(ordered[n - k])) if k else (math.nan, math.nan)
    half = t_quantile(level, n - 1) * float(values.std(ddof=1)) / math.sqrt(n)
    center = float(values.mean())
    return center - half, center + half


def _described(values: np.ndarray, level: float, interval: str) -> dict[str, float]:
    low, high = confidence_interval(values, level=level, interval=interval)
    sd = float(np.std(values, ddof=1)) if len(values) > 1 else math.nan
    return {"n": len(values), "mean": float(np.mean(values)), "sd": sd, "low": low, "high": high}


def require_columns(frame: Any, *names: str) -> None:
    """Check that ``frame`` is a table with these columns.

    Raises
    ------
    TypeError, ValueError
        If it is no table or lacks a column.
    """
    columns = getattr(frame, "columns", None)
    if columns is None:
        raise TypeError(f"frame must be a DataFrame from run, got {type(frame).__name__}")
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"frame's column must be named by a string, got {name!r}")
        if name not in columns:
            raise ValueError(f"frame must have a column {name!r}, got {', '.join(columns)}")


def _chosen(frame: Any, metrics: str | Sequence[str] | None) -> list[str]:
    """Return the metrics asked for, or else all in the table."""
    names = [metrics] if isinstance(metrics, str) else metrics or ()
    names = List("names").check("metrics", names)
    require_columns(frame, "setting", "seed", *names)
    return names or [name for name in frame.columns if name not in ("setting", "seed")]


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
