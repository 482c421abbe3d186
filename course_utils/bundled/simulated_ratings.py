"""Ratings simulated from known tastes, the stand-in for MovieLens where there is no network.

Every viewer likes some genres more than others, every film has one to three genres, a quality and a
year. Viewers meet films that are popular and to their taste, in a few evenings each; they rate in half
stars, several of them in the same second. So it can be compared what a recommender finds with what is so.

Made by this project from nothing but these lines; the project's license holds. NumPy's `RandomState`
gives the same numbers in every version.
"""

from typing import NamedTuple

import numpy as np

GENRES = ("Action", "Comedy", "Drama", "Horror", "Romance", "Sci-Fi")
FIRST = (
    "Silent", "Golden", "Last", "Distant", "Broken", "Hidden", "Second", "Burning", "Quiet", "Crooked",
    "Paper", "Northern", "Empty", "Stolen", "Patient", "Electric", "Winter", "Blue", "Endless", "Borrowed",
)  # fmt: skip
SECOND = (
    "Harbor", "Garden", "Witness", "River", "Promise", "Machine", "Letter", "Island", "Stranger", "Bridge",
    "Summer", "Orchard", "Station", "Mirror", "Voyage", "Kitchen", "Planet", "Shadow", "Wedding", "Signal",
)  # fmt: skip
USERS, ITEMS = 250, 400
START, DAY = 946_684_800, 86_400  # seconds: the year 2000 begins, a day


class Simulated(NamedTuple):
    users: np.ndarray  # (n,) the rows are sorted by user, then by film
    items: np.ndarray  # (n,)
    ratings: np.ndarray  # (n,) 0.5, 1, …, 5
    times: np.ndarray  # (n,) seconds since 1970
    titles: list[str]
    genres: list[tuple[str, ...]]
    expected: np.ndarray  # (users, films) the mean rating that a viewer would give, before rounding


def simulate(seed: int = 0) -> Simulated:
    """The ratings, and the tastes from which they come."""
    rng = np.random.RandomState(seed)
    n_genres = len(GENRES)
    tastes = rng.normal(size=(USERS, n_genres))
    tastes -= tastes.mean(axis=1, keepdims=True)  # nobody likes everything: what differs counts
    has = np.zeros((ITEMS, n_genres))
    for film in range(ITEMS):
        has[film, rng.permutation(n_genres)[: 1 + rng.randint(3)]] = 1
    fits = tastes @ (has / has.sum(axis=1, keepdims=True)).T  # (USERS, ITEMS)
    quality = rng.normal(size=ITEMS)
    expected = 3.1 + 0.7 * fits + 0.4 * quality
    known_by_many = 1.2 * rng.normal(size=ITEMS) + 0.5 * quality
    meets = known_by_many + 1.5 * fits + rng.gumbel(size=(USERS, ITEMS))  # the highest are met
    parts = []
    for user in range(USERS):
        n = 20 + int(rng.exponential(40))
        items = np.sort(np.argsort(-meets[user])[:n])
        stars = expected[user, items] + 0.6 * rng.normal(size=len(items))
        ratings = np.clip(np.rint(2 * stars) / 2, 0.5, 5)
        evenings = np.sort(rng.randint(0, 3000, 1 + rng.randint(4)))
        within = rng.randint(0, 4 * len(items), len(items)) * 2  # seconds; some coincide
        times = START + evenings[rng.randint(len(evenings), size=len(items))] * DAY + within
        parts.append((np.full(len(items), user), items, ratings, times))
    users, films, ratings, times = (np.concatenate(column) for column in zip(*parts, strict=True))
    met, films = np.unique(films, return_inverse=True)  # a film that nobody met is left out
    names = [f"{first} {second}" for first in FIRST for second in SECOND]
    titles = [f"{names[i]} ({1960 + rng.randint(40)})" for i in rng.permutation(len(names))[:ITEMS]]
    genres = [tuple(GENRES[g] for g in np.flatnonzero(row)) for row in has]
    titles, genres = [titles[i] for i in met], [genres[i] for i in met]
    return Simulated(users, films, ratings, times, titles, genres, expected[:, met])
