# ---
# jupyter:
#   course:
#     part: 3
#     minutes: 120
#     data: "MNIST (bundled: 8×8 digits)"
#     prerequisites: [06_backpropagation]
#     ledger: [D2-3.3.6-a, D2-5.2-a, D2-5.2-b, D2-5.2-c, D2-5.2-d, D2-5.2-e, D2-5.3-a, D2-5.4-a, D2-5.4-b, D2-5.4-c,
#       D3-3.2-f, D3-5.2-a, D3-5.2-b, D3-5.2-c, D3-5.2-d, D3-5.2-e, D3-5.3-a, D3-5.3-b, D3-5.3-c, D3-5.4-a, D3-5.4-b,
#       D4-3.2-d, D4-5.2-a, D4-5.2-b, D4-5.2-c, D4-5.3-a, D4-5.3-b,
#       D4-5.4-a, D4-5.4-b, D4-5.4-c, D4-5.4-d, D4-5.4-e]
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # Project: handwritten digits
#
# Three widely copied programs read handwritten digits, and two of them print figures: 98.24 % and 98.39 %. Can you believe
# them? Two of the programs stop with an error before they learn anything. You repair all three, find out what they
# really reach, and then beat both figures with models whose every number you can defend.
#
# **You will be able to**
#
# - keep training, validation and test data apart, and say what each is for;
# - repair a shape error from the one line of its message that matters;
# - tell by arithmetic that a published confusion matrix or training log cannot be real;
# - train a multilayer perceptron and a convolutional network, and give their accuracy with an interval;
# - save and load a model safely, and measure where it breaks.

# %% tags=["setup"]
try:
    import course_utils
except ModuleNotFoundError:  # Colab, Kaggle: add the companion package, leave TensorFlow as it is
    get_ipython().run_line_magic("pip", "install -q git+https://github.com/your_org/large-models-course")

import matplotlib.pyplot as plt
import numpy as np

from course_utils import by_profile, check, claim, data, devices, plotting, profile

plotting.use_style()
rng = np.random.default_rng(0)

# %%
import contextlib
import json
import math
import platform
import re
import tempfile
import time
from pathlib import Path

tf = devices.setup(seed=0)
import keras

# %% [markdown]
# ## 13.1 Look at the data first
#
# MNIST: digits written by census workers and by high-school students, scanned, 28×28 gray values from 0 (paper)
# to 255 (ink).

# %%
mnist = data.mnist()
REAL = mnist.source == "real"
print(f"{mnist.source} data: {len(mnist.x_train):,} images to learn from, {len(mnist.x_test):,} "
      f"to be judged on, {mnist.x_train.dtype}, {mnist.x_train.shape[1:]}")

chosen = [np.flatnonzero(mnist.y_train == digit)[:18] for digit in range(10)]
sheet = np.block([[image for image in mnist.x_train[row]] for row in chosen])
fig, ax = plt.subplots(figsize=(7.4, 4.3))
ax.imshow(sheet)
ax.set(title="One digit, many hands", xticks=[], yticks=[])
plt.show()

# %% [markdown]
# Read down the columns: sevens with and without a bar, open and closed fours, ones that lean. A rule written by hand
# would drown in cases. Two more questions before any model: are the classes equally frequent, and where is the ink?

# %%
counts = np.bincount(mnist.y_train, minlength=10)
ink = mnist.x_train.mean(axis=0)  # (28, 28)
rows, columns = np.indices(ink.shape)
mass = mnist.x_train.sum(axis=(1, 2), dtype=float)
center = [(mnist.x_train * axis).sum(axis=(1, 2)) / mass for axis in (rows, columns)]

fig, (left, right) = plt.subplots(1, 2, figsize=(8, 3.1), width_ratios=[1.5, 1])
left.bar(range(10), counts / counts.sum(), color=plotting.SKY)
left.axhline(0.1, color=plotting.GRAY, linestyle=":")
left.set(title="Nearly, not exactly, balanced", xlabel="digit", ylabel="share of the images",
         xticks=range(10))
right.imshow(ink)
right.plot(center[1][:300], center[0][:300], ".", ms=3, color=plotting.RED)
right.set(title="All ink sits in the middle", xticks=[], yticks=[])
plt.show()
print(f"largest class {counts.max() / counts.sum():.2%}, smallest {counts.min() / counts.sum():.2%}")
print(f"ink in the outer 4 pixels: {1 - ink[4:-4, 4:-4].sum() / ink.sum():.1%}; center of mass: "
      f"row {center[0].mean():.1f} ± {center[0].std():.1f}, column {center[1].mean():.1f} ± {center[1].std():.1f}")
