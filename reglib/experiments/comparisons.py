"""Compare settings seed by seed, with intervals."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from reglib._arguments import Array, Choice, Flag, Integer, List, Number, arguments
from reglib._student_t import t_quantile
from reglib._typing import ArrayLike

if TYPE_CHECKING:
    import pandas as pd


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
    frame: pd.DataFrame, metrics: str | Sequence[str] | None = None, *, digits: int | None = None
) -> pd.DataFrame:
    """Return mean ± standard deviation over the seeds as text, a row a setting, to be read.

    A standard deviation of some dozen seeds is uncertain by a tenth and more, so it has two
    digits, and its mean ends where it does.

    Parameters
    ----------
    frame : DataFrame
        From :func:`run`, one row a setting and seed.
    metrics : str or sequence of str, optional
        The columns to show; by default all but ``setting`` and ``seed``.
    digits : int
        Digits after the point, in place of those; three where there is no deviation.

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
    >>> table(frame).loc["plain", "loss"]
    '2.0 ± 1.0'
    """
    described = summary(frame, metrics)
    text = [
        f"{mean:.{places}f} ± {sd:.{places}f}"
        for mean, sd in zip(described["mean"], described["sd"], strict=True)
        for places in [_places(sd) if digits is None else digits]
    ]
    shown = described.assign(text=text)["text"].unstack("metric", sort=False)
    return shown.rename_axis(index=None, columns=None)


def _places(sd: float) -> int:
    """Return after how many places a standard deviation has two digits."""
    if not sd > 0:
        return 3
    return max(0, 1 - int(f"{sd:.1e}".partition("e")[2]))


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


@arguments(largest=Flag())
def best(frame: pd.DataFrame, metric: str, *, largest: bool = False) -> Any:
    """Return the setting with the best mean over the seeds, from a grid whose edges lose.

    Where the best lies at an edge, what lies beyond may be better: the search was too short. Only
    a zero at an edge is none, as there is nothing below it.

    Parameters
    ----------
    frame : DataFrame
        From :func:`run`, its settings in the order of the grid; a grid of several arguments has
        tuples for names, one entry an argument.
    metric : str
        The column to choose by: one of validation data.
    largest : bool
        Whether large is good, as for an accuracy.

    Returns
    -------
    label
        The setting's name.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit, a column is missing, or the best setting lies at an edge.

    Examples
    --------
    >>> grid = {lam: {"lam": lam} for lam in (0.01, 0.1, 1.0)}
    >>> best(run(lambda seed, lam: abs(lam - 0.2), grid, seeds=2), "score")
    0.1
    """
    require_columns(frame, "setting", metric)
    means = frame.groupby("setting", sort=False)[metric].mean()
    if means.isna().any():
        raise ValueError(f"frame must hold a finite {metric!r} of every setting, got a missing one")
    labels = list(means.index)
    chosen = labels[int(means.argmax() if largest else means.argmin())]
    for position, values in enumerate(zip(*map(_parts, labels), strict=True)):
        value, axis = _parts(chosen)[position], list(dict.fromkeys(values))
        if len(axis) > 1 and value in (axis[0], axis[-1]) and value != 0:
            raise ValueError(
                f"the best {metric!r} lies at an edge of the grid, {value!r} of {axis}: widen it"
            )
    return chosen


def _parts(label: Any) -> tuple[Any, ...]:
    return label if isinstance(label, tuple) else (label,)


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
