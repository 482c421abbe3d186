"""Speech: taught in notebooks/25_speech_recognition.ipynb.

Made from the cells tagged `keep` there by `make notebooks`: edit the notebook's source instead.
"""

from __future__ import annotations

import numpy as np


RATE = 8000  # samples a second
SIZE, HOP = 256, 128  # samples of a frame, and from one frame to the next
BANDS = 32


def frames(sound, size, hop):
    sound = np.asarray(sound)
    first = np.arange(0, len(sound) - size + 1, hop)  # (frames,)
    return sound[first[:, None] + np.arange(size)]


HANN = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(SIZE) / SIZE)  # the window above


def power_spectrum(sound: np.ndarray) -> np.ndarray:
    """Power of each bin of each windowed frame. sound: (samples,) -> (frames, 129)"""
    return np.abs(np.fft.rfft(frames(sound, SIZE, HOP) * HANN)) ** 2


def mel(frequency):
    """Hz -> mel: the higher, the more squeezed; at 700 Hz by half."""
    return 1127 * np.log1p(np.asarray(frequency) / 700)


def triangles(points, edges):
    points, edges = np.asarray(points)[:, None], np.asarray(edges)
    rising = (points - edges[:-2]) / (edges[1:-1] - edges[:-2])  # (n, bands)
    falling = (edges[2:] - points) / (edges[2:] - edges[1:-1])
    return np.maximum(np.minimum(rising, falling), 0)


FLOOR = 1e-6  # no power is smaller: the logarithm of 0 is no number
BINS = mel(np.arange(SIZE // 2 + 1) * RATE / SIZE)  # (129,)
BANK = triangles(BINS, np.linspace(mel(60), mel(4000), BANDS + 2))  # (129, 32)


def log_mel(sound):
    """Logarithm of the power in each band. sound: (samples,) -> (frames, 32)"""
    return np.log(power_spectrum(sound) @ BANK + FLOOR)
