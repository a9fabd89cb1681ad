"""Residual blocks that are left out at random (Huang et al., 2016), by a layer of one's own."""

import keras
import numpy as np
from keras import layers, ops


@keras.saving.register_keras_serializable(package="course")
class StochasticDepth(layers.Layer):
    """Leaves a branch out for each example with a probability."""

    def __init__(self, rate=0.5, **kwargs):
        super().__init__(**kwargs)
        self.rate = rate
        self.seed_generator = keras.random.SeedGenerator(7)

    def call(self, inputs, training=None):
        if not training:
            self.kept = 1.0
            return inputs
        shape = (ops.shape(inputs)[0],) + (1,) * (len(inputs.shape) - 1)
        draw = keras.random.uniform(shape, 0, 1, seed=self.seed_generator)
        self.kept = ops.floor(1 - self.rate + draw) / (1 - self.rate)
        return inputs * self.kept

    def backward(self, gradient):  # reglib asks for it; Keras differentiates call
        return gradient * self.kept

    def get_config(self):
        return {**super().get_config(), "rate": self.rate}


keras.utils.set_random_seed(4)
rng = np.random.default_rng(4)
x = rng.normal(size=(256, 6)).astype("float32")
y = (np.sin(2 * x[:, 0]) + x[:, 1] * x[:, 2] > 0).astype("int32")

inputs = keras.Input((6,))
h = layers.Dense(24, activation="relu", kernel_initializer="he_normal")(inputs)
for number in range(3):
    branch = layers.Dense(24, activation="relu", kernel_initializer="he_normal")(h)
    branch = layers.Dense(24)(branch)
    branch = StochasticDepth(0.2 * number, name=f"depth_{number}")(branch)
    h = layers.Add()([h, branch])
outputs = layers.Dense(2, activation="softmax")(h)
model = keras.Model(inputs, outputs)
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(x, y, epochs=30, batch_size=32, verbose=0)

depth = model.get_layer("depth_2")
ones = np.ones((4000, 3), "float32")
dropped = np.asarray(depth(ones, training=True))
again = StochasticDepth.from_config(depth.get_config())

result = {
    "accuracy": model.evaluate(x, y, verbose=0)[1],
    "values": np.unique(dropped.round(4)),
    "by example": bool((dropped == dropped[:, :1]).all()),
    "mean": float(dropped.mean()),
    "evaluation": np.asarray(depth(ones[:3], training=False)),
    "config": [again.rate, again.name],
    "parameters": model.count_params(),
}
