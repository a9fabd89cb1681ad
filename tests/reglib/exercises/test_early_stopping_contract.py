"""Assignment 7's contract against itself: what is right passes, what is wrong is named."""

import copy

import numpy as np
import pytest

from reglib.exercises import early_stopping as contract
from reglib.exercises._findings import NOT_WRITTEN
from reglib.textbook import stopping as reference

EXERCISES = contract.ASSIGNMENT.exercises


class Stopper:
    """A right answer with switches for what can go wrong."""

    extra, reset, strict, downwards, creeping, stops = 0, True, True, True, False, True
    delta_factor, keep, against_previous, start = 1, "best", False, 0
    copies, from_first = True, False

    def __init__(self, patience, min_delta=0.0, restore=True):
        self.patience, self.min_delta, self.restore = patience, min_delta, restore
        self.best = np.inf if self.downwards else -np.inf
        self.previous = self.best
        self.weights = None
        self.wait = self.start

    def better(self, loss):
        bar = self.previous if self.against_previous else self.best
        delta = self.delta_factor * self.min_delta
        if not self.downwards:
            return loss > bar + delta
        if self.from_first and self.best == np.inf:
            self.best = loss
            return False
        return loss < bar - delta if self.strict else loss <= bar - delta

    def update(self, loss, weights):
        keep = copy.deepcopy if self.copies else (lambda value: value)
        better = self.better(loss)
        self.previous = loss
        if better:
            self.best = loss
            if self.reset:
                self.wait = self.start
        else:
            self.wait += 1
        if self.creeping:
            self.best = min(self.best, loss)
        last = self.keep == "last" or (self.keep == "best" and not self.restore)
        if better or last:
            self.weights = keep(weights)
        return self.stops and not better and self.wait >= self.patience + self.extra


def with_switches(**switches):
    return type("EarlyStopping", (Stopper,), switches)


class ByHistory:
    def __init__(self, patience, min_delta=0.0, restore=True):
        self.rule = patience, min_delta
        self.restore = restore
        self.losses, self.seen, self.at = [], [], None

    def update(self, loss, weights):
        self.losses.append(loss)
        self.seen.append([np.array(w) for w in weights])
        if self.at is None or loss - self.losses[self.at] < -self.rule[1]:
            self.at = len(self.losses) - 1
        return len(self.losses) - 1 - self.at >= self.rule[0]

    @property
    def best(self):
        return self.losses[self.at]

    @property
    def weights(self):
        return self.seen[self.at if self.restore else -1]


class Silent(Stopper):
    def update(self, loss, weights):
        if super().update(loss, weights):
            return 1
        return None


class CountsDown:
    def __init__(self, patience, min_delta=0.0, restore=True):
        self.patience = self.left = patience
        self.min_delta, self.restore, self.best, self.weights = min_delta, restore, None, None

    def update(self, loss, weights):
        if self.best is None or self.best - loss > self.min_delta:
            self.best, self.left = loss, self.patience
            self.weights = tuple(w.copy() for w in weights)
        else:
            self.left -= 1
            if not self.restore:
                self.weights = tuple(w.copy() for w in weights)
        return np.bool_(self.left == 0)


def plain_epoch(losses, patience, min_delta=0.0):
    best, wait = float("inf"), 0
    for epoch, loss in enumerate(losses):
        if loss < best - min_delta:
            best, wait = loss, 0
        else:
            wait += 1
            if wait == patience:
                return epoch
    return None


def through_the_class(losses, patience, min_delta):
    stopper = Stopper(patience, min_delta)
    return next((i for i, loss in enumerate(losses) if stopper.update(loss, None)), None)


def by_slices(losses, patience, min_delta):
    best_at = 0
    for epoch in range(1, len(losses)):
        if losses[best_at] - losses[epoch] > min_delta:
            best_at = epoch
        if epoch - best_at == patience:
            return np.int64(epoch)
    return None


RIGHT = {
    "EarlyStopping": (Stopper, ByHistory, Silent, CountsDown, with_switches(copies=False)),
    "stop_epoch": (
        plain_epoch,
        through_the_class,
        by_slices,
        lambda losses, patience, min_delta: plain_epoch(np.array(losses), patience, min_delta),
        lambda *arguments: (
            None if plain_epoch(*arguments) is None else float(plain_epoch(*arguments))
        ),
    ),
    "gradient_descent_shrinkage": (
        lambda eigenvalues, lr, steps: 1 - np.power(1 - lr * eigenvalues, steps),
        lambda e, lr, steps: [1 - (1 - lr * x) ** steps for x in e],
        lambda e, lr, steps: 1 - np.prod([1 - lr * e] * steps, axis=0) if steps else 0 * e,
        lambda e, lr, steps: (
            lr * e * sum(((1 - lr * e) ** k for k in range(steps)), np.zeros(len(e)))
        ),
        lambda e, lr, steps: np.ones_like(e) - np.float_power(1 - lr * e, steps),
    ),
}


def epoch_with(**switches):
    def stop_epoch(losses, patience, min_delta=0.0):
        stopper = with_switches(**switches)(patience, min_delta)
        return next((i for i, loss in enumerate(losses) if stopper.update(loss, None)), None)

    return stop_epoch


FAULTS = {
    contract.TOO_LATE: ({"extra": 1}, "stop"),
    contract.TOO_EARLY: ({"extra": -1}, "stop"),
    contract.FIRST_COUNTED: ({"from_first": True}, "stop"),
    contract.NOT_RESET: ({"reset": False}, "stop"),
    contract.PREVIOUS: ({"against_previous": True}, "stop"),
    contract.EQUAL_COUNTS: ({"strict": False}, "stop"),
    contract.UPWARDS: ({"downwards": False}, "stop"),
    contract.NEVER_STOPS: ({"stops": False}, "stop"),
    contract.IMPATIENT: ({"extra": -99}, "stop"),
    contract.NO_MIN_DELTA: ({"delta_factor": 0}, "min_delta"),
    contract.DELTA_SIGN: ({"delta_factor": -1}, "min_delta"),
    contract.CREEPING: ({"creeping": True}, "min_delta"),
}


class BestIsLast(Stopper):
    def update(self, loss, weights):
        stop = super().update(loss, weights)
        self.shown = loss
        return stop

    def __getattribute__(self, name):
        if name == "best" and "shown" in object.__getattribute__(self, "__dict__"):
            import sys

            if sys._getframe(1).f_code.co_name not in ("better", "update"):
                return object.__getattribute__(self, "shown")
        return object.__getattribute__(self, name)


class AtOnce(Stopper):
    def update(self, loss, weights):
        return not super().update(loss, weights)


class FromZero(Stopper):
    def __init__(self, patience, min_delta=0.0, restore=True):
        super().__init__(patience, min_delta, restore)
        self.best = 0.0


class Relative(Stopper):
    def better(self, loss):
        return loss < self.best * (1 - self.min_delta)


class Shared:
    losses = []  # noqa: RUF012 - the mistake itself

    def __init__(self, patience, min_delta=0.0, restore=True):
        self.patience = patience

    def update(self, loss, weights):
        self.losses.append(loss)
        self.best, self.weights = min(self.losses), weights
        return len(self.losses) - 1 - self.losses.index(self.best) >= self.patience


class OtherNames(Stopper):
    def __getattribute__(self, name):
        if name in ("best", "weights"):
            import sys

            if sys._getframe(1).f_code.co_name not in ("better", "update", "__init__"):
                raise AttributeError(f"'EarlyStopping' object has no attribute '{name}'")
        return object.__getattribute__(self, name)


class KeepsNothing(Stopper):
    def update(self, loss, weights):
        stop = super().update(loss, weights)
        self.weights = None
        return stop


def goes_on(losses, patience, min_delta=0.0):
    stopper, stop = Stopper(patience, min_delta), None
    for epoch, loss in enumerate(losses):
        if stopper.update(loss, None):
            stop = epoch
    return stop


def with_foresight(losses, patience, min_delta=0.0):
    epoch = losses.index(min(losses)) + patience
    return epoch if epoch < len(losses) else None


def epoch_of(stopper_class):
    def stop_epoch(losses, patience, min_delta=0.0):
        stopper = stopper_class(patience, min_delta)
        return next((i for i, loss in enumerate(losses) if stopper.update(loss, None)), None)

    return stop_epoch


AS_CLASS = [
    (AtOnce, {contract.AT_ONCE}, "stop"),
    (FromZero, {contract.FROM_ZERO}, "stop"),
    (FromZero, {contract.FROM_ZERO}, "min_delta"),
    (Relative, {contract.RELATIVE_DELTA}, "min_delta"),
]


WRONG = {
    "EarlyStopping": [
        *AS_CLASS,
        *((Shared, {contract.SHARED}, a) for a in ("stop", "min_delta", "best", "restore")),
        (OtherNames, {contract.NO_ATTRIBUTE}, "best"),
        (OtherNames, {contract.NO_ATTRIBUTE}, "restore"),
        (KeepsNothing, {contract.NOTHING_KEPT}, "restore"),
        *((with_switches(**switches), {m}, aspect) for m, (switches, aspect) in FAULTS.items()),
        (with_switches(keep="last"), {contract.LAST_WEIGHTS}, "restore"),
        (with_switches(keep="always best"), {contract.RESTORE_IGNORED}, "restore"),
        (BestIsLast, {contract.BEST_WRONG}, "best"),
    ],
    "stop_epoch": [
        *((epoch_of(stopper), mistakes, aspect) for stopper, mistakes, aspect in AS_CLASS),
        (goes_on, {contract.GOES_ON}, "stop"),
        (with_foresight, {contract.FORESIGHT}, "stop"),
        *((epoch_with(**switches), {m}, aspect) for m, (switches, aspect) in FAULTS.items()),
        (
            lambda *a: None if plain_epoch(*a) is None else plain_epoch(*a) + 1,
            {contract.FROM_ONE},
            "stop",
        ),
        (
            lambda *a: None if plain_epoch(*a) is None else plain_epoch(*a) - a[1],
            {contract.BEST_EPOCH},
            "stop",
        ),
        (
            lambda *a: len(a[0]) - 1 if plain_epoch(*a) is None else plain_epoch(*a),
            {contract.NOT_NONE},
            "never",
        ),
    ],
    "gradient_descent_shrinkage": [
        (lambda e, lr, steps: (1 - lr * e) ** steps, {contract.COMPLEMENT}, None),
        (lambda e, lr, steps: lr * e * steps, {contract.LINEAR}, None),
        (lambda e, lr, steps: 1 - np.exp(-lr * e * steps), {contract.EXPONENTIAL}, None),
        (lambda e, lr, steps: 1 - (1 - lr * e) ** (steps + 1), {contract.ONE_STEP_MORE}, None),
        (lambda e, lr, steps: 1 - (1 - lr * e) ** (2 * steps), {contract.SQUARED_FACTOR}, None),
        (lambda e, lr, steps: 1 - (1 - lr * e) ** (steps - 1), {contract.ONE_STEP_LESS}, None),
        (lambda e, lr, steps: 1 - (1 - e) ** steps, {contract.NO_LR}, None),
    ],
}


@pytest.mark.parametrize("seed", range(30))
@pytest.mark.parametrize("mistake", FAULTS, ids=lambda mistake: mistake.name)
def test_a_mistake_fails_whatever_the_seed(verdict, mistake, seed):
    switches, aspect = FAULTS[mistake]
    answer = with_switches(**switches)
    assert verdict(EXERCISES["EarlyStopping"], answer, aspect, seeds=[seed]) is not None


def test_a_class_of_which_only_update_is_missing_is_told_so(accused):
    class HalfWritten:
        def __init__(self, patience, min_delta=0.0, restore=True):
            self.best, self.weights = np.inf, None

        def update(self, loss, weights):
            raise NotImplementedError

    assert accused(EXERCISES["EarlyStopping"], HalfWritten, "stop") == {NOT_WRITTEN.name}


def test_weights_kept_without_a_copy_are_advised_on_and_pass(capsys):
    contract.check(with_switches(copies=False), "restore", name="EarlyStopping")
    assert "keep a copy" in capsys.readouterr().out
    contract.check(Stopper, "restore", name="EarlyStopping")
    assert "Note" not in capsys.readouterr().out


def test_two_mistakes_at_once_are_both_named(accused):
    def stop_epoch(losses, patience, min_delta=0.0):
        best, wait = losses[0], 0
        for epoch, loss in enumerate(losses):
            best, wait = (loss, 0) if loss < best - min_delta else (best, wait + 1)
            if wait > patience:
                return epoch
        return len(losses) - 1

    assert accused(EXERCISES["stop_epoch"], stop_epoch, "stop") >= {
        mistake.name for mistake in (contract.TOO_LATE, contract.FIRST_COUNTED)
    }
    assert accused(EXERCISES["stop_epoch"], stop_epoch, "never") == {contract.NOT_NONE.name}


def test_the_teaching_class_and_the_function_agree():
    rng = np.random.default_rng(4)
    for patience in (1, 2, 5):
        losses = rng.random(40)
        stopper = reference.EarlyStopping(patience, 0.1)
        stopped = next((i for i, loss in enumerate(losses) if stopper.update(loss)), None)
        assert stopped == reference.stop_epoch(losses, patience, 0.1)


def test_every_mistake_that_the_contracts_list_is_tried_here():
    for name, exercise in EXERCISES.items():
        tried = {mistake.name for _, mistakes, _ in WRONG[name] for mistake in mistakes}
        assert {mistake.name for mistake in exercise.mistakes} <= tried | {"hard-coded value"}
