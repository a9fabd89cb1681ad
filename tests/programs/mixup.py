"""Mixup in the pipeline: each batch is a blend of two (Zhang et al., 2018)."""

import math

import keras
import numpy as np
from keras import layers


class Mixup(keras.utils.PyDataset):
    """Blends of examples, the same ones in each epoch."""

    def __init__(self, x, y, batch_size, alpha=0.3, **kwargs):
        super().__init__(**kwargs)
        self.x, self.y, self.batch_size, self.alpha = x, y, batch_size, alpha

    def __len__(self):
        return math.ceil(len(self.x) / self.batch_size)

    def __getitem__(self, index):
        part = slice(index * self.batch_size, (index + 1) * self.batch_size)
        x, y = self.x[part], self.y[part]
        rng = np.random.default_rng(index)
        share = rng.beta(self.alpha, self.alpha, size=(len(x), 1)).astype("float32")
        order = rng.permutation(len(x))
        return share * x + (1 - share) * x[order], share * y + (1 - share) * y[order]


def generator(x, y, size):
    while True:
        for start in range(0, len(x), size):
            yield x[start : start + size], y[start : start + size]


rng = np.random.default_rng(8)
x = rng.normal(size=(150, 5)).astype("float32")
labels = (x[:, 0] > 0).astype(int) + (x[:, 1] > 0.5)
y = keras.utils.to_categorical(labels, num_classes=3).astype("float32")

model = keras.Sequential(
    [layers.Input((5,)), layers.Dense(16, activation="relu"), layers.Dense(3, activation="softmax")]
)
model.set_weights([rng.normal(0, 0.4, w.shape) for w in model.get_weights()])
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
pipeline = Mixup(x, y, 32, workers=1)
history = model.fit(
    pipeline,
    epochs=4,
    shuffle=False,
    validation_data=(x, y),
    verbose=0,
)
more = model.fit(generator(x, y, 30), steps_per_epoch=5, epochs=2, verbose=0)

result = {
    "val_accuracies": history.history["val_accuracy"],
    "more losses": more.history["loss"],
    "evaluated": model.evaluate(Mixup(x, y, 32, alpha=1.0), verbose=0),
    "predicted": model.predict(generator(x, y, 50), steps=3, verbose=0).shape,
    "batches": history.params["steps"],
    "losses": history.history["loss"],
}
