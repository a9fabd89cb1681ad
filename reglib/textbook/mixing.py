r"""Training on what lies between examples: hide a part of an image, or blend two of them.

A batch of images has shape (n, height, width) or (n, height, width, channels). What is drawn is
drawn from ``rng``; every function returns new arrays. In mixup and cutmix each example has one
partner, and one weight holds for the whole batch:

.. math:: \tilde y_i = \lambda y_i + (1 - \lambda)\, y_{\pi(i)}

References
----------
DeVries and Taylor (2017), "Improved regularization of convolutional neural networks with cutout";
Zhang et al. (2018), "mixup: Beyond empirical risk minimization";
Yun et al. (2019), "CutMix: Regularization strategy to train strong classifiers with localizable
features".
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reglib._arguments import Array, Generator, Integer, Number, arguments
from reglib._typing import ArrayLike
from reglib._validation import check_array
from reglib.textbook._batches import TARGETS, Images


@arguments(images=Images(), size=Integer(">= 1"), rng=Generator())
def cutout(images: ArrayLike, size: int, rng: np.random.Generator) -> NDArray:
    """Return the images with one square of each set to 0.

    The center is any pixel with the same probability, for each image by itself. The square covers
    the ``size`` rows from ``row - size // 2`` on and as many columns; what lies outside is cut off.

    Parameters
    ----------
    images : array_like, shape (n, H, W) or (n, H, W, channels)
        The images.
    size : int
        The side of the square, in pixels.
    rng : numpy.random.Generator
        Where the centers are drawn from.

    Returns
    -------
    ndarray
        Of the shape of ``images``.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit.

    References
    ----------
    DeVries and Taylor (2017), section 3.

    Examples
    --------
    >>> int(cutout(np.ones((1, 5, 5)), 1, np.random.default_rng(0)).sum())
    24
    """
    out = images.copy()
    _, height, width, *_ = images.shape
    for image in out:
        rows = _covered(rng.integers(height), size, height)
        columns = _covered(rng.integers(width), size, width)
        image[rows, columns] = 0
    return out


def _covered(center: int, size: int, length: int) -> slice:
    """Return which of so many places a stretch around a center covers."""
    start = center - size // 2
    return slice(max(start, 0), min(start + size, length))


@arguments(x=Array(), y=TARGETS, alpha=Number("> 0"), rng=Generator())
def mixup(
    x: ArrayLike, y: ArrayLike, alpha: float, rng: np.random.Generator
) -> tuple[NDArray, NDArray]:
    r"""Return :math:`\lambda x_i + (1 - \lambda)\, x_{\pi(i)}`, and the targets likewise.

    :math:`\lambda \sim \mathrm{Beta}(\alpha, \alpha)` and the permutation :math:`\pi` are drawn
    once a batch.

    Parameters
    ----------
    x : array_like, shape (n, ...)
        Examples of any kind.
    y : array_like, shape (n, K)
        Their targets, one-hot or soft.
    alpha : float
        Above 0: near 0 one of the two dominates, 1 is uniform, large numbers blend evenly.
    rng : numpy.random.Generator
        Where weight and partners are drawn from.

    Returns
    -------
    x, y : ndarray
        Of the shapes of the arguments.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit.

    References
    ----------
    Zhang et al. (2018), "mixup: Beyond empirical risk minimization".

    Examples
    --------
    >>> x, y = mixup([[1.0], [1.0]], [[1.0, 0.0], [1.0, 0.0]], 0.4, np.random.default_rng(0))
    >>> x.tolist(), y.tolist()
    ([[1.0], [1.0]], [[1.0, 0.0], [1.0, 0.0]])
    """
    y = check_array("y", y, shape=(len(x), None))
    lam, partner = rng.beta(alpha, alpha), rng.permutation(len(x))
    return lam * x + (1 - lam) * x[partner], lam * y + (1 - lam) * y[partner]


@arguments(images=Images(), y=TARGETS, alpha=Number("> 0"), rng=Generator())
def cutmix(
    images: ArrayLike, y: ArrayLike, alpha: float, rng: np.random.Generator
) -> tuple[NDArray, NDArray]:
    r"""Return each image with a box of its partner in it, and the targets mixed by area.

    :math:`\lambda \sim \mathrm{Beta}(\alpha, \alpha)`, the permutation :math:`\pi` and the box are
    drawn once a batch. The box has :math:`\lfloor H\sqrt{1-\lambda} \rfloor` rows and
    :math:`\lfloor W\sqrt{1-\lambda} \rfloor` columns around a center that is any pixel with the
    same probability, placed as in :func:`cutout`. What is left of it inside the image sets the
    weight: :math:`\lambda' = 1 - \text{area} / HW`.

    Parameters
    ----------
    images : array_like, shape (n, H, W) or (n, H, W, channels)
        The images.
    y : array_like, shape (n, K)
        Their targets, one-hot or soft.
    alpha : float
        Above 0.
    rng : numpy.random.Generator
        Where weight, partners and center are drawn from.

    Returns
    -------
    images, y : ndarray
        Of the shapes of the arguments.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit.

    References
    ----------
    Yun et al. (2019), "CutMix: Regularization strategy to train strong classifiers with
    localizable features".

    Examples
    --------
    >>> ones, targets = np.ones((2, 4, 4)), np.array([[1.0, 0.0], [1.0, 0.0]])
    >>> cutmix(ones, targets, 1.0, np.random.default_rng(0))[1].tolist()
    [[1.0, 0.0], [1.0, 0.0]]
    """
    y = check_array("y", y, shape=(len(images), None))
    out = images.copy()
    _, height, width, *_ = images.shape
    lam, partner = rng.beta(alpha, alpha), rng.permutation(len(images))
    side = np.sqrt(1 - lam)
    rows = _covered(rng.integers(height), int(height * side), height)
    columns = _covered(rng.integers(width), int(width * side), width)
    out[:, rows, columns] = images[partner, rows, columns]
    area = (rows.stop - rows.start) * (columns.stop - columns.start)
    kept = 1 - area / (height * width)
    return out, kept * y + (1 - kept) * y[partner]
