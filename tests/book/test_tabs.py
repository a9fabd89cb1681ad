"""The programs in the tabs are what they say: they run, and libraries differ where they must."""

import os
import re
import subprocess
import sys
import textwrap

import pytest

from tests import ROOT

CHAPTERS = ROOT / "book" / "chapters"
PROGRAM = re.compile(r":sync: (\w+)\n\n```python\n(.*?)```", re.DOTALL)


def programs(chapter):
    """The programs of a chapter's tabs by library."""
    return dict(PROGRAM.findall((CHAPTERS / f"{chapter}.md").read_text(encoding="utf-8")))


def test_the_corrected_tutorial_differs_from_keras_in_imports_alone():
    tabs = programs("review")
    ours, theirs = tabs["reglib"].splitlines(), tabs["keras"].splitlines()
    differing = [(a, b) for a, b in zip(ours, theirs, strict=True) if a != b]
    assert differing
    for a, b in differing:
        assert a.startswith("from reglib.")
        assert b == a.replace("from reglib.", "from keras.")


# What a program finds in place, and what its model must then have learnt.
CASES = {
    "01-gradients": ("", ""),  # a check, which raises an error if the gradient is wrong
    "02-l2": (
        """
        from reglib.datasets import noisy_moons
        data = noisy_moons(60, rng=3)
        (x, y), lam, n = data.train, 0.3, 60
        """,
        "assert model.evaluate(*data.test, verbose=0)[1] > 0.8",
    ),
    "03-l1-and-elastic-net": (
        """
        from reglib.datasets import breast_cancer_with_noise
        x, y = breast_cancer_with_noise(60, rng=0).train
        """,
        "assert (model.get_weights()[0][30:] == 0).sum() > 50",
    ),
    "05-dropout": (
        """
        from reglib.datasets import noisy_moons
        data = noisy_moons(300, rng=0)
        x, y = data.train
        """,
        "right = (model.predict(data.test.x)[:, 0] > 0.5) == data.test.y\n"
        "assert right.mean() > 0.8\n"
        "assert abs(model(x, training=True) - model.predict(x)).max() > 0.01",
    ),
    "07-early-stopping": (
        """
        from reglib.datasets import noisy_moons
        x, y = noisy_moons(200, noise=0.45, flip_fraction=0, rng=0).train
        from {library}.layers import Dense
        from {library}.models import Sequential
        layers = [Dense(64, "relu"), Dense(64, "relu"), Dense(1, "sigmoid")]
        model = Sequential(layers)
        from {library}.optimizers import Adam
        model.compile(Adam(0.01), "binary_crossentropy")
        """,
        "assert stopper.best_epoch < 200 and stopper.best < 0.6",
    ),
    "08-data-augmentation": (
        """
        from reglib.datasets import digits
        data = digits(300, rng=0)
        (x, y), (x_test, y_test) = data.train, data.test
        """,
        "assert model.evaluate(x_test, y_test, verbose=0)[1] > 0.85",
    ),
    "09-mixing": (
        """
        import numpy as np
        from reglib.datasets import digits
        x, labels = digits(40, rng=0).train
        one_hot = np.eye(10)[labels]
        """,
        "assert np.allclose(np.asarray(mixed['labels']).sum(axis=1), 1)\n"
        "assert not np.allclose(np.asarray(mixed['labels']), one_hot)",
    ),
    "review": (
        """
        import numpy as np
        from reglib.datasets import sunspots
        window_size, data = 10, sunspots(10)
        parts = [data.train, data.validation]
        x = np.concatenate([part.x for part in parts]).reshape(-1, 1, window_size)
        y, split = np.concatenate([part.y for part in parts]), 0.23
        """,
        "assert stop.best < 0.25 and len(history.epoch) < 500",
    ),
}


# Keras on JAX takes most of a second for an epoch of shifts, and has learnt after twenty.
SHORTER = {"08-data-augmentation": ("epochs=100", "epochs=20")}


@pytest.mark.slow
@pytest.mark.keras
@pytest.mark.parametrize("library", ["reglib", "keras"])
@pytest.mark.parametrize("chapter", CASES)
def test_the_program_in_the_tab_runs_and_learns(chapter, library):
    before, after = CASES[chapter]
    before = textwrap.dedent(before).replace("{library}", library)
    program = programs(chapter)[library]
    whole, fewer = SHORTER.get(chapter, ("", ""))
    assert whole in program
    program = "\n".join([before, program.replace(whole, fewer), after])
    # As a reader's Keras, which trains: the backend of the other tests may be one that does not.
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-2000:]
