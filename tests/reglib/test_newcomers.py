"""What somebody tries who is new: it works as in Keras, or an error names the argument."""

import inspect
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from reglib import callbacks, layers, losses, models, optimizers

X = np.random.default_rng(0).normal(size=(40, 4)).astype("float32")
LABELS = (X[:, 0] > 0).astype(int)
TABLE = pd.DataFrame(X, columns=list("abcd"))


def fit(x=X, y=LABELS, units=1, loss="mse", optimizer="sgd", **options):
    model = models.Sequential([layers.Input((4,)), layers.Dense(units, "sigmoid")], seed=0)
    model.compile(optimizer, loss)
    return model.fit(x, y, verbose=0, **options).history


@pytest.mark.parametrize(
    "table",
    [
        pytest.param(TABLE, id="numbers"),
        pytest.param(TABLE.assign(a=LABELS > 0), id="a column of bools, as of get_dummies"),
        pytest.param(TABLE.assign(a=LABELS), id="a column of whole numbers"),
        pytest.param(TABLE.convert_dtypes(), id="the dtypes of pandas"),
    ],
)
def test_a_table_trains_as_its_numbers_do(table):
    numbers = np.column_stack([np.asarray(table[name], dtype="float32") for name in table])
    expected = pytest.approx(fit(numbers, LABELS)["loss"], rel=1e-5)
    assert fit(table, pd.Series(LABELS))["loss"] == expected
    assert fit(table, pd.Series(LABELS).convert_dtypes())["loss"] == expected


@pytest.mark.parametrize("given", [callbacks.History(), [[callbacks.History()]]])
def test_a_callback_may_stand_alone_and_lists_may_hold_lists(given):
    fit(callbacks=given)
    callback = given if not isinstance(given, list) else given[0][0]
    assert callback.epoch == [0]


def test_no_epochs_leave_the_model_alone():
    assert fit(epochs=0) == fit(epochs=2, initial_epoch=5) == {}


def holes(array):
    array = array.astype("float32")
    array[3] = np.nan
    return array


SPARSE = {"units": 2, "loss": "sparse_categorical_crossentropy"}


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"x": TABLE.assign(b="low")}, TypeError, "x must hold numbers, got a column 'b' of"),
        ({"x": TABLE.astype(object)}, TypeError, "x must hold numbers, got a column 'a' of object"),
        ({"x": TABLE.mask(TABLE > 2)}, ValueError, "x must be finite, got NaN"),
        ({"x": TABLE.convert_dtypes().mask(TABLE > 2)}, ValueError, "x must be finite, got NaN"),
        ({"y": pd.Series(holes(LABELS)).astype("Int64")}, ValueError, "y must be finite, got NaN"),
        ({"y": np.where(LABELS, "cat", "dog")}, TypeError, "y must hold numbers, got strings, '"),
        ({"y": ["cat", "dog"] * 20}, TypeError, "y must hold numbers, got strings, 'cat' first"),
        ({"y": pd.Series(["cat", "dog"] * 20)}, TypeError, "y must hold numbers, got strings"),
        ({"x": np.ma.masked_greater(X, 1)}, ValueError, "x must have no masked entries, got"),
        ({"x": X[0]}, ValueError, r"x must have shape \(examples, ...\), got \(4,\)"),
        ({"x": X[:, None]}, ValueError, r"x must have 2 axes, .* \(None, 4\), got .*\(40, 1, 4\)"),
        ({"validation_data": (X[:, None], LABELS)}, ValueError, "validation_data: x must have 2"),
        ({**SPARSE, "y": LABELS - 1}, ValueError, "y_true .* 0 to 1, got values from -1 to 0"),
        ({**SPARSE, "y": LABELS / 2}, ValueError, "y_true .* 0 to 1, got values from 0 to 0.5"),
        ({**SPARSE, "y": np.eye(2)[LABELS]}, ValueError, "y_true .* a class number each, got"),
        ({"loss": lambda y, p: abs(y - p)}, TypeError, "loss must be a name or a Loss, .* got <"),
        (
            {"optimizer": lambda w: w},
            TypeError,
            "optimizer must be a name or an Optimizer .* got <",
        ),
        ({"loss": "crossentropy"}, ValueError, "^loss must be one of .* got 'crossentropy'"),
        ({"callbacks": callbacks.History}, TypeError, "callbacks must be objects .* got <class"),
        ({"callbacks": [None]}, TypeError, "callbacks must be objects .* got None"),
        ({"callbacks": print}, TypeError, "callbacks must be objects .* got <built-in"),
        (
            {"callbacks": callbacks.ModelCheckpoint("{val_loss:.2f}.npz")},
            ValueError,
            "filepath must name what there is, epoch, loss, got '{val_loss:.2f}.npz'",
        ),
    ],
)
def test_what_cannot_be_is_named(options, error, message):
    with pytest.raises(error, match=message):
        fit(**options)


def test_one_example_is_no_batch():
    model = models.Sequential([layers.Input((4,)), layers.Dense(1)], seed=0)
    with pytest.raises(ValueError, match=r"x must have shape \(examples, ...\), got \(4,\)"):
        model.predict(X[0])
    assert model.predict(X[:1]).shape == (1, 1)


def test_a_file_may_be_kept(tmp_path):
    model = models.Sequential([layers.Input((4,)), layers.Dense(1)], seed=0)
    for save in (model.save, model.save_weights):
        path = tmp_path / save.__name__
        save(path, overwrite=False)
        with pytest.raises(FileExistsError, match=r"filepath must be free unless overwrite=True"):
            save(path, overwrite=False)
        save(path)


def test_a_folder_that_is_missing_is_named(tmp_path):
    model = models.Sequential([layers.Input((4,)), layers.Dense(1)], seed=0)
    folder = tmp_path / "runs" / "first"
    missing = re.escape(f": no folder {folder}")
    for save in (model.save, model.save_weights):
        with pytest.raises(FileNotFoundError, match=rf"^filepath .*{missing}$"):
            save(folder / "model.npz")
    with pytest.raises(FileNotFoundError, match=rf"^filename .*{missing}$"):
        fit(callbacks=callbacks.CSVLogger(folder / "log.csv"))
    fit(callbacks=callbacks.ModelCheckpoint(folder / "model.npz"))  # which makes it
    model.save(folder / "again.npz")
    assert sorted(path.name for path in folder.iterdir()) == ["again.npz", "model.npz"]


def test_a_file_name_alone_is_one_in_this_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    models.Sequential([layers.Input((4,)), layers.Dense(1)], seed=0).save("model.npz")
    fit(callbacks=callbacks.CSVLogger("log.csv"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["log.csv", "model.npz"]


class Mine(layers.Layer):
    def __init__(self, width, **kwargs):
        super().__init__(**kwargs)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.Dense(3, activaton="relu"), "Dense.* 'activaton': .* 'activation'?"),
        (lambda: layers.Dense(3, names="a"), "Dense.* 'names': did you mean 'name'?"),
        (lambda: layers.Conv1D(2, 3, pading="same"), "Conv1D.* 'pading': did you mean 'padding'?"),
        (lambda: layers.Add(nonsense=1), "Add.* 'nonsense'"),
        (lambda: layers.Layer(nonsense=1), "Layer.* 'nonsense'"),
        (lambda: Mine(1, widht=2), "Mine.* 'widht': did you mean 'width'?"),
        (lambda: optimizers.SGD(momentun=0.9), "SGD.* 'momentun': did you mean 'momentum'?"),
        (lambda: optimizers.AdamW(beta1=0.9), "AdamW.* 'beta1': did you mean 'beta_1'?"),
        (lambda: optimizers.Adam(weightdecay=0.1), "Adam.* 'weightdecay': .* 'weight_decay'?"),
        (lambda: optimizers.SGD(lr=0.1), "SGD.* 'lr'"),
    ],
)
def test_a_keyword_that_is_unknown_is_refused_by_the_class_called(make, message):
    known = message.replace(".* '", r"\(\) got an unexpected keyword argument '", 1)
    with pytest.raises(TypeError, match="^" + known.replace("?", r"\?") + "$"):
        make()


@pytest.mark.parametrize("module", [layers, optimizers])
def test_no_class_names_its_base_for_a_keyword_that_is_unknown(module):
    for cls in vars(module).values():
        if inspect.isclass(cls) and issubclass(cls, (layers.Layer, optimizers.Optimizer)):
            with pytest.raises((TypeError, ValueError)) as caught:
                cls(nonsense=1)
            if "nonsense" in str(caught.value):
                assert str(caught.value).startswith(
                    (f"{cls.__name__}()", f"{cls.__name__}.__init__()")
                )


def test_a_function_of_the_library_is_a_loss():
    assert fit(loss=losses.mean_squared_error) == fit(loss="mse")


def test_one_import_is_enough():
    code = """
import sys, reglib
assert "numpy" not in sys.modules
assert {"layers", "models", "callbacks", "datasets"} <= set(dir(reglib))
model = reglib.models.Sequential([reglib.layers.Dense(1)])
from reglib import layers
assert layers is reglib.layers
for name in ("layerz", "_layers", "__wrapped__"):
    try:
        getattr(reglib, name)
    except AttributeError as error:
        assert name in str(error)
    else:
        raise SystemExit(name)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
