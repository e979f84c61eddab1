"""Files as Keras 2.0 to 2.3.1 wrote them, made by hand: no false alarm, and the numbers equal."""

import json

import h5py
import numpy as np
import pytest

from nbkeras.core.models import load_model

GLOROT = {
    "class_name": "VarianceScaling",
    "config": {"scale": 1.0, "mode": "fan_avg", "distribution": "uniform", "seed": None},
}
ZEROS = {"class_name": "Zeros", "config": {}}


def dense(name, units, activation, **more):
    return {
        "class_name": "Dense",
        "config": {
            "name": name,
            "trainable": True,
            "units": units,
            "activation": activation,
            "use_bias": True,
            "kernel_initializer": GLOROT,
            "bias_initializer": ZEROS,
            "kernel_regularizer": {
                "class_name": "L1L2",
                "config": {"l1": 0.0, "l2": 0.009999999776482582},
            },
            "bias_regularizer": None,
            "activity_regularizer": None,
            "kernel_constraint": None,
            "bias_constraint": None,
            **more,
        },
    }


LAYERS = [
    dense("dense_1", 4, "relu", batch_input_shape=[None, 3], dtype="float32"),
    {
        "class_name": "Dropout",
        "config": {
            "name": "dropout_1",
            "trainable": True,
            "rate": 0.5,
            "noise_shape": None,
            "seed": None,
        },
    },
    dense("dense_2", 2, "softmax"),
]


def sequential(version):
    """Until 2.2.2 the configuration of a Sequential was the list of its layers."""
    config = LAYERS if version < "2.2.3" else {"name": "sequential_1", "layers": LAYERS}
    return {"class_name": "Sequential", "config": config}


def functional(version):
    source = {
        "class_name": "InputLayer",
        "config": {
            "batch_input_shape": [None, 3],
            "dtype": "float32",
            "sparse": False,
            "name": "input_1",
        },
    }
    layers = [{**source, "name": "input_1", "inbound_nodes": []}]
    below = "input_1"
    for layer in LAYERS:
        name = layer["config"]["name"]
        layers.append({**layer, "name": name, "inbound_nodes": [[[below, 0, 0, {}]]]})
        below = name
    config = {
        "name": "model_1",
        "layers": layers,
        "input_layers": [["input_1", 0, 0]],
        "output_layers": [["dense_2", 0, 0]],
    }
    return {"class_name": "Model", "config": config}


RNG = np.random.default_rng(0)
WEIGHTS = {
    "dense_1/kernel:0": RNG.normal(size=(3, 4)).astype("f4"),
    "dense_1/bias:0": RNG.normal(size=4).astype("f4"),
    "dense_2/kernel:0": RNG.normal(size=(4, 2)).astype("f4"),
    "dense_2/bias:0": RNG.normal(size=2).astype("f4"),
}


def optimizer_arrays(name, version):
    shapes = [w.shape for w in WEIGHTS.values()]
    slots = {"SGD": 1, "Adam": 2, "RMSprop": 1, "Nadam": 2}[name]
    arrays = [np.full(shape, 0.5 + k, "f4") for k in range(slots) for shape in shapes]
    if name == "Adam" and version >= "2.1":
        arrays += [np.zeros(1, "f4")] * len(shapes)  # for amsgrad, which is off
    if name == "Nadam" and version >= "2.3":
        arrays.insert(0, np.array(0.9, "f4"))
    if name != "RMSprop" or version >= "2.3":
        arrays.insert(0, np.array(7, "i8"))
    return arrays


def write(path, make, version, optimizer):
    rate = {"lr": 0.125} if version < "2.3" else {"learning_rate": 0.125}
    extra = {
        "SGD": {"momentum": 0.9, "decay": 0.25, "nesterov": True},
        "Adam": {"beta_1": 0.75, "beta_2": 0.875, "decay": 0.0, "epsilon": 1e-7},
        "RMSprop": {"rho": 0.9, "decay": 0.0, "epsilon": 1e-7},
        "Nadam": {"beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7, "schedule_decay": 0.004},
    }[optimizer]
    training_config = {
        "optimizer_config": {"class_name": optimizer, "config": {**rate, **extra}},
        "loss": "categorical_crossentropy",
        "metrics": ["accuracy"],
        "sample_weight_mode": None,
        "loss_weights": None,
    }
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = version.encode()
        file.attrs["backend"] = b"tensorflow"
        file.attrs["model_config"] = json.dumps(make(version)).encode()
        file.attrs["training_config"] = json.dumps(training_config).encode()
        group = file.create_group("model_weights")
        names = ["dense_1", "dropout_1", "dense_2"]
        if make is functional:
            names.insert(0, "input_1")
        group.attrs["layer_names"] = [name.encode() for name in names]
        group.attrs["backend"] = b"tensorflow"
        group.attrs["keras_version"] = version.encode()
        for name in names:
            mine = [weight for weight in WEIGHTS if weight.startswith(name)]
            group.create_group(name).attrs["weight_names"] = [weight.encode() for weight in mine]
            for weight in mine:
                group[name].create_dataset(weight, data=WEIGHTS[weight])
        state = file.create_group("optimizer_weights")
        arrays = optimizer_arrays(optimizer, version)
        keys = [f"training/{optimizer}/Variable_{i}:0" for i in range(len(arrays))]
        state.attrs["weight_names"] = [key.encode() for key in keys]
        for key, array in zip(keys, arrays, strict=True):
            state.create_dataset(key, data=array)


@pytest.mark.parametrize("version", ["2.0.9", "2.1.6", "2.2.2", "2.2.4", "2.3.1"])
@pytest.mark.parametrize("make", [sequential, functional])
def test_structure_and_weights(tmp_path, make, version):
    write(tmp_path / "m.h5", make, version, "Adam")
    model = load_model(tmp_path / "m.h5")
    x = np.random.default_rng(1).normal(size=(5, 3)).astype("f4")
    k1, b1, k2, b2 = WEIGHTS.values()
    scores = np.maximum(x @ k1 + b1, 0) @ k2 + b2
    expected = np.exp(scores) / np.exp(scores).sum(-1, keepdims=True)
    np.testing.assert_allclose(model.predict(x), expected, rtol=1e-5)
    assert model.layers[-2].rate == pytest.approx(0.5)
    loss, accuracy = model.evaluate(x, np.eye(2)[[0, 1, 0, 1, 0]], verbose=0)
    picked = expected[np.arange(5), [0, 1, 0, 1, 0]]
    penalty = 0.01 * ((k1**2).sum() + (k2**2).sum())
    assert loss == pytest.approx(-np.log(picked).mean() + penalty, rel=1e-5)
    assert accuracy == pytest.approx((picked > 0.5).mean())


@pytest.mark.parametrize("version", ["2.0.9", "2.1.6", "2.2.4", "2.3.1"])
@pytest.mark.parametrize("optimizer", ["SGD", "Adam", "RMSprop", "Nadam"])
def test_state_of_the_optimizer(tmp_path, recwarn, optimizer, version):
    write(tmp_path / "m.h5", sequential, version, optimizer)
    restored = load_model(tmp_path / "m.h5").optimizer
    assert not [w for w in recwarn if issubclass(w.category, UserWarning)]
    assert type(restored).__name__ == optimizer
    assert restored.lr.numpy() == 0.125
    counted = optimizer != "RMSprop" or version == "2.3.1"
    assert int(restored.iterations) == (7 if counted else 0)
    weights = len(WEIGHTS)
    slots = restored.get_weights()[-weights * (2 if optimizer in ("Adam", "Nadam") else 1) :]
    for place, slot in enumerate(slots):
        np.testing.assert_array_equal(slot, np.full(slot.shape, 0.5 + place // weights))


def test_weights_without_a_version_are_of_keras_1(tmp_path):
    """Keras 1 did not say who it was; a Dense layer has not changed since."""
    write(tmp_path / "m.h5", sequential, "2.1.6", "SGD")
    with h5py.File(tmp_path / "m.h5", "r+") as file:
        del file["model_weights"].attrs["keras_version"]
        del file["model_weights"].attrs["backend"]
    model = load_model(tmp_path / "m.h5", compile=False)
    np.testing.assert_array_equal(model.get_weights()[0], WEIGHTS["dense_1/kernel:0"])
