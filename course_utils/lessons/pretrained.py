"""Pretrained: taught in notebooks/17_project_pretrained_gpt2.ipynb.

Made from the cells tagged `keep` there by `make notebooks`: edit the notebook's source instead.
"""

from __future__ import annotations

import json
import numpy as np


import keras
from keras import layers, ops

from course_utils.lessons.gpt import normal


TYPES = {"F32": np.float32, "F16": np.float16}


def read_tensors(content: bytes) -> dict[str, np.ndarray]:
    """The tensors of a safetensors file: name -> array of its type and shape."""
    start = 8 + int.from_bytes(content[:8], "little")
    tensors = {}
    for name, entry in json.loads(content[8:start]).items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            part = content[start + begin : start + end]
            flat = np.frombuffer(part, TYPES[entry["dtype"]])
            tensors[name] = flat.reshape(entry["shape"])
    return tensors


def slots(model: keras.Model) -> dict[str, keras.Variable]:
    """Where each tensor of GPT-2's file belongs: name -> variable of our GPT."""
    parts = {"ln_f": model.norm}
    for i, block in enumerate(model.blocks):
        parts |= {f"h.{i}.ln_1": block.norm1, f"h.{i}.ln_2": block.norm2,
                  f"h.{i}.attn.c_attn": block.attention.into,
                  f"h.{i}.attn.c_proj": block.attention.out,
                  f"h.{i}.mlp.c_fc": block.up, f"h.{i}.mlp.c_proj": block.down}
    found = {"wte.weight": model.tokens.embeddings,
             "wpe.weight": model.places.embeddings}
    for name, layer in parts.items():
        found[f"{name}.weight"], found[f"{name}.bias"] = layer.weights
    return found


class LoRA(layers.Layer):
    """A dense layer, and a thin product beside it: (…, d_in) -> (…, d_out)"""

    def __init__(self, dense: layers.Dense, rank: int, scale: float = 2.0) -> None:
        super().__init__()
        self.dense, self.rank, self.scale = dense, rank, scale

    def build(self, shape):
        self.A, self.B = thin_pair(self, shape[-1], self.dense.units, self.rank)

    def call(self, x):
        return with_product(x, self.dense, self.A, self.B, self.scale)  # you write both


def thin_pair(layer: layers.Layer, d_in: int, d_out: int, rank: int) -> tuple:
    """Two new weights of the layer: A (d_in, rank), random, B (rank, d_out), 0."""
    A = layer.add_weight(shape=(d_in, rank), initializer=normal(d_in**-0.5))
    B = layer.add_weight(shape=(rank, d_out), initializer="zeros")
    return A, B


def with_product(x, dense: layers.Dense, A, B, scale: float):
    """The dense layer's answer, plus scale · x A B. x: (…, d_in) -> (…, d_out)"""
    thin = ops.matmul(x, A)  # (…, rank)
    return dense(x) + scale * ops.matmul(thin, B)


def merge_lora(layer: LoRA, volume: float = 1.0) -> np.ndarray:
    """The matrix of a plain dense layer that answers as this LoRA layer."""
    W, A, B = (ops.convert_to_numpy(w)
               for w in (layer.dense.kernel, layer.A, layer.B))
    return W + volume * layer.scale * A @ B  # (d_in, d_out)
