# ---
# jupyter:
#   course:
#     datasets: [library_docs]
#     covers: "What \"large\" means: parameters counted from published shapes, memory, training compute, scaling laws fitted to measured points, energy and cost."
#     prerequisites: [start_here]
#     ledger: [D1-0-b, D1-1-b, D1-1-c, D1-2-a, D1-3.3-c, D1-6.1-b, D1-8.1-a, D1-8.2-a, D1-8.3-a,
#       D2-1-a, D2-1-b, D2-5.2-c, D2-9-a, D2-9-d,
#       D3-1-a, D3-1-b, D3-5.2-c, D3-9.1-a, D3-9.3-a, D3-9.4-a,
#       D4-0-a, D4-1-a, D4-2.1-a, D4-5.2-c,
#       D5-1-a, D5-1-b, D5-1-c, D5-2-a, D5-2.1-a, D5-2.1-b, D5-5.2-f, D5-8-a, D5-8-b, D5-9.1-a]
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
# # What is a large model?
#
# Five articles call a model *large*, and mean anything from 55,050 numbers to trillions. Here you count: what a model is
# made of, what it occupies, what it costs to train, and what more size buys.
#
# **You will be able to**
# - count the parameters of an MLP, a ResNet, BERT, ViT, GPT-2 and GPT-3 from their published shapes, and find a mistake in a famous paper;
# - turn a count into memory, for using a model and for training it;
# - derive the rule *training costs 6ND operations*, and say where it fails;
# - fit a scaling law to models that you trained, and test it on larger ones;
# - turn operations into energy and money, with honest ranges.

# %% tags=["setup"]
import matplotlib.pyplot as plt
import numpy as np

from course_utils import by_profile, check, claim, devices, plotting, profile, solved

plotting.use_style()
rng = np.random.default_rng(0)

# %% [markdown]
# ## 1.1 How large is large?
#
# A *neural network* (神经网络) is a formula with adjustable numbers in it. The adjustable numbers are its *parameters* (参数); *training* (训练)
# sets them from examples, and afterwards they stay. Start with the smallest: it predicts a price from a size and an age.

# %% tags=["nbval-check-output"]
weights, bias = np.array([3.0, -1.5]), 20.0  # what training would have to find
size_and_age = np.array([80.0, 12.0])
print("prediction:", size_and_age @ weights + bias)  # 80 * 3 + 12 * (-1.5) + 20
print("parameters:", weights.size + 1)

# %% [markdown]
# Two *weights* (权重), which multiply, and one *bias* (偏置), which is added: 3 parameters. How many make a model large (大模型)? The five articles that
# the course follows (notebook [[start_here]], 0.10) define it five times: Documents 1, 3 and 5 in their chapters 2, 1 and 2.1, Documents 2 and 4 in chapter 1. Lay their ranges beside the printed sizes of some famous models.

# %%
# read generously: "billions" begins at 1e9, "hundreds of billions" ends at 1e12
DEFINITIONS = {"Document 1": (1e9, 1e13), "Document 2": (1e9, 1e13),
               "Document 3": (1e9, 1e12), "Document 4": (1e8, 1e12),
               "Document 5": (1e9, 1e12)}
PRINTED = {"Document 4's\nMNIST network": 55_050, "ResNet-152": 60.2e6, "ViT-B": 86e6,
           "BERT-base": 110e6, "BERT-large": 340e6, "GPT-2 XL": 1542e6, "GPT-3": 175e9}

fig, ax = plt.subplots(figsize=(7.6, 4))
for row, (name, (low, high)) in enumerate(DEFINITIONS.items()):
    ax.barh(row, high - low, left=low, color=plotting.SKY, alpha=0.6)
    ax.text(high * 1.3, row, name, va="center")
for i, (name, parameters) in enumerate(PRINTED.items()):
    ax.axvline(parameters, color=plotting.BLUE, lw=1, ls=":")
    ax.text(parameters, -1.0 - 0.75 * (i % 4), name, ha="center", va="center",
            fontsize=8, bbox={"fc": "white", "ec": "none", "pad": 1})
ax.set(xscale="log", xlim=(1e4, 1e15), ylim=(4.6, -3.9), yticks=[],
       xlabel="parameters", title="Five documents give three ranges for “large”")
plt.show()

# %% tags=["nbval-check-output"]
for name, parameters in PRINTED.items():
    large_by = sum(low <= parameters < high for low, high in DEFINITIONS.values())
    name = " ".join(name.split())
    print(f"{name:27} {parameters:>15,.0f}   large by {large_by} of 5")

# %% [markdown]
# Documents 1, 2 and 5 name BERT as a large model (all in chapter 1), and 1 and 5 ViT: by their own ranges neither is one. Only GPT-2's largest version, XL, and GPT-3, a hundred times as large again,
# satisfy all five. No threshold is right, because none exists: what was large in 2018 is small now. Trillions (Documents 1 and 2) are reached
# mostly by *sparse* models (稀疏模型), such as Switch Transformer with 1.6 trillion (Fedus et al., 2021), in which each piece of text uses a small part of the parameters.
#
# What is useful instead is a description, and a number beside it. A *foundation model* (基础模型) is trained once on broad data at scale, mostly without labels made
# by people, and then adapted to many tasks (Bommasani et al., 2021). High precision, which Document 5 puts into its definition (chapter 1), is a result to be measured,
# not a part of it. So whenever somebody says *large*, ask: how many parameters, how much data, how much compute? The rest of this notebook answers the three.
#
# **A baseline you can touch.** A parameter is a number in memory. In *float32* (单精度) it takes 32 bits, 4 *bytes* (字节); in *bfloat16* 2 bytes, with fewer digits; in *int8*
# one byte, after rounding to 256 steps (notebook [[compression]]). GB is $10^9$ bytes here.

# %% tags=["nbval-check-output"]
million = np.zeros(1_000_000, dtype=np.float32)
print(f"a million float32 numbers: {million.nbytes / 1e6:.0f} MB")

BYTES = {"float32": 4, "bfloat16": 2, "int8": 1}
LAPTOP = 16e9  # bytes of memory; put in your own
for name, size in BYTES.items():
    print(f"{name:9} {LAPTOP / size / 1e9:4.0f} billion numbers fill a 16 GB laptop")

# %% tags=["figure"]
#@title Figure: Of these seven only GPT-3 does not fit a 16 GB laptop
fig, ax = plt.subplots(figsize=(6.8, 3.4))
totals = np.array(list(PRINTED.values()))
for (name, size), marker in zip(BYTES.items(), "os^"):
    ax.plot(totals * size / 1e9, range(len(totals)), marker, label=name)
ax.axvline(LAPTOP / 1e9, color=plotting.RED, ls="--")
ax.text(LAPTOP / 1e9 * 0.7, 0, "a laptop's 16 GB", color=plotting.RED, ha="right")
ax.set_yticks(range(len(totals)), [" ".join(name.split()) for name in PRINTED])
ax.set(xscale="log", xlabel="weights, GB",
       title="Of these seven only GPT-3 does not fit a 16 GB laptop")
ax.legend(loc="upper left")
plt.show()

# %% [markdown]
# The axis is logarithmic: each step to the right is a factor of ten. GPT-2 XL takes 6 GB in float32; GPT-3's 175 billion take 700 GB, and 175 GB even in int8.
# That is the first practical meaning of *large*: does it fit? (To *use* it. Training needs several times as much: section 1.6.)

# %% [markdown]
# ## 1.2 A model is a list of shapes: dense layers
#
# A network is built of *layers* (层); each has arrays of parameters with a fixed shape. To count a model, list the shapes, multiply, add. The *dense* layer (全连接层)
# of notebook [[start_here]] joins $d_\text{in}$ values to $d_\text{out}$ values: a weight array $(d_\text{in}, d_\text{out})$ and a bias array $(d_\text{out},)$.
# A stack of them is a *multilayer perceptron*, MLP (多层感知机; notebook [[neurons_and_layers]]).

# %% tags=["nbval-check-output"]
from math import prod

Shape = tuple[int, ...]


def count(shapes: list[Shape]) -> int:
    """Number of parameters in arrays of these shapes."""
    return sum(prod(shape) for shape in shapes)


def dense(d_in: int, d_out: int, bias: bool = True) -> list[Shape]:
    return [(d_in, d_out)] + [(d_out,)] * bias


mlp = dense(784, 300) + dense(300, 100) + dense(100, 10)  # 784 = 28 × 28 pixels
print(mlp)
print([prod(shape) for shape in mlp], "->", f"{count(mlp):,}")


# %% [markdown]
# This MLP is *LeNet-300-100*, which reads handwritten digits. A later paper prints its size as 267K (Han et al., 2015, Table 1). Ours must agree within 1 %:

# %%
def difference(counted: float, printed: float) -> float:
    """Relative difference from the printed total."""
    return abs(counted - printed) / printed


claim("LeNet-300-100 against 267K, difference",
      difference(count(mlp), 267e3), at_most=0.01)

# %% [markdown]
# ### Exercise 1.2 · spot the bug: "large-model training" (5 min)
# Documents 3 and 4 print a program that reads handwritten digits and call it *large-model training* (大模型训练; both in 5.2). Document 3's network, like the one in Document 2, 5.2, has 784 inputs,
# one hidden layer of 128 units and 10 outputs; Document 4's has two hidden layers of 64. Count them:

# %% tags=["nbval-check-output"]
one_layer = dense(784, 128) + dense(128, 10)
two_layers = dense(784, 64) + dense(64, 64) + dense(64, 10)
print(f"784-128-10:   {count(one_layer):,} parameters")
print(f"784-64-64-10: {count(two_layers):,} parameters")


# %% [markdown]
# Nothing is wrong with the programs' networks (notebook [[project_mnist]] trains them). The bug is the name: ten thousand times too small for the "billions" of Document 3, chapter 1. How many hidden
# units would a 784-$h$-10 network need to deserve it? Return the smallest $h$ that gives at least `target` parameters.

# %% tags=["exercise"]
def smallest_width(target: int) -> int:
    """Fewest hidden units h for which a 784-h-10 network has >= target parameters."""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("1.2", "how wide is large?"):
    assert smallest_width(805) == 1, "one unit: 784 + 1 + 10 + 10 = 805 parameters"
    assert smallest_width(101_770) == 128, "784-128-10 has exactly 101,770 parameters"
    assert smallest_width(101_771) == 129, "one more does not fit into 128 units"
    for target_t in (806, 55_050, 10**6, 10**9):
        h_t = smallest_width(target_t)
        assert 795 * h_t + 10 >= target_t, f"{h_t} units are too few for {target_t:,}"
        assert 795 * (h_t - 1) + 10 < target_t, f"{h_t - 1} units do for {target_t:,}"

# %% [markdown]
# <details><summary>Hint</summary>
#
# Each hidden unit brings 784 weights in, one bias, 10 weights out. What is left over?
# </details>
# A billion parameters take more than a million hidden units. Would they read digits better? No count can say: that is measured on new images (notebook [[training_deep_networks]]). What a count does say is that every image would cost ten thousand times the work.

# %% tags=["solution"]
#@title Solution 1.2 · runs only while yours does not pass
if not solved("1.2"):
    def smallest_width(target):
        return -(-(target - 10) // 795)  # 795 h + 10 >= target, rounded up


# %% [markdown]
# ## 1.3 Convolutions: ResNet-152
#
# For images, a dense layer wastes parameters: it learns a separate weight for every pair of pixels. A *convolution* (卷积; notebook [[convolution]]) slides one small
# window of weights over the image, the same everywhere. With a $k \times k$ window, $c_\text{in}$ *channels* (通道: numbers per pixel, such as red, green, blue)
# in and $c_\text{out}$ out, its weights have the shape $(k, k, c_\text{in}, c_\text{out})$, whatever the size of the image.

# %% tags=["nbval-check-output"]
def conv(k: int, c_in: int, c_out: int, bias: bool = True) -> list[Shape]:
    return [(k, k, c_in, c_out)] + [(c_out,)] * bias


def norm(d: int) -> list[Shape]:
    """A normalization layer: one gain and one shift per channel."""
    return [(d,), (d,)]


pixels = 224 * 224
print(f"first layer of ResNet-152, convolution: {count(conv(7, 3, 64, bias=False)):,}")
print(f"a dense layer with the same output:     {pixels * 3 * 112 * 112 * 64:,}")


# %% [markdown]
# Nine thousand against a hundred billion for one layer. Now ResNet-152 from its paper (He et al., 2015, Table 1). To count it you need its list of layers, not what they do:
#
# - an *entrance*: one $7 \times 7$ convolution to 64 channels. It moves its window in steps of two pixels, so an image of 224 × 224 pixels becomes 112 × 112;
# - four *stages* of 3, 8, 36 and 3 *blocks*, on arrays of side 56, 28, 14 and 7;
# - one dense layer to 1,000 classes.
#
# A block has a width $w$: 64, 128, 256 or 512 in the four stages.
#
# | part of a block | channels |
# |---|---|
# | convolution $1 \times 1$ | from $c$ to $w$ ($c$: what the block before gives) |
# | convolution $3 \times 3$ | from $w$ to $w$ |
# | convolution $1 \times 1$ | from $w$ to $4w$ |
# | a bypass around the three | adds the block's input to its output: no parameters, but in a stage's first block there is a $1 \times 1$ convolution on it, from $c$ to $4w$ |
#
# Each convolution is followed by a *batch normalization* (批归一化): a gain and a shift per channel take the place of its bias.

# %%
def resnet152() -> list[tuple[str, list[Shape], int]]:
    """(stage, shapes, side of the array it makes) of every layer."""
    layers = [("entrance", conv(7, 3, 64, bias=False) + norm(64), 112)]
    channels = 64
    for blocks, width, side in ((3, 64, 56), (8, 128, 28), (36, 256, 14), (3, 512, 7)):
        for block_number in range(blocks):
            sizes = [(1, channels, width), (3, width, width), (1, width, 4 * width)]
            if block_number == 0:
                sizes.append((1, channels, 4 * width))  # on the bypass
            for k, c_in, c_out in sizes:
                shapes = conv(k, c_in, c_out, bias=False) + norm(c_out)
                layers.append((f"{side} × {side}", shapes, side))
            channels = 4 * width
    return layers + [("classes", dense(channels, 1000), 1)]


# %% tags=["nbval-check-output"]
resnet = count([shape for _, s, _ in resnet152() for shape in s])
# a window is applied at side × side places
multiplications = sum(prod(s[0]) * side**2 for _, s, side in resnet152())
print(f"parameters:                  {resnet:,}")
print(f"multiplications per image:   {multiplications:,}")
claim("ResNet-152 against 60.2M, difference", difference(resnet, 60.2e6), at_most=0.01)
claim("multiplications against 11.3e9, difference",
      difference(multiplications, 11.3e9), at_most=0.01)

# %% [markdown]
# For this network the paper prints no parameters, only 11.3 billion multiply-adds; 60.2M is from Zagoruyko and Komodakis (2016). Keras prints 60,419,944, and neither is wrong: its version
# keeps 75,712 biases that the normalization makes superfluous, and counts 151,424 running averages that nobody trains (section 1.12 shows both). A count belongs to a *convention*.

# %% tags=["figure"]
#@title Figure: ResNet-152's last stage: a quarter of the parameters, 6 % of the work
stages = list(dict.fromkeys(stage for stage, _, _ in resnet152()))
shares = np.array([[sum(count(s) for name, s, _ in resnet152() if name == stage),
                    sum(prod(s[0]) * side**2 for name, s, side in resnet152()
                        if name == stage)] for stage in stages])
shares = 100 * shares / shares.sum(axis=0)
fig, ax = plt.subplots(figsize=(6.4, 3.1))
ax.bar(np.arange(6) - 0.2, shares[:, 0], 0.38, label="parameters")
ax.bar(np.arange(6) + 0.2, shares[:, 1], 0.38, label="multiplications")
ax.set(title="ResNet-152's last stage: a quarter of the parameters, 6 % of the work",
       ylabel="share, %", xlabel="stage")
ax.set_xticks(range(6), stages)
ax.legend()
plt.show()
print("parameters %     ", shares[:, 0].round(1))
print("multiplications %", shares[:, 1].round(1))


# %% [markdown]
# Stage `56 × 56` holds under half a percent of the parameters and does 6 % of the work: each of its weights is used 3,136 times per image. In the last stage it is 49 times, so a quarter of the
# parameters costs about as much. Document 1, 6.1 calls ResNet and Inception large models; ResNet-152 has 60 million parameters, Inception-v3 24 million (section 1.12).

# %% [markdown]
# ### Exercise 1.3 · a small convolutional network (10 min)
# Count a network of $3 \times 3$ convolutions *with* biases. Each keeps the image's size and is followed by a step without parameters that halves its side. At the end
# all numbers of all pixels go into one dense layer. `channels = [3, 32, 64]` means: color image, 32 channels, 64 channels.

# %% tags=["exercise"]
def convnet_parameters(channels: list[int], side: int, classes: int) -> int:
    """Weights and biases of the network.

    channels: input first; side: of the input image (it halves without remainder)
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("1.3", "a small convolutional network"):
    assert convnet_parameters([3], 4, 10) == 490, "no convolution: 48 values into 10"
    assert convnet_parameters([1, 8], 4, 2) == 80 + 66, "80, then 66"
    two_t = convnet_parameters([3, 32, 64], 32, 10)
    assert two_t == 896 + 18_496 + 40_970, f"[3, 32, 64]: 60,362, not {two_t:,}"
    channels_t = [3, 32, 64, 64]
    deeper_t = convnet_parameters(channels_t, 32, 10)
    assert deeper_t == 896 + 18_496 + 36_928 + 10_250, f"{channels_t}: {deeper_t:,}"
    assert channels_t == [3, 32, 64, 64], "the list must stay as it was"

# %% [markdown]
# <details><summary>Hint</summary>
#
# After `len(channels) - 1` halvings the side is `side // 2 ** (len(channels) - 1)`; `conv` and `dense` are already there.
# </details>

# %% tags=["solution"]
#@title Solution 1.3 · runs only while yours does not pass
if not solved("1.3"):
    def convnet_parameters(channels, side, classes):
        shapes = []
        for c_in, c_out in zip(channels, channels[1:]):
            shapes += conv(3, c_in, c_out)
            side //= 2
        return count(shapes + dense(side * side * channels[-1], classes))

# %% [markdown]
# ## 1.4 Text: embeddings and the Transformer block
#
# A language model cuts text into *tokens* (词元), words or pieces of words, from a fixed list, the *vocabulary* (词表). Each token has a row of $d$ numbers, its *embedding* (嵌入); they
# are the rows of one parameter array of shape $(V, d)$, for a vocabulary of $V$ tokens. Each position 1, 2, … $T$ in the text has such a row, too, in a second array, $(T, d)$.
#
# What follows is a pile of equal *Transformer* blocks (Transformer 模块). To count one you need to know only which dense layers it has. The names in the table (*query*, *key*, *value*) are names of layers here; what they do is the subject of notebook [[embeddings_and_attention]]:
#
# | part | shapes | parameters |
# |---|---|---|
# | attention (注意力): each token looks at others | 4 dense layers $d \to d$: *query*, *key*, *value*, *output* | $4(d^2 + d)$ |
# | feed-forward (前馈): each token for itself | dense $d \to 4d$, dense $4d \to d$ | $8d^2 + 5d$ |
# | two *layer normalizations* (层归一化): a gain and a shift per number | 4 arrays of $d$ | $4d$ |
# | **block** | | $12 d^2 + 13 d$ |
#
# Attention runs in $h$ *heads* (注意力头) side by side, each of width $d/h$: the same four arrays, cut in strips. Heads don't change the count.

# %% tags=["figure"]
#@title Figure: One block of width d = 768: 7,087,872 parameters
d1 = 768
names = ["tokens in\n(T, d)", f"normalize\n{2 * d1:,}",
         f"attention\n{4 * d1 * (d1 + 1):,}", f"normalize \n{2 * d1:,}",
         f"feed-forward\n{8 * d1 * d1 + 5 * d1:,}"]
plotting.flow({name: (i, 0) for i, name in enumerate(names)},
              list(zip(names, names[1:])), highlight=[names[2], names[4]],
              title="One block of width d = 768: 7,087,872 parameters")
plt.show()


# %% [markdown]
# (Two bypasses, around attention and around feed-forward, add no parameters; older models normalize after each part, not before it, which changes no count.) Two thirds of a block are feed-forward. As code, once more
# a list of shapes:

# %% tags=["nbval-check-output"]
def block(d: int, d_ff: int = 0) -> list[Shape]:
    """A Transformer block of width d; feed-forward width d_ff, if not 4d."""
    d_ff = d_ff or 4 * d
    attention = dense(d, d) * 4
    return attention + dense(d, d_ff) + dense(d_ff, d) + norm(d) * 2


for d in (2, 768, 12288):
    print(f"d = {d:>6}: {count(block(d)):>13,}  formula agrees:",
          count(block(d)) == 12 * d**2 + 13 * d)


# %% [markdown]
# BERT (Devlin et al., 2019) in its base version has 12 blocks with $d = 768$ and reads up to 512 tokens. Its paper speaks of "a 30,000 token vocabulary"; the one published for lower-case English has 30,522. Two
# things are its own: a third embedding (is this the first text or the second?), and a dense layer, the *pooler*, at the end. One more normalization follows the embeddings; in GPT and ViT, below, it comes after the last block.

# %% tags=["nbval-check-output"]
def bert(layers: int, d: int) -> list[Shape]:
    embeddings = [(30_522, d), (512, d), (2, d)] + norm(d)
    return embeddings + block(d) * layers + dense(d, d)


for name, layers, d, printed in (("base", 12, 768, 110e6), ("large", 24, 1024, 340e6)):
    counted = count(bert(layers, d))
    print(f"BERT-{name:5} counted {counted:,}, printed {printed / 1e6:.0f}M, "
          f"{counted / printed - 1:+.1%}")

# %% tags=["evidence"]
#@title Evidence: BERT-base against 110M, difference
claim("BERT-base against 110M, difference", difference(count(bert(12, 768)), 110e6),
      at_most=0.01)
claim("BERT-large against 340M, in millions",
      abs(count(bert(24, 1024)) / 1e6 - 340), at_most=5)


# %% [markdown]
# BERT-large misses 1 %, and nothing need be missing: both printed totals look rounded to *tens of millions*, and 335.1 rounds to 340. The second claim tests exactly that (within 5 million). So coarse a total can't tell more: with the layers used in pre-training only, which we left out, the count would round to the same. Before you hunt an error, ask how a number was rounded.

# %% [markdown]
# ### Exercise 1.4 · a newer recipe (8 min)
# LLaMA (Touvron et al., 2023) keeps the block and changes the parts: no biases anywhere; the feed-forward part has *three* weight arrays, two from $d$ to $d_\text{ff}$ and one back; each of
# the two normalizations has a gain only; positions have no parameters; after the last block comes one more normalization. An array $(V, d)$ exists *twice*: for reading (a token's row is its embedding) and for writing (each row gives one token's score as the next token). Count it.

# %% tags=["exercise"]
def llama_parameters(layers: int, d: int, d_ff: int, vocabulary: int) -> int:
    """Number of parameters of a LLaMA model."""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("1.4", "a newer recipe"):
    assert llama_parameters(0, 3, 5, 7) == 2 * 7 * 3 + 3, "without blocks"
    block_t = llama_parameters(1, 3, 5, 7) - llama_parameters(0, 3, 5, 7)
    assert block_t == 36 + 45 + 6, f"d = 3, d_ff = 5: 87 per block, not {block_t}"
    published_t = {(32, 4096, 11008): 6.7, (40, 5120, 13824): 13.0,
                 (60, 6656, 17920): 32.5, (80, 8192, 22016): 65.2}
    for shape_t, billions_t in published_t.items():
        error_t = abs(llama_parameters(*shape_t, 32_000) / (billions_t * 1e9) - 1)
        assert error_t < 0.01, f"{shape_t}: {error_t:.1%} off the paper's {billions_t}B"

# %% [markdown]
# <details><summary>Hint</summary>
#
# Per block $4d^2 + 3\,d\,d_\text{ff} + 2d$.
# </details>

# %% tags=["solution"]
#@title Solution 1.4 · runs only while yours does not pass
if not solved("1.4"):
    def llama_parameters(layers, d, d_ff, vocabulary):
        one = dense(d, d, bias=False) * 4 + dense(d, d_ff, bias=False) * 3 + [(d,)] * 2
        return count(one * layers + [(vocabulary, d)] * 2 + [(d,)])


# %% [markdown]
# ## 1.5 ViT, GPT-2, GPT-3, and what the papers printed
#
# The *Vision Transformer*, ViT (Dosovitskiy et al., 2021), cuts an image of 224 × 224 pixels into patches, of 16 × 16 pixels, say. One dense layer (written as a convolution) turns each into $d$ numbers; from there on a patch is a token.
# One more token, without a patch, collects the answer.

# %% tags=["nbval-check-output"]
def vit(layers: int, d: int, d_ff: int, patch: int, hidden: bool = False):
    """hidden: with the extra dense layer d -> d that the paper uses in pre-training."""
    tokens = (224 // patch) ** 2 + 1
    inside = conv(patch, 3, d) + [(1, d), (tokens, d)] + block(d, d_ff) * layers
    return inside + norm(d) + dense(d, d) * hidden


VITS = {"ViT-B/16": (12, 768, 3072, 16, 86), "ViT-L/16": (24, 1024, 4096, 16, 307),
        "ViT-L/32": (24, 1024, 4096, 32, 307), "ViT-H/14": (32, 1280, 5120, 14, 632)}
for name, (*shape, printed) in VITS.items():
    plain, hidden = (count(vit(*shape, hidden=on)) / 1e6 for on in (False, True))
    print(f"{name}: {plain:.2f}M, with hidden layer {hidden:.2f}M, printed {printed}M")


# %% [markdown]
# (The number after the slash is the patch.) B and H agree within 1 % either way. L does not with patches of 16: 303.3 is 1.2 % short of 307. The paper's table doesn't say which patch it counts. With patches of 32 and the dense layer that the paper says it
# adds in pre-training, 306.56 rounds to 307; and with that layer 86.39 rounds to 86 and 632.40 to 632. It fits, but we chose the patch afterwards, row by row (B needs patches of 16): a guess, not the paper's word.
#
# GPT-2 (Radford et al., 2019) reads up to $T = 1024$ tokens from a vocabulary of $V = 50{,}257$ and writes with the same array $(V, d)$ that it reads with, so it counts once. Its paper prints the sizes of four versions:

# %% tags=["nbval-check-output"]
def gpt(layers: int, d: int, vocabulary: int = 50_257, context: int = 1024):
    """Shapes of a GPT-2 or GPT-3."""
    return [(vocabulary, d), (context, d)] + block(d) * layers + norm(d)


GPT2 = {"small": (12, 768, 117), "medium": (24, 1024, 345),
        "large": (36, 1280, 762), "XL": (48, 1600, 1542)}
for name, (layers, d, printed) in GPT2.items():
    counted = count(gpt(layers, d))
    print(f"GPT-2 {name:6} counted {counted:>13,}, paper {printed:>5}M, "
          f"{counted / (printed * 1e6) - 1:+.1%}")


# %% [markdown]
# All four are too small in print, the smallest by 6 %: no rounding does that. OpenAI's repository later said that the counts "were wrong due to an error" and lists 124M, 355M, 774M and 1558M, which are ours. Which error, it doesn't say. Can the count find it?

# %% [markdown]
# ### Exercise 1.5 · find the error (12 min)
# Suspect one number at a time; here, the vocabulary. Return the smallest and the largest vocabulary for which a GPT-2 of the given shape rounds to the printed number of millions.
# Then call it for the four printed sizes. Is there one vocabulary that explains all four?

# %% tags=["exercise"]
def vocabulary_range(layers: int, d: int, printed: int) -> tuple[int, int]:
    """Vocabularies for which the count is within half a million of the printed one.

    layers, d: shape; printed: millions -> smallest and largest vocabulary
    """
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("1.5", "find the error"):
    # the last: a GPT of one block and width 1, where each parameter is one vocabulary
    for layers_t, d_t, printed_t in (*GPT2.values(), (1, 1, 1)):
        low_t, high_t = map(int, vocabulary_range(layers_t, d_t, printed_t))
        rounds_t = [abs(count(gpt(layers_t, d_t, v)) - printed_t * 10**6) <= 500_000
                    for v in (low_t - 1, low_t, high_t, high_t + 1)]
        assert rounds_t == [False, True, True, False], (
            f"{layers_t} blocks, d = {d_t}, {printed_t}M: not {low_t:,} to {high_t:,}")

# %% [markdown]
# <details><summary>Hint</summary>
#
# The count is a fixed part plus $V d$. The fixed part is `count(gpt(layers, d, vocabulary=0))`.
# </details>
# Which vocabularies do your four ranges have in common? And here is a suspect: GPT-2's predecessor, GPT-1, had a vocabulary of 40,478.

# %% tags=["solution"]
#@title Solution 1.5 · runs only while yours does not pass
if not solved("1.5"):
    def vocabulary_range(layers, d, printed):
        fixed = count(gpt(layers, d, vocabulary=0))
        low = printed * 10**6 - 500_000 - fixed
        high = printed * 10**6 + 500_000 - fixed
        return -(-low // d), high // d  # rounded up, rounded down

# %% tags=["nbval-check-output", "evidence"]
#@title Evidence: largest distance from the paper's totals, millions
off = np.zeros(50_000)  # for each vocabulary the worst of four errors, in millions
for name, (layers, d, printed) in GPT2.items():
    fixed = count(gpt(layers, d, vocabulary=0)) / 1e6
    off = np.maximum(off, abs(fixed + np.arange(50_000) * d / 1e6 - printed))
    old = count(gpt(layers, d, vocabulary=40_478)) / 1e6
    print(f"GPT-2 {name:6} with GPT-1's vocabulary: {old:8.2f}M, paper {printed}M")
fit, worst = np.flatnonzero(off <= 0.5), off[40_478]  # GPT-1's vocabulary
print(f"all four fit with vocabularies of {fit.min():,} to {fit.max():,}")
claim("largest distance from the paper's totals, millions", worst, at_most=0.5)

# %% [markdown]
# Four of four, to the million: GPT-2's published totals fit a count with the *old* vocabulary. Your four ranges have only some 350 vocabularies in common, and 40,478 is one of them. That is strong evidence, not a proof: OpenAI has named no cause that we know of. (The models themselves were right: only the printed numbers were not.)
#
# GPT-3 (Brown et al., 2020, Table 2.1): the same shapes with 96 blocks, $d = 12288$, $T = 2048$. (In every other block a token looks at its neighborhood only, which changes no count.) The abstract rounds to 175 billion, Table D.1 says 174,600 million.

# %% tags=["nbval-check-output"]
gpt3 = count(gpt(96, 12288, context=2048))
print(f"GPT-3: {gpt3:,}")
claim("GPT-3 against 175B, difference", difference(gpt3, 175e9), at_most=0.01)
claim("GPT-3 against 174,600M, difference", difference(gpt3, 174_600e6), at_most=0.0001)

# %%
COUNTS = {"LeNet-300-100": (count(mlp), 267e3), "ResNet-152": (resnet, 60.2e6),
          "BERT-base": (count(bert(12, 768)), 110e6),
          "BERT-large": (count(bert(24, 1024)), 340e6)}
for name, (*shape, printed) in VITS.items():
    COUNTS[name] = count(vit(*shape)), printed * 1e6
for (name, (layers, d, _)), corrected in zip(GPT2.items(), (124, 355, 774, 1558)):
    COUNTS[f"GPT-2 {name}"] = count(gpt(layers, d)), corrected * 1e6
COUNTS["GPT-3"] = gpt3, 175e9

fig, ax = plt.subplots(figsize=(7, 4.2))
ax.axvspan(-1, 1, color=plotting.SKY, alpha=0.25, label="within 1 %")
percent = [100 * (ours / printed - 1) for ours, printed in COUNTS.values()]
ax.plot(percent, range(len(COUNTS)), "o", label="counted, against the printed total")
paper = [100 * (count(gpt(n, d)) / (p * 1e6) - 1) for n, d, p in GPT2.values()]
ax.plot(paper, range(8, 12), "x", color=plotting.RED, label="against GPT-2's paper")
ax.set_yticks(range(len(COUNTS)), COUNTS)
ax.invert_yaxis()
ax.set(xlabel="counted − printed, % of printed",
       title="Eleven of thirteen counts agree with the printed total to 1 %")
ax.legend(loc="upper right")
plt.show()

# %% tags=["evidence"]
#@title Evidence: eleven of the thirteen totals agree to 1 %, GPT-2's corrected ones among them
claim("counts that agree with the printed total to 1 %",
      sum(difference(*pair) <= 0.01 for pair in COUNTS.values()), at_least=11)
required = [name for name in COUNTS if name not in ("BERT-large", "ViT-L/16")]
claim("largest difference of the others, against the corrected totals",
      max(difference(*COUNTS[name]) for name in required), at_most=0.01)

# %% [markdown]
# Eleven of thirteen lie in the band; BERT-large (rounded to tens of millions) and ViT-L/16 (perhaps counted with another patch) do not. Red crosses are GPT-2's paper before its correction.
#
# **Where do the parameters sit?** Embeddings grow with $d$, blocks with $d^2$. The larger the model, the less its vocabulary matters, and the better the shortcut $N \approx 12\, n_\text{layers}\, d^2$ ($N$ is the number of parameters from here on):

# %% tags=["nbval-check-output"]
for name, layers, d, total in (("GPT-2 small", 12, 768, count(gpt(12, 768))),
                               ("GPT-2 XL", 48, 1600, count(gpt(48, 1600))),
                               ("GPT-3", 96, 12288, gpt3)):
    print(f"{name:11} tokens' embeddings {50_257 * d / total:5.1%} of the parameters; "
          f"12 n d² gives {12 * layers * d * d / total:.1%}")

# %% [markdown]
# ## 1.6 Memory: using and training
#
# **To use** a model you need its weights, $2N$ bytes in bfloat16. **To train** it you need more per parameter. Training (notebooks [[backpropagation]] and [[optimizers]]) computes for every parameter a *gradient* (梯度: in which direction to turn it, and how much it matters), and the usual
# *optimizer* (优化器), Adam, keeps two running averages of it. In common practice (*mixed precision*, 混合精度; Rajbhandari et al., 2020, the ZeRO paper), that is
#
# | per parameter | bytes |
# |---|---|
# | weight and gradient in 16 bits | 2 + 2 |
# | the weight once more in float32, because small steps would be rounded away | 4 |
# | Adam's two averages in float32 | 4 + 4 |
# | **together** | **16** |
#
# All in float32, without a second copy, it is $4 + 4 + 8 = 16$ as well.

# %%
PARTS = {"weights": (2, 4, 2, 4), "gradients": (0, 0, 2, 4),
         "weights again": (0, 0, 4, 0), "Adam's averages": (0, 0, 8, 8)}
ways = ["use, bfloat16", "use, float32", "train, mixed precision", "train, float32"]
fig, ax = plt.subplots(figsize=(7, 3))
left = np.zeros(4)
for part, sizes in PARTS.items():
    ax.barh(ways, sizes, left=left, label=part)
    left += sizes
ax.invert_yaxis()
ax.set(xlabel="bytes per parameter", xlim=(0, 23),
       title="Training takes 16 bytes per parameter, using 2 or 4")
ax.legend(loc="center right", fontsize=8)
plt.show()

for name, parameters in {"BERT-base": count(bert(12, 768)),
                         "GPT-2 XL": count(gpt(48, 1600)), "GPT-3": gpt3}.items():
    print(f"{name:9} {2 * parameters / 1e9:7.2f} GB to use, "
          f"{16 * parameters / 1e9:8.2f} GB to train")
print(f"GPT-3's training: {16 * gpt3 / 80e9:.0f} accelerators of 80 GB for that alone")


# %% [markdown]
# Against bfloat16 use, training takes eight times the memory, against float32 use four times. What does a model need? *Memory, GPU or TPU, storage*, says Document 2 (FAQ, question 4). With numbers: GPT-3 needs 350 GB for its weights and 2.8 TB to train, on 35 accelerators of 80 GB before a single token is read. And then there are the
#
# **Activations** (激活值): results that the *forward pass*, from the input to the prediction, must keep for the *backward pass*, which computes the gradients. List what one block keeps per token: inputs of the two normalizations ($2d$) and their outputs ($2d$), queries, keys, values ($3d$), what attention hands on ($d$), the
# feed-forward part before and after its nonlinear step ($4d + 4d$): $16d$ numbers. On top, each of $h$ heads keeps a table of $T \times T$ numbers: how much each token looks at each other one (the *attention weights*, which are results, not parameters).

# %% tags=["nbval-check-output"]
def activation_bytes(layers: int, d: int, heads: int, T: int, dropout: bool) -> int:
    """What the forward pass keeps of one text of T tokens, in bytes."""
    per_token = 2 * 16  # the list above: 16 d numbers of 2 bytes
    per_pair = 2  # one attention weight
    if dropout:
        per_token += 2  # two masks, a byte per number each
        per_pair += 1 + 2  # a mask, and the weights after it
    return layers * (per_token * d * T + per_pair * heads * T * T)


LANGUAGE = {"GPT-2 small": (12, 768, 12, 1024), "GPT-3": (96, 12288, 96, 2048)}
for name, shape in LANGUAGE.items():
    plain, masks = (activation_bytes(*shape, dropout=on) / 1e9 for on in (False, True))
    print(f"{name:11} one text of {shape[3]} tokens: {plain:.1f} GB, "
          f"with dropout {masks:.1f} GB")


# %% [markdown]
# Roughly: programs differ in what they keep. With *dropout* (notebook [[training_deep_networks]]) come two masks of a byte per number ($+2$) and, on the attention weights, a mask and a copy ($+3$): that gives the published $34\,dT + 5\,hT^2$ bytes per block
# (Korthikanti et al., 2022). Notebook [[training_at_scale]] trades this memory for computing time.

# %% [markdown]
# **The KV cache** (键值缓存). A language model writes one token at a time. To write the next one, attention needs the keys and values of *all* tokens before; one keeps them instead of computing them again. Per token and block that is one key and one value of
# $h_{kv}$ heads of width $d_\text{head}$ each:
#
# $$\text{bytes per token} = 2 \cdot n_\text{layers} \cdot h_{kv} \cdot d_\text{head} \cdot \text{bytes per number}.$$
#
# In GPT-3 all 96 heads have their own ($h_{kv} = h$). *Grouped-query attention* (分组查询注意力; Ainslie et al., 2023) lets several heads share: Llama 2 with 70 billion parameters has 64 heads and 8 pairs of key and value heads.

# %% tags=["nbval-check-output"]
def cache_per_token(layers: int, kv_heads: int, d_head: int, size: int = 2) -> int:
    """Bytes of one token's keys and values. size: bytes per number."""
    return 2 * layers * kv_heads * d_head * size


CACHES = {"GPT-3 (96 heads)": (96, 96, 128),
          "Llama 2 70B, if it didn't share": (80, 64, 128),
          "Llama 2 70B (8 groups)": (80, 8, 128), "GPT-2 small": (12, 12, 64)}
for name, shape in CACHES.items():
    per_token = cache_per_token(*shape)
    print(f"{name:34} {per_token / 1e6:.3f} MB per token, "
          f"140 GB for {140e9 / per_token:>9,.0f} tokens")

# %% tags=["figure"]
#@title Figure: The memory of conversations can pass that of the model
tokens = np.geomspace(100, 1e6, 50)
fig, ax = plt.subplots(figsize=(6.8, 3.6))
for (name, shape), style in zip(CACHES.items(), ("-", "--", "-", "-")):
    ax.loglog(tokens, tokens * cache_per_token(*shape) / 1e9, style, label=name)
ax.axhline(140, color=plotting.GRAY, ls=":")
ax.text(110, 165, "Llama 2 70B's own weights, 140 GB", color=plotting.GRAY, fontsize=8)
ax.set(title="The memory of conversations can pass that of the model",
       ylim=(1e-3, 5e3), xlabel="tokens kept, all users together",
       ylabel="KV cache, GB")
ax.legend(fontsize=8, loc="lower right")
plt.show()


# %% [markdown]
# Eight groups instead of 64 heads move the line down by a factor of 8. Where it crosses the dotted line (about 430,000 tokens: a hundred users with 4,000 tokens each), the conversations take more memory than the model; without sharing, the dashed line, that
# happens at 53,000.

# %% [markdown]
# ### Exercise 1.6 · how long may the conversation be? (5 min)
# An accelerator has `memory` bytes. The weights take `weights` bytes of it; the cache gets the rest. Return how many whole tokens fit (0 if not even the weights do).

# %% tags=["exercise"]
def tokens_that_fit(memory: int, weights: int, layers: int, kv_heads: int, d_head: int,
                    size: int) -> int:
    """Tokens whose keys and values fit beside the weights. size: bytes per number."""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("1.6", "how long may the conversation be?"):
    assert tokens_that_fit(1000, 400, 3, 5, 2, 1) == 10, "600 bytes, 60 per token"
    assert tokens_that_fit(1059, 400, 3, 5, 2, 1) == 10, "whole tokens only"
    assert tokens_that_fit(1000, 400, 3, 5, 2, 2) == 5, "two bytes per number"
    assert tokens_that_fit(1000, 999, 3, 5, 2, 1) == 0
    assert tokens_that_fit(1000, 5000, 3, 5, 2, 1) == 0, "the weights don't fit"
    assert tokens_that_fit(160 * 10**9, 140 * 10**9, 80, 8, 128, 2) == 61_035

# %% [markdown]
# <details><summary>Hint</summary>
#
# Divide what is left by the bytes per token, rounding down. What does `//` do with a negative number?
# </details>

# %% tags=["solution"]
#@title Solution 1.6 · runs only while yours does not pass
if not solved("1.6"):
    def tokens_that_fit(memory, weights, layers, kv_heads, d_head, size):
        per_token = 2 * layers * kv_heads * d_head * size
        return max(0, (memory - weights) // per_token)


# %% [markdown]
# ## 1.7 Compute: 6ND
#
# Work is counted in *FLOPs* (浮点运算次数): one addition or one multiplication of two numbers. A dense layer computes, for each example and each weight, one product and adds it to a sum: **2 FLOPs per weight** in the forward pass.
#
# The backward pass (notebook [[backpropagation]]) asks two questions of each layer: how does the loss depend on the *weights* (needed to change them), and how on the *inputs* (needed by the layer before)? Each is a matrix product as large as the forward one:
# **4 FLOPs per weight**. Biases, nonlinear steps and normalizations cost a few FLOPs per *number* that passes, where the weights cost two for each of the hundreds or thousands of inputs that the number is summed from; they are left out. (ResNet's multiply-adds in 1.3 are two FLOPs each.) With $N$ weights and $D$ examples or tokens, training costs, in FLOPs,
#
# $$C \approx (2 + 4)\, N D = 6 N D .$$
#
# Don't believe it; count. This network does its matrix products through a counter.

# %% tags=["nbval-check-output"]
def count_training_flops(widths: list[int], batch: int) -> tuple[int, int]:
    """Run one forward and one backward pass of a dense network and count FLOPs.

    Returns those of the forward and of the backward pass.
    """
    counted = 0

    def times(A, B):  # (m, k) and (k, n) -> (m, n)
        nonlocal counted
        counted += 2 * A.shape[0] * A.shape[1] * B.shape[1]
        return A @ B

    W = [np.ones((a, b), np.float32) for a, b in zip(widths, widths[1:])]
    inputs = [np.ones((batch, widths[0]), np.float32)]
    for weight in W:
        inputs.append(np.maximum(times(inputs[-1], weight), 0))
    forward = counted
    delta = inputs.pop()  # stands for the gradient at the output
    for i in reversed(range(len(W))):
        times(inputs[i].T, delta)  # gradient of the weights
        if i > 0:  # nobody asks for the gradient of the data
            delta = times(delta, W[i].T)
    return forward, counted - forward


for widths in ([784, 128, 10], [64, 256, 256, 256, 256, 10]):
    fwd, bwd = count_training_flops(widths, batch=32)
    per = 32 * sum(a * b for a, b in zip(widths, widths[1:]))
    print(f"{widths}: forward {fwd / per:.2f}, backward {bwd / per:.2f} per weight")


# %% [markdown]
# Forward exactly 2. Backward is 4 minus a discount: the *first* layer need not pass anything on to the data, so it costs 2. For 784-128-10, where nearly all weights are in the first layer, training costs 4ND, not 6; for the deeper network it is close to 6.
# In GPT-2 and GPT-3 the first layer is the embedding, a mere look-up that costs next to nothing, but the same array multiplies at the end to score every token of the vocabulary; so 6ND with all parameters is about right. (Where the array exists twice, as in Exercise 1.4, leave out the one for reading.)
#
# **What 6ND leaves out: attention.** Comparing each token's query with $T$ keys, and averaging $T$ values, costs $2 T d$ FLOPs each, in every block, and involves no weight: $4Td$ forward, $12 T d$ with the backward pass.

# %% tags=["nbval-check-output"]
def attention_share(layers: int, d: int, T: float, parameters: float) -> float:
    """FLOPs of comparing tokens, as a share of 6N per token."""
    return 12 * layers * d * T / (6 * parameters)


for name, (layers, d, _, T) in LANGUAGE.items():
    share_at = attention_share(layers, d, T, count(gpt(layers, d, context=T)))
    print(f"{name:11} at T = {T}: {share_at:.1%}; 100% at T = {T / share_at:,.0f}")

# %% tags=["figure"]
#@title Figure: Attention adds little to 6N, until the text gets long
lengths = np.geomspace(256, 1e6, 50)
fig, ax = plt.subplots(figsize=(6.4, 3.3))
ax.loglog(lengths, 100 * attention_share(12, 768, lengths, count(gpt(12, 768))),
          label="GPT-2 small")
ax.loglog(lengths, 100 * attention_share(96, 12288, lengths, gpt3), label="GPT-3")
ax.axhline(100, color=plotting.GRAY, ls=":")
ax.text(270, 115, "as much as all weights", color=plotting.GRAY, fontsize=8)
ax.set(title="Attention adds little to 6N, until the text gets long",
       xlabel="length of the text $T$, tokens", ylabel="added to 6N, %")
ax.legend(loc="lower right")
plt.show()

# %% [markdown]
# At the lengths they were trained with, attention adds 15 % to GPT-2 small and 2.8 % to GPT-3 (half of that in a program that skips the tokens to the right, which may not be looked at; for GPT-3 less still, because every other block of it looks at a neighborhood only). With $N \approx 12\, n_\text{layers}\, d^2$ the share is $T / 6d$: the wider the model, the lower its line.
# With full attention in each block, the two are equal for GPT-3 at some 74,000 tokens.
#
# Now GPT-3's training, on 300 billion tokens (its Table D.1 prints $3.14 \cdot 10^{23}$ FLOPs), against the speed of your own machine:

# %%
import time

flops_gpt3 = 6 * gpt3 * 300e9
claim("6ND for GPT-3 against 3.14e23, difference",
      difference(flops_gpt3, 3.14e23), at_most=0.01)

A = np.ones((1024, 1024), np.float32)
seconds = []
for _ in range(5):
    start = time.perf_counter()
    A @ A
    seconds.append(time.perf_counter() - start)
speed = 2 * 1024**3 / min(seconds)
years = flops_gpt3 / speed / (365.25 * 86400)
print(f"this machine: {speed / 1e9:.0f} billion FLOPs per second in a matrix product; "
      f"GPT-3's training would take it {years:,.0f} years")


# %% [markdown]
# ### Exercise 1.7 · exact FLOPs of an MLP (8 min)
# Write the exact count as a formula: forward and backward together, for any widths, no gradient for the data.

# %% tags=["exercise"]
def mlp_training_flops(widths: list[int], batch: int) -> int:
    """FLOPs of all matrix products of one training step. widths: input first."""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("1.7", "exact FLOPs of an MLP"):
    for widths_t, batch_t in (([3, 2], 1), ([5, 4, 3], 2), ([7, 6, 5, 2], 3),
                              ([784, 128, 10], 32)):
        counted_t = sum(count_training_flops(widths_t, batch_t))
        got_t = mlp_training_flops(list(widths_t), batch_t)
        assert got_t == counted_t, (
            f"{widths_t}, batch {batch_t}: {got_t}, not {counted_t}")

# %% [markdown]
# <details><summary>Hint</summary>
#
# 6 per weight and example; then take back what the first layer need not do.
# </details>

# %% tags=["solution"]
#@title Solution 1.7 · runs only while yours does not pass
if not solved("1.7"):
    def mlp_training_flops(widths, batch):
        all_weights = sum(a * b for a, b in zip(widths, widths[1:]))
        return batch * (6 * all_weights - 2 * widths[0] * widths[1])

# %% [markdown]
# ## 1.8 What does size buy? A scaling law, measured
#
# More parameters and more data make a model better, says Document 5 (2.1). By how much? Measure it: train a family of models that differ in nothing but size, and look.
#
# The task is a language model's, with characters for tokens: given 8 characters, predict the next. The text is the documentation inside NumPy and scikit-learn, in lower case, with 32 symbols; a tenth of its
# paragraphs is held out (exact repeats removed first, or the test would contain what was learned; near repeats remain and flatter all models).

# %% tags=["plumbing"]
#@title Plumbing: the text inside two libraries as numbers 0 to 31
import inspect
import re
from importlib.util import find_spec
from pathlib import Path

SYMBOLS = " abcdefghijklmnopqrstuvwxyz.,-:"  # everything else becomes symbol 31


def read_paragraphs(library: str) -> list[str]:
    """Paragraphs of the docstrings of an installed library, file by file."""
    folder = Path(find_spec(library).origin).parent
    texts = [text for file in sorted(folder.rglob("*.py")) if "tests" not in file.parts
             for text in re.findall(r'"""(.*?)"""', file.read_text("utf8"), re.DOTALL)]
    return [p for text in texts for p in re.split(r"\n\s*\n", inspect.cleandoc(text))]


def encode(paragraphs: list[str]) -> np.ndarray:
    """Symbol numbers, uint8, of the joined text."""
    text = re.sub(r"\s+", " ", " ".join(paragraphs).lower())
    number = {symbol: i for i, symbol in enumerate(SYMBOLS)}
    return np.array([number.get(symbol, 31) for symbol in text], np.uint8)


everything = read_paragraphs("numpy")
if profile() != "quick":
    everything += read_paragraphs("sklearn")
unique = list(dict.fromkeys(everything))
held_out = encode(unique[::10])
learned_text = encode([p for i, p in enumerate(unique) if i % 10])
print(f"{len(learned_text):,} characters to learn from, {len(held_out):,} held out")

# %% [markdown]
# The score is the *loss* (损失), in *nats*: the average of $-\log p$, where $p$ is the probability that the model gave to the character that really came. Lower is better. Two baselines need no training:

# %%
frequency = np.bincount(learned_text, minlength=32) / len(learned_text)
uniform = np.log(32)
frequencies = -np.log(frequency[held_out]).mean()
print(f"all 32 symbols equally likely: {uniform:.3f} nats")
print(f"their frequencies in the text: {frequencies:.3f} nats")

# %% [markdown]
# The model is an MLP with one hidden layer of width $w$. Its input is 8 × 32 numbers: a 1 for the symbol at each of the 8 places, else 0. Its 32 outputs become probabilities. The training itself is folded away (notebooks [[neurons_and_layers]] to [[optimizers]] derive it);
# what matters: every model predicts the same number $D$ of characters, each once, with the same optimizer and learning rate. (The cost is proportional to $ND$, but less than $6ND$: as in 784-128-10, most weights are in the first layer, and nobody asks for the gradient of the data.)

# %% tags=["plumbing"]
#@title Plumbing: from characters to the network's input, and the network
PLACES = 8
ONE_HOT = np.eye(32, dtype=np.float32)


def batch_of(source: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Inputs (B, 256) and the next symbols (B,), for windows that begin at `at`."""
    windows = source[at[:, None] + np.arange(PLACES)]
    return ONE_HOT[windows].reshape(len(at), -1), source[at + PLACES]


def log_probabilities(X: np.ndarray, params: list) -> tuple[np.ndarray, np.ndarray]:
    """Hidden values (B, w) and the logarithms of the 32 probabilities (B, 32).

    params: W1 (256, w), b1 (w,), W2 (w, 32), b2 (32,)
    """
    W1, b1, W2, b2 = params
    hidden = np.tanh(X @ W1 + b1)
    z = hidden @ W2 + b2
    z -= z.max(axis=1, keepdims=True)
    return hidden, z - np.log(np.exp(z).sum(axis=1, keepdims=True))


X_test, y_test = batch_of(held_out, np.arange(0, 60_000, 2))


# %% tags=["plumbing"]
#@title Plumbing: train one network with Adam
def train(width: int, D: int, seed: int, rate: float = 0.02, B: int = 256,
          passes: int = 1) -> float:
    """Train on D characters, `passes` times each; loss on held-out text.

    Adam, with a rate that rises for 50 steps and then falls to 0.
    """
    rng = np.random.default_rng(seed)
    params = [rng.normal(0, PLACES**-0.5, (256, width)), np.zeros(width),
              rng.normal(0, 0.5 * width**-0.5, (width, 32)), np.zeros(32)]
    params = [p.astype(np.float32) for p in params]
    mean, square = [[np.zeros_like(p) for p in params] for _ in range(2)]
    starts = np.tile(rng.permutation(len(learned_text) - PLACES)[:D], passes)
    steps = len(starts) // B
    for i in range(steps):
        X, y = batch_of(learned_text, starts[i * B:(i + 1) * B])
        hidden, log_p = log_probabilities(X, params)
        delta = (np.exp(log_p) - ONE_HOT[y]) / B
        inner = (delta @ params[2].T) * (1 - hidden**2)
        gradients = X.T @ inner, inner.sum(axis=0), hidden.T @ delta, delta.sum(axis=0)
        step = rate * min(1, (i + 1) / 50) * (1 - i / steps)
        for p, m, s, g in zip(params, mean, square, gradients):
            m += 0.1 * (g - m)
            s += 0.01 * (g * g - s)
            unbiased = np.sqrt(s / (1 - 0.99 ** (i + 1))) + 1e-8
            p -= step * m / (1 - 0.9 ** (i + 1)) / unbiased
    log_p = log_probabilities(X_test, params)[1]
    return float(-log_p[np.arange(len(y_test)), y_test].mean())


# %%
D_LARGE = by_profile(quick=30_000, standard=200_000, full=1_000_000)
FAMILY = [2, 4, 8, 16] + by_profile(quick=[], standard=[32, 64], full=[32, 64])
LATER = by_profile(quick=[32], standard=[128, 256], full=[128, 256])  # not in the fit
SEEDS = by_profile(quick=2, standard=3, full=5)

losses = {}  # (width, D) -> one loss per seed
for D in (D_LARGE // 3, D_LARGE):
    for width in FAMILY + (LATER if D == D_LARGE else []):
        losses[width, D] = np.array([train(width, D, seed) for seed in range(SEEDS)])


def size_of(widths: list[int]) -> np.ndarray:
    return np.array([count(dense(256, w) + dense(w, 32)) for w in widths])


for width in FAMILY + LATER:
    run = losses[width, D_LARGE]
    print(f"width {width:3}  N = {size_of([width])[0]:6,}  "
          f"loss {run.mean():.3f} ± {run.std(ddof=1):.3f}")


# %% [markdown]
# (± is the standard deviation over seeds.) Every doubling of the width helps, the later ones less than the first. A *power law* with a floor describes such a curve:
#
# $$L(N) = a\, N^{-b} + c .$$
#
# $c$ is what remains for an infinitely large model, $b$ the steepness, $a$ the scale. For a fixed $b$ this is a straight line in $N^{-b}$, so *least squares* (最小二乘法) gives $a$ and $c$ at once; try many $b$ and keep the best.
# For the uncertainty, draw seeds again with replacement (the *bootstrap*, notebook [[evaluation_metrics]]), fit again, and look how far the results spread. Fit on the small models only.

# %%
def fit_power_law(N: np.ndarray, loss: np.ndarray) -> tuple[float, float, float]:
    """a, b, c of L = a N^-b + c with the smallest sum of squares, c >= 0."""
    best = (np.inf, 0.0, 0.0, 0.0)
    for b in np.linspace(0.01, 1.5, 150):
        design = np.stack([N**-b, np.ones(len(N))], axis=1)
        a, c = np.linalg.lstsq(design, loss, rcond=None)[0]
        error = np.sum((a * N**-b + c - loss) ** 2)
        if error < best[0] and c >= 0:
            best = (error, a, b, c)
    return best[1:]


def mean_losses(widths: list[int], D: int) -> np.ndarray:
    return np.array([losses[w, D].mean() for w in widths])


def refitted(D: int) -> list[tuple[float, float, float]]:
    """Power laws of the small models, each fitted to seeds drawn with replacement."""
    rng, laws = np.random.default_rng(D), []
    for _ in range(by_profile(quick=10, standard=100, full=200)):
        drawn = [rng.choice(losses[w, D], SEEDS).mean() for w in FAMILY]
        laws.append(fit_power_law(N_fit, np.array(drawn)))
    return laws


N_fit, N_later = size_of(FAMILY).astype(float), size_of(LATER).astype(float)
a, b, c = fit_power_law(N_fit, mean_losses(FAMILY, D_LARGE))
resampled = refitted(D_LARGE)
low, high = np.percentile(resampled, [2.5, 97.5], axis=0)
for name, value, lo, hi in zip("abc", (a, b, c), low, high):
    print(f"{name} = {value:.3f}   (95 % by luck of the seeds: {lo:.3f} to {hi:.3f})")

# %%
N_line = np.geomspace(N_fit[0], 1e7, 80)
curves = np.array([A * N_line**-p + C for A, p, C in resampled])
fig, ax = plt.subplots(figsize=(7, 4.2))
ax.fill_between(N_line, *np.percentile(curves, [2.5, 97.5], axis=0),
                color=plotting.SKY, alpha=0.4, label="luck of the seeds (95 %)")
ax.plot(N_line, a * N_line**-b + c, label="power law, fitted to the filled points")
slope, start_at = np.polyfit(np.log(N_fit), np.log(mean_losses(FAMILY, D_LARGE)), 1)
ax.plot(N_line, np.exp(start_at) * N_line**slope, ":", color=plotting.GRAY,
        label="without floor")
ax.plot(N_fit, mean_losses(FAMILY, D_LARGE), "o", color=plotting.BLUE)
ax.plot(N_later, mean_losses(LATER, D_LARGE), "o", mfc="white", color=plotting.RED,
        ms=8, label="larger, not in the fit")
ax.plot(N_fit, mean_losses(FAMILY, D_LARGE // 3), "s", color=plotting.ORANGE,
        label="a third of the characters $D$")
ax.axhline(frequencies, ls="--", color=plotting.SKY, label="frequencies only")
ax.set(xscale="log", xlabel="parameters $N$", ylabel="loss on held-out text, nats",
       ylim=(1.1, 3.9), title="The law is sure near its points, a guess far from them")
ax.legend(fontsize=8, ncols=2, loc="upper right")
plt.show()

# %%
for N, truth in zip(N_later, mean_losses(LATER, D_LARGE)):
    spread = np.percentile([A * N**-p + C for A, p, C in resampled], [2.5, 97.5])
    print(f"N = {N:6,.0f}: predicted {a * N**-b + c:.3f} "
          f"({spread[0]:.3f} to {spread[1]:.3f}), measured {truth:.3f}; "
          f"without floor {np.exp(start_at) * N**slope:.3f}")
    claim(f"relative error of the prediction at {N / N_fit[-1]:.0f} times the size",
          difference(a * N**-b + c, truth), at_most=0.03,
          applies=profile() == "standard")
print("at N = 10 million, 95 % by the luck of the seeds: {:.2f} to {:.2f}".format(
    *np.percentile(curves[:, -1], [2.5, 97.5])))

# %%
for name, D in (("D", D_LARGE), ("D / 3", D_LARGE // 3)):
    floor = fit_power_law(N_fit, mean_losses(FAMILY, D))[2]
    lo, hi = np.percentile([law[2] for law in refitted(D)], [2.5, 97.5])
    print(f"floor c with {name:5} characters: {floor:.2f} ({lo:.2f} to {hi:.2f})")
again = {passes: np.array([train(16, D_LARGE // passes, seed, passes=passes)
                           for seed in range(SEEDS)]) for passes in (3, 12)}
print("width 16, the same number of steps:")
for name, run in (("D characters once", losses[16, D_LARGE]),
                  ("D / 3, three times", again[3]),
                  ("D / 12, twelve times", again[12])):
    print(f"  {name:20} {run.mean():.3f} ± {run.std(ddof=1):.3f}")
print(f"D / 3 once, a third of the steps: {losses[16, D_LARGE // 3].mean():.3f}")
claim("loss that three passes over a third add, width 16",
      again[3].mean() - losses[16, D_LARGE].mean(), at_most=0.04,
      applies=profile() == "standard")
claim("loss that twelve passes over a twelfth add, width 16",
      again[12].mean() - losses[16, D_LARGE].mean(), at_least=0.06,
      applies=profile() == "standard")

# %% [markdown]
# Read four things off them.
#
# 1. *It predicts.* Models twice and four times as large as any in the fit are met within a few percent; the pure power law (dotted) promises too much, and more so the further out. That is what such laws are for: try small, predict large.
# 2. *Not far.* The band opens to the right; the floor $c$, the loss of an infinite model, is less certain than that of any finite one. And the band contains the luck of the seeds only (too little of it: so few seeds, drawn again, spread less than fresh ones would): not that the formula may be wrong, nor that one learning rate need not suit all sizes.
# 3. *The floor is not a property of language.* Trained on a third as many characters, the same family gives a much higher $c$: what short training costs is part of it.
# 4. *Steps and different characters are two things.* Three passes over the same third come within 0.02 or so of the full $D$ at width 16: there, short training was short of steps. Twelve passes over a twelfth fall behind, by about 0.12: now different characters are missing. (We turned the knob at widths 8 and 32 with five seeds as well: three passes cost 0.01 and 0.02, twelve cost 0.07 and 0.20, so wider models miss them more.)
#
# A law in $N$ alone can't say 3 or 4. The next section's has a term for $D$ and says 3; but it counts *processed* tokens and assumes that each is seen once. Repeated data need one term more (Muennighoff et al., 2023).

# %% [markdown]
# ## 1.9 The published law, and what it can't tell
#
# Hoffmann et al. (2022) trained over 400 language models, of 70 million to 16 billion parameters, and fitted one formula to the loss with $N$ parameters and $D$ tokens:
#
# $$L(N, D) = E + \frac{A}{N^{\alpha}} + \frac{B}{D^{\beta}}, \qquad E = 1.69,\; A = 406.4,\; B = 410.7,\; \alpha = 0.34,\; \beta = 0.28 .$$
#
# $E$ is the loss of a perfect model of their text, the second term what a finite model adds, the third what finite data add. A fixed budget $C = 6ND$ buys either. The best $N$ lies where the two terms' sum is smallest; find it by trying.
# The figure uses constants that were fitted again in 2024; the output below it compares both sets.

# %%
PUBLISHED_FIT = {"E": 1.69, "A": 406.4, "B": 410.7, "alpha": 0.34, "beta": 0.28}
# fitted again to points read off the paper's figures (Besiroglu et al., 2024)
REFIT = {"E": 1.8172, "A": 482.01, "B": 2085.43, "alpha": 0.3478, "beta": 0.3658}


def chinchilla(N, D, E, A, B, alpha, beta):
    """Loss in nats per token with N parameters and D tokens."""
    return E + A / N**alpha + B / D**beta


fig, ax = plt.subplots(figsize=(7, 3.8))
N_line = np.geomspace(1e8, 1e12, 400)
for C, color in zip((1e21, 1e22, 1e23, 5.76e23), plotting.PALETTE):
    curve = chinchilla(N_line, C / (6 * N_line), **REFIT)
    ax.semilogx(N_line, curve, color=color, label=f"C = {C:.3g} FLOPs")
    ax.plot(N_line[curve.argmin()], curve.min(), "o", color=color)
ax.set(ylim=(1.9, 3), xlabel="parameters $N$, with $D = C / 6N$ tokens",
       ylabel="predicted loss", title="By this law each budget has a best size")
ax.legend()
plt.show()

# %% tags=["nbval-check-output"]
N_grid = np.geomspace(1e8, 1e13, 200_001)


def best_size(C: float, law: dict[str, float]) -> tuple[float, float]:
    """Parameters and tokens with the smallest predicted loss for C FLOPs, by search."""
    N = N_grid[chinchilla(N_grid, C / (6 * N_grid), **law).argmin()]
    return N, C / (6 * N)


for name, law in (("as printed", PUBLISHED_FIT), ("fitted again", REFIT)):
    for C in (1e21, 5.76e23):
        N, D = best_size(C, law)
        print(f"{name:12} C = {C:.2e}: N = {N / 1e9:5.1f} billion, "
              f"D = {D / 1e9:6.0f} billion, {D / N:5.1f} tokens per parameter")

# %% [markdown]
# The famous rule *20 tokens per parameter* comes from this paper; its model Chinchilla has 70 billion parameters and 1.4 trillion tokens ($5.76 \cdot 10^{23}$ FLOPs is the paper's figure for the budget of Gopher, the larger model that it was to beat; $6ND$ gives slightly other numbers below). But the printed constants don't give the rule: they want a model of half that
# size and 93 tokens per parameter. The paper found the rule by two other methods; the constants of the third, as Besiroglu et al. (2024) found, are rounded too much and come from an optimizer that stopped too early. Fitted again, the formula gives 18. Put numbers into a famous formula, too, before you use it.

# %% tags=["nbval-check-output"]
TRAINED = {"GPT-3": (175e9, 300e9), "Gopher": (280e9, 300e9),
           "Chinchilla": (70e9, 1.4e12)}
for name, (N, D) in TRAINED.items():
    C = 6 * N * D
    N_best, D_best = best_size(C, REFIT)
    print(f"{name:10} {D / N:4.1f} tokens per parameter, predicted loss "
          f"{chinchilla(N, D, **REFIT):.3f}; best for its {C:.2e} FLOPs: "
          f"{N_best / 1e9:.0f} billion, {chinchilla(N_best, D_best, **REFIT):.3f}")


# %% [markdown]
# GPT-3 and Gopher were too large for their budgets: by the law, models of 53 and 67 billion parameters would have reached a loss lower by some 0.02 for the same compute. (All three lie outside the fitted sizes, and GPT-3 had other data and another tokenizer: take the direction, not the digits.) Chinchilla, four times smaller than Gopher, beats it in this prediction; in the paper it did so in fact.
# By $6ND$ it used 17 % more than Gopher; the paper counts operations in more detail and gives both the same budget. With Gopher's own 6ND the best model still beats it: 1.978 against 2.000. In the formula a larger $N$ always lowers the loss, and so does a larger $D$; but with the other fixed, only down to a floor ($E + B/D^\beta$ or $E + A/N^\alpha$). "Larger is better" fails *for a fixed budget*, where it is paid for with data.
#
# Today's models often go far *beyond* 20: a small model that is used a billion times repays extra training. The law minimizes the cost of training only. What else it can't tell:
#
# - anything far outside its points (16 billion parameters): that is *extrapolation* (外推), and the band of section 1.8 showed how fast certainty goes;
# - which abilities a loss of 1.9 brings: a user never meets the loss;
# - other data, another tokenizer, another architecture: each has its own constants. And good text is finite.

# %% [markdown]
# ### Exercise 1.9 · the best size as a formula (10 min)
# Put $D = C/(6N)$ into $L$, set the derivative with respect to $N$ to zero, and solve: $\;N_\text{best} = \left(\frac{\alpha A}{\beta B}\right)^{1/(\alpha + \beta)} \left(\frac{C}{6}\right)^{?}$. Return $N$ and $D$.

# %% tags=["exercise"]
def compute_optimal(C, A, B, alpha, beta) -> tuple[float, float]:
    """Parameters and tokens that minimize A/N^alpha + B/D^beta with 6 N D = C."""
    raise NotImplementedError("your turn")


# %% tags=["check"]
with check("1.9", "the best size as a formula"):
    other_t = REFIT | {"alpha": 0.5}
    for C_t, law_t in ((1e21, PUBLISHED_FIT), (3e22, REFIT), (1e23, other_t)):
        constants_t = {name: law_t[name] for name in ("A", "B", "alpha", "beta")}
        N_t, D_t = compute_optimal(C_t, **constants_t)
        np.testing.assert_allclose(6 * N_t * D_t, C_t, rtol=1e-3, err_msg="6ND = C")
        np.testing.assert_allclose(N_t, best_size(C_t, law_t)[0], rtol=1e-3,
                                   err_msg="N differs from the search's")

# %% [markdown]
# <details><summary>Hint</summary>
#
# $A N^{-\alpha} + B (6N/C)^{\beta}$ has the derivative $-\alpha A N^{-\alpha - 1} + \beta B (6/C)^\beta N^{\beta - 1}$. At zero: $N^{\alpha + \beta} = \frac{\alpha A}{\beta B} (C/6)^{\beta}$.
# </details>

# %% tags=["solution"]
#@title Solution 1.9 · runs only while yours does not pass
if not solved("1.9"):
    def compute_optimal(C, A, B, alpha, beta):
        N = (alpha * A / (beta * B) * (C / 6) ** beta) ** (1 / (alpha + beta))
        return N, C / (6 * N)


# %% [markdown]
# ## 1.10 Energy and cost are arithmetic with inputs
#
# Operations become time when divided by the speed *reached*: the *peak* (峰值) of the device times the *utilization* (利用率), the share of it that useful work gets. Time becomes energy when multiplied by power, and by the *PUE* (电能使用效率),
# what the building draws per unit that the computers draw. Test the chain on a case where each number was published, GPT-3's training as Patterson et al. (2021) give it: 10,000 V100 accelerators, 24.6 · 10¹² FLOPs per second each, 330 W, PUE 1.10, 429 g of CO₂ per kWh.

# %% tags=["nbval-check-output"]
def training_bill(flops, peak, utilization, watts, pue, price):
    """Accelerator-hours, MWh and dollars. peak: FLOPs/s; price: dollars per hour."""
    hours = flops / (peak * utilization) / 3600
    return hours, hours * watts * pue / 1e6, hours * price


V100_PEAK = 125e12  # of its data sheet, 16-bit
hours, energy, _ = training_bill(3.14e23, V100_PEAK, 24.6e12 / V100_PEAK, 330, 1.10, 0)
print(f"utilization {24.6e12 / V100_PEAK:.0%}, {hours / 10_000 / 24:.1f} days, "
      f"{energy:,.0f} MWh, {energy * 0.429:,.0f} t CO2 at 429 g per kWh")
claim("days against the published 14.8, difference",
      difference(hours / 240_000, 14.8), at_most=0.01)
claim("energy against the published 1,287 MWh, difference",
      difference(energy, 1287), at_most=0.01)
claim("emissions against the published 552 t, difference",
      difference(energy * 0.429, 552), at_most=0.01)

# %% [markdown]
# The published numbers hang together. For your own plan *every* factor is an assumption. Give each a range, and see which one matters: below, one input at a time moves from its favorable to its unfavorable end, the others stay in the middle. The ranges are placeholders; put in your own offers.

# %%
INPUTS = {  # good, middle, bad: for training GPT-3 once more
    "utilization": (0.55, 0.40, 0.20),
    "peak": (2000e12, 989e12, 312e12),  # H100: 989, A100: 312 (data sheets, 16-bit)
    "watts": (700, 1000, 1400),  # an accelerator with its share of the server
    "pue": (1.1, 1.2, 1.6),
    "price": (1.5, 3.0, 6.0),
}
middle = {name: values[1] for name, values in INPUTS.items()}
base = training_bill(flops_gpt3, **middle)
print(f"in the middle: {base[0]:,.0f} hours, {base[1]:,.0f} MWh, "
      f"{base[2] / 1e6:.2f} million dollars")

# %% tags=["figure"]
#@title Figure: Over these ranges the device's speed moves the bill most
ends = {name: np.array([training_bill(flops_gpt3, **(middle | {name: value}))
                        for value in (good, bad)])
        for name, (good, _, bad) in INPUTS.items()}
fig, axes = plt.subplots(1, 2, figsize=(7.8, 2.9), sharey=True)
for ax, column, unit, scale in ((axes[0], 1, "energy, MWh", 1),
                                (axes[1], 2, "cost, million $", 1e6)):
    low_end, high_end = np.array([pair[:, column] / scale for pair in ends.values()]).T
    ax.barh(list(ends), high_end - low_end, left=low_end)
    ax.axvline(base[column] / scale, color=plotting.RED, ls="--",
               label="all in the middle")
    ax.set_xlabel(unit)
    ax.set_xlim(left=0)
axes[0].invert_yaxis()
axes[0].legend(loc="lower right", fontsize=8)
fig.suptitle("Over these ranges the device's speed moves the bill most",
             fontweight="bold", fontsize=11)
plt.show()
for name, pair in ends.items():
    factor = pair[1] / pair[0]
    print(f"{name:11} moves energy {factor[1]:.1f}-fold, cost {factor[2]:.1f}-fold")

# %% [markdown]
# Same model, same data: with these middle inputs a fifth of the energy estimated for 2020. Over these ranges the device moves both results more than sixfold, its utilization almost threefold, and the price moves the cost fourfold. (The inputs are not independent: a slower device draws less power and is cheaper, too, so its bar exaggerates.) On the right, watts and PUE are missing because the price per hour includes the electricity. This is one run; failed runs, experiments, data, people and *use* come on top
# (notebook [[choosing_and_costing]]). Document 3 closes with *sustainability* (可持续发展) as a wish (9.4): the chain above is where to begin, and the grid's grams of CO₂ per kWh, which differ five- to tenfold between places (Patterson et al., 2021), are one more factor.

# %% [markdown]
# ## 1.11 What the documents say, counted
#
# | a widely copied statement | where | what the count says |
# |---|---|---|
# | GPT-3, BERT and ViT are large models of billions to trillions of parameters | Document 1, chapters 1 and 2 | 175 billion, 0.11 to 0.34 billion, 0.09 to 0.63 billion: one of three |
# | ResNet and Inception are large models | Document 1, 6.1 | 60 and 24 million |
# | an MNIST program is large-model training | Documents 3 and 4, 5.2 | 101,770 and 55,050 parameters |
# | the program around `gpt2` is a *large-scale* text-generation system | Document 5, 5.2 | 124,439,808 parameters, a tenth of that document's own "billions"; it trains nothing |
# | GPT-3 and BERT excel at image recognition | Document 2, chapter 1 | they read text only; ViT reads images only; CLIP and others were *trained* on both (notebook [[multimodal]]) |
# | the mathematics and a project of large models | Document 4, abstract | both are a small MLP's: where one has to begin, but 0.0001 of a billion parameters |
# | billions of parameters give generalization | Document 5, 2.1 | they give capacity; whether it generalizes is measured on new data (notebook [[training_deep_networks]]) |
# | the more data, the clearer the gain | Document 5, 2.1 | a power law: each doubling buys less, and with $N$ fixed the loss stops at a floor (1.9) |
# | large models are more accurate than deep learning | Document 5, 9.1 | they *are* deep learning; accuracy is measured, case by case |
#
# They are right about the causes: data, computing power, better algorithms (Document 3, chapter 1) and open software (Document 5, chapter 1); about the first fields of use, images, language and recommendation (Document 1, 8.1), and their spread to medicine and finance (Document 5, chapter 8); and about the three obstacles
# (Document 1, 8.3; Document 3, 9.3), to which this course has its own notebooks: compute
# ([[training_at_scale]], [[compression]]), privacy ([[privacy_and_security]]), interpretability ([[interpretability_and_fairness]]).
#
# Document 5 draws the concepts (chapter 2) as one chain: *large model → deep learning → computer vision → language processing*. No arrow has a meaning that fits all three. Methods contain each other; fields *use* methods:

# %% tags=["figure"]
#@title Figure: Methods contain each other; fields (right) use them
ml, deep, large = "machine\nlearning", "deep\nlearning", "large pre-\ntrained models"
fields = ["computer vision", "language", "speech", "recommendation"]
boxes = {ml: (0, 1.2), deep: (1.25, 1.2), large: (2.5, 1.2)}
boxes |= {field: (3.75, 0.8 * i) for i, field in enumerate(fields)}
plotting.flow(boxes, [(ml, deep, "contains"), (deep, large, "contains"),
                      *((large, field) for field in fields)],
              highlight=[ml, deep, large],
              title="Methods contain each other; fields (right) use them")
plt.show()

# %% [markdown]
# ## 1.12 An independent witness: Keras counts
#
# All counts so far are our lists of shapes. Keras knows nothing of them. It builds real models; inside a `StatelessScope` it records the shapes of their parameters without giving them memory, so that even GPT-3 can be built here.

# %%
tf = devices.setup(seed=0)
import keras
from keras import layers

without_memory = lambda: keras.StatelessScope(initialize_variables=False)
with without_memory():
    built = keras.applications.ResNet152(weights=None)
    inception = keras.applications.InceptionV3(weights=None)
numbers_in = lambda weights: sum(prod(w.shape) for w in weights)
biases = numbers_in(w for w in built.trainable_weights
                if "conv" in w.path and "bias" in w.path)
averages = numbers_in(built.non_trainable_weights)
print(f"ResNet-152 in Keras {built.count_params():,} = ours {resnet:,}"
      f" + {biases:,} biases + {averages:,} running averages")
print(f"Inception-v3 in Keras {inception.count_params():,}")
claim("ResNet-152, difference left",
      abs(built.count_params() - resnet - biases - averages), at_most=0)


# %%
def keras_block(x, heads: int):
    """The block of section 1.4 from Keras' layers. x: (batch, T, d)."""
    d = x.shape[-1]
    normal = layers.LayerNormalization()(x)
    x = x + layers.MultiHeadAttention(heads, d // heads)(normal, normal)
    wide = layers.Dense(4 * d, activation="gelu")(layers.LayerNormalization()(x))
    return x + layers.Dense(d)(wide)


def keras_gpt(n_layers: int, d: int, heads: int, context: int) -> keras.Model:
    """Tokens and positions in, d numbers per token out (the last step reuses
    the embedding, so it adds nothing)."""
    tokens, positions = [layers.Input((context,), dtype="int32") for _ in range(2)]
    x = layers.Embedding(50_257, d)(tokens) + layers.Embedding(context, d)(positions)
    for _ in range(n_layers):
        x = keras_block(x, heads)
    return keras.Model([tokens, positions], layers.LayerNormalization()(x))


# %%
for name, shape in LANGUAGE.items():
    ours = count(gpt(shape[0], shape[1], context=shape[3]))
    with without_memory():
        witness = keras_gpt(*shape).count_params()
    print(f"{name:11} Keras {witness:>15,}, ours {ours:>15,}")
    claim(f"{name}, difference", abs(witness - ours), at_most=0)

# %% [markdown]
# To the last parameter, up to 174,604,259,328. And since no number was stored, this took seconds: a count needs shapes, not memory.

# %% [markdown]
# ## 1.13 Where it breaks
#
# - **Papers contain errors and roundings.** Besides those found here: GPT-3's Table 2.1 gives its 13-billion model a width of 5,140, which its 40 heads can't divide.
# - **A count is not a cost.** Sparse models use a part of their parameters per token; convolutions use each many times; shared arrays count once.
# - **6ND ignores** attention (much for long texts), the discount of the first layer, and everything that runs twice to save memory.
# - **Memory formulas give the floor**; programs need buffers and copies on top. Measure before you buy.
# - **A scaling law is a fit**, valid near its points, for its data and its training recipe; its interval covers less than it seems to.
# - **Ask a supplier**: how many parameters, in which format? How much memory for my number of users and length of text? Trained on how many tokens? Energy and price measured, or computed from which inputs?

# %% [markdown]
# ## Summary
#
# 1. No threshold makes a model large: give parameters, tokens and FLOPs. ResNet-152 has 60 million, BERT 110, GPT-3 174,604 million parameters.
# 2. A model is a list of shapes; a Transformer block has $12d^2 + 13d$ parameters, and heads don't change that.
# 3. Using a model takes 2 bytes per parameter in bfloat16, training 16, plus activations; conversations fill the KV cache.
# 4. Training costs 6ND: 2 FLOPs per weight forward, 4 backward; attention adds $12\,n_\text{layers}\,T d$ per token.
# 5. Loss falls with size and data as power laws with a floor: best when both grow together, and never to be trusted far outside the points.
#
# **Key formulas**
#
# $$N_\text{block} = 12 d^2 + 13 d, \quad
# \text{training} = 16 N \text{ bytes}, \quad
# \text{cache per token} = 2\, n_\text{layers} h_{kv}\, d_\text{head} \cdot \text{bytes per number}, \quad
# C = 6 N D, \quad
# L = E + \frac{A}{N^\alpha} + \frac{B}{D^\beta}$$
#
# **Further reading**
#
# - K. He, X. Zhang, S. Ren, J. Sun, *Deep Residual Learning for Image Recognition*, 2015, arXiv:1512.03385; S. Zagoruyko, N. Komodakis, *Wide Residual Networks*, 2016, arXiv:1605.07146.
# - J. Devlin et al., *BERT*, 2019, arXiv:1810.04805; A. Dosovitskiy et al., *An Image is Worth 16x16 Words*, 2021, arXiv:2010.11929.
# - A. Radford et al., *Language Models are Unsupervised Multitask Learners*, OpenAI, 2019; T. Brown et al., *Language Models are Few-Shot Learners*, 2020, arXiv:2005.14165; H. Touvron et al., *LLaMA*, 2023, arXiv:2302.13971, and *Llama 2*, arXiv:2307.09288.
# - S. Han et al., *Learning both Weights and Connections for Efficient Neural Networks*, 2015, arXiv:1506.02626; W. Fedus et al., *Switch Transformers*, 2021, arXiv:2101.03961; J. Ainslie et al., *GQA*, 2023, arXiv:2305.13245.
# - S. Rajbhandari et al., *ZeRO*, 2020, arXiv:1910.02054; V. Korthikanti et al., *Reducing Activation Recomputation in Large Transformer Models*, 2022, arXiv:2205.05198.
# - J. Kaplan et al., *Scaling Laws for Neural Language Models*, 2020, arXiv:2001.08361 (6ND); J. Hoffmann et al., *Training Compute-Optimal Large Language Models*, 2022, arXiv:2203.15556; T. Besiroglu et al., *Chinchilla Scaling: A Replication Attempt*, 2024, arXiv:2404.10102; N. Muennighoff et al., *Scaling Data-Constrained Language Models*, 2023, arXiv:2305.16264.
# - D. Patterson et al., *Carbon Emissions and Large Neural Network Training*, 2021, arXiv:2104.10350; R. Bommasani et al., *On the Opportunities and Risks of Foundation Models*, 2021, arXiv:2108.07258.
