"""The drawn stand-ins: reproducible, balanced, and as hard as promised (shape counts, color doesn't)."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, RidgeClassifier

from course_utils.bundled import drawn_images

BOTH = pytest.mark.parametrize(
    ("draw", "shape"), [(drawn_images.scenes, (32, 32, 3)), (drawn_images.garments, (28, 28))]
)


@pytest.fixture(scope="module")
def scenes():
    return *drawn_images.scenes(1500, 0), *drawn_images.scenes(500, 1)


@pytest.fixture(scope="module")
def garments():
    return *drawn_images.garments(1500, 0), *drawn_images.garments(500, 1)


def flat(images: np.ndarray) -> np.ndarray:
    return images.reshape(len(images), -1) / 255 - 0.5


def linear_accuracy(x, y, x_test, y_test, strengths=(1e2, 1e3)) -> float:
    """Test accuracy of a ridge classifier on the pixels, at the regularization that suits it best."""
    models = [RidgeClassifier(alpha).fit(flat(x), y) for alpha in strengths]
    return max(model.score(flat(x_test), y_test) for model in models)


def color_accuracy(x, y, x_test, y_test) -> float:
    """Test accuracy of a linear model that knows only each channel's mean and spread."""

    def statistics(images):
        pixels = images.reshape(len(images), -1, 3) / 64
        return np.concatenate([pixels.mean(axis=1), pixels.std(axis=1)], axis=1)

    return LogisticRegression(max_iter=1000).fit(statistics(x), y).score(statistics(x_test), y_test)


def test_classes():
    """The names and the order of the originals, so that a label means the same in both."""
    assert ", ".join(drawn_images.SCENE_CLASSES) == (
        "airplane, automobile, bird, cat, deer, dog, frog, horse, ship, truck"
    )
    assert ", ".join(drawn_images.GARMENT_CLASSES) == (
        "T-shirt/top, Trouser, Pullover, Dress, Coat, Sandal, Shirt, Sneaker, Bag, Ankle boot"
    )


@BOTH
def test_shapes_types_and_range(draw, shape):
    x, y = draw(20, 0)
    assert x.shape == (20, *shape) and x.dtype == np.uint8
    assert y.shape == (20,) and y.dtype == np.int64
    assert x.flags.c_contiguous
    assert x.min() < 30 and x.max() > 225


@BOTH
def test_same_seed_same_images_whatever_n(draw, shape):
    x, y = draw(510, 3)  # more than one block
    for n in (37, 510):
        x_again, y_again = draw(n, 3)
        np.testing.assert_array_equal(x_again, x[:n])
        np.testing.assert_array_equal(y_again, y[:n])


@BOTH
def test_other_seed_other_images_and_order(draw, shape):
    (x, y), (other_x, other_y) = draw(50, 0), draw(50, 1)
    assert (x != other_x).any(axis=tuple(range(1, x.ndim))).all()
    assert (y != other_y).any()


@BOTH
@pytest.mark.parametrize("n", [0, -5])
def test_no_images_is_an_error(draw, shape, n):
    with pytest.raises(ValueError, match="at least 1"):
        draw(n, 0)


@pytest.mark.parametrize("name", ["scenes", "garments"])
def test_balanced_shuffled_and_nothing_twice(name, request):
    x, y, x_test, y_test = request.getfixturevalue(name)
    assert (np.bincount(y) == len(y) // 10).all() and (np.bincount(y_test) == len(y_test) // 10).all()
    assert len({tuple(ten) for ten in y.reshape(-1, 10)}) > len(y) / 10 * 0.95
    images = [image.tobytes() for image in (*x, *x_test)]
    assert len(set(images)) == len(images)


def test_garments_lie_on_black_and_fill_the_frame(garments):
    x = garments[0]
    assert (np.median(x[:, [0, 0, -1, -1], [0, -1, 0, -1]], axis=0) == 0).all()
    lit = x > 12
    assert 0.1 < lit.mean(axis=(1, 2)).mean() < 0.6
    assert (lit.any(axis=1).sum(axis=1) >= 5).all() and (lit.any(axis=2).sum(axis=1) >= 5).all()


def test_color_does_not_tell_the_scene(scenes):
    assert color_accuracy(*scenes) < 0.22


def test_the_color_check_notices_a_tint(scenes):
    x, y, x_test, y_test = scenes
    tint = np.random.default_rng(0).uniform(0.5, 1, (10, 1, 1, 3))
    assert color_accuracy(x * tint[y], y, x_test * tint[y_test], y_test) > 0.3


@pytest.mark.slow
def test_a_small_convnet_sees_what_a_linear_model_misses(scenes):
    keras = pytest.importorskip("keras")
    x, y, x_test, y_test = scenes
    linear = linear_accuracy(*scenes)
    keras.utils.set_random_seed(0)
    layers = [keras.layers.Rescaling(1 / 64, -2)]
    for width in (16, 32, 64):
        layers += [
            keras.layers.Conv2D(width, 3, padding="same", use_bias=False),
            keras.layers.BatchNormalization(momentum=0.9),
            keras.layers.ReLU(),
            keras.layers.MaxPooling2D(),
        ]
    model = keras.Sequential([*layers, keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(10)])
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(5e-3), loss, metrics=["accuracy"])
    model.fit(x, y, batch_size=32, epochs=5, verbose=0)
    convnet = model.evaluate(x_test, y_test, verbose=0, return_dict=True)["accuracy"]
    print(f"linear {linear:.3f}, convnet {convnet:.3f}")  # on 5,000 images, 12 epochs: 0.34, 0.92
    assert linear < 0.4
    assert convnet > linear + 0.2


def test_a_linear_model_does_rather_well_on_garments(garments):
    accuracy = linear_accuracy(*garments)
    print(f"linear {accuracy:.3f}")
    assert 0.65 < accuracy < 0.88
