"""Digits hummed by rule, a stand-in for recordings of speech where there is no network.

A hum is a row of harmonics of the voice's pitch, the louder the nearer they lie to two resonances, as in
a vowel. A digit is a path of the two resonances through two or three stations; between them they glide.
A voice has a pitch, a length of throat, which moves all resonances, a loudness and a pace; each take
differs a little in all of them, and each has some noise.

Made by this project from nothing but these lines; the project's license holds. Needs NumPy alone.
"""

import numpy as np

RATE = 8000  # samples a second
# the two resonances in Hz at each station, one row a digit
PATHS = (
    ((300, 2100), (600, 1200), (450, 900)),
    ((350, 800), (700, 1150), (400, 1500)),
    ((500, 2400), (320, 900)),
    ((350, 1500), (300, 2300)),
    ((550, 1100), (480, 800)),
    ((700, 1250), (350, 2200)),
    ((380, 2000), (380, 1900), (500, 2600)),
    ((500, 1800), (550, 1500), (450, 1300)),
    ((480, 1900), (300, 2400), (420, 2000)),
    ((750, 1300), (320, 2200), (400, 1400)),
)
# a voice: pitch in Hz, resonances times this, loudness, pace
VOICES = {
    "alto": (190, 1.1, 0.25, 1.0),
    "baritone": (105, 0.95, 0.3, 0.9),
    "bass": (85, 0.88, 0.2, 1.15),
    "mezzo": (210, 1.15, 0.1, 0.85),
    "soprano": (240, 1.2, 0.05, 0.95),
    "tenor": (130, 1.0, 0.06, 1.05),
}


def digits(takes: int, seed: int) -> tuple[list[np.ndarray], list[int], list[str], list[int]]:
    """Sounds (int16, some 3,000 samples), digits, voices and takes, in this order of digit, voice, take."""
    rng = np.random.RandomState(seed)  # a Generator's numbers may change with NumPy's version
    order = [(digit, voice, take) for digit in range(10) for voice in VOICES for take in range(takes)]
    sounds = [_hum(digit, voice, rng) for digit, voice, _ in order]
    return sounds, [entry[0] for entry in order], [entry[1] for entry in order], [entry[2] for entry in order]


def _hum(digit: int, voice: str, rng: np.random.RandomState) -> np.ndarray:
    pitch, throat, loud, pace = VOICES[voice]
    pitch, throat, loud, pace = np.array([pitch, throat, loud, pace]) * np.exp(
        rng.normal(0, [0.06, 0.02, 0.2, 0.1])
    )
    stations = np.array(PATHS[digit], float) * throat * np.exp(rng.normal(0, 0.03, (len(PATHS[digit]), 2)))
    n = int(RATE * 0.1 * (1 + len(stations)) * pace)
    at = np.linspace(0, 1, n)
    paths = [np.interp(at, np.linspace(0, 1, len(stations)), path) for path in stations.T]  # two of (n,)
    glide = pitch * (1 + 0.1 * rng.normal() * (at - 0.5))
    phase = 2 * np.pi * np.cumsum(glide) / RATE
    sound, before, wave, turn = np.zeros(n), np.zeros(n), np.sin(phase), 2 * np.cos(phase)
    for k in range(1, int(0.45 * RATE / pitch)):
        low, high = (1 / (1 + ((k * pitch - path) / 150) ** 2) ** 2 for path in paths)
        sound += (low + 0.5 * high) * wave
        before, wave = wave, turn * wave - before  # sin(k + 1)φ = 2 cos φ sin kφ - sin(k - 1)φ
    sound *= np.minimum(1, np.minimum(at, 1 - at) * 12) * loud / np.abs(sound).max()
    return np.rint(32767 * np.clip(sound + rng.normal(0, 0.02 * loud, n), -1, 1)).astype(np.int16)
