"""Ratings of films, with a stand-in whose tastes are known."""

import csv
import io
import zipfile
from dataclasses import dataclass
from typing import Literal

import numpy as np

from course_utils.bundled import simulated_ratings
from course_utils.data.files import Dataset, Read, obtain

FOLDER = "ml-latest-small/"  # within the archive


@dataclass(frozen=True)
class Ratings:
    """Who rated which film, how, and when: one row a rating, sorted by user, then by film.

    source: "bundled" for the course's stand-in, and only then `expected` is known: the mean rating that a
    user would give to a film, (users, items).
    """

    users: np.ndarray  # (n,) int64, from 0
    items: np.ndarray  # (n,) int64, positions in titles and genres
    ratings: np.ndarray  # (n,) float32: 0.5, 1, …, 5
    times: np.ndarray  # (n,) int64, seconds since 1970
    titles: list[str]
    genres: list[tuple[str, ...]]
    expected: np.ndarray | None
    source: Literal["real", "bundled"]
    license: str
    citation: str


def movielens() -> Ratings:
    """MovieLens, small: 100,836 ratings of 9,724 films by 610 people (stand-in: 14,820 of 397 by 250).
    Films that nobody rated are left out."""
    return obtain("movielens", _published, _simulated)


def _published(dataset: Dataset, read: Read) -> Ratings:
    with zipfile.ZipFile(io.BytesIO(read(dataset.files[0].name))) as archive:
        rated, films = (_rows(archive.read(FOLDER + name)) for name in ("ratings.csv", "movies.csv"))
    users = np.array([int(row[0]) for row in rated])
    movies = np.array([int(row[1]) for row in rated])
    ids, items = np.unique(movies, return_inverse=True)
    about = {int(number): (title, genres) for number, title, genres in films}
    named = [about[number] for number in ids.tolist()]
    return Ratings(
        np.unique(users, return_inverse=True)[1].astype(np.int64), items.astype(np.int64),
        np.array([row[2] for row in rated], np.float32), np.array([int(row[3]) for row in rated], np.int64),
        [title for title, _ in named], [_genres(genres) for _, genres in named],
        None, "real", dataset.license, dataset.citation,
    )  # fmt: skip


def _rows(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf8"), newline="")))[1:]


def _genres(listed: str) -> tuple[str, ...]:
    """The listed genres, or none for "(no genres listed)"."""
    return () if listed.startswith("(") else tuple(listed.split("|"))


def _simulated(dataset: Dataset) -> Ratings:
    made = simulated_ratings.simulate()
    return Ratings(
        made.users.astype(np.int64), made.items.astype(np.int64), made.ratings.astype(np.float32),
        made.times.astype(np.int64), made.titles, made.genres, made.expected,
        "bundled", "Apache-2.0", "course_utils/bundled/simulated_ratings.py",
    )  # fmt: skip
