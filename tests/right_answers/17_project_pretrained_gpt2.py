# Right answers in another style, which the checks of 17_project_pretrained_gpt2 must accept.

# %% 17.1 from the other end
def fit_prompt(ids, new, context):
    if new >= context:
        raise ValueError("the answer alone fills the context")
    first = max(0, len(ids) - (context - new))
    return np.array(ids)[first:]

# %% 17.1 a loop that drops the oldest token
def fit_prompt(ids, new, context):
    rest = list(ids)
    while len(rest) + new > context:
        rest.pop(0)
        if not rest:
            raise ValueError
    return rest

# %% 17.2 struct and offsets
def read_tensors(content):
    import struct
    (n,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + n].decode("utf8"))
    header.pop("__metadata__", None)
    found = {}
    for name in header:
        kind, shape = np.dtype(TYPES[header[name]["dtype"]]), header[name]["shape"]
        begin, end = header[name]["data_offsets"]
        found[name] = np.frombuffer(content, kind, (end - begin) // kind.itemsize, 8 + n + begin).reshape(shape)
    return found

# %% 17.2 the numbers cut off first, types by hand, copies
def read_tensors(content):
    size = sum(byte * 256**i for i, byte in enumerate(content[:8]))
    about, body = json.loads(content[8 : 8 + size]), content[8 + size :]
    result = {}
    for name, entry in about.items():
        if name.startswith("__"):
            continue
        kind = "<f4" if entry["dtype"] == "F32" else "<f2"
        a, b = entry["data_offsets"]
        result[name] = np.array(np.frombuffer(body[a:b], kind)).reshape(tuple(entry["shape"]))
    return result

# %% 17.3 one entry at a time
def slots(model):
    d = {}
    d["wte.weight"] = model.tokens.weights[0]
    d["wpe.weight"] = model.places.embeddings
    d["ln_f.weight"], d["ln_f.bias"] = model.norm.gamma, model.norm.beta
    for i in range(len(model.blocks)):
        b = model.blocks[i]
        for name, norm in (("ln_1", b.norm1), ("ln_2", b.norm2)):
            d[f"h.{i}.{name}.weight"] = norm.gamma
            d[f"h.{i}.{name}.bias"] = norm.beta
        for name, dense in (("attn.c_attn", b.attention.into), ("attn.c_proj", b.attention.out),
                            ("mlp.c_fc", b.up), ("mlp.c_proj", b.down)):
            d["h." + str(i) + "." + name + ".weight"] = dense.kernel
            d["h." + str(i) + "." + name + ".bias"] = dense.bias
    return d

# %% 17.7 einsum, arguments by position, the product added first
def thin_pair(layer, d_in, d_out, rank):
    spread = keras.initializers.RandomNormal(0.0, 1 / np.sqrt(d_in))
    return (layer.add_weight(shape=[d_in, rank], initializer=spread, name="down"),
            layer.add_weight(shape=[rank, d_out], initializer=keras.initializers.Zeros(), name="up"))


def with_product(x, dense, A, B, scale):
    low = ops.einsum("...i,ir->...r", x, A) * scale
    return ops.add(ops.einsum("...r,ro->...o", low, B), dense(x))

# %% 17.7 the thin matrices multiplied first, zeros assigned
def thin_pair(layer, d_in, d_out, rank):
    A = layer.add_weight(shape=(d_in, rank), initializer=normal(d_in**-0.5))
    B = layer.add_weight(shape=(rank, d_out), initializer=normal(1.0))
    B.assign(ops.zeros((rank, d_out)))
    return [A, B]


def with_product(x, dense, A, B, scale):
    return dense(x) + ops.matmul(x, scale * ops.matmul(A, B))

# %% 17.7 the dense layer's own sum, after it was called
def thin_pair(layer, d_in, d_out, rank):
    A = layer.add_weight(shape=(d_in, rank), initializer=keras.initializers.RandomNormal(stddev=d_in**-0.5))
    return A, layer.add_weight(shape=(rank, d_out), initializer="zeros")


def with_product(x, dense, A, B, scale):
    dense(x)  # it makes its weights then
    return ops.matmul(x, dense.kernel + scale * ops.matmul(A, B)) + dense.bias

# %% 17.9 operations of Keras, a tensor
def merge_lora(layer, volume=1.0):
    return layer.dense.kernel + (volume * layer.scale) * ops.matmul(layer.A, layer.B)

# %% 17.9 a sum over ranks in float64
def merge_lora(layer, volume=1.0):
    W = np.array(ops.convert_to_numpy(layer.dense.kernel), float)
    A, B = ops.convert_to_numpy(layer.A), ops.convert_to_numpy(layer.B)
    for r in range(A.shape[1]):
        W += volume * layer.scale * np.outer(A[:, r], B[r])
    return W
