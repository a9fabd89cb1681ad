"""Small data that ships with the course: generated here, or read from files of the library.

Nothing is downloaded, and NumPy reads it all but MATLAB's files; ``reglib/data/README.md`` says
where the data come from and under which license. Every function returns a :class:`Dataset` whose
three parts are drawn or split before anything is learnt from them: scaling uses the training part
alone, and windows of a time series never reach across from one part to the next. Randomness comes
from ``rng``, a :class:`numpy.random.Generator` or a seed for one; the same seed gives the same
data.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from reglib._absent import refuse
from reglib._arguments import (
    Array,
    GeneratorOrSeed,
    Integer,
    List,
    Number,
    PathName,
    Text,
    arguments,
)
from reglib._typing import ArrayLike, RandomSource


class Examples(NamedTuple):
    """Inputs and targets, one row an example; unpacks into ``model.fit(*examples)``."""

    x: NDArray
    y: NDArray


@dataclass(frozen=True)
class Dataset:
    """Three disjoint sets of examples.

    Parameters
    ----------
    name : str
        What the data are called.
    train, validation, test : Examples
        Pairs ``(x, y)``: fit on the first, choose on the second, report on the third.
    flipped : array of bool, optional
        Which training labels were made wrong on purpose.
    feature_names : tuple of str
        What the columns of ``x`` mean, where they have names.

    Examples
    --------
    >>> data = noisy_moons(6, n_validation=4, n_test=2)
    >>> x, y = data.train
    >>> x.shape, data.validation.y.shape
    ((6, 2), (4,))
    """

    name: str
    train: Examples
    validation: Examples
    test: Examples
    flipped: NDArray | None = None
    feature_names: tuple[str, ...] = ()

    def __repr__(self) -> str:
        counts = ", ".join(
            f"{part} {len(getattr(self, part).x)}" for part in ("train", "validation", "test")
        )
        return f"<{type(self).__name__} {self.name}: x {self.train.x.shape[1:]}, {counts}>"


@dataclass(frozen=True, repr=False)
class SeriesDataset(Dataset):
    """Windows of a time series with the value that follows each, scaled by the training part.

    Parameters
    ----------
    mean, scale : float
        Mean and standard deviation of the training part, in the series' own unit.
    times : tuple of three arrays
        When the targets of the three parts were observed.
    unit : str
        The series' own unit.
    """

    mean: float = 0.0
    scale: float = 1.0
    times: tuple[NDArray, ...] = ()
    unit: str = ""

    @arguments(values=Array(empty=True, nan=True))
    def restore(self, values: ArrayLike) -> NDArray:
        """Return scaled values in the series' own unit: ``values * scale + mean``."""
        return values * self.scale + self.mean


@arguments(
    n=Integer(">= 2"),
    noise=Number(">= 0"),
    flip_fraction=Number("[0, 1]"),
    n_validation=Integer(">= 2"),
    n_test=Integer(">= 2"),
    rng=GeneratorOrSeed(),
)
def noisy_moons(
    n: int = 60,
    noise: float = 0.25,
    flip_fraction: float = 0.15,
    *,
    n_validation: int = 500,
    n_test: int = 2000,
    rng: RandomSource = 0,
) -> Dataset:
    r"""Return two interleaved half circles in the plane, blurred, with wrong training labels.

    Class 0 lies on :math:`(\cos t, \sin t)`, class 1 on
    :math:`(1 - \cos t, \tfrac12 - \sin t)` with :math:`t` uniform on :math:`[0, \pi]`.

    Parameters
    ----------
    n : int
        Training points, at least 2; half of each class.
    noise : float
        Standard deviation of the Gaussian noise added to both coordinates.
    flip_fraction : float
        Share of training labels that are changed to the other class, in [0, 1]. Validation and
        test labels stay right, so that they tell what was really learnt.
    n_validation, n_test : int
        Points of the other two parts.
    rng : Generator or int
        Source of randomness, or a seed for one.

    Returns
    -------
    Dataset
        ``x`` of shape (n, 2) and integer ``y`` of shape (n,).

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type or is out of range.

    Examples
    --------
    >>> data = noisy_moons(n=60, flip_fraction=0.15)
    >>> data
    <Dataset noisy moons: x (2,), train 60, validation 500, test 2000>
    >>> int(data.flipped.sum())
    9
    """
    sizes = (n, n_validation, n_test)
    train, validation, test = (_moons(size, noise, rng) for size in sizes)
    labels, flipped = flip_labels(train.y, flip_fraction, rng=rng)
    return Dataset("noisy moons", Examples(train.x, labels), validation, test, flipped)


def _moons(n: int, noise: float, rng: np.random.Generator) -> Examples:
    y = rng.permutation(np.arange(n) % 2)
    t = rng.uniform(0, np.pi, n)
    upper = np.stack([np.cos(t), np.sin(t)], axis=1)
    lower = np.stack([1 - np.cos(t), 0.5 - np.sin(t)], axis=1)
    x = np.where(y[:, None] == 0, upper, lower)
    return Examples(x + noise * rng.standard_normal((n, 2)), y)


@arguments(
    labels=Array(1), fraction=Number("[0, 1]"), n_classes=Integer(">= 2"), rng=GeneratorOrSeed()
)
def flip_labels(
    labels: ArrayLike,
    fraction: float,
    n_classes: int | None = None,
    *,
    rng: RandomSource = 0,
) -> tuple[NDArray, NDArray]:
    """Return labels of which a share has been changed to another class, and which ones.

    Exactly ``round(fraction * n)`` labels change, each to one of the other classes with equal
    probability.

    Parameters
    ----------
    labels : array_like of int
        Class numbers from 0, shape (n,).
    fraction : float
        Share to change, in [0, 1].
    n_classes : int, optional
        By default the largest label plus one, and at least 2.
    rng : Generator or int
        Source of randomness, or a seed for one.

    Returns
    -------
    tuple
        The new labels and a mask of those that changed, both of shape (n,).

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type or is out of range.

    Examples
    --------
    >>> labels, flipped = flip_labels([0, 1, 0, 1], 0.5)
    >>> int(flipped.sum()), bool((labels[flipped] != np.array([0, 1, 0, 1])[flipped]).all())
    (2, True)
    """
    if labels.dtype.kind not in "iu":
        raise TypeError(f"labels must be integers, got dtype {labels.dtype}")
    least = max(2, int(labels.max()) + 1)
    n_classes = least if n_classes is None else Integer(f">= {least}").check("n_classes", n_classes)
    if labels.min() < 0:
        raise ValueError(f"labels must be at least 0, got {labels.min()}")
    flipped = np.zeros(len(labels), dtype=bool)
    flipped[rng.choice(len(labels), round(fraction * len(labels)), replace=False)] = True
    # A step of 1 to K - 1 around the circle of classes reaches each of the others equally.
    steps = rng.integers(1, n_classes, len(labels))
    return np.where(flipped, (labels + steps) % n_classes, labels).astype(labels.dtype), flipped


@arguments(
    n_train=Integer(">= 1"),
    n_validation=Integer(">= 1"),
    flip_fraction=Number("[0, 1]"),
    rng=GeneratorOrSeed(),
)
def digits(
    n_train: int = 150,
    n_validation: int = 500,
    flip_fraction: float = 0.0,
    *,
    rng: RandomSource = 0,
) -> Dataset:
    """Return 1,797 handwritten digits, images of 8 by 8 pixels, split at random.

    Parameters
    ----------
    n_train, n_validation : int
        Images of the first two parts; the rest is the test part.
    flip_fraction : float
        Share of training labels that are changed to another class, in [0, 1].
    rng : Generator or int
        Source of randomness, or a seed for one.

    Returns
    -------
    Dataset
        ``x`` of shape (n, 8, 8, 1) with values in [0, 1] and integer ``y`` of shape (n,).

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type or is out of range.

    References
    ----------
    Alpaydin and Kaynak (1998), "Optical recognition of handwritten digits", UCI repository,
    CC BY 4.0; here the test set, the same as scikit-learn's.

    Examples
    --------
    >>> digits(n_train=150)
    <Dataset digits: x (8, 8, 1), train 150, validation 500, test 1147>
    """
    held = _held("digits")
    x = held["images"][..., None] / 16.0
    y = held["target"].astype(np.int64)
    train, validation, test = _split(x, y, n_train, n_validation, rng)
    labels, flipped = flip_labels(train.y, flip_fraction, 10, rng=rng)
    return Dataset("digits", Examples(train.x, labels), validation, test, flipped)


@arguments(
    columns=Integer(">= 0"),
    n_train=Integer(">= 1"),
    n_validation=Integer(">= 1"),
    rng=GeneratorOrSeed(),
)
def breast_cancer_with_noise(
    columns: int = 60,
    n_train: int = 300,
    n_validation: int = 100,
    *,
    rng: RandomSource = 0,
) -> Dataset:
    """Return 569 tumors with 30 measurements and columns of pure noise beside them.

    All columns are scaled to mean 0 and standard deviation 1 on the training part. A method
    that selects features ought to give the noise columns weight zero.

    Parameters
    ----------
    columns : int
        How many columns of standard normal noise to append, at least 0.
    n_train, n_validation : int
        Tumors of the first two parts; the rest is the test part.
    rng : Generator or int
        Source of randomness, or a seed for one.

    Returns
    -------
    Dataset
        ``x`` of shape (n, 30 + columns), integer ``y`` of shape (n,): 0 malignant, 1 benign.
        The names of noise columns start with ``noise``.

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type or is out of range.

    References
    ----------
    Street, Wolberg and Mangasarian (1993), "Nuclear feature extraction for breast tumor
    diagnosis"; the data from the UCI repository, CC BY 4.0, the same as scikit-learn's.

    Examples
    --------
    >>> data = breast_cancer_with_noise(columns=60)
    >>> data
    <Dataset breast cancer: x (90,), train 300, validation 100, test 169>
    >>> data.feature_names[29:31]
    ('worst fractal dimension', 'noise 1')
    """
    held = _held("breast_cancer")
    x, y = held["data"], held["target"].astype(np.int64)
    noise = rng.standard_normal((len(x), columns))
    parts = _split(np.hstack([x, noise]), y, n_train, n_validation, rng)
    mean, scale = parts[0].x.mean(axis=0), parts[0].x.std(axis=0)
    train, validation, test = (Examples((part.x - mean) / scale, part.y) for part in parts)
    names = tuple(map(str, held["feature_names"]))
    names += tuple(f"noise {i + 1}" for i in range(columns))
    return Dataset("breast cancer", train, validation, test, feature_names=names)


@functools.cache
def _held(name: str) -> dict[str, NDArray]:
    """Return the arrays of a file in ``reglib/data``, read once: experiments ask often."""
    # Not by a path: the library may be imported from an archive.
    path = resources.files("reglib") / "data" / f"{name}.npz"
    with path.open("rb") as file, np.load(file) as arrays:
        return dict(arrays)


def _split(
    x: NDArray, y: NDArray, n_train: int, n_validation: int, rng: np.random.Generator
) -> tuple[Examples, Examples, Examples]:
    """Return three parts of the examples in random order; the last one takes the rest."""
    if n_train + n_validation >= len(x):
        raise ValueError(
            f"n_train + n_validation must be below {len(x)}, got {n_train} + {n_validation}"
        )
    order = np.split(rng.permutation(len(x)), [n_train, n_train + n_validation])
    train, validation, test = (Examples(x[part], y[part]) for part in order)
    return train, validation, test


@arguments(window=Integer(">= 1"), fractions=Array(shape=(3,)))
def sunspots(window: int = 10, fractions: Sequence[float] = (0.6, 0.2, 0.2)) -> SeriesDataset:
    """Return windows of the yearly sunspot numbers of 1700 to 2008 and the year that follows.

    Parameters
    ----------
    window : int
        Years of input before each target.
    fractions : three floats
        Shares of training, validation and test years, in this order of time.

    Returns
    -------
    SeriesDataset
        ``x`` of shape (n, window, 1) and ``y`` of shape (n, 1), scaled by the training years;
        ``times`` holds the targets' years.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range or leaves a part without a window.

    References
    ----------
    SIDC, Royal Observatory of Belgium, through NOAA's National Geophysical Data Center (public
    domain): the numbers as they were before their revision in 2015, the same as statsmodels'.

    Examples
    --------
    >>> sunspots(window=10)
    <SeriesDataset sunspots: x (10, 1), train 175, validation 52, test 52>
    """
    held = _held("sunspots")
    years = held["years"].astype(np.int64)
    return _series("sunspots", held["values"], years, window, fractions, "spots")


@arguments(window=Integer(">= 1"), fractions=Array(shape=(3,)))
def co2(window: int = 52, fractions: Sequence[float] = (0.6, 0.2, 0.2)) -> SeriesDataset:
    """Return windows of weekly atmospheric CO2 at Mauna Loa, 1958 to 2001, and the week after.

    59 of the 2,284 weeks are missing. Where an input is missing, the last observed value stands
    in: interpolation would look into the future. A missing week is never a target.

    Parameters
    ----------
    window : int
        Weeks of input before each target.
    fractions : three floats
        Shares of training, validation and test weeks, in this order of time.

    Returns
    -------
    SeriesDataset
        ``x`` of shape (n, window, 1) and ``y`` of shape (n, 1), scaled by the training weeks;
        ``times`` holds the targets' dates.

    Raises
    ------
    TypeError, ValueError
        If an argument is out of range or leaves a part without a window.

    Notes
    -----
    The series grows, so later parts lie outside the range of the training part. Subtract each
    window's last value, ``x[:, -1:]``, from inputs and target to model changes instead.

    References
    ----------
    Keeling and Whorf (2004), "Atmospheric CO2 concentrations derived from flask air samples at
    sites in the SIO network", Carbon Dioxide Information Analysis Center (public domain); the
    same as statsmodels'.

    Examples
    --------
    >>> co2(window=52)
    <SeriesDataset co2: x (52, 1), train 1277, validation 404, test 405>
    """
    held = _held("co2")
    return _series("co2", held["values"], held["weeks"], window, fractions, "ppm")


def _series(
    name: str,
    values: NDArray,
    times: NDArray,
    window: int,
    fractions: Sequence[float],
    unit: str,
) -> SeriesDataset:
    shares = np.asarray(fractions)
    if (shares <= 0).any() or abs(shares.sum() - 1) > 1e-9:
        raise ValueError(f"fractions must be three positive shares of 1, got {fractions}")
    cuts = np.round(np.cumsum(shares)[:2] * len(values)).astype(int)
    parts = np.split(values, cuts)
    if min(map(len, parts)) <= window:
        raise ValueError(
            f"window must be shorter than each part {tuple(map(len, parts))}, got {window}"
        )
    mean, scale = float(np.nanmean(parts[0])), float(np.nanstd(parts[0]))
    windows, when = [], []
    for part, stamps in zip(parts, np.split(times, cuts), strict=True):
        x, y, kept = _windows((part - mean) / scale, window)
        windows.append(Examples(x[..., None], y[:, None]))
        when.append(stamps[window:][kept])
    train, validation, test = windows
    return SeriesDataset(
        name, train, validation, test, mean=mean, scale=scale, times=tuple(when), unit=unit
    )


def _windows(part: NDArray, window: int) -> tuple[NDArray, NDArray, NDArray]:
    """Return windows, the value after each, and which of the part's windows have a target."""
    targets = part[window:]
    observed = np.where(np.isnan(part), 0, np.arange(len(part)))
    filled = part[np.maximum.accumulate(observed)]
    x = np.lib.stride_tricks.sliding_window_view(filled, window)[:-1]
    kept = ~np.isnan(targets) & ~np.isnan(x).any(axis=1)
    return x[kept], targets[kept], kept


# Where each class of `signals` has its bumps (on a scale of 0 to 11) and how high they are.
_BUMPS = (
    ((1, 5.0), (3, 6.5), (5.5, 4.0), (8, 6.5), (10, 5.0)),
    ((2, 2.0), (5, 3.0), (8, 9.0)),
    ((1, 7.0), (3.5, 7.0), (6, -2.0), (9, 5.0)),
    ((1.5, 4.0), (4, 1.0), (5.5, 6.0), (9.5, 4.0)),
    ((1, -3.0), (3, 4.0), (6, 8.0), (7.5, 8.0)),
    ((2, 8.0), (4, -1.0), (7, 6.0), (10, 2.0)),
    ((1, 9.0), (4, 5.0), (7, 1.0), (9.5, 5.0)),
    ((2, 6.0), (5, 6.0), (7, 6.0), (10, -4.0)),
    ((1, 3.0), (3, 8.0), (6, 1.0), (9, 8.0)),
    ((1.5, 8.0), (4, 8.0), (6, 2.0), (9, -3.0)),
)


@arguments(
    n_train=Integer(">= 1"),
    n_validation=Integer(">= 1"),
    n_test=Integer(">= 1"),
    length=Integer(">= 16"),
    noise=Number(">= 0"),
    max_shift=Number("[0, 1]"),
    rng=GeneratorOrSeed(),
)
def signals(
    n_train: int = 1000,
    n_validation: int = 1000,
    n_test: int = 1000,
    *,
    length: int = 40,
    noise: float = 0.25,
    max_shift: float = 0.5,
    rng: RandomSource = 0,
) -> Dataset:
    """Return one-dimensional signals of ten classes, small but hard for a linear model.

    Each class is a curve with a few bumps. An example is its class's curve, stretched,
    placed at a random position in a longer signal, scaled, tilted and covered with smooth and
    rough noise. Position carries no information, so convolutions and shifts as augmentation pay,
    as with images, at a hundredth of the cost.

    Parameters
    ----------
    n_train, n_validation, n_test : int
        Examples of the three parts.
    length : int
        Samples in a signal, at least 16.
    noise : float
        Size of the noise; 0 for none.
    max_shift : float
        How much of the free room a curve may move in, in [0, 1]; 0 puts each in the middle.
    rng : Generator or int
        Source of randomness, or a seed for one.

    Returns
    -------
    Dataset
        ``x`` of shape (n, length, 1), scaled by the training part, and integer ``y`` of (n,).

    Raises
    ------
    TypeError, ValueError
        If an argument has the wrong type or is out of range.

    References
    ----------
    The idea is that of Greydanus (2020), "Scaling down deep learning" (MNIST-1D). Curves and
    code are our own, so results do not compare with those published for MNIST-1D.

    Examples
    --------
    >>> signals(n_train=100)
    <Dataset signals: x (40, 1), train 100, validation 1000, test 1000>
    """
    sizes = (n_train, n_validation, n_test)
    parts = [_signals(size, length, noise, max_shift, rng) for size in sizes]
    mean, scale = parts[0].x.mean(), parts[0].x.std()
    train, validation, test = (Examples((part.x - mean) / scale, part.y) for part in parts)
    return Dataset("signals", train, validation, test)


def _signals(
    n: int, length: int, noise: float, max_shift: float, rng: np.random.Generator
) -> Examples:
    y = rng.permutation(np.arange(n) % 10)
    grid = np.linspace(0, 1, length)
    width = rng.uniform(0.4, 0.6, (n, 1))
    start = (1 - width) * (0.5 + max_shift * rng.uniform(-0.5, 0.5, (n, 1)))
    position = 11 * (grid - start) / width
    x = np.zeros((n, length))
    for label, bumps in enumerate(_BUMPS):
        here = y == label
        for center, height in bumps:
            x[here] += height / 5 * np.exp(-((position[here] - center) ** 2) / 1.5)
    x *= rng.uniform(0.6, 1.4, (n, 1))
    x += rng.uniform(-0.5, 0.5, (n, 1)) * (grid - 0.5)
    rough = rng.standard_normal((n, length))
    smooth = np.apply_along_axis(np.convolve, 1, rng.standard_normal((n, length + 4)), np.ones(5))
    smooth = smooth[:, 4:-4] / np.sqrt(5)
    return Examples((x + noise * (rough + smooth) / np.sqrt(2))[..., None], y)


@arguments(path=PathName(), variables=List("names", Text()))
def load_mat(
    path: str | os.PathLike[str], variables: Sequence[str] | None = None
) -> dict[str, NDArray]:
    """Return the variables of a MATLAB file as arrays.

    Parameters
    ----------
    path : path
        A MAT file of version 4 to 7.
    variables : sequence of str, optional
        The names wanted, which must all be there; by default every variable.

    Returns
    -------
    dict
        Names to arrays. MATLAB has no vectors: a column comes as shape (n, 1).

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it is no MAT file, is of version 7.3 (HDF5), is damaged, or lacks a variable.

    Examples
    --------
    >>> import tempfile, scipy.io
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     scipy.io.savemat(f"{folder}/data.mat", {"X": [[1.0, 2.0]], "y": [[1]]})
    ...     load_mat(f"{folder}/data.mat", ["X"])
    {'X': array([[1., 2.]])}
    """
    import scipy.io

    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"path must be a MAT file, but there is no file {path}")
    with path.open("rb") as file:
        head = file.read(128)
    if head.startswith((b"MATLAB 7.3", b"\x89HDF")):
        raise ValueError(
            f"path must be a MAT file of version 4 to 7, got version 7.3 (HDF5) in {path}; "
            "save it in MATLAB with save(name, '-v7')"
        )
    try:
        found = scipy.io.loadmat(path)
    except Exception as error:  # loadmat raises many kinds for a file that is something else
        raise ValueError(f"path must be a MAT file, but {path} cannot be read: {error}") from error
    arrays = {name: value for name, value in found.items() if not name.startswith("__")}
    missing = [name for name in variables or () if name not in arrays]
    if missing:
        raise ValueError(
            f"variables must be in {path.name}, which holds {', '.join(sorted(arrays)) or 'none'}; "
            f"missing: {', '.join(map(repr, missing))}"
        )
    return arrays if variables is None else {name: arrays[name] for name in variables}


__getattr__ = partial(refuse, __name__)
