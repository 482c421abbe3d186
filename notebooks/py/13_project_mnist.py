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
