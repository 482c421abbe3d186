"""Convnet: taught in notebooks/13_project_mnist.ipynb.

Made from the cells tagged `keep` there by `make notebooks`: edit the notebook's source instead.
"""

from __future__ import annotations

from collections.abc import Callable
import math
import numpy as np

from course_utils import plotting


import keras
import tensorflow as tf
from keras import layers


def predict(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Probabilities (n, 10) for images (n, 28, 28)."""
    parts = [keras.ops.convert_to_numpy(model(images[i : i + 500]))
             for i in range(0, len(images), 500)]
    return np.concatenate(parts)


def accuracy(model: keras.Model, images: np.ndarray, y: np.ndarray) -> float:
    """Share of the images (n, 28, 28) whose most probable class is the label y (n,)."""
    return float(np.mean(predict(model, images).argmax(axis=1) == y))


def distort(images: tf.Tensor, labels: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor]:
    """Each image turned by up to 10°, scaled by up to a tenth, moved by up to 2 pixels.

    images: (B, 28, 28), any number type -> (B, 28, 28) float32. Labels pass through.
    """
    n, middle = tf.shape(images)[0], 13.5
    angle = tf.random.uniform([n], -10, 10) * math.pi / 180
    scale = tf.random.uniform([n], 0.9, 1.1)  # above 1 the digit gets smaller
    move_x, move_y = tf.unstack(tf.random.uniform([2, n], -2.0, 2.0))
    cos, sin, zero = scale * tf.cos(angle), scale * tf.sin(angle), tf.zeros([n])
    # the new pixel (x, y) takes the gray found at A (x, y) + t in the old image, with
    # A = [[cos, -sin], [sin, cos]]; t keeps the middle in place and adds the move
    t_x = middle * (1 - cos + sin) + move_x
    t_y = middle * (1 - sin - cos) + move_y
    maps = tf.stack([cos, -sin, t_x, sin, cos, t_y, zero, zero], axis=1)  # (B, 8)
    moved = keras.ops.image.affine_transform(
        tf.cast(images, tf.float32)[..., None], maps, data_format="channels_last")
    return moved[..., 0], labels


def train(build: Callable[[], keras.Model], x: np.ndarray, y: np.ndarray,
          validation: tuple[np.ndarray, np.ndarray], *, epochs: int, peak: float,
          seed: int = 0, change: Callable = distort, batch: int = 128,
          jit_compile: bool = False, title: str = "Training"
          ) -> keras.callbacks.History:
    """Train build() with AdamW on changed images; the answer's .model is the model.

    x: (n, height, width) or with channels, y: (n,) int class indices; validation: the
    same two. build: -> a model that takes such images and gives probabilities.
    change: a batch of images and labels -> the same shapes, anew for every epoch.
    The learning rate rises to `peak` during the first epoch, then falls as a cosine.
    """
    keras.utils.set_random_seed(seed)
    images, labels = tf.constant(x), tf.constant(y)
    rows = tf.data.Dataset.range(len(x)).shuffle(len(x)).batch(batch)
    batches = rows.map(lambda i: change(tf.gather(images, i), tf.gather(labels, i)))
    steps = math.ceil(len(x) / batch)
    rate = keras.optimizers.schedules.CosineDecay(
        peak / 20, max(1, steps * (epochs - 1)), warmup_target=peak, warmup_steps=steps)
    model = build()
    model.compile(optimizer=keras.optimizers.AdamW(rate, weight_decay=0.01),
                  loss="sparse_categorical_crossentropy", metrics=["accuracy"],
                  steps_per_execution=10, jit_compile=jit_compile)
    return model.fit(batches.prefetch(2), epochs=epochs, verbose=0, shuffle=False,
                     validation_data=validation,  # the rows are shuffled above
                     callbacks=[plotting.training_plot(title=title, keep=False)])


def build_convnet(width: int = 16, dropout: float = 0.1) -> keras.Model:
    """Images (B, 28, 28), gray 0 to 255 -> three convolutions -> (B, 10).

    width: channels of the first convolution. dropout: share of features set to 0.
    """
    return keras.Sequential([
        layers.Input((28, 28)),
        layers.Rescaling(1 / 255),
        layers.Reshape((28, 28, 1)),
        layers.Conv2D(width, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(2 * width, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Conv2D(4 * width, 3, activation="relu"),
        layers.Flatten(),
        layers.Dropout(dropout),
        layers.Dense(10, activation="softmax"),
    ])
