import numpy as np
import pytest

from reglib.exercises.checking import CheckFailed


@pytest.fixture
def verdict():
    """Return a function that holds an answer against a contract: CheckFailed, or None if right."""

    def examine(task, function, aspect=None, seeds=range(2)):
        state = np.random.get_state()  # noqa: NPY002 - a wrong answer may move it
        try:
            task.examine(function, aspect, seeds)
        except CheckFailed as failed:
            return failed
        finally:
            np.random.set_state(state)  # noqa: NPY002
        return None

    return examine


@pytest.fixture
def accused(verdict):
    """Return a function that gives the set of mistakes that a contract names in an answer."""

    def examine(task, function, aspect=None):
        failed = verdict(task, function, aspect)
        assert failed is not None, f"{function} passed {task.name}"
        return set(failed.mistakes)

    return examine
