"""Keras's names over reglib, so that the tests that Keras installs can run against reglib.

``pytest -p tests.reglib.peer.shim FILES`` makes ``keras``, ``keras.src`` and their modules out of
reglib before the files are imported; Keras itself is never loaded. To cover more of Keras's
files, add names: a module to ``_modules``, a function to ``_ops`` or ``_backend``; then list the
file in ``peer_cases.py``.

What cannot be compared is left out of ``run_layer_test``: the masks of symbols, mixed precision,
seed generators, and layers that count as built before they have seen an input.
"""

from __future__ import annotations

import json
import pathlib
import re
import sys
import types
import unittest

import numpy as np
from absl.testing import parameterized

import reglib.activations
import reglib.callbacks
import reglib.constraints
import reglib.initializers
import reglib.layers
import reglib.losses
import reglib.metrics
import reglib.models
import reglib.models.data
import reglib.models.trainer
import reglib.optimizers
import reglib.random
import reglib.regularizers
import reglib.saving
import reglib.utils
from reglib._timestep_masks import Masked, mask_of
from reglib.layers.augmentation.base import AugmentationLayer
from reglib.layers.base import Layer, Node
from tests.reglib.peer import shim_numbers, shim_training


def _module(name, *sources, **names):
    """Make a module whose names come from ``names``, else from the sources in order."""
    module = types.ModuleType(name)
    module.__path__ = []
    module.__dict__.update(names)

    def find(key):
        for source in sources:
            if hasattr(source, key):
                return getattr(source, key)
        room = name.removeprefix("keras.src.").partition(".")[0]
        room = "schedules" if name.endswith(".schedules") else room
        raise AttributeError(f"reglib has no {room}.{key}")

    module.__getattr__ = find
    return module


class _Absent:
    """What Keras has and reglib has not, for tests that name it before they use it."""

    def __init__(self, name):
        self.name = name

    def __call__(self, *arguments, **options):
        raise NotImplementedError(f"reglib has no {self.name}")

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return _Absent(f"{self.name}.{name}")


# Arrays: a tensor of this backend is a NumPy array.


def _to_tensor(x, dtype=None, sparse=None):
    if dtype is None and not hasattr(x, "dtype"):
        x = np.asarray(x)
        dtype = "float32" if x.dtype == np.float64 else None
    # As what can be given a mask, which a plain array cannot.
    return x if isinstance(x, Masked) and dtype is None else np.array(x, dtype=dtype).view(Masked)


def _set_keras_mask(x, mask):
    x.mask = None if mask is None else np.asarray(mask, dtype=bool)


def _standardize_dtype(dtype):
    return np.dtype(dtype or "float32").name


_arrays = {
    "array": _to_tensor,
    "convert_to_tensor": _to_tensor,
    "convert_to_numpy": np.asarray,
    "cast": lambda x, dtype: np.asarray(x).astype(dtype),
    "one_hot": lambda x, num_classes: np.eye(num_classes, dtype="float32")[np.asarray(x)],
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "shape": np.shape,
    "mean": lambda x, axis=None, **options: np.mean(
        x, axis=tuple(axis) if isinstance(axis, list) else axis, **options
    ),
    "is_tensor": lambda x: isinstance(x, np.ndarray),
    "ones": lambda shape, dtype="float32": np.ones(shape, dtype).view(Masked),
    "zeros": lambda shape, dtype="float32": np.zeros(shape, dtype).view(Masked),
}
_ops = _module("keras.src.ops", np, numpy=_module("keras.src.ops.numpy", np, **_arrays), **_arrays)
# Initializers take a generator of NumPy for what is used up as it goes.
_random = _module("keras.src.random", reglib.random, SeedGenerator=np.random.default_rng)
_ops.random = _random
_config = _module(
    "keras.src.backend.config",
    image_data_format=lambda: "channels_last",
    floatx=lambda: "float32",
    epsilon=lambda: 1e-7,
)


def _set_image_data_format(data_format):
    if data_format != _config.image_data_format():
        raise NotImplementedError("reglib has a data format for each layer, not for all")


def _backend_name():
    """Return the name of no backend of Keras; the tests of the trainer know no other than those."""
    asks = sys._getframe(1).f_globals["__name__"]
    return "numpy" if asks.startswith("trainers__trainer") else "reglib"


_backend = _module(
    "keras.src.backend",
    backend=_backend_name,
    config=_config,
    image_data_format=_config.image_data_format,
    set_image_data_format=_set_image_data_format,
    numpy=_ops,
    random=_random,
    common=_module(
        "keras.src.backend.common",
        global_state=_module("keras.src.backend.common.global_state"),
        keras_tensor=_module("keras.src.backend.common.keras_tensor", KerasTensor=Node),
        remat=_module("keras.src.backend.common.remat", RematScope=_Absent("RematScope")),
    ),
    standardize_dtype=_standardize_dtype,
    standardize_shape=tuple,
    KerasTensor=Node,
    Variable=shim_training.Variable,
    floatx=_config.floatx,
    set_floatx=shim_numbers.floatx_is_float32,
    compute_output_spec=_Absent("compute_output_spec"),
    set_keras_mask=_set_keras_mask,
    get_keras_mask=mask_of,
    SUPPORTS_COMPLEX_DTYPES=False,
    SUPPORTS_SPARSE_TENSORS=False,
    SUPPORTS_RAGGED_TENSORS=False,
    **_arrays,
)


# Layers: reglib's own, with the attributes that Keras's tests look at.


class _Keras:
    """What a layer of Keras has besides."""

    backend = _backend
    compute_dtype = property(lambda self: self.dtype)
    non_trainable_variables = property(lambda self: self.non_trainable_weights)
    trainable_variables = property(lambda self: self.trainable_weights)

    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self._called = False

    def _finish(self, outputs):
        self._called = True
        return super()._finish(outputs)

    @property
    def losses(self):
        weights = [w.regularizer(w.value) for w in self.weights if w.regularizer is not None]
        measured = self.activity_regularizer is not None and self._called
        return weights + ([self.activity_penalty] if measured else [])

    def __call__(self, inputs, *others, **options):
        # What stands second may be the mask, where a layer asks for one before it asks whether
        # it is training.
        if others and isinstance(others[0], np.ndarray):
            options["mask"], *others = others
        return super().__call__(inputs, *others, **options)


class _KerasAugmentation(_Keras):
    def _uniform(self, generator, shape, low=0.0, high=1.0):
        # Keras's tests replace the backend's function to fix what is drawn.
        return np.asarray(
            self.backend.random.uniform(shape, minval=low, maxval=high, seed=generator)
        )

    def transform_images(self, images, transformation=None, training=True):
        return super().transform_images(images, transformation, training=training)


class _KerasRecurrent(_Keras):
    def __init__(self, *arguments, unroll=False, implementation=2, **options):
        # These choose how Keras computes, not what.
        super().__init__(*arguments, **options)


def _wrapped(cls):
    mixin = _KerasAugmentation if issubclass(cls, AugmentationLayer) else _Keras
    if issubclass(cls, reglib.layers.SimpleRNN | reglib.layers.LSTM | reglib.layers.GRU):
        mixin = _KerasRecurrent
    return type(cls.__name__, (mixin, cls), {"__module__": __name__})


_layers = _module(
    "keras.src.layers",
    reglib.layers,
    _Absent("layers"),
    Input=reglib.layers.Input,
    Layer=type("Layer", (_Keras, Layer), {"__module__": __name__}),
    **{
        name: _wrapped(value)
        for name, value in vars(reglib.layers).items()
        if isinstance(value, type)
        and issubclass(value, Layer)
        # What begins a model is made by reglib's own Input.
        and value not in (Layer, reglib.layers.InputLayer)
    },
)


# So that they can be pickled, the classes are found by their names in this module.
globals().update({name: cls for name, cls in vars(_layers).items() if isinstance(cls, type)})


# Tests: what keras.src.testing offers.


class TestCase(parameterized.TestCase, unittest.TestCase):
    """Keras's assertions over NumPy arrays."""

    maxDiff = None

    def setUp(self):
        super().setUp()
        # The cases draw their inputs from the global state; their tolerances are tight for
        # float32, so that without a seed one in some hundred runs would fail.
        np.random.seed(0)  # noqa: NPY002
        reglib.utils.set_random_seed(0)

    def assertAllClose(self, x1, x2, atol=1e-6, rtol=1e-6, msg=None, **_):
        np.testing.assert_allclose(_array(x1), _array(x2), atol=atol, rtol=rtol, err_msg=msg or "")

    def assertNotAllClose(self, x1, x2, atol=1e-6, rtol=1e-6, msg=None, **_):
        assert not np.allclose(_array(x1), _array(x2), atol=atol, rtol=rtol), msg

    def assertAllEqual(self, x1, x2, msg=None):
        np.testing.assert_array_equal(_array(x1), _array(x2), err_msg=msg or "")

    def assertAlmostEqual(self, x1, x2, decimal=3, msg=None, **_):
        np.testing.assert_almost_equal(_array(x1), _array(x2), decimal=decimal, err_msg=msg or "")

    def assertLen(self, iterable, expected, msg=None):
        assert len(iterable) == expected, msg

    def assertDType(self, x, dtype, msg=None):
        assert _standardize_dtype(x.dtype) == _standardize_dtype(dtype), msg

    def assertRaisesRegex(self, error, pattern, *args, **kwargs):
        """Expect the error; of Keras's text only the argument's name, the words are our own.

        Where a value is of the wrong type, reglib raises a TypeError instead of a ValueError.
        """
        named = re.findall(r"`([a-z_]+)`", pattern)
        # An argument that reglib does not know is no error of the kind that a case expects.
        expected = rf"(?s)^(?!.*unexpected keyword).*{named[0] if named else ''}"
        return super().assertRaisesRegex(_accepted(error), expected, *args, **kwargs)  # noqa: PT027

    def assertRaises(self, error, *args, **kwargs):
        """Expect the error, or where a value is of the wrong type, reglib's TypeError."""
        return super().assertRaises(_accepted(error), *args, **kwargs)  # noqa: PT027

    def get_temp_dir(self):
        import tempfile

        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        return directory.name

    def run_class_serialization_test(self, instance, custom_objects=None):
        """An object comes back from its config, by way of JSON."""
        config = instance.get_config()
        revived = type(instance).from_config(config)
        assert _plain(config) == _plain(revived.get_config())
        assert set(dir(instance)) == set(dir(revived))
        again = type(instance).from_config(json.loads(json.dumps(config)))
        assert _plain(config) == _plain(again.get_config())
        return revived

    def run_layer_test(
        self,
        layer_cls,
        init_kwargs,
        input_shape=None,
        input_dtype=None,
        input_data=None,
        call_kwargs=None,
        expected_output_shape=None,
        expected_output_dtype=None,
        expected_output=None,
        expected_num_trainable_weights=None,
        expected_num_non_trainable_weights=None,
        expected_num_losses=None,
        supports_masking=None,
        custom_objects=None,
        run_training_check=True,
        **_,
    ):
        """A layer keeps its config, builds, gives the expected outputs, and lets a model train."""

        def make():
            return layer_cls(**(init_kwargs or {}))

        self.run_class_serialization_test(make(), custom_objects)
        if input_data is None and input_shape is None:
            return
        several = input_data is None and isinstance((*input_shape, 0)[0], (tuple, list))
        if input_data is None:
            generator = np.random.default_rng(0)
            drawn = [
                (4 * generator.random(shape)).astype(input_dtype or "float32")
                for shape in (input_shape if several else [input_shape])
            ]
            input_data = drawn if several else drawn[0]

        layer = make()
        if several:
            drawn = layer([Node(layer, (), x.shape) for x in input_data])
        else:
            drawn = layer(Node(layer, (), np.shape(input_data)), **(call_kwargs or {}))
        if expected_output_shape is not None:
            assert _fits(drawn.shape, expected_output_shape)

        layer = make()
        output = layer(input_data, **(call_kwargs or {}))
        assert layer.built
        assert supports_masking in (None, layer.supports_masking)
        if expected_num_trainable_weights is not None:
            self.assertLen(layer.trainable_weights, expected_num_trainable_weights)
        if expected_num_non_trainable_weights is not None:
            self.assertLen(layer.non_trainable_weights, expected_num_non_trainable_weights)
        if expected_num_losses is not None:
            self.assertLen(layer.losses, expected_num_losses)
        if expected_output_shape is not None:
            assert _fits(output.shape, expected_output_shape)
        if expected_output_dtype is not None:
            self.assertDType(output, expected_output_dtype)
        if expected_output is not None:
            self.assertAllClose(expected_output, output)
        if run_training_check:
            flatten, end = reglib.layers.Flatten(), reglib.layers.Dense(1)
            if several:
                starts = [reglib.layers.Input(x.shape[1:]) for x in input_data]
                model = reglib.models.Model(starts, end(flatten(make()(starts))))
            else:
                model = reglib.models.Sequential([make(), flatten, end])
            model.compile(optimizer="sgd", loss="mse")
            targets = np.zeros((len(input_data[0] if several else input_data), 1))
            model.fit(input_data, targets, epochs=1, verbose=0)


def _accepted(error):
    return (ValueError, TypeError) if error is ValueError else error


def _flat(structure):
    if isinstance(structure, dict):
        structure = list(structure.values())
    if isinstance(structure, (list, tuple)):
        return [leaf for part in structure for leaf in _flat(part)]
    return [structure]


def _array(x):
    return x.numpy() if hasattr(x, "numpy") else np.asarray(x)


def _plain(config):
    return json.loads(json.dumps(config))


def _fits(shape, expected):
    return len(shape) == len(expected) and all(
        wanted is None or length is None or wanted == length
        for length, wanted in zip(shape, expected, strict=True)
    )


# The modules by name.


_OPTIMIZERS = ("sgd", "rmsprop", "adam", "adamw", "lion")


_ABSENT = ("applications", "distribution", "dtype_policies", "export", "quantizers")


def _absent_module(name):
    return _module(f"keras.src.{name}", _Absent(name))


def _names(module):
    return {name: value for name, value in vars(module).items() if not name.startswith("_")}


def _package(name, source, *submodules, **names):
    """Make ``keras.src.NAME`` out of a module of reglib, and modules within it of the same."""
    full = f"keras.src.{name}"
    within = {sub: _module(f"{full}.{sub}", source, **names) for sub in submodules}
    return _module(full, source, **within, **names)


def _modules():
    nowhere = {
        f"{backend}_uses_{device}": lambda: False
        for backend in ("jax", "tensorflow", "torch")
        for device in ("gpu", "tpu")
    }
    testing = _module("keras.src.testing", TestCase=TestCase, **nowhere)
    testing.test_case = _module("keras.src.testing.test_case", TestCase=TestCase)
    testing.test_utils = _module("keras.src.testing.test_utils", **_names(shim_training))
    utils = _package("utils", reglib.utils, "numerical_utils", "rng_utils", "sequence_utils")
    # What Keras says is not compared: where it goes is Keras's own matter.
    utils.io_utils = _module(
        "keras.src.utils.io_utils",
        disable_interactive_logging=lambda: None,
        set_logging_verbosity=lambda level: None,
    )
    utils.backend_utils = _module(
        "keras.src.utils.backend_utils",
        convert_tf_tensor=lambda x, dtype=None: np.asarray(x, dtype),
    )
    source = _module(
        "keras.src",
        backend=_backend,
        ops=_ops,
        random=_random,
        layers=_layers,
        models=_package(
            "models",
            reglib.models,
            *("cloning", "functional", "model", "sequential"),
            Functional=reglib.models.Model,
        ),
        regularizers=_package(
            "regularizers",
            reglib.regularizers,
            "regularizers",
            validate_float_arg=shim_training.validate_float_arg,
        ),
        constraints=_package("constraints", reglib.constraints),
        initializers=_package(
            "initializers",
            reglib.initializers,
            "random_initializers",
            "constant_initializers",
            "initializer",
        ),
        activations=_package("activations", reglib.activations),
        callbacks=_package(
            "callbacks",
            reglib.callbacks,
            "callback",
            BackupAndRestore=_Absent("BackupAndRestore"),
            MonitorCallback=shim_training.MonitorCallback,
        ),
        metrics=_package(
            "metrics",
            reglib.metrics,
            *shim_numbers.METRICS,
            metrics_utils=_module("keras.src.metrics.metrics_utils", **shim_numbers.AUC_NAMES),
        ),
        losses=_package("losses", reglib.losses, "losses"),
        optimizers=_package(
            "optimizers",
            reglib.optimizers,
            *_OPTIMIZERS,
            schedules=_module("keras.src.optimizers.schedules", **shim_training.SCHEDULES),
            # Cases of kinds of data train with it, for which any optimizer will do.
            Adagrad=reglib.optimizers.SGD,
        ),
        saving=_package(
            "saving",
            reglib.saving,
            *("object_registration", "saving_api", "saving_lib", "serialization_lib"),
        ),
        testing=testing,
        utils=utils,
        tree=_module("keras.src.tree", flatten=_flat),
        Input=reglib.layers.Input,
        Sequential=reglib.models.Sequential,
        **{name: _absent_module(name) for name in _ABSENT},
    )
    source.losses.loss = _module("keras.src.losses.loss", **shim_numbers.LOSS)
    source.dtype_policies.dtype_policy = _module(
        "keras.src.dtype_policies.dtype_policy",
        _Absent("dtype_policy"),
        **shim_numbers.DTYPE_POLICY,
    )
    source.quantizers.__dict__.update(
        (name, _absent_module(f"quantizers.{name}"))
        for name in ("awq_config", "gptq_config", "quantization_config", "quantizers")
    )
    attention = _module("keras.src.layers.attention.multi_head_attention", _Absent("layers"))
    within = ("elu", "leaky_relu", "prelu", "relu", "softmax")
    source.layers.activations = _package("layers.activations", _layers, *within)
    source.layers.core = _module(
        "keras.src.layers.core", input_layer=_module("keras.src.layers.core.input_layer", _layers)
    )
    source.layers.input_spec = _absent_module("layers.input_spec")
    source.layers.attention = _module("keras.src.layers.attention", multi_head_attention=attention)
    keras = _module(
        "keras",
        source,
        src=source,
        Sequential=reglib.models.Sequential,
        KerasTensor=type("KerasTensor", (), {}),
        Model=reglib.models.Model,
    )
    keras.backend = _module("keras.backend", _backend)
    trainer = _module("keras.src.backend.numpy.trainer", NumpyTrainer=shim_training.Trainer)
    scope = "keras.src.backend.common.symbolic_scope"
    _backend.common.symbolic_scope = _module(scope, in_symbolic_scope=lambda: False)
    distribution = _absent_module("distribution.distribution_lib")
    adapters = "keras.src.trainers.data_adapters"
    source.trainers = _module(
        "keras.src.trainers",
        data_adapters=_module(
            adapters,
            py_dataset_adapter=_module(
                f"{adapters}.py_dataset_adapter", PyDataset=reglib.utils.PyDataset
            ),
            data_adapter_utils=_module(
                f"{adapters}.data_adapter_utils",
                class_weight_to_sample_weights=reglib.models.data.class_weights,
            ),
        ),
    )
    shim_training.dress()
    shim_numbers.dress()
    # TensorFlow's graphs and Grain's data sets are out of reach: whoever asks for one fails.
    eager = _module("tensorflow.python.eager", context=_Absent("tensorflow"))
    python = _module("tensorflow.python", eager=eager)
    tensorflow = _module("tensorflow", data=_module("tensorflow.data"), python=python)
    conftest = _module("conftest", skip_if_backend=lambda *_: lambda case: case)
    found = {
        "conftest": conftest,
        "grain": _module("grain"),
        "keras.src.backend.numpy": _module("keras.src.backend.numpy", trainer=trainer),
        "keras.src.backend.numpy.trainer": trainer,
        "keras.src.distribution.distribution_lib": distribution,
        "keras": keras,
        "keras.backend": keras.backend,
        "tensorflow": tensorflow,
        "tensorflow.data": tensorflow.data,
        "tensorflow.python": python,
        "tensorflow.python.eager": eager,
    }
    stack = [("keras.src", source)]
    while stack:
        name, module = stack.pop()
        found[name] = module
        stack += [
            (f"{name}.{key}", value)
            for key, value in vars(module).items()
            if isinstance(value, types.ModuleType)
            and f"{name}.{key}" not in found
            and value.__name__.split(".")[0] in ("keras", "reglib")
        ]
    return found


def pytest_configure(config):
    sys.modules.update(_modules())


def pytest_sessionfinish(session):
    """Fail the run if a module of the real Keras was loaded after all."""
    real = [
        name
        for name, module in sys.modules.items()
        if "/site-packages/keras/" in pathlib.Path(getattr(module, "__file__", "") or "").as_posix()
    ]
    if real:
        print("the real Keras was loaded:", *real)
        session.exitstatus = 70
