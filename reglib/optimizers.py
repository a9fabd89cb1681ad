r"""Optimizers: how a gradient becomes a step.

All parameters of a model lie end to end in one vector (:class:`Block`), and so do their
gradients: an optimizer sees two flat arrays and knows nothing of layers. In the formulas
:math:`w` are the weights, :math:`g` the gradient, :math:`\eta` the learning rate and
:math:`t` the number of the step, from 1.
"""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib import _serialization, schedules
from reglib._absent import refuse
from reglib._arguments import Dict, Flag, Function, Instance, Integer, List, Number, Text, arguments
from reglib._typing import ArrayLike
from reglib._validation import (
    check_array,
    naming,
    refusing_unknown,
)
from reglib.layers.base import Parameter, snake_case


class Rate(float):
    """A learning rate: a number that can be set where it is, as Keras's variable can."""

    def __new__(cls, value: float, optimizer: Optimizer) -> Rate:
        """Return the rate of an optimizer."""
        rate = super().__new__(cls, value)
        rate.optimizer = optimizer
        return rate

    def __reduce__(self) -> tuple[Any, ...]:
        return float, (float(self),)

    @arguments(value=Number(">= 0"))
    def assign(self, value: float) -> None:
        """Set the optimizer's learning rate."""
        self.optimizer.learning_rate = value

    def numpy(self) -> np.float32:
        """Return the number in float32."""
        return np.float32(self)


@arguments(parameters=List("parameters", Instance(Parameter, "parameters of a layer")))
class Block:
    """Parameters laid end to end in one vector, and their gradients in another.

    Parameters
    ----------
    parameters : sequence of Parameter
        They keep their names and shapes; their arrays become views into the block.

    Raises
    ------
    ValueError
        If the dtypes differ.
    """

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        self.parameters = parameters
        dtypes = {parameter.dtype for parameter in self.parameters}
        if len(dtypes) > 1:
            raise ValueError(f"parameters must have one dtype, got {sorted(map(str, dtypes))}")
        size = sum(parameter.value.size for parameter in self.parameters)
        self.value = np.empty(size, dtype=dtypes.pop() if dtypes else "float32")
        self.gradient = np.zeros_like(self.value)
        self.slices: list[slice] = []
        start = 0
        for parameter in self.parameters:
            stop = start + parameter.value.size
            self.slices.append(slice(start, stop))
            parameter.bind(
                self.value[start:stop].reshape(parameter.shape),
                self.gradient[start:stop].reshape(parameter.shape),
            )
            start = stop

    def holds(self, parameters: Sequence[Parameter]) -> bool:
        """Return whether these are its parameters, and their arrays still lie in it."""
        return len(parameters) == len(self.parameters) and all(
            mine is other and mine.value.base is self.value
            for mine, other in zip(self.parameters, parameters, strict=True)
        )


@arguments(
    learning_rate=Number(">= 0") | Function(),
    weight_decay=Number(">= 0"),
    clipnorm=Number(">= 0"),
    clipvalue=Number(">= 0"),
    global_clipnorm=Number(">= 0"),
    use_ema=Flag(),
    ema_momentum=Number("[0, 1]"),
    ema_overwrite_frequency=Integer(">= 1"),
    gradient_accumulation_steps=Integer(">= 2"),
    name=Text(),
)
class Optimizer(_serialization.Described):
    """Base of all optimizers: clipping, weight decay, averaging and constraints around a step.

    One step does, in Keras's order: gather gradients until there are enough; clip the gradient;
    decay the weights, ``w -= w * weight_decay * learning_rate``; update; average; project.

    Parameters
    ----------
    learning_rate : float or callable
        The step size, at least 0; a callable, such as those of :mod:`reglib.schedules`, gets the
        number of batches done, if it takes an argument.
    weight_decay : float, optional
        Decoupled weight decay, on all parameters unless excluded.
    clipnorm, clipvalue, global_clipnorm : float, optional
        At most one: the largest norm of a parameter's gradient, the largest absolute entry,
        the largest norm of all gradients together.
    use_ema, ema_momentum, ema_overwrite_frequency
        Whether to keep an exponential moving average of the weights, its momentum, and after
        how many steps to overwrite the weights with it (None: when ``fit`` ends).
    gradient_accumulation_steps : int, optional
        At least 2: take one step every so many batches, with the mean of their gradients, as if
        they had been one large batch.
    name : str, optional
        By default the class's name in lower case, ``adam_w``.

    Raises
    ------
    TypeError
        If an argument is of the wrong kind.
    ValueError
        If a number is out of range or two clippings are asked for.

    References
    ----------
    ``keras.optimizers.Optimizer``.
    """

    slot_names: tuple[str, ...] = ()

    @refusing_unknown
    def __init__(
        self,
        learning_rate: float | Callable[[int], float],
        *,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
    ) -> None:
        if sum(limit is not None for limit in (clipnorm, clipvalue, global_clipnorm)) > 1:
            raise ValueError(
                "clipnorm, clipvalue and global_clipnorm: at most one may be set, "
                f"got {clipnorm=}, {clipvalue=}, {global_clipnorm=}"
            )
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.clipnorm = clipnorm
        self.clipvalue = clipvalue
        self.global_clipnorm = global_clipnorm
        self.use_ema = use_ema
        self.ema_momentum = ema_momentum
        self.ema_overwrite_frequency = ema_overwrite_frequency
        self.gradient_accumulation_steps = gradient_accumulation_steps
        self.name = snake_case(type(self).__name__) if name is None else name
        self.batches = 0
        self.block: Block | None = None
        self.average: NDArray | None = None
        self.gathered: NDArray | None = None
        self._excluded: set[int] = set()
        self._excluded_names: list[re.Pattern[str]] = []

    @property
    def iterations(self) -> int:
        """The number of steps done."""
        return self.batches // (self.gradient_accumulation_steps or 1)

    @property
    def learning_rate(self) -> float:
        """The step size that the next step will use; ``learning_rate.assign`` sets it too."""
        rate = self._learning_rate
        if not callable(rate):
            return Rate(rate, self)
        return float(rate(self.batches) if self._rate_asks else rate())

    @learning_rate.setter
    def learning_rate(self, value: float | Callable[[int], float]) -> None:
        if callable(getattr(self, "_learning_rate", None)) and not callable(value):
            # A callback that lowers the rate would silently end the schedule.
            raise TypeError(
                f"learning_rate must be a callable where it is a schedule already, got {value}"
            )
        self._learning_rate = (
            value if callable(value) else Number(">= 0").check("learning_rate", value)
        )
        self._rate_asks = callable(value) and _takes_an_argument(value)

    # What an optimizer overrides.

    def update(self, w: NDArray, g: NDArray, learning_rate: float) -> None:
        """Change the flat weights in place, given the flat gradient."""
        raise NotImplementedError(f"{type(self).__name__} must define update")

    # What every optimizer offers.

    def build(self, variables: Block | Sequence[Parameter]) -> None:
        """Lay out the parameters, and make the slots that remember past gradients."""
        block = variables if isinstance(variables, Block) else Block(variables)
        self.block = block
        self.slots = {name: self.new_slot(block.value) for name in self.slot_names}
        self._scratch = np.empty_like(block.value)
        self._constrained = [p for p in block.parameters if p.constraint is not None]
        self.average = block.value.copy() if self.use_ema else None
        self.gathered = np.zeros_like(block.value) if self.gradient_accumulation_steps else None
        self._decayed = [
            part
            for parameter, part in zip(block.parameters, block.slices, strict=True)
            if self.decays(parameter)
        ]
        if len(self._decayed) == len(block.slices):
            self._decayed = [slice(None)]  # all at once

    def new_slot(self, w: NDArray) -> NDArray:
        """Return the initial memory for a slot: zeros."""
        return np.zeros_like(w)

    @arguments(
        var_list=List("parameters", Instance(Parameter, "parameters of a layer")),
        var_names=List("names", Text()),
    )
    def exclude_from_weight_decay(
        self, var_list: Iterable[Parameter] | None = None, var_names: Iterable[str] | None = None
    ) -> None:
        """Exempt parameters from weight decay, by object or by name.

        Names are regular expressions that are looked for in a parameter's name: ``"bias"`` means
        every bias, ``"gamma|beta"`` the weights of normalization, ``"^kernel$"`` kernels alone.

        Raises
        ------
        ValueError
            If the optimizer has been built, or a name is no regular expression.
        """
        if self.block is not None:
            raise ValueError("exclude_from_weight_decay must be called before the first step")
        self._excluded = set(map(id, var_list or ()))
        self._excluded_names = [_pattern(name) for name in var_names or ()]

    def decays(self, parameter: Parameter) -> bool:
        """Return whether the weight decay is for this parameter too."""
        named = any(pattern.search(parameter.name) for pattern in self._excluded_names)
        return not named and id(parameter) not in self._excluded

    @arguments(grads=List("arrays"), trainable_variables=List("parameters"))
    def apply(
        self, grads: Sequence[ArrayLike], trainable_variables: Sequence[Parameter] | None = None
    ) -> None:
        """Take one step with the given gradients, one for each parameter.

        Raises
        ------
        ValueError
            If the number of gradients or parameters is wrong, or a gradient is None.
        """
        if self.block is None:
            if trainable_variables is None:
                raise ValueError("trainable_variables must be given at the first step, got None")
            with naming("trainable_variables"):
                self.build(trainable_variables)
        mine = self.block.parameters
        if trainable_variables is not None and list(map(id, trainable_variables)) != list(
            map(id, mine)
        ):
            raise ValueError("trainable_variables must be those of the first step, got others")
        if len(grads) != len(mine):
            raise ValueError(f"grads must be {len(mine)} arrays, got {len(grads)}")
        for parameter, gradient in zip(mine, grads, strict=True):
            if gradient is None:
                raise ValueError(f"grads must be arrays, got None for {parameter.name}")
            parameter.gradient[...] = check_array(
                f"grads for {parameter.name}",
                gradient,
                shape=parameter.shape,
                allow_empty=True,
                allow_nan=True,
            )
        self.step(self.block)

    @arguments(grads_and_vars=List("(gradient, parameter) pairs"))
    def apply_gradients(self, grads_and_vars: Iterable[tuple[ArrayLike, Parameter]]) -> None:
        """Take one step with (gradient, parameter) pairs."""
        if not grads_and_vars:
            raise ValueError("grads_and_vars must not be empty, got no pair")
        for pair in grads_and_vars:
            if not isinstance(pair, (tuple, list)) or len(pair) != 2:
                raise TypeError(f"grads_and_vars must be (gradient, parameter) pairs, got {pair!r}")
        grads, variables = zip(*grads_and_vars, strict=True)
        self.apply(grads, variables)

    def step(self, block: Block) -> None:
        """Take one step with the gradients that lie in the block."""
        if self.block is not block:
            self.build(block)
        w, g = block.value, block.gradient
        if self.gathered is None or self._gather(g):
            learning_rate = float(self.learning_rate)
            self._clip(block)
            if self.weight_decay is not None:
                decay = 1 - self.weight_decay * learning_rate
                for part in self._decayed:
                    w[part] *= decay
            self.update(w, g, learning_rate)
        if self.average is not None:
            self._average(w)
        for parameter in self._constrained:
            parameter.value[...] = parameter.constraint(parameter.value)
        self.batches += 1

    def _gather(self, g: NDArray) -> bool:
        """Add a gradient to those before; return whether they are enough, and ``g`` their mean."""
        self.gathered += g
        if (self.batches + 1) % self.gradient_accumulation_steps:
            return False
        np.divide(self.gathered, self.gradient_accumulation_steps, out=g)
        self.gathered[...] = 0
        return True

    def _clip(self, block: Block) -> None:
        g = block.gradient
        if self.clipvalue is not None:
            np.clip(g, -self.clipvalue, self.clipvalue, out=g)
        if self.global_clipnorm is not None:
            clip_by_norm(g, self.global_clipnorm)
        if self.clipnorm is not None:
            for part in block.slices:
                clip_by_norm(g[part], self.clipnorm)

    def _average(self, w: NDArray) -> None:
        # The first step copies: there is nothing yet to average with.
        momentum = self.ema_momentum if self.iterations else 0.0
        self.average *= momentum
        self.average += np.multiply(w, 1 - momentum, out=self._scratch)
        every = self.ema_overwrite_frequency
        if every is not None and (self.iterations + 1) % every == 0:
            w[...] = self.average

    def state(self) -> dict[str, NDArray]:
        """Return copies of what later steps depend on: the batches done, the slots, the average.

        Examples
        --------
        >>> adam = Adam()
        >>> adam.apply([[2.0]], [Parameter([1.0])])
        >>> sorted(adam.state())
        ['batches', 'momentum', 'velocity']
        """
        return {name: np.array(memory) for name, memory in self._memories().items()}

    @arguments(state=Dict())
    def set_state(self, state: Mapping[str, ArrayLike]) -> None:
        """Go on from where an optimizer of the same arguments and parameters was.

        Parameters
        ----------
        state : dict of str to array_like
            What :meth:`state` returned there.

        Raises
        ------
        TypeError
            If it is no dict of numbers.
        ValueError
            If it is the state of another kind of optimizer, or of other parameters, or this one
            has not been built yet; then nothing is changed.
        """
        mine = self._memories()
        given = {
            name: check_array(f"state[{name!r}]", value, allow_empty=True, allow_nan=True)
            for name, value in state.items()
        }
        wanted, found = ({n: np.shape(v) for n, v in each.items()} for each in (mine, given))
        if wanted != found:
            raise ValueError(f"state must be arrays of the shapes {wanted}, got {found}")
        self.batches = Integer(">= 0").check("state['batches']", given.pop("batches").item())
        for name, memory in given.items():
            mine[name][...] = memory

    def _memories(self) -> dict[str, Any]:
        """Return what later steps depend on by name, as it is."""
        memories: dict[str, Any] = {"batches": self.batches}
        if self.block is not None:
            memories |= self.slots
            for name in ("average", "gathered"):
                if getattr(self, name) is not None:
                    memories[name] = getattr(self, name)
        return memories

    def finalize_variable_values(self, trainable_variables: Any = None) -> None:
        """Overwrite the weights with their average, if there is one; ``fit`` calls this last."""
        if self.average is not None:
            self.block.value[...] = self.average

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        rate = self._learning_rate
        return {
            "learning_rate": (
                schedules.serialize(rate)
                if isinstance(rate, schedules.LearningRateSchedule)
                else rate
            ),
            "weight_decay": self.weight_decay,
            "clipnorm": self.clipnorm,
            "clipvalue": self.clipvalue,
            "global_clipnorm": self.global_clipnorm,
            "use_ema": self.use_ema,
            "ema_momentum": self.ema_momentum,
            "ema_overwrite_frequency": self.ema_overwrite_frequency,
            "gradient_accumulation_steps": self.gradient_accumulation_steps,
            "name": self.name,
        }

    @classmethod
    @arguments(config=Dict())
    def from_config(cls, config: dict[str, Any]) -> Optimizer:
        """Return a new optimizer from :meth:`get_config`'s result."""
        rate = dict(config).get("learning_rate")
        if isinstance(rate, Mapping):
            config = {**config, "learning_rate": schedules.deserialize(rate)}
        return super().from_config(config)


def _pattern(name: str) -> re.Pattern[str]:
    try:
        return re.compile(name)
    except re.error as error:
        raise ValueError(
            f"var_names must be regular expressions, got {name!r} ({error})"
        ) from error


@arguments(
    gradient=Instance(np.ndarray, "an array, which is scaled in place"), limit=Number(">= 0")
)
def clip_by_norm(gradient: NDArray, limit: float) -> None:
    """Scale a gradient in place so that its norm is at most ``limit``.

    Examples
    --------
    >>> g = np.array([3.0, 4.0])
    >>> clip_by_norm(g, 1.0)
    >>> g
    array([0.6, 0.8])
    """
    norm = math.sqrt(np.vdot(gradient, gradient))
    if norm > limit:
        gradient *= limit / norm


def _takes_an_argument(rate: Callable[..., float]) -> bool:
    """Return whether a learning rate asks for the number of batches; Keras's functions do not."""
    try:
        inspect.signature(rate).bind(0)
    except TypeError:
        return False
    except ValueError:  # it does not say what it takes
        return True
    return True


@arguments(momentum=Number("[0, 1]"), nesterov=Flag())
class SGD(Optimizer):
    r"""Gradient descent with momentum: :math:`v \leftarrow \mu v - \eta g,\; w \leftarrow w + v`.

    Parameters
    ----------
    learning_rate : float
        The step size.
    momentum : float
        :math:`\mu` in [0, 1].
    nesterov : bool
        Whether to look ahead: :math:`w \leftarrow w + \mu v - \eta g`.
    **kwargs
        As for :class:`Optimizer`.

    Raises
    ------
    TypeError
        If an argument is of the wrong kind.
    ValueError
        If a number is out of range, or two clippings are asked for.

    References
    ----------
    Sutskever et al. (2013), "On the importance of initialization and momentum in deep
    learning"; ``keras.optimizers.SGD``.

    Examples
    --------
    >>> w = Parameter([1.0], dtype="float64")
    >>> SGD(0.1).apply([np.array([2.0])], [w])
    >>> w.value
    array([0.8])
    """

    def __init__(
        self,
        learning_rate: float | Callable[[int], float] = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.momentum = momentum
        self.nesterov = nesterov
        self.slot_names = ("velocity",) if self.momentum else ()

    def update(self, w: NDArray, g: NDArray, learning_rate: float) -> None:
        """Change the flat weights in place."""
        step = np.multiply(g, learning_rate, out=self._scratch)
        if self.momentum == 0:
            w -= step
            return
        v = self.slots["velocity"]
        v *= self.momentum
        v -= step
        if self.nesterov:
            w -= step
            w += np.multiply(v, self.momentum, out=step)
        else:
            w += v

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "momentum": self.momentum, "nesterov": self.nesterov}


@arguments(rho=Number("[0, 1]"), momentum=Number("[0, 1]"), epsilon=Number(">= 0"), centered=Flag())
class RMSprop(Optimizer):
    r"""Steps over a running root mean square, :math:`w \leftarrow w - \eta g/\sqrt{v + \epsilon}`.

    With :math:`v \leftarrow \rho v + (1 - \rho) g^2`. The :math:`\epsilon` is inside the root.

    Parameters
    ----------
    learning_rate : float
        The step size.
    rho : float
        Momentum of the running mean square, in [0, 1].
    momentum : float
        Momentum of the steps, in [0, 1].
    epsilon : float
        What keeps the division finite.
    centered : bool
        Whether to subtract the squared running mean from :math:`v`.
    **kwargs
        As for :class:`Optimizer`.

    Raises
    ------
    TypeError
        If an argument is of the wrong kind.
    ValueError
        If a number is out of range, or two clippings are asked for.

    References
    ----------
    Tieleman and Hinton (2012), lecture 6.5 of "Neural networks for machine learning";
    ``keras.optimizers.RMSprop``.

    Examples
    --------
    >>> w = Parameter([1.0], dtype="float64")
    >>> RMSprop(0.1).apply([np.array([2.0])], [w])
    >>> w.value.round(3)
    array([0.684])
    """

    def __init__(
        self,
        learning_rate: float | Callable[[int], float] = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.rho = rho
        self.momentum = momentum
        self.epsilon = epsilon
        self.centered = centered
        mean = ("mean",) if self.centered else ()
        self.slot_names = ("mean_square", *mean, *(("velocity",) if self.momentum else ()))

    def update(self, w: NDArray, g: NDArray, learning_rate: float) -> None:
        """Change the flat weights in place."""
        v, scratch = self.slots["mean_square"], self._scratch
        v *= self.rho
        np.multiply(g, g, out=scratch)
        scratch *= 1 - self.rho
        v += scratch
        np.add(v, self.epsilon, out=scratch)
        if self.centered:
            mean = self.slots["mean"]
            mean *= self.rho
            mean += (1 - self.rho) * g
            scratch -= np.square(mean)
        np.sqrt(scratch, out=scratch)
        step = np.divide(g, scratch, out=scratch)
        step *= learning_rate
        if self.momentum > 0:
            velocity = self.slots["velocity"]
            velocity *= self.momentum
            velocity += step
            step = velocity
        w -= step

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "rho": self.rho,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "centered": self.centered,
        }


@arguments(beta_1=Number("[0, 1)"), beta_2=Number("[0, 1)"), epsilon=Number(">= 0"), amsgrad=Flag())
class Adam(Optimizer):
    r"""Steps from running means: :math:`w \leftarrow w - \alpha_t\, m / (\sqrt v + \epsilon)`.

    With :math:`m \leftarrow \beta_1 m + (1-\beta_1) g`,
    :math:`v \leftarrow \beta_2 v + (1-\beta_2) g^2` and
    :math:`\alpha_t = \eta\sqrt{1-\beta_2^t}/(1-\beta_1^t)`, the paper's "epsilon hat" form.

    Parameters
    ----------
    learning_rate : float
        The step size.
    beta_1, beta_2 : float
        Momenta of the running mean and mean square, in [0, 1).
    epsilon : float
        What keeps the division finite.
    amsgrad : bool
        Whether to divide by the largest :math:`v` seen so far.
    **kwargs
        As for :class:`Optimizer`.

    Raises
    ------
    TypeError
        If an argument is of the wrong kind.
    ValueError
        If a number is out of range, or two clippings are asked for.

    References
    ----------
    Kingma and Ba (2015), "Adam: a method for stochastic optimization";
    ``keras.optimizers.Adam``.

    Notes
    -----
    The slots hold :math:`M = m/(1-\beta_1)` and :math:`V = v/(1-\beta_2)`. So the constants
    :math:`1-\beta` go into the two scalars of a step, not into every gradient:
    :math:`\alpha_t m/(\sqrt v+\epsilon) = \alpha_t\kappa(1-\beta_1)\,
    M/(\sqrt V+\kappa\epsilon)` with :math:`\kappa = 1/\sqrt{1-\beta_2}`.

    Examples
    --------
    >>> w = Parameter([1.0], dtype="float64")
    >>> Adam(0.1).apply([np.array([2.0])], [w])
    >>> w.value.round(3)
    array([0.9])
    """

    def __init__(
        self,
        learning_rate: float | Callable[[int], float] = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon
        self.amsgrad = amsgrad
        largest = ("largest_velocity",) if self.amsgrad else ()
        self.slot_names = ("momentum", "velocity", *largest)

    def update(self, w: NDArray, g: NDArray, learning_rate: float) -> None:
        """Change the flat weights in place."""
        t = self.iterations + 1
        alpha = learning_rate * math.sqrt(1 - self.beta_2**t) / (1 - self.beta_1**t)
        kappa = 1 / math.sqrt(1 - self.beta_2)
        M, V, scratch = self.slots["momentum"], self.slots["velocity"], self._scratch
        M *= self.beta_1
        M += g
        V *= self.beta_2
        V += np.multiply(g, g, out=scratch)
        if self.amsgrad:
            largest = self.slots["largest_velocity"]
            V = np.maximum(largest, V, out=largest)
        step = np.sqrt(V, out=scratch)
        step += kappa * self.epsilon
        np.divide(M, step, out=step)
        step *= alpha * kappa * (1 - self.beta_1)
        w -= step

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {
            **super().get_config(),
            "beta_1": self.beta_1,
            "beta_2": self.beta_2,
            "epsilon": self.epsilon,
            "amsgrad": self.amsgrad,
        }


class AdamW(Adam):
    """Adam with decoupled weight decay: the decay is not divided by the root of ``v``.

    Parameters
    ----------
    learning_rate : float
        The step size.
    weight_decay : float
        The fraction of each weight, times the learning rate, that a step takes away.
    beta_1, beta_2, epsilon, amsgrad, **kwargs
        As for :class:`Adam`.

    Raises
    ------
    TypeError
        If an argument is of the wrong kind; ``weight_decay`` may not be None.
    ValueError
        If a number is out of range, or two clippings are asked for.

    References
    ----------
    Loshchilov and Hutter (2019), "Decoupled weight decay regularization";
    ``keras.optimizers.AdamW``.

    Examples
    --------
    >>> w = Parameter([1.0], dtype="float64")
    >>> AdamW(0.1, weight_decay=0.5).apply([np.array([2.0])], [w])
    >>> w.value.round(3)
    array([0.85])
    """

    def __init__(
        self,
        learning_rate: float | Callable[[int], float] = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **kwargs: Any,
    ) -> None:
        if weight_decay is None:
            raise TypeError("weight_decay must be a number, got None")
        super().__init__(
            learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay=weight_decay, **kwargs
        )


@arguments(beta_1=Number("(0, 1]"), beta_2=Number("[0, 1]"))
class Lion(Optimizer):
    r"""Steps of one size, by the sign: :math:`w \leftarrow w - \eta\,\mathrm{sign}(c)`.

    With :math:`c = \beta_1 m + (1-\beta_1) g` and then
    :math:`m \leftarrow \beta_2 m + (1-\beta_2) g`.

    Parameters
    ----------
    learning_rate : float
        The step size; a tenth of Adam's is usual.
    beta_1, beta_2 : float
        Momenta of the direction and of the memory, in (0, 1] and [0, 1].
    **kwargs
        As for :class:`Optimizer`.

    Raises
    ------
    TypeError
        If an argument is of the wrong kind.
    ValueError
        If a number is out of range, or two clippings are asked for.

    References
    ----------
    Chen et al. (2023), "Symbolic discovery of optimization algorithms";
    ``keras.optimizers.Lion``.

    Examples
    --------
    >>> w = Parameter([1.0], dtype="float64")
    >>> Lion(0.1).apply([np.array([2.0])], [w])
    >>> w.value.round(3)
    array([0.9])
    """

    slot_names = ("momentum",)

    def __init__(
        self,
        learning_rate: float | Callable[[int], float] = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, **kwargs)
        self.beta_1 = beta_1
        self.beta_2 = beta_2

    def update(self, w: NDArray, g: NDArray, learning_rate: float) -> None:
        """Change the flat weights in place."""
        m = self.slots["momentum"]
        w -= learning_rate * np.sign(self.beta_1 * m + (1 - self.beta_1) * g)
        m *= self.beta_2
        m += (1 - self.beta_2) * g

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments as plain data."""
        return {**super().get_config(), "beta_1": self.beta_1, "beta_2": self.beta_2}


_REGISTRY: dict[str, type[Optimizer]] = {
    name: cls
    for cls in (SGD, RMSprop, Adam, AdamW, Lion)
    for name in (cls.__name__, cls.__name__.lower())
}


def get(identifier: Any) -> Optimizer:
    """Return the optimizer that ``identifier`` means.

    Raises
    ------
    ValueError
        If the name is unknown or the identifier is of no use.
    TypeError
        If it is an optimizer of another library.

    Examples
    --------
    >>> get("adam").learning_rate
    0.001
    """
    optimizer = _serialization.get(identifier, _REGISTRY, "optimizer")
    if optimizer is not None and not hasattr(optimizer, "step"):
        raise TypeError(f"optimizer must be a name or an Optimizer of reglib, got {optimizer!r}")
    return optimizer


def serialize(optimizer: Optimizer) -> dict[str, Any] | None:
    """Return Keras's description of an optimizer, as plain data."""
    return _serialization.serialize(optimizer, "optimizers")


def deserialize(config: dict[str, Any]) -> Optimizer:
    """Return the optimizer that Keras's description means."""
    return _serialization.deserialize(config, _REGISTRY, "optimizer")


__getattr__ = partial(refuse, __name__)
