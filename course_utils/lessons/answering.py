"""Answering: taught in notebooks/23b_answers_with_sources.ipynb.

Made from the cells tagged `keep` there by `make notebooks`: edit the notebook's source instead.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
import json
import numpy as np
import os
import re
import urllib.request

from course_utils.lessons.retrieval import rarity, words


ENDS = re.compile(r"(?<=[.!?])\s+(?=[A-Z0-9\"“(])|(?<=[。！？；])")


def sentences(text: str) -> list[str]:
    """The sentences of a passage, in order."""
    return [part.strip() for part in ENDS.split(text) if part.strip()]


def best_sentence(asked: Sequence[str], lists: Sequence[Sequence[str]]) -> int:
    """Place of the sentence that shares the rarest words with the question."""
    scores = np.zeros(len(lists))
    for word in sorted(set(asked)):
        holds = np.array([word in part for part in lists])
        scores += rarity(holds.sum(), len(lists)) * holds
    return int(np.argmax(scores))


def em_and_f1(given: list[str], answers: list[list[str]]) -> tuple[float, float]:
    """(exact match, F1), each the best over the marked answers."""
    def f1(wanted: list[str]) -> float:
        agreeing = (Counter(given) & Counter(wanted)).total()
        both = len(given) + len(wanted)
        return 2 * agreeing / both if both else 1.0

    return float(list(given) in [list(a) for a in answers]), max(map(f1, answers))


def answer_words(text: str) -> list[str]:
    """Small letters, no punctuation, no articles; Chinese by characters."""
    found = re.findall(r"[a-z0-9]+|[\u4e00-\u9fff]", text.lower())
    return [word for word in found if word not in ("a", "an", "the")]


def build_prompt(question: str, passages: Sequence[str]) -> str:
    """What a chat model reads: orders, numbered passages, the question."""
    orders = ["Answer from the passages below only.",
              "After each statement, name its passage by number, as [2].",
              "If they do not hold the answer, say exactly: I don't know"]
    numbered = [f"[{i}] {' '.join(text.split())}"
                for i, text in enumerate(passages, start=1)]
    return "\n".join([*orders, *numbered, f"Question: {question}"])


def extract(question: str, passages: Sequence[str]) -> str:
    """The best sentence of the first passage, with its number."""
    if not passages:
        return "I don't know"
    parts = sentences(passages[0]) or [passages[0]]
    return f"{parts[best_sentence(words(question), [words(p) for p in parts])]} [1]"


def ask_chat(prompt: str, url: str, seconds: float = 30) -> str:
    """One turn of a chat model at `url`. Raises RuntimeError, with the reason."""
    body = {"model": os.environ.get("COURSE_CHAT_MODEL", "default"), "temperature": 0,
            "messages": [{"role": "user", "content": prompt}]}
    headers = {"Content-Type": "application/json"}
    if key := os.environ.get("COURSE_CHAT_KEY"):
        headers["Authorization"] = f"Bearer {key}"
    address = url.rstrip("/") + "/v1/chat/completions"
    request = urllib.request.Request(address, json.dumps(body).encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=seconds) as reply:
            return str(json.load(reply)["choices"][0]["message"]["content"])
    except (OSError, ValueError, LookupError, TypeError) as error:
        raise RuntimeError(f"COURSE_CHAT_URL {url} gave no answer: {error!r}") from None


def answer(question: str, passages: Sequence[str]) -> str:
    """An answer that names its passages, [1], or "I don't know"."""
    if url := os.environ.get("COURSE_CHAT_URL"):
        return ask_chat(build_prompt(question, passages), url)
    return extract(question, passages)


def has_sources(text: str, passages: Sequence[str]) -> bool:
    """May this answer be shown? Passages are named and hold all its numbers."""
    if text.strip(" .!。").lower() == "i don't know":
        return True
    named = [int(number) for number in re.findall(r"\[(\d+)\]", text)]
    if not named or not all(1 <= number <= len(passages) for number in named):
        return False
    held = {x for i in named for x in re.findall(r"\d+", passages[i - 1])}
    return set(re.findall(r"\d+", re.sub(r"\[\d+\]", " ", text))) <= held
