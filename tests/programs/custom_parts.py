"""A layer, a regularizer, a constraint, a metric and a callback of one's own."""

import keras
import numpy as np
from keras import ops


@keras.saving.register_keras_serializable()
class Linear(keras.layers.Layer):
    """Inputs times weights, plus a bias."""

    def __init__(self, units=4, kernel_regularizer=None, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)

    def build(self, input_shape):
        self.w = self.add_weight(
            shape=(input_shape[-1], self.units),
            initializer="glorot_uniform",
            regularizer=self.kernel_regularizer,
            trainable=True,
            name="w",
        )
        self.b = self.add_weight(shape=(self.units,), initializer="zeros", name="b")

    def call(self, inputs):
        self.inputs = inputs
        return ops.matmul(inputs, self.w) + self.b

    def backward(self, gradient):  # reglib asks for it; Keras differentiates call
        self.w.gradient[...] = self.inputs.T @ gradient
        self.b.gradient[...] = gradient.sum(axis=0)
        return gradient @ np.transpose(self.w)

    def compute_output_shape(self, input_shape):
        return (*input_shape[:-1], self.units)

    def get_config(self):
        config = super().get_config()
        config.update(
            units=self.units,
            kernel_regularizer=keras.regularizers.serialize(self.kernel_regularizer),
        )
        return config


@keras.saving.register_keras_serializable()
class Huberish(keras.regularizers.Regularizer):
    """The penalty sqrt(1 + w**2) - 1 of each weight."""

    def __init__(self, strength):
        self.strength = strength

    def __call__(self, x):
        return self.strength * ops.sum(ops.sqrt(1 + ops.square(x)) - 1)

    def gradient(self, x):
        return self.strength * x / np.sqrt(1 + x**2)

    def get_config(self):
        return {"strength": self.strength}


@keras.saving.register_keras_serializable()
class Halved(keras.constraints.Constraint):
    """Keeps weights within [-0.5, 0.5]."""

    def __call__(self, w):
        return ops.clip(w, -0.5, 0.5)


def worst(y_true, y_pred):
    return ops.max(ops.abs(y_true - y_pred), axis=-1)


class Watch(keras.callbacks.Callback):
    """Lowers the rate, keeps norms and stops."""

    def on_train_begin(self, logs=None):
        self.norms, self.batches = [], 0

    def on_train_batch_end(self, batch, logs=None):
        self.batches += 1

    def on_epoch_end(self, epoch, logs=None):
        self.norms.append(float(np.linalg.norm(self.model.layers[0].get_weights()[0])))
        self.model.optimizer.learning_rate = 0.1 / (epoch + 2)
        if epoch == 6:
            self.model.stop_training = True


rng = np.random.default_rng(5)
x = rng.normal(size=(64, 3)).astype("float32")
y = (x @ np.array([[1.0, 0.5], [-2, 0], [0.3, 1]])).astype("float32")

model = keras.Sequential(
    [Linear(5, Huberish(0.01)), keras.layers.Dense(2, kernel_constraint=Halved())]
)
model.build((None, 3))
model.set_weights([rng.normal(0, 0.5, w.shape) for w in model.get_weights()])
model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse", metrics=[worst, "mae"])
watch = Watch()
history = model.fit(x, y, batch_size=16, epochs=10, callbacks=[watch], shuffle=False, verbose=0)
twin = keras.Sequential.from_config(model.get_config())
twin.set_weights(model.get_weights())

result = {
    "losses": history.history["loss"],
    "worst": history.history["worst"],
    "norms": watch.norms,
    "batches": watch.batches,
    "largest": float(np.abs(model.layers[1].get_weights()[0]).max()),
    "prediction": model.predict(x[:5], verbose=0),
    "twin": np.asarray(twin(x[:5])),
    "names": [w.name for w in model.layers[0].weights],
    "strength": twin.layers[0].kernel_regularizer.strength,
}
