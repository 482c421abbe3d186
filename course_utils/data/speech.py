"""Recordings of speech, with their stand-in."""

import io
import wave
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from course_utils.bundled import made_tones
from course_utils.data.archives import split
from course_utils.data.files import Dataset, Read, obtain


@dataclass(frozen=True)
class SpeechData:
    """Labeled recordings, one sound channel each, in the order digit, speaker, take.

    recordings: n arrays of samples, int16, of different lengths. y: (n,) int64, positions in class_names.
    speaker: (n,) int64, positions in speaker_names. take: (n,) int64, counted from 0 for each digit of each
    speaker. source: "bundled" for the course's stand-in.
    """

    name: str
    recordings: list[np.ndarray]
    y: np.ndarray
    speaker: np.ndarray
    take: np.ndarray
    rate: int  # samples a second
    class_names: tuple[str, ...]
    speaker_names: tuple[str, ...]
    source: Literal["real", "bundled"]
    license: str
    citation: str


def spoken_digits() -> SpeechData:
    """English digits, 8,000 samples a second: 50 takes of each digit by each of six people (stand-in: 10
    takes by six made voices). Published as one set: its authors test on takes 0 to 4."""
    return obtain("spoken_digits", _wave_files, _hummed)


def _wave_files(dataset: Dataset, read: Read) -> SpeechData:
    """One member a recording, "recordings/7_jackson_32.wav": digit, speaker, take."""
    found = []
    for path, content in split(read(dataset.files[0].name)).items():
        digit, speaker, take = path.rpartition("/")[2].removesuffix(".wav").split("_")
        found.append((int(digit), speaker, int(take), content))
    found.sort(key=lambda entry: entry[:3])
    digits, speakers, takes, contents = zip(*found, strict=True)
    sounds = [_samples(content) for content in contents]
    (rate,) = {rate for _, rate in sounds}
    terms = (dataset.license, dataset.citation)
    return _speech(dataset, [sound for sound, _ in sounds], digits, speakers, takes, rate, "real", *terms)


def _samples(content: bytes) -> tuple[np.ndarray, int]:
    """A WAV file's samples, int16, and its rate; ValueError if it isn't one channel of 16 bits."""
    with wave.open(io.BytesIO(content)) as file:
        if (file.getnchannels(), file.getsampwidth()) != (1, 2):
            raise ValueError(f"{file.getnchannels()} channels of {8 * file.getsampwidth()} bits")
        return np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.int16), file.getframerate()


def _hummed(dataset: Dataset) -> SpeechData:
    made = made_tones.digits(takes=10, seed=0)
    citation = "course_utils/bundled/made_tones.py"
    return _speech(dataset, *made, made_tones.RATE, "bundled", "Apache-2.0", citation)


def _speech(
    dataset: Dataset,
    sounds: list[np.ndarray],
    digits: Sequence[int],
    speakers: Sequence[str],
    takes: Sequence[int],
    rate: int,
    source: Literal["real", "bundled"],
    license: str,
    citation: str,
) -> SpeechData:
    names, speaker = np.unique(speakers, return_inverse=True)
    numbers = (np.array(digits, np.int64), speaker.astype(np.int64), np.array(takes, np.int64))
    classes, people = tuple(dataset.classes), tuple(map(str, names))
    return SpeechData(dataset.title, sounds, *numbers, rate, classes, people, source, license, citation)
