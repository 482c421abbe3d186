"""Loaders and stand-ins: shapes, types, sources, and the files as published.

Tests of the real data need it: `COURSE_TEST_DATA_DIR=/folder pytest tests/test_data.py`.
"""

import gzip
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import wave
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from course_utils import __main__ as command_line
from course_utils import data
from course_utils.bundled import (
    drawn_cells,
    drawn_glyphs,
    drawn_images,
    drawn_nuclei,
    made_pairs,
    made_questions,
    made_tags,
    made_texts,
    made_tones,
    simulated_ratings,
    small_gpt2,
    written_reviews,
)
from course_utils.data import archives, files
from course_utils.data.cells import BoxData, BoxedImages, NucleusData
from course_utils.data.download import File
from course_utils.data.files import Dataset
from course_utils.data.images import ImageData, parse_idx
from course_utils.data.models import Published
from course_utils.data.movielens import Ratings
from course_utils.data.omniglot import Characters, shrink
from course_utils.data.questions import QuestionSet
from course_utils.data.speech import SpeechData
from course_utils.data.tagging import Tagged
from course_utils.data.text import BpeTables, Poems, TextData
from course_utils.lessons.tokens import gpt2_encoder

ROOT = Path(__file__).resolve().parents[1]
LOADERS = {"mnist": data.mnist, "fashion_mnist": data.fashion_mnist, "cifar10": data.cifar10}
rng = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No files at hand, no network: each test adds what it needs."""
    monkeypatch.setattr(files, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setenv("COURSE_OFFLINE", "1")
    monkeypatch.delenv("COURSE_DATA_DIR", raising=False)
    files.used.clear()


def check_form(images: ImageData, shape: tuple[int, ...], train: int, test: int) -> None:
    assert images.x_train.shape == (train, *shape) and images.x_test.shape == (test, *shape)
    assert images.y_train.shape == (train,) and images.y_test.shape == (test,)
    assert images.x_train.dtype == images.x_test.dtype == np.uint8
    assert images.y_train.dtype == images.y_test.dtype == np.int64
    assert images.x_train.flags.c_contiguous and images.x_train.flags.writeable
    assert len(images.class_names) == 10 and isinstance(images.class_names, tuple)
    for y in (images.y_train, images.y_test):
        assert set(y) == set(range(10))
    assert images.license and images.citation


# Stand-ins


def check_boxes(blood: BoxData, counts: tuple[int, int, int]) -> None:
    parts = (blood.train, blood.validation, blood.test)
    assert tuple(len(part) for part in parts) == counts
    assert blood.class_names == ("RBC", "WBC", "Platelets") and blood.license and blood.citation
    for part in parts:
        n = len(part)
        assert part.x.shape == (n, 240, 320, 3) and part.x.dtype == np.uint8 and part.x.flags.writeable
        assert len(part.boxes) == len(part.kinds) == len(part.names) == len(set(part.names)) == n
        for boxes, kinds in zip(part.boxes, part.kinds, strict=True):
            assert boxes.shape == (len(kinds), 4) and boxes.dtype == np.float32 and kinds.dtype == np.int64
            assert (boxes[:, :2] <= boxes[:, 2:]).all() and (boxes >= 0).all()
            assert (boxes[:, [0, 2]] <= 320).all() and (boxes[:, [1, 3]] <= 240).all()
        assert set(np.concatenate(part.kinds)) == {0, 1, 2}
    assert not set(parts[0].names) & set(parts[2].names)


def test_drawn_blood(capsys: pytest.CaptureFixture[str]):
    blood = data.blood_cells()
    check_boxes(blood, (60, 20, 20))
    assert blood.source == "bundled" and files.used == {"blood_cells": "bundled"}
    assert "60 + 20 + 20 images" in capsys.readouterr().out
    x, boxes, kinds = drawn_cells.blood(3, seed=0)  # the first k of n never depend on n
    assert np.array_equal(x, blood.train.x[:3]) and np.array_equal(boxes[2], blood.train.boxes[2])
    assert not np.array_equal(x, drawn_cells.blood(3, seed=3)[0]) and len(kinds) == 3


def test_drawn_boxes_are_exact():
    """Alone on a light ground, the pixels that an ellipse covers reach from side to side of its box."""
    for angle in (0.0, 0.4, 1.5):
        shape = (150.0, 100.0, 40.0, 28.0, angle)
        left, top, right, bottom = drawn_cells.box(*shape)
        covered = drawn_cells.inside(*shape) > 0.5
        columns, rows = np.flatnonzero(covered.any(axis=0)), np.flatnonzero(covered.any(axis=1))
        found = [columns[0], rows[0], columns[-1], rows[-1]]
        assert np.abs(np.array(found) - [left, top, right, bottom]).max() <= 1
    assert drawn_cells.box(0, 0, 10, 10) == [0, 0, 10, 10]  # as far as it lies in the image


STAND_INS = {
    "mnist": ((28, 28), 1297, 500),
    "fashion_mnist": ((28, 28), 5000, 1000),
    "cifar10": ((32, 32, 3), 5000, 1000),
}


@pytest.mark.parametrize("name", STAND_INS)
def test_stand_ins(name: str, capsys: pytest.CaptureFixture[str]):
    shape, train, test = STAND_INS[name]
    images = LOADERS[name]()
    check_form(images, shape, train, test)
    dataset = data.registry[name]
    assert images.source == "bundled" and files.used == {name: "bundled"}
    assert images.license != dataset.license and images.class_names == tuple(dataset.classes)
    assert images.x_train.min() < 10 and images.x_train.max() > 200
    output = capsys.readouterr().out
    assert output.count("\n") == 1 and output.startswith(dataset.title)
    assert f"{train:,} + {test:,}" in output and f"data fetch {name}" in output
    # no image is in both parts
    assert not {x.tobytes() for x in images.x_train} & {x.tobytes() for x in images.x_test}


def check_characters(characters: Characters, train: int, test: int) -> None:
    """Right shapes; ink on paper; no alphabet in both parts; the same drawing never twice."""
    parts = (characters.x_train, characters.alphabets_train), (characters.x_test, characters.alphabets_test)
    for (x, alphabets), n in zip(parts, (train, test), strict=True):
        assert x.shape == (n, 20, 28, 28) and x.dtype == np.uint8 and len(alphabets) == n
        assert 5 < x.mean() < 60 and x.max() > 200  # thin strokes
        assert len({image.tobytes() for image in x.reshape(-1, 28, 28)}) == 20 * n
    assert not set(characters.alphabets_train) & set(characters.alphabets_test)
    assert characters.license and characters.citation


def test_stand_in_characters(capsys: pytest.CaptureFixture[str]):
    characters = data.omniglot()
    assert characters.source == "bundled" and files.used == {"omniglot": "bundled"}
    check_characters(characters, 60, 36)
    assert "60 + 36" in capsys.readouterr().out
    assert (drawn_glyphs.characters(3, 12, 1)[0] == characters.x_test).all()  # always the same
    # images of one character are more alike than those of two
    x = characters.x_test[:, :2].reshape(-1, 2, 28 * 28).astype(float)
    gaps = np.linalg.norm(x[:, None, 0] - x[None, :, 1], axis=2)
    assert np.diag(gaps).mean() < 0.9 * gaps[~np.eye(len(x), dtype=bool)].mean()


def test_characters_are_read_as_published(fabricate, tmp_path):
    """Ink is black in the files; characters come in the order of their names; Greek is in both files."""

    def archive(*alphabets: str) -> bytes:
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as packed:
            for a, alphabet in enumerate(alphabets):
                for drawer in range(1, 21):
                    paper = np.ones((105, 105), bool)
                    paper[:, : 15 * (a + 1)] = False
                    file = io.BytesIO()
                    Image.fromarray(paper).convert("1").save(file, "PNG")
                    packed.writestr(f"set/{alphabet}/character01/0001_{drawer:02d}.png", file.getvalue())
        return content.getvalue()

    contents = [archive("Balinese", "Greek"), archive("Greek", "Japanese_(katakana)", "Latin")]
    fabricate("omniglot", contents, tmp_path / "cache")
    characters = data.omniglot()
    assert characters.source == "real" and characters.alphabets_test == ("Balinese",)
    assert characters.alphabets_train == ("Greek", "Japanese (katakana)", "Latin")
    assert characters.x_train.shape == (3, 20, 28, 28) and characters.x_test.shape == (1, 20, 28, 28)
    assert (characters.x_train[1, 0, 0] == [255] * 8 + [0] * 20).all()  # 30 of 105 pixels


def test_images_shrink_by_area():
    ink = rng.integers(0, 2, (3, 105, 105)).astype(np.float32)
    assert (shrink(ink, 35) == np.rint(255 * ink.reshape(3, 35, 3, 35, 3).mean((2, 4)))).all()
    assert shrink(ink).astype(float).mean() == pytest.approx(255 * ink.mean(), abs=0.5)


def test_portraits_are_never_fetched_by_the_way(monkeypatch, capsys: pytest.CaptureFixture[str]):
    monkeypatch.delenv("COURSE_OFFLINE")
    monkeypatch.setattr(files, "fetch", lambda name: pytest.fail("a download"))
    portraits = data.orl_faces()
    assert portraits.source == "bundled" and files.used == {"orl_faces": "bundled"}
    assert portraits.x.shape == (40, 10, 112, 92) and portraits.x.dtype == np.uint8
    assert "portraits of people" in capsys.readouterr().out
    assert "orl_faces" not in data.usual() and "omniglot" in data.usual()


def check_tokenizer(tables: BpeTables, merges: int) -> None:
    """Every merge joins two known tokens into a third; numbers run from 0 without a gap."""
    assert len(tables.merges) == merges and len(tables.vocabulary) == merges + 257
    assert sorted(tables.vocabulary.values()) == list(range(merges + 257))
    for i, (left, right) in enumerate(tables.merges):
        assert left in tables.vocabulary and right in tables.vocabulary
        assert tables.vocabulary[left + right] == 256 + i
    assert tables.vocabulary["<|endoftext|>"] == merges + 256


def test_stand_in_tokenizer(capsys: pytest.CaptureFixture[str]):
    tables = data.gpt2_bpe()
    assert tables.source == "bundled"
    check_tokenizer(tables, 1000)
    assert "1,000 merges" in capsys.readouterr().out


def check_model(model: Published) -> None:
    """Sizes, tokenizer and weights agree; the file's own reader finds every tensor of GPT-2's layout."""
    config = model.config
    d, layers = config["n_embd"], config["n_layer"]
    assert len(model.vocabulary) == config["vocab_size"] == len(model.merges) + 257
    check_tokenizer(BpeTables(model.merges, model.vocabulary, model.source), len(model.merges))
    tensors = small_gpt2.tensors_in(model.weights)
    assert len(tensors) == 4 + 13 * layers
    assert tensors["wte.weight"].shape == (config["vocab_size"], d)
    assert tensors["h.0.attn.c_attn.weight"].shape == (d, 3 * d)
    assert tensors["h.0.attn.bias"].shape == (1, 1, config["n_positions"], config["n_positions"])
    logits = small_gpt2.logits(model.weights, config, np.array([1, 2, 3]))
    assert logits.shape == (3, config["vocab_size"]) and np.isfinite(logits).all()


def test_stand_in_model(capsys: pytest.CaptureFixture[str]):
    model = data.gpt2()
    assert model.source == "bundled" and files.used == {"gpt2": "bundled"}
    assert "0.5 million weights" in capsys.readouterr().out
    check_model(model)
    assert data.small_gpt2().weights == model.weights and data.small_gpt2().license != "modified MIT"


def test_the_small_model_has_read_shakespeare():
    model = data.small_gpt2()
    ids = np.array(gpt2_encoder(model.merges).encode("KING RICHARD II:\nMy lord, I know not what you say.\n"))
    logits = small_gpt2.logits(model.weights, model.config, ids[:-1])
    log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    price = -log_p[np.arange(len(ids) - 1), ids[1:]].mean()
    assert price < np.log(model.config["vocab_size"]) / 2  # half of what blind guessing pays


def test_a_small_file_of_tensors_there_and_back():
    tensors = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.array([[0.5]], np.float16)}
    content = small_gpt2.written(tensors)
    assert int.from_bytes(content[:8], "little") % 8 == 0 and content.endswith(b"\x00\x38")
    back = small_gpt2.tensors_in(content)
    assert list(back) == ["a", "b"] and all((back[name] == tensors[name]).all() for name in back)


def check_texts(texts: TextData, train: int, test: int) -> None:
    assert len(texts.x_train) == len(texts.y_train) == train and len(texts.x_test) == test
    assert texts.y_train.dtype == texts.y_test.dtype == np.int64 and texts.y_test.shape == (test,)
    assert set(texts.y_train) == set(texts.y_test) == {0, 1} and texts.class_names == ("negative", "positive")
    assert all(isinstance(text, str) for text in texts.x_train + texts.x_test)
    assert texts.license and texts.citation


REVIEWS = {"imdb": (data.imdb, 2000, 1000), "chnsenticorp": (data.chnsenticorp, 1000, 400)}


@pytest.mark.parametrize("name", REVIEWS)
def test_written_reviews(name: str, capsys: pytest.CaptureFixture[str]):
    load, train, test = REVIEWS[name]
    texts = load()
    check_texts(texts, train, test)
    assert texts.source == "bundled" and files.used == {name: "bundled"}
    assert all(len(text) > 10 and "{" not in text for text in texts.x_train)
    assert len(set(texts.x_train)) == train and not set(texts.x_train) & set(texts.x_test)
    output = capsys.readouterr().out
    assert f"{train:,} + {test:,}" in output and f"data fetch {name}" in output


@pytest.mark.parametrize(("write", "digest"), [("films", "17e6bad5d36d780b"), ("hotels", "f7b8b8ee708dac66")])
def test_reviews_are_the_same_every_time(write: str, digest: str):
    """And everywhere: the digests were taken once."""
    texts, y = getattr(written_reviews, write)(50, seed=3)
    found = hashlib.sha256("\n".join(texts).encode() + y.astype(np.uint8).tobytes())
    assert found.hexdigest()[:16] == digest


def test_stand_in_plays(capsys: pytest.CaptureFixture[str]):
    text = data.tiny_shakespeare()
    assert text.source == "bundled" and files.used == {"tiny_shakespeare": "bundled"}
    assert len(text.text) == 60_118 and "60,118 characters" in capsys.readouterr().out
    speeches = text.text.strip().split("\n\n")
    assert all(re.fullmatch(r"[A-Z][A-Za-z ]+:(\n[A-Z].*[,;.!?])+", speech) for speech in speeches)
    last = text.text[-6_000:]  # another play: nobody in it has spoken before
    assert not set(re.findall(r"^(.+):$", last, re.M)) & set(re.findall(r"^(.+):$", text.text[:-9_500], re.M))
    assert made_texts.plays() == text.text != made_texts.plays(seed=1)


def check_poems(poems: Poems, n: int) -> None:
    assert len(poems.poems) == n and poems.license and poems.citation
    assert all(isinstance(line, str) for poem in poems.poems for line in poem.lines)


def test_stand_in_poems(capsys: pytest.CaptureFixture[str]):
    poems = data.tang_poems()
    assert poems.source == "bundled" and files.used == {"tang_poems": "bundled"}
    check_poems(poems, 600)
    assert "600 poems" in capsys.readouterr().out
    assert len(set("".join("".join(poem.lines) for poem in poems.poems)) - set("，。")) == 62
    for poem in poems.poems:
        length = poem.lines[0].index("，")
        assert length in (5, 7) and len(poem.lines) in (2, 4)
        assert all(re.fullmatch(rf"\w{{{length}}}，\w{{{length}}}。", line) for line in poem.lines)


def check_ratings(found: Ratings, n: int, users: int, items: int) -> None:
    """One row a rating, sorted by user and film, none twice; every user and every film occurs."""
    assert len(found.titles) == len(found.genres) == items and len(found.ratings) == n
    assert found.users.dtype == found.items.dtype == found.times.dtype == np.int64
    pairs = found.users * items + found.items
    assert pairs.shape == found.times.shape == (n,) and (np.diff(pairs) > 0).all()
    assert set(found.users) == set(range(users)) and set(found.items) == set(range(items))
    assert found.ratings.dtype == np.float32 and set(found.ratings) == set(np.arange(1, 11) / 2)
    assert np.bincount(found.users).min() >= 20 and (found.times > 0).all()
    assert all(isinstance(genres, tuple) for genres in found.genres)
    assert found.license and found.citation


def test_stand_in_ratings(capsys: pytest.CaptureFixture[str]):
    found = data.movielens()
    check_ratings(found, 14_820, 250, 397)
    assert found.source == "bundled" and files.used == {"movielens": "bundled"}
    assert "14,820 ratings of 397 films" in capsys.readouterr().out
    # what is rated follows the known tastes, and some ratings fall into the same second
    assert found.expected is not None and found.expected.shape == (250, 397)
    expected = found.expected[found.users, found.items]
    assert np.corrcoef(expected, found.ratings)[0, 1] > 0.6
    assert expected.mean() > found.expected.mean() + 0.3  # people meet what they like
    assert len(set(zip(found.users.tolist(), found.times.tolist(), strict=True))) < 14_000


def test_simulated_ratings_are_the_same_every_time():
    """And everywhere: the digest was taken once."""
    made = simulated_ratings.simulate()
    numbers = np.concatenate([made.users, made.items, (2 * made.ratings).astype(int), made.times])
    found = hashlib.sha256(numbers.astype(np.int64).tobytes() + "\n".join(made.titles).encode())
    assert found.hexdigest()[:16] == "78e79518333edf4a"
    assert len(set(made.titles)) == len(made.titles)
    assert not np.array_equal(made.times[:50], simulated_ratings.simulate(seed=1).times[:50])


def check_questions(found: QuestionSet, passages: int, questions: int) -> None:
    """Every answer stands where it is said to; numbers point at what there is."""
    assert len(found.passages) == len(found.articles) == passages and len(found.questions) == questions
    assert found.articles == sorted(found.articles) and found.license and found.citation
    for question in found.questions:
        assert question.text and len(question.answers) == len(question.starts) > 0
        text = found.passages[question.passage]
        for answer, start in zip(question.answers, question.starts, strict=True):
            assert text.startswith(answer, start) if start >= 0 else answer not in text


def test_made_questions(capsys: pytest.CaptureFixture[str]):
    english, chinese = data.xquad(), data.xquad("zh")
    assert english.source == "bundled" and files.used == {"xquad": "bundled"}
    assert "80 passages" in capsys.readouterr().out
    for found in (english, chinese, data.cmrc2018("trial"), data.cmrc2018()):
        check_questions(found, 80, 240)
        assert len(set(found.passages)) == 80 and all(
            min(question.starts) >= 0 for question in found.questions
        )
    assert [question.passage for question in english.questions] == [q.passage for q in chinese.questions]
    assert data.cmrc2018("trial").passages != data.cmrc2018().passages
    assert all(re.fullmatch(r"[A-Z][^{}一-鿿]+[.]", text) for text in english.passages)
    assert not any(re.search(r"[a-z{}]", text) for text in chinese.passages)


def check_tagged(found: Tagged, sentences: int, kinds: set[str]) -> None:
    """A tag for each token; with `kinds` of entities, a tag is O, B-kind or I-kind, and each kind begins."""
    assert len(found.tokens) == len(found.tags) == sentences and found.license and found.citation
    assert all(len(a) == len(b) > 0 for a, b in zip(found.tokens, found.tags, strict=True))
    assert all(token and not token.isspace() for sentence in found.tokens for token in sentence)
    tags = {tag for sentence in found.tags for tag in sentence}
    if kinds:
        assert {tag[2:] for tag in tags if tag[0] == "B"} == kinds
        assert tags <= {"O"} | {f"{begin}-{kind}" for begin in "BI" for kind in kinds}


WEIBO_KINDS = {f"{kind}.{form}" for kind in ("PER", "ORG", "LOC", "GPE") for form in ("NAM", "NOM")}
WNUT_KINDS = {"person", "location", "group", "corporation", "product", "creative-work"}


def test_made_tags(capsys: pytest.CaptureFixture[str]):
    dev, test = data.ud_chinese(), data.ud_chinese("test")
    assert dev.source == "bundled" and files.used == {"ud_chinese": "bundled"}
    assert "200 sentences made by rule" in capsys.readouterr().out
    for found in (dev, test):
        check_tagged(found, 200, set())
        assert {tag for tags in found.tags for tag in tags} >= {"NOUN", "VERB", "PROPN", "PUNCT"}
    known = {word for words in dev.tokens for word in words}
    new = [word for words in test.tokens for word in words if word not in known]
    assert dev.tokens != test.tokens and 10 < len(new) < 400
    made_kinds = WEIBO_KINDS - {"ORG.NOM", "GPE.NOM"}
    for load, kinds in ((data.weibo_ner, made_kinds), (data.wnut17, WNUT_KINDS)):
        for part, size in (("train", 300), ("dev", 100), ("test", 100)):
            found = load(part)
            assert found.source == "bundled"
            check_tagged(found, size, kinds)
            for tags in found.tags:  # an entity begins before it goes on
                follows = zip(["O", *tags], tags, strict=False)
                assert all(tag[0] != "I" or tag[1:] == before[1:] for before, tag in follows)
    assert all(len(token) == 1 for token in data.weibo_ner().tokens[0])
    assert "weibo_ner" not in data.usual() and "wnut17" in data.usual()


def test_made_questions_and_pairs_are_the_same_every_time():
    """And everywhere: the digests were taken once."""
    for made, digest in (
        (json.dumps(made_questions.read(9, seed=3), ensure_ascii=False), "76a927b4194dd400"),
        (json.dumps(made_pairs.pairs(50, seed=3), ensure_ascii=False), "2fbb624e188c9538"),
        (json.dumps(made_tags.chinese(50, seed=3), ensure_ascii=False), "d1f5bb7e142b666d"),
        (json.dumps(made_tags.tweets(50, seed=3), ensure_ascii=False), "5882cf878cec2745"),
    ):
        assert hashlib.sha256(made.encode()).hexdigest()[:16] == digest


def test_made_pairs(capsys: pytest.CaptureFixture[str]):
    made = data.cmn_eng()
    assert made.source == "bundled" and "3,000 sentence pairs" in capsys.readouterr().out
    rows = list(zip(made.english, made.chinese, strict=True))
    assert len(set(rows)) == len(rows) == len(made.authors) == 3000
    assert not any("{" in english + chinese for english, chinese in rows)
    assert sorted(map(len, made.english)) == list(map(len, made.english))


def test_the_course_reads_itself(monkeypatch: pytest.MonkeyPatch):
    """From the notebooks where they are, else from the summaries in the package."""
    whole = data.course_text()
    assert whole.source == "real" and len(whole.sections) > 300
    assert {section.notebook[:2] for section in whole.sections} >= {"00", "08", "19"}
    assert all(section.notebook < "20" and section.text and section.heading for section in whole.sections)
    assert not any("<details>" in section.text or "](" in section.text for section in whole.sections)
    monkeypatch.setattr("course_utils.data.prose.checkout", lambda: None)
    short = data.course_text()
    assert short.source == "bundled" and 50 < len(short.sections) < 200
    assert {s.notebook for s in short.sections} <= {s.notebook for s in whole.sections}


def check_speech(speech: SpeechData, takes: int) -> None:
    """Every digit by every voice in every take, in this order; no sound is shorter than a frame."""
    n = 10 * len(speech.speaker_names) * takes
    assert len(speech.recordings) == n and speech.rate == 8000 and len(speech.speaker_names) == 6
    assert all(
        sound.dtype == np.int16 and sound.ndim == 1 and len(sound) > 256 for sound in speech.recordings
    )
    numbers = list(zip(speech.y, speech.speaker, speech.take, strict=True))
    assert numbers == [(d, s, t) for d in range(10) for s in range(6) for t in range(takes)]
    assert all(part.dtype == np.int64 for part in (speech.y, speech.speaker, speech.take))
    assert speech.license and speech.citation


def test_stand_in_tones(capsys: pytest.CaptureFixture[str]):
    speech = data.spoken_digits()
    check_speech(speech, 10)
    assert speech.source == "bundled" and files.used == {"spoken_digits": "bundled"}
    assert "600 recordings" in capsys.readouterr().out
    assert len({sound.tobytes() for sound in speech.recordings}) == 600
    assert all(np.abs(sound.astype(int)).max() < 32767 for sound in speech.recordings)  # none is clipped
    again = made_tones.digits(takes=10, seed=0)[0]
    assert all(np.array_equal(a, b) for a, b in zip(again, speech.recordings, strict=True))
    assert not np.array_equal(made_tones.digits(takes=1, seed=1)[0][0], again[0])


@pytest.mark.parametrize("draw", ["scenes", "garments"])
def test_drawings_are_the_same_every_time(draw: str):
    """Checked on few, because the first k of n never depend on n."""
    draw_some = getattr(drawn_images, draw)
    x, y = draw_some(30, seed=1)
    x_more, y_more = draw_some(60, seed=1)
    assert np.array_equal(x, x_more[:30]) and np.array_equal(y, y_more[:30])
    assert not np.array_equal(x, draw_some(30, seed=2)[0])


def check_nuclei(nuclei: NucleusData, train: int, test: int) -> None:
    assert nuclei.x_train.shape == nuclei.labels_train.shape == (train, 256, 256)
    assert nuclei.x_test.shape == nuclei.labels_test.shape == (test, 256, 256)
    assert nuclei.x_train.dtype == np.uint8 and nuclei.labels_train.dtype == np.int32
    for labels in (*nuclei.labels_train, *nuclei.labels_test):
        assert np.array_equal(np.unique(labels), np.arange(labels.max() + 1)) and labels.max() > 0
    assert nuclei.license and nuclei.citation


def test_drawn_nuclei(capsys: pytest.CaptureFixture[str]):
    nuclei = data.nuclei()
    check_nuclei(nuclei, 60, 20)
    assert nuclei.source == "bundled" and files.used == {"nuclei": "bundled"}
    assert "60 + 20" in capsys.readouterr().out
    bright, dark = nuclei.x_train[nuclei.labels_train > 0], nuclei.x_train[nuclei.labels_train == 0]
    assert bright.mean() > 3 * dark.mean()
    left, right = nuclei.labels_train[:, :, :-1], nuclei.labels_train[:, :, 1:]
    assert np.count_nonzero((left > 0) & (right > 0) & (left != right)) > 500, "many touch"
    x, labels = drawn_nuclei.nuclei(2, seed=1)
    assert np.array_equal(x, nuclei.x_test[:2]) and np.array_equal(labels, nuclei.labels_test[:2])


def png(array: np.ndarray) -> bytes:
    content = io.BytesIO()
    Image.fromarray(array).save(content, "png")
    return content.getvalue()


def test_nucleus_members(fabricate, tmp_path):
    """Gray images of 256×256 are taken, others left; masks are numbered by their names, later ones on top."""
    members = {}
    for i in range(85):
        gray = rng.integers(0, 256, (256, 256), np.uint8)
        masks = np.zeros((2, 256, 256), np.uint8)
        masks[0, :10, :10] = masks[1, 9:20, 9:20] = 255
        image = np.stack([gray] * 3, axis=2)
        if i == 3:
            image[0, 0] = (1, 2, 3)  # a color
        if i == 5:
            image, masks = image[:200], masks[:, :200]
        members[f"stage1_train/{i:03}/images/{i:03}.png"] = png(image)
        for name, mask in zip("ab", masks, strict=True):
            members[f"stage1_train/{i:03}/masks/{name}.png"] = png(mask)
    fabricate("nuclei", [archives.joined(members)], tmp_path / "cache")
    nuclei = data.nuclei()
    check_nuclei(nuclei, 3, 80)
    assert nuclei.source == "real" and files.used == {"nuclei": "real"}
    assert np.array_equal(nuclei.x_test[-1], gray)
    assert (nuclei.labels_train == nuclei.labels_train[0]).all()
    assert nuclei.labels_train[0, 9, 9] == 2 and (nuclei.labels_train[0] == 1).sum() == 99


def test_digits():
    images = data.digits()
    check_form(images, (8, 8), 1297, 500)
    assert files.used == {"digits": "real"}
    assert images.source == "real" and images.x_train.max() == 16 and images.x_train.min() == 0
    # the split is the same everywhere: the labels' digest was taken once
    digest = hashlib.sha256(np.concatenate([images.y_train, images.y_test]).astype(np.uint8).tobytes())
    assert digest.hexdigest()[:16] == "0f9ffd7948cafb39"


def test_mnist_stand_in_is_the_digits_enlarged():
    small, large = data.digits(), data.mnist()
    assert np.array_equal(large.y_test, small.y_test)
    inside = large.x_train[:, 2:26, 2:26].reshape(-1, 8, 3, 8, 3)
    assert (inside == inside[:, :, :1, :, :1]).all()  # each pixel 3×3
    assert np.array_equal(np.rint(inside[:, :, 1, :, 1] * (16 / 255)), small.x_train)
    assert large.x_train.sum() == inside.sum(dtype=int)  # and a black border


# The path of the real files, with small ones made here


def idx(array: np.ndarray) -> bytes:
    """An array of bytes as an IDX file, gzipped."""
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return gzip.compress(header + array.tobytes())


def cifar(x: np.ndarray, y: np.ndarray) -> bytes:
    """Images (n, 32, 32, 3) and labels as a CIFAR-10 batch, written record by record."""
    records = [bytes([label]) + image.transpose(2, 0, 1).tobytes() for image, label in zip(x, y, strict=True)]
    return b"".join(records)


@pytest.fixture
def fabricate(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, list[bytes], Path], None]:
    """Puts contents into a folder as the published files of a data set, and registers their hashes."""

    def put(name: str, contents: list[bytes], base: Path) -> None:
        known = data.registry[name]
        files = []
        (base / known.folder).mkdir(parents=True)
        for file, content in zip(known.files, contents, strict=True):
            (base / known.folder / file.name).write_bytes(content)
            files.append(File(file.name, len(content), hashlib.sha256(content).hexdigest()))
        monkeypatch.setitem(data.registry, name, Dataset(**{**vars(known), "files": tuple(files)}))

    return put


def small_mnist() -> tuple[list[np.ndarray], list[bytes]]:
    arrays = [rng.integers(0, 256, shape, np.uint8) for shape in [(20, 28, 28), 20, (10, 28, 28), 10]]
    return arrays, [idx(array) for array in arrays]


@pytest.mark.parametrize("where", ["cache", "COURSE_DATA_DIR"])
def test_idx_files(where, fabricate, tmp_path, monkeypatch, capsys):
    arrays, contents = small_mnist()
    fabricate("mnist", contents, tmp_path / where)
    if where == "COURSE_DATA_DIR":
        monkeypatch.setenv(where, str(tmp_path / where))
    images = data.mnist()
    assert images.source == "real" and files.used == {"mnist": "real"}
    for found, expected in zip(
        [images.x_train, images.y_train, images.x_test, images.y_test], arrays, strict=True
    ):
        assert np.array_equal(found, expected)
    assert images.y_train.dtype == np.int64 and images.x_train.flags.writeable
    assert data.status("mnist") == f"{where}, verified"
    assert data.status("mnist", hashed=False) == f"{where}, complete"
    assert data.is_here("mnist") and not data.is_here("cifar10")
    assert capsys.readouterr().out == ""


def test_cifar_files(fabricate, tmp_path):
    x = rng.integers(0, 256, (12, 32, 32, 3), np.uint8)
    y = np.arange(12) % 10
    fabricate("cifar10", [cifar(x[i : i + 2], y[i : i + 2]) for i in range(0, 12, 2)], tmp_path / "cache")
    images = data.cifar10()
    assert images.source == "real" and images.x_train.flags.c_contiguous
    assert np.array_equal(images.x_train, x[:10]) and np.array_equal(images.x_test, x[10:])
    assert np.array_equal(images.y_train, y[:10]) and np.array_equal(images.y_test, y[10:])
    assert images.y_train.dtype == np.int64


def test_imdb_members(fabricate, tmp_path):
    """The label is the member's folder; in random order, the same every time, training before test."""
    members = {
        f"{part}/{label}/{i}_{stars}.txt": f"{part} {label} {i}<br />né".encode()
        for part, n in (("train", 6), ("test", 4))
        for label, stars in (("pos", 9), ("neg", 2))
        for i in range(n)
    }
    fabricate("imdb", [archives.joined(members)], tmp_path / "cache")
    texts = data.imdb()
    check_texts(texts, 12, 8)
    assert texts.source == "real"
    for part, x, y in (("train", texts.x_train, texts.y_train), ("test", texts.x_test, texts.y_test)):
        assert {text.split()[0] for text in x} == {part} and all(text.endswith(" né") for text in x)
        assert [text.split()[1] == "pos" for text in x] == y.astype(bool).tolist()
        assert len(set(x)) == len(x) and len(set(y[:4])) == 2
    assert texts.x_train == data.imdb().x_train


def test_hotel_rows(fabricate, tmp_path):
    """A byte-order mark, a quoted field with a comma and a line break, an odd separator inside a text."""
    rows = [f'{i % 2},"房间{i}, 好\n不错"' if i % 3 else f"{i % 2},房间{i}\u2028好" for i in range(2010)]
    content = "\ufefflabel,review\r\n" + "\r\n".join(rows) + "\r\n"
    fabricate("chnsenticorp", [content.encode()], tmp_path / "cache")
    texts = data.chnsenticorp()
    check_texts(texts, 10, 2000)
    labels = [*texts.y_train, *texts.y_test]
    found = dict(zip(texts.x_train + texts.x_test, labels, strict=True))
    assert found["房间4, 好\n不错"] == 0 and found["房间3\u2028好"] == 1 and len(found) == 2010


def test_rated_films(fabricate, tmp_path):
    """Films that nobody rated are left out, numbers become positions; commas and accents in titles."""
    films = [
        '10,"Misérables, Les (1995)",Drama|War',
        "4,Unrated (1990),Comedy",
        "2,Jumanji (1995),(no genres listed)",
    ]
    rated = ["7,2,4.0,964982703", "7,10,0.5,964981247", "9,10,5.0,1"]
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(
            "ml-latest-small/ratings.csv", "\n".join(["userId,movieId,rating,timestamp", *rated])
        )
        archive.writestr("ml-latest-small/movies.csv", "\n".join(["movieId,title,genres", *films]))
    fabricate("movielens", [content.getvalue()], tmp_path / "cache")
    found = data.movielens()
    assert found.source == "real" and found.expected is None
    assert found.users.tolist() == [0, 0, 1] and found.items.tolist() == [0, 1, 1]
    assert found.ratings.tolist() == [4, 0.5, 5] and found.times.tolist() == [964982703, 964981247, 1]
    assert found.titles == ["Jumanji (1995)", "Misérables, Les (1995)"] and found.genres == [
        (),
        ("Drama", "War"),
    ]


def voc(objects: list[tuple[str, tuple[int, int, int, int]]]) -> bytes:
    """Boxes in the form of PASCAL VOC."""
    sides = ("xmin", "ymin", "xmax", "ymax")
    parts = []
    for name, box in objects:
        inside = "".join(f"<{side}>{value}</{side}>" for side, value in zip(sides, box, strict=True))
        parts.append(f"<object><name>{name}</name><bndbox>{inside}</bndbox></object>")
    return f"<annotation>{''.join(parts)}</annotation>".encode()


def test_blood_members(fabricate, tmp_path):
    """The lists say which image is in which part; images and boxes are halved, one without area too."""
    from PIL import Image

    members: dict[str, bytes] = {}
    objects = [("Platelets", (2, 4, 10, 20)), ("RBC", (6, 6, 6, 6)), ("WBC", (0, 0, 640, 480))]
    lists = {"train": ["b", "a"], "val": ["c"], "test": ["d"], "trainval": ["a", "b", "c"]}
    for part, names in lists.items():
        members[f"BCCD/ImageSets/Main/{part}.txt"] = "".join(f"{name}\n" for name in names).encode()
        for name in names:
            picture = io.BytesIO()
            Image.new("RGB", (640, 480), (ord(name), 0, 200)).save(picture, "JPEG")
            members[f"BCCD/JPEGImages/{name}.jpg"] = picture.getvalue()
            members[f"BCCD/Annotations/{name}.xml"] = voc(objects if name != "a" else [])
    fabricate("blood_cells", [archives.joined(members)], tmp_path / "cache")
    blood = data.blood_cells()
    assert blood.source == "real" and blood.train.names == ["b", "a"] and blood.test.names == ["d"]
    assert blood.train.x.shape == (2, 240, 320, 3)
    assert abs(blood.train.x[0].mean(axis=(0, 1)) - [ord("b"), 0, 200]).max() < 3
    assert blood.validation.boxes[0].tolist() == [[1, 2, 5, 10], [3, 3, 3, 3], [0, 0, 320, 240]]
    assert blood.validation.kinds[0].tolist() == [2, 0, 1]
    assert blood.train.boxes[1].shape == (0, 4) and isinstance(blood.train, BoxedImages)


def test_question_files(fabricate, tmp_path):
    """SQuAD's form: several marked answers, one marked at a wrong place, one that stands nowhere."""

    def content(text: str, *answers: tuple[str, int]) -> bytes:
        marked = [{"text": answer, "answer_start": start} for answer, start in answers]
        asked = {"id": "1", "question": "Who?", "answers": marked}
        paragraphs = [{"context": "No question."}, {"context": text}]
        paragraphs[0]["qas"], paragraphs[1]["qas"] = [], [asked]
        return json.dumps({"version": "1", "data": [{"paragraphs": paragraphs}]}).encode()

    marked = ("Ada", 8), ("Ada met", 3), ("Ada", 0), ("Bob", 2)
    two = [content("Ada met Ada.", *marked), content("是她。", ("她", 1))]
    for name, load, other in (("xquad", data.xquad, "zh"), ("cmrc2018", data.cmrc2018, "trial")):
        fabricate(name, two, tmp_path / "cache")
        found = load()
        check_questions(found, 2, 1)
        assert found.source == "real" and found.articles == [0, 0]
        assert found.questions[0] == ("Who?", 1, ("Ada", "Ada met", "Bob"), (8, 0, -1))
        assert load(other).questions[0].answers == ("她",)


def test_sentence_pairs(fabricate, tmp_path):
    content = "Hi.\t嗨。\tCC-BY A & B\nA \u2028 b.\t好。\tCC-BY C\n"
    fabricate("cmn_eng", [content.encode()], tmp_path / "cache")
    pairs = data.cmn_eng()
    assert pairs.english == ["Hi.", "A \u2028 b."] and pairs.chinese == ["嗨。", "好。"]
    assert pairs.source == "real" and pairs.authors == ["CC-BY A & B", "CC-BY C"]


def test_tagged_files(fabricate, tmp_path):
    """Comments and joined forms of CoNLL-U; places behind characters; a tab in a blank line; several tags."""
    rows = ["# text = 我们去", "1-2\t我们\t_\t_", "1\t我们\t我们\tPRON"]
    rows += ["2\t去\t去\tVERB", "", "1\t#\t#\tSYM", ""]
    two = ["\n".join(rows).encode(), "1\t好\t好\tADJ\n".encode()]
    fabricate("ud_chinese", two, tmp_path / "cache")
    dev = data.ud_chinese()
    assert dev.source == "real" and dev.tokens == [["我们", "去"], ["#"]]
    assert dev.tags == [["PRON", "VERB"], ["SYM"]] and data.ud_chinese("test").tokens == [["好"]]
    posts = "王0\tB-PER.NAM\n小1\tI-PER.NAM\n20\tO\n\n😂0\tO\n".encode()
    fabricate("weibo_ner", [posts, b"a0\tO\n", b"b0\tO\r\n"], tmp_path / "cache")
    found = data.weibo_ner()
    assert found.source == "real" and found.tokens == [["王", "小", "2"], ["😂"]]
    assert found.tags == [["B-PER.NAM", "I-PER.NAM", "O"], ["O"]]
    assert data.weibo_ner("dev").tokens == [["a"]] and data.weibo_ner("test").tags == [["O"]]
    tweets = b"New\tB-location\nYork\tI-location\n\t\nhi\tO\n"
    many = b"a\tB-x,B-y\nb\tI-y,I-x\nc\tI-y,I-z\n"
    fabricate("wnut17", [tweets, tweets, many], tmp_path / "cache")
    assert data.wnut17().tokens == [["New", "York"], ["hi"]]
    assert data.wnut17("test").tags == [["B-x", "I-x", "I-y"]]


def test_looking_at_sizes_finds_what_is_cut_off_and_reads_nothing(fabricate, tmp_path, monkeypatch):
    contents = small_mnist()[1]
    fabricate("mnist", contents, tmp_path / "cache")
    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", lambda path: pytest.fail(f"{path} was read"))
        assert data.status("mnist", hashed=False) == "cache, complete"
    path = tmp_path / "cache/mnist" / data.registry["mnist"].files[0].name
    path.write_bytes(contents[0][:-1])
    assert not data.is_here("mnist")
    assert data.status("mnist", hashed=False).startswith(f"damaged: {path}")
    path.unlink()
    assert data.status("mnist", hashed=False) == "not here"


def test_damaged_files_in_data_dir_are_named_and_not_used(fabricate, tmp_path, monkeypatch, capsys):
    contents = small_mnist()[1]
    fabricate("mnist", contents, tmp_path / "stick")
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path / "stick"))
    path = tmp_path / "stick/mnist" / data.registry["mnist"].files[2].name
    path.write_bytes(contents[2][:-1] + b"?")
    assert data.mnist().source == "bundled"
    output = capsys.readouterr().out
    assert f"{path} is damaged and not used" in output and "copy or fetch it again" in output
    assert data.status("mnist").startswith(f"damaged: {path}")
    # an intact copy in the cache serves
    (tmp_path / "cache/mnist").mkdir(parents=True)
    for file, content in zip(data.registry["mnist"].files, contents, strict=True):
        (tmp_path / "cache/mnist" / file.name).write_bytes(content)
    assert data.mnist().source == "real"
    assert data.status("mnist") == "cache, verified"


def test_missing_files_in_data_dir_are_named(tmp_path, monkeypatch, capsys):
    (tmp_path / "stick/gpt2_bpe").mkdir(parents=True)
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path / "stick"))
    assert data.mnist().source == "bundled"
    assert f"{tmp_path / 'stick/mnist' / 'train-images-idx3-ubyte.gz'} is missing" in capsys.readouterr().out
    assert data.status("mnist") == "not here"


MISTAKES = {
    "typing eror": "but there is no such folder: correct or unset it",
    "a file": "but there is no such folder: correct or unset it",
    "a folder": "which holds none of the course's folders (mnist and so on): name the folder that they",
    "~nobody-of-this-name/data": "but there is no such folder: correct or unset it",
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistaken_data_dir_is_named(name, fabricate, tmp_path, monkeypatch, capsys):
    """By the loader and by each command; the cache serves nevertheless."""
    (tmp_path / "a file").touch()
    (tmp_path / "a folder/course-data/mnist").mkdir(parents=True)
    given = name if name.startswith("~") else str(tmp_path / name)
    monkeypatch.setenv("COURSE_DATA_DIR", given)
    line = f"COURSE_DATA_DIR is {given}, {MISTAKES[name]}"
    assert data.mnist().source == "bundled"
    assert capsys.readouterr().out.count(line) == 1
    fabricate("mnist", small_mnist()[1], tmp_path / "cache")
    assert data.mnist().source == "real"
    assert capsys.readouterr().out.count("COURSE_DATA_DIR") == 1
    for action, code in {"list": 0, "verify": 1, "fetch": 1}.items():
        assert command_line.main(["data", action, "mnist"]) == code
        output = capsys.readouterr().out
        assert line in output and "cache, " in output


def test_unreadable_data_dir(tmp_path, monkeypatch, capsys):
    (tmp_path / "stick/gpt2_bpe").mkdir(parents=True)
    (tmp_path / "stick/mnist").write_text("a file where a folder should be")
    monkeypatch.setenv("COURSE_DATA_DIR", str(tmp_path / "stick"))
    assert data.mnist().source == "bundled"
    why = (
        "is missing"
        if sys.platform == "win32"
        else "could not be read (Not a directory): copy or fetch it again"
    )
    assert why in capsys.readouterr().out


@pytest.mark.parametrize("shape", [(5,), (2, 3), (4, 28, 28), (0, 28, 28)])
def test_parse_idx(shape: tuple[int, ...]):
    array = rng.integers(0, 256, shape, np.uint8)
    content = gzip.decompress(idx(array))
    found = parse_idx(content)
    assert found.dtype == np.uint8 and found.shape == shape and np.array_equal(found, array)
    with pytest.raises(ValueError, match="reshape"):
        parse_idx(content + b"?")


def wav(samples: np.ndarray, channels: int = 1) -> bytes:
    """A WAV file of 16 bits, 8,000 samples a second."""
    content = io.BytesIO()
    with wave.open(content, "wb") as file:
        file.setparams((channels, 2, 8000, 0, "NONE", ""))
        file.writeframes(samples.astype("<i2").tobytes())
    return content.getvalue()


def test_wave_files(fabricate, tmp_path):
    """Sorted by digit, speaker and take, which is a number: 10 comes after 2."""
    sounds = {(digit, speaker, take): rng.integers(-32768, 32768, 300 + take, np.int16)
              for digit in (3, 1) for speaker in ("theo", "ann") for take in (10, 2)}  # fmt: skip
    members = {f"recordings/{d}_{s}_{t}.wav": wav(sound) for (d, s, t), sound in sounds.items()}
    fabricate("spoken_digits", [archives.joined(members)], tmp_path / "cache")
    speech = data.spoken_digits()
    assert speech.source == "real" and speech.rate == 8000 and speech.speaker_names == ("ann", "theo")
    found = zip(speech.y, speech.speaker, speech.take, speech.recordings, strict=True)
    assert [(d, speech.speaker_names[s], t) for d, s, t, _ in found] == sorted(sounds)
    for sound, key in zip(speech.recordings, sorted(sounds), strict=True):
        assert sound.dtype == np.int16 and np.array_equal(sound, sounds[key]) and sound.flags.writeable


def test_wave_files_of_another_kind_are_refused(fabricate, tmp_path):
    stereo = wav(np.zeros(8, np.int16), channels=2)
    fabricate("spoken_digits", [archives.joined({"recordings/0_ann_0.wav": stereo})], tmp_path / "cache")
    with pytest.raises(ValueError, match="2 channels of 16 bits"):
        data.spoken_digits()


# The package around it


FETCHED = [name for name, dataset in data.registry.items() if not dataset.inside]
INSIDE = [name for name, dataset in data.registry.items() if dataset.inside]


@pytest.mark.parametrize("name", FETCHED)
def test_an_entry_of_files_is_complete(name):
    dataset = data.registry[name]
    assert callable(getattr(data, name)) and dataset.folder and dataset.title and dataset.short
    assert dataset.license and dataset.citation and dataset.stand_in and dataset.stand_in_short
    assert len(dataset.mirrors) >= 2
    assert all(mirror.startswith("https://") and mirror.endswith("/") for mirror in dataset.mirrors)
    for file in [*dataset.files, *([dataset.archive] if dataset.archive else [])]:
        assert file.bytes > 0 and "/" not in file.name
        packed_anew = file is dataset.archive and not file.sha256  # what is read out of it is checked
        assert packed_anew or len(bytes.fromhex(file.sha256)) == 32
        packed_on_demand = file == dataset.archive and dataset.members  # its members are checked instead
        assert file.bytes > 0 and "/" not in file.name
        assert len(bytes.fromhex(file.sha256)) == 32 or (packed_on_demand and not file.sha256)
        packed_anew = file is dataset.archive and dataset.members and not file.sha256
        assert file.bytes > 0 and "/" not in file.name
        assert packed_anew or len(bytes.fromhex(file.sha256)) == 32


@pytest.mark.parametrize("name", INSIDE)
def test_an_entry_inside_a_library_has_no_files(name):
    dataset = data.registry[name]
    assert dataset.title and dataset.short and dataset.license and dataset.citation
    assert not (dataset.files or dataset.folder or dataset.mirrors or dataset.stand_in)
    assert data.status(name) == f"inside {dataset.inside}" and data.is_here(name)
    assert data.download_mb([name]) == data.disk_mb([name]) == 0
    with pytest.raises(data.DataError, match="nothing to fetch"):
        data.fetch(name)


def test_sizes_are_sums_over_the_registry():
    assert data.download_mb(["mnist"]) == data.disk_mb(["mnist"]) == pytest.approx(11.594722)
    assert data.download_mb(["cifar10"]) == pytest.approx(170.052171)
    assert data.disk_mb(["cifar10"]) == pytest.approx(184.38)
    assert data.download_mb() == pytest.approx(sum(data.download_mb([name]) for name in data.registry))
    assert data.disk_mb() == pytest.approx(sum(data.disk_mb([name]) for name in data.registry))
    assert data.download_mb([]) == 0


def test_description_for_a_table():
    assert data.describe(["mnist"]) == "MNIST (without network: 8×8 digits)"
    assert data.describe(["mnist", "wine", "digits"]) == (
        "MNIST (without network: 8×8 digits), 178 wines, 8×8 digits (inside scikit-learn)"
    )
    assert data.describe([]) == "made in the notebook"


def test_the_readme_tells_what_the_registry_tells():
    readme = (ROOT / "data" / "README.md").read_text("utf8")
    rows = {m[1]: m[0] for m in re.finditer(r"^\| [^|]*, `(\w+)` \|.*$", readme, flags=re.MULTILINE)}
    assert list(rows) == FETCHED + INSIDE
    for name, row in rows.items():
        dataset = data.registry[name]
        cells = [dataset.license, dataset.inside]
        if name in FETCHED:
            cells += [f"{data.download_mb([name]):.1f} MB |", f"| {data.disk_mb([name]):.1f} MB"]
        assert row.startswith(f"| {dataset.title}, ") and all(cell in row for cell in cells), row
        if name in FETCHED:
            assert f"\n| {dataset.title} | " in readme, "a row on its stand-in"
    assert f"{data.download_mb(data.usual()):.0f} MB in all" in readme


def test_an_installed_package_has_all_that_it_needs(tmp_path):
    """The wheel, unpacked far from the repository: stand-ins are in it, downloads go to the user's cache."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        wheel.extractall(tmp_path / "site-packages")
    code = """
from course_utils import __main__, data
print(data.__file__); print(data.cache_folder())
images = data.mnist, data.fashion_mnist, data.cifar10
texts = data.gpt2_bpe, data.tiny_shakespeare, data.tang_poems, data.imdb, data.chnsenticorp, data.gpt2
texts += data.xquad, data.cmrc2018, data.cmn_eng, data.course_text, data.movielens
texts += data.ud_chinese, data.weibo_ner, data.wnut17
images += data.blood_cells, data.nuclei, data.omniglot, data.orl_faces
for load in *images, *texts, data.spoken_digits:
    assert load().source == "bundled"
__main__.main(["data", "list", "13"])
"""
    paths = {"PYTHONPATH": str(tmp_path / "site-packages"), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, encoding="utf-8",
        env={**os.environ, **paths, "PYTHONUTF8": "1"},
    )  # fmt: skip
    output = done.stdout.splitlines()
    assert Path(output[0]).is_relative_to(tmp_path / "site-packages")
    assert output[1] == str(tmp_path / "cache" / "large-models-course")
    assert done.returncode == 2 and "this installation has no notebooks" in done.stderr


def test_import_is_light():
    heavy = {"sklearn", "ssl", "urllib.request", "filelock", "matplotlib", "tensorflow"}
    code = f"import sys; from course_utils import data; print({heavy} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert found == "set()\n"


# The command line


@pytest.fixture
def notebooks(tmp_path, monkeypatch) -> Path:
    """A checkout with made-up notebooks that name their data sets, or don't."""
    folder = tmp_path / "checkout/notebooks"
    folder.mkdir(parents=True)
    courses = {
        "07_both": {"datasets": ["digits", "mnist"]},
        "08_none": {"datasets": []},
        "09_typo": {"datasets": ["mnits"]},
        "10_old": {},
    }
    for stem, course in courses.items():
        text = json.dumps({"cells": [], "metadata": {"course": course}, "nbformat": 4, "nbformat_minor": 5})
        (folder / f"{stem}.ipynb").write_text(text, "utf8")
    (folder / "11_broken.ipynb").write_text("{")
    monkeypatch.setattr(data, "checkout", lambda: folder.parent)
    return folder


def test_commands_take_names_and_numbers_of_notebooks(notebooks, fabricate, tmp_path, capsys):
    fabricate("mnist", small_mnist()[1], tmp_path / "cache")

    def rows(*arguments: str) -> list[str]:
        assert command_line.main(["data", *arguments]) == 0
        return [line.split()[0] for line in capsys.readouterr().out.splitlines()]

    assert rows("fetch", "7")[:2] == ["digits", "mnist"]
    assert rows("verify", "mnist", "07")[:2] == ["mnist", "digits"]
    assert rows("list")[:-1] == list(data.registry)
    assert "gpt2" in data.registry and "gpt2" not in data.usual()
    assert command_line.main(["data", "fetch", "08"]) == 0
    assert capsys.readouterr().out.startswith("no data sets are used there")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mnits", "no data set is named mnits; there are mnist, fashion_mnist"),
        ("12", "there is no notebook 12; there are 07, 08, 09, 10, 11"),
        ("9", "no data set is named mnits"),
        ("10", "10_old.ipynb does not say which data sets it uses"),
        ("11", "11_broken.ipynb does not say which data sets it uses"),
    ],
)
def test_a_name_that_stands_for_nothing(notebooks, capsys, name, message):
    with pytest.raises(SystemExit) as stopped:
        command_line.main(["data", "fetch", name])
    assert stopped.value.code == 2 and message in capsys.readouterr().err


def test_commands_say_by_their_code_whether_the_data_are_here(fabricate, tmp_path, capsys):
    assert command_line.main(["data", "list"]) == 0
    assert command_line.main(["data", "verify", "mnist"]) == 1
    assert command_line.main(["data", "fetch", "mnist"]) == 1  # offline
    assert "not fetched while COURSE_OFFLINE=1" in capsys.readouterr().out
    fabricate("mnist", small_mnist()[1], tmp_path / "cache")
    assert command_line.main(["data", "verify", "mnist", "digits"]) == 0


@pytest.mark.parametrize("encoding", ["ascii", "gbk", "cp1252"])
@pytest.mark.parametrize("arguments", [["list"], ["verify"], ["fetch", "mnist"], ["--help"]])
def test_commands_print_in_any_encoding(encoding, arguments, tmp_path):
    """With a damaged file whose name and whose message the encoding lacks."""
    given = tmp_path / "数据 é"
    (given / "mnist").mkdir(parents=True)
    (given / "mnist/train-images-idx3-ubyte.gz").write_bytes(b"?")
    done = subprocess.run(
        [sys.executable, "-m", "course_utils", "data", *arguments], cwd=ROOT, capture_output=True,
        env={**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0", "COURSE_DATA_DIR": str(given)},
    )  # fmt: skip
    assert done.returncode == (arguments[0] in ("verify", "fetch")), done.stderr
    assert done.stderr == b"" and done.stdout


def test_the_command_line_loads_data_only_where_they_are_needed():
    code = (
        "import sys; from course_utils import __main__\n"
        "try: __main__.main(['doctor', '--help'])\n"
        "except SystemExit: print({'numpy', 'tomllib', 'course_utils.data'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert found.endswith("set()\n")


def test_a_python_without_the_packages_is_told_so():
    """-S: no site-packages, as with a Python where nothing was installed."""
    command = [sys.executable, "-S", "-m", "course_utils", "data", "list"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1 and done.stderr == ""
    assert "No module named 'numpy'" in done.stdout and "`make lab`" in done.stdout


# The real data, where it is at hand


@pytest.fixture
def real(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = os.environ.get("COURSE_TEST_DATA_DIR")
    if not folder:
        pytest.skip("COURSE_TEST_DATA_DIR names no folder with the real data")
    monkeypatch.setenv("COURSE_DATA_DIR", folder)


def test_real_mnist(real):
    images = data.mnist()
    assert images.source == "real"
    check_form(images, (28, 28), 60_000, 10_000)
    assert np.bincount(images.y_test).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert images.y_train[:5].tolist() == [5, 0, 4, 1, 9]
    assert images.x_train.mean() == pytest.approx(33.318, abs=1e-3)


def test_real_fashion_mnist(real):
    images = data.fashion_mnist()
    assert images.source == "real"
    check_form(images, (28, 28), 60_000, 10_000)
    assert np.bincount(images.y_train).tolist() == [6000] * 10
    assert images.x_train.mean() == pytest.approx(72.940, abs=1e-3)


def test_real_nuclei(real):
    nuclei = data.nuclei()
    assert nuclei.source == "real"
    check_nuclei(nuclei, 254, 80)
    assert sum(labels.max() for labels in [*nuclei.labels_train, *nuclei.labels_test]) == 9543


def test_real_tokenizer(real):
    tables = data.gpt2_bpe()
    assert tables.source == "real" and tables.vocabulary["hello"] == 31373
    check_tokenizer(tables, 50_000)


def test_real_gpt2(real):
    if data.is_here("gpt2"):
        model = data.gpt2()
        assert model.source == "real" and len(model.merges) == 50_000
        check_model(model)


def test_real_plays(real):
    text = data.tiny_shakespeare()
    assert text.source == "real" and len(text.text) == 1_115_394 and len(set(text.text)) == 65
    assert text.text.startswith("First Citizen:\nBefore we proceed")


def test_real_poems(real):
    poems = data.tang_poems()
    assert poems.source == "real"
    check_poems(poems, 12_003)
    assert poems.poems[0].lines[0] == "秦川雄帝宅，函谷壯皇居。"


def test_real_blood_cells(real):
    if data.is_here("blood_cells"):
        blood = data.blood_cells()
        assert blood.source == "real"
        check_boxes(blood, (205, 87, 72))
        assert np.bincount(np.concatenate(blood.test.kinds)).tolist() == [805, 71, 69]
        flat = [(b[:, 2:] <= b[:, :2]).any() for part in (blood.train, blood.validation) for b in part.boxes]
        assert sum(flat) == 2


def test_real_characters(real):
    characters = data.omniglot()
    assert characters.source == "real"
    check_characters(characters, 156, 86)
    counts = {name: characters.alphabets_train.count(name) for name in characters.alphabets_train}
    assert counts == {"Greek": 24, "Japanese (katakana)": 47, "Latin": 26, "Sanskrit": 42, "Tagalog": 17}
    assert set(characters.alphabets_test) == {"Balinese", "Early Aramaic", "Korean"}
    assert characters.x_train.mean() == pytest.approx(20.442, abs=1e-2)


def test_real_portraits(real):
    if data.is_here("orl_faces"):
        portraits = data.orl_faces()
        assert portraits.source == "real" and portraits.x.shape == (40, 10, 112, 92)
        assert portraits.x.mean() == pytest.approx(112.631, abs=1e-2)


def test_real_tagged_sentences(real):
    for part, words in (("dev", 12_663), ("test", 12_012)):
        found = data.ud_chinese(part)
        assert found.source == "real" and sum(map(len, found.tokens)) == words
        check_tagged(found, 500, set())
    sizes = (("train", 3_394, 62_730), ("dev", 1_009, 15_733), ("test", 1_287, 23_394))
    for part, sentences, tokens in sizes:
        found = data.wnut17(part)
        assert found.source == "real" and sum(map(len, found.tokens)) == tokens
        check_tagged(found, sentences, WNUT_KINDS)
    if data.is_here("weibo_ner"):
        sizes = (("train", 1_350, 73_778), ("dev", 270, 14_509), ("test", 270, 14_842))
        for part, posts, characters in sizes:
            found = data.weibo_ner(part)
            assert found.source == "real" and sum(map(len, found.tokens)) == characters
            check_tagged(found, posts, WEIBO_KINDS)


def test_real_cifar10(real):
    images = data.cifar10()
    assert images.source == "real"
    check_form(images, (32, 32, 3), 50_000, 10_000)
    assert np.bincount(images.y_test).tolist() == [1000] * 10
    means = images.x_train.mean(axis=(0, 1, 2)) / 255
    assert means == pytest.approx([0.49139968, 0.48215841, 0.44653091], abs=1e-6)


def test_real_movielens(real):
    found = data.movielens()
    assert found.source == "real" and found.expected is None
    check_ratings(found, 100_836, 610, 9_724)
    assert found.ratings.mean() == pytest.approx(3.501557, abs=1e-5)
    assert found.titles[0] == "Toy Story (1995)" and found.genres[0][0] == "Adventure"


def test_real_spoken_digits(real):
    if data.is_here("spoken_digits"):
        speech = data.spoken_digits()
        assert speech.source == "real" and speech.speaker_names[0] == "george"
        check_speech(speech, 50)
        assert sum(map(len, speech.recordings)) == 10_498_424
