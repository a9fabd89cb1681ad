"""The library as a whole: its examples are true, and it needs nothing but NumPy."""

import doctest
import importlib
import pkgutil
import subprocess
import sys

import pytest

import reglib

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(reglib.__path__, "reglib.")
    if not module.name.endswith("__main__")
)


@pytest.mark.parametrize("name", MODULES)
def test_the_examples_in_the_docstrings_are_true(name):
    outcome = doctest.testmod(importlib.import_module(name))
    assert outcome.failed == 0


def test_there_are_examples():
    modules = map(importlib.import_module, MODULES)
    assert sum(len(t.examples) for m in modules for t in doctest.DocTestFinder().find(m)) > 150


WITH_NUMPY_ALONE = """
import importlib, sys
for name in ("IPython", "jax", "keras", "matplotlib", "pandas", "scipy", "seaborn", "sklearn",
             "statsmodels", "tqdm"):
    sys.modules[name] = None  # an import of it fails
for name in sys.argv[1:]:
    importlib.import_module(name)
import numpy as np
from reglib import layers, models
model = models.Sequential([layers.Dense(8, "relu"), layers.Dropout(0.2), layers.Dense(1)], seed=0)
model.compile("adam", "mse", metrics=["mae"])
x = np.linspace(-1, 1, 64)[:, None]
history = model.fit(x, x, epochs=60, validation_split=0.25, verbose=1).history
assert history["loss"][-1] < history["loss"][0] / 2
"""


def test_every_module_imports_and_a_model_trains_with_numpy_alone():
    subprocess.run([sys.executable, "-c", WITH_NUMPY_ALONE, *MODULES], check=True)
