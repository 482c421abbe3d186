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


def distort(images: tf.Tensor, labels: tf.Tensor | None) -> tuple[tf.Tensor, tf.Tensor]:
    """Turn, scale and move every image a little, by one affine map each.

    images: (B, 28, 28), any number type -> (B, 28, 28) float32. Labels pass through.
    """
    n, middle = tf.shape(images)[0], 13.5
    angle = tf.random.uniform([n], -10, 10) * math.pi / 180
    scale = tf.random.uniform([n], 0.9, 1.1)
    move_x, move_y = tf.unstack(tf.random.uniform([2, n], -2.0, 2.0))
    cos, sin, zero = scale * tf.cos(angle), scale * tf.sin(angle), tf.zeros([n])
    # the new pixel (x, y) takes the gray found at A (x, y) + t in the old image, with
    # A = [[cos, -sin], [sin, cos]], scale included (above 1: the digit gets smaller);
    # t keeps the middle in place and adds the move.
    # a map is 8 numbers: a row of A and its t, the other row and its t, 0, 0
    t_x = middle - cos * middle + sin * middle + move_x
    t_y = middle - sin * middle - cos * middle + move_y
    maps = tf.stack([cos, -sin, t_x, sin, cos, t_y, zero, zero], axis=1)
    moved = tf.raw_ops.ImageProjectiveTransformV3(
        images=tf.cast(images, tf.float32)[..., None], transforms=maps, fill_value=0.0,
        output_shape=[28, 28], interpolation="BILINEAR", fill_mode="CONSTANT")
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
                     callbacks=[plotting.training_plot(title=title)])


def build_convnet(width: int = 16, dropout: float = 0.1) -> keras.Model:
    """Images (B, 28, 28), 0 to 255 -> three convolutions -> probabilities (B, 10).

    width: channels of the first convolution; the second has twice, the third four times
    as many. dropout: share of the last features that training sets to 0.
    """
    stack = [layers.Input((28, 28)), layers.Rescaling(1 / 255),
             layers.Reshape((28, 28, 1))]
    for channels in (width, 2 * width):
        stack += [layers.Conv2D(channels, 3, activation="relu"),
                  layers.MaxPooling2D()]  # halves height and width, rounding down
    stack += [layers.Conv2D(4 * width, 3, activation="relu"),
              layers.Flatten(), layers.Dropout(dropout)]
    return keras.Sequential([*stack, layers.Dense(10, activation="softmax")])
