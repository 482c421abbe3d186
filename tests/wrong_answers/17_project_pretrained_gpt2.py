# Wrong answers that the checks of 17_project_pretrained_gpt2 must refuse: each cell replaces an exercise cell.

# %% 17.1 keeps the beginning: return ids[-room:] → return ids[:room]

# %% 17.1 Document 5's total of fifty
def fit_prompt(ids, new, context):
    return ids[:50]

# %% 17.1 one token too few: room = context - new → room = context - new - 1

# %% 17.1 one token too many: room = context - new → room = context - new + 1

# %% 17.1 no room is all room
def fit_prompt(ids, new, context):
    return ids[-(context - new):]

# %% 17.1 raises only below zero: if room < 1: → if room < 0:

# %% 17.1 cuts as many as are new
def fit_prompt(ids, new, context):
    if new >= context:
        raise ValueError
    return ids[new:] if len(ids) + new > context else ids

# %% 17.1 a mask as long as the context: return ids[-room:] → return np.pad(ids[-room:], (0, max(0, room - len(ids))))

# %% 17.1 always at least one token, silently
def fit_prompt(ids, new, context):
    return ids[-max(1, context - new):]

# %% 17.2 offsets from the start of the file: content[start + begin : start + end] → content[begin:end]

# %% 17.2 forgets the eight bytes: start = 8 + int.from_bytes → start = int.from_bytes

# %% 17.2 highest byte first: "little" → "big"

# %% 17.2 only four bytes of the length, and the wrong start
def read_tensors(content):
    n = int.from_bytes(content[:4], "little")
    found = {}
    for name, entry in json.loads(content[8 : 8 + n]).items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            found[name] = np.frombuffer(content[4 + n + begin : 4 + n + end], TYPES[entry["dtype"]]).reshape(entry["shape"])
    return found

# %% 17.2 every number as float32
def read_tensors(content):
    start = 8 + int.from_bytes(content[:8], "little")
    tensors = {}
    for name, entry in json.loads(content[8:start]).items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            flat = np.frombuffer(content[start + begin : start + end], np.float32)
            tensors[name] = np.resize(flat, entry["shape"])
    return tensors

# %% 17.2 one after the other, whatever the offsets say
def read_tensors(content):
    start = 8 + int.from_bytes(content[:8], "little")
    tensors, at = {}, start
    for name, entry in json.loads(content[8:start]).items():
        if name != "__metadata__":
            count = int(np.prod(entry["shape"]))
            kind = np.dtype(TYPES[entry["dtype"]])
            tensors[name] = np.frombuffer(content, kind, count, at).reshape(entry["shape"])
            at += count * kind.itemsize
    return tensors

# %% 17.2 flat, without the shape: flat.reshape(entry["shape"]) → flat

# %% 17.2 turned around: flat.reshape(entry["shape"]) → flat.reshape(entry["shape"]).T

# %% 17.2 columns first: flat.reshape(entry["shape"]) → flat.reshape(entry["shape"], order="F")

# %% 17.2 keeps the metadata as a tensor
def read_tensors(content):
    start = 8 + int.from_bytes(content[:8], "little")
    tensors = {"__metadata__": np.zeros(0)}
    for name, entry in json.loads(content[8:start]).items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            tensors[name] = np.frombuffer(content[start + begin : start + end], TYPES[entry["dtype"]]).reshape(entry["shape"])
    return tensors

# %% 17.2 expects the metadata to be there
def read_tensors(content):
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    del header["__metadata__"]
    return {name: np.frombuffer(content[start + e["data_offsets"][0] : start + e["data_offsets"][1]],
                                TYPES[e["dtype"]]).reshape(e["shape"]) for name, e in header.items()}

# %% 17.2 all in float32 after reading: tensors[name] = flat.reshape(entry["shape"]) → tensors[name] = flat.reshape(entry["shape"]).astype(np.float32)

# %% 17.2 single numbers widened to double: tensors[name] = flat.reshape(entry["shape"]) → tensors[name] = flat.reshape(entry["shape"]).astype(float if flat.dtype == np.float32 else flat.dtype)

# %% 17.3 the norms exchanged: f"h.{i}.ln_1": block.norm1, f"h.{i}.ln_2": block.norm2 → f"h.{i}.ln_1": block.norm2, f"h.{i}.ln_2": block.norm1

# %% 17.3 the two matrices of the feed-forward part exchanged: f"h.{i}.mlp.c_fc": block.up, f"h.{i}.mlp.c_proj": block.down → f"h.{i}.mlp.c_fc": block.down, f"h.{i}.mlp.c_proj": block.up

# %% 17.3 blocks counted from 1: enumerate(model.blocks) → enumerate(model.blocks, 1)

# %% 17.3 weight and bias exchanged: found[f"{name}.weight"], found[f"{name}.bias"] = → found[f"{name}.bias"], found[f"{name}.weight"] =

# %% 17.3 tokens and places exchanged: "wpe.weight": model.places.embeddings → "wpe.weight": model.tokens.embeddings

# %% 17.3 no last norm: parts = {"ln_f": model.norm} → parts = {}

# %% 17.3 with the prefix of other files: parts |= {f"h.{i}.ln_1" → parts |= {f"transformer.h.{i}.ln_1"

# %% 17.3 arrays instead of variables: = layer.weights → = layer.get_weights()

# %% 17.3 the mask taken for the bias of attention: return found → return {name.replace("c_attn.bias", "bias"): place for name, place in found.items()}

# %% 17.3 only the first block: enumerate(model.blocks) → enumerate(model.blocks[:1])

# %% 17.3 an output matrix of its own: found = {"wte.weight" → found = {"lm_head.weight": model.tokens.embeddings, "wte.weight"

# %% 17.3 copies of the variables: return found → return {name: keras.Variable(ops.convert_to_numpy(place)) for name, place in found.items()}

# %% 17.3 shift and scale of the norms exchanged: = layer.weights → = layer.weights[::-1] if "ln" in name else layer.weights

# %% 17.3 the last block in place of the first: enumerate(model.blocks) → enumerate(model.blocks[::-1])

# %% 17.3 the weights set on the way: return found → [place.assign(ops.zeros(place.shape)) for place in found.values()]; return found

# %% 17.7 both random: initializer="zeros" → initializer=normal(d_in**-0.5)

# %% 17.7 both zero: initializer=normal(d_in**-0.5) → initializer="zeros"

# %% 17.7 without the scale: dense(x) + scale * ops.matmul → dense(x) + ops.matmul

# %% 17.7 forgets the dense layer: return dense(x) + scale * → return scale *

# %% 17.7 the spread of a wide layer: normal(d_in**-0.5) → normal(0.02)

# %% 17.7 the spread of the other side: normal(d_in**-0.5) → normal(d_out**-0.5)

# %% 17.7 scales the dense layer too: return dense(x) + scale * ops.matmul(thin, B) → return scale * (dense(x) + ops.matmul(thin, B))

# %% 17.7 the product without the bias of the layer
def thin_pair(layer, d_in, d_out, rank):
    A = layer.add_weight(shape=(d_in, rank), initializer=normal(d_in**-0.5))
    return A, layer.add_weight(shape=(rank, d_out), initializer="zeros")


def with_product(x, dense, A, B, scale):
    dense(x)
    return ops.matmul(x, dense.kernel + scale * ops.matmul(A, B))

# %% 17.7 divided by the rank
def thin_pair(layer, d_in, d_out, rank):
    A = layer.add_weight(shape=(d_in, rank), initializer=normal(d_in**-0.5))
    return A, layer.add_weight(shape=(rank, d_out), initializer="zeros")


def with_product(x, dense, A, B, scale):
    return dense(x) + scale / A.shape[1] * ops.matmul(ops.matmul(x, A), B)

# %% 17.7 variables that no layer knows
def thin_pair(layer, d_in, d_out, rank):
    A = keras.Variable(np.random.default_rng(0).normal(0, d_in**-0.5, (d_in, rank)), dtype="float32", trainable=False)
    return ops.convert_to_tensor(A), keras.Variable(np.zeros((rank, d_out)), dtype="float32")


def with_product(x, dense, A, B, scale):
    return dense(x) + scale * ops.matmul(ops.matmul(x, A), B)

# %% 17.7 B in the first place: return A, B → return B, A

# %% 17.9 without the scale: W + volume * layer.scale * A @ B → W + volume * A @ B

# %% 17.9 without the volume: W + volume * layer.scale * A @ B → W + layer.scale * A @ B

# %% 17.9 the volume on everything: W + volume * layer.scale * A @ B → volume * (W + layer.scale * A @ B)

# %% 17.9 the product alone: return W + volume → return volume

# %% 17.9 changes the layer
def merge_lora(layer, volume=1.0):
    W, A, B = (ops.convert_to_numpy(w) for w in (layer.dense.kernel, layer.A, layer.B))
    layer.dense.kernel.assign(W + volume * layer.scale * A @ B)
    return ops.convert_to_numpy(layer.dense.kernel)

# %% 17.9 turned around: return W + volume * layer.scale * A @ B → return (W + volume * layer.scale * A @ B).T

# %% 17.9 subtracts: W + volume → W - volume

# %% 17.9 a volume of 0.5 unless said: volume: float = 1.0 → volume: float = 0.5
