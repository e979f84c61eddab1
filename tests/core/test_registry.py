"""The registry: names, configurations, custom objects, limits, the constructor contract."""

import threading

import numpy as np
import pytest

from nbkeras.core import registry
from nbkeras.core.registry import (
    ConfigError,
    Configurable,
    CustomObjectScope,
    allocation_limit,
    allow_unsafe,
    charge,
    deserialize,
    get,
    get_custom_objects,
    serialize,
    unsafe_allowed,
)


@pytest.fixture
def shelf(monkeypatch):
    """An empty family with functions, and one of instances only, beside the real ones."""
    for name, functions in (("toy", True), ("tool", False)):
        family = registry._Family(name, name + "s", "'hammer'", (), (), functions)
        monkeypatch.setitem(registry._FAMILIES, name, family)
    return registry


class Scale(Configurable):
    def __init__(self, factor=2.0, offsets=(1, 2)):
        self.factor = factor
        self.offsets = offsets

    def __call__(self, x):
        return self.factor * x


def double(x):
    return 2 * x


# ---------------------------------------------------------------- names


def test_get_accepts_every_documented_form(shelf):
    shelf.register("toy", Scale, aliases=["scale"])
    shelf.register("toy", double, aliases=["twice"])
    assert get("toy", None) is None
    assert get("toy", "twice") is double
    assert get("toy", double) is double
    assert get("toy", "scale").factor == 2.0
    assert get("toy", Scale).factor == 2.0
    instance = Scale(3.0)
    assert get("toy", instance) is instance
    built = get("toy", {"class_name": "Scale", "config": {"factor": 5.0}})
    assert isinstance(built, Scale)
    assert built.factor == 5.0


def test_register_is_a_decorator_and_keeps_the_saved_name(shelf):
    @shelf.register("toy", name="triple", aliases=["three"])
    def _hidden(x):
        return 3 * x

    assert get("toy", "three") is _hidden
    assert serialize(_hidden) == "triple"


def test_a_factory_is_called(shelf):
    @shelf.register("toy", factory=True)
    def big(factor=100.0):
        return Scale(factor)

    assert get("toy", "big").factor == 100.0
    assert deserialize("toy", {"class_name": "big", "config": {"factor": 7.0}}).factor == 7.0


def test_two_members_cannot_share_a_name(shelf):
    shelf.register("toy", double)
    with pytest.raises(ConfigError, match="already names"):
        shelf.register("toy", Scale, aliases=["double"])
    shelf.register("toy", double)  # the same again is harmless


def test_an_unknown_name_shows_the_closest_and_the_way_out(shelf):
    shelf.register("toy", Scale)
    with pytest.raises(ConfigError, match="Did you mean 'Scale'") as caught:
        get("toy", "scael")
    assert "custom_objects={'scael'" in str(caught.value)


def test_control_characters_of_a_hostile_name_are_not_printed(shelf):
    with pytest.raises(ConfigError) as caught:
        get("toy", "\x1b[31m\u202e" + "x" * 10_000)
    assert "\x1b" not in str(caught.value)
    assert "\u202e" not in str(caught.value)
    assert len(str(caught.value)) < 1000


@pytest.mark.parametrize("wrong", [3, 2.5, object(), [1], int, {"config": {}}, {"class_name": 3}])
def test_what_is_not_a_member_is_refused(shelf, wrong):
    shelf.register("tool", Scale)
    with pytest.raises(ValueError, match="Expected"):
        get("tool", wrong)


def test_a_function_is_no_member_of_a_family_of_instances(shelf):
    with pytest.raises(ConfigError, match="Expected a tool"):
        get("tool", double)


def test_a_subclass_of_the_declared_base_is_a_member(shelf):
    @shelf.base("tool")
    class Tool(Configurable):
        pass

    class Mine(Tool):
        pass

    assert isinstance(get("tool", Mine), Mine)
    mine = Mine()
    assert get("tool", mine) is mine


def test_unknown_family_is_an_error():
    with pytest.raises(ConfigError, match="Unknown family"):
        get("colour", "red")


# ---------------------------------------------------------------- hostile configurations


@pytest.mark.parametrize(
    "config",
    [
        {"class_name": "system", "module": "os", "config": {"command": "true"}},
        {"class_name": "os.system", "config": {}},
        {"class_name": "function", "config": "get_file"},
        {"class_name": "function", "config": "__import__", "module": "builtins"},
        {"class_name": "deserialize", "config": {}},
        {"class_name": "load_model", "config": {"filepath": "x"}},
        {"class_name": "K", "config": {}},
        {"class_name": "__class__", "config": {}},
        {"class_name": "Popen", "registered_name": "subprocess>Popen", "config": {}},
        "K",
        "eval",
        "registry.get",
    ],
)
@pytest.mark.parametrize("family", ["toy", "tool"])
def test_only_the_tables_are_reached(shelf, family, config):
    shelf.register("toy", double)
    with pytest.raises(ConfigError, match="Unknown"):
        deserialize(family, config)


def test_remarks_of_newer_files_are_read_over(shelf):
    shelf.register("toy", Scale)
    shelf.register("toy", double)
    built = deserialize(
        "toy",
        {
            "module": "keras.layers",
            "class_name": "Scale",
            "config": {"factor": 4.0},
            "registered_name": None,
        },
    )
    assert built.factor == 4.0
    function = {
        "module": "builtins",
        "class_name": "function",
        "config": "double",
        "registered_name": "function",
    }
    assert deserialize("toy", function) is double


def test_package_prefix_of_custom_objects(shelf):
    for config in (
        {"class_name": "shop>Scale", "config": {}},
        {"class_name": "Scale", "registered_name": "shop>Scale", "config": {}},
    ):
        for key in ("shop>Scale", "Scale"):
            assert isinstance(deserialize("toy", config, custom_objects={key: Scale}), Scale)


def test_a_config_that_does_not_fit_names_the_signature(shelf):
    shelf.register("toy", Scale)
    with pytest.raises(ConfigError, match=r"does not fit Scale\(factor"):
        deserialize("toy", {"class_name": "Scale", "config": {"colour": 1}})
    with pytest.raises(ConfigError, match="Expected a dictionary"):
        deserialize("toy", {"class_name": "Scale", "config": [1]})


def test_nesting_is_bounded(shelf):
    class Nest(Configurable):
        def __init__(self, inner=None):
            self.inner = deserialize("toy", inner)

    shelf.register("toy", Nest)
    config = None
    for _ in range(1000):
        config = {"class_name": "Nest", "config": {"inner": config}}
    with pytest.raises(ConfigError, match="nested"):
        deserialize("toy", config)


# ---------------------------------------------------------------- custom objects


def test_scope_ends_and_takes_its_changes_along(shelf):
    get_custom_objects()["kept"] = double
    try:
        with CustomObjectScope({"inner": Scale}, {"other": double}):
            assert isinstance(get("toy", "inner"), Scale)
            get_custom_objects()["late"] = double
            del get_custom_objects()["kept"]
            with CustomObjectScope({"deeper": double}):
                assert get("toy", "deeper") is double
                assert get("toy", "late") is double
            assert get("toy", "other") is double
        assert get_custom_objects() == {"kept": double}
    finally:
        get_custom_objects().clear()


def test_custom_objects_come_before_the_table(shelf):
    shelf.register("toy", double)
    assert isinstance(get("toy", {"class_name": "double", "config": {}}), type(double))
    with CustomObjectScope({"double": Scale}):
        assert isinstance(get("toy", "double"), Scale)


def test_scopes_of_threads_do_not_mix(shelf):
    seen, inside, leave = [], threading.Event(), threading.Event()

    def other():
        with CustomObjectScope({"mine": double}):
            inside.set()
            leave.wait(10)
            seen.append("mine" in get_custom_objects())

    thread = threading.Thread(target=other)
    thread.start()
    assert inside.wait(10)
    assert "mine" not in get_custom_objects()
    leave.set()
    thread.join(10)
    assert seen == [True]


def test_scope_refuses_what_is_no_dictionary():
    with pytest.raises(TypeError, match="CustomObjectScope"):
        CustomObjectScope([Scale])


def test_from_config_that_takes_custom_objects_gets_them(shelf):
    class Model(Configurable):
        @classmethod
        def from_config(cls, config, custom_objects=None):
            model = cls()
            model.seen = dict(custom_objects or {})
            return model

    shelf.register("toy", Model)
    config = {"class_name": "Model", "config": {}}
    assert deserialize("toy", config, custom_objects={"Scale": Scale}).seen == {"Scale": Scale}
    assert deserialize("toy", config).seen == {}


# ---------------------------------------------------------------- limits


def test_allocation_is_charged_and_bounded():
    charge(10**15)  # no limit outside of a configuration
    with allocation_limit(100):
        charge(60)
        with pytest.raises(ConfigError, match="lift the limit"):
            charge(41, "dense_1/kernel")
        charge(40)
        with allocation_limit(None):
            charge(10**12)


def test_unsafe_is_off_unless_asked_for():
    assert not unsafe_allowed()
    with allow_unsafe():
        assert unsafe_allowed()
        with allow_unsafe(False):
            assert not unsafe_allowed()
    assert not unsafe_allowed()


# ---------------------------------------------------------------- the constructor contract


class Base(Configurable):
    def __init__(self, name=None, **kwargs):
        self.name = name
        assert not kwargs, kwargs

    def _base_config(self):
        return {"name": self.name}


class Dense(Base):
    def __init__(self, units, activation=None, kernel=None, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.activation = activation
        self._kernel = kernel


def test_config_comes_from_the_signature():
    layer = Dense(3, activation=double, kernel=Scale(0.5), name="d")
    config = layer.get_config()
    assert config == {
        "name": "d",
        "units": 3,
        "activation": "double",
        "kernel": {"class_name": "Scale", "config": {"factor": 0.5, "offsets": (1, 2)}},
    }
    assert next(iter(config)) == "name"
    again = Dense.from_config(config)
    assert again.get_config() == config


def test_values_become_plain_data():
    config = Scale(np.float32(0.5), np.arange(3)).get_config()
    assert config == {"factor": 0.5, "offsets": [0, 1, 2]}
    assert type(config["factor"]) is float
    assert Scale(np.dtype("float16"), {"a": (Scale(),)}).get_config()["factor"] == "float16"


def test_variables_become_numbers():
    class Rate:  # what a tf.Variable looks like from here
        dtype = np.float32

        def numpy(self):
            return np.float32(0.25)

    assert Scale(Rate()).get_config()["factor"] == 0.25


def test_what_cannot_be_written_is_an_error():
    with pytest.raises(ConfigError, match="get_config"):
        Scale(object()).get_config()
    with pytest.raises(ConfigError, match="no name"):
        Scale(lambda x: x).get_config()


def test_user_class_with_keras_2_get_config():
    class MyLayer(Base):
        def __init__(self, output_dim, **kwargs):
            self.hidden_elsewhere = output_dim
            super(MyLayer, self).__init__(**kwargs)  # noqa: UP008 - as Keras 2 code is written

        def get_config(self):
            config = {"output_dim": self.hidden_elsewhere}
            base_config = super(MyLayer, self).get_config()  # noqa: UP008
            return dict(list(base_config.items()) + list(config.items()))

    assert MyLayer(4, name="m").get_config() == {"name": "m", "output_dim": 4}
    assert MyLayer.from_config(MyLayer(4).get_config()).hidden_elsewhere == 4


def test_user_class_that_extends_a_finished_one():
    class Noisy(Dense):
        def __init__(self, units, noise, **kwargs):
            super().__init__(units, **kwargs)
            self.noise = noise

        def get_config(self):
            return {**super().get_config(), "noise": self.noise}

    config = Noisy(3, 0.5, activation=double, name="n").get_config()
    assert config["units"] == 3
    assert config["activation"] == "double"
    assert config["noise"] == 0.5


def test_user_class_without_get_config_simply_works():
    class Wide(Dense):
        def __init__(self, factor, **kwargs):
            super().__init__(10 * factor, **kwargs)
            self.factor = factor

    layer = Wide(2, activation=double, name="w")
    assert layer.get_config() == {"name": "w", "factor": 2, "activation": "double"}
    again = Wide.from_config({"name": "w", "factor": 2, "activation": double})
    assert again.units == 20
    assert again.get_config() == layer.get_config()


def test_passing_everything_on_keeps_the_parents_arguments():
    class Same(Dense):
        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)

    assert Same(7, name="s").get_config() == Dense(7, name="s").get_config()


def test_an_argument_that_is_not_kept_is_told_and_left_out():
    class Forgets(Base):
        def __init__(self, size=3, **kwargs):
            super().__init__(**kwargs)

    with pytest.warns(UserWarning, match=r"self\.size = size"):
        assert Forgets(name="f").get_config() == {"name": "f"}


def test_a_method_of_the_same_name_is_not_the_argument():
    class Rule(Configurable):
        def __init__(self, apply=1):
            self._apply = apply

        def apply(self):
            return None

    assert Rule(5).get_config() == {"apply": 5}


class TestSharing:
    def test_unnamed_functions_and_unregistered_classes_are_found_again(self):
        class Doubled(registry.Configurable):
            def __init__(self, by=2):
                self.by = by

        function = lambda x: x + 1  # noqa: E731
        with registry.sharing():
            written = registry.serialize(function)
            assert isinstance(written, str)
            assert registry.get("activation", written) is function
            again = registry.deserialize("layer", registry.serialize(Doubled(by=3)))
            assert (type(again), again.by) == (Doubled, 3)
        assert written not in registry.get_custom_objects()
        with pytest.raises(registry.ConfigError, match="no name"):
            registry.serialize(function)

    def test_registered_names_stay(self):
        from nbkeras.core import activations

        with registry.sharing():
            assert registry.serialize(activations.relu) == "relu"

    def test_help_shows_the_constructor(self):
        import inspect

        class Shift(registry.Configurable):
            def __init__(self, by=1.0, *, times=2):
                self.by, self.times = by, times

            def __call__(self, x):
                return x

        assert list(inspect.signature(Shift).parameters) == ["by", "times"]
        assert list(inspect.signature(Shift()).parameters) == ["x"]
