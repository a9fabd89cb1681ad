"""Settings that hold for every test."""

import os
from collections.abc import Iterator
from typing import Any

# Before anything imports Keras. CI runs the parity tests on its NumPy backend as well.
os.environ.setdefault("KERAS_BACKEND", "jax")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import pytest
from hypothesis import settings

from tests import ROOT
from tests.machine import launch

# The same examples at every run: what fails here fails for everybody. With EXPLORE=1, new ones.
settings.register_profile("gate", derandomize=True, deadline=None)
if not os.environ.get("EXPLORE"):
    settings.load_profile("gate")


@pytest.fixture
def rng() -> np.random.Generator:
    """A generator that every test may draw from; the same numbers each time."""
    return np.random.default_rng(20261123)


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Headless Chromium; one for all, as Playwright starts once."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = launch(playwright)
        yield chromium
        chromium.close()


@pytest.fixture(autouse=True)
def global_random_state_is_untouched(request):
    """No function of ours may read or write NumPy's global random state; Keras does."""
    if request.node.get_closest_marker("keras"):
        yield
        return
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    yield
    after = np.random.get_state()[1]  # noqa: NPY002
    assert (before == after).all(), "the test moved NumPy's global random state"


#: The rooms that take longest, and wait more than they work: they go first.
LONGEST = ("repository", "fastgrade", "book", "solutions", "warmfork", "reglib/peer")
#: Long files whose tests share nothing: each goes where there is room.
SINGLE = ("programs", "reglib/exercises/test_every_contract", "reglib/exercises/test_mutants")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Keep a file's tests in one process, for they share what is slow to make.

    The attacks of each level are such a group.
    """

    def place(item):
        return item.path.relative_to(ROOT / "tests").as_posix()

    # What goes singly comes last, and fills what the groups leave.
    items.sort(
        key=lambda item: (place(item).startswith(SINGLE), not place(item).startswith(LONGEST))
    )
    for item in items:
        group = place(item)
        if item.get_closest_marker("xdist_group") is None and not group.startswith(SINGLE):
            if group.endswith("test_attacks.py") and hasattr(item, "callspec"):
                group += f"-{item.callspec.params['grader']}"
            item.add_marker(pytest.mark.xdist_group(group))


def pytest_runtest_setup(item):
    """Leave out what Keras's NumPy backend cannot do; the tests run on JAX all the same."""
    marker = item.get_closest_marker("not_on_keras_numpy")
    if marker is not None and os.environ["KERAS_BACKEND"] == "numpy":
        pytest.skip(f"Keras's NumPy backend {marker.args[0]}")
