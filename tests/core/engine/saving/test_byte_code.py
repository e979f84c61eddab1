"""Byte code in a file is not even decoded, on any way in, unless the caller says so."""

import io
import json
import marshal
import pickle

import h5py
import numpy as np
import pytest

from nbkeras.core import registry
from nbkeras.core.layers import Dense, Input, Lambda
from nbkeras.core.models import Model, Sequential, load_model, model_from_json, model_from_yaml
from nbkeras.core.registry import ConfigError


def plain():
    return Sequential([Dense(2, input_shape=(3,)), Lambda(lambda x: 2 * x)])


def nested():
    x = Input((3,))
    return Model(x, plain()(x))


def as_output_shape():
    layer = Lambda(double, output_shape=lambda shape: shape, input_shape=(3,))
    return Sequential([layer])


def double(x):
    return 2 * x


@pytest.fixture
def undecoded(monkeypatch):
    """Whoever decodes byte code here is noticed."""
    decoded = []
    real = marshal.loads

    def loads(data):
        if isinstance(data, bytes):  # imports decode memoryviews
            decoded.append(data)
        return real(data)

    monkeypatch.setattr(marshal, "loads", loads)
    yield
    assert not decoded


def through_path(model, tmp_path):
    model.save(tmp_path / "m.h5")
    return lambda: load_model(tmp_path / "m.h5")


def through_open_file(model, tmp_path):
    model.save(tmp_path / "m.h5")

    def load():
        with h5py.File(tmp_path / "m.h5") as file:
            return load_model(file)

    return load


def through_bytes(model, tmp_path):
    target = io.BytesIO()
    model.save(target)
    return lambda: load_model(target)


def through_json(model, tmp_path):
    text = model.to_json()
    return lambda: model_from_json(text)


def through_yaml(model, tmp_path):
    text = model.to_yaml()
    return lambda: model_from_yaml(text)


def through_from_config(model, tmp_path):
    config = json.loads(json.dumps(model.get_config()))
    return lambda: type(model).from_config(config)


def through_deserialize(model, tmp_path):
    config = json.loads(json.dumps(registry.serialize(model)))
    return lambda: registry.deserialize("layer", config)


WAYS = [
    through_path,
    through_open_file,
    through_bytes,
    through_json,
    through_yaml,
    through_from_config,
    through_deserialize,
]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("make", [plain, nested, as_output_shape])
@pytest.mark.usefixtures("undecoded")
def test_refused(tmp_path, make, way):
    load = way(make(), tmp_path)
    known = registry.CustomObjectScope({"double": double})
    with known, pytest.raises(ConfigError, match="safe_mode=False"):
        load()


def test_allowed_where_the_caller_says_so(tmp_path):
    model = plain()
    model.save(tmp_path / "m.h5")
    x = np.ones((2, 3))
    for loaded in (
        load_model(tmp_path / "m.h5", compile=False, safe_mode=False),
        model_from_json(model.to_json(), safe_mode=False),
    ):
        loaded.set_weights(model.get_weights())
        np.testing.assert_array_equal(loaded.predict(x), model.predict(x))
    assert not registry.unsafe_allowed()


def test_a_named_function_comes_from_the_custom_objects(tmp_path):
    model = Sequential([Lambda(double, input_shape=(3,))])
    model.save(tmp_path / "m.h5")
    with pytest.raises(ConfigError, match=r"custom_objects=\{'double'"):
        load_model(tmp_path / "m.h5")
    loaded = load_model(tmp_path / "m.h5", custom_objects={"double": double}, compile=False)
    assert loaded.predict(np.ones((1, 3))).tolist() == [[2, 2, 2]]


@pytest.mark.parametrize("name", ["os.system", "eval", "__import__", "get_file", "K", "system"])
def test_names_reach_no_code(name):
    config = Sequential([Lambda(double, input_shape=(3,))]).get_config()
    config["layers"][0]["config"].update(function=name, function_type="function", module="os")
    with pytest.raises(ConfigError, match="custom_objects"):
        Sequential.from_config(config)


def test_pickles_are_files_too():
    data = pickle.dumps(plain())
    with pytest.raises(ConfigError, match="safe_mode=False"):
        pickle.loads(data)
