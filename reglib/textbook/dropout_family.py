r"""The dropout family: one idea, and the question of what shares a coin.

Dropout multiplies each unit by :math:`D / p`, where D is 1 with probability p and 0 otherwise. Its
relatives multiply something else, or toss one coin for many:

========================  ===========================  ================================
function                  what is multiplied           one random number for
========================  ===========================  ================================
:func:`gaussian_dropout`  activations                  each activation
:func:`spatial_dropout`   feature maps                 each map of each image
:func:`drop_path`         the branch of a residual     each example
                          block
:func:`dropconnect_forward`  weights                   each weight
========================  ===========================  ================================

Each factor has mean 1 and variance :math:`(1 - p) / p`. Examples are rows, images have the shape
(examples, height, width, channels), as in Keras. In evaluation nothing is multiplied.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from reglib._arguments import Array, Flag, Generator, Integer, Number, arguments
from reglib._typing import ArrayLike
from reglib._validation import check_array


@arguments(a=Array(), keep_prob=Number("(0, 1]"), rng=Generator(), training=Flag())
def gaussian_dropout(
    a: ArrayLike, keep_prob: float, rng: np.random.Generator, training: bool = True
) -> tuple[NDArray, NDArray]:
    r"""Return activations times Gaussian noise that has the moments of dropout, and the noise.

    .. math:: \tilde a = a \odot \epsilon, \quad \epsilon_{ij} \sim N(1, (1 - p) / p)

    Parameters
    ----------
    a : array_like, any shape
        Activations.
    keep_prob : float
        The probability p of keeping a unit of the dropout that is imitated, in (0, 1].
    rng : numpy.random.Generator
        Where the noise is drawn from.
    training : bool
        In evaluation (False) nothing is changed.

    Returns
    -------
    out, noise : ndarray
        Of the shape of ``a``; in evaluation the noise is 1.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit.

    References
    ----------
    Srivastava et al. (2014), section 10.

    Examples
    --------
    >>> _, noise = gaussian_dropout(np.ones(100_000), 0.8, np.random.default_rng(0))
    >>> noise.mean().round(2), noise.var().round(2)  # (1 - 0.8) / 0.8 is a quarter
    (np.float64(1.0), np.float64(0.25))
    """
    if not training:
        return a.copy(), np.ones(a.shape)
    noise = rng.normal(1, np.sqrt((1 - keep_prob) / keep_prob), a.shape)
    return a * noise, noise


@arguments(a=Array(4), keep_prob=Number("(0, 1]"), rng=Generator(), training=Flag())
def spatial_dropout(
    a: ArrayLike, keep_prob: float, rng: np.random.Generator, training: bool = True
) -> tuple[NDArray, NDArray]:
    r"""Return feature maps of which whole ones are dropped, and the mask that dropped them.

    .. math:: \tilde a_{nijc} = a_{nijc} D_{nc} / p

    Parameters
    ----------
    a : array_like, shape (n, height, width, channels)
        Feature maps.
    keep_prob : float
        The probability p of keeping a map, in (0, 1].
    rng : numpy.random.Generator
        Where the mask is drawn from.
    training : bool
        In evaluation (False) nothing is dropped and nothing is scaled.

    Returns
    -------
    out : ndarray
        Of the shape of ``a``.
    mask : ndarray of bool, shape (n, 1, 1, channels)
        True where a map was kept; all True in evaluation.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit.

    References
    ----------
    Tompson et al. (2015), "Efficient object localization using convolutional networks".

    Examples
    --------
    >>> out, _ = spatial_dropout(np.ones((1, 2, 2, 3)), 0.5, np.random.default_rng(1))
    >>> out[0, 0, 0], bool((out == out[:, :1, :1]).all())
    (array([0., 0., 2.]), True)
    """
    n, _, _, channels = a.shape
    if not training:
        return a.copy(), np.ones((n, 1, 1, channels), dtype=bool)
    mask = rng.random((n, 1, 1, channels)) < keep_prob
    return a * mask / keep_prob, mask


@arguments(
    x=Array(2), W=Array(2), b=Array(1), keep_prob=Number("(0, 1]"), rng=Generator(), training=Flag()
)
def dropconnect_forward(
    x: ArrayLike,
    W: ArrayLike,
    b: ArrayLike,
    keep_prob: float,
    rng: np.random.Generator,
    training: bool = True,
) -> tuple[NDArray, NDArray]:
    r"""Return what a layer computes with weights dropped, and the mask that dropped them.

    .. math:: z = x \, (W \odot D / p) + b

    Parameters
    ----------
    x : array_like, shape (n, inputs)
        One example a row.
    W : array_like, shape (inputs, outputs)
        Weights.
    b : array_like, shape (outputs,)
        Biases, which are never dropped.
    keep_prob : float
        The probability p of keeping a weight, in (0, 1].
    rng : numpy.random.Generator
        Where the mask is drawn from.
    training : bool
        In evaluation (False) nothing is dropped and nothing is scaled.

    Returns
    -------
    z : ndarray, shape (n, outputs)
    mask : ndarray of bool, shape (inputs, outputs)
        True where a weight was kept, the same for all examples; all True in evaluation.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit.

    References
    ----------
    Wan et al. (2013), "Regularization of neural networks using DropConnect", who draw a mask for
    each example and sample at evaluation as well.

    Examples
    --------
    >>> W, b = np.ones((2, 3)), np.array([10.0, 20, 30])
    >>> z, mask = dropconnect_forward(np.ones((1, 2)), W, b, 0.5, np.random.default_rng(0))
    >>> mask.sum(axis=0), z
    (array([1, 1, 1]), array([[12., 22., 32.]]))
    """
    W = check_array("W", W, shape=(x.shape[1], W.shape[1]))
    b = check_array("b", b, shape=W.shape[1:])
    if not training:
        return x @ W + b, np.ones(W.shape, dtype=bool)
    mask = rng.random(W.shape) < keep_prob
    return x @ (W * mask / keep_prob) + b, mask


@arguments(x=Array(), branch=Array(), keep_prob=Number("(0, 1]"), rng=Generator(), training=Flag())
def drop_path(
    x: ArrayLike,
    branch: ArrayLike,
    keep_prob: float,
    rng: np.random.Generator,
    training: bool = True,
) -> tuple[NDArray, NDArray]:
    r"""Return the sum of a residual block whose branch some examples skip, and the mask.

    .. math:: y_n = x_n + f(x)_n \, D_n / p

    Parameters
    ----------
    x : array_like, any shape, examples first
        What goes into the block; it is always there.
    branch : array_like, of the shape of ``x``
        What the branch makes of it, :math:`f(x)`.
    keep_prob : float
        The probability p that the branch of an example is kept, in (0, 1].
    rng : numpy.random.Generator
        Where the mask is drawn from.
    training : bool
        In evaluation (False) the result is ``x + branch``.

    Returns
    -------
    out : ndarray
        Of the shape of ``x``.
    mask : ndarray of bool, shape (n, 1, ..., 1)
        True where a branch was kept; all True in evaluation.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit.

    References
    ----------
    Huang et al. (2016), "Deep networks with stochastic depth", who scale at evaluation instead.

    Examples
    --------
    >>> x, branch = np.ones((4, 2)), np.full((4, 2), 0.25)
    >>> out, _ = drop_path(x, branch, 0.5, np.random.default_rng(0))
    >>> out[:, 0]
    array([1. , 1.5, 1.5, 1.5])
    """
    branch = check_array("branch", branch, shape=x.shape)
    coins = (len(x), *(1,) * (x.ndim - 1))
    if not training:
        return x + branch, np.ones(coins, dtype=bool)
    mask = rng.random(coins) < keep_prob
    return x + branch * mask / keep_prob, mask


@arguments(
    keep_prob=Number("(0, 1]"),
    block_size=Integer(">= 1"),
    height=Integer(">= 1"),
    width=Integer(">= 1"),
)
def dropblock_gamma(keep_prob: float, block_size: int, height: int, width: int) -> float:
    r"""Return how often a patch must begin at a pixel, so that DropBlock keeps the share p.

    A patch of side b takes :math:`b^2` of the HW pixels of a map, and may begin at
    :math:`(H - b + 1)(W - b + 1)` of them, so that it lies within:

    .. math:: \gamma = (1 - p) \, \frac{HW}{b^2 (H - b + 1)(W - b + 1)}

    Patches that overlap are counted twice, so that a little more is kept.

    Parameters
    ----------
    keep_prob : float
        The share p of each map that is to be kept, in (0, 1].
    block_size : int
        The side b of a patch.
    height, width : int
        The sides H and W of a map, at least ``block_size``.

    Raises
    ------
    TypeError, ValueError
        If an argument is unfit, or a patch is larger than the map.

    References
    ----------
    Ghiasi, Lin and Le (2018), "DropBlock: a regularization method for convolutional networks".

    Examples
    --------
    >>> dropblock_gamma(0.75, 2, 3, 5)  # a quarter of 15 pixels, from 8 places that take 4 each
    0.1171875
    """
    if block_size > min(height, width):
        raise ValueError(
            f"block_size must be at most height and width, got {block_size} for {height} by {width}"
        )
    starts = (height - block_size + 1) * (width - block_size + 1)
    return (1 - keep_prob) * height * width / (block_size**2 * starts)
