"""Passages with questions whose answers stand in them, in English and Chinese, each with its stand-in."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from course_utils.bundled import made_questions
from course_utils.data.files import Dataset, obtain


class Question(NamedTuple):
    text: str
    passage: int  # the place, in `passages`, of the one that it was written for
    answers: tuple[str, ...]  # as people marked them; all count as right
    starts: tuple[int, ...]  # where each begins in the passage; -1 where it doesn't stand there


@dataclass(frozen=True)
class QuestionSet:
    """Passages, and questions about them. source: "bundled" for the course's stand-in."""

    name: str
    passages: list[str]
    articles: list[int]  # of each passage: passages of one article have the same number
    questions: list[Question]
    source: Literal["real", "bundled"]
    license: str
    citation: str


def xquad(language: Literal["en", "zh"] = "en") -> QuestionSet:
    """240 paragraphs of Wikipedia with 1,190 questions, in English or translated into Chinese: the same in
    the same order (stand-in: 80 and 240)."""
    place = ("en", "zh").index(language)
    return obtain(
        "xquad",
        lambda dataset, read: _published(dataset, read(dataset.files[place].name)),
        lambda dataset: _made(dataset, made_questions.squad(language)),
    )


def cmrc2018(part: Literal["dev", "trial"] = "dev") -> QuestionSet:
    """Paragraphs of Chinese Wikipedia with questions: 848 and 3,219 of the part that is to judge ("dev"), 256
    and 1,002 to learn from ("trial"; stand-in: 80 and 240, and as many)."""
    place = ("dev", "trial").index(part)
    return obtain(
        "cmrc2018",
        lambda dataset, read: _published(dataset, read(dataset.files[place].name)),
        lambda dataset: _made(dataset, made_questions.squad("zh", seed=1 + place)),
    )


def _published(dataset: Dataset, content: bytes) -> QuestionSet:
    return _question_set(dataset, json.loads(content)["data"], "real", dataset.license, dataset.citation)


def _made(dataset: Dataset, articles: list[dict[str, Any]]) -> QuestionSet:
    citation = "course_utils/bundled/made_questions.py"
    return _question_set(dataset, articles, "bundled", "Apache-2.0", citation)


def _question_set(
    dataset: Dataset,
    articles: Sequence[dict[str, Any]],
    source: Literal["real", "bundled"],
    license: str,
    citation: str,
) -> QuestionSet:
    """From SQuAD's form: articles of paragraphs of a context and questions with marked answers."""
    passages: list[str] = []
    numbers: list[int] = []
    questions: list[Question] = []
    for number, article in enumerate(articles):
        for paragraph in article["paragraphs"]:
            text = paragraph["context"]
            for asked in paragraph["qas"]:
                marked = {answer["text"]: answer["answer_start"] for answer in reversed(asked["answers"])}
                answers = tuple(dict.fromkeys(answer["text"] for answer in asked["answers"]))
                starts = tuple(_start(text, answer, marked[answer]) for answer in answers)
                questions.append(Question(asked["question"], len(passages), answers, starts))
            passages.append(text)
            numbers.append(number)
    return QuestionSet(dataset.title, passages, numbers, questions, source, license, citation)


def _start(text: str, answer: str, start: int) -> int:
    """Where the answer stands: as published, or else at its first place (CMRC's offsets sometimes err)."""
    return start if text.startswith(answer, start) else text.find(answer)
