# ---
# jupyter:
#   course:
#     datasets: [gpt2_bpe, small_gpt2, tiny_shakespeare, library_docs, chnsenticorp]
#     covers: "GPT-2's file of weights read into our own GPT and into KerasHub, equal logits; Document 5's program, working; five continuations; full fine-tuning against LoRA by hand, merged; Keras' own LoRA, ranks, the real weights ◇."
#     prerequisites: [embeddings_and_attention, project_gpt]
#     ledger: [D2-6.1-a, D2-7.2-d, D5-5.2-a, D5-5.2-b, D5-5.2-c, D5-5.2-d, D5-5.2-e, D5-5.2-f, D5-5.3-a]
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
# # Project: GPT-2's weights in your own model
#
# OpenAI published the numbers inside GPT-2. Can you read them from a file into the model that *you* built, and prove that each is in its place? And can you teach the model a customer's style without a copy of all its weights?
#
# At the end you have a loader that agrees with two independent programs, and an adapter of a few dozen kilobytes, weighed against training everything.
#
# **You will be able to**
#
# - say what a prompt costs in tokens, in English and in Chinese;
# - read a file of weights byte by byte, and find each number's place;
# - tell a loader that is right from one that writes well;
# - write LoRA, train it, and merge it into the weights;
# - choose between it and full fine-tuning, by numbers of your own.

# %% tags=["setup"]
import json
import math
import os
import re
import tempfile
from collections.abc import Callable
from importlib.util import find_spec
from inspect import cleandoc
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

from course_utils import (
    by_profile, check, claim, data, devices, full_results, plotting, profile, solved,
)
from course_utils.bundled import small_gpt2 as witness
from course_utils.lessons.tokens import gpt2_encoder

plotting.use_style()

# %% tags=["plumbing"]
#@title Plumbing: TensorFlow, started quietly, and memory
tf = devices.setup(seed=0)
tf.get_logger().setLevel("ERROR")  # it would remark that every writer is traced anew
HUB = find_spec("keras_hub") is not None  # in the full installation (`make lab`)
folder = tempfile.TemporaryDirectory()  # vanishes with the kernel

# %% tags=["plumbing", "keep"] lesson="pretrained"
#@title Plumbing: Keras
import keras
from keras import layers, ops

from course_utils.lessons.gpt import normal

# %% tags=["plumbing"]
#@title Plumbing: the GPT of notebook 16, and what trains, judges and writes with it
from course_utils.lessons.generation import sampler, writer
from course_utils.lessons.gpt import GPT, batch, prepare, scorer, stream

# %% [markdown]
# ## 17.1 What is left of fifty tokens?
#
# <details><summary>A greedy search is asked for five texts. How many different ones can it give?</summary>
#
# One: nothing in it draws by chance (notebook [[generating_text]], 16b.3).
# </details>
#
# <details><summary>AdamW trains a million weights in float32. How many bytes does it keep beside them?</summary>
#
# Eight million: two averages per weight (notebook [[optimizers]]).
# </details>
#
# Document 5 (5.2; titles in notebook [[start_here]]) calls `model.generate(input_ids, max_length=50, num_return_sequences=5)`. The library raises a `ValueError`: nothing was said about drawing, and a greedy search can't return five. A second fault raises no error. `max_length` counts the prompt too, and the prompt is the Chinese line below. GPT-2's tokenizer is notebook [[embeddings_and_attention]]'s: it merges bytes, and a Chinese character has three.
#
# **Predict.** Its 14 characters become how many tokens? (a) 14 · (b) 29 · (c) 42

# %%
bpe_tables = data.gpt2_bpe()
bpe = gpt2_encoder(bpe_tables.merges)
PROMPTS = {"Chinese": "人类对于宇宙的探索永无止境。",
           "English": "Humanity's exploration of the universe never ends."}
for language, prompt in PROMPTS.items():
    count, left = len(bpe.encode(prompt)), 50 - len(bpe.encode(prompt))
    print(f"{language}: {len(prompt)} characters, {len(prompt.encode())} bytes, "
          f"{count} tokens; the {left} tokens left hold about "
          f"{left * len(prompt) // count} characters")

# %% tags=["evidence"]
#@title Evidence: our tokenizer gives the numbers that an independent library reads from the same two files
def reference(merges, vocabulary) -> Callable[[str], list[int]]:
    """Hugging Face's `tokenizers`, which KerasHub brings along."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    vocab_file, merges_file = (Path(folder.name) / n for n in ("v.json", "m.txt"))
    vocab_file.write_text(json.dumps(vocabulary), encoding="utf8")
    lines = ["#version: 0.2", *(" ".join(pair) for pair in merges)]
    merges_file.write_text("\n".join(lines), encoding="utf8")
    library = Tokenizer(models.BPE.from_file(str(vocab_file), str(merges_file)))
    library.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    return lambda text: library.encode(text).ids


def hard_texts(n: int) -> list[str]:
    """The two prompts, some traps, and random mixtures of scripts and spaces."""
    rng = np.random.default_rng(0)
    traps = [" ", "\n\n  x\t", "don't  I'LL", "½ 2²", "🙂"]
    some = list("aZé ß \n\t  '0９三の한ж?!…🙂" + "the ing ")
    mixed = ["".join(rng.choice(some, rng.integers(1, 60))) for _ in range(n)]
    return [*PROMPTS.values(), *traps, *mixed]


if find_spec("tokenizers"):
    theirs = reference(bpe_tables.merges, bpe_tables.vocabulary)
    texts = hard_texts(by_profile(quick=100, standard=2000, full=5000))
    claim(f"texts of {len(texts):,} with other token numbers",
          sum(bpe.encode(text) != theirs(text) for text in texts), at_most=0)

# %% tags=["evidence"]
#@title Evidence: Document 5's prompt, and longer texts: bytes and characters per token
claim("distance of its Chinese prompt from 29 tokens",
      abs(len(bpe.encode(PROMPTS["Chinese"])) - 29), at_most=0,
      applies=bpe_tables.source == "real")
book, hotels = data.tiny_shakespeare(), data.chnsenticorp()
for what, text in (("hotel reviews, Chinese", "\n".join(hotels.x_train[:100])),
                   ("plays, English", book.text)):
    text = text[: by_profile(quick=1_000, standard=10_000, full=10_000)]
    count = len(bpe.encode(text))
    print(f"{what}: {len(text.encode()) / count:.1f} bytes and "
          f"{len(text) / count:.1f} characters per token")

# %% [markdown]
# (b), with GPT-2's real tokenizer. The same thought in English needs a third of the tokens. The merges were learned from English pages; whoever pays by the token pays for that.
#
# Prompt and answer also share the context, 1,024 tokens for GPT-2. If they don't fit, the oldest part of the prompt goes.
#
# ### Exercise 17.1 · Spot the bug: the budget (4 min)
# A widely copied version (Document 5, 5.2), in our words:
# ```python
# def room_for_answer(ids, max_length=50):
#     return max_length - len(ids)      # a prompt of 60 tokens leaves -10
# ```
# Turn it around: `new` says how many tokens shall be written. Of the prompt, keep the *last* tokens, as many as fit beside them. With a pencil: context 8, 3 new tokens, a prompt of 7: the last 5 stay. If not even one fits, raise a `ValueError`.

# %% tags=["exercise"]
def fit_prompt(ids, new, context):
    """The end of the prompt that leaves room for `new` tokens. ids: (n,) -> (m,)"""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("17.1", "Spot the bug: the budget"):
    for n_t, new_t, context_t, kept_t in [
            (7, 3, 8, 5), (5, 3, 8, 5), (4, 3, 8, 4), (1, 7, 8, 1), (9, 7, 8, 1),
            (60, 50, 1024, 60), (2000, 24, 1024, 1000), (3, 0, 8, 3)]:
        ids_t = np.arange(100, 100 + n_t)
        for given_t in (ids_t.copy(), ids_t.tolist()):
            got_t = np.asarray(fit_prompt(given_t, new_t, context_t))
            np.testing.assert_array_equal(
                got_t, ids_t[n_t - kept_t :],
                f"{n_t} tokens, {new_t} new, context {context_t}")
    for new_t in (8, 9, 20):
        try:
            fit_prompt(np.arange(3), new_t, 8)
        except ValueError:
            continue
        raise AssertionError(f"context 8 has no room for a prompt and {new_t} new ones")

# %% [markdown]
# <details><summary>Hint</summary>
#
# The room is `context - new`. `ids[-room:]` keeps the last ones; try it with a room of 0.
# </details>

# %% tags=["solution"]
#@title Solution 17.1 · runs only while yours does not pass
if not solved("17.1"):
    def fit_prompt(ids, new, context):
        room = context - new
        if room < 1:
            raise ValueError(f"no room for a prompt: {new} new tokens of {context}")
        return ids[-room:]

# %% [markdown]
# ## 17.2 What is in the file?
#
# OpenAI published GPT-2 as a checkpoint of TensorFlow. Hugging Face turned it into four files: sizes (`config.json`), the tokenizer (`vocab.json`, `merges.txt`) and the weights, `model.safetensors`. The course brings a small GPT-2 in the same four, trained on Shakespeare. What you write for it reads the real one as well (17.14).

# %%
REAL_WEIGHTS = False  # True: the real one, 548 MB to fetch; read 17.14 first
published = data.gpt2() if REAL_WEIGHTS else data.small_gpt2()
config = published.config
print(config)
print(f"{len(published.weights):,} bytes, the first eight: {published.weights[:8]}")

# %% [markdown]
# A `safetensors` file has three parts:
#
# 1. eight bytes: the length of part 2, a whole number, lowest byte first (*little-endian*, 小端序);
# 2. a JSON text: for each tensor its type, its shape, and where its bytes begin and end, counted *from the start of part 3*;
# 3. the numbers.
#
# Unlike a pickle it holds no program that could run.
#
# **Predict.** The real `model.safetensors` has 548,105,171 bytes, part 2 has 14,283, and each number takes 4. GPT-2 has 124,439,808 weights. The file holds (a) exactly so many numbers · (b) fewer, since the output layer shares its weights · (c) more

# %%
numbers = (548_105_171 - 8 - 14_283) // 4
print(f"{numbers:,} numbers, {numbers - 124_439_808:+,}; "
      f"12 times 1024 · 1024 is {12 * 1024**2:,}")

# %% [markdown]
# (c). OpenAI's checkpoint holds just the weights. The conversion also stored the causal mask of each of the 12 blocks, 1024 × 1024 ones and zeros, as `h.0.attn.bias` and so on. It is *no* bias: leave it out.
#
# A whole file, small enough to read:

# %% tags=["keep"] lesson="pretrained"
TYPES = {"F32": np.float32, "F16": np.float16}

# %%
two = {"b": np.array([1.0, 2.0], np.float32), "W": np.array([[0.5], [4.0]], np.float16)}
print(witness.written(two))

# %% [markdown]
# ### Exercise 17.2 · read a file of tensors (9 min)
# `int.from_bytes(part, "little")`, `json.loads(part)` and `np.frombuffer(part, TYPES[name])` do the small steps; slice `content` for the parts. Leave the entry `__metadata__` out.

# %% tags=["exercise"]
def read_tensors(content):
    """The tensors of a safetensors file: name -> array of its type and shape.

    content: bytes
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("17.2", "read a file of tensors"):
    rng_t = np.random.default_rng(0)
    first_t = {"h.0.W": rng_t.normal(size=(2, 3)).astype(np.float32),
               "half": rng_t.normal(size=(3, 1, 2)).astype(np.float16),
               "one": np.array([7.0], np.float32), "scalar": np.array(3.0, np.float32),
               "last": rng_t.normal(size=(4,)).astype(np.float32)}
    turned_t = dict(reversed(first_t.items()))
    plain_t = witness.written(first_t).replace(b'"__metadata__":{"format":"pt"},', b"")
    length_t = int.from_bytes(plain_t[:8], "little") - 31  # what the replacement took
    plain_t = length_t.to_bytes(8, "little") + plain_t[8:]
    mixed_t = witness.written(turned_t)  # same header, entries in another order
    about_t = json.loads(mixed_t[8 : 8 + int.from_bytes(mixed_t[:8], "little")])
    about_t = json.dumps(dict(sorted(about_t.items())), indent=2).encode()
    body_t = mixed_t[-sum(a.nbytes for a in first_t.values()):]
    mixed_t = len(about_t).to_bytes(8, "little") + about_t + body_t
    for what_t, content_t in (("in order", witness.written(first_t)),
                              ("no metadata", plain_t), ("header sorted", mixed_t)):
        got_t = read_tensors(content_t)
        assert set(got_t) == set(first_t), f"{what_t}: names {sorted(got_t)}"
        for name_t, wanted_t in first_t.items():
            shape_t = np.shape(got_t[name_t])
            assert shape_t == wanted_t.shape, f"{what_t}: {name_t} has shape {shape_t}"
            np.testing.assert_array_equal(np.asarray(got_t[name_t], float), wanted_t,
                                          f"{what_t}: {name_t}")
            type_t = np.asarray(got_t[name_t]).dtype
            assert type_t == wanted_t.dtype, f"{what_t}: {name_t} is {type_t}"

# %% [markdown]
# <details><summary>Hint</summary>
#
# With `n` the length of part 2, part 3 begins at byte `8 + n`. A tensor's bytes are `content[8 + n + begin : 8 + n + end]`, where `begin, end = entry["data_offsets"]`; then `reshape(entry["shape"])`.
# </details>

# %% tags=["solution", "keep"] lesson="pretrained"
#@title Solution 17.2 · runs only while yours does not pass
if not solved("17.2"):
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

# %% [markdown]
# ## 17.3 Where does each number belong?
#
# Our dense layers compute $xW + b$ with $W$ of shape (from, to). GPT-2's file keeps its matrices the same way. PyTorch's own dense layers keep them as (to, from), so whoever loads GPT-2 into those turns each matrix around.
#
# **Predict.** One of a block's matrices can be turned around by mistake without any error about shapes. Which? (a) `attn.c_attn` · (b) `attn.c_proj` · (c) `mlp.c_fc`

# %% tags=["evidence"]
#@title Evidence: names and shapes in the file
tensors = read_tensors(published.weights)
for name, array in tensors.items():
    if name.startswith(("w", "h.0.", "ln")):  # the other blocks are like block 0
        print(f"{name:<22} {array.shape} {array.dtype}")

# %% [markdown]
# (b): it is square, 768 × 768 in the real file. So take care where each goes:
#
# | in the file, for block 0 | in our model |
# |---|---|
# | `wte.weight`, `wpe.weight` | `model.tokens.embeddings`, `model.places.embeddings` |
# | `h.0.ln_1`, `h.0.ln_2` | `model.blocks[0].norm1`, `.norm2` |
# | `h.0.attn.c_attn`, `h.0.attn.c_proj` | `.attention.into`, `.attention.out` |
# | `h.0.mlp.c_fc`, `h.0.mlp.c_proj` | `.up`, `.down` |
# | `ln_f` | `model.norm` |
#
# A dense layer's `.weight` is our `kernel`, its `.bias` is our `bias`; a norm's are our `gamma` and `beta`.
#
# ### Exercise 17.3 · a place for every number (8 min)
# Return a dict: name in the file (as `"h.0.ln_1.weight"`) → our variable. Loading is then one loop, and so is writing.

# %% tags=["exercise"]
def slots(model):
    """Where each tensor of GPT-2's file belongs: name -> variable of our GPT.

    model: a GPT that was called once; its weights stay as they are
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("17.3", "a place for every number"):
    for depth_t in (1, 2):
        gpt_t = GPT(11, context=6, depth=depth_t, width=8, heads=2)
        ids_t, rng_t = np.array([[3, 1, 4, 1, 5]]), np.random.default_rng(0)
        gpt_t(ids_t)
        before_t, got_t = gpt_t.get_weights(), slots(gpt_t)
        for was_t, is_t in zip(before_t, gpt_t.get_weights()):
            np.testing.assert_array_equal(is_t, was_t, "the weights stay as they were")
        beyond_t = tuple(f"h.{i_t}." for i_t in range(depth_t, 99))
        names_t = {name_t for name_t in tensors
                   if ".attn.bias" not in name_t and not name_t.startswith(beyond_t)}
        for name_t in sorted({*names_t, *got_t}):
            assert name_t in got_t, f"depth {depth_t}: {name_t} is missing"
            assert name_t in names_t, f"depth {depth_t}: {name_t} belongs nowhere"
            place_t = got_t[name_t]
            assert any(place_t is own_t for own_t in gpt_t.weights), (
                f"{name_t} is no variable of the model")
            place_t.assign(rng_t.normal(scale=0.5, size=place_t.shape))
        sizes_t = {"n_head": 2, "n_layer": depth_t, "layer_norm_epsilon": 1e-5}
        file_t = witness.written({n_t: v_t.numpy() for n_t, v_t in got_t.items()})
        try:  # a GPT-2 in NumPy reads the file that your places write
            other_t = witness.logits(file_t, sizes_t, ids_t[0])
        except ValueError:
            raise AssertionError("two tensors of other shapes are exchanged") from None
        assert np.allclose(gpt_t(ids_t).numpy()[0], other_t, 1e-3, 1e-3), (
            "two tensors of equal shape are exchanged")

# %% [markdown]
# <details><summary>Hint</summary>
#
# Make a dict of layers first, `{"ln_f": model.norm, "h.0.ln_1": …}`, with a loop over `enumerate(model.blocks)`. Both kinds of layer have `layer.weights`, a list of two: kernel and bias, or gamma and beta.
# </details>

# %% tags=["solution", "keep"] lesson="pretrained"
#@title Solution 17.3 · runs only while yours does not pass
if not solved("17.3"):
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

# %%
def load(config: dict, tensors: dict[str, np.ndarray]) -> GPT:
    """Our GPT, of the published sizes, with the published numbers."""
    model = GPT(config["vocab_size"], config["n_positions"], config["n_layer"],
                config["n_embd"], config["n_head"])
    model(np.zeros((1, 2), np.int32))  # the first call makes the weights
    for name, variable in slots(model).items():
        variable.assign(tensors[name])
    return model


# %%
base, tokens = load(config, tensors), gpt2_encoder(published.merges)
T, PROMPT = config["n_positions"], "KING RICHARD II:\n"
start = np.array(fit_prompt(tokens.encode(PROMPT), 60, T))[None]  # (1, P)
write = writer(base, sampler(temperature=0.8, top_p=0.95))
print(PROMPT + tokens.decode(write(start, 60, np.random.default_rng(0))[0]))

# %% [markdown]
# The program writes. Is each number in its place?

# %% [markdown]
# ## 17.4 Would you notice a slip?
#
# Two loaders, one of which has a slip. Both wrote with the same random numbers:

# %% tags=["plumbing"]
#@title Plumbing: loaders with one slip each
def swapped(tensors: dict, one: str, other: str) -> dict:
    turn = lambda name: name.replace(one, "*").replace(other, one).replace("*", other)
    return {name: tensors[turn(name)] for name in tensors}


def changed(tensors: dict, part: str, change: Callable) -> dict:
    return {name: change(a) if part in name else a for name, a in tensors.items()}


SLIPS = {
    "none": tensors,
    "query biases left at 0": changed(
        tensors, "c_attn.bias",
        lambda a: np.where(np.arange(len(a)) < len(a) // 3, 0, a)),
    "places moved by one": changed(tensors, "wpe", lambda a: np.roll(a, 1, axis=0)),
    "the two norms of a block exchanged": swapped(tensors, "ln_1", "ln_2"),
    "shift of the last norm left at 0": changed(tensors, "ln_f.bias", np.zeros_like),
    "attn.c_proj turned around": changed(tensors, "attn.c_proj.weight", np.transpose),
}

# %% tags=["plumbing"]
#@title Plumbing: what each of these loaders writes, and what a text costs it
plays, REAL = book.text, book.source == "real" and bpe_tables.source == "real"
cut, size = len(plays) * 9 // 10, 4_000 if REAL else 500
held_back = "".join(plays[i : i + size] for i in range(10 * size, cut, 20 * size))
held_back = held_back[: by_profile(quick=1_500, standard=16_000, full=60_000)]
old_ids = np.array(tokens.encode(held_back), np.int32)  # the small GPT-2 never read it
probe = old_ids[None, :40]
base_nats = scorer(base, rows=1 if REAL_WEIGHTS else 16)  # 1,024 × 50,257 logits a row


def texts_of(rows: np.ndarray) -> list[str]:
    return [tokens.decode(row) for row in rows]


def fill(model: GPT, tensors: dict[str, np.ndarray]) -> None:
    for name, variable in slots(model).items():
        variable.assign(tensors[name])


def attempt(slip: str) -> tuple[int, np.ndarray, float, str]:
    """-> how many numbers are wrong, logits of the probe (40, V), nats, a text."""
    wrong = sum(int(np.sum(SLIPS[slip][name] != tensors[name])) for name in slots(base))
    try:
        fill(base, SLIPS[slip])
        logits = ops.convert_to_numpy(base(probe))[0]
        text = tokens.decode(write(start, 40, np.random.default_rng(3))[0])
        return wrong, logits, float(base_nats(old_ids).mean()), text
    finally:
        fill(base, tensors)


few_slips = list(SLIPS)[: by_profile(quick=2, standard=6, full=6)]
tried = {name: attempt(name) for name in few_slips}
two_texts = [tried[name][3] for name in ("query biases left at 0", "none")]

# %%
for letter, text in zip("AB", two_texts):
    print(f"{letter}: {text!r}")

# %% [markdown]
# **Predict.** Which loader has the slip: A or B? And what does the slip add to the price of plays that the model never read, in nats per token: 0.04, 0.4 or 4?

# %% tags=["evidence"]
#@title Evidence: what each slip costs, and how far off its logits are
true_logits = witness.logits(published.weights, config, probe[0])  # (40, V), in NumPy
for name, (wrong, logits, nats, text) in tried.items():
    off = np.abs(logits - true_logits).max()
    print(f"{name:<34} {wrong:>6,} numbers wrong, {nats:.2f} nats, "
          f"logits off by {off:.0e}  {text[:20]!r}")

# %% [markdown]
# A: its loader left the query biases at 0, 384 numbers of half a million. To our eyes its text reads no worse. (With the norms exchanged, anyone sees it.) Its loss is higher by 0.4, but whoever has no other loader takes that for the model's price. The logits tell: off by whole units, or by rounding alone. So compare a loader with another program. Here with two: a GPT-2 in NumPy alone, and KerasHub's. (Its code is other code, but its sums are TensorFlow's, like ours: even the rounding may agree.)

# %% tags=["plumbing"]
#@title Plumbing: the same tensors in KerasHub's GPT-2
def hub_model(tensors: dict[str, np.ndarray]):
    """KerasHub's GPT-2 for token numbers, filled from the tensors."""
    import keras_hub

    backbone = keras_hub.models.GPT2Backbone(
        vocabulary_size=config["vocab_size"], num_layers=config["n_layer"],
        num_heads=config["n_head"], hidden_dim=config["n_embd"], dropout=0.0,
        intermediate_dim=4 * config["n_embd"], max_sequence_length=T)
    found = {"wte": [backbone.token_embedding.embeddings],
             "wpe": [backbone.position_embedding.position_embeddings],
             "ln_f": backbone.layer_norm.weights}
    for i, block in enumerate(backbone.transformer_layers):
        attention = block._self_attention_layer
        found |= {f"h.{i}.ln_1": block._self_attention_layer_norm.weights,
                  f"h.{i}.ln_2": block._feedforward_layer_norm.weights,
                  f"h.{i}.attn.c_proj": attention.output_dense.weights,
                  f"h.{i}.mlp.c_fc": block._feedforward_intermediate_dense.weights,
                  f"h.{i}.mlp.c_proj": block._feedforward_output_dense.weights}
        parts = attention.query_dense, attention.key_dense, attention.value_dense
        for j, kind in enumerate(("weight", "bias")):
            thirds = np.split(tensors[f"h.{i}.attn.c_attn.{kind}"], 3, axis=-1)
            for dense, third in zip(parts, thirds):
                dense.weights[j].assign(third.reshape(dense.weights[j].shape))
    for name, variables in found.items():
        for variable, kind in zip(variables, ("weight", "bias")):
            variable.assign(tensors[f"{name}.{kind}"].reshape(variable.shape))
    return keras_hub.models.GPT2CausalLM(backbone, preprocessor=None)


# %% tags=["evidence"]
#@title Evidence: our model, NumPy and KerasHub agree, and so do the tokenizers
our_logits = ops.convert_to_numpy(base(probe))[0]
largest = np.abs(our_logits).max()
ROUNDING = 1e-4 * max(1.0, largest / 20)  # float32 rounds larger numbers more coarsely
claim(f"largest difference of a logit, ours and NumPy's; logits reach {largest:.0f}",
      np.abs(our_logits - true_logits).max(), at_most=ROUNDING)
if HUB:
    import keras_hub

    hub = hub_model(tensors)
    rows = {"token_ids": probe, "padding_mask": np.ones_like(probe)}
    hub_logits = ops.convert_to_numpy(hub(rows))[0]
    claim("largest difference of a logit, ours and KerasHub's",
          np.abs(our_logits - hub_logits).max(), at_most=ROUNDING)
    hub_tokens = keras_hub.tokenizers.GPT2Tokenizer(
        vocabulary=published.vocabulary,
        merges=[" ".join(pair) for pair in published.merges])
    claim("texts to which KerasHub's tokenizer gives other numbers",
          sum(tokens.encode(text) != list(hub_tokens(text)) for text in hard_texts(50)),
          at_most=0)

# %% [markdown]
# ## 17.5 Five different texts?
#
# Document 5's program, repaired: a prompt in the language of the model, a number of *new* tokens, for each token a draw by temperature and top-k (notebook [[generating_text]]), and a seed, so that a colleague gets the same five.

# %%
NEW, DRAW = 24, sampler(temperature=0.8, top_k=50)  # turn any of them
five = np.repeat(start, 5, axis=0)  # (5, P)
write_five = writer(base, DRAW)

our_five = texts_of(write_five(five, NEW, np.random.default_rng(0)))
print(*map(repr, our_five), sep="\n")

# %% [markdown]
# **Predict.** KerasHub's model has the same logits. It gets the same prompt, temperature, top-k and seed. How many of its five texts will equal one of ours? And how many if both choose greedily?

# %% tags=["plumbing"]
#@title Plumbing: KerasHub writes, from the same token numbers
def hub_texts(sampling, n: int) -> list[str]:
    """n answers of NEW tokens. (To a text, KerasHub adds a start token in front.)"""
    hub.compile(sampler=sampling, jit_compile=profile() != "quick")
    P = start.shape[1]
    ids = np.pad(np.repeat(start, n, axis=0), ((0, 0), (0, NEW)))
    mask = np.broadcast_to(np.arange(P + NEW) < P, ids.shape)
    rows = hub.generate({"token_ids": ids, "padding_mask": mask}, stop_token_ids=None)
    return texts_of(np.asarray(rows["token_ids"])[:, P:])


# %% tags=["evidence"]
#@title Evidence: KerasHub's five, and both greedily
greedy = texts_of(writer(base, sampler(0))(five, NEW, np.random.default_rng(0)))
hub_five, hub_greedy = [], []
if HUB:
    if profile() != "quick":
        hub_five = hub_texts(keras_hub.samplers.TopKSampler(50, 0, temperature=0.8), 5)
        print(*map(repr, hub_five), sep="\n")
    hub_greedy = hub_texts("greedy", 1)
    print(f"greedy, ours:     {greedy[0]!r}\ngreedy, KerasHub: {hub_greedy[0]!r}")

# %% tags=["evidence"]
#@title Evidence: drawn, five differ; greedy, five are one; a local preset is the same model
claim("different texts among our five", len(set(our_five)), at_least=5)
claim("different texts among five greedy ones", len(set(greedy)), at_most=1)
claim("different texts among KerasHub's five", len(set(hub_five)), at_least=5,
      applies=bool(hub_five))
print("texts that both libraries drew:", len(set(our_five) & set(hub_five)))
if HUB:
    claim("greedy texts that differ between the two", int(greedy[0] != hub_greedy[0]),
          at_most=0)
    preset = Path(folder.name) / "preset"
    packer = keras_hub.models.GPT2CausalLMPreprocessor(hub_tokens, sequence_length=T)
    keras_hub.models.GPT2CausalLM(hub.backbone, preprocessor=packer).save_to_preset(
        str(preset))  # a folder, no network
    again = keras_hub.models.GPT2CausalLM.from_preset(str(preset))
    claim("largest difference of a logit after the preset is loaded",
          np.abs(ops.convert_to_numpy(again(rows))[0] - hub_logits).max(), at_most=0)
    del again

# %% [markdown]
# None; but greedily both write the same text, five times over. Equal logits give equal probabilities; *which* token is drawn depends on random numbers, and each library has its own. Compare programs by logits or by greedy text, never by samples.

# %% [markdown]
# ## 17.6 What does a new style cost?
#
# Two customers want your model in *their* style. A publisher prints plays as modern prose: `ROMEO:` and a line below it `Thou art wise.` become `[Romeo] You are wise.` A software firm wants texts like the documentation of scikit-learn, which is on your machine. *Fine-tuning* (微调) goes on with training, from the published weights, at a small rate.

# %% tags=["plumbing"]
#@title Plumbing: plays as the publisher prints them
MODERN = dict(zip("thou thee thy thine ye hath doth hast art wilt shalt".split(),
                  "you you your yours you has does have are will shall".split()))
OLD = re.compile(rf"\b({'|'.join(MODERN)})\b", re.IGNORECASE)


def as_printed(plays: str) -> str:
    """Speeches as the publisher prints them: one paragraph each, modern words."""
    def modern(found: re.Match) -> str:
        word = MODERN[found[0].lower()]
        return word.capitalize() if found[0][0].isupper() else word

    speeches = []
    for speech in plays.split("\n\n"):
        name, _, lines = speech.partition(":\n")
        if lines:
            lines = OLD.sub(modern, lines).replace("\n", " ")
            speeches.append(f"[{name.title()}] {lines}")
    return "\n".join(speeches)


# %% tags=["plumbing"]
#@title Plumbing: the firm's pages, and the three parts of each customer's text
def pages_of(library: str) -> str:
    """Docstrings of 600 to 2,500 characters, each once, in random order."""
    texts = []
    for file in sorted(Path(find_spec(library).origin).parent.rglob("*.py")):
        if "tests" not in file.parts:
            texts += re.findall(r'"""(.*?)"""', file.read_text("utf8"), re.DOTALL)
    pages = [page for page in dict.fromkeys(map(cleandoc, texts))
             if 600 <= len(page) <= 2500]
    return "\n\n".join(np.random.default_rng(0).permutation(pages))


def parts(text: str) -> list[np.ndarray]:
    """The first 45 %, the next 25 %, the rest, as token numbers."""
    a, b = len(text) * 45 // 100, len(text) * 70 // 100
    return [np.array(small_bpe.encode(part), np.int32)
            for part in (text[:a], text[a:b], text[b:])]


# from here on the small model, whichever you read above: two cores can train it
small = data.small_gpt2()
small_tensors, small_bpe = read_tensors(small.weights), gpt2_encoder(small.merges)
small_old = np.array(small_bpe.encode(held_back), np.int32)
last_plays = as_printed(plays[cut:])  # it never read this part
CUSTOMERS = {"publisher": last_plays, "firm": pages_of("sklearn")[: len(last_plays)]}

# %% tags=["evidence"]
#@title Evidence: the two customers' texts, each in three parts
texts_for = {name: parts(text) for name, text in CUSTOMERS.items()}
for name, (learn_ids, val_ids, test_ids) in texts_for.items():
    print(f"{name}: {len(learn_ids):,} tokens to learn from, {len(val_ids):,} to "
          f"decide, {len(test_ids):,} to judge; {CUSTOMERS[name][:50]!r}")

# %% [markdown]
# The baseline is the model as published. Blind guessing costs $\log 768 \approx 6.6$ nats.

# %% tags=["plumbing"]
#@title Plumbing: a model that is taught again and again from the same weights
STEPS, B, SEEDS = by_profile(quick=(1, 2, (0,)), standard=(100, 8, (0, 1, 2)),
                             full=(300, 16, (0, 1, 2, 3, 4)))

LOOKS = by_profile(quick=1, standard=4, full=10)


class Student:
    """A model that learns again and again; each lesson draws the `drawn` anew."""

    def __init__(self, model: GPT, peak: float, name: str, drawn: list = ()) -> None:
        self.model, self.peak, self.name, self.drawn = model, peak, name, drawn
        self.begin, self.nats = model.get_weights(), scorer(model)
        self.optimizer = None

    def start_again(self, seed: int) -> None:
        """The weights that it began with, and an optimizer that knows nothing."""
        self.model.set_weights(self.begin)
        rng = np.random.default_rng(seed)
        for A in self.drawn:
            A.assign(rng.normal(scale=A.shape[0] ** -0.5, size=A.shape))
        if self.optimizer is None or self.model.optimizer is not self.optimizer:
            prepare(self.model, STEPS, self.peak)  # notebook 16's AdamW and cosine
            self.optimizer = self.model.optimizer
            self.optimizer.build(self.model.trainable_variables)
        for memory in self.optimizer.variables:
            memory.assign(ops.zeros(memory.shape, memory.dtype))

    def teach(self, customer: str, seed: int) -> tuple[float, float]:
        """-> nats per token of the customer's text, of the old plays."""
        learn_ids, val_ids, _ = texts_for[customer]
        keras.utils.set_random_seed(seed)
        self.start_again(seed)
        T = self.model.sizes["context"]
        self.model.fit(
            stream(learn_ids, B, T, seed=seed), steps_per_epoch=STEPS // LOOKS,
            epochs=LOOKS, verbose=0, shuffle=False,
            callbacks=[plotting.training_plot(("loss",), self.name, keep=False)])
        return tuple(float(self.nats(ids).mean()) for ids in (val_ids, small_old))


# %% tags=["plumbing"]
#@title Plumbing: teach, unless it was done before
taught = {}  # (customer, method, seed) -> what `teach` returned
kept = {}  # (customer, method) -> the weights after the first seed


def lesson(customer: str, student: Student, seed: int) -> tuple[float, float]:
    key = customer, student.name, seed
    if key not in taught:
        taught[key] = student.teach(customer, seed)
        if seed == SEEDS[0]:
            kept[customer, student.name] = student.model.get_weights()
    return taught[key]


# %% tags=["evidence"]
#@title Evidence: what a token of each text costs the published model
everything = Student(load(small.config, small_tensors), peak=1e-3, name="all weights")
untaught = {"old plays": everything.nats(small_old)}
untaught |= {name: everything.nats(ids[1]) for name, ids in texts_for.items()}
for name, losses in untaught.items():
    print(f"{name:<9} {losses.mean():.2f} nats per token")
known = set(plays[:cut].encode())
strange = [i for i, token in enumerate(small_bpe.tokens)
           if len(token) == 1 and token[0] not in known]  # bytes never read
losses = untaught["firm"]
unread = np.isin(texts_for["firm"][1][-len(losses) :], strange)
print(f"of the firm's tokens {unread.mean():.0%} are bytes that the model never read: "
      f"{losses[unread].mean():.1f} nats each, the others {losses[~unread].mean():.1f}")

# %% [markdown]
# The firm's pages cost more than blind guessing: about every tenth token is a byte that stood nowhere in the model's training text, and it expects none of them.
#
# Now the publisher. `everything` is a student that trains all weights; `lesson` teaches it, 100 steps.
#
# **Predict.** What happens to the price of the *old* plays, which the model knew best? It (a) falls a little, since more plays were read · (b) stays · (c) rises by more than 10 %

# %%
own, old = lesson("publisher", everything, seed=0)
print(f"publisher {own:.2f}, old plays {old:.2f} nats per token")

# %% [markdown]
# (c): *catastrophic forgetting* (灾难性遗忘). Nothing in the training asked for the old style. And every customer now needs a file as large as the model.

# %% [markdown]
# ## 17.7 How few numbers can carry a style?
#
# Full fine-tuning moves a matrix $W$ to $W + \Delta W$. *LoRA* (low-rank adaptation, 低秩适配) leaves $W$ as it is and learns a thin $\Delta W$:
#
# $$x W + s\,(x A)\,B, \qquad A: (d_\text{in}, r), \quad B: (r, d_\text{out}), \quad r \text{ small}.$$
#
# The scale $s$ is a fixed number, here 2. With a pencil: $A = (1, 2)^\top$ and $B = (3, 4)$ give $A B = \begin{pmatrix} 3 & 4 \\ 6 & 8 \end{pmatrix}$. Each row is a multiple of $B$: a matrix of *rank* (秩) 1. In general the rows of $A B$ mix the $r$ rows of $B$, so its rank is at most $r$. For GPT-2's `c_attn`, 768 × 2304, rank 4 takes $4 \cdot (768 + 2304) = 12{,}288$ numbers instead of 1,769,472.
#
# $A$ starts at random, $B$ at 0: so the model starts exactly as published.
#
# In Keras, a layer makes its weights in `build`, which is called once, and computes in `call`:

# %% tags=["keep"] lesson="pretrained"
class LoRA(layers.Layer):
    """A dense layer, and a thin product beside it: (…, d_in) -> (…, d_out)"""

    def __init__(self, dense: layers.Dense, rank: int, scale: float = 2.0) -> None:
        super().__init__()
        self.dense, self.rank, self.scale = dense, rank, scale

    def build(self, shape):
        self.A, self.B = thin_pair(self, shape[-1], self.dense.units, self.rank)

    def call(self, x):
        return with_product(x, self.dense, self.A, self.B, self.scale)  # you write both


# %% [markdown]
# ### Exercise 17.7 · the adapter (7 min)
# `layer.add_weight(shape=…, initializer=…)` makes a weight, with the initializers `normal(d_in**-0.5)` (notebook [[project_gpt]]'s: random, of that spread) and `"zeros"`. `dense(x)` is the dense layer's answer, bias included. `ops.matmul` multiplies.

# %% tags=["exercise"]
def thin_pair(layer, d_in, d_out, rank):
    """Two new weights of the layer: A (d_in, rank), random, and B (rank, d_out), 0."""
    raise NotImplementedError("your turn")


def with_product(x, dense, A, B, scale):
    """What the dense layer answers, plus scale · x A B. x: (…, d_in) -> (…, d_out)"""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("17.7", "the adapter"):
    A_t, B_t = thin_pair(layers.Layer(), 4, 3, 2)
    assert tuple(A_t.shape) == (4, 2), f"A has shape {tuple(A_t.shape)}, not (4, 2)"
    assert tuple(B_t.shape) == (2, 3), f"B has shape {tuple(B_t.shape)}, not (2, 3)"
    with_product(np.ones((5, 4), np.float32), layers.Dense(3), A_t, B_t, 2.0)
    for d_in_t, d_out_t, rank_t, scale_t, shape_t in [
            (4, 3, 2, 2.0, (5, 4)), (400, 3, 9, 0.5, (2, 3, 400)),
            (3, 5, 1, 1.0, (1, 3))]:
        dense_t = layers.Dense(d_out_t, bias_initializer="ones")
        lora_t = LoRA(dense_t, rank_t, scale_t)
        x_t = np.random.default_rng(0).normal(size=shape_t).astype(np.float32)
        first_t = np.asarray(lora_t(x_t))
        A_t, B_t = (np.array(ops.convert_to_numpy(w)) for w in (lora_t.A, lora_t.B))
        assert np.all(B_t == 0) and np.all(A_t != 0), "A starts at random, B at 0"
        np.testing.assert_allclose(first_t, np.asarray(dense_t(x_t)), atol=1e-6,
                                   err_msg="it must start as the dense layer")
        if d_in_t == 400:
            spread_t = A_t.std() * 20  # d_in ** 0.5
            assert 0.9 < spread_t < 1.1, f"A's spread is {spread_t:.2f} / sqrt(d_in)"
        held_t = {id(w) for w in lora_t.trainable_variables}
        own_t = {id(lora_t.A), id(lora_t.B)}
        assert own_t <= held_t, "A and B must be weights of the layer that learn"
        rng_t = np.random.default_rng(1)
        A_t, B_t = rng_t.normal(size=A_t.shape), rng_t.normal(size=B_t.shape)
        lora_t.A.assign(A_t), lora_t.B.assign(B_t)
        W_t, b_t = (np.asarray(w, float) for w in dense_t.get_weights())
        np.testing.assert_allclose(
            np.asarray(lora_t(x_t)), x_t @ (W_t + scale_t * A_t @ B_t) + b_t, rtol=1e-3,
            atol=1e-3, err_msg=f"x W + b + s (x A) B, with s = {scale_t}")
    in_t = keras.Input((7, 3))
    out_t = LoRA(layers.Dense(5), 2)(in_t)
    assert tuple(out_t.shape) == (None, 7, 5), f"symbolic shape {out_t.shape}"

# %% [markdown]
# <details><summary>Hint</summary>
#
# The dense layer makes its weights when it is called, so use `dense(x)`, not its kernel. For the product first $xA$, which is thin, then times $B$.
# </details>

# %% tags=["solution", "keep"] lesson="pretrained"
#@title Solution 17.7 · runs only while yours does not pass
if not solved("17.7"):
    def thin_pair(layer: layers.Layer, d_in: int, d_out: int, rank: int) -> tuple:
        """Two new weights of the layer: A (d_in, rank), random, B (rank, d_out), 0."""
        A = layer.add_weight(shape=(d_in, rank), initializer=normal(d_in**-0.5))
        B = layer.add_weight(shape=(rank, d_out), initializer="zeros")
        return A, B


    def with_product(x, dense: layers.Dense, A, B, scale: float):
        """The dense layer's answer, plus scale · x A B. x: (…, d_in) -> (…, d_out)"""
        thin = ops.matmul(x, A)  # (…, rank)
        return dense(x) + scale * ops.matmul(thin, B)

# %% tags=["plumbing"]
#@title Plumbing: a GPT whose attention has adapters; all other weights are frozen
def loras(model: GPT) -> list[LoRA]:
    """Its adapters, two per block."""
    return [part for block in model.blocks
            for part in (block.attention.into, block.attention.out)]


def adapted(rank: int) -> GPT:
    """The published model with adapters beside c_attn and attn.c_proj."""
    model = GPT(**{**everything.model.sizes, "dropout": 0.0})
    for block in model.blocks:  # before the first call makes the weights
        block.attention.into = LoRA(block.attention.into, rank)
        block.attention.out = LoRA(block.attention.out, rank)
    model(np.zeros((1, 2), np.int32))
    own = {id(weight) for part in loras(model) for weight in (part.A, part.B)}
    frozen = [variable for variable in model.variables if id(variable) not in own]
    for variable, value in zip(frozen, everything.begin, strict=True):
        variable.assign(value)
        variable.trainable = False
    return model


def thin_student(rank: int, peak: float) -> Student:
    model = adapted(rank)
    return Student(model, peak, f"LoRA, rank {rank}",
                   drawn=[part.A for part in loras(model)])


def size_of(variables: list) -> int:
    """How many numbers they hold."""
    return sum(math.prod(variable.shape) for variable in variables)


# %%
RANK = 4  # try 1 and 16
thin = thin_student(RANK, peak=1e-2)

# %% tags=["evidence"]
#@title Evidence: how few numbers learn
trained = size_of(thin.model.trainable_variables)
whole = size_of(everything.model.weights)
print(f"{trained:,} numbers to train, {trained / whole:.2%} of {whole:,}")

# %% [markdown]
# **Predict.** In the very first step of training, which of the two changes? (a) $A$ · (b) $B$ · (c) both. Here is one step of plain gradient descent:

# %% tags=["evidence"]
#@title Evidence: what the first steps change
def first_steps(steps: int, A_factor: float = 1.0) -> list[str]:
    """Largest change of A and of B of the first adapter, after each step."""
    first, before = loras(thin.model)[0], thin.model.get_weights()
    first.A.assign(A_factor * first.A)
    held = first.A.numpy(), first.B.numpy()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    thin.model.compile("sgd", loss, run_eagerly=True)
    x, y = batch(texts_for["publisher"][0], 4, 32, np.random.default_rng(0))
    found = []
    for _ in range(steps):
        thin.model.train_on_batch(x, y)
        found.append("A by {:.0e}, B by {:.0e}".format(
            *(np.abs(new.numpy() - was).max() for new, was in zip((first.A, first.B),
                                                                  held))))
    thin.model.set_weights(before)
    return found


print("from the start, after 1 and 2 steps:", *first_steps(2), sep="\n  ")
print("both 0 at the start, after 2 steps:", first_steps(2, A_factor=0)[-1], sep="\n  ")

# %% tags=["evidence"]
#@title Evidence: less than 2 %, and it starts as the published model
few = small_old[None, :40]
claim("share of the weights that LoRA trains", trained / whole, at_most=0.02,
      applies=RANK <= 4)
everything.model.set_weights(everything.begin)
claim("largest difference of a logit from the published model, before training",
      np.abs(thin.model(few).numpy() - everything.model(few).numpy()).max(),
      at_most=1e-5)

# %% [markdown]
# (b). The gradient of $A$ is a product with $B$, which is 0 in the first step; in the second step both move. With both at 0, each gradient is a product with 0: neither ever moves.

# %% [markdown]
# ## 17.8 Is a thin change enough?
#
# Now both methods for both customers. LoRA learns at a rate ten times as high (17.12 turns the rates). The trainings take a few minutes.
#
# **Predict.** LoRA trains 1.7 % of the numbers. Which share of full fine-tuning's gain does it reach for the publisher: 25 %, 55 % or 85 %?

# %% tags=["plumbing"]
#@title Plumbing: both methods for both customers (the firm with one seed)
prices = {}  # (customer, method) -> per seed: nats of its text, of the old plays
for customer, seeds in (("publisher", SEEDS), ("firm", SEEDS[:1])):
    for student in (everything, thin):
        rows = [lesson(customer, student, seed) for seed in seeds]
        prices[customer, student.name] = np.array(rows)

# %% tags=["evidence"]
#@title Evidence: what each method gains and forgets, in nats per token
gains = {}  # (customer, method) -> nats saved, per seed
for (customer, name), rows in prices.items():
    own, old = rows.T
    gains[customer, name] = untaught[customer].mean() - own
    print(f"{customer:<9} {name:<12} gains", *gains[customer, name].round(2),
          "forgets", *(old - untaught["old plays"].mean()).round(2))
for customer in CUSTOMERS:
    share = gains[customer, thin.name].mean() / gains[customer, everything.name].mean()
    print(f"{customer}: LoRA reaches {share:.0%} of the gain")

# %% tags=["figure"]
#@title Figure: Each method buys style with forgetting
fig, axes = plt.subplots(1, 2, figsize=(7.2, 3.2), sharey=True)
for ax, customer in zip(axes, CUSTOMERS):
    ax.plot(untaught[customer].mean(), untaught["old plays"].mean(), "s",
            color=plotting.GRAY, label="published")
    for student, marker, color in ((everything, "o", plotting.ORANGE),
                                   (thin, "^", plotting.BLUE)):
        ax.plot(*prices[customer, student.name].T, marker, color=color,
                label=student.name)
    ax.set(title=f"the {customer}", xlabel="nats per token, its own text")
    ax.margins(0.15)
axes[0].set_ylabel("nats per token, old plays")
axes[0].legend(fontsize=8, loc="lower left")
fig.suptitle("Each method buys style with forgetting", fontsize=11)
plt.show()

# %% [markdown]
# 85 %, and for the firm about 70 % (rank 4, 100 steps, one rate for each method, one seed for the firm). The publisher wants another form for words that the model knows; the firm's words are new to it.
#
# And LoRA forgets the old plays nearly as much (in the figure, lower is better): for the publisher 0.8 to 1.1 nats, by the seed, where full fine-tuning forgets 1.0. Training few numbers is no protection by itself. The paper *LoRA learns less and forgets less* (below) says more; 17.12 looks again.

# %% [markdown]
# ## 17.9 What does the adapter cost in use?
#
# $x W + s\,(xA)B = x\,(W + s A B)$: after training, the product can be added to $W$. The adapter is gone, and with it the extra work. With a *volume* $v$ it is $W + v\,s A B$: 0 gives the published model, 1 the customer's.
#
# ### Exercise 17.9 · merge (3 min)
# Return that matrix as an array. `layer.scale` is $s$. `layer.dense.kernel`, `layer.A` and `layer.B` are Keras variables; `ops.convert_to_numpy` makes arrays of them.

# %% tags=["exercise"]
def merge_lora(layer, volume=1.0):
    """The (d_in, d_out) matrix of a plain layer that answers as this LoRA layer."""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("17.9", "merge"):
    for d_in_t, d_out_t, rank_t, scale_t in [(4, 3, 2, 2.0), (3, 6, 1, 0.5)]:
        lora_t = LoRA(layers.Dense(d_out_t), rank_t, scale_t)
        x_t = np.random.default_rng(0).normal(size=(5, d_in_t)).astype(np.float32)
        lora_t(x_t)
        rng_t = np.random.default_rng(1)
        A_t = rng_t.normal(size=(d_in_t, rank_t))
        B_t = rng_t.normal(size=(rank_t, d_out_t))
        lora_t.A.assign(A_t), lora_t.B.assign(B_t)
        W_t = ops.convert_to_numpy(lora_t.dense.kernel).copy()
        for volume_t in (1.0, 0.0, 0.5, -1.0):
            got_t = merge_lora(lora_t, volume_t)
            assert np.shape(got_t) == (d_in_t, d_out_t), f"shape {np.shape(got_t)}"
            np.testing.assert_array_equal(ops.convert_to_numpy(lora_t.dense.kernel),
                                          W_t, "the layer must stay as it is")
            np.testing.assert_allclose(
                np.asarray(got_t), W_t + volume_t * scale_t * A_t @ B_t, atol=1e-5,
                err_msg=f"volume {volume_t}, scale {scale_t}")
        np.testing.assert_allclose(
            np.asarray(merge_lora(lora_t)), W_t + scale_t * A_t @ B_t, atol=1e-5,
            err_msg="without a volume")

# %% [markdown]
# <details><summary>Hint</summary>
#
# Make arrays of all three first; `@` then multiplies two of them.
# </details>

# %% tags=["solution", "keep"] lesson="pretrained"
#@title Solution 17.9 · runs only while yours does not pass
if not solved("17.9"):
    def merge_lora(layer: LoRA, volume: float = 1.0) -> np.ndarray:
        """The matrix of a plain dense layer that answers as this LoRA layer."""
        W, A, B = (ops.convert_to_numpy(w)
                   for w in (layer.dense.kernel, layer.A, layer.B))
        return W + volume * layer.scale * A @ B  # (d_in, d_out)

# %% tags=["plumbing"]
#@title Plumbing: the matrices of a whole model
def merge_into(plain: GPT, model: GPT, volume: float = 1.0) -> None:
    """The plain model answers as the adapted one from now on."""
    for block, other in zip(plain.blocks, model.blocks):
        for name in ("into", "out"):
            layer = getattr(other.attention, name)
            getattr(block.attention, name).kernel.assign(merge_lora(layer, volume))


# %%
thin.model.set_weights(kept["publisher", thin.name])
merged = load(small.config, small_tensors)
merge_into(merged, thin.model)
difference = np.abs(merged(few).numpy() - thin.model(few).numpy()).max()
print(f"largest difference of a logit: {difference:.1e}")

# %% tags=["evidence"]
#@title Evidence: merged logits are equal, and so are those of the file that you hand over
claim("difference of a logit, merged and not, over the largest logit",
      difference / np.abs(merged(few).numpy()).max(), at_most=1e-5)
file = Path(folder.name) / "model.safetensors"
file.write_bytes(witness.written(
    {name: variable.numpy() for name, variable in slots(merged).items()}))
back = load(small.config, read_tensors(file.read_bytes()))
claim("largest difference of a logit after writing and reading the file",
      np.abs(back(few).numpy() - merged(few).numpy()).max(), at_most=0)
claim("largest difference of a logit, NumPy's from that file",
      np.abs(witness.logits(file.read_bytes(), small.config, few[0])
             - merged(few).numpy()[0]).max(), at_most=1e-4)

# %% [markdown]
# **Predict.** Merge at volume 0.5. How much is left of the publisher's gain, and how much of the forgetting? (a) a half of each · (b) a third of the gain, two thirds of the forgetting · (c) three quarters of the gain, a fifth of the forgetting

# %% tags=["plumbing"]
#@title Plumbing: what the volumes of the adapter do
VOLUMES = by_profile(quick=(0.0, 1.0), standard=(0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5),
                     full=(0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5))
merged_nats = scorer(merged)
at_volume = {}  # volume -> nats of the publisher's text, of the old plays
for volume in VOLUMES:
    merge_into(merged, thin.model, volume)
    at_volume[volume] = (merged_nats(texts_for["publisher"][1]).mean(),
                         merged_nats(small_old).mean())
merge_into(merged, thin.model)

# %% tags=["evidence"]
#@title Evidence: gain and forgetting at each volume
for volume, (own, old) in at_volume.items():
    print(f"volume {volume:<4} gains {at_volume[0.0][0] - own:.2f}, "
          f"forgets {old - at_volume[0.0][1]:.2f} nats")

# %% tags=["figure"]
#@title Figure: Turn the new style up, and the old one gets dearer
fig, ax = plt.subplots(figsize=(6.4, 3))
for column, style, label in ((0, "-", "publisher's text"), (1, "--", "old plays")):
    ax.plot(list(at_volume), [row[column] for row in at_volume.values()], style,
            marker="o", ms=4, label=label)
ax.set(title="Turn the new style up, and the old one gets dearer", xlabel="volume",
       ylabel="nats per token")
ax.legend()
plt.show()

# %% [markdown]
# (c), with this adapter (the first seed's). At 0.75 the publisher's text costs hardly more than at 1, and about half of the forgetting is gone, without any training.

# %% [markdown]
# ## 17.10 Which do you ship?
#
# All weights, or the adapter? Decide for each customer, by the figures of 17.8 and by bytes, and write it down.

# %% tags=["evidence"]
#@title Evidence: bytes for each customer, in float32
for student, numbers in ((everything, whole), (thin, trained)):
    print(f"{student.name:<12} {4 * numbers / 1e3:>7,.0f} kB for each customer, "
          f"{8 * numbers / 1e3:>7,.0f} kB of AdamW's averages in training")
gpt2_adapter = 12 * RANK * ((768 + 2304) + (768 + 768))
print(f"GPT-2: {4 * 124_439_808 / 1e6:,.0f} MB against {4 * gpt2_adapter / 1e6:.1f} "
      f"MB, {gpt2_adapter / 124_439_808:.2%} of the weights")

# %% [markdown]
# Now the test texts are opened, once. The publisher's is another play than the one it learned from.
#
# **Predict.** Full fine-tuning beats LoRA on the test (a) for both customers, beyond chance · (b) for the firm only · (c) for neither

# %% tags=["plumbing"]
#@title Plumbing: a difference in pairs, over pieces of 100 tokens
def paired(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """95 % interval for the mean of a - b; losses of the same tokens, (n,) each."""
    size = 100 if len(a) > 1_000 else 20
    gains = (a - b)[: len(a) // size * size].reshape(-1, size).mean(axis=1)
    half = 1.96 * gains.std(ddof=1) / math.sqrt(len(gains))
    return gains.mean() - half, gains.mean() + half


# %% tags=["evidence"]
#@title Evidence: the test texts, opened once
final = {}  # (customer, method) -> losses on the test text
for customer, (_, _, test_ids) in texts_for.items():
    everything.model.set_weights(everything.begin)
    final[customer, "published"] = everything.nats(test_ids)
    for student in (everything, thin):
        student.model.set_weights(kept[customer, student.name])  # of the first seed
        final[customer, student.name] = student.nats(test_ids)
    print(customer, {name: round(float(losses.mean()), 2)
                     for (who, name), losses in final.items() if who == customer})
    low, high = paired(final[customer, thin.name], final[customer, everything.name])
    print(f"  LoRA costs {low:+.2f} to {high:+.2f} nats more")

# %% tags=["evidence"]
#@title Evidence: where LoRA is behind at the publisher: brackets, names, or elsewhere?
opens, closes = (small_bpe.encode(mark)[0] for mark in "[]")
speakers = [set(re.findall(r"\[(.*?)\]", small_bpe.decode(ids)))
            for ids in texts_for["publisher"]]


def kinds_of(ids: np.ndarray) -> np.ndarray:
    """What each token belongs to. (n,) -> (n,) of str"""
    kinds, ends = np.full(len(ids), "the rest", object), np.flatnonzero(ids == closes)
    for start in np.flatnonzero(ids == opens):
        end = min(ends[ends > start], default=len(ids))
        known = small_bpe.decode(ids[start + 1 : end]) in speakers[0]
        kinds[start + 1 : end] = f"speakers that were {'' if known else 'not '}learned"
    kinds[ids == opens], kinds[ids == closes] = "[", "]"
    return kinds


for student in (everything, thin):
    student.model.set_weights(kept["publisher", student.name])
for what, ids in zip(("validation", "test"), texts_for["publisher"][1:]):
    behind = thin.nats(ids) - everything.nats(ids)
    kinds = kinds_of(ids)[-len(behind) :]
    print(f"{what} text: LoRA is behind by {behind.mean():.2f} nats a token, that is")
    for kind in sorted(set(kinds)):
        here = kinds == kind
        print(f"  {behind[here].sum() / len(behind):+.2f} at {kind} ({here.mean():.0%} "
              f"of the tokens)")

# %% tags=["evidence"]
#@title Evidence: what this notebook promises
judged = REAL and profile() != "quick"
for customer in CUSTOMERS:
    for student in (everything, thin):
        low, _ = paired(final[customer, "published"], final[customer, student.name])
        claim(f"{customer}, {student.name}: nats surely saved on the test", low,
              at_least=0.1, applies=judged)

# %% [markdown]
# (a), with the first seed's weights; but look at the sizes. The firm pays more than a nat for the adapter. The publisher pays about 0.1, and each method saved it about 2. On the test text the two brackets make up the whole difference. On the validation text LoRA was further behind, a quarter of it at speakers that full fine-tuning had learned.
#
# By these numbers you could defend the adapter for the publisher. Before you ship, read what the four write.

# %% tags=["evidence"]
#@title Evidence: what each of the four models writes
openings = {"publisher": "[Petruchio] Good morrow, sir.\n",
            "firm": "Parameters\n----------\n"}
cool = sampler(0.7, top_p=0.95)
for student in (everything, thin):
    pen = writer(student.model, cool)
    for customer, opening in openings.items():
        student.model.set_weights(kept[customer, student.name])
        row = np.array(small_bpe.encode(opening), np.int32)[None]
        new = pen(row, 45, np.random.default_rng(0))[0]
        print(f"{customer:<9} {student.name:<12} {opening + small_bpe.decode(new)!r}")

# %% tags=["evidence"]
#@title Evidence: where a bracket comes next, what does each model of the publisher expect?
T_small = small.config["n_positions"]
val_ids = texts_for["publisher"][1]
windows = val_ids[: len(val_ids) // T_small * T_small].reshape(-1, T_small)[:32]
E = small_tensors["wte.weight"].astype(float)
E /= np.linalg.norm(E, axis=1, keepdims=True)
cosines = E @ E.T  # (V, V)
alike = np.isin(np.arange(len(E)), strange)
print("mean cosine of two token vectors: "
      f"{cosines[np.ix_(alike, alike)].mean():.2f} for bytes never read, "
      f"{cosines[np.ix_(~alike, ~alike)].mean():.2f} for others")
for student in (everything, thin):
    student.model.set_weights(kept["publisher", student.name])
    p = ops.convert_to_numpy(ops.softmax(student.model(windows)))[:, :-1]
    p = p[windows[:, 1:] == opens]  # (places, V)
    first, unread = (p.argmax(1) == opens).mean(), p[:, strange].sum(1).mean()
    print(f"{student.name:<12} bracket {p[:, opens].mean():.0%}; all {len(strange)} "
          f"bytes never read, the bracket among them, {unread:.0%}; "
          f"the bracket comes first at {first:.0%} of {len(p)} places")

# %% [markdown]
# Where a bracket belongs, the publisher's adapter writes stray bytes. Nine times in ten it expects *some* byte that the published model never read. The bracket is its first choice at every place, but with less than 10 %: the other 190 share the rest. Whoever draws gets a stray byte; a greedy search gets the bracket. The token vectors of these bytes are nearly the same, and LoRA leaves them frozen. With all weights the bracket has nine tenths, and temperature and top-p cut off the rest. The mean over all tokens hid it.
#
# So for this publisher, ship all weights. For the firm nothing is fit to ship: all weights save a nat more, but none of the texts reads as documentation yet.
#
# Can a style be taught without a copy of all weights, then? Here, as far as it is made of what the model had read.

# %% [markdown]
# ## 17.11 What does Keras' own switch do? ◇
#
# Every `Dense` layer of Keras has LoRA built in: `layer.enable_lora(rank)`. It adds `lora_kernel_a` and `lora_kernel_b` and freezes the kernel; its scale is `lora_alpha / rank`, with `lora_alpha = rank` unless you say otherwise.
#
# **Predict.** A layer of 6 → 10 gets `enable_lora(2)`. How many numbers still learn: 32, 42 or 102?

# %%
keras.utils.set_random_seed(0)
dense = layers.Dense(10)
x_small = np.random.default_rng(0).normal(size=(3, 6)).astype(np.float32)
dense(x_small)
dense.enable_lora(2)
print(size_of(dense.trainable_variables), [w.name for w in dense.trainable_variables])

# %% tags=["evidence"]
#@title Evidence: with the same A, B and scale it answers as our layer
A_small, B_small = (np.random.default_rng(i).normal(size=shape)
                    for i, shape in ((1, (6, 2)), (2, (2, 10))))
plain_dense = layers.Dense(10)
ours = LoRA(plain_dense, rank=2, scale=3.0)
ours(x_small)
scaled = layers.Dense(10)
scaled(x_small)
scaled.enable_lora(2, lora_alpha=6.0)  # 6 / rank = 3
for A_of, B_of in ((ours.A, ours.B), (scaled.lora_kernel_a, scaled.lora_kernel_b)):
    A_of.assign(A_small), B_of.assign(B_small)
plain_dense.set_weights([ops.convert_to_numpy(scaled._kernel), np.zeros(10)])
claim("largest difference between enable_lora and our layer",
      np.abs(ops.convert_to_numpy(ours(x_small))
             - ops.convert_to_numpy(scaled(x_small))).max(), at_most=1e-4)

# %% tags=["evidence"]
#@title Evidence: saved and loaded, the adapter never learns again
stack = keras.Sequential([dense])
stack(x_small)
dense.lora_kernel_b.assign(np.ones((2, 10)))  # as if it had learned
stack.save(Path(folder.name) / "stack.keras")
loaded = keras.models.load_model(Path(folder.name) / "stack.keras")
pair = loaded.layers[0].lora_kernel_a, loaded.layers[0].lora_kernel_b
claim("difference of an answer, saved and loaded",
      np.abs(loaded(x_small).numpy() - stack(x_small).numpy()).max(), at_most=1e-6)
for moment in ("loaded", "after three steps"):
    print(f"{moment}: largest number of A and B",
          *[np.abs(ops.convert_to_numpy(matrix)).max() for matrix in pair])
    loaded.compile("sgd", "mse", run_eagerly=True)
    for _ in range(3):
        loaded.train_on_batch(x_small, np.zeros((3, 10)))

# %% [markdown]
# 42: the bias goes on learning. A merged file must then carry the new bias too. A fixed `lora_alpha` with a larger rank makes the scale smaller.
#
# Call `enable_lora` once, on a layer that has its weights. For a whole model, freeze everything first; then visit the `Dense` layers, which may stand inside blocks, as ours do. KerasHub's `backbone.enable_lora(rank)` does both, for query and value.
#
# And a trap: Keras merges when it saves, and sets $A$ and $B$ to 0 when it loads. The answers are the same; but with both at 0, the loaded adapter never learns again (17.7).

# %% [markdown]
# ## 17.12 Is it the rank or the rate? ◇
#
# 17.8 compared two methods at one rate each. Turn both knobs for the firm, which was far away.
#
# **Predict.** Give full fine-tuning a third of its rate: then it forgets less of the old plays. Is it still ahead of LoRA on the firm's text, and does it forget less than LoRA: both, one of the two, or neither?

# %% tags=["plumbing"]
#@title Plumbing: another rank, another rate
def told_of(student: Student, own: float, old: float) -> str:
    return (f"{student.name:<13} rate {student.peak:g}: firm {own:.2f}, "
            f"forgets {old - untaught['old plays'].mean():.2f}")


def turned(kind: str, rank: int, peak: float) -> str:
    student = (thin_student(rank, peak) if kind == "LoRA"
               else Student(load(small.config, small_tensors), peak, "all weights"))
    return told_of(student, *student.teach("firm", seed=0))


# %%
TURNED = by_profile(
    quick=(),
    standard=(("LoRA", 4, 3e-3), ("LoRA", 16, 1e-2), ("all", 0, 3e-4)),
    full=(("LoRA", 1, 1e-2), ("LoRA", 16, 1e-2), ("LoRA", 4, 3e-3), ("LoRA", 4, 3e-2),
          ("LoRA", 16, 3e-2), ("all", 0, 3e-4), ("all", 0, 3e-3)))

for student in (thin, everything):  # as in 17.8
    print(told_of(student, *prices["firm", student.name][0]))
for knobs in TURNED:
    print(turned(*knobs))

# %% [markdown]
# Both. Biderman and others (2024) found, with models of 7 billion weights, that LoRA learns less and forgets less. So it does here at the rates of 17.8. But full fine-tuning at a third of its rate beats rank 4 on both counts, at either of LoRA's rates: it forgets less, and is ahead by 0.4 nats or more. Rank 16 wins back some of what rank 4 lost, and forgets more.
#
# So here the rate decides more than the method what is forgotten, and a comparison at one rate each (17.8) is a comparison of two points. One seed and 100 steps: a first look, no law.

# %% [markdown]
# ## 17.13 Is the change of full fine-tuning thin? ◇
#
# LoRA assumes that a thin $\Delta W$ is enough. Full fine-tuning was free to choose. Take its $\Delta W$ for `c_attn` of each block, and its singular values: if four of them held nearly all of it, rank 4 would lose little.
#
# **Predict.** The four largest singular values of $\Delta W$ (96 × 288) hold which share of its sum of squares, for the publisher: 4 %, 40 % or 90 %?

# %%
def changes_of(customer: str) -> list[np.ndarray]:
    """Singular values of what full fine-tuning added to c_attn, per block."""
    everything.model.set_weights(kept[customer, everything.name])
    after = [block.attention.into.kernel.numpy() for block in everything.model.blocks]
    names = [f"h.{i}.attn.c_attn.weight" for i in range(len(after))]
    return [np.linalg.svd(W - small_tensors[name].astype(float), compute_uv=False)
            for W, name in zip(after, names)]


spectra = {customer: changes_of(customer) for customer in CUSTOMERS}
for customer, values in spectra.items():
    shares = [np.sum(v[:4] ** 2) / np.sum(v**2) for v in values]
    print(customer, "four largest hold", *[f"{share:.0%}" for share in shares])

# %% tags=["figure"]
#@title Figure: The change is not of rank 4, and falls off slowly
fig, ax = plt.subplots(figsize=(6, 2.8))
for (customer, values), style in zip(spectra.items(), ("-", "--")):
    held = np.mean([np.cumsum(v**2) / np.sum(v**2) for v in values], axis=0)
    ax.plot(np.arange(1, len(held) + 1), held, style, label=f"the {customer}")
ax.axvline(RANK, color=plotting.GRAY, linestyle=":", label=f"rank {RANK}")
ax.set(title="The change is not of rank 4, and falls off slowly", ylim=(0, 1.02),
       xlabel="singular values, largest first", ylabel="share of the sum of squares")
ax.legend(loc="center right")
plt.show()

# %% [markdown]
# About 40 %: between 38 and 49 in each block, after 100 steps. So LoRA does not copy this change, it finds another one that is thin, and serves the publisher nearly as well. That free training spreads its change over many directions does not show that it needs them.

# %% [markdown]
# ## 17.14 And the real GPT-2? ◇
#
# Set `REAL_WEIGHTS = True` in 17.2 and run sections 17.2 to 17.5 again: the same cells read the real file. Plan for several gigabytes of memory: the file, its tensors, our model and KerasHub's stand side by side. From the command line, `python -m course_utils data fetch gpt2` brings the four files, 550 MB, and compares each file with its published checksum. What happens without a network?

# %%
def without_network() -> str:
    """The line that a reader gets who asks for GPT-2 when nothing may be fetched."""
    before = os.environ.get("COURSE_OFFLINE")
    os.environ["COURSE_OFFLINE"] = "1"
    try:
        data.fetch("gpt2")
        return "GPT-2 is here already."
    except data.DataError as error:
        return f"{error} Until then: {data.registry['gpt2'].stand_in}."
    finally:
        os.environ.pop("COURSE_OFFLINE")
        if before is not None:
            os.environ["COURSE_OFFLINE"] = before


print(without_network())

# %% [markdown]
# The loader says so in one line and goes on with the small model. Document 5's program ends in an error of the library.
#
# **Predict.** GPT-2 in float32 takes how much memory for its weights, and how much for full fine-tuning with AdamW, without the activations: 0.5 and 1 GB, 0.5 and 2 GB, or 2 and 8 GB?

# %%
def parameters(vocabulary: int, context: int, depth: int, width: int) -> int:
    block = 12 * width**2 + 13 * width  # four matrices with biases, two norms
    return (vocabulary + context) * width + depth * block + 2 * width


GPT2_SIZES = {"gpt2": (12, 768), "gpt2-medium": (24, 1024), "gpt2-large": (36, 1280),
              "gpt2-xl": (48, 1600)}
for name, (depth, width) in GPT2_SIZES.items():
    n = parameters(50_257, 1024, depth, width)
    print(f"{name:<12} {n:>13,} weights: {4 * n / 1e9:.1f} GB, "
          f"full fine-tuning {16 * n / 1e9:.1f} GB")

# %% tags=["evidence"]
#@title Evidence: the count is that of the published figures and of our own model
claim("distance from 124,439,808", abs(parameters(50_257, 1024, 12, 768) - 124_439_808),
      at_most=0)
counted = parameters(*(small.config[key] for key in
                       ("vocab_size", "n_positions", "n_layer", "n_embd")))
claim("distance from our small model's count", abs(whole - counted), at_most=0)

# %% [markdown]
# Weights, gradients and two averages: 16 bytes a weight. Document 5 (5.2) calls its program a large-scale system; it loads the smallest of the four, which by its own count of billions (2.1) is no large model.
#
# Document 5 needs PyTorch and Hugging Face's Transformers, which Document 2 (7.2) recommends for language, too. Since its version 5 that library has no TensorFlow classes; in Keras the ways are KerasHub or your own loader. Once it draws, the program also needs a seed, and, for prompts of different lengths together, a mask that hides the padding.
#
# What a product team should ask before it builds on a published model: which license (GPT-2: modified MIT), which texts has it read, until when, in which languages? Is the file the published one: who checks its sum? Which number did *we* measure on our own text? What happens to old skills after fine-tuning, and who tests them? Document 2 (6.1) praises GPT-3 for generation, translation and answers at once: three tasks, which need three measurements. Document 5 (5.3) counts the choice of a model among the key technologies of a start-up; none of these questions is in it.

# %% [markdown]
# ## 17.15 What does a longer run buy? ◇
#
# In the *full* profile each method trains for 300 steps on twice the batch.
#
# **Predict.** On the publisher's validation text, full fine-tuning then leads LoRA by a few hundredths of a nat. On the test text, another play, (a) it leads as after 100 steps, by about 0.1 · (b) it leads by more · (c) LoRA leads

# %% tags=["plumbing"]
#@title Plumbing: the figures of this run, kept by the full profile
results = {
    "steps": STEPS, "share trained": trained / whole,
    "published": {name: float(losses.mean()) for name, losses in untaught.items()},
    "prices": {f"{customer}, {name}": rows.tolist()
               for (customer, name), rows in prices.items()},
    "test": {f"{customer}, {name}": float(losses.mean())
             for (customer, name), losses in final.items()},
    "merged": float(difference)}

# %%
full = full_results("17")
runs = {"this run": results} | ({"full": full} if full else {})
for name, facts in runs.items():
    print(f"{name}, {facts['steps']} steps; nats per token:")
    for what, nats in facts["test"].items():
        own = [row[0] for row in facts["prices"].get(what, ())]  # one for each seed
        decided = f", validation {np.mean(own):.2f}" if own else ""
        print(f"  {what:<24} test {nats:.2f}{decided}")

# %% [markdown]
# (c), in the full profile's run (the test with one seed's weights). All weights went on to learn the play that they trained on, and paid for it on the other play; on the firm's pages, whose three parts are alike, they lead as before. So 17.10 holds for 100 steps. The validation text, from the play of the training, could not warn: take it from what the model will meet.

# %% [markdown]
# ## Open task: a customer of your own
#
# Take 50,000 characters that you may use, split them before you look, and choose rank and rate on the second part. Defend one sentence: how many nats per token, on what, at which price for the old plays? Or train the token vectors beside the adapters: do the brackets come, and what do the old plays and the test text cost then?

# %% [markdown]
# ## Recall
#
# <details><summary>A program asks for <code>max_length=50</code>, and the prompt has 29 tokens. How many new ones come, and what should it say instead?</summary>
#
# 21. It should name the number of *new* tokens, and cut a long prompt at its beginning.
# </details>
#
# <details><summary>Why is a text that reads well no proof that weights were loaded rightly?</summary>
#
# A slip may cost a few tenths of a nat, and without another loader you don't know the right price. Compare logits with an independent program.
# </details>
#
# <details><summary>A file holds <code>h.0.attn.bias</code> of shape (1, 1, 1024, 1024). Which layer gets it?</summary>
#
# None: it is the causal mask.
# </details>
#
# <details><summary>LoRA of rank 8 beside a matrix 1000 × 1000: how many numbers, which share?</summary>
#
# $8 \cdot 2000 = 16{,}000$ of a million: 1.6 %.
# </details>
#
# <details><summary>Why does $B$ start at 0, and why not $A$ as well?</summary>
#
# With $B = 0$ the model starts as published. With both at 0, both gradients are 0 for good.
# </details>

# %% [markdown]
# ## Summary
#
# 1. Say how many new tokens you want; the same sentence costs more of them in Chinese.
# 2. A safetensors file is a length, a JSON text and numbers. It runs no code.
# 3. A loader is right when its logits equal those of another program, not when it writes well.
# 4. Fine-tuning forgets what the new text doesn't ask for. So does LoRA, but its change can be turned down, or taken out, without a second copy of the model.
# 5. The further a customer is from what the model knows, the more a thin change may lose. Measure it, and read what it writes.
#
# **Read this next:** E. Hu and others, *LoRA: Low-rank adaptation of large language models*, ICLR 2022. D. Biderman and others, *LoRA learns less and forgets less*, TMLR 2024. A. Radford and others, *Language models are unsupervised multitask learners*, OpenAI, 2019.
#
# Notebook [[transfer_learning]] does the same with images; notebook [[from_model_to_assistant]] for answers.
