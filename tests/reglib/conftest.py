"""What the tests of reglib share."""

import pytest


@pytest.fixture(scope="session")
def keras():
    """The installed Keras, on the backend that ``tests/conftest.py`` or the caller chose."""
    return pytest.importorskip("keras")
