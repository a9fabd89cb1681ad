r"""Transforms of one image, and the question whether they keep its label.

An image is an array of shape (height, width) or (height, width, channels) with values in
[0, 1]. Every function returns a new array of the input's shape (:func:`random_crop`: a smaller
one) and leaves its argument alone. Geometry works from the output back to the input: each output
pixel asks which input pixel lies under it, and takes the nearest; pixels from outside are 0.

References
----------
Simard, Steinkraus and Platt (2003), "Best practices for convolutional neural networks";
Shorten and Khoshgoftaar (2019), "A survey on image data augmentation".
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib._arguments import Array, Function, Generator, Integer, List, Number, arguments
from reglib._typing import ArrayLike
from reglib._validation import check_array
from reglib.textbook._checks import Image


def _nearest(image: NDArray, rows: NDArray, columns: NDArray) -> NDArray:
    """Return the input pixels nearest to the given places; 0 where they lie outside."""
    height, width = image.shape[:2]
    i, j = np.rint(rows).astype(int), np.rint(columns).astype(int)
    inside = (i >= 0) & (i < height) & (j >= 0) & (j < width)
    out = np.zeros_like(image)
    out[inside] = image[i[inside], j[inside]]
    return out


def _from_center(image: NDArray) -> tuple[NDArray, NDArray, float, float]:
    """Return each pixel's row and column relative to the center, and the center."""
    height, width = image.shape[:2]
    middle_row, middle_column = (height - 1) / 2, (width - 1) / 2
    rows, columns = np.indices((height, width), dtype=float)
    return rows - middle_row, columns - middle_column, middle_row, middle_column


@arguments(image=Image(), dy=Integer(), dx=Integer())
def shift(image: ArrayLike, dy: int, dx: int) -> NDArray:
    r"""Return the image moved down by ``dy`` and right by ``dx`` pixels; what is empty is 0.

    .. math:: \text{out}[i, j] = \text{image}[i - dy, j - dx]

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit.

    Examples
    --------
    >>> shift([[1, 2], [3, 4]], dy=1, dx=0)
    array([[0, 0],
           [1, 2]])
    """
    height, width = image.shape[:2]
    out = np.zeros_like(image)
    if abs(dy) < height and abs(dx) < width:
        target, source = zip(_kept(dy, height), _kept(dx, width), strict=True)
        out[target] = image[source]
    return out


def _kept(by: int, length: int) -> tuple[slice, slice]:
    """Return where what stays in the picture arrives, and where it comes from."""
    return slice(max(by, 0), length + min(by, 0)), slice(max(-by, 0), length + min(-by, 0))


@arguments(image=Image())
def horizontal_flip(image: ArrayLike) -> NDArray:
    """Return the image with left and right exchanged.

    Raises
    ------
    TypeError, ValueError
        If ``image`` is unfit.

    Examples
    --------
    >>> horizontal_flip([[1, 2], [3, 4]])
    array([[2, 1],
           [4, 3]])
    """
    return image[:, ::-1].copy()


@arguments(image=Image(), height=Integer(">= 1"), width=Integer(">= 1"), rng=Generator())
def random_crop(image: ArrayLike, height: int, width: int, rng: np.random.Generator) -> NDArray:
    """Return a window of the image at a place where every one is as likely as any other.

    Parameters
    ----------
    image : array_like, shape (H, W) or (H, W, channels)
        The image.
    height, width : int
        The window's size, at most the image's.
    rng : numpy.random.Generator
        Where the place is drawn from.

    Returns
    -------
    ndarray, shape (height, width) or (height, width, channels)

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit.

    Examples
    --------
    >>> random_crop([[1, 2], [3, 4]], 2, 2, np.random.default_rng(0))
    array([[1, 2],
           [3, 4]])
    """
    if height > image.shape[0] or width > image.shape[1]:
        raise ValueError(
            f"height and width must be at most {image.shape[:2]}, got {(height, width)}"
        )
    top = rng.integers(image.shape[0] - height + 1)
    left = rng.integers(image.shape[1] - width + 1)
    return image[top : top + height, left : left + width].copy()


@arguments(image=Image(), factor=Number("> 0"))
def zoom(image: ArrayLike, factor: float) -> NDArray:
    r"""Return the image magnified around its center; its size stays.

    .. math:: \text{out}[i, j] = \text{image}\left[c + (i - c) / f,\; d + (j - d) / f\right]

    with the center :math:`c = (H - 1) / 2`, :math:`d = (W - 1) / 2`, at the nearest pixel.

    Parameters
    ----------
    image : array_like, shape (H, W) or (H, W, channels)
        The image.
    factor : float
        Above 1 magnifies, below 1 shrinks (the rim is then 0); above 0.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit.

    Examples
    --------
    >>> zoom([[1, 2, 3, 4]], 2.0)
    array([[2, 2, 3, 3]])
    """
    y, x, middle_row, middle_column = _from_center(image)
    return _nearest(image, middle_row + y / factor, middle_column + x / factor)


@arguments(image=Image(), degrees=Number())
def rotate(image: ArrayLike, degrees: float) -> NDArray:
    r"""Return the image turned counter-clockwise around its center; its size stays.

    With :math:`(y, x)` measured from the center, downwards and to the right,

    .. math:: \text{out}(y, x) =
              \text{image}(y\cos\theta + x\sin\theta,\; -y\sin\theta + x\cos\theta)

    at the nearest pixel.

    Parameters
    ----------
    image : array_like, shape (H, W) or (H, W, channels)
        The image.
    degrees : float
        The angle; what is turned in from outside is 0.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit.

    Examples
    --------
    >>> rotate([[1, 2], [3, 4]], 90)
    array([[2, 4],
           [1, 3]])
    """
    angle = np.deg2rad(degrees)
    y, x, middle_row, middle_column = _from_center(image)
    rows = middle_row + y * np.cos(angle) + x * np.sin(angle)
    columns = middle_column - y * np.sin(angle) + x * np.cos(angle)
    return _nearest(image, rows, columns)


@arguments(image=Image(), factor=Number(">= 0"))
def adjust_contrast(image: ArrayLike, factor: float) -> NDArray:
    r"""Return the image with its distance from the mean multiplied, clipped to [0, 1].

    .. math:: \text{out} = \mathrm{clip}\left(\mu + f\,(\text{image} - \mu),\, 0,\, 1\right)

    Parameters
    ----------
    image : array_like, shape (H, W) or (H, W, channels)
        Values in [0, 1]; :math:`\mu` is the mean of each channel.
    factor : float
        1 changes nothing, 0 leaves the mean alone; at least 0.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit.

    Examples
    --------
    >>> adjust_contrast([[0.4, 0.6]], 2.0).round(6)
    array([[0.3, 0.7]])
    """
    mean = image.mean(axis=(0, 1))
    return np.clip(mean + factor * (image - mean), 0, 1)


@arguments(transform=Function())
def label_safe(
    transform: Callable[[NDArray], ArrayLike],
    task: tuple[Sequence[ArrayLike], Callable[[NDArray], Any]],
) -> bool:
    """Return whether a transform keeps the label of every image of a task.

    Whether a transform is safe is a property of the pair: a flip is harmless to a task that
    asks how bright an image is, and ruins one that asks which side is brighter.

    Parameters
    ----------
    transform : callable
        ``transform(image)`` returns another image.
    task : (images, label_of)
        Sample images, and the function that knows the true label of any image.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit.

    References
    ----------
    Shorten and Khoshgoftaar (2019), "A survey on image data augmentation", on safety.

    Examples
    --------
    >>> def brighter_side(image):
    ...     return "left" if image[:, 0].sum() > image[:, -1].sum() else "right"
    >>> task = [np.array([[1, 0]]), np.array([[0, 1]])], brighter_side
    >>> label_safe(horizontal_flip, task), label_safe(lambda image: image * 2, task)
    (False, True)
    """
    if not isinstance(task, (tuple, list)) or len(task) != 2 or not callable(task[1]):
        raise TypeError(
            "task must be a pair (images, label_of) with a function label_of(image), "
            f"got {task!r:.80}"
        )
    images, label_of = List("images", Image()).check("task's images", task[0]), task[1]
    if not images:
        raise ValueError("task must hold at least one image, got none")
    return all(bool(label_of(transform(image)) == label_of(image)) for image in images)


@arguments(
    images=Array(dtype=np.float64),
    labels=Array(1),
    transforms=List("functions", Function()),
)
def augmented_set(
    images: ArrayLike, labels: ArrayLike, transforms: Sequence[Callable[[NDArray], ArrayLike]]
) -> tuple[NDArray, NDArray]:
    """Return a training set with every image as it was and under each transform.

    Parameters
    ----------
    images : array_like, shape (n, height, width) or (n, height, width, channels)
        The images.
    labels : array_like, shape (n,)
        Their labels.
    transforms : list of callable
        ``transform(image)`` returns another image of that shape, with the same label.

    Returns
    -------
    images : ndarray, shape (n (1 + k), ...)
        The n images first, then all of them under the first of the k transforms, and so on.
    labels : ndarray, shape (n (1 + k),)
        The label of each.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit.

    Examples
    --------
    >>> images, labels = augmented_set([[[0.2, 0.8]]], [7], [horizontal_flip])
    >>> images.tolist(), labels.tolist()
    ([[[0.2, 0.8]], [[0.8, 0.2]]], [7, 7])
    """
    labels = check_array("labels", labels, shape=(len(images),))
    parts = [images, *(np.array([f(image) for image in images]) for f in transforms)]
    return np.concatenate(parts), np.tile(labels, len(parts))
