# Right answers in another style, which the checks of 25_speech_recognition must accept.

# %% 25.1 plain numbers, an array
def by_pencil():
    return np.array([16, 3200, 1000])

# %% 25.2a a loop, a list of slices
def frames(sound, size, hop):
    pieces = []
    start = 0
    while start + size <= len(sound):
        pieces.append(sound[start : start + size])
        start += hop
    return np.array(pieces)

# %% 25.2a NumPy's view
def frames(sound, size, hop):
    return np.lib.stride_tricks.sliding_window_view(np.asarray(sound), size)[::hop].copy()

# %% 25.2b a complex exponential
def power_of_bin(frame, k):
    N = len(frame)
    return abs(np.sum(np.asarray(frame) * np.exp(-2j * np.pi * k * np.arange(N) / N))) ** 2

# %% 25.2b a loop over the samples
def power_of_bin(frame, k):
    import math
    N, c, s = len(frame), 0.0, 0.0
    for n, x in enumerate(frame):
        c += x * math.cos(2 * math.pi * k * n / N)
        s += x * math.sin(2 * math.pi * k * n / N)
    return c * c + s * s

# %% 25.3 entry by entry
def triangles(points, edges):
    out = np.zeros((len(points), len(edges) - 2), np.float32)
    for i, p in enumerate(points):
        for j in range(len(edges) - 2):
            a, b, c = edges[j : j + 3]
            if a < p <= b:
                out[i, j] = (p - a) / (b - a)
            elif b < p < c:
                out[i, j] = (c - p) / (c - b)
    return out

# %% 25.3 NumPy's interpolation, band by band
def triangles(points, edges):
    return np.stack([np.interp(points, edges[j : j + 3], [0, 1, 0])
                     for j in range(len(edges) - 2)], axis=1)

# %% 25.5 a loop, lists
def speaker_folds(speaker):
    pairs = []
    for s in sorted(set(np.asarray(speaker).tolist())):
        test = [i for i, who in enumerate(speaker) if who == s]
        pairs.append(([i for i, who in enumerate(speaker) if who != s], test))
    return pairs

# %% 25.5 a generator by places
def speaker_folds(speaker):
    rows = np.arange(len(speaker))
    for s in np.unique(speaker):
        yield rows[speaker != s], rows[speaker == s]

# %% 25.6 in decibels
def with_noise(sound, noise, snr):
    now = 10 * np.log10(np.sum(sound**2) / np.sum(noise**2))
    return sound + noise * 10 ** ((now - snr) / 20)

# %% 25.6 sums in a loop, float32
def with_noise(sound, noise, snr):
    sound_power = sum(float(x) ** 2 for x in sound) / len(sound)
    noise_power = sum(float(x) ** 2 for x in noise) / len(noise)
    factor = (sound_power / (noise_power * 10 ** (snr / 10))) ** 0.5
    return np.array([x + factor * z for x, z in zip(sound, noise)], np.float32)

# %% 25.2b NumPy's transform
def power_of_bin(frame, k):
    return abs(np.fft.rfft(frame)[k]) ** 2

# %% 25.2b in 32 bits
def power_of_bin(frame, k):
    frame = frame.astype(np.float32)
    angles = (2 * np.pi * k * np.arange(frame.shape[0]) / frame.shape[0]).astype(np.float32)
    return (frame * np.cos(angles)).sum() ** 2 + (frame * np.sin(angles)).sum() ** 2
