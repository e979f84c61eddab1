"""Configurations as JSON and YAML: round trips, other spellings, hostile documents."""

import json

import pytest

from nbkeras.core import registry
from nbkeras.core.engine.saving import configs, model_from_config, model_from_json, model_from_yaml
from nbkeras.core.layers import Dense, Dropout, Input, Layer
from nbkeras.core.models import Model, Sequential
from nbkeras.core.registry import ConfigError


def small():
    return Sequential([Dense(4, activation="relu", input_shape=(3,)), Dropout(0.5)], name="small")


def functional():
    x = Input((3,), name="in")
    return Model(x, [Dense(2, name="a")(x), small()(x)], name="two")


@pytest.mark.parametrize("make", [small, functional])
def test_json_and_yaml_round_trip(make):
    model = make()
    for again in (
        model_from_json(model.to_json()),
        model_from_json(model.to_json(indent=2).encode()),
        model_from_yaml(model.to_yaml()),
        model_from_config({"class_name": type(model).__name__, "config": model.get_config()}),
    ):
        assert type(again) is type(model)
        assert again.to_json() == model.to_json()
        assert [w.shape for w in again.get_weights()] == [w.shape for w in model.get_weights()]


def test_json_says_who_wrote_it():
    document = json.loads(small().to_json())
    assert document["class_name"] == "Sequential"
    assert document["backend"] == "tensorflow"
    assert document["keras_version"].startswith("2.")


def test_yaml_is_plain_data():
    text = functional().to_yaml()
    assert "!!" not in text
    assert "&" not in text


# ---------------------------------------------------------------- other spellings


def test_layers_as_keras_2_0_to_2_2_wrote_a_sequential():
    layers = small().get_config()["layers"]
    model = model_from_config({"class_name": "Sequential", "config": layers})
    assert [layer.name for layer in model.layers] == [d["config"]["name"] for d in layers]


def test_what_tf_keras_adds_is_dropped_where_it_changes_nothing():
    dense = {"units": 2, "batch_input_shape": [None, 3], "groups": 1, "ragged": False}
    config = {
        "class_name": "Sequential",
        "config": {"layers": [{"class_name": "Dense", "config": dense}]},
    }
    assert model_from_config(config).output_shape == (None, 2)
    dense["groups"] = 2
    with pytest.raises(ConfigError, match="groups"):
        model_from_config(config)
    dense["groups"] = 1
    dense["dtype"] = {"class_name": "Policy", "config": {"name": "float64"}}
    before = json.dumps(config)
    assert model_from_config(config).layers[0].dtype == "float64"
    assert json.dumps(config) == before


def test_functional_is_a_model():
    config = functional().get_config()
    again = model_from_config({"class_name": "Functional", "config": config})
    assert type(again) is Model


def test_a_users_layer_keeps_all_its_arguments():
    class Mine(Layer):
        def __init__(self, groups, **kwargs):
            super().__init__(**kwargs)
            self.groups = groups

    config = {"class_name": "Mine", "config": {"groups": 1, "name": "m"}}
    assert model_from_config(config, custom_objects={"Mine": Mine}).groups == 1


# ---------------------------------------------------------------- hostile documents


def test_a_list_is_no_model():
    with pytest.raises(TypeError, match=r"Sequential\.from_config"):
        model_from_config([])


def bomb(units):
    return {
        "class_name": "Sequential",
        "config": {
            "layers": [
                {"class_name": "Dense", "config": {"units": units, "batch_input_shape": [None, 2]}}
            ]
        },
    }


def test_what_a_configuration_may_allocate_is_bounded():
    text = json.dumps(bomb(10**10))
    for read in (model_from_json, model_from_yaml):
        with pytest.raises(ConfigError, match=r"536,870,912 .*safe_mode=False"):
            read(text)
    with registry.allocation_limit(100), pytest.raises(ConfigError):
        registry.deserialize("layer", bomb(100))


def test_safe_mode_off_lifts_the_limit(monkeypatch):
    monkeypatch.setattr(registry, "DEFAULT_ALLOCATION_LIMIT", 10)
    with pytest.raises(ConfigError):
        model_from_config(bomb(10))
    assert model_from_config(bomb(10), safe_mode=False).count_params() == 30


@pytest.mark.parametrize(
    "text",
    [
        "!!python/object/apply:os.system ['true']",
        "!!python/object/new:os.system ['true']",
        "!!python/name:os.system",
        "class_name: !!python/module:os",
        "class_name: [",
        "a: &a [*a]",
        "\t",
        "- 1",
        "3",
        "",
    ],
)
def test_yaml_that_is_no_configuration(text):
    with pytest.raises((ConfigError, TypeError)):
        model_from_yaml(text)


def test_yaml_aliases_do_not_multiply():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    with pytest.raises(ConfigError, match="values"):
        model_from_yaml("\n".join(lines))


def test_yaml_of_keras_2_with_tuples_and_aliases():
    text = """
        class_name: Sequential
        config:
        - class_name: Dense
          config:
            name: dense_1
            units: 2
            batch_input_shape: !!python/tuple [null, 3]
            kernel_initializer: &init {class_name: Zeros, config: {}}
            bias_initializer: *init
        keras_version: 2.1.6
        backend: tensorflow
    """
    model = model_from_yaml(text)
    assert model.input_shape == (None, 3)
    assert not model.get_weights()[0].any()


@pytest.mark.parametrize("text", ["", "{", "[" * 100_000, '"K"', b"\xff\xfe"])
def test_json_that_is_no_configuration(text):
    with pytest.raises((ConfigError, TypeError)):
        model_from_json(text)


def test_something_else_than_text():
    with pytest.raises(TypeError, match="to_json"):
        model_from_json({"class_name": "Sequential"})


def test_deep_nesting_is_refused():
    config = bomb(1)
    for _ in range(500):
        config = {"class_name": "Sequential", "config": {"layers": [config]}}
    with pytest.raises(ConfigError):
        model_from_config(config)


def test_parsing_leaves_no_python_objects():
    assert configs.parse_yaml("a: [1, 2.5, null, true, text, !!python/tuple [1]]") == {
        "a": [1, 2.5, None, True, "text", [1]]
    }
