"""What optimizers share: rates, clipping, decay, averages and the order of a step."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reglib import _serialization, schedules
from reglib._arguments import Dict, Flag, Function, Instance, Integer, List, Number, Text, arguments
from reglib._typing import ArrayLike
from reglib._validation import (
    check_array,
    naming,
    refusing_unknown,
)
from reglib.layers.base import Parameter, snake_case
from reglib.optimizers.block import Block


class Rate(float):
    """A learning rate: a number that can be set where it is, as Keras's variable can."""

    optimizer: Optimizer

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
        self._learning_rate: float | Callable[..., float] = (
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
        block = self.block
        assert block is not None  # build has made it
        mine = block.parameters
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
        self.step(block)

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
            self._average(w, self.average)
        for parameter in self._constrained:
            parameter.value[...] = parameter.constraint(parameter.value)
        self.batches += 1

    def _gather(self, g: NDArray) -> bool:
        """Add a gradient to those before; return whether they are enough, and ``g`` their mean."""
        gathered, steps = self.gathered, self.gradient_accumulation_steps
        assert gathered is not None
        assert steps is not None  # as build makes the one where there is the other
        gathered += g
        if (self.batches + 1) % steps:
            return False
        np.divide(gathered, steps, out=g)
        gathered[...] = 0
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

    def _average(self, w: NDArray, average: NDArray) -> None:
        # The first step copies: there is nothing yet to average with.
        momentum = self.ema_momentum if self.iterations else 0.0
        average *= momentum
        average += np.multiply(w, 1 - momentum, out=self._scratch)
        every = self.ema_overwrite_frequency
        if every is not None and (self.iterations + 1) % every == 0:
            w[...] = average

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
        if self.block is not None and self.average is not None:
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
    def from_config(cls, config: Mapping[str, Any]) -> Optimizer:
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
