"""Stochastic weight averaging by a callback (Izmailov et al., 2018)."""

import keras
import numpy as np
from keras import callbacks, layers


class WeightAveraging(callbacks.Callback):
    """The mean of the weights of the last epochs."""

    def __init__(self, start_epoch):
        super().__init__()
        self.start_epoch = start_epoch
        self.n_models = 0

    def on_epoch_end(self, epoch, logs=None):
        if epoch < self.start_epoch:
            return
        weights = self.model.get_weights()
        if self.n_models == 0:
            self.average = [w.copy() for w in weights]
        else:
            self.average = [
                (a * self.n_models + w) / (self.n_models + 1)
                for a, w in zip(self.average, weights, strict=True)
            ]
        self.n_models += 1

    def on_train_end(self, logs=None):
        self.model.set_weights(self.average)


rng = np.random.default_rng(11)
x = rng.normal(size=(160, 6)).astype("float32")
y = (np.abs(x[:, :2]).sum(axis=1) > 1.5).astype("int32")

model = keras.Sequential(
    [
        layers.Input(shape=(6,)),
        layers.Dense(20, activation="relu"),
        layers.Dense(10),
        layers.LeakyReLU(negative_slope=0.1),
        layers.Dense(2),
    ]
)
model.set_weights([rng.normal(0, 0.4, w.shape) for w in model.get_weights()])
rates = []
swa = WeightAveraging(start_epoch=5)
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.2, momentum=0.9),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=[keras.metrics.SparseCategoricalAccuracy(name="acc")],
)
history = model.fit(
    x,
    y,
    epochs=10,
    batch_size=32,
    validation_split=0.25,
    shuffle=False,
    callbacks=[
        callbacks.LearningRateScheduler(lambda epoch, lr: lr if epoch < 5 else 0.05),
        callbacks.LambdaCallback(
            on_epoch_begin=lambda epoch, logs: rates.append(float(model.optimizer.learning_rate))
        ),
        swa,
    ],
    verbose=0,
)

result = {
    "models": swa.n_models,
    "losses": history.history["loss"],
    "accuracies": history.history["val_acc"],
    "rates": rates,
    "averaged": model.get_weights()[0],
    "is the average": bool(np.allclose(model.get_weights()[0], swa.average[0])),
    "evaluated": model.evaluate(x, y, verbose=0),
}
