"""Every item of the source ledger is covered by the notebook that is to teach it.

`homes` says which notebooks must name an item: those of its topic (unless the item belongs
elsewhere), and the appendix that collects its kind. A notebook that is not written yet fails
nothing; once it is written, its header's `ledger` list must name all that is its own.
"""

import json
import re
import warnings
from collections.abc import Callable, Mapping, Sequence

import pytest

from tools import notebook
from tools.notebook import ROOT

Item = Mapping[str, str]
LEDGER: dict[str, Item] = {
    item["id"]: item for item in json.loads((ROOT / "data" / "source-ledger.json").read_text(encoding="utf8"))
}

# The course's notebooks, by the numbers of the course map.
COURSE = (*range(41), 90, 91, 92)

TOPIC_NOTEBOOK: dict[str, tuple[int, ...]] = {
    "AR/VR and 3-D content": (28,),
    "Activation functions": (4,),
    "Adam and modern optimisers": (7,),
    "Adversarial robustness and security": (33,),
    "Attention and the Transformer": (11,),
    "BERT and encoder models": (15,),
    "Backpropagation derivation": (6,),
    "CIFAR-10 CNN project": (14,),
    "CNN building blocks": (9,),
    "Choosing a model": (37,),
    "Classification metrics": (8,),
    "Continual and adaptive learning": (35,),
    "Data acquisition and governance": (33,),
    "Data preprocessing and augmentation": (3,),
    "Distributed and efficient training": (31,),
    "E-commerce": (23,),
    "Environment set-up": (0,),
    "Face recognition": (20,),
    "Fairness and ethics": (34,),
    "Finance and risk control": (26,),
    "GANs and domain adaptation": (28,),
    "GPT text generation": (17,),
    "Generalisation and regularisation": (12,),
    "Gradient descent and its variants": (7,),
    "Healthcare AI": (25,),
    "Image classification and transfer learning": (18,),
    "Image segmentation": (19,),
    "Intelligent transport": (27,),
    "Interpretability": (34,),
    "Learning-rate schedules and hyper-parameters": (7,),
    "Loss functions": (5,),
    "MLP forward pass": (4,),
    "MNIST MLP project": (13,),
    "Market research, target customers and competitors": (38,),
    "Model compression": (32,),
    "Multimodal learning": (29,),
    "NLP tasks": (15,),
    "Neural-network fundamentals": (4,),
    "NumPy network from scratch": (6,),
    "Object detection": (19,),
    "Parameter counting and scale": (1,),
    "Privacy: differential privacy and federated learning": (33,),
    "Product innovation and strategy": (39,),
    "RNN, LSTM and GRU": (10,),
    "Reading list and citation hygiene": (92,),
    "Recommender systems": (23,),
    "Robotics and automation": (30,),
    "Saving, loading and exporting models": (13,),
    "Self-supervised learning and AutoML": (18,),
    "Serving and deployment": (36,),
    "Speech and audio": (24,),
    "Standards, regulation and social impact": (39,),
    "Talent, team and compute budget": (37,),
    "Tokenisation and embeddings": (11,),
    "Train/validation/test protocol": (3,),
    "Transposed convolution": (9,),
    "Weight initialisation": (4,),
    "What a large model is": (1,),
}

# The appendices collect these kinds as well: FAQ and trends, the documents checked, resources.
KIND_APPENDIX: dict[str, tuple[int, ...]] = {
    "FAQ": (90,),
    "trend": (90,),
    "formula": (91,),
    "derivation": (91,),
    "worked example": (91,),
    "code listing": (91,),
    "diagram": (91,),
    "claimed result": (91,),
    "citation": (91, 92),
    "resource": (92,),
}

# Items that their topic's notebook does not teach, or not alone.
OVERRIDES: dict[str, tuple[int, ...]] = {
    # the documents' accounts of the whole training loop
    "D1-3.2-a": (2,),  # five steps, backprop and update merged
    "D1-4.1-a": (2,),  # network, loss, optimizer
    "D2-2-a": (2,),  # concept map
    "D2-9-b": (2,),  # how a model is trained, in six steps
    "D3-2.2-a": (2,),  # flow chart without a loop
    "D3-3.1-a": (2,),  # five steps
    "D4-2.3-a": (2,),  # flow chart whose loop never closes
    # the derivation and listing that notebook 06 repairs (D3-4.1, D3-4.2, D3-4.3) belong to two
    "D3-4.1-a": (4, 6),
    "D3-4.1-b": (4, 6),
    "D3-4.1-c": (4, 6),
    "D3-4.1-d": (4, 6),
    "D3-4.2-a": (5, 6),
    "D3-4.2-f": (6, 7),
    "D3-4.3-h": (4, 6),
    "D3-4.3-i": (4, 6),
    # what the three MNIST listings (D2-5, D3-5, D4-5) say on other topics
    "D2-5.2-c": (1, 13),  # size of the model
    "D3-5.2-c": (1, 13),
    "D4-5.2-c": (1, 13),
    "D2-5.2-d": (13,),  # validation and test
    "D3-5.2-d": (13,),
    "D4-5.2-b": (13,),
    "D2-5.2-e": (13,),  # tensors handed to scikit-learn
    "D2-5.4-b": (8, 13),  # impossible confusion matrix
    "D3-5.2-b": (13,),  # GPU memory growth
    "D3-5.3-c": (13,),
    # and the CIFAR-10 listing
    "D1-5.2-b": (14,),  # validates on the test set
    "D1-6.1-a": (14,),  # ResNet-152's accuracy
    "D1-6.1-c": (14,),
    # training
    "D1-3.2-d": (12,),  # until convergence
    "D2-3.3.7-a": (12,),  # hyper-parameters
    "D1-3.3-c": (1,),  # compute and storage in numbers
    "D2-1-c": (37,),  # train and deploy efficiently
    "D2-6.5-d": (3, 26),  # missing values in finance
    # language
    "D5-5.2-f": (1, 17),  # size of GPT-2
    "D5-2.3-a": (16,),  # what GPT stands for
    "D2-6.1-b": (21,),  # word segmentation and named entities
    "D1-6.2-a": (15, 21),
    "D3-3.4-b": (15, 21),  # translation and sentiment
    "D1-6.2-b": (21,),  # translation quality of GPT-3
    "D3-6.1-a": (21,),
    "D5-6-a": (22,),  # customer service and answers
    # vision
    "D1-2-d": (19,),  # classification and detection
    "D4-6-a": (19,),
    "D5-6-b": (19, 20),  # faces, surveillance, driving
    # fewer labels
    "D2-8.1-e": (18, 35),
    "D4-8-f": (18,),
    # product and market
    "D2-9-d": (1, 37),  # what compute it needs
    "D1-1-a": (37,),  # build, buy or fine-tune
    "D2-1-e": (39,),  # go to market
    "D5-6-e": (38,),  # market demand
    "D5-5.3-b": (40,),  # from a loaded model to a product
    "D3-9.4-a": (1,),  # sustainability
    # not about any topic: a closing note, and tools listed as resources
    "D1-R-d": (91,),
    **dict.fromkeys(
        ("D1-7.2-a", "D1-7.2-b", "D2-7.2-a", "D2-7.2-b", "D2-7.2-c", "D2-10.4-a", "D3-8.2-a",
         "D4-7.2-a", "D4-7.2-b", "D4-7.2-c", "D4-7.2-e", "D5-7.2-a", "D5-7.2-b"),
        (92,),
    ),
}  # fmt: skip


def homes(item: Item) -> set[int]:
    """Numbers of the notebooks that must name an item."""
    topic = OVERRIDES.get(item["id"], TOPIC_NOTEBOOK[item["topic"]])
    return {*topic, *KIND_APPENDIX.get(item["kind"], ())}


def expected(number: int) -> list[str]:
    """Ids that notebook `number` must name, in the ledger's order."""
    return [name for name, item in LEDGER.items() if number in homes(item)]


def unknown(named: Sequence[str]) -> list[str]:
    """Ids that the ledger does not have, and those named twice."""
    return [name for name in named if name not in LEDGER or named.count(name) > 1]


def missing(number: int, named: Sequence[str]) -> list[str]:
    return [name for name in expected(number) if name not in named]


def uncovered(notebooks: Mapping[int, Sequence[str]]) -> list[str]:
    """Items that no notebook names. notebooks: number -> its `ledger` list."""
    named = {name for names in notebooks.values() for name in names}
    return [name for name in LEDGER if name not in named]


SOURCES, _ = notebook.read_sources(ROOT, notebook.repository())
WRITTEN: dict[int, list[str]] = {int(source.number): source.header["ledger"] for source in SOURCES}


@pytest.mark.parametrize("number", WRITTEN)
def test_notebook_names_known_ids_and_all_of_its_own(number: int) -> None:
    assert unknown(WRITTEN[number]) == []
    assert missing(number, WRITTEN[number]) == [], "add them to `ledger` in the header, and teach them"


def test_notebooks_are_on_the_course_map() -> None:
    assert set(WRITTEN) <= set(COURSE)


def test_all_items_are_covered_when_all_is_written() -> None:
    open_notebooks = sorted(set(COURSE) - set(WRITTEN))
    left = uncovered(WRITTEN)
    if open_notebooks:
        warnings.warn(
            f"ledger: {len(LEDGER) - len(left)} of {len(LEDGER)} items covered by {len(WRITTEN)} notebooks; "
            f"{len(open_notebooks)} notebooks to write",
            stacklevel=1,
        )
    else:
        assert left == []


# --- the mapping itself, and the guards' own tests ---------------------------------------------


def test_the_mapping_knows_every_topic_kind_and_id() -> None:
    assert len(LEDGER) == 417
    assert set(TOPIC_NOTEBOOK) == {item["topic"] for item in LEDGER.values()}
    assert set(KIND_APPENDIX) <= {item["kind"] for item in LEDGER.values()}
    assert set(OVERRIDES) <= set(LEDGER)
    for name, item in LEDGER.items():
        assert homes(item) and homes(item) <= set(COURSE), name
        assert OVERRIDES.get(name) != TOPIC_NOTEBOOK[item["topic"]], f"{name} needs no override"


def test_every_notebook_has_something_to_cover() -> None:
    assert [number for number in COURSE if not expected(number)] == []


def test_each_document_part_has_one_home() -> None:
    """What notebooks 06 and 13 promise: derivation, NumPy listing and the MNIST listings, whole."""
    assert {name for name in LEDGER if re.match(r"D3-4\.[123]-", name)} <= set(expected(6))
    assert {name for name in LEDGER if re.match(r"D[234]-5\.[234]-", name)} <= set(expected(13))


@pytest.mark.parametrize(
    ("guard", "found"),
    [
        pytest.param(lambda: unknown([*expected(6), "D3-4.9-z"]), ["D3-4.9-z"], id="unknown id"),
        pytest.param(lambda: unknown(["D3-4.1-a", "D3-4.1-a"]), ["D3-4.1-a"] * 2, id="named twice"),
        pytest.param(lambda: missing(6, expected(6)[1:]), expected(6)[:1], id="missing id"),
        pytest.param(lambda: missing(13, [])[:1], expected(13)[:1], id="empty list"),
        pytest.param(
            lambda: uncovered({number: [n for n in expected(number) if n != "D5-8-d"] for number in COURSE}),
            ["D5-8-d"],
            id="uncovered item",
        ),
    ],
)
def test_guard_catches(guard: Callable[[], list[str]], found: list[str]) -> None:
    assert guard() == found


def test_guards_pass_a_complete_course() -> None:
    whole = {number: expected(number) for number in COURSE}
    assert uncovered(whole) == []
    assert all(unknown(names) == missing(number, names) == [] for number, names in whole.items())
