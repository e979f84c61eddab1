"""keras-applications 1.0.8 on tf_keras: the same order of weights, its files, its outputs."""

from __future__ import annotations

import numpy as np
import pytest
import tf_keras

from nbkeras.core import backend
from tests.core.applications.networks import network, reference

slow = pytest.mark.slow


@pytest.fixture(autouse=True)
def _nothing_stays():
    yield
    backend.clear_session()
    tf_keras.backend.clear_session()


def oracle(module, name, **arguments):
    """The oracle's network, its statistics and offsets as after a training."""
    model = reference(module, name, tf_keras)(weights=None, **arguments)
    rng = np.random.default_rng(0)
    values = []
    for weight in model.weights:
        small = weight.shape.rank == 1 and "kernel" not in weight.name
        centred = any(part in weight.name for part in ("bias", "beta", "mean"))
        low, high = (-0.2, 0.2) if centred else (0.5, 1.5)
        values.append(rng.uniform(low, high, weight.shape) if small else weight.numpy())
    model.set_weights(values)
    return model


@pytest.mark.parametrize(
    ("module", "name", "arguments"),
    [
        ("mobilenet", "MobileNet", {"alpha": 0.25, "input_shape": (32, 32, 3), "classes": 5}),
        *(
            pytest.param(*row, marks=slow)
            for row in (
                ("densenet", "DenseNet121", {"input_shape": (32, 33, 3)}),
                ("inception_resnet_v2", "InceptionResNetV2", {"input_shape": (75, 75, 3)}),
                ("inception_v3", "InceptionV3", {"input_shape": (75, 76, 3)}),
                ("mobilenet_v2", "MobileNetV2", {"alpha": 0.35, "input_shape": (33, 32, 3)}),
                ("nasnet", "NASNetMobile", {"input_shape": (33, 64, 3)}),
                ("resnet", "ResNet50", {"input_shape": (32, 32, 3), "classes": 5}),
                ("resnet50", "ResNet50", {"input_shape": (32, 32, 3), "classes": 5}),
                ("resnet_v2", "ResNet50V2", {"input_shape": (32, 33, 3)}),
                ("vgg16", "VGG16", {"input_shape": (32, 32, 3), "classes": 5}),
                ("xception", "Xception", {"input_shape": (71, 72, 3)}),
            )
        ),
    ],
)
def test_a_file_of_weights_loads_and_the_outputs_are_equal(module, name, arguments, tmp_path):
    arguments = {"include_top": "classes" in arguments, **arguments}
    theirs = oracle(module, name, **arguments)
    path = tmp_path / "weights.h5"
    theirs.save_weights(path)
    ours = network(module, name)(weights=path, **arguments)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    x = np.random.default_rng(1).normal(size=(1, *arguments["input_shape"])).astype("float32")
    found, wanted = ours.predict(x), theirs(x, training=False).numpy()
    assert np.ptp(wanted) > 1e-3
    np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-4 * np.abs(wanted).max())
