"""Whole programs of a Keras user: only the import differs, and what comes out is the same.

Each program beside this file imports ``keras``, trains and leaves a dict ``result``. It is run as
it stands, and once more with ``reglib`` in the place of ``keras`` in its imports. Where weights,
order and masks are fixed, numbers are equal; where they are drawn, :data:`DRAWN` says how near
they come and why.
"""

import re
from pathlib import Path

import numpy as np
import pytest

from reglib import _seeding

HERE = Path(__file__).parent
PROGRAMS = sorted(
    path.stem for path in HERE.glob("*.py") if not path.stem.startswith(("test_", "_"))
)

# What is drawn at random, by program: how much the two may differ.
DRAWN = {
    "cnn_augmentation": {"accuracy": 0.15},
    "stochastic_depth": {"accuracy": 0.1, "mean": 0.06},
    "mc_dropout": {"error": 0.3, "spread": 0.1, "on when asked": 0.03, "loss": 0.08},
}


def run(name, library):
    """Return what a program leaves, run with a library in the place of Keras."""
    path = HERE / f"{name}.py"
    source = path.read_text()
    if library != "keras":
        source = re.sub(r"^import keras$", f"import {library} as keras", source, flags=re.M)
        source = re.sub(r"^from keras import", f"from {library} import", source, flags=re.M)
        assert not re.search(r"^(import|from) keras", source, flags=re.M)
    space = {"__name__": f"program_{name}_{library}"}
    exec(compile(source, path, "exec"), space)
    return space["result"]


@pytest.fixture(autouse=True)
def unseeded():
    yield
    _seeding.seed_all(None)


def test_there_are_ten():
    assert len(PROGRAMS) >= 10


@pytest.mark.keras
@pytest.mark.not_on_keras_numpy("cannot train")
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_runs_unchanged_and_ends_alike(name):
    pytest.importorskip("keras")
    theirs, ours = run(name, "keras"), run(name, "reglib")
    assert set(ours) == set(theirs)
    for what, expected in theirs.items():
        if not is_numeric(expected):
            assert ours[what] == expected, what
            continue
        drawn = DRAWN.get(name, {}).get(what)
        tolerance = {"rtol": 2e-3, "atol": 2e-4} if drawn is None else {"atol": drawn}
        np.testing.assert_allclose(ours[what], expected, err_msg=what, **tolerance)


def is_numeric(value):
    """Return whether a result is numbers, rather than names and shapes."""
    try:
        return np.asarray(value).dtype.kind in "biuf"
    except ValueError:  # tuples of several lengths
        return False
