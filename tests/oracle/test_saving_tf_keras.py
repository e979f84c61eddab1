"""Files of tf_keras load here, files of ours load there: equal predictions, equal training."""

import json

import h5py
import numpy as np
import pytest
import tf_keras

from nbkeras.core import layers, models, optimizers
from nbkeras.core.engine.saving import conversions

STEPS = 5
TOLERANCE = {"rtol": 1e-5, "atol": 1e-6}


def picture_data(classes=3):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(24, 8, 8, 2)).astype("float32")
    return x, np.eye(classes, dtype="float32")[rng.integers(0, classes, len(x))]


def vector_data(classes=3):
    x, y = picture_data(classes)
    return x[:, 0, :3, 0], y


def perceptron(library):
    names = library.layers
    return library.models.Sequential(
        [
            names.Dense(
                5,
                activation="relu",
                input_shape=(3,),
                kernel_regularizer=_regularizers(library).l1_l2(0.01, 0.02),
                kernel_initializer="he_normal",
                bias_constraint="non_neg",
            ),
            names.Dropout(0.0),
            names.Dense(4, use_bias=False, activation="tanh"),
            names.Reshape((2, 2)),
            names.Flatten(),
            names.Dense(3, name="scores"),
            names.Activation("softmax"),
        ]
    )


def convolutional(library):
    names = library.layers
    x = names.Input((8, 8, 2), name="picture")
    y = names.Conv2D(4, 3, activation="relu")(x)
    y = names.MaxPooling2D()(y)
    y = names.BatchNormalization()(y)
    inner = library.models.Sequential(
        [names.Conv2D(3, (2, 2), strides=2, padding="same", input_shape=(3, 3, 4))], name="inner"
    )
    y = names.Flatten()(inner(y))
    return library.models.Model(x, names.Dense(3, activation="softmax")(y))


def several(library):
    """Two inputs, two outputs, a layer that is used twice, a model within."""
    names = library.layers
    first, second = names.Input((3,), name="first"), names.Input((3,), name="second")
    shared = library.models.Sequential([names.Dense(4, input_shape=(3,))], name="shared")
    a, b = shared(first), shared(second)
    return library.models.Model(
        [first, second],
        [
            names.Dense(3, activation="softmax", name="left")(a),
            names.Dense(3, activation="softmax", name="right")(b),
        ],
    )


class Ours:
    layers, models = layers, models


class Theirs:
    layers, models = tf_keras.layers, tf_keras.models


def _regularizers(library):
    from nbkeras.core import regularizers

    return regularizers if library is Ours else tf_keras.regularizers


def data_of(make):
    if make is several:
        x, y = vector_data()
        return [x, x[::-1]], [y, y]
    return picture_data() if make is convolutional else vector_data()


def train(model, x, y, steps=STEPS):
    for _ in range(steps):
        model.train_on_batch(x, y)


def same(ours, theirs, x):
    for a, b in zip(_list(ours.predict(x, verbose=0)), _list(theirs.predict(x, verbose=0)),
                    strict=True):  # fmt: skip
        np.testing.assert_allclose(a, b, **TOLERANCE)


def same_weights(ours, theirs):
    """In the order of layers; within a layer both have the same order."""
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, **TOLERANCE)


def _list(value):
    return value if isinstance(value, list) else [value]


MODELS = [perceptron, convolutional, several]

# (how tf_keras is asked for it, how we are)
OPTIMIZERS = {
    "sgd": (lambda: tf_keras.optimizers.SGD(0.05), lambda: optimizers.SGD(0.05)),
    "momentum": (
        lambda: tf_keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
        lambda: optimizers.SGD(0.05, momentum=0.9, nesterov=True),
    ),
    "adam": (lambda: tf_keras.optimizers.Adam(0.01), lambda: optimizers.Adam(0.01)),
    "amsgrad": (
        lambda: tf_keras.optimizers.Adam(0.01, amsgrad=True),
        lambda: optimizers.Adam(0.01, amsgrad=True),
    ),
    "legacy sgd with decay": (
        lambda: tf_keras.optimizers.legacy.SGD(0.05, momentum=0.5, decay=0.1),
        lambda: optimizers.SGD(0.05, momentum=0.5, decay=0.1),
    ),
    "legacy adam": (
        lambda: tf_keras.optimizers.legacy.Adam(0.01, decay=0.1),
        lambda: optimizers.Adam(0.01, decay=0.1),
    ),
    "legacy rmsprop": (
        lambda: tf_keras.optimizers.legacy.RMSprop(0.01),
        lambda: optimizers.RMSprop(0.01),
    ),
    "legacy adagrad": (
        lambda: tf_keras.optimizers.legacy.Adagrad(0.01, initial_accumulator_value=0.0),
        lambda: optimizers.Adagrad(0.01),
    ),
    "legacy adadelta": (
        lambda: tf_keras.optimizers.legacy.Adadelta(1.0),
        lambda: optimizers.Adadelta(1.0),
    ),
    "legacy adamax": (
        lambda: tf_keras.optimizers.legacy.Adamax(0.01),
        lambda: optimizers.Adamax(0.01),
    ),
    "legacy nadam": (
        lambda: tf_keras.optimizers.legacy.Nadam(0.01),
        lambda: optimizers.Nadam(0.01),
    ),
}


# ---------------------------------------------------------------- theirs, here


@pytest.mark.parametrize("make", MODELS)
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5")
def test_a_model_of_tf_keras_loads_and_trains_on(tmp_path, make):
    x, y = data_of(make)
    theirs = make(Theirs)
    theirs.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    train(theirs, x, y)
    theirs.save(tmp_path / "m.h5")
    ours = models.load_model(tmp_path / "m.h5")
    same(ours, theirs, x)
    mine = ours.evaluate(x, y, verbose=0)
    np.testing.assert_allclose(mine, theirs.evaluate(x, y, verbose=0), **TOLERANCE)
    train(ours, x, y)
    train(theirs, x, y)
    same(ours, theirs, x)


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5")
def test_an_optimizer_of_tf_keras_goes_on(tmp_path, recwarn, name):
    x, y = vector_data()
    theirs = perceptron(Theirs)
    theirs.compile(OPTIMIZERS[name][0](), "categorical_crossentropy")
    train(theirs, x, y)
    theirs.save(tmp_path / "m.h5")
    recwarn.clear()
    ours = models.load_model(tmp_path / "m.h5")
    assert not [w for w in recwarn if "starts anew" in str(w.message)]
    assert int(ours.optimizer.iterations) == STEPS
    train(ours, x, y)
    train(theirs, x, y)
    same_weights(ours, theirs)


@pytest.mark.parametrize("make", MODELS)
def test_weights_of_tf_keras_load_in_order_and_by_name(tmp_path, make):
    x, _ = data_of(make)
    theirs = make(Theirs)
    theirs.save_weights(tmp_path / "w.h5")
    ours = make(Ours)
    ours.load_weights(tmp_path / "w.h5")
    same(ours, theirs, x)


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5")
@pytest.mark.parametrize("frozen_there", [False, True])
@pytest.mark.parametrize("frozen_here", [False, True])
def test_frozen_nested_models(tmp_path, frozen_there, frozen_here):
    """tf_keras orders the weights of a nested model by what is frozen."""

    def make(library):
        names = library.layers
        inner = library.models.Sequential(
            [names.Dense(4, input_shape=(3,)), names.BatchNormalization(), names.Dense(4)],
            name="inner",
        )
        return library.models.Sequential([inner, names.Dense(2)])

    x, _ = vector_data()
    theirs, ours = make(Theirs), make(Ours)
    theirs.set_weights([np.random.rand(*w.shape) for w in theirs.get_weights()])
    theirs.layers[0].trainable = not frozen_there
    ours.layers[0].trainable = not frozen_here
    theirs.save_weights(tmp_path / "w.h5")
    ours.load_weights(tmp_path / "w.h5")
    same(ours, theirs, x)
    theirs.save(tmp_path / "m.h5")
    same(models.load_model(tmp_path / "m.h5", compile=False), theirs, x)


@pytest.mark.filterwarnings("ignore:You are saving your model as an HDF5")
def test_losses_and_metrics_in_every_form(tmp_path):
    x, y = vector_data()
    theirs = perceptron(Theirs)
    theirs.compile(
        tf_keras.optimizers.RMSprop(0.01),
        tf_keras.losses.CategoricalCrossentropy(label_smoothing=0.1),
        metrics=["mae", tf_keras.metrics.CategoricalAccuracy(), "mse"],
        loss_weights=[0.5],
    )
    train(theirs, x, y, 2)
    theirs.save(tmp_path / "m.h5")
    ours = models.load_model(tmp_path / "m.h5")
    np.testing.assert_allclose(
        ours.evaluate(x, y, verbose=0), theirs.evaluate(x, y, verbose=0), **TOLERANCE
    )


def test_json_and_yaml_of_tf_keras():
    for make in MODELS:
        theirs = make(Theirs)
        ours = models.model_from_json(theirs.to_json())
        shapes = [w.shape for w in theirs.get_weights()]
        assert [w.shape for w in ours.get_weights()] == shapes
        theirs_again = tf_keras.models.model_from_json(make(Ours).to_json())
        assert [w.shape for w in theirs_again.get_weights()] == shapes


# ---------------------------------------------------------------- ours, there


@pytest.mark.parametrize("make", MODELS)
def test_our_model_loads_in_tf_keras_and_trains_on(tmp_path, make):
    x, y = data_of(make)
    ours = make(Ours)
    ours.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    train(ours, x, y)
    ours.save(tmp_path / "m.h5")
    theirs = tf_keras.models.load_model(tmp_path / "m.h5")
    same(ours, theirs, x)
    train(ours, x, y)
    train(theirs, x, y)
    same(ours, theirs, x)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_our_optimizer_goes_on_in_tf_keras(tmp_path, name):
    x, y = vector_data()
    ours = perceptron(Ours)
    ours.compile(OPTIMIZERS[name][1](), "categorical_crossentropy")
    train(ours, x, y)
    ours.save(tmp_path / "m.h5")
    theirs = tf_keras.models.load_model(tmp_path / "m.h5")
    assert int(theirs.optimizer.iterations) == STEPS
    train(ours, x, y)
    train(theirs, x, y)
    same_weights(ours, theirs)


@pytest.mark.parametrize("make", MODELS)
def test_our_weights_load_in_tf_keras(tmp_path, make):
    x, _ = data_of(make)
    ours = make(Ours)
    ours.save_weights(tmp_path / "w.h5")
    theirs = make(Theirs)
    theirs.load_weights(tmp_path / "w.h5")
    same(ours, theirs, x)


def test_the_layout_is_that_of_tf_keras(tmp_path):
    """The same groups, data sets and lists of names, apart from what only one of the two writes."""
    for library, name in ((Ours, "ours.h5"), (Theirs, "theirs.h5")):
        model = several(library)
        model.layers[2].layers[0]._name = "dense"
        model.save_weights(tmp_path / name)
    found = {}
    for name in ("ours.h5", "theirs.h5"):
        with h5py.File(tmp_path / name) as file:
            places = []
            file.visit(places.append)
            found[name] = {
                "/".join(p.split("/")[:2])
                for p in places
                if not p.startswith("top_level_model_weights")
            }
            names = [n if isinstance(n, str) else n.decode() for n in file.attrs["layer_names"]]
            found[name + " layers"] = names
    assert found["ours.h5 layers"] == found["theirs.h5 layers"]
    assert {p.split("/")[0] for p in found["ours.h5"]} == {
        p.split("/")[0] for p in found["theirs.h5"]
    }


def test_two_thousand_layers_with_long_names(tmp_path):
    names = [f"{'a_name_that_goes_on_':_<58}{i:06d}" for i in range(2000)]

    def make(library):
        x = library.layers.Input((2,))
        y = library.layers.Dense(2, name="first")(x)
        # Beside each other: tf_keras cannot follow a chain of 2,000 layers.
        return library.models.Model(
            x, [library.layers.Activation("linear", name=name)(y) for name in names]
        )

    ours, theirs = make(Ours), make(Theirs)
    ours.save_weights(tmp_path / "w.h5")
    theirs.load_weights(tmp_path / "w.h5")
    same_weights(ours, theirs)
    theirs.save_weights(tmp_path / "t.h5")
    ours.set_weights([np.zeros_like(w) for w in ours.get_weights()])
    ours.load_weights(tmp_path / "t.h5")
    same_weights(ours, theirs)


def test_json_is_valid_json_of_keras_2():
    document = json.loads(several(Ours).to_json())
    assert set(document) == {"class_name", "config", "keras_version", "backend"}
    inbound = {d["name"]: d["inbound_nodes"] for d in document["config"]["layers"]}
    # Keras 2 counts the making of a nested model as its call 0.
    assert [node[0][:3] for node in inbound["left"] + inbound["right"]] == [
        ["shared", 1, 0],
        ["shared", 2, 0],
    ]


# ---------------------------------------------------------------- conversions


class Stub:
    """A layer as conversions see it: a class name, settings and weights of some shapes."""

    def __new__(cls, class_name, shapes=(), **settings):
        stub = object.__new__(type(class_name, (), {}))
        vars(stub).update(settings)
        stub.weights = [np.zeros(shape) for shape in shapes]
        stub.trainable_weights, stub.non_trainable_weights = stub.weights, []
        return stub


def _theirs(layer, arrays, version, backend="tensorflow"):
    from tf_keras.src.saving.legacy import hdf5_format

    return hdf5_format.preprocess_weights_for_loading(layer, list(arrays), version, backend)


def _random(*shapes):
    rng = np.random.default_rng(0)
    return [rng.normal(size=shape) for shape in shapes]


UNITS, WIDTH = 3, 2
RECURRENT = {
    "LSTM": [(WIDTH, 4 * UNITS), (UNITS, 4 * UNITS), (4 * UNITS,)],
    "CuDNNLSTM": [(WIDTH, 4 * UNITS), (UNITS, 4 * UNITS), (8 * UNITS,)],
    "GRU": [(WIDTH, 3 * UNITS), (UNITS, 3 * UNITS), (2, 3 * UNITS)],
    "CuDNNGRU": [(WIDTH, 3 * UNITS), (UNITS, 3 * UNITS), (6 * UNITS,)],
}


@pytest.mark.parametrize(
    ("source", "target"),
    [("LSTM", "CuDNNLSTM"), ("CuDNNLSTM", "LSTM"), ("GRU", "CuDNNGRU"), ("CuDNNGRU", "GRU"),
     ("LSTM", "LSTM"), ("GRU", "GRU"), ("CuDNNGRU", "CuDNNGRU")],
)  # fmt: skip
def test_cudnn_and_plain_recurrent_layers(source, target):
    arrays = _random(*RECURRENT[source])
    ours = conversions.convert(
        Stub(target, RECURRENT[target]), arrays, conversions.Origin("2.2.4", "tensorflow")
    )
    stub = Stub(target, RECURRENT[target], reset_after=True)
    theirs = _theirs(stub, arrays, "2.2.4")
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(("class_name", "gates"), [("LSTM", 4), ("GRU", 3)])
def test_gates_of_keras_1(class_name, gates):
    arrays = _random(*[(WIDTH, UNITS), (UNITS, UNITS), (UNITS,)] * gates)
    shapes = [(WIDTH, gates * UNITS), (UNITS, gates * UNITS), (gates * UNITS,)]
    stub = Stub(class_name, shapes, reset_after=False)
    ours = conversions.convert(stub, arrays, conversions.Origin("1", None))
    for a, b in zip(ours, _theirs(stub, arrays, "1"), strict=True):
        np.testing.assert_array_equal(a, b)


KERAS_1 = {
    "Conv1D": ((5, 1, 2, 4), (5, 2, 4), {"kernel_size": (5,), "filters": 4}),
    "Conv1D of 1.1": ((4, 2, 5, 1), (5, 2, 4), {"kernel_size": (5,), "filters": 4}),
    "Conv2D": ((4, 2, 5, 6), (5, 6, 2, 4), {"data_format": "channels_first"}),
    "Conv2D last": ((5, 6, 2, 4), (5, 6, 2, 4), {"data_format": "channels_last"}),
    "Conv2DTranspose": ((5, 6, 2, 4), (5, 6, 4, 2), {"data_format": "channels_last"}),
    "Conv2DTranspose first": ((4, 2, 5, 6), (5, 6, 4, 2), {"data_format": "channels_first"}),
    "Conv3D": ((4, 2, 5, 6, 7), (5, 6, 7, 2, 4), {"data_format": "channels_first"}),
}


@pytest.mark.parametrize("name", KERAS_1)
def test_kernels_of_keras_1(name):
    stored, expected, settings = KERAS_1[name]
    arrays = _random(stored, (4,))
    stub = Stub(name.split()[0], [expected, (4,)], **settings)
    stub.weights = [tf_keras.backend.variable(w) for w in stub.weights]
    ours = conversions.convert(stub, arrays, conversions.Origin("1", "tensorflow"))
    assert ours[0].shape == expected
    for a, b in zip(ours, _theirs(stub, arrays, "1"), strict=True):
        np.testing.assert_array_equal(a, b)


def test_theano_turned_kernels_around():
    kernel, bias = _random((3, 2, 1, 4), (4,))
    stub = Stub("Conv2D", [kernel.shape, bias.shape], data_format="channels_last")
    ours = conversions.convert(stub, [kernel, bias], conversions.Origin("2.1.0", "theano"))
    np.testing.assert_array_equal(ours[0], kernel[::-1, ::-1])
    np.testing.assert_array_equal(ours[1], bias)
