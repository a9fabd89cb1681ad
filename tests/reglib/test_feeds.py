"""Models train on whatever gives batches: arrays, datasets, generators and iterables."""

import numpy as np
import pytest

from reglib import callbacks, layers, models, optimizers
from reglib.models.data import is_batches

X = np.random.default_rng(0).normal(size=(24, 3)).astype("float32")
Y = X.sum(axis=1, keepdims=True)


class Batches:
    """Slices of arrays, as a dataset that is asked for each."""

    def __init__(self, x=X, y=Y, size=8, weights=None):
        self.x, self.y, self.size, self.weights = x, y, size, weights
        self.calls = []

    def __len__(self):
        return -(-len(self.x) // self.size)

    def __getitem__(self, number):
        self.calls.append(number)
        part = slice(number * self.size, (number + 1) * self.size)
        if self.weights is None:
            return self.x[part], self.y[part]
        return self.x[part], self.y[part], self.weights[part]

    def on_epoch_begin(self):
        self.calls.append("begin")

    def on_epoch_end(self):
        self.calls.append("end")


def endless(size=8):
    dataset = Batches(size=size)
    while True:
        for number in range(len(dataset)):
            yield dataset[number]


def compiled(seed=0):
    model = models.Sequential([layers.Dense(4, "tanh"), layers.Dense(1)], seed=seed)
    model.compile("sgd", "mse", metrics=["mae"])
    return model


def trained(*arguments, **options):
    model = compiled()
    history = model.fit(*arguments, shuffle=False, **options)
    return model.get_weights(), history.history


def assert_same(one, other):
    for a, b in zip(one[0], other[0], strict=True):
        np.testing.assert_array_equal(a, b)
    assert one[1] == other[1]


@pytest.mark.parametrize(
    "batches",
    [
        Batches,
        lambda: [*(Batches()[i] for i in range(3))].__iter__(),
        lambda: (Batches()[i % 3] for i in range(9)),
        lambda: _Iterable(),
    ],
    ids=["dataset", "iterator", "generator", "iterable"],
)
def test_batches_train_as_the_arrays_do_that_they_were_cut_of(batches):
    once = trained(batches(), steps_per_epoch=3)
    assert_same(once, trained(X, Y, batch_size=8))


class _Iterable:
    def __iter__(self):
        return (Batches()[i] for i in range(3))


def test_weights_in_batches_count_as_those_of_arrays():
    weights = np.linspace(0, 2, 24)
    by_batches = trained(Batches(weights=weights), epochs=2)
    assert_same(by_batches, trained(X, Y, 8, 2, sample_weight=weights))


def test_weights_of_classes_count_in_batches_too():
    y = np.arange(24).reshape(-1, 1) % 2
    options = {"class_weight": {0: 1.0, 1: 3.0}}
    assert_same(trained(Batches(y=y), **options), trained(X, y, batch_size=8, **options))


def test_a_dataset_is_told_of_epochs_and_asked_anew_in_each():
    dataset = Batches()
    compiled().fit(dataset, epochs=2, shuffle=False)
    assert dataset.calls[1:] == ["begin", 0, 1, 2, "end"] * 2


def test_shuffling_changes_the_order_of_a_datasets_batches():
    dataset = Batches(size=2)
    compiled().fit(dataset, epochs=1)
    order = dataset.calls[2:-1]
    assert order != sorted(order)
    assert sorted(order) == list(range(12))


def test_steps_cut_an_endless_generator_into_epochs():
    model, seen = compiled(), []
    watch = callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(batch))
    history = model.fit(endless(), epochs=2, steps_per_epoch=4, callbacks=[watch])
    assert seen == [0, 1, 2, 3] * 2
    assert history.params["steps"] == 4


def test_an_epoch_of_some_steps_goes_on_where_the_last_stopped():
    dataset = Batches(size=4)
    compiled().fit(dataset, epochs=3, steps_per_epoch=3, shuffle=False)
    numbers = [call for call in dataset.calls[1:] if isinstance(call, int)]
    assert numbers == [0, 1, 2, 3, 4, 5, 0, 1, 2]


def test_steps_cut_arrays_too():
    seen = []
    watch = callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(batch))
    compiled().fit(X, Y, batch_size=4, epochs=2, steps_per_epoch=2, callbacks=[watch])
    assert seen == [0, 1, 0, 1]


def test_too_few_batches_for_an_epoch_are_told():
    with pytest.warns(UserWarning, match="the data ended after 3 of 5 batches"):
        compiled().fit(Batches(), steps_per_epoch=5)


def test_a_generator_without_batches_for_the_next_epoch_is_refused():
    with pytest.raises(ValueError, match="a generator is gone through once"):
        compiled().fit((Batches()[i] for i in range(3)), epochs=2)


def test_validation_takes_batches_as_it_takes_arrays():
    expected = trained(X, Y, batch_size=8, validation_data=(X, Y), validation_batch_size=8)
    assert_same(trained(X, Y, batch_size=8, validation_data=Batches()), expected)
    several = trained(X, Y, batch_size=8, validation_data=endless(), validation_steps=3)
    assert_same(several, expected)


def test_evaluation_and_prediction_take_batches_as_they_take_arrays():
    model = compiled()
    model.fit(X, Y)
    assert model.evaluate(Batches()) == model.evaluate(X, Y, batch_size=8)
    assert model.evaluate(endless(), steps=3) == model.evaluate(X, Y, batch_size=8)
    expected = model.predict(X, batch_size=8)
    np.testing.assert_array_equal(model.predict(Batches()), expected)
    np.testing.assert_array_equal(model.predict(endless(), steps=3), expected)
    np.testing.assert_array_equal(model.predict(x for x in np.split(X, 3)), expected)


def test_a_dataset_of_batches_for_several_inputs_and_outputs():
    a, b = layers.Input((3,), name="a"), layers.Input((3,), name="b")
    hidden = layers.Add()([a, b])
    model = models.Model([a, b], [layers.Dense(1, name="p")(hidden), layers.Dense(1)(hidden)])
    model.compile("sgd", ["mse", "mae"])
    batches = [((X[i : i + 8], X[i : i + 8]), (Y[i : i + 8], Y[i : i + 8])) for i in (0, 8, 16)]
    assert "p_loss" in model.fit(iter(batches)).history
    assert [part.shape for part in model.predict((x,) for x, _ in batches)] == [(24, 1)] * 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"y": Y}, "y must be None where x gives batches"),
        ({"sample_weight": np.ones(24)}, "sample_weight must be None where x gives batches"),
        ({"validation_split": 0.2}, "validation_split needs arrays"),
        ({"steps_per_epoch": 0}, "steps_per_epoch must be at least 1"),
        ({"validation_data": (X, Y), "validation_steps": 0}, "validation_steps must be at least 1"),
    ],
)
def test_what_does_not_go_with_batches_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        compiled().fit(Batches(), **options)


@pytest.mark.parametrize(
    ("batch", "error", "message"),
    [
        ((X, Y, np.ones(24), 1), ValueError, "a batch must be"),
        ((X, np.ones((3, 1))), ValueError, "in a batch: y must have as many examples as x, 24"),
        ((np.full_like(X, np.nan), Y), ValueError, "in a batch: x must be finite"),
        (("a", Y), TypeError, "in a batch: x must hold numbers"),
        ((X,), ValueError, "a batch must hold targets too"),
    ],
)
def test_a_bad_batch_is_named(batch, error, message):
    with pytest.raises(error, match=message):
        compiled().fit(iter([batch]))


def test_a_batch_that_is_not_finite_is_named_wherever_it_comes():
    batches = [(X[:8], Y[:8]), (X[8:16], Y[8:16]), (np.full_like(X[16:], np.nan), Y[16:])]
    with pytest.raises(ValueError, match="in a batch: x must be finite"):
        compiled().fit(iter(batches))


def test_weights_that_became_nan_are_no_fault_of_the_batches():
    model = models.Sequential([layers.Dense(1)], seed=0)
    model.compile(optimizers.SGD(1e30), "mse")
    with np.errstate(all="ignore"), pytest.warns(RuntimeWarning, match="the loss is NaN"):
        model.fit(Batches(), epochs=9)


def test_empty_sources_are_refused():
    with pytest.raises(ValueError, match="must yield a batch"):
        compiled().fit(iter([]))
    with pytest.raises(ValueError, match="got a dataset of length 0"):
        compiled().fit(Batches(X[:0], Y[:0]))


def test_a_batch_size_that_changes_nothing_is_told():
    with pytest.warns(UserWarning, match="batch_size has no effect"):
        compiled().fit(Batches(), batch_size=4)


def test_arrays_lists_and_tables_are_no_batches():
    import pandas as pd

    assert not any(map(is_batches, (X, X.tolist(), [X, X], {"a": X}, pd.DataFrame(X), None)))


def test_a_step_may_be_taken_before_fit():
    model = compiled()
    before = model(X).copy()
    data_loss, penalty, _ = model.train_step(X, Y)
    assert data_loss > 0
    assert penalty is None
    assert (model(X) != before).any()
