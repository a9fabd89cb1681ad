"""Optimizers: a hundred steps beside Keras, and every option around a step."""

import numpy as np
import pytest

from reglib import constraints, layers, models, optimizers
from reglib.layers import Parameter

SETTINGS = {
    "sgd": ("SGD", {}),
    "momentum": ("SGD", {"momentum": 0.9}),
    "nesterov": ("SGD", {"momentum": 0.9, "nesterov": True}),
    "rmsprop": ("RMSprop", {}),
    "rmsprop of the tutorial": ("RMSprop", {"rho": 0.9, "epsilon": 1e-8}),
    "rmsprop centered": ("RMSprop", {"centered": True, "momentum": 0.5}),
    "adam": ("Adam", {}),
    "amsgrad": ("Adam", {"amsgrad": True}),
    "adamw": ("AdamW", {"weight_decay": 0.05}),
    "lion": ("Lion", {"beta_1": 0.8}),
    "sgd with decay": ("SGD", {"weight_decay": 0.05}),
    "clipnorm": ("SGD", {"clipnorm": 0.5}),
    "clipvalue": ("Adam", {"clipvalue": 0.2}),
    "global clipnorm": ("SGD", {"global_clipnorm": 0.7}),
    "ema": ("SGD", {"use_ema": True, "ema_momentum": 0.9, "ema_overwrite_frequency": 7}),
    "accumulation": ("Adam", {"gradient_accumulation_steps": 3, "clipnorm": 0.5}),
    "accumulation with decay": ("AdamW", {"gradient_accumulation_steps": 2, "weight_decay": 0.1}),
    "accumulation with ema": (
        "SGD",
        {"gradient_accumulation_steps": 4, "use_ema": True, "ema_overwrite_frequency": 5},
    ),
}
SHAPES = [(3, 4), (4,), (2, 2, 2)]


@pytest.mark.keras
@pytest.mark.parametrize("setting", SETTINGS)
def test_a_hundred_steps_agree_with_keras(setting, rng):
    import keras

    name, options = SETTINGS[setting]
    # Where Keras gathers gradients, JAX compiles every step anew.
    last = 8 if "gradient_accumulation_steps" in options else 99
    start = [rng.normal(size=shape).astype("float32") for shape in SHAPES]
    ours = [Parameter(value) for value in start]
    theirs = [keras.Variable(value) for value in start]
    our_optimizer = getattr(optimizers, name)(0.01, **options)
    their_optimizer = getattr(keras.optimizers, name)(0.01, **options)
    for step in range(last + 1):
        gradients = [rng.normal(size=shape).astype("float32") for shape in SHAPES]
        our_optimizer.apply(gradients, ours)
        their_optimizer.apply(gradients, theirs)
        if step in (0, 1, 6, last):
            tolerance = 1e-6 if step == 0 else 1e-4
            for mine, other in zip(ours, theirs, strict=True):
                np.testing.assert_allclose(mine.value, np.asarray(other), rtol=tolerance, atol=1e-6)


@pytest.mark.keras
@pytest.mark.parametrize("setting", SETTINGS)
def test_configs_agree_with_keras(setting):
    import keras

    name, options = SETTINGS[setting]
    ours = getattr(optimizers, name)(0.01, **options).get_config()
    theirs = getattr(keras.optimizers, name)(0.01, **options).get_config()
    for key in set(ours) & set(theirs) - {"name"}:
        expected = theirs[key]
        assert ours[key] == pytest.approx(expected) if expected is not None else ours[key] is None


def test_an_optimizer_is_rebuilt_from_its_config():
    for name, options in SETTINGS.values():
        optimizer = getattr(optimizers, name)(0.01, **options)
        description = optimizers.serialize(optimizer)
        assert optimizers.deserialize(description).get_config() == optimizer.get_config()


def test_constraints_hold_after_every_step(rng):
    weights = Parameter(rng.normal(size=(5, 3)), constraint=constraints.MaxNorm(0.5))
    optimizer = optimizers.Adam(0.1)
    for _ in range(20):
        optimizer.apply([rng.normal(size=(5, 3))], [weights])
        assert (np.linalg.norm(weights.value, axis=0) <= 0.5 + 1e-6).all()


def test_excluded_weights_do_not_decay():
    kernel, bias = Parameter([1.0], name="kernel"), Parameter([1.0], name="bias")
    optimizer = optimizers.SGD(0.1, weight_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    optimizer.apply([[0.0], [0.0]], [kernel, bias])
    assert kernel.value == pytest.approx(0.95)
    assert bias.value == 1
    with pytest.raises(ValueError, match="before the first step"):
        optimizer.exclude_from_weight_decay(var_names=["kernel"])


def test_the_average_replaces_the_weights_at_the_end():
    weights = Parameter([0.0], dtype="float64")
    optimizer = optimizers.SGD(1.0, use_ema=True, ema_momentum=0.5)
    for _ in range(2):
        optimizer.apply([[-1.0]], [weights])
    assert weights.value == 2
    optimizer.finalize_variable_values()
    assert weights.value == 1.5


def test_a_schedule_sets_the_step_size():
    weights = Parameter([0.0], dtype="float64")
    optimizer = optimizers.SGD(lambda step: 1.0 / (step + 1))
    for _ in range(3):
        optimizer.apply([[-1.0]], [weights])
    assert weights.value == pytest.approx(1 + 1 / 2 + 1 / 3)


def test_small_batches_with_accumulation_are_one_large_batch(rng):
    x, y = rng.normal(size=(24, 3)), rng.normal(size=(24, 1))
    trained = []
    for size, gathered in ((8, None), (4, 2), (2, 4)):
        start = layers.Dense(1, kernel_regularizer="l2", dtype="float64", input_shape=(3,))
        model = models.Sequential([start], seed=0)
        model.compile(optimizers.Adam(0.1, gradient_accumulation_steps=gathered), "mse")
        model.fit(x, y, batch_size=size, epochs=3, shuffle=False)
        assert model.optimizer.iterations == 9
        trained.append(model.get_weights())
    for others in trained[1:]:
        for one, other in zip(trained[0], others, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-12)


def test_a_rate_may_be_a_function_that_takes_nothing():
    weights = Parameter([0.0], dtype="float64")
    optimizer = optimizers.SGD(lambda: 0.25)
    optimizer.apply([[-1.0]], [weights])
    assert optimizer.learning_rate == weights.value == 0.25
    assert optimizers.SGD(lambda step=3: step + 1.0).learning_rate == 1.0


@pytest.mark.keras
@pytest.mark.parametrize("name", ["SGD", "RMSprop", "Adam", "AdamW", "Lion"])
def test_an_optimizer_has_the_name_that_keras_gives_the_first_of_its_kind(name):
    import keras

    theirs = getattr(keras.optimizers, name)().name.rstrip("_0123456789")
    assert getattr(optimizers, name)().name == theirs
    assert getattr(optimizers, name)(name="mine").name == "mine"


def test_a_schedule_is_not_silently_replaced_by_a_number():
    optimizer = optimizers.SGD(lambda step: 1.0 / (step + 1))
    with pytest.raises(TypeError, match=r"learning_rate must be a callable .* got 0\.5"):
        optimizer.learning_rate = 0.5
    optimizer.learning_rate = lambda step: 0.25
    assert optimizer.learning_rate == 0.25


@pytest.mark.parametrize(
    ("optimizer", "slots"),
    [
        (optimizers.SGD(), set()),
        (optimizers.SGD(momentum=0.9), {"velocity"}),
        (optimizers.RMSprop(), {"mean_square"}),
        (optimizers.RMSprop(momentum=0.9, centered=True), {"mean_square", "mean", "velocity"}),
        (optimizers.Adam(), {"momentum", "velocity"}),
        (optimizers.Adam(amsgrad=True), {"momentum", "velocity", "largest_velocity"}),
    ],
)
def test_only_what_a_step_needs_is_remembered(optimizer, slots):
    optimizer.apply([[1.0, 2.0]], [Parameter([0.0, 0.0])])
    assert set(optimizer.slots) == slots


def test_clip_by_norm_leaves_short_gradients_alone(rng):
    short = rng.normal(size=5) * 1e-3
    kept = short.copy()
    optimizers.clip_by_norm(short, 1.0)
    np.testing.assert_array_equal(short, kept)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: optimizers.SGD(-0.1), ValueError, "learning_rate must be .* >= 0, got -0.1"),
        (lambda: optimizers.SGD("fast"), TypeError, "learning_rate must be a number, got 'fast'"),
        (lambda: optimizers.SGD(momentum=1.5), ValueError, r"momentum must be in \[0, 1\]"),
        (lambda: optimizers.RMSprop(rho=-1), ValueError, r"rho must be in \[0, 1\], got -1"),
        (lambda: optimizers.Adam(beta_1=2), ValueError, r"beta_1 must be in \[0, 1\), got 2"),
        (lambda: optimizers.Adam(epsilon=np.nan), ValueError, "epsilon must be"),
        (lambda: optimizers.AdamW(weight_decay=None), TypeError, "weight_decay must be a number"),
        (
            lambda: optimizers.SGD(clipnorm=1.0, clipvalue=1.0),
            ValueError,
            "clipnorm, clipvalue and global_clipnorm: at most one",
        ),
        (lambda: optimizers.get("adamm"), ValueError, "optimizer must be one of"),
        (
            lambda: optimizers.SGD().apply([[1.0]]),
            ValueError,
            "trainable_variables must be given at the first step",
        ),
        (
            lambda: optimizers.SGD().apply([[1.0], [2.0]], [Parameter([1.0])]),
            ValueError,
            "grads must be 1 arrays, got 2",
        ),
        (
            lambda: optimizers.SGD().apply([None], [Parameter([1.0], name="kernel")]),
            ValueError,
            "grads must be arrays, got None for kernel",
        ),
    ],
)
def test_bad_input_is_named(make, error, message):
    with pytest.raises(error, match=message):
        make()
