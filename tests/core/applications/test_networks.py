"""Each network is the one that keras-applications builds, layer by layer."""

from __future__ import annotations

import pytest

from nbkeras.core import applications, backend, initializers
from nbkeras.core.applications.frame import channels_of
from tests.core.applications.networks import PARAMETERS, QUICK, listing, network, reference

slow = pytest.mark.slow


@pytest.fixture(autouse=True)
def _names_from_one(monkeypatch):
    """conv2d_1, ... in each network; what numbers its weights have does not matter here."""
    monkeypatch.setattr(initializers.VarianceScaling, "__call__", initializers.Zeros.__call__)
    backend.clear_session()
    yield
    backend.clear_session()


def both(module, name, **arguments):
    ours = network(module, name)(weights=None, **arguments)
    backend.clear_session()
    return ours, reference(module, name)(weights=None, **arguments)


@pytest.mark.parametrize(
    ("module", "name"),
    [p if p in QUICK else pytest.param(*p, marks=slow) for p in PARAMETERS],
)
def test_layers_and_parameters(module, name):
    ours, theirs = both(module, name)
    assert ours.count_params() == PARAMETERS[module, name]
    assert ours.name == theirs.name
    assert listing(ours) == listing(theirs)


SMALL = [
    ("mobilenet", "MobileNet", {"alpha": 0.25, "depth_multiplier": 2, "dropout": 0.5}),
    ("mobilenet", "MobileNet", {"alpha": 0.5, "include_top": False, "input_shape": (97, 64, 3)}),
    ("mobilenet", "MobileNet", {"alpha": 0.25, "include_top": False, "pooling": "avg"}),
    ("mobilenet", "MobileNet", {"alpha": 0.25, "input_shape": (32, 32, 1), "classes": 7}),
    ("mobilenet_v2", "MobileNetV2", {"alpha": 0.35, "include_top": False, "pooling": "max"}),
    ("mobilenet_v2", "MobileNetV2", {"alpha": 1.4, "input_shape": (97, 130, 3), "classes": 7}),
    ("vgg16", "VGG16", {"include_top": False, "pooling": "avg"}),
    ("vgg19", "VGG19", {"include_top": False, "input_shape": (32, 33, 3)}),
]


@pytest.mark.parametrize(("module", "name", "arguments"), SMALL)
def test_arguments(module, name, arguments):
    ours, theirs = both(module, name, **arguments)
    assert ours.name == theirs.name
    assert listing(ours) == listing(theirs)
    dropped = [layer.rate for layer in ours.layers if type(layer).__name__ == "Dropout"]
    assert dropped == [layer.rate for layer in theirs.layers if type(layer).__name__ == "Dropout"]


@slow
@pytest.mark.parametrize(
    ("module", "name", "shape"),
    [
        ("densenet", "DenseNet121", (65, 32, 3)),
        ("inception_resnet_v2", "InceptionResNetV2", (75, 75, 3)),
        ("inception_v3", "InceptionV3", (75, 100, 3)),
        ("nasnet", "NASNetMobile", (97, 75, 3)),
        ("resnet", "ResNet50", (32, 32, 3)),
        ("resnet50", "ResNet50", (32, 65, 3)),
        ("resnet_v2", "ResNet50V2", (33, 32, 3)),
        ("xception", "Xception", (71, 72, 3)),
    ],
)
def test_without_the_top(module, name, shape):
    ours, theirs = both(module, name, include_top=False, input_shape=shape, pooling="max")
    assert listing(ours) == listing(theirs)


def test_channels_first_has_the_same_weights():
    last = network("mobilenet_v2", "MobileNetV2")(alpha=0.35, weights=None, classes=5)
    backend.set_image_data_format("channels_first")
    try:
        model = network("mobilenet_v2", "MobileNetV2")(
            alpha=0.35, weights=None, classes=5, input_shape=(3, 64, 96)
        )
        features = model.get_layer("out_relu").output
        assert tuple(features.shape) == (None, 1280, 2, 3)
        assert channels_of(features) == 1280
        small = network("mobilenet", "MobileNet")(
            alpha=0.25, weights=None, classes=5, input_shape=(3, 64, 64)
        )
        assert small.output_shape == (None, 5)
    finally:
        backend.set_image_data_format("channels_last")
    assert [w.shape for w in model.weights] == [w.shape for w in last.weights]


@pytest.mark.parametrize("name", applications.__all__)
def test_networks_and_their_helpers_are_where_keras_has_them(name):
    function = getattr(applications, name)
    module = getattr(applications, function.__module__.rpartition(".")[2])
    assert getattr(module, name) is function
    assert {"decode_predictions", "preprocess_input", name} <= set(module.__all__)
    assert "Args:" in function.__doc__
    assert "arXiv" in function.__doc__


def test_older_name_of_mobilenet_v2():
    assert applications.mobilenetv2.MobileNetV2 is applications.MobileNetV2


def test_unknown_network():
    with pytest.raises(AttributeError, match=r"has no 'VGG17'; it has .*VGG16"):
        applications.VGG17  # noqa: B018
