"""AdamW with a warm-up and a cosine, no decay of biases, and averaged weights."""

import keras
import numpy as np
from keras import layers, optimizers

rng = np.random.default_rng(6)
x = rng.normal(size=(120, 8)).astype("float32")
y = (x[:, 0] * x[:, 1] > 0).astype("float32").reshape(-1, 1)

inputs = layers.Input(shape=(8,), name="x")
h = layers.Dense(16, activation="gelu" if False else "tanh", name="one")(inputs)
h = layers.LayerNormalization(name="norm")(h)
model = keras.Model(inputs, layers.Dense(1, name="logit")(h))
model.set_weights([rng.normal(0, 0.3, w.shape) + (w == 1) for w in model.get_weights()])

schedule = optimizers.schedules.CosineDecay(
    initial_learning_rate=0.0, decay_steps=40, alpha=0.1, warmup_target=0.02, warmup_steps=8
)
optimizer = optimizers.AdamW(
    learning_rate=schedule, weight_decay=0.05, use_ema=True, ema_momentum=0.9, global_clipnorm=1.0
)
optimizer.exclude_from_weight_decay(var_names=["bias", "gamma|beta"])
model.compile(
    optimizer=optimizer,
    loss=keras.losses.BinaryCrossentropy(from_logits=True),
    metrics=[keras.metrics.BinaryAccuracy(threshold=0.0)],
    weighted_metrics=["mse"],
)
history = model.fit(
    x,
    y,
    batch_size=20,
    epochs=8,
    sample_weight=np.linspace(0.5, 1.5, 120),
    validation_data=(x[:40], y[:40]),
    callbacks=[keras.callbacks.SwapEMAWeights()],
    shuffle=False,
    verbose=0,
)

result = {
    "losses": history.history["loss"],
    "val_losses": history.history["val_loss"],
    "accuracies": history.history["binary_accuracy"],
    "weighted": history.history["mse"],
    "averaged": model.get_weights()[0],
    "steps": int(optimizer.iterations),
    "rates": [float(schedule(step)) for step in (0, 4, 8, 20, 48, 60)],
    "keys": sorted(history.history),
}
