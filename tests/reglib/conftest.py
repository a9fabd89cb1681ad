"""What the tests of reglib share."""

import os

import pytest

# Keras's own NumPy backend is the closest peer; it must be chosen before Keras is imported.
os.environ.setdefault("KERAS_BACKEND", "numpy")


@pytest.fixture(scope="session")
def keras():
    """The installed Keras."""
    return pytest.importorskip("keras")
