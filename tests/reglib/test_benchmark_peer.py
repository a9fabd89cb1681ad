"""The hand-written loop that reglib's speed is measured against does the same work."""

import importlib.util

import numpy as np

from reglib.layers import Dense
from reglib.models import Sequential
from tests import ROOT

PATH = ROOT / "benchmarks" / "reglib.py"


def load_benchmark():
    spec = importlib.util.spec_from_file_location("benchmark_of_reglib", PATH)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_from_equal_weights_and_batches_it_ends_at_equal_weights():
    benchmark = load_benchmark()
    rng = np.random.default_rng(0)
    x, y = rng.random((100, 64), dtype="float32"), rng.integers(0, 10, 100).astype("int32")
    state = benchmark.hand_written_state(0)
    model = Sequential(
        [
            Dense(128, activation="relu"),
            Dense(64, activation="relu"),
            Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy")
    model(x[:1])
    model.set_weights(benchmark.views(state["w"].copy()))
    state["rng"], model.generator = np.random.default_rng(1), np.random.default_rng(1)
    loss = benchmark.hand_written_fit(state, x, y, epochs=5)
    history = model.fit(x, y, epochs=5, verbose=0)
    np.testing.assert_allclose(loss, history.history["loss"][-1], rtol=1e-5)
    for mine, theirs in zip(model.get_weights(), benchmark.views(state["w"]), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-5)
