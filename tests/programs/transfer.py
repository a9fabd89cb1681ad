"""A base that is trained on one task, frozen under a new head, and then tuned."""

import keras
import numpy as np
from keras import layers

rng = np.random.default_rng(9)
x = rng.normal(size=(128, 10)).astype("float32")
first = (x[:, :3].sum(axis=1) > 0).astype("int32")
second = x[:, :1] + x[:, 1:2] - x[:, 2:3]

base = keras.Sequential(
    [
        keras.Input((10,)),
        layers.Dense(16, activation="relu", name="hidden"),
        layers.BatchNormalization(name="norm"),
        layers.Dense(8, activation="relu", name="features"),
    ],
    name="base",
)
source = keras.Sequential([base, layers.Dense(2, activation="softmax", name="top")])
source.build((None, 10))
source.set_weights(
    [
        rng.normal(0, 0.4, w.shape) ** (2 if i in (2, 5) else 1)
        for i, w in enumerate(source.get_weights())
    ]
)
source.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
source.fit(x, first, epochs=5, batch_size=32, shuffle=False, verbose=0)

base.trainable = False
before = [w.copy() for w in base.get_weights()]
inputs = keras.Input((10,))
h = base(inputs, training=False)
outputs = layers.Dense(1, name="head")(h)
model = keras.Model(inputs, outputs)
model.get_layer("head").set_weights([rng.normal(0, 0.3, (8, 1)), np.zeros(1)])
model.compile(optimizer=keras.optimizers.Adam(0.01), loss="mse")
frozen = [len(model.trainable_weights), len(model.non_trainable_weights)]
head = model.fit(x, second, epochs=4, batch_size=32, shuffle=False, verbose=0)
unchanged = all(np.array_equal(a, b) for a, b in zip(before, base.get_weights(), strict=True))

base.trainable = True
for layer in base.layers[:-1]:
    layer.trainable = False
model.compile(optimizer=keras.optimizers.Adam(1e-3), loss="mse")
tuned = model.fit(x, second, epochs=3, batch_size=32, shuffle=False, verbose=0)
features = keras.Model(base.inputs, base.get_layer("hidden").output)

result = {
    "frozen": frozen,
    "unchanged": unchanged,
    "head": head.history["loss"],
    "tuned": tuned.history["loss"],
    "trainable": [
        len(model.trainable_weights),
        base.layers[0].trainable,
        base.layers[-1].trainable,
    ],
    "features": features.predict(x[:3], verbose=0),
    "statistics": base.get_layer("norm").moving_mean.numpy(),
}
