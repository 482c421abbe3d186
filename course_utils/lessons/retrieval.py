"""Retrieval: taught in notebooks/23_question_answering.ipynb.

Made from the cells tagged `keep` there by `make notebooks`: edit the notebook's source instead.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from sklearn.feature_extraction.text import CountVectorizer
import numpy as np
import re


def rank_of_right(scores: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Place of the right passage, 1 is best; others with its score come first.

    scores: (q, n), right: (q,) -> (q,)
    """
    own = scores[np.arange(len(right)), right]  # (q,)
    return np.sum(scores >= own[:, None], axis=1)


def pieces(run: str) -> list[str]:
    """Characters, then pairs of neighbors, of a text without spaces."""
    return list(run) + [run[i : i + 2] for i in range(len(run) - 1)]


STOP = frozenset(
    "a an and are as at be by for from has he in is it its of on that the to was were "
    "will with what which who whom when where why how did do does had have this these "
    "those or not there their they you your we our i my me she his her but if".split())


def stem(word: str) -> str:
    """An English word without a common ending."""
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    for ending in ("ing", "ed", "es", "s", "e"):
        if word.endswith(ending) and len(word) >= len(ending) + 3:
            return word[: -len(ending)]
    return word


def words(text: str, stop: frozenset[str] = STOP) -> list[str]:
    """What to look for: stems of English words and numbers, pieces of Chinese."""
    plain = re.findall(r"[a-z0-9]+", text.lower())
    found = [stem(word) for word in plain if word not in stop]
    for run in re.findall(r"[\u4e00-\u9fff]+", text):
        found += pieces(run)
    return found


def rarity(having, n):
    """How much a word tells that `having` of n passages hold; numbers or arrays."""
    return np.log(1 + (n - having + 0.5) / (having + 0.5))


def bm25_weights(counts: np.ndarray, k1: float = 1.5, b: float = 0.75
                 ) -> np.ndarray:
    """BM25's weight of each word in each passage. counts: (n, V) -> (n, V)"""
    having = np.sum(counts > 0, axis=0)  # (V,)
    length = np.sum(counts, axis=1, keepdims=True)  # (n, 1)
    slow = k1 * (1 - b + b * length / length.mean())
    return rarity(having, len(counts)) * counts * (k1 + 1) / (counts + slow)


class Index:
    """Passages, and what each word weighs in each of them."""

    def __init__(self, passages: Sequence[str], k1: float = 1.5, b: float = 0.75,
                 tokens: Callable[[str], list[str]] = words) -> None:
        self.tokens, self.lists = tokens, [tokens(passage) for passage in passages]
        self.counter = CountVectorizer(analyzer=list)  # of words that are cut already
        counts = self.counter.fit_transform(self.lists).toarray().astype(np.float32)
        having = np.count_nonzero(counts, axis=0)
        self.weights = np.asarray(bm25_weights(counts, k1, b), np.float32)  # (n, V)
        self.known = dict(zip(self.counter.get_feature_names_out(),
                              rarity(having, len(counts))))

    def scores(self, asked: Sequence[str]) -> np.ndarray:
        """BM25 of each passage for each question, (q, n)."""
        counts = self.counter.transform([self.tokens(text) for text in asked])
        return counts @ self.weights.T

    def rarity_of(self, word: str) -> float:
        """Of a word that no passage holds, too."""
        return float(self.known.get(word, rarity(0, len(self.lists))))


def coverage(asked: list[str], passage: list[str],
             rarity_of: Callable[[str], float]) -> float:
    """The share of the question's rarity that the passage holds, 0 to 1."""
    whole = sum(rarity_of(word) for word in set(asked))
    shared = sum(rarity_of(word) for word in set(asked) & set(passage))
    return shared / whole if whole else 0.0


def threshold(values: np.ndarray, wrongly: float) -> float:
    """The largest of the values with at most the share `wrongly` below it."""
    return float(np.sort(values)[int(wrongly * len(values) + 1e-9)])
