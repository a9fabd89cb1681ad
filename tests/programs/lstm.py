"""Sequences of several lengths by an LSTM: which of two words came more often?"""

import keras
import numpy as np
from keras import initializers, layers

rng = np.random.default_rng(2)
sentences = [rng.integers(1, 8, length).tolist() for length in rng.integers(4, 12, 160)]
labels = np.array([sentence.count(3) > sentence.count(5) for sentence in sentences]).astype("int32")
x = keras.utils.pad_sequences(sentences, maxlen=10, padding="post")

model = keras.models.Sequential()
model.add(keras.Input(shape=(10,), dtype="int32"))
model.add(
    layers.Embedding(
        8, 6, mask_zero=True, embeddings_initializer=initializers.RandomUniform(seed=1)
    )
)
model.add(
    layers.LSTM(
        8,
        kernel_initializer=initializers.glorot_uniform(seed=2),
        recurrent_initializer="orthogonal",
        kernel_regularizer=keras.regularizers.l2(1e-4),
    )
)
model.add(layers.Dense(1, activation="sigmoid"))
start = np.random.default_rng(3)
model.set_weights([start.normal(0, 0.4, w.shape) for w in model.get_weights()])
model.compile(
    loss=keras.losses.BinaryCrossentropy(),
    optimizer=keras.optimizers.RMSprop(0.01, clipnorm=1.0),
    metrics=[keras.metrics.BinaryAccuracy(), keras.metrics.AUC(name="auc")],
)
history = model.fit(x, labels, batch_size=40, epochs=6, shuffle=False, verbose=0)
longer = np.pad(x, ((0, 0), (0, 2)))[:, :10]

result = {
    "losses": history.history["loss"],
    "accuracies": history.history["binary_accuracy"],
    "auc": history.history["auc"],
    "predictions": model.predict(longer, verbose=0),
    "bias of the forget gate": model.layers[1].get_weights()[2][8:16],
    "shapes": [w.shape for w in model.trainable_variables],
}
