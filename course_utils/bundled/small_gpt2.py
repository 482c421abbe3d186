"""Makes the folder small_gpt2: a small GPT-2 in the four files in which Hugging Face keeps OpenAI's.

    python -m course_utils.bundled.small_gpt2

Trained for a quarter of an hour as in notebook 16, on the first nine tenths of Tiny Shakespeare, except the
blocks that 16 holds back. The result is committed, as float16. What writes a file here, and what reads one
and computes `logits`, uses NumPy alone and nothing of the notebooks: a witness for them.
"""

import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

MERGES, CONTEXT, DEPTH, WIDTH, HEADS, STEPS = 511, 128, 4, 96, 4, 3_000
TYPES = {"F32": np.float32, "F16": np.float16}


def written(tensors: Mapping[str, np.ndarray]) -> bytes:
    """Tensors as a safetensors file: length of the header, header, the numbers one after the other."""
    header, start = {}, 0
    for name, array in tensors.items():
        kind = next(kind for kind, dtype in TYPES.items() if array.dtype == dtype)
        header[name] = {"dtype": kind, "shape": array.shape, "data_offsets": [start, start + array.nbytes]}
        start += array.nbytes
    about = json.dumps({"__metadata__": {"format": "pt"}, **header}, separators=(",", ":")).encode()
    about += b" " * (-len(about) % 8)
    return struct.pack("<Q", len(about)) + about + b"".join(a.tobytes() for a in tensors.values())


def tensors_in(content: bytes) -> dict[str, np.ndarray]:
    """What a safetensors file holds: name -> array of its own type."""
    (size,) = struct.unpack_from("<Q", content)
    tensors = {}
    for name, entry in json.loads(content[8 : 8 + size]).items():
        if name != "__metadata__":
            start, end = (8 + size + at for at in entry["data_offsets"])
            flat = np.frombuffer(content[start:end], TYPES[entry["dtype"]])
            tensors[name] = flat.reshape(entry["shape"])
    return tensors


def logits(content: bytes, config: Mapping[str, Any], ids: np.ndarray) -> np.ndarray:
    """GPT-2 in NumPy. content: its safetensors file, ids: (T,) -> (T, vocabulary) in float64."""
    tensors, T, h = tensors_in(content), len(ids), config["n_head"]

    def t(name: str) -> np.ndarray:
        return tensors[name].astype(float)

    def norm(x: np.ndarray, name: str) -> np.ndarray:
        x = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + config["layer_norm_epsilon"])
        return x * t(f"{name}.weight") + t(f"{name}.bias")

    def linear(x: np.ndarray, name: str) -> np.ndarray:
        return x @ t(f"{name}.weight") + t(f"{name}.bias")

    x = tensors["wte.weight"][ids].astype(float) + t("wpe.weight")[:T]
    for i in range(config["n_layer"]):
        heads = linear(norm(x, f"h.{i}.ln_1"), f"h.{i}.attn.c_attn").reshape(T, 3, h, -1)
        q, k, v = heads.transpose(1, 2, 0, 3)  # (h, T, d_head) each
        scores = q @ k.transpose(0, 2, 1) / np.sqrt(q.shape[-1])
        scores[:, np.triu(np.ones((T, T), bool), 1)] = -np.inf
        weights = np.exp(scores - scores.max(-1, keepdims=True))
        mixed = (weights / weights.sum(-1, keepdims=True)) @ v
        x = x + linear(mixed.transpose(1, 0, 2).reshape(T, -1), f"h.{i}.attn.c_proj")
        z = linear(norm(x, f"h.{i}.ln_2"), f"h.{i}.mlp.c_fc")
        z = z / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3)))
        x = x + linear(z, f"h.{i}.mlp.c_proj")
    return norm(x, "ln_f") @ t("wte.weight").T


def publish(model: Any, merges: list[tuple[bytes, bytes]], folder: Path) -> None:
    """Write the four files of notebook 16's model, whose tokenizer has these merges."""
    from course_utils.bundled.stand_in_bpe import OTHERS, PRINTABLE, spelled

    size = model.sizes
    tensors: dict[str, Any] = {"wte.weight": model.tokens.embeddings, "wpe.weight": model.places.embeddings}
    mask = np.tril(np.ones((1, 1, size["context"], size["context"])))  # the real file has it, too
    for i, block in enumerate(model.blocks):
        tensors |= {f"h.{i}.ln_1.weight": block.norm1.gamma, f"h.{i}.ln_1.bias": block.norm1.beta}
        tensors[f"h.{i}.attn.bias"] = mask
        for name, dense in (("attn.c_attn", block.attention.into), ("attn.c_proj", block.attention.out)):
            tensors |= {f"h.{i}.{name}.weight": dense.kernel, f"h.{i}.{name}.bias": dense.bias}
        tensors |= {f"h.{i}.ln_2.weight": block.norm2.gamma, f"h.{i}.ln_2.bias": block.norm2.beta}
        for name, dense in (("mlp.c_fc", block.up), ("mlp.c_proj", block.down)):
            tensors |= {f"h.{i}.{name}.weight": dense.kernel, f"h.{i}.{name}.bias": dense.bias}
    tensors |= {"ln_f.weight": model.norm.gamma, "ln_f.bias": model.norm.beta}
    arrays = {name: np.asarray(tensor).astype(np.float16) for name, tensor in tensors.items()}

    folder.mkdir(exist_ok=True)
    lines = [f"{spelled(left)} {spelled(right)}" for left, right in merges]
    singles = [spelled(bytes([byte])) for byte in PRINTABLE + OTHERS]
    every = [*singles, *(line.replace(" ", "") for line in lines), "<|endoftext|>"]
    config = {
        "model_type": "gpt2", "vocab_size": len(every), "n_positions": size["context"],
        "n_embd": size["width"], "n_layer": size["depth"], "n_head": size["heads"],
        "layer_norm_epsilon": 1e-05, "activation_function": "gelu_new", "resid_pdrop": size["dropout"],
    }  # fmt: skip
    (folder / "merges.txt").write_text("\n".join(["#version: 0.2", *lines, ""]), encoding="utf8")
    vocabulary = {token: i for i, token in enumerate(every)}
    (folder / "vocab.json").write_text(json.dumps(vocabulary), encoding="utf8")
    (folder / "config.json").write_text(json.dumps(config, indent=1) + "\n", encoding="utf8")
    (folder / "model.safetensors").write_bytes(written(arrays))


def train() -> None:
    """Tokenizer, model, files. What it needs from the notebooks is imported here alone."""
    import keras

    from course_utils import data
    from course_utils.bundled.stand_in_bpe import OTHERS, PRINTABLE
    from course_utils.lessons.gpt import GPT, train_on_text
    from course_utils.lessons.tokens import BPE, count_pieces, train_bpe

    text = data.tiny_shakespeare().text
    blocks = [text[i : i + 4_000] for i in range(0, len(text) * 9 // 10, 4_000)]  # as 16.2 holds back
    learned = "".join(block for i, block in enumerate(blocks) if i % 20 != 10)
    merges = train_bpe(count_pieces([learned]), MERGES)
    bpe = BPE(merges, ["<|endoftext|>"], PRINTABLE + OTHERS)
    keras.utils.set_random_seed(0)
    model = GPT(len(bpe.tokens), context=CONTEXT, depth=DEPTH, width=WIDTH, heads=HEADS, dropout=0.1)
    train_on_text(model, np.array(bpe.encode(learned), np.int32), STEPS, 16, epochs=20)
    publish(model, merges, Path(__file__).with_suffix(""))


if __name__ == "__main__":
    train()
