"""What all networks do alike: arguments, inputs, weights, and what they say of wrong ones."""

from __future__ import annotations

import hashlib

import h5py
import numpy as np
import pytest
import tensorflow as tf

from nbkeras.core import applications, backend, layers, models
from nbkeras.core.applications import frame, mobilenet, nasnet
from nbkeras.core.applications.mobilenet import MobileNet

SMALL = {"alpha": 0.25, "weights": None}
FEATURES = {**SMALL, "include_top": False}


@pytest.fixture(autouse=True)
def _no_network(monkeypatch):
    """Nothing asks the network; what would be downloaded is told."""

    def refuse(name, address, **_):
        raise AssertionError(f"asked for {address}")

    monkeypatch.setattr(frame, "get_file", refuse)


# ---------------------------------------------------------------- inputs


def test_an_input_tensor_is_built_on():
    x = layers.Input((64, 64, 3))
    model = MobileNet(**SMALL, input_tensor=x, classes=3)
    assert model.input is x
    assert model.name == "mobilenet_0.25_64"
    assert model.output_shape == (None, 3)


def test_what_is_before_an_input_tensor_belongs_to_the_model():
    x = layers.Input((64, 64, 1))
    model = MobileNet(**FEATURES, input_tensor=layers.Conv2D(3, 1, name="coloured")(x))
    assert model.input is x
    assert [layer.name for layer in model.layers[1:3]] == ["coloured", "conv1_pad"]


def test_a_tensor_with_values_is_wrapped():
    pictures = tf.random.stateless_uniform((2, 32, 32, 3), (1, 2))
    model = MobileNet(**FEATURES, input_tensor=pictures, pooling="avg")
    padded = backend.function([], [model.get_layer("conv1_pad").output])([])[0]
    np.testing.assert_array_equal(padded[:, :32, :32], pictures)
    assert model.output_shape == (2, 256)


def test_an_input_tensor_and_its_shape_may_both_be_given():
    x = layers.Input((None, 64, 3))
    model = MobileNet(**FEATURES, input_tensor=x, input_shape=(64, 64, 3))
    assert model.input_shape == (None, None, 64, 3)


def test_keywords_of_keras_applications_are_taken():
    model = MobileNet(
        **FEATURES, backend=backend, layers=layers, models=models, utils=None, pooling="max"
    )
    assert model.output_shape == (None, 256)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"input_shape": (31, 64, 3)}, r"at least 32 .*input_shape=\(32, 32, 3\).*got \(31, 64, 3"),
        ({"input_shape": (3, 64, 64)}, r"at least 32 .*got \(3, 64, 64\), with channels last"),
        ({"input_shape": (64, 64)}, r"three sizes.*as in MobileNet\(.*got \(64, 64\)"),
        ({"input_shape": 64}, r"three sizes.*as in MobileNet\(.*got 64"),
        ({"input_shape": (64.5, 64, 3)}, r"three sizes.*got \(64.5, 64, 3\)"),
        ({"input_shape": (64, "x", 3)}, r"three sizes.*got \(64, 'x', 3\)"),
        (
            {"input_shape": (None, 64, 3), "include_top": True},
            r"needs all sizes.*input_shape=\(224, 224, 3\).*got \(None, 64, 3\)",
        ),
        ({"input_tensor": "x"}, r"input_tensor is a tensor.*Input\(\(256, 256, 3\)\).*got 'x'"),
        ({"pooling": "mean"}, r"pooling is None, 'avg' or 'max'.*pooling='avg'.*got 'mean'"),
        ({"classes": 0}, r"classes is .*classes=10.*got 0"),
        ({"classes": True}, r"classes is .*got True"),
        ({"alpha": 0}, r"alpha is a number above 0.*alpha=0.5.*got 0"),
        ({"weights": "missing.h5"}, r"no file 'missing.h5'. Write MobileNet\(weights=None\)"),
        ({"weights": 3}, r"weights is None, 'imagenet', or the path .*no file 3"),
        ({"weights": "."}, r"no file '\.'"),
        (
            {"weights": "imagenet", "include_top": True, "classes": 10},
            r"tell 1000 classes; got classes=10. Write MobileNet\(weights=None, classes=10\)",
        ),
        (
            {"weights": "imagenet", "include_top": True, "input_shape": (96, 96, 3)},
            r"take pictures of shape \(224, 224, 3\); got \(96, 96, 3\).*include_top=False",
        ),
        ({"weights": "imagenet", "input_shape": (96, 96, 1)}, r"of 3 channels; got \(96, 96, 1\)"),
        ({"weights": "imagenet", "alpha": 0.3}, r"alpha 0.25, .*got 0.3. Write .*weights=None"),
        ({"weights": "imagenet", "depth_multiplier": 2}, r"depth_multiplier=1; got 2. Write"),
    ],
)
def test_wrong_arguments(arguments, message):
    with pytest.raises(ValueError, match=r"(?s)MobileNet.*" + message):
        MobileNet(**{**FEATURES, **arguments})


def test_an_input_tensor_that_holds_no_pictures():
    with pytest.raises(ValueError, match=r"batch of pictures.*got shape \(None, 64, 64\)"):
        MobileNet(**FEATURES, input_tensor=layers.Input((64, 64)))


def test_an_input_tensor_of_another_shape_than_said():
    with pytest.raises(ValueError, match=r"input_tensor has the shape .*One of them is enough"):
        MobileNet(**FEATURES, input_tensor=layers.Input((64, 64, 3)), input_shape=(32, 32, 3))


def test_unknown_keywords():
    with pytest.raises(TypeError, match="MobileNet has no argument 'dropuot'"):
        MobileNet(**SMALL, dropuot=0.5)


def test_a_flattened_top_keeps_its_size():
    """Pooling takes pictures of any size (manual, 13.2.5), VGG's dense layers do not."""
    x = layers.Input((64, 64, 3))
    with pytest.raises(ValueError, match=r"VGG16.*shape \(224, 224, 3\); got \(64, 64, 3\)"):
        applications.VGG16(input_tensor=x)
    with pytest.raises(AssertionError, match=r"asked for .*inception_v3_weights"):
        applications.InceptionV3(input_tensor=layers.Input((224, 224, 3)))


def test_nasnet_needs_to_know_its_size():
    with pytest.raises(ValueError, match=r"NASNetMobile needs all sizes.*got \(None, 64, 3\)"):
        applications.NASNetMobile(weights=None, include_top=False, input_shape=(None, 64, 3))


# ---------------------------------------------------------------- weights

FILES = {
    "DenseNet201": "densenet/densenet201_weights_tf_dim_ordering_tf_kernels{}.h5",
    "InceptionResNetV2": "v0.7/inception_resnet_v2_weights_tf_dim_ordering_tf_kernels{}.h5",
    "ResNet50": "v0.2/resnet50_weights_tf_dim_ordering_tf_kernels{}.h5",
    "ResNet101V2": "resnet/resnet101v2_weights_tf_dim_ordering_tf_kernels{}.h5",
    "VGG19": "v0.1/vgg19_weights_tf_dim_ordering_tf_kernels{}.h5",
    "Xception": "v0.4/xception_weights_tf_dim_ordering_tf_kernels{}.h5",
}


@pytest.mark.parametrize("name", FILES)
def test_the_published_files_are_asked_for(name):
    for top, ending in ((True, ""), (False, "_notop")):
        expected = FILES[name].format(ending).replace(".", r"\.")
        with pytest.raises(AssertionError, match=f"asked for https://github.com/.*/{expected}$"):
            getattr(applications, name)(include_top=top)


@pytest.mark.parametrize(
    ("shape", "alpha", "ending"),
    [
        (None, 1.0, "mobilenet_1_0_224_tf_no_top.h5"),
        ((160, 160, 3), 0.25, "mobilenet_2_5_160_tf_no_top.h5"),
        ((160, 128, 3), 0.75, "mobilenet_7_5_224_tf_no_top.h5"),
    ],
)
def test_mobilenet_has_a_file_for_each_width_and_size(shape, alpha, ending):
    with pytest.raises(AssertionError, match=f"{ending}$"):
        MobileNet(include_top=False, input_shape=shape, alpha=alpha)


def test_mobilenet_v2_has_a_file_for_each_width_and_size():
    with pytest.raises(AssertionError, match=r"mobilenet_v2_weights_.*_kernels_1.0_96.h5$"):
        applications.MobileNetV2(input_tensor=layers.Input((96, 96, 3)), alpha=1)


def test_every_checksum_is_one(monkeypatch):
    """Of MobileNet's files none are published; all others are 32 hexadecimal digits, and differ."""
    digests = []

    def note(name, address, file_hash, **_):
        digests.append(file_hash)
        raise AssertionError

    monkeypatch.setattr(frame, "get_file", note)
    for name in applications.__all__:
        for top in (True, False):
            with pytest.raises(AssertionError):
                getattr(applications, name)(include_top=top)
    known = [digest for digest in digests if digest]
    assert len(digests) - len(known) == 4
    assert len(set(known)) == len(known)
    assert all(len(digest) == 32 and int(digest, 16) for digest in known)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A small network, and a folder with its weights as they would be published."""
    folder = tmp_path_factory.mktemp("published")
    model = MobileNet(**FEATURES, input_shape=(32, 32, 3))
    rng = np.random.default_rng(0)
    model.set_weights([rng.uniform(0.5, 1.0, w.shape) for w in model.weights])
    model.save_weights(folder / "mobilenet_2_5_224_tf_no_top.h5")
    return folder, model


@pytest.mark.parametrize("kind", [str, lambda path: path])
def test_weights_from_a_path(weights, kind):
    folder, model = weights
    path = kind(folder / "mobilenet_2_5_224_tf_no_top.h5")
    again = MobileNet(**{**FEATURES, "weights": path}, input_shape=(64, 64, 3), pooling="avg")
    for ours, theirs in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_file_that_does_not_say_who_wrote_it(weights, tmp_path):
    """As the oldest of the published files, with names of Keras 1."""
    _, model = weights
    with h5py.File(tmp_path / "old.h5", "w") as file:
        file.attrs["layer_names"] = np.array([layer.name for layer in model.layers], "S")
        for layer in model.layers:
            group = file.create_group(layer.name)
            names = [f"{layer.name}_W_{number}:0" for number in range(len(layer.weights))]
            group.attrs["weight_names"] = np.array(names, "S")
            for name, array in zip(names, layer.get_weights(), strict=True):
                group[name] = array
    again = MobileNet(**{**FEATURES, "weights": tmp_path / "old.h5"}, pooling="max")
    for ours, theirs in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_weights_of_another_network(weights):
    folder, _ = weights
    path = folder / "mobilenet_2_5_224_tf_no_top.h5"
    with pytest.raises(ValueError, match=r"does not fit the model(.|\n)*conv1: conv1/kernel"):
        MobileNet(alpha=0.5, weights=path, include_top=False)


@pytest.fixture
def published(server, weights, monkeypatch, tmp_path):
    """The address of the weights on a server of the test's own, with an empty cache here."""
    monkeypatch.undo()
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "cache"))
    server.files = {f"/{file.name}": file.read_bytes() for file in weights[0].iterdir()}
    return f"{server.root}/"


def test_published_weights_are_downloaded_once(weights, published, monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(mobilenet, "FOLDER", published)
    for _ in range(2):
        again = MobileNet(alpha=0.25, include_top=False)
    assert capsys.readouterr().out.count("Downloading") == 1
    assert (tmp_path / "cache/models/mobilenet_2_5_224_tf_no_top.h5").is_file()
    for ours, theirs in zip(again.get_weights(), weights[1].get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_a_file_with_another_checksum_is_refused(weights, published, monkeypatch, tmp_path):
    name = "mobilenet_2_5_224_tf_no_top.h5"
    content = (weights[0] / name).read_bytes()
    assert hashlib.md5(content).hexdigest() != nasnet.MOBILE.files.notop.digest
    there = nasnet.MOBILE.files.notop._replace(address=published + name)
    files = nasnet.MOBILE.files._replace(notop=there)
    monkeypatch.setattr(nasnet, "MOBILE", nasnet.MOBILE._replace(files=files))
    with pytest.raises(ValueError, match="not the file that was expected"):
        applications.NASNetMobile(include_top=False)
    assert not list((tmp_path / "cache/models").glob("*.h5"))


def test_a_file_that_is_not_there(published, monkeypatch):
    monkeypatch.setattr(mobilenet, "FOLDER", published)
    with pytest.raises(OSError, match=r"mobilenet_5_0_224_tf.h5 cannot be downloaded: .*by hand"):
        MobileNet(alpha=0.5)


# ---------------------------------------------------------------- use


@pytest.mark.slow
def test_fine_tuning(tmp_path):
    """The manual's chapter 13.2.4: new layers first, then those at the end of the network."""
    base = MobileNet(**FEATURES, input_shape=(32, 32, 3))
    rng = np.random.default_rng(0)
    for weight in base.weights:  # so that the features are not as small as untrained ones
        if "kernel" in weight.name:
            inputs = 9 if "depthwise" in weight.name else np.prod(weight.shape[:-1])
            weight.assign(rng.normal(0, np.sqrt(2 / inputs), weight.shape))
    x = layers.GlobalAveragePooling2D()(base.output)
    model = models.Model(base.input, layers.Dense(2, activation="softmax", name="new")(x))
    for layer in base.layers:
        layer.trainable = False
    model.compile("sgd", "categorical_crossentropy")
    x, y = rng.normal(size=(4, 32, 32, 3)).astype("float32"), np.eye(2)[[0, 1, 1, 1]]
    before = [layer.get_weights() for layer in model.layers]
    model.fit(x, y, verbose=0)
    assert changed(model, before) == ["new"]
    for layer in base.layers[-3:]:
        layer.trainable = True
    model.compile("sgd", "categorical_crossentropy")
    before = [layer.get_weights() for layer in model.layers]
    model.fit(x, y, verbose=0)
    assert changed(model, before) == ["conv_pw_13", "conv_pw_13_bn", "new"]
    model.save(tmp_path / "model.h5")
    again = models.load_model(tmp_path / "model.h5")
    np.testing.assert_allclose(again.predict(x), model.predict(x), rtol=1e-5)


def changed(model, before):
    """The layers whose weights are others than before."""
    return [
        layer.name
        for layer, old in zip(model.layers, before, strict=True)
        if any(not np.array_equal(a, b) for a, b in zip(layer.get_weights(), old, strict=True))
    ]
