"""Experiments share their seeds and report honest intervals."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from reglib import experiments
from reglib._student_t import t_quantile
from reglib.experiments import (
    confidence_interval,
    differences,
    paired_differences,
    run,
    summary,
    table,
)
from reglib.layers import Dense, Dropout
from reglib.models import Sequential


def noisy(seed, shift=0.0):
    return {"loss": np.random.default_rng(seed).normal() + shift, "seen": 1}


def test_every_setting_meets_every_seed_in_order():
    frame = run(noisy, {"plain": {}, "more": {"shift": 1.0}}, seeds=[4, 2])
    assert list(frame.columns) == ["setting", "seed", "loss", "seen"]
    assert frame[["setting", "seed"]].to_numpy().tolist() == [
        ["plain", 4],
        ["plain", 2],
        ["more", 4],
        ["more", 2],
    ]


def test_settings_share_their_random_numbers():
    frame = run(noisy, {"plain": {}, "more": {"shift": 1.0}}, seeds=5)
    np.testing.assert_allclose(differences(frame, "plain", "loss")["more"], 1.0)


def test_a_model_starts_the_same_with_and_without_dropout():
    """Without this, the comparison of two settings would be one of two initializations."""
    x = np.ones((4, 3))

    def first_weights(*layers):
        model = Sequential(layers, seed=7)
        model(x)
        return [w for w in model.get_weights() if w.ndim == 2]

    plain = first_weights(Dense(4), Dense(2))
    dropped = first_weights(Dense(4), Dropout(0.5), Dense(2))
    for a, b in zip(plain, dropped, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_number_becomes_a_score_and_a_list_one_row_each():
    assert run(lambda seed: seed / 2, [{}], 3)["score"].tolist() == [0.0, 0.5, 1.0]
    frame = run(lambda seed: [{"epoch": e, "loss": seed + e} for e in range(3)], [{}], 2)
    assert frame["loss"].tolist() == [0, 1, 2, 1, 2, 3]
    assert frame["seed"].tolist() == [0, 0, 0, 1, 1, 1]


def test_settings_without_names_are_named_by_their_arguments():
    frame = run(lambda seed, a=0, b=0: a + b, [{"a": 1, "b": 2}, {}], 1)
    assert frame["setting"].tolist() == ["a=1, b=2", "default"]


def test_names_may_be_numbers():
    frame = run(lambda seed, k: k, {0.1: {"k": 1}, 1.0: {"k": 2}}, 1)
    assert frame["setting"].tolist() == [0.1, 1.0]


def test_no_bar_is_drawn_where_there_is_no_terminal(capsys):
    run(noisy, [{}], 3)
    assert capsys.readouterr() == ("", "")
    run(noisy, [{}], 3, progress=True)
    # Beside a loaded kernel tqdm draws for a notebook, on the other stream.
    assert "runs" in "".join(capsys.readouterr())


# Statistics


def paired_frame(d, spread=100.0):
    rng = np.random.default_rng(0)
    base = spread * rng.normal(size=len(d))
    seeds = list(range(len(d)))
    return pd.DataFrame(
        {
            "setting": ["plain"] * len(d) + ["other"] * len(d),
            "seed": seeds * 2,
            "loss": np.concatenate([base, base + d]),
        }
    )


@pytest.mark.parametrize("level", [0.01, 0.5, 0.68, 0.9, 0.95, 0.99, 0.999])
def test_quantiles_of_students_t_are_scipys(level):
    freedom = [*range(1, 101), 999, 1000]
    expected = stats.t.ppf((1 + level) / 2, freedom)
    np.testing.assert_allclose([t_quantile(level, v) for v in freedom], expected, rtol=1e-12)


@pytest.mark.parametrize("freedom", [10_000, 100_000])
def test_quantiles_of_students_t_are_scipys_with_many_degrees_of_freedom(freedom):
    expected = stats.t.ppf((1 + 0.9999) / 2, freedom)
    assert t_quantile(0.9999, freedom) == pytest.approx(expected, rel=1e-9)


def test_the_t_interval_is_scipys():
    values = np.random.default_rng(0).normal(size=12)
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.9)
    np.testing.assert_allclose(confidence_interval(values, level=0.9), expected)


def test_paired_differences_do_not_see_the_spread_that_settings_share():
    d = np.array([0.1, 0.12, 0.09, 0.11])
    row = paired_differences(paired_frame(d), "plain", "loss").loc["other"]
    assert row["n"] == 4
    assert row["mean"] == pytest.approx(d.mean())
    assert row["sd"] == pytest.approx(d.std(ddof=1))
    assert (row["low"], row["high"]) == pytest.approx(confidence_interval(d))
    assert row["clear"]


def test_a_difference_within_noise_is_not_called_clear():
    row = paired_differences(paired_frame(np.array([1.0, -1.0, 0.5])), "plain", "loss").loc["other"]
    assert not row["clear"]


def test_one_seed_has_no_interval_and_nothing_is_clear():
    row = paired_differences(paired_frame(np.array([5.0])), "plain", "loss").loc["other"]
    assert math.isnan(row["sd"])
    assert math.isnan(row["low"])
    assert not row["clear"]


@pytest.mark.parametrize(("interval", "n"), [("t", 8), ("sign", 8), ("bootstrap", 30)])
def test_intervals_cover_the_truth_as_often_as_they_say(interval, n):
    rng = np.random.default_rng(1)
    repeats = 300
    covered = 0
    for _ in range(repeats):
        low, high = confidence_interval(rng.normal(1.0, 2.0, n), interval=interval)
        covered += low <= 1.0 <= high
    # 0.95 less four standard errors, and a little more for the bootstrap's optimism.
    assert covered / repeats > 0.95 - 4 * math.sqrt(0.05 * 0.95 / repeats) - 0.02


@pytest.mark.parametrize(("n", "k"), [(6, 1), (8, 1), (9, 2), (20, 6)])
def test_the_sign_interval_has_the_order_statistics_of_the_tables(n, k):
    values = np.random.default_rng(0).permutation(np.arange(1.0, n + 1))
    assert confidence_interval(values, interval="sign") == (k, n + 1 - k)


def test_the_sign_interval_needs_six_seeds():
    assert all(map(math.isnan, confidence_interval(np.arange(5.0), interval="sign")))


def test_summary_describes_each_metric_of_each_setting():
    frame = run(noisy, {"plain": {}, "more": {"shift": 1.0}}, seeds=6)
    table = summary(frame)
    assert table.index.tolist() == [
        ("plain", "loss"),
        ("plain", "seen"),
        ("more", "loss"),
        ("more", "seen"),
    ]
    values = frame.loc[frame["setting"] == "more", "loss"]
    row = table.loc[("more", "loss")]
    assert row["mean"] == pytest.approx(values.mean())
    assert row["sd"] == pytest.approx(values.std())
    assert (row["low"], row["high"]) == pytest.approx(confidence_interval(values))
    assert summary(frame, "seen").index.tolist() == [("plain", "seen"), ("more", "seen")]


def test_table_shows_mean_and_spread_in_the_order_of_the_settings():
    frame = run(lambda seed, k: {"b": k * seed, "a": 1}, {"two": {"k": 2}, "one": {"k": 1}}, [1, 3])
    shown = table(frame, digits=2)
    assert shown.index.tolist() == ["two", "one"]
    assert shown.columns.tolist() == ["b", "a"]
    assert shown.loc["two", "b"] == "4.00 ± 2.83"
    assert table(frame, "a", digits=0).to_numpy().tolist() == [["1 ± 0"], ["1 ± 0"]]


@pytest.mark.parametrize(
    ("values", "shown"),
    [
        ([11.0, 12.0], "11.50 ± 0.71"),
        ([0.5, 0.5016], "0.5008 ± 0.0011"),
        ([1.0, 1.14], "1.070 ± 0.099"),
        ([100.0, 500.0], "300 ± 283"),
        ([0.25, 0.25], "0.250 ± 0.000"),
    ],
)
def test_a_standard_deviation_has_two_digits_and_its_mean_ends_with_it(values, shown):
    frame = run(lambda seed: values[seed], {"plain": {}}, 2)
    assert table(frame).to_numpy().tolist() == [[shown]]


def test_table_names_a_column_that_is_missing():
    with pytest.raises(ValueError, match="column 'loss'"):
        table(run(lambda seed: seed, {"plain": {}}, 2), "loss")


def test_differences_keep_the_order_of_the_settings():
    frame = run(lambda seed, k: k, {"z": {"k": 1}, "a": {"k": 2}, "m": {"k": 3}}, 2)
    assert list(differences(frame, "a", "score").columns) == ["z", "m"]


PLAIN = run(noisy, {"plain": {}, "more": {"shift": 1.0}}, seeds=2)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: run(3, [{}], 1), TypeError, "build_and_score must be a function"),
        (lambda: run(noisy, [], 1), ValueError, "settings must not be empty"),
        (lambda: run(noisy, 3, 1), TypeError, "settings must be a mapping or a list"),
        (lambda: run(noisy, "plain", 1), TypeError, "settings must be a mapping"),
        (lambda: run(noisy, {"a": 3}, 1), TypeError, "settings must hold keyword arguments"),
        (lambda: run(noisy, [{1: 2}], 1), TypeError, "settings must hold keyword arguments"),
        (lambda: run(noisy, [{}, {}], 1), ValueError, "'default' twice"),
        (lambda: run(noisy, [{}], 0), ValueError, "seeds must be at least 1"),
        (lambda: run(noisy, [{}], []), ValueError, "seeds must be one or more different"),
        (lambda: run(noisy, [{}], [1, 1]), ValueError, "seeds must be one or more different"),
        (lambda: run(noisy, [{}], [0.5]), TypeError, "seeds must be an integer"),
        (lambda: run(noisy, [{}], "12"), TypeError, "seeds must be an integer or a list"),
        (lambda: run(lambda seed: "x", [{}], 1), TypeError, "must return numbers as metrics"),
        (lambda: run(lambda seed: None, [{}], 1), TypeError, "must return numbers as metrics"),
        (lambda: run(lambda seed: [1], [{}], 1), TypeError, "must return numbers, mappings"),
        (lambda: run(lambda seed: {"seed": 1}, [{}], 1), ValueError, "metric called 'seed'"),
        (lambda: summary([1]), TypeError, "frame must be a DataFrame"),
        (lambda: summary(PLAIN, "f1"), ValueError, "frame must have a column 'f1', got setting"),
        (lambda: paired_differences(PLAIN, "less", "loss"), ValueError, "baseline must be one of"),
        (lambda: paired_differences(PLAIN, "plain", "f1"), ValueError, "column 'f1'"),
        (lambda: paired_differences(PLAIN[:2], "plain", "loss"), ValueError, "another setting"),
        (lambda: paired_differences(PLAIN[:3], "plain", "loss"), ValueError, "the same seeds"),
        (
            lambda: paired_differences(pd.concat([PLAIN, PLAIN]), "plain", "loss"),
            ValueError,
            "one row a setting and seed",
        ),
        (lambda: paired_differences(PLAIN, "plain", "loss", level=95), ValueError, "level"),
        (lambda: paired_differences(PLAIN, "plain", "loss", interval="z"), ValueError, "interval"),
        (lambda: confidence_interval([]), ValueError, "values must not be empty"),
        (lambda: confidence_interval([np.nan, 1.0]), ValueError, "values must be finite"),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_a_table_of_differences_says_which_may_be_noise():
    def score(seed, shift=0.0, noise=0.0):
        return {"loss": seed + shift + noise * (-1) ** seed, "other": float(seed)}

    settings = {"plain": {}, "better": {"shift": -1.0, "noise": 0.1}, "same": {"noise": 0.1}}
    shown = experiments.difference_table(experiments.run(score, settings, seeds=10), "plain")
    assert list(shown.columns) == ["loss", "other"]
    assert shown.loc["better", "loss"].startswith("-1.000 [")
    assert "covers" not in shown.loc["better", "loss"]
    assert shown.loc["same", "loss"].endswith("covers 0")
    assert shown.loc["same", "other"] == "0.000 [0.000, 0.000] covers 0"
