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

from tools.source import ROOT, read_plan, read_sources

Item = Mapping[str, str]
LEDGER: dict[str, Item] = {
    item["id"]: item
    for item in json.loads((ROOT / "tests" / "source-ledger.json").read_text(encoding="utf8"))
}

# The course's notebooks by their stems, in order.
COURSE = tuple(read_plan().by_stem)
# What the documents don't treat at all.
BEYOND = {"from_model_to_assistant", "learning_from_rewards"}

TOPIC_NOTEBOOK: dict[str, tuple[str, ...]] = {
    "AR/VR and 3-D content": ("generative_models",),
    "Activation functions": ("neurons_and_layers",),
    "Adam and modern optimisers": ("optimizers",),
    "Adversarial robustness and security": ("privacy_and_security",),
    "Attention and the Transformer": ("embeddings_and_attention",),
    "BERT and encoder models": ("project_text_classification",),
    "Backpropagation derivation": ("backpropagation",),
    "CIFAR-10 CNN project": ("project_cifar10",),
    "CNN building blocks": ("convolution",),
    "Choosing a model": ("choosing_and_costing",),
    "Classification metrics": ("evaluation_metrics",),
    "Continual and adaptive learning": ("automl_and_continual_learning",),
    "Data acquisition and governance": ("privacy_and_security",),
    "Data preprocessing and augmentation": ("preparing_data",),
    "Distributed and efficient training": ("training_at_scale",),
    "E-commerce": ("recommender_systems",),
    "Environment set-up": ("start_here",),
    "Face recognition": ("faces_and_similarity",),
    "Fairness and ethics": ("interpretability_and_fairness",),
    "Finance and risk control": ("finance_risk",),
    "GANs and domain adaptation": ("generative_models",),
    "GPT text generation": ("project_pretrained_gpt2",),
    "Generalisation and regularisation": ("training_deep_networks",),
    "Gradient descent and its variants": ("optimizers",),
    "Healthcare AI": ("healthcare",),
    "Image classification and transfer learning": ("transfer_learning",),
    "Image segmentation": ("image_segmentation",),
    "Intelligent transport": ("transport_forecasting",),
    "Interpretability": ("interpretability_and_fairness",),
    "Learning-rate schedules and hyper-parameters": ("optimizers",),
    "Loss functions": ("loss_functions",),
    "MLP forward pass": ("neurons_and_layers",),
    "MNIST MLP project": ("project_mnist",),
    "Market research, target customers and competitors": ("market_analysis",),
    "Model compression": ("compression",),
    "Multimodal learning": ("multimodal",),
    "NLP tasks": ("project_text_classification",),
    "Neural-network fundamentals": ("neurons_and_layers",),
    "NumPy network from scratch": ("repairing_a_network",),
    "Object detection": ("object_detection",),
    "Parameter counting and scale": ("what_is_a_large_model",),
    "Privacy: differential privacy and federated learning": ("privacy_and_security",),
    "Product innovation and strategy": ("product_innovation",),
    "RNN, LSTM and GRU": ("recurrent_networks",),
    "Reading list and citation hygiene": ("resources",),
    "Recommender systems": ("recommender_systems",),
    "Robotics and automation": ("robotics_and_control",),
    "Saving, loading and exporting models": ("project_mnist",),
    "Self-supervised learning and AutoML": ("transfer_learning",),
    "Serving and deployment": ("deployment_and_monitoring",),
    "Speech and audio": ("speech_recognition",),
    "Standards, regulation and social impact": ("product_innovation",),
    "Talent, team and compute budget": ("choosing_and_costing",),
    "Tokenisation and embeddings": ("embeddings_and_attention",),
    "Train/validation/test protocol": ("preparing_data",),
    "Transposed convolution": ("convolution",),
    "Weight initialisation": ("neurons_and_layers",),
    "What a large model is": ("what_is_a_large_model",),
}

# The appendices collect these kinds as well: FAQ and trends, the documents checked, resources.
KIND_APPENDIX: dict[str, tuple[str, ...]] = {
    "FAQ": ("faq_and_glossary",),
    "trend": ("faq_and_glossary",),
    "formula": ("documents_checked",),
    "derivation": ("documents_checked",),
    "worked example": ("documents_checked",),
    "code listing": ("documents_checked",),
    "diagram": ("documents_checked",),
    "claimed result": ("documents_checked",),
    "citation": ("documents_checked", "resources"),
    "resource": ("resources",),
}

# Items that their topic's notebook does not teach, or not alone.
OVERRIDES: dict[str, tuple[str, ...]] = {
    # the documents' accounts of the whole training loop
    "D1-3.2-a": ("life_of_a_model",),  # five steps, backprop and update merged
    "D1-4.1-a": ("life_of_a_model",),  # network, loss, optimizer
    "D2-2-a": ("life_of_a_model",),  # concept map
    "D2-9-b": ("life_of_a_model",),  # how a model is trained, in six steps
    "D3-2.2-a": ("life_of_a_model",),  # flow chart without a loop
    "D3-3.1-a": ("life_of_a_model",),  # five steps
    "D4-2.3-a": ("life_of_a_model",),  # flow chart whose loop never closes
    # the derivation and the listing that are repaired (D3-4.1, D3-4.2, D3-4.3) belong to two
    "D3-4.1-a": ("neurons_and_layers", "backpropagation"),
    "D3-4.1-b": ("neurons_and_layers", "backpropagation"),
    "D3-4.1-c": ("neurons_and_layers", "backpropagation"),
    "D3-4.1-d": ("neurons_and_layers", "backpropagation"),
    "D3-4.2-a": ("loss_functions", "backpropagation"),
    "D3-4.2-f": ("backpropagation", "optimizers"),
    "D2-3.3.4-a": ("backpropagation", "automatic_differentiation"),
    "D3-4.3-h": ("neurons_and_layers", "repairing_a_network"),
    "D3-4.3-i": ("neurons_and_layers", "repairing_a_network"),
    # what the three MNIST listings (D2-5, D3-5, D4-5) say on other topics
    "D2-5.2-c": ("what_is_a_large_model", "project_mnist"),  # size of the model
    "D3-5.2-c": ("what_is_a_large_model", "project_mnist"),
    "D4-5.2-c": ("what_is_a_large_model", "project_mnist"),
    "D2-5.2-d": ("project_mnist",),  # validation and test
    "D3-5.2-d": ("project_mnist",),
    "D4-5.2-b": ("project_mnist",),
    "D2-5.2-e": ("project_mnist",),  # tensors handed to scikit-learn
    "D2-5.4-b": ("evaluation_metrics", "project_mnist"),  # impossible confusion matrix
    "D3-5.2-b": ("project_mnist",),  # GPU memory growth
    "D3-5.3-c": ("project_mnist",),
    # and the CIFAR-10 listing
    "D1-5.2-b": ("project_cifar10",),  # validates on the test set
    "D1-6.1-a": ("project_cifar10",),  # ResNet-152's accuracy
    "D1-6.1-c": ("project_cifar10",),
    # training
    "D1-3.2-d": ("training_deep_networks",),  # until convergence
    "D2-3.3.7-a": ("training_deep_networks",),  # hyper-parameters
    "D1-3.3-c": ("what_is_a_large_model",),  # compute and storage in numbers
    "D2-1-c": ("choosing_and_costing",),  # train and deploy efficiently
    "D2-6.5-d": ("preparing_data", "finance_risk"),  # missing values in finance
    # language
    "D5-5.2-f": ("what_is_a_large_model", "project_pretrained_gpt2"),  # size of GPT-2
    "D5-2.3-a": ("project_gpt",),  # what GPT stands for
    "D5-5.2-a": ("generating_text", "project_pretrained_gpt2"),  # greedy search asked for five texts
    "D5-5.2-c": ("generating_text", "project_pretrained_gpt2"),  # a length that counts the prompt
    "D2-6.1-b": ("tagging_words",),  # word segmentation and named entities
    "D1-6.2-a": ("project_text_classification", "machine_translation"),
    "D3-3.4-b": ("project_text_classification", "machine_translation"),  # translation and sentiment
    "D1-6.2-b": ("machine_translation",),  # translation quality of GPT-3
    "D3-6.1-a": ("machine_translation",),
    "D5-6-a": ("question_answering", "answers_with_sources"),  # customer service and answers
    # speech
    "D2-6.3-b": ("reading_digit_strings",),  # real time
    # vision
    "D1-2-d": ("object_detection",),  # classification and detection
    "D4-6-a": ("object_detection",),
    "D5-6-b": ("object_detection", "faces_and_similarity"),  # faces, surveillance, driving
    # fewer labels
    "D2-8.1-e": ("transfer_learning", "automl_and_continual_learning"),
    "D4-8-f": ("transfer_learning",),
    # product and market
    "D2-9-d": ("what_is_a_large_model", "choosing_and_costing"),  # what compute it needs
    "D1-1-a": ("choosing_and_costing",),  # build, buy or fine-tune
    "D2-1-e": ("product_innovation",),  # go to market
    "D5-6-e": ("market_analysis",),  # market demand
    "D5-5.3-b": ("capstone",),  # from a loaded model to a product
    "D3-9.4-a": ("what_is_a_large_model",),  # sustainability
    # not about any topic: a closing note, and tools listed as resources
    "D1-R-d": ("documents_checked",),
    **dict.fromkeys(
        ("D1-7.2-a", "D1-7.2-b", "D2-7.2-a", "D2-7.2-b", "D2-7.2-c", "D2-10.4-a", "D3-8.2-a",
         "D4-7.2-a", "D4-7.2-b", "D4-7.2-c", "D4-7.2-e", "D5-7.2-a", "D5-7.2-b"),
        ("resources",),
    ),
}  # fmt: skip


def homes(item: Item) -> set[str]:
    """Stems of the notebooks that must name an item."""
    topic = OVERRIDES.get(item["id"], TOPIC_NOTEBOOK[item["topic"]])
    return {*topic, *KIND_APPENDIX.get(item["kind"], ())}


def expected(stem: str) -> list[str]:
    """Ids that notebook `stem` must name, in the ledger's order."""
    return [name for name, item in LEDGER.items() if stem in homes(item)]


def unknown(named: Sequence[str]) -> list[str]:
    """Ids that the ledger does not have, and those named twice."""
    return [name for name in named if name not in LEDGER or named.count(name) > 1]


def missing(stem: str, named: Sequence[str]) -> list[str]:
    return [name for name in expected(stem) if name not in named]


def uncovered(notebooks: Mapping[str, Sequence[str]]) -> list[str]:
    """Items that no notebook names. notebooks: stem -> its `ledger` list."""
    named = {name for names in notebooks.values() for name in names}
    return [name for name in LEDGER if name not in named]


SOURCES, _ = read_sources()
WRITTEN: dict[str, list[str]] = {s.name.partition("_")[2]: s.header["ledger"] for s in SOURCES}


@pytest.mark.parametrize("stem", WRITTEN)
def test_notebook_names_known_ids_and_all_of_its_own(stem: str) -> None:
    assert unknown(WRITTEN[stem]) == []
    assert missing(stem, WRITTEN[stem]) == [], "add them to `ledger` in the header, and teach them"


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
    assert [stem for stem in COURSE if not expected(stem) and stem not in BEYOND] == []


def test_each_document_part_has_one_home() -> None:
    """What notebooks 06, 06c and 13 promise: derivation, NumPy listing and the MNIST listings, whole."""
    assert {name for name in LEDGER if re.match(r"D3-4\.[12]-", name)} <= set(expected("backpropagation"))
    assert {name for name in LEDGER if re.match(r"D3-4\.3-", name)} <= set(expected("repairing_a_network"))
    assert {name for name in LEDGER if re.match(r"D[234]-5\.[234]-", name)} <= set(expected("project_mnist"))


@pytest.mark.parametrize(
    ("guard", "found"),
    [
        pytest.param(
            lambda: unknown([*expected("backpropagation"), "D3-4.9-z"]), ["D3-4.9-z"], id="unknown id"
        ),
        pytest.param(lambda: unknown(["D3-4.1-a", "D3-4.1-a"]), ["D3-4.1-a"] * 2, id="named twice"),
        pytest.param(
            lambda: missing("backpropagation", expected("backpropagation")[1:]),
            expected("backpropagation")[:1],
            id="missing id",
        ),
        pytest.param(
            lambda: missing("project_mnist", [])[:1], expected("project_mnist")[:1], id="empty list"
        ),
        pytest.param(
            lambda: uncovered({stem: [n for n in expected(stem) if n != "D5-8-d"] for stem in COURSE}),
            ["D5-8-d"],
            id="uncovered item",
        ),
    ],
)
def test_guard_catches(guard: Callable[[], list[str]], found: list[str]) -> None:
    assert guard() == found


def test_guards_pass_a_complete_course() -> None:
    whole = {stem: expected(stem) for stem in COURSE}
    assert uncovered(whole) == []
    assert all(unknown(names) == missing(stem, names) == [] for stem, names in whole.items())
