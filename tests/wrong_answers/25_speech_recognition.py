# Wrong answers that the checks of 25_speech_recognition must refuse: each cell replaces an exercise cell.

# %% 25.1 the period upside down: 8000 / 500 → 500 / 8000

# %% 25.1 half a turn only: 8000 / 500 → 4000 / 500

# %% 25.1 the sound's samples in milliseconds: 0.4 * 8000 → 400

# %% 25.1 heard as it is: 8000 - 7000 → 7000

# %% 25.1 mirrored at half of the rate, wrongly: 8000 - 7000 → 7000 - 4000

# %% 25.2a one frame too few: len(sound) - size + 1 → len(sound) - size

# %% 25.2a pieces that are not whole: len(sound) - size + 1, hop → len(sound), hop

# %% 25.2a frames without overlap: + 1, hop) → + 1, size)

# %% 25.2a every sample begins a frame: 0, len(sound) - size + 1, hop → 0, len(sound) - size + 1, 1

# %% 25.2a the table turned round: return sound[first[:, None] + np.arange(size)] → return sound[first + np.arange(size)[:, None]]

# %% 25.2a places instead of samples: return sound[first[:, None] + np.arange(size)] → return first[:, None] + np.arange(size)

# %% 25.2a cut by reshape
def frames(sound, size, hop):
    n = len(sound) // size
    return np.asarray(sound)[: n * size].reshape(n, size)

# %% 25.2b cosine only
def power_of_bin(frame, k):
    angles = 2 * np.pi * k * np.arange(len(frame)) / len(frame)
    return (frame @ np.cos(angles)) ** 2

# %% 25.2b the square of the sum: (frame @ np.cos(angles)) ** 2 + (frame @ np.sin(angles)) ** 2 → (frame @ np.cos(angles) + frame @ np.sin(angles)) ** 2

# %% 25.2b the root, too: return (frame @ np.cos(angles)) ** 2 + (frame @ np.sin(angles)) ** 2 → return np.sqrt((frame @ np.cos(angles)) ** 2 + (frame @ np.sin(angles)) ** 2)

# %% 25.2b no squares: (frame @ np.cos(angles)) ** 2 + (frame @ np.sin(angles)) ** 2 → frame @ np.cos(angles) + frame @ np.sin(angles)

# %% 25.2b half a turn: 2 * np.pi * k → np.pi * k

# %% 25.2b the length fixed: / len(frame) → / 256

# %% 25.2b counted from 1: np.arange(len(frame)) → np.arange(1, len(frame))

# %% 25.2b one turn too many a frame: / len(frame) → / (len(frame) - 1)

# %% 25.2b products, not their sum
def power_of_bin(frame, k):
    angles = 2 * np.pi * k * np.arange(len(frame)) / len(frame)
    return (frame * np.cos(angles)) ** 2 + (frame * np.sin(angles)) ** 2

# %% 25.3 not cut off below 0: np.maximum(np.minimum(rising, falling), 0) → np.minimum(rising, falling)

# %% 25.3 the larger line: np.minimum(rising, falling) → np.maximum(rising, falling)

# %% 25.3 no widths: / (edges[1:-1] - edges[:-2]) → / 1

# %% 25.3 one width for both sides: / (edges[2:] - edges[1:-1]) → / (edges[1:-1] - edges[:-2])

# %% 25.3 the width of the whole triangle: / (edges[1:-1] - edges[:-2]) → / (edges[2:] - edges[:-2])

# %% 25.3 falls from the first edge: (edges[2:] - points) → (points - edges[2:])

# %% 25.3 the lines multiplied: np.minimum(rising, falling) → (rising * falling)

# %% 25.3 the table turned round: return np.maximum(np.minimum(rising, falling), 0) → return np.maximum(np.minimum(rising, falling), 0).T

# %% 25.3 not above 1 instead of not below 0: np.maximum(np.minimum(rising, falling), 0) → np.minimum(np.minimum(rising, falling), 1)

# %% 25.5 by take, as the colleague did
def speaker_folds(speaker):
    rows = np.arange(len(speaker))
    return [(rows[rows % 3 > 0], rows[rows % 3 == 0]) for _ in np.unique(speaker)]

# %% 25.5 the pairs the wrong way round: [(np.flatnonzero(speaker != s), np.flatnonzero(speaker == s)) → [(np.flatnonzero(speaker == s), np.flatnonzero(speaker != s))

# %% 25.5 learns from all: np.flatnonzero(speaker != s) → np.arange(len(speaker))

# %% 25.5 tests all: np.flatnonzero(speaker == s) → np.arange(len(speaker))

# %% 25.5 learns from the later speakers only: speaker != s → speaker > s

# %% 25.5 a fold for each recording: np.unique(speaker) → speaker

# %% 25.5 six speakers, whoever occurs: np.unique(speaker) → range(6)

# %% 25.5 masks, not rows: [(np.flatnonzero(speaker != s), np.flatnonzero(speaker == s)) → [(speaker != s, speaker == s)

# %% 25.6 decibels of amplitudes: / 10) → / 20)

# %% 25.6 no root: np.sqrt(wanted / np.mean(noise**2)) → (wanted / np.mean(noise**2))

# %% 25.6 the sign of the SNR: wanted = np.mean(sound**2) / → wanted = np.mean(sound**2) *

# %% 25.6 the noise taken as it is: noise * np.sqrt(wanted / np.mean(noise**2)) → noise * np.sqrt(wanted)

# %% 25.6 deviations instead of powers: np.mean(noise**2) → np.var(noise)

# %% 25.6 sums instead of means: wanted = np.mean(sound**2) → wanted = np.sum(sound**2)

# %% 25.6 the noise alone: return sound + noise → return noise

# %% 25.6 the sound is scaled
def with_noise(sound, noise, snr):
    wanted = np.mean(noise**2) * 10 ** (snr / 10)
    return sound * np.sqrt(wanted / np.mean(sound**2)) + noise

# %% 25.6 changes the sound
def with_noise(sound, noise, snr):
    wanted = np.mean(sound**2) / 10 ** (snr / 10)
    sound += noise * np.sqrt(wanted / np.mean(noise**2))
    return sound
