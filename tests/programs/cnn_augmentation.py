"""Small images by a convolutional network that sees each of them moved and mirrored."""

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(1)
rng = np.random.default_rng(1)


def crosses_and_squares(number):
    labels = rng.integers(0, 2, number)
    images = rng.normal(0, 20, (number, 12, 12, 1))
    for image, label in zip(images, labels, strict=True):
        row, column = rng.integers(0, 6, 2)
        if label:
            image[row : row + 6, column : column + 6] += 200
            image[row + 1 : row + 5, column + 1 : column + 5] -= 200
        else:
            image[row + 2 : row + 4, column : column + 6] += 200
            image[row : row + 6, column + 2 : column + 4] += 200
    return images.astype("float32"), labels


x_train, y_train = crosses_and_squares(192)
x_test, y_test = crosses_and_squares(128)

augmentation = keras.Sequential(
    [
        layers.RandomFlip("horizontal_and_vertical"),
        layers.RandomTranslation(0.1, 0.1, fill_mode="nearest"),
    ],
    name="augmentation",
)
inputs = keras.Input(shape=(12, 12, 1))
h = augmentation(inputs)
h = layers.Rescaling(1.0 / 255)(h)
for filters in (8, 16):
    h = layers.Conv2D(filters, 3, padding="same", use_bias=False)(h)
    h = layers.BatchNormalization(momentum=0.8)(h)
    h = layers.Activation("relu")(h)
    h = layers.MaxPool2D(pool_size=2)(h)
h = layers.SpatialDropout2D(0.1)(h)
h = layers.GlobalAveragePooling2D()(h)
h = layers.Dropout(0.2)(h)
outputs = layers.Dense(1, activation="sigmoid")(h)
model = keras.Model(inputs=inputs, outputs=outputs, name="cnn")
model.compile(
    optimizer=keras.optimizers.Adam(learning_rate=0.02),
    loss="binary_crossentropy",
    metrics=["accuracy"],
)
history = model.fit(
    x_train,
    y_train,
    batch_size=32,
    epochs=8,
    validation_data=(x_test, y_test),
    verbose=0,
)

result = {
    "accuracy": model.evaluate(x_test, y_test, verbose=0, return_dict=True)["accuracy"],
    "kept as it is": np.array_equal(
        np.asarray(augmentation(x_test[:4], training=False)), x_test[:4]
    ),
    "moved": bool(
        np.abs(np.asarray(augmentation(x_test[:4], training=True)) - x_test[:4]).max() > 1
    ),
    "features": [*model.layers[-2].output.shape],
    "names": [layer.__class__.__name__ for layer in model.layers if layer.weights],
    "logs": sorted(history.history),
    "parameters": [model.count_params(), len(model.trainable_weights), len(model.weights)],
}
