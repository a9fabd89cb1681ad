"""Data are what they say, split without leakage, repeatable, and refuse bad arguments."""

import numpy as np
import pytest
import scipy.io

from reglib import datasets
from reglib.datasets import (
    breast_cancer_with_noise,
    co2,
    digits,
    flip_labels,
    load_mat,
    noisy_moons,
    signals,
    sunspots,
)

RANDOM = {
    "noisy_moons": lambda rng: noisy_moons(30, n_validation=20, n_test=10, rng=rng),
    "digits": lambda rng: digits(50, flip_fraction=0.2, rng=rng),
    "breast_cancer": lambda rng: breast_cancer_with_noise(5, rng=rng),
    "signals": lambda rng: signals(30, 20, 10, rng=rng),
}
SERIES = {"sunspots": sunspots, "co2": co2}


def arrays(data):
    return [array for part in (data.train, data.validation, data.test) for array in part]


@pytest.fixture(params=RANDOM.values(), ids=RANDOM.keys())
def random_data(request):
    return request.param


@pytest.fixture(params=SERIES.values(), ids=SERIES.keys())
def series(request):
    return request.param


def test_one_seed_gives_the_same_data_and_another_gives_others(random_data):
    first, again, other = random_data(3), random_data(np.random.default_rng(3)), random_data(4)
    for a, b in zip(arrays(first), arrays(again), strict=True):
        np.testing.assert_array_equal(a, b)
    assert not np.array_equal(first.train.x, other.train.x)


def test_global_random_state_is_left_alone(random_data):
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    random_data(0)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_inputs_and_targets_are_finite_and_of_one_length(random_data):
    data = random_data(0)
    for x, y in (data.train, data.validation, data.test):
        assert len(x) == len(y) > 0
        assert np.isfinite(x).all()
        assert y.ndim == 1
        assert y.dtype.kind == "i"


def test_parts_share_no_example(random_data):
    data = random_data(0)
    rows = [{row.tobytes() for row in part.x} for part in (data.train, data.validation, data.test)]
    assert not rows[0] & rows[1]
    assert not rows[0] & rows[2]
    assert not rows[1] & rows[2]


def test_a_dataset_cannot_be_reassigned():
    with pytest.raises(AttributeError):
        noisy_moons().train = None


def test_moons_without_noise_lie_on_two_half_circles():
    x, y = noisy_moons(200, noise=0, flip_fraction=0).train
    center = np.where(y[:, None] == 0, [0.0, 0.0], [1.0, 0.5])
    np.testing.assert_allclose(np.linalg.norm(x - center, axis=1), 1)
    assert (x[y == 0, 1] >= 0).all()
    assert (x[y == 1, 1] <= 0.5).all()


def test_moons_have_equal_classes_and_the_noise_asked_for():
    data = noisy_moons(20_000, noise=0.25, flip_fraction=0)
    x, y = data.train
    assert y.sum() == 10_000
    # E|x - c|² = 1 + 2σ² for class 0 around the origin.
    assert (x[y == 0] ** 2).sum(axis=1).mean() == pytest.approx(1.125, abs=0.03)


def test_flips_touch_exactly_the_share_asked_for_and_training_only():
    clean, flipped = noisy_moons(60, flip_fraction=0, rng=5), noisy_moons(60, rng=5)
    np.testing.assert_array_equal(clean.train.x, flipped.train.x)
    assert flipped.flipped.sum() == 9
    np.testing.assert_array_equal(clean.train.y != flipped.train.y, flipped.flipped)
    np.testing.assert_array_equal(clean.test.y, flipped.test.y)


@pytest.mark.parametrize("fraction", [0.0, 0.3, 1.0])
def test_a_flipped_label_is_another_class_and_all_others_are_as_likely(fraction):
    labels = np.full(9000, 2)
    new, flipped = flip_labels(labels, fraction, n_classes=4)
    assert flipped.sum() == round(fraction * 9000)
    assert (new[flipped] != 2).all()
    assert (new[~flipped] == 2).all()
    if fraction:
        counts = np.bincount(new[flipped], minlength=4)[[0, 1, 3]]
        expected = flipped.sum() / 3
        assert (np.abs(counts - expected) < 5 * np.sqrt(expected)).all()


def test_digits_are_images_between_0_and_1():
    data = digits(150)
    assert data.train.x.shape == (150, 8, 8, 1)
    assert len(data.train.x) + len(data.validation.x) + len(data.test.x) == 1797
    everything = np.concatenate([data.train.x, data.validation.x, data.test.x])
    assert everything.min() == 0
    assert everything.max() == 1
    assert set(data.train.y) == set(range(10))


def test_breast_cancer_is_scaled_by_the_training_part_alone():
    data = breast_cancer_with_noise(60)
    assert data.train.x.shape == (300, 90)
    np.testing.assert_allclose(data.train.x.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(data.train.x.std(axis=0), 1)
    assert np.abs(data.test.x.mean(axis=0)).max() > 0.01
    assert [name.startswith("noise") for name in data.feature_names] == [False] * 30 + [True] * 60


def test_noise_columns_know_nothing_of_the_label():
    data = breast_cancer_with_noise(60)
    correlations = [abs(np.corrcoef(column, data.train.y)[0, 1]) for column in data.train.x.T]
    assert max(correlations[30:]) < 5 / np.sqrt(300)
    assert max(correlations[:30]) > 0.7


def test_breast_cancer_without_noise_has_its_own_columns():
    assert breast_cancer_with_noise(0).train.x.shape[1] == 30


def test_signals_are_hard_for_a_linear_model_and_hide_their_position():
    from sklearn.linear_model import LogisticRegression

    def accuracy(data):
        flat = [part.x.reshape(len(part.x), -1) for part in (data.train, data.test)]
        fitted = LogisticRegression(max_iter=300).fit(flat[0], data.train.y)
        return fitted.score(flat[1], data.test.y)

    moving, still = signals(1000, 10, 1000), signals(1000, 10, 1000, max_shift=0)
    assert 0.2 < accuracy(moving) < 0.6
    assert accuracy(still) > accuracy(moving) + 0.2


def test_signals_are_scaled_by_the_training_part_and_have_equal_classes():
    data = signals(500, 100, 100)
    assert data.train.x.mean() == pytest.approx(0, abs=1e-12)
    assert data.train.x.std() == pytest.approx(1)
    assert (np.bincount(data.train.y) == 50).all()


@pytest.mark.parametrize("window", [1, 5, 12])
def test_each_target_follows_its_window(series, window):
    data = series(window=window)
    for x, y in (data.train, data.validation, data.test):
        assert x.shape[1:] == (window, 1)
        assert y.shape == (len(x), 1)
    # With no gap, what was the target is the last input of the next window.
    gaps = np.diff(data.times[0])
    follows = gaps == gaps.min()
    np.testing.assert_array_equal(data.train.x[1:, -1][follows], data.train.y[:-1][follows])


def test_sunspots_are_those_of_the_years():
    data = sunspots(window=10)
    shown = dict(zip(data.times[0].tolist(), data.restore(data.train.y[:, 0]), strict=True))
    assert shown[1710] == pytest.approx(3.0)
    assert shown[1778] == pytest.approx(154.4)
    assert (data.times[0][0], data.times[2][-1]) == (1710, 2008)


def test_no_value_of_a_later_part_reaches_an_earlier_one(series):
    data = series()
    window = data.train.x.shape[1]
    step = np.diff(data.times[0]).min()
    for earlier, later in zip(data.times, data.times[1:], strict=False):
        # The first input of the later part lies at least a window before its first target.
        assert later[0] - earlier[-1] > window * step


def test_series_are_scaled_by_the_training_part_alone(series, monkeypatch):
    data = series()
    whole = [data.restore(part.y).mean() for part in (data.train, data.validation, data.test)]
    assert abs(data.mean - whole[0]) < 0.2 * data.scale
    if series is co2:
        assert data.validation.y.min() > data.train.y.mean()


def test_a_missing_week_is_never_a_target_and_is_filled_from_the_past():
    part = np.array([1.0, np.nan, 3.0, 4.0, np.nan, 6.0])
    x, y, kept = datasets._windows(part, 2)
    np.testing.assert_array_equal(x, [[1, 1], [1, 3], [4, 4]])
    np.testing.assert_array_equal(y, [3, 4, 6])
    np.testing.assert_array_equal(kept, [True, True, False, True])


def test_a_series_that_starts_with_a_missing_value_gives_no_window_with_it():
    x, _, _ = datasets._windows(np.array([np.nan, 2.0, 3.0, 4.0]), 2)
    np.testing.assert_array_equal(x, [[2, 3]])


def test_co2_has_its_weeks():
    data = co2(window=52)
    assert data.times[0].dtype.kind == "M"
    assert np.isfinite(data.train.x).all()
    assert 310 < data.restore(data.train.y).min() < data.restore(data.test.y).max() < 380


@pytest.fixture
def mat(tmp_path):
    path = tmp_path / "course.mat"
    scipy.io.savemat(path, {"X": np.arange(6.0).reshape(3, 2), "y": [[0], [1], [1]]})
    return path


def test_load_mat_returns_what_matlab_saved(mat):
    found = load_mat(mat)
    assert sorted(found) == ["X", "y"]
    np.testing.assert_array_equal(found["X"], np.arange(6.0).reshape(3, 2))
    assert found["y"].shape == (3, 1)
    assert list(load_mat(str(mat), ["y"])) == ["y"]


def test_load_mat_reads_version_4(tmp_path):
    scipy.io.savemat(tmp_path / "old.mat", {"X": np.eye(2)}, format="4")
    np.testing.assert_array_equal(load_mat(tmp_path / "old.mat")["X"], np.eye(2))


def test_load_mat_says_what_is_missing(mat, tmp_path):
    with pytest.raises(ValueError, match=r"course.mat, which holds X, y; missing: 'Xval'"):
        load_mat(mat, ["X", "Xval"])
    with pytest.raises(FileNotFoundError, match="there is no file"):
        load_mat(tmp_path / "none.mat")
    with pytest.raises(FileNotFoundError, match="there is no file"):
        load_mat(tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"hello, this is a text file\n" * 10, b"\x00" * 200], ids=repr
)
def test_load_mat_refuses_other_files(tmp_path, content):
    path = tmp_path / "other.mat"
    path.write_bytes(content)
    if content.startswith(b"\x00"):
        # Zeros happen to be a valid header of a version 4 matrix; what follows is not.
        path.write_bytes(content[:30])
    with pytest.raises(ValueError, match=r"path must be a MAT file, but .* cannot be read"):
        load_mat(path)


def test_load_mat_refuses_a_damaged_file(mat):
    mat.write_bytes(mat.read_bytes()[:-40])
    with pytest.raises(ValueError, match="cannot be read"):
        load_mat(mat)


@pytest.mark.parametrize("head", [b"MATLAB 7.3 MAT-file, Platform: GLNXA64", b"\x89HDF\r\n\x1a\n"])
def test_load_mat_names_the_cure_for_version_7_3(tmp_path, head):
    path = tmp_path / "new.mat"
    path.write_bytes(head.ljust(600))
    with pytest.raises(ValueError, match=r"version 7.3 \(HDF5\).*save\(name, '-v7'\)"):
        load_mat(path)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: noisy_moons(1), ValueError, "n must be at least 2, got 1"),
        (lambda: noisy_moons(2.5), TypeError, "n must be an integer"),
        (lambda: noisy_moons(noise=-1), ValueError, "noise"),
        (lambda: noisy_moons(noise=np.nan), ValueError, "noise"),
        (lambda: noisy_moons(flip_fraction=1.5), ValueError, r"flip_fraction must be in \[0, 1\]"),
        (lambda: noisy_moons(n_validation=0), ValueError, "n_validation"),
        (lambda: noisy_moons(rng=None), TypeError, "rng must be a numpy.random.Generator"),
        (lambda: noisy_moons(rng=-1), ValueError, "rng"),
        (lambda: noisy_moons(rng=True), TypeError, "rng"),
        (lambda: flip_labels([], 0.1), ValueError, "labels must not be empty"),
        (lambda: flip_labels(["a"], 0.1), TypeError, "labels"),
        (lambda: flip_labels([0.5], 0.1), TypeError, "labels must be integers"),
        (lambda: flip_labels([[0]], 0.1), ValueError, "labels must have 1 axes"),
        (lambda: flip_labels([-1, 0], 0.1), ValueError, "labels must be at least 0"),
        (lambda: flip_labels([3], 0.1, 3), ValueError, "n_classes must be at least 4"),
        (lambda: digits(1797), ValueError, r"n_train \+ n_validation must be below 1797"),
        (lambda: digits(0), ValueError, "n_train"),
        (lambda: digits(flip_fraction="a"), TypeError, "flip_fraction"),
        (lambda: breast_cancer_with_noise(-1), ValueError, "columns"),
        (lambda: breast_cancer_with_noise(5, 569), ValueError, "below 569"),
        (lambda: signals(length=8), ValueError, "length must be at least 16"),
        (lambda: signals(max_shift=2), ValueError, "max_shift"),
        (lambda: signals(0), ValueError, "n_train"),
        (lambda: sunspots(window=0), ValueError, "window"),
        (lambda: sunspots(window=62), ValueError, "window must be shorter than each part"),
        (lambda: sunspots(fractions=(0.5, 0.5)), ValueError, "fractions"),
        (lambda: co2(fractions=(0.5, 0.5, 0.5)), ValueError, "fractions"),
        (lambda: co2(fractions=(1.0, 0.5, -0.5)), ValueError, "fractions"),
        (lambda: load_mat(3), TypeError, "path must be a path"),
        (lambda: load_mat("a.mat", "X"), TypeError, "variables must be a list of names"),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()
