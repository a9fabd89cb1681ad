"""Models of several inputs and outputs: Keras's training, gradients, files, names and errors."""

import numpy as np
import pytest

from reglib import interop, layers, metrics, models
from reglib.gradcheck import check_gradient, check_parameters


def two_tasks(seed=0, dtype="float32", by_name=False):
    """Two inputs that meet, and two tasks that share what comes of them."""
    left = layers.Input((4,), dtype=dtype, name="left")
    right = layers.Input((3,), dtype=dtype, name="right")
    met = layers.Concatenate(dtype=dtype, name="met")(
        [layers.Dense(5, "tanh", dtype=dtype, name="one")(left), right]
    )
    shared = layers.Dense(
        6, "tanh", kernel_regularizer="l2", activity_regularizer="l2", dtype=dtype, name="shared"
    )(met)
    size = layers.Dense(1, dtype=dtype, name="size")(shared)
    kind = layers.Dense(3, "softmax", dtype=dtype, name="kind")(shared)
    if by_name:
        return models.Model({"a": left, "b": right}, {"x": size, "y": kind}, seed=seed)
    return models.Model([left, right], [size, kind], seed=seed)


LOSSES = ["mse", "sparse_categorical_crossentropy"]


@pytest.fixture
def tasks(rng):
    """Two inputs and two targets of 30 examples."""
    x = [rng.normal(size=(30, 4)).astype("float32"), rng.normal(size=(30, 3)).astype("float32")]
    return x, [x[0][:, :1] * x[1][:, :1], rng.integers(0, 3, size=30)]


@pytest.mark.not_on_keras_numpy("cannot train")
@pytest.mark.keras
@pytest.mark.parametrize("sample_weight", [False, True])
def test_training_agrees_with_keras(sample_weight, tasks, keras, rng):
    x, y = tasks
    ours = two_tasks()
    theirs = interop.to_keras(ours)
    for model in (ours, theirs):
        model.compile(
            "sgd",
            LOSSES,
            loss_weights=[0.5, 2.0],
            metrics=[["mae"], ["accuracy"]],
            weighted_metrics=[["mae", "mse"], None],
        )
    options = {"batch_size": 8, "epochs": 4, "shuffle": False, "verbose": 0}
    options["validation_data"] = ([a[20:] for a in x], [a[20:] for a in y])
    if sample_weight:
        options["sample_weight"] = rng.uniform(0.5, 2, size=20).astype("float32")
    cut = [a[:20] for a in x], [a[:20] for a in y]
    our_history = ours.fit(*cut, **options).history
    if sample_weight:
        # Keras wants the weights once for each output.
        options["sample_weight"] = [options["sample_weight"]] * 2
    their_history = theirs.fit(*cut, **options).history
    assert set(our_history) - {"data_loss", "penalty", "val_data_loss", "val_penalty"} == set(
        their_history
    )
    for name, values in their_history.items():
        np.testing.assert_allclose(our_history[name], values, rtol=2e-4, atol=1e-5, err_msg=name)
    for mine, other in zip(ours.predict(x), theirs.predict(x, verbose=0), strict=True):
        np.testing.assert_allclose(mine, other, rtol=1e-4, atol=1e-5)


def test_gradients_agree_with_finite_differences(tasks):
    x, y = tasks
    x = [a.astype("float64") for a in x]
    model = two_tasks(dtype="float64")
    model.compile("sgd", LOSSES, loss_weights={"size": 0.3})

    def loss():
        outputs = model.forward(model.check_inputs("x", x), training=True)
        return model.loss(model.check_targets("y", y), outputs) + model.penalty()

    model.train_on_batch(x, y)  # which lays the parameters out and leaves their gradients
    values = [w.value.copy() for w in model.trainable_weights]
    loss()
    _, gradient = model.loss.value_and_gradient(
        model.check_targets("y", y), model.forward(model.check_inputs("x", x), True)
    )
    model.backward(gradient)
    for parameter in model._penalized:
        parameter.gradient += parameter.regularizer.gradient(parameter.value)
    assert all((w.value == v).all() for w, v in zip(model.trainable_weights, values, strict=True))
    assert check_parameters(loss, model.trainable_weights, rtol=1e-6) < 1e-6


def test_the_gradient_of_each_input_agrees_with_finite_differences(tasks):
    x, y = tasks
    x = [a.astype("float64") for a in x]
    model = two_tasks(dtype="float64")
    model.compile("sgd", LOSSES)
    model.get_layer("shared").activity_regularizer = None  # which is no part of the loss
    gradients = model.input_gradient(x, y)
    assert [g.shape for g in gradients] == [a.shape for a in x]
    for number in range(2):

        def value(a, number=number):
            given = [*x[:number], a, *x[number + 1 :]]
            outputs = model.forward(model.check_inputs("x", given), training=False)
            return model.loss(model.check_targets("y", y), outputs)

        check_gradient(value, gradients[number], x[number])


def test_data_may_come_by_name(tasks):
    x, y = tasks
    listed, named = two_tasks(), two_tasks(by_name=True)
    listed.compile("adam", LOSSES)
    named.compile("adam", {"y": LOSSES[1], "x": LOSSES[0]})
    for _ in range(2):
        listed.fit({"right": x[1], "left": x[0]}, {"size": y[0], "kind": y[1]})
        named.fit({"b": x[1], "a": x[0]}, {"x": y[0], "y": y[1]})
    outputs = named.predict({"a": x[0], "b": x[1]})
    assert list(outputs) == ["x", "y"]
    for mine, other in zip(listed.predict(x), outputs.values(), strict=True):
        np.testing.assert_array_equal(mine, other)
    assert {"loss", "x_loss", "y_loss"} <= set(named.history.history)
    assert isinstance(listed(x), list)
    assert isinstance(named(x), dict)


def test_an_output_without_a_loss_is_not_trained(tasks):
    x, y = tasks
    model = two_tasks()
    model.compile("adam", {"kind": LOSSES[1]})
    before = model.get_layer("size").get_weights()
    model.fit(x, y)
    for array, kept in zip(model.get_layer("size").get_weights(), before, strict=True):
        np.testing.assert_array_equal(array, kept)
    assert set(model.history.history) == {"loss", "data_loss", "penalty"}


@pytest.mark.parametrize("by_name", [False, True])
def test_a_saved_model_comes_back_and_trains_on(by_name, tasks, tmp_path):
    x, y = tasks
    model = two_tasks(by_name=by_name)
    model.compile("adam", LOSSES, loss_weights=[1.0, 0.5], metrics=[["mae"], ["accuracy"]])
    model.fit(x, y)
    model.save(tmp_path / "model.npz")
    twin = models.load_model(tmp_path / "model.npz")
    assert twin.evaluate(x, y, return_dict=True) == model.evaluate(x, y, return_dict=True)
    assert type(twin(x)) is type(model(x))
    twin.fit(x, y)
    clone = models.clone_model(model, seed=4)
    assert [w.shape for w in clone.get_weights()] == [w.shape for w in model.get_weights()]


@pytest.mark.keras
@pytest.mark.parametrize("by_name", [False, True])
def test_a_model_goes_to_keras_and_back(by_name, tasks, keras):
    x, _ = tasks
    model = two_tasks(by_name=by_name)
    theirs = interop.to_keras(model)
    given = dict(zip("ab", x, strict=True)) if by_name else x
    ours, others = model(x), theirs(given)
    again = interop.from_keras(theirs)(x)
    assert type(ours) is type(again)
    for key in ours if by_name else range(2):
        np.testing.assert_allclose(ours[key], np.asarray(others[key]), rtol=1e-5, atol=1e-6)
        np.testing.assert_allclose(ours[key], again[key], rtol=1e-5, atol=1e-6)


@pytest.mark.not_on_keras_numpy("cannot train")
@pytest.mark.keras
def test_a_compiled_model_is_compiled_in_keras(tasks, keras):
    x, y = tasks
    model = two_tasks()
    model.compile("sgd", LOSSES, loss_weights=[1.0, 0.5], metrics=[["mae"], ["accuracy"]])
    theirs = interop.to_keras(model).evaluate(x, y, verbose=0, return_dict=True)
    ours = model.evaluate(x, y, return_dict=True)
    for name, value in theirs.items():
        assert ours[name] == pytest.approx(value, rel=1e-4), name


def test_one_output_in_a_list_or_a_dict_is_one_output(rng):
    x, y = rng.normal(size=(8, 3)), rng.normal(size=(8, 1))
    start = layers.Input((3,), name="start")
    end = layers.Dense(1, name="end")(start)
    for outputs, kind in (([end], np.ndarray), ({"end": end}, dict), ((end,), np.ndarray)):
        model = models.Model(start, outputs)
        model.compile("sgd", {"end": ["mse"]}, metrics={"end": ["mae"]})
        assert set(model.fit(x, y).history) == {"loss", "mae"}
        assert isinstance(model.predict(x), kind)
        assert isinstance(model(x), kind)
        assert model.output is outputs
        assert type(models.clone_model(model).output) is type(outputs)
        model.compile("sgd", ["mse"])
        model.fit({"start": x}, {"end": y})


@pytest.mark.not_on_keras_numpy("cannot train")
@pytest.mark.keras
def test_weighted_metrics_are_those_of_keras(keras, rng):
    x, y = rng.normal(size=(12, 3)).astype("float32"), rng.normal(size=(12, 1))
    weights = rng.uniform(0, 2, size=12).astype("float32")
    ours = models.Sequential([layers.Dense(1)], seed=0)
    ours.build((None, 3))
    theirs = interop.to_keras(ours)
    for model in (ours, theirs):
        model.compile("sgd", "mse", metrics=["mae"], weighted_metrics=["mae", "mse"])
    options = {"sample_weight": weights, "verbose": 0, "return_dict": True}
    expected = theirs.evaluate(x, y, **options)
    got = ours.evaluate(x, y, **options)
    assert set(got) == set(expected) == {"loss", "mae", "weighted_mae", "mse"}
    for name, value in expected.items():
        assert got[name] == pytest.approx(value, rel=1e-5), name


@pytest.mark.not_on_keras_numpy("cannot train")
@pytest.mark.keras
@pytest.mark.parametrize(
    ("plain", "weighted"),
    [
        ([["mse", "mse"], ["mse"]], None),
        (None, [["mse", "mse", "mse"], "mse"]),
        ([["mae", "mse"], "mae"], [["mse", "mae", "mse"], ["mse", "mae"]]),
        ({"kind": ["mae", "mae"]}, {"kind": ["mae", "mae"], "size": ["mae", "mae"]}),
    ],
)
def test_metrics_of_one_name_are_told_apart_as_in_keras(keras, rng, plain, weighted):
    x, y = [rng.normal(size=(12, n)) for n in (4, 3)], [rng.normal(size=(12, n)) for n in (1, 3)]
    ours = two_tasks()
    logs = []
    for model in (ours, interop.to_keras(ours)):
        model.compile("sgd", "mse", metrics=plain, weighted_metrics=weighted)
        logs.append(model.evaluate(x, y, verbose=0, return_dict=True))
    del logs[0]["data_loss"], logs[0]["penalty"]  # which Keras does not log
    assert logs[0] == pytest.approx({name: float(v) for name, v in logs[1].items()}, rel=1e-5)


def test_metrics_that_were_told_apart_are_saved_and_compiled_again(tmp_path, rng):
    x, y = rng.normal(size=(12, 3)), rng.normal(size=(12, 1))
    model = models.Sequential([layers.Dense(1)], seed=0)
    mine, same, last = map(metrics.MeanSquaredError, ("weighted_mine", "weighted_mine", "mse"))
    for _ in range(2):
        model.compile("sgd", "mse", metrics=[mine], weighted_metrics=["mse", same, last])
    names = ["loss", "weighted_mine", "mse", "weighted_weighted_mine", "weighted_mse"]
    model.build((None, 3))
    model.save(tmp_path / "model.npz")
    for found in (model, models.load_model(tmp_path / "model.npz")):
        assert list(found.evaluate(x, y, return_dict=True)) == names
    model.compile("sgd", "mse", metrics=[last])
    assert list(model.evaluate(x, y, return_dict=True)) == ["loss", "mse"]


@pytest.mark.keras
@pytest.mark.parametrize("structure", [lambda t: [t], lambda t: (t,), lambda t: {"a": t}])
def test_one_output_comes_as_in_keras(structure, keras, rng):
    x = rng.normal(size=(5, 3)).astype("float32")
    start = layers.Input((3,), name="a")
    ours = models.Model(structure(start), structure(layers.Dense(1, name="a_out")(start)), seed=0)
    theirs = interop.to_keras(ours)
    assert type(theirs.output) is type(ours.output) is type(theirs.input) is type(ours.input)
    expected, found = (m.predict(structure(x), verbose=0) for m in (theirs, ours))
    assert type(found) is type(expected)
    if isinstance(found, dict):
        expected, found = expected["a"], found["a"]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_weighted_metrics_are_saved_with_a_model(tmp_path, rng):
    x, y = rng.normal(size=(12, 3)), rng.normal(size=(12, 1))
    model = models.Sequential([layers.Dense(1)], seed=0)
    model.compile("sgd", "mse", metrics=["mae"], weighted_metrics=["mae", "mse"])
    model.fit(x, y)
    model.save(tmp_path / "model.npz")
    options = {"sample_weight": rng.uniform(0, 2, size=12), "return_dict": True}
    twin = models.load_model(tmp_path / "model.npz")
    assert twin.evaluate(x, y, **options) == model.evaluate(x, y, **options)


def test_the_shapes_of_the_ends_are_known():
    model = two_tasks(by_name=True)
    assert model.input_shape == {"a": (None, 4), "b": (None, 3)}
    assert model.output_shape == {"x": (None, 1), "y": (None, 3)}
    assert [node.layer.name for node in model.inputs] == ["left", "right"]
    assert [node.layer.name for node in model.outputs] == ["size", "kind"]


def compiled():
    model = two_tasks()
    model.compile("sgd", LOSSES)
    return model


X, Y = [np.ones((6, 4)), np.ones((6, 3))], [np.ones((6, 1)), np.ones(6, int)]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: compiled().fit(X[:1], Y), ValueError, "x must be 2, one for each of the inputs"),
        (lambda: compiled().fit(X[0], Y), TypeError, "x must be a list or a dict, one for each"),
        (
            lambda: compiled().fit({"left": X[0], "wrong": X[1]}, Y),
            ValueError,
            "x must have the names of the inputs, left, right, got left, wrong",
        ),
        (lambda: compiled().fit(X, Y[:1]), ValueError, "y must be 2, one for each of the outputs"),
        (lambda: compiled().predict({"left": X[0]}), ValueError, "x must have the names of the"),
        (
            lambda: compiled().fit([X[0], np.full((6, 3), np.nan)], Y),
            ValueError,
            r"x\['right'\] must be finite",
        ),
        (
            lambda: compiled().fit([X[0], X[1][:5]], Y),
            ValueError,
            r"x must be of equally many examples, got \[6, 5\]",
        ),
        (lambda: compiled().fit(X, [Y[0], Y[1][:5]]), ValueError, "y must be of equally many"),
        (lambda: compiled().fit(X, Y, class_weight={0: 2.0}), ValueError, "class_weight must be"),
        (lambda: two_tasks().compile("sgd", ["mse"]), ValueError, "loss must be 2, one for each"),
        (
            lambda: two_tasks().compile("sgd", {"weight": "mse"}),
            ValueError,
            "loss must have the names of the outputs, size, kind, got weight",
        ),
        (
            lambda: two_tasks().compile("sgd", "mse", loss_weights=[1.0, -1.0]),
            ValueError,
            "loss_weights must be",
        ),
        (
            lambda: two_tasks().compile("sgd", "mse", metrics=["mae"]),
            ValueError,
            "metrics must be 2, one for each of the outputs size, kind, got 1",
        ),
        (
            lambda: models.Model([], layers.Input((3,))),
            ValueError,
            "inputs must hold a node",
        ),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_ends_that_do_not_fit_are_refused():
    one, other = layers.Input((3,), name="one"), layers.Input((3,), name="other")
    both = layers.Add()([one, other])
    with pytest.raises(ValueError, match="other came besides, none went unused"):
        models.Model(one, both)
    with pytest.raises(ValueError, match="none came besides, other went unused"):
        models.Model([one, other], layers.Dense(1)(one))
    with pytest.raises(TypeError, match=r"outputs must be a node from layers\.Input"):
        models.Model([one, other], [both, "end"])


def test_two_layers_of_one_name_are_refused():
    start = layers.Input((3,))
    twice = layers.Dense(2, name="same")(layers.Dense(2, name="same")(start))
    with pytest.raises(ValueError, match="names of their own, got 'same' twice"):
        models.Model(start, twice)
    with pytest.raises(ValueError, match="names of their own, got 'same' twice"):
        models.Sequential([layers.Dense(2, name="same"), layers.Dense(2, name="same")])
