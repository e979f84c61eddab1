"""Pictures in, names out: beside keras-applications 1.0.8."""

from __future__ import annotations

import hashlib
import json
import pickle

import numpy as np
import pytest
import tensorflow as tf
from keras_applications import imagenet_utils as reference

from nbkeras.core import applications, backend, layers, models
from nbkeras.core.applications import imagenet_utils
from nbkeras.core.applications.imagenet_utils import decode_predictions, preprocess_input
from nbkeras.core.preprocessing.image import ImageDataGenerator

MODES = ["caffe", "tf", "torch"]
LAYOUTS = ["channels_last", "channels_first"]


def pictures(layout, rank=4, dtype="float32"):
    shape = [2, 4, 5, 3] if layout == "channels_last" else [2, 3, 4, 5]
    return np.random.default_rng(0).integers(0, 256, shape[4 - rank :]).astype(dtype)


def expected(x, layout, mode):
    return reference.preprocess_input(x.copy(), data_format=layout, mode=mode, backend=backend)


@pytest.mark.parametrize("dtype", ["uint8", "int64", "float16", "float32", "float64"])
@pytest.mark.parametrize("rank", [3, 4])
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("mode", MODES)
def test_arrays(mode, layout, rank, dtype):
    x = pictures(layout, rank, dtype)
    before = x.copy()
    found = preprocess_input(x, layout, mode)
    wanted = expected(x, layout, mode)
    assert found.dtype == wanted.dtype
    tolerance = 2e-2 if dtype == "float16" else 1e-5
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance)
    np.testing.assert_array_equal(x, before)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("mode", MODES)
def test_tensors_and_symbolic_tensors(mode, layout):
    x = pictures(layout)
    wanted = expected(x, layout, mode)
    close = {"rtol": 1e-5, "atol": 1e-5}
    np.testing.assert_allclose(preprocess_input(tf.constant(x), layout, mode), wanted, **close)
    whole = tf.constant(x.astype("uint8"))
    np.testing.assert_allclose(preprocess_input(whole, layout, mode), wanted, **close)
    symbol = layers.Input(x.shape[1:])
    model = models.Model(symbol, preprocess_input(symbol, layout, mode))
    np.testing.assert_allclose(model.predict(x), wanted, **close)


def test_lists_and_the_usual_layout():
    x = pictures("channels_first")
    backend.set_image_data_format("channels_first")
    try:
        found = preprocess_input(x.tolist())
    finally:
        backend.set_image_data_format("channels_last")
    np.testing.assert_allclose(found, expected(x, "channels_first", "caffe"), rtol=1e-5)


MODE_OF = {
    "caffe": ["resnet", "resnet50", "vgg16", "vgg19"],
    "tf": [
        *("inception_resnet_v2", "inception_v3", "mobilenet", "mobilenet_v2"),
        *("nasnet", "resnet_v2", "xception"),
    ],
    "torch": ["densenet"],
}


@pytest.mark.parametrize(
    ("mode", "module"), [(m, n) for m, names in MODE_OF.items() for n in names]
)
def test_each_network_has_its_mode(mode, module):
    function = getattr(applications, module).preprocess_input
    x = pictures("channels_first")
    found = function(x, data_format="channels_first", backend=None, utils=None)
    np.testing.assert_allclose(found, expected(x, "channels_first", mode), rtol=1e-5, atol=1e-5)
    assert pickle.loads(pickle.dumps(function)) is function


def test_as_a_layer_and_in_a_generator():
    x = pictures("channels_last")
    wanted = expected(x, "channels_last", "caffe")
    symbol = layers.Input(x.shape[1:])
    function = applications.vgg16.preprocess_input
    model = models.Model(symbol, layers.Lambda(function)(symbol))
    np.testing.assert_allclose(model.predict(x), wanted, rtol=1e-5, atol=1e-5)
    batches = ImageDataGenerator(preprocessing_function=function).flow(x, shuffle=False)
    np.testing.assert_allclose(batches[0], wanted, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"mode": "bgr"}, ValueError, r"mode is 'caffe', 'tf' or 'torch'; got 'bgr'. .*vgg16"),
        ({"data_format": "last"}, ValueError, r"channels_last.*got 'last'"),
        ({"data_format": "channels_first"}, ValueError, r"got shape \(2, 4, 5, 3\).*channels_last"),
        ({"x": np.zeros((4, 5))}, ValueError, r"\(rows, columns, 3\).*got shape \(4, 5\)"),
        ({"x": np.zeros((4, 5, 4))}, ValueError, r"got shape \(4, 5, 4\)"),
        ({"format": "RGB"}, TypeError, r"preprocess_input has no argument 'format'"),
    ],
)
def test_wrong_arguments(arguments, error, message):
    with pytest.raises(error, match=message):
        preprocess_input(**{"x": pictures("channels_last"), **arguments})


# ---------------------------------------------------------------- names


@pytest.fixture
def class_index(monkeypatch, tmp_path):
    """A list of classes of the right format, at an address of the test's own."""
    table = {str(i): [f"n{i:08}", f"thing_{i}"] for i in range(1000)}
    content = json.dumps(table).encode()
    (tmp_path / "served.json").write_bytes(content)
    address = (tmp_path / "served.json").as_uri()
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(imagenet_utils, "CLASS_INDEX_PATH", address)
    monkeypatch.setattr(imagenet_utils, "CLASS_INDEX_HASH", hashlib.md5(content).hexdigest())
    monkeypatch.setattr(reference, "CLASS_INDEX", table)
    yield tmp_path / "cache/models/imagenet_class_index.json"
    imagenet_utils._index.pop(address, None)


@pytest.mark.parametrize("top", [1, 5, np.int64(3), 1000])
def test_decoded_predictions(class_index, top):
    predictions = np.random.default_rng(0).dirichlet(np.ones(1000), 3).astype("float32")
    wanted = reference.decode_predictions(predictions, top=top)
    assert decode_predictions(predictions, top=top) == wanted
    assert decode_predictions(tf.constant(predictions), top, utils=None) == wanted
    assert applications.vgg16.decode_predictions is decode_predictions
    assert class_index.is_file()


def test_the_list_of_classes_is_read_once(class_index, capsys):
    predictions = np.eye(1000)[:2]
    assert [row[0][1] for row in decode_predictions(predictions, top=1)] == ["thing_0", "thing_1"]
    class_index.unlink()
    assert decode_predictions(predictions)[1][0] == ("n00000001", "thing_1", 1.0)
    assert capsys.readouterr().out.count("Downloading") == 1


def test_a_list_with_another_checksum_is_refused(class_index, monkeypatch):
    monkeypatch.setattr(imagenet_utils, "CLASS_INDEX_HASH", "0" * 32)
    with pytest.raises(ValueError, match="not the file that was expected"):
        decode_predictions(np.eye(1000)[:1])


@pytest.mark.parametrize(
    ("predictions", "top", "message"),
    [
        (np.zeros((2, 10)), 5, r"\(samples, 1000\).*got shape \(2, 10\)"),
        (np.zeros(1000), 5, r"got shape \(1000,\)"),
        (np.zeros((1, 1000)), 0, r"top is .*top=5; got 0"),
        (np.zeros((1, 1000)), 2.0, r"top is .*got 2.0"),
    ],
)
def test_what_cannot_be_decoded(predictions, top, message):
    with pytest.raises(ValueError, match=message):
        decode_predictions(predictions, top=top)
