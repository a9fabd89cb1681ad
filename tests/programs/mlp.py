"""Digits by a multilayer perceptron: penalties, weights of classes, early stopping."""

import keras
import numpy as np
from keras import layers, regularizers
from sklearn.datasets import load_digits

keras.utils.set_random_seed(0)
digits = load_digits()
x = (digits.data / 16).astype("float32")
y = keras.utils.to_categorical(digits.target, 10)

model = keras.Sequential(
    [
        keras.Input(shape=(64,)),
        layers.Dense(32, activation="relu", kernel_regularizer=regularizers.l2(1e-3)),
        layers.Dense(16, kernel_regularizer="l1l2", kernel_constraint=keras.constraints.MaxNorm(3)),
        layers.Activation("relu"),
        layers.Dense(10, activation="softmax", activity_regularizer=regularizers.L2(1e-4)),
    ],
    name="digits",
)
model.summary(print_fn=lambda line: None)
rng = np.random.default_rng(0)
model.set_weights([rng.normal(size=w.shape, scale=0.15) for w in model.get_weights()])
model.compile(
    optimizer=keras.optimizers.SGD(learning_rate=0.1, momentum=0.9, nesterov=True),
    loss=keras.losses.CategoricalCrossentropy(label_smoothing=0.1),
    metrics=["accuracy", keras.metrics.TopKCategoricalAccuracy(k=3, name="top3")],
    jit_compile=False,
)
stop = keras.callbacks.EarlyStopping(
    monitor="val_accuracy", mode="max", patience=3, restore_best_weights=True
)
history = model.fit(
    x,
    y,
    batch_size=64,
    epochs=12,
    validation_split=0.2,
    class_weight={i: 1.0 + 0.1 * i for i in range(10)},
    callbacks=[stop, keras.callbacks.ReduceLROnPlateau(patience=2)],
    shuffle=False,
    verbose=0,
)
loss, accuracy, top3 = model.evaluate(x, y, verbose=0)
probabilities = model.predict(x[:20], verbose=0)
config = model.get_config()

result = {
    "losses": history.history["loss"],
    "val_losses": history.history["val_loss"],
    "val_accuracies": history.history["val_accuracy"],
    "rates": history.history["learning_rate"],
    "best epoch": stop.best_epoch,
    "evaluated": [loss, accuracy, top3],
    "classes": np.argmax(probabilities, axis=-1),
    "weights": model.layers[0].kernel.numpy(),
    "parameters": model.count_params(),
    "names": [config["name"], model.layers[-1].activation.__name__],
    "shapes": [model.input_shape, model.output_shape, model.layers[0].output.shape],
}
