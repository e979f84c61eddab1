"""Saving and loading whole models and weights: round trips, and that a bad load changes nothing."""

import contextlib
import copy
import errno
import io
import os
import pathlib
import pickle
import subprocess
import sys
import textwrap
import warnings

import h5py
import numpy as np
import pytest

import nbkeras
from nbkeras.core import registry
from nbkeras.core.engine.saving import SavedFileError, load_model, models, save_model
from nbkeras.core.layers import Activation, Dense, Dropout, Flatten, Input, Layer, Reshape
from nbkeras.core.models import Model, Sequential


def data(rows=16, width=3, classes=2):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(rows, width)).astype("float32")
    return x, np.eye(classes, dtype="float32")[rng.integers(0, classes, rows)]


def classifier(optimizer="adam", compile=True):
    model = Sequential(
        [
            Dense(4, activation="relu", input_shape=(3,), kernel_regularizer="l2"),
            Dropout(0.0),
            Dense(2, activation="softmax"),
        ]
    )
    if compile:
        model.compile(optimizer, "categorical_crossentropy", metrics=["accuracy"])
    return model


def nested():
    inner = Sequential([Dense(5, input_shape=(4,)), Dense(3, activation="tanh")], name="inner")
    deeper = Sequential([Reshape((4,), input_shape=(2, 2)), inner], name="deeper")
    first, second = Input((2, 2)), Input((4,))
    shared = Dense(2, name="shared")
    outputs = [shared(deeper(first)), shared(inner(second))]
    return Model([first, second], outputs)


def arrays(model):
    return [w.tobytes() for w in model.get_weights()]


@pytest.fixture
def saved(tmp_path):
    model = classifier()
    model.fit(*data(), epochs=2, verbose=0)
    path = tmp_path / "model.h5"
    model.save(path)
    return model, path


# ---------------------------------------------------------------- round trips


@pytest.mark.parametrize("kind", [str, pathlib.Path, "file", "group", "bytes"])
def test_every_kind_of_file(tmp_path, kind):
    model = classifier()
    x, y = data()
    model.fit(x, y, verbose=0)
    if kind == "bytes":
        target = io.BytesIO(b"longer than nothing" * 1000)
        model.save(target)
        loaded = load_model(target)
    elif kind in ("file", "group"):
        with h5py.File(tmp_path / "m.h5", "w") as file:
            target = file if kind == "file" else file.create_group("some/where")
            model.save(target)
            loaded = load_model(target)
    else:
        target = kind(tmp_path / "m.h5")
        model.save(target)
        loaded = load_model(target)
    np.testing.assert_array_equal(loaded.predict(x), model.predict(x))
    assert loaded.evaluate(x, y, verbose=0) == pytest.approx(model.evaluate(x, y, verbose=0))


@pytest.mark.parametrize("optimizer", ["sgd", "rmsprop", "adam"])
def test_training_goes_on_as_if_not_interrupted(tmp_path, optimizer):
    x, y = data()
    model = classifier(optimizer)
    model.fit(x, y, epochs=3, shuffle=False, verbose=0)
    model.save(tmp_path / "m.h5")
    loaded = load_model(tmp_path / "m.h5")
    for each in (model, loaded):
        each.fit(x, y, epochs=3, shuffle=False, verbose=0)
    for a, b in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_nested_models_with_shared_layers(tmp_path):
    model = nested()
    x = [np.random.rand(5, 2, 2), np.random.rand(5, 4)]
    model.save(tmp_path / "m.h5")
    loaded = load_model(tmp_path / "m.h5", compile=False)
    for a, b in zip(model.predict(x), loaded.predict(x), strict=True):
        np.testing.assert_array_equal(a, b)
    assert loaded.get_config() == model.get_config()
    again = nested()
    again.load_weights(tmp_path / "m.h5")
    np.testing.assert_array_equal(again.predict(x)[0], model.predict(x)[0])


def test_a_model_that_was_never_compiled(tmp_path):
    model = classifier(compile=False)
    model.save(tmp_path / "m.h5")
    with pytest.warns(UserWarning, match="not compiled"):
        loaded = load_model(tmp_path / "m.h5")
    assert loaded.optimizer is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_model(tmp_path / "m.h5", compile=False)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "nadam"])
def test_a_model_that_was_compiled_and_not_trained(tmp_path, recwarn, optimizer):
    model = classifier(optimizer)
    model.save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5") as file:
        assert "optimizer_weights" not in file
    loaded = load_model(tmp_path / "m.h5")
    assert not [w for w in recwarn if issubclass(w.category, UserWarning)]
    assert loaded.optimizer.get_config() == model.optimizer.get_config()


def test_without_optimizer(saved, tmp_path):
    model, _ = saved
    model.save(tmp_path / "m.h5", include_optimizer=False)
    with h5py.File(tmp_path / "m.h5") as file:
        assert "optimizer_weights" not in file
        assert "training_config" not in file.attrs


def test_several_outputs_with_losses_by_name(tmp_path):
    x = Input((3,))
    model = Model(x, [Dense(1, name="a")(x), Dense(1, name="b")(x)])
    model.compile(
        "sgd",
        loss={"a": "mse", "b": "mae"},
        loss_weights={"a": 0.5, "b": 2.0},
        metrics={"a": ["mae"]},
    )
    model.save(tmp_path / "m.h5")
    loaded = load_model(tmp_path / "m.h5")
    assert loaded.metrics_names == model.metrics_names
    given = [np.ones((4, 3)), [np.ones((4, 1)), np.ones((4, 1))]]
    assert loaded.evaluate(*given, verbose=0) == pytest.approx(model.evaluate(*given, verbose=0))


def test_a_model_that_learned_its_shape_from_data(tmp_path):
    model = Sequential([Dense(4), Flatten(), Dense(2)])
    model.compile("sgd", "mse")
    x = np.random.rand(6, 2, 3)
    model.fit(x, np.zeros((6, 2)), verbose=0)
    model.save(tmp_path / "m.h5")
    loaded = load_model(tmp_path / "m.h5")
    np.testing.assert_array_equal(loaded.predict(x), model.predict(x))


def test_pickles_and_copies_go_on_training():
    x, y = data()
    model = classifier()
    model.fit(x, y, shuffle=False, verbose=0)
    for again in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model)):
        assert arrays(again) == arrays(model)
        assert again.optimizer is not model.optimizer
        assert int(again.optimizer.iterations) == int(model.optimizer.iterations)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        uncompiled = pickle.loads(pickle.dumps(classifier(compile=False)))
    assert uncompiled.optimizer is None


def test_weights_into_a_model_of_the_same_structure(saved, tmp_path):
    model, path = saved
    model.save_weights(tmp_path / "w.h5")
    for source in (path, tmp_path / "w.h5", str(tmp_path / "w.h5")):
        other = classifier()
        other.load_weights(source)
        assert arrays(other) == arrays(model)


def test_a_second_save_into_the_same_open_file_replaces_the_first(tmp_path):
    with h5py.File(tmp_path / "m.h5", "w") as file:
        classifier().save(file)
        model = Sequential([Dense(1, input_shape=(2,))])
        model.save(file)
        loaded = load_model(file, compile=False)
    assert loaded.get_config() == model.get_config()


def test_two_thousand_layers_with_long_names(tmp_path):
    """Their names do not fit into one attribute of 64 KB."""
    names = [f"{'a_name_that_goes_on_':_<58}{i:06d}" for i in range(2000)]
    model = Sequential([Activation("linear", name=name) for name in names])
    model.add(Dense(1, name="the_end"))
    model.build((None, 2))
    assert len(names[0]) == 64
    model.save_weights(tmp_path / "w.h5")
    with h5py.File(tmp_path / "w.h5") as file:
        assert "layer_names" not in file.attrs
        found = [n.decode() for k in range(100) for n in file.attrs.get(f"layer_names{k}", [])]
        assert found == [*names, "the_end"]
    before = arrays(model)
    model.layers[-1].set_weights([np.zeros((2, 1)), np.zeros(1)])
    model.load_weights(tmp_path / "w.h5")
    assert arrays(model) == before


def test_half_precision_and_brain_floats(tmp_path):
    for dtype in ("float16", "float64", "bfloat16"):
        model = Sequential([Dense(2, input_shape=(3,), dtype=dtype)])
        model.save_weights(tmp_path / "w.h5")
        other = Sequential([Dense(2, input_shape=(3,), dtype=dtype)])
        other.load_weights(tmp_path / "w.h5")
        assert arrays(other) == arrays(model)


class Doubled(Layer):
    """Two weights of the same name, and one of the layer within."""

    def build(self, input_shape):
        self.inner = Dense(2)
        self.inner.build(input_shape)
        for _ in range(2):
            self.add_weight("same", (2,))
        super().build(input_shape)

    def call(self, inputs):
        return self.inner(inputs)


def test_weights_of_the_same_name_are_kept_apart(tmp_path):
    model = Sequential([Doubled(input_shape=(3,))])
    model.save_weights(tmp_path / "w.h5")
    other = Sequential([Doubled(input_shape=(3,))])
    other.load_weights(tmp_path / "w.h5")
    assert arrays(other) == arrays(model)


def test_names_of_layers_that_are_paths(tmp_path):
    model = Sequential([Dense(2, name="a/b", input_shape=(3,)), Dense(2, name="a")])
    model.save_weights(tmp_path / "w.h5")
    other = Sequential([Dense(2, name="a/b", input_shape=(3,)), Dense(2, name="a")])
    other.load_weights(tmp_path / "w.h5", by_name=True)
    assert arrays(other) == arrays(model)


@pytest.mark.parametrize("name", ["..", "a/../b", "/etc", "a//b", "."])
def test_names_that_lead_elsewhere_are_refused_before_the_file_is_touched(tmp_path, name):
    model = Sequential([Dense(2, name=name, input_shape=(3,))])
    path = tmp_path / "w.h5"
    path.write_bytes(b"old")
    with pytest.raises(ValueError, match="another name"):
        model.save_weights(path)
    assert path.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["w.h5"]


# ---------------------------------------------------------------- by name


def test_by_name_loads_what_has_the_name(tmp_path):
    old = Sequential([Dense(2, input_shape=(3,), name="one"), Dense(3, name="two")])
    old.save_weights(tmp_path / "w.h5")
    new = Sequential([Dense(2, input_shape=(3,), name="one"), Dense(9, name="new")])
    before = new.layers[1].get_weights()
    new.load_weights(tmp_path / "w.h5", by_name=True)
    np.testing.assert_array_equal(new.layers[0].get_weights()[0], old.layers[0].get_weights()[0])
    np.testing.assert_array_equal(new.layers[1].get_weights()[0], before[0])


def test_by_name_that_finds_nothing_says_so(tmp_path):
    Sequential([Dense(2, input_shape=(3,), name="one")]).save_weights(tmp_path / "w.h5")
    with pytest.warns(UserWarning, match="nothing was loaded"):
        Sequential([Dense(2, input_shape=(3,), name="other")]).load_weights(
            tmp_path / "w.h5", by_name=True
        )


def test_skip_mismatch_warns_and_loads_the_rest(tmp_path):
    old = Sequential([Dense(2, input_shape=(3,), name="one"), Dense(3, name="two")])
    old.save_weights(tmp_path / "w.h5")
    new = Sequential([Dense(2, input_shape=(3,), name="one"), Dense(4, name="two")])
    before = arrays(new)
    with pytest.raises(SavedFileError, match=r"two/kernel:0 has shape \(2, 4\)"):
        new.load_weights(tmp_path / "w.h5", by_name=True)
    assert arrays(new) == before
    with pytest.warns(UserWarning, match="two"):
        new.load_weights(tmp_path / "w.h5", by_name=True, skip_mismatch=True)
    assert arrays(new)[:2] == arrays(old)[:2]
    assert arrays(new)[2:] == before[2:]
    with pytest.raises(ValueError, match="by_name=True"):
        new.load_weights(tmp_path / "w.h5", skip_mismatch=True)


def test_reshape(tmp_path):
    old = Sequential([Dense(6, input_shape=(2,), use_bias=False)])
    old.save_weights(tmp_path / "w.h5")
    new = Sequential([Dense(4, input_shape=(3,), use_bias=False)])
    with pytest.raises(SavedFileError):
        new.load_weights(tmp_path / "w.h5")
    new.load_weights(tmp_path / "w.h5", reshape=True)
    assert arrays(new) == arrays(old)


# ---------------------------------------------------------------- a bad load changes nothing


def test_the_error_lists_what_fits_and_what_does_not(saved):
    _, path = saved
    other = Sequential(
        [Dense(4, input_shape=(3,), name="first"), Dense(5, name="second"), Dense(2, name="third")]
    )
    before = arrays(other)
    with pytest.raises(SavedFileError) as caught:
        other.load_weights(path)
    message = str(caught.value)
    assert "the model has 3 ('first', 'second', 'third'), the file 2" in message
    fits = message[message.index("Fits:") :]
    assert "first: kernel (3, 4), bias (4,)" in fits
    assert "second" in message[: message.index("Fits:")]
    assert "by_name=True, skip_mismatch=True" in message
    assert arrays(other) == before


def test_damaged_files_are_refused_and_change_nothing(saved, tmp_path):
    """Bytes changed anywhere: an error, or a load of exactly what was saved."""
    model, path = saved
    content = path.read_bytes()
    right = arrays(model)
    other = classifier()
    before = arrays(other)
    rng = np.random.default_rng(0)
    refused = 0
    for place in rng.integers(0, len(content), 150):
        broken = bytearray(content)
        broken[place] ^= 1 << rng.integers(0, 8)
        (tmp_path / "broken.h5").write_bytes(broken)
        try:
            other.load_weights(tmp_path / "broken.h5")
        except SavedFileError:
            refused += 1
            assert arrays(other) == before
        else:
            assert arrays(other) == right
            other.set_weights(
                [
                    np.frombuffer(b, "f4").reshape(w.shape)
                    for b, w in zip(before, other.get_weights(), strict=True)
                ]
            )
    assert refused > 5


def test_every_flipped_bit_in_a_weight_is_noticed(saved, tmp_path):
    model, path = saved
    content = path.read_bytes()
    kernel = model.layers[0].get_weights()[0].tobytes()
    start = content.index(kernel)
    other = classifier()
    before = arrays(other)
    for bit in range(0, 8 * len(kernel), 7):
        broken = bytearray(content)
        broken[start + bit // 8] ^= 1 << bit % 8
        (tmp_path / "broken.h5").write_bytes(broken)
        with pytest.raises(SavedFileError, match="checksum"):
            other.load_weights(tmp_path / "broken.h5")
    assert arrays(other) == before


def test_a_changed_configuration_is_noticed(saved):
    _, path = saved
    with h5py.File(path, "r+") as file:
        file.attrs["model_config"] = file.attrs["model_config"].replace("relu", "tanh")
    with pytest.raises(SavedFileError, match=r"nbkeras_crc32:model_config"):
        load_model(path)
    with h5py.File(path, "r+") as file:
        del file.attrs["nbkeras_crc32:model_config"]
    assert load_model(path).layers[0].get_config()["activation"] == "tanh"


def test_truncated_and_foreign_files(saved, tmp_path):
    _, path = saved
    content = path.read_bytes()
    for length in (0, 4, 100, len(content) // 2, len(content) - 1):
        (tmp_path / "t.h5").write_bytes(content[:length])
        with pytest.raises(SavedFileError):
            load_model(tmp_path / "t.h5")
        with pytest.raises(SavedFileError):
            load_model(io.BytesIO(content[:length]))
    (tmp_path / "t.h5").write_bytes(b"PK\x03\x04" + bytes(100))
    with pytest.raises(SavedFileError, match="zip"):
        load_model(tmp_path / "t.h5")
    (tmp_path / "t.h5").write_text("{}")
    with pytest.raises(SavedFileError, match="no HDF5"):
        load_model(tmp_path / "t.h5")
    with pytest.raises(SavedFileError, match="folder"):
        load_model(tmp_path)
    with pytest.raises(FileNotFoundError):
        load_model(tmp_path / "missing.h5")
    with pytest.raises(TypeError, match="binary"):
        load_model(io.StringIO())
    with pytest.raises(TypeError, match="Expected a path"):
        load_model(3)


def test_weights_files_and_model_files_are_told_apart(saved, tmp_path):
    model, _ = saved
    model.save_weights(tmp_path / "w.h5")
    with pytest.raises(SavedFileError, match="load_weights"):
        load_model(tmp_path / "w.h5")
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = 1
    with pytest.raises(SavedFileError, match="layer_names"):
        model.load_weights(tmp_path / "other.h5")


def test_unbuilt_models_say_what_to_do(tmp_path):
    model = Sequential([Dense(2)])
    with pytest.raises(ValueError, match="input_shape"):
        model.save_weights(tmp_path / "w.h5")
    assert list(tmp_path.iterdir()) == []
    classifier().save_weights(tmp_path / "w.h5")
    with pytest.raises(ValueError, match="input_shape"):
        model.load_weights(tmp_path / "w.h5")


# ---------------------------------------------------------------- hostile models


def edit_config(path, old, new):
    with h5py.File(path, "r+") as file:
        config = file.attrs["model_config"]
        assert old in config
        file.attrs["model_config"] = config.replace(old, new)
        del file.attrs["nbkeras_crc32:model_config"]


def test_a_model_much_larger_than_its_file_is_refused(saved):
    _, path = saved
    edit_config(path, '"units": 4', '"units": 10000000000')
    with pytest.raises(ValueError, match=r"30,000,000,000 parameters.*safe_mode=False"):
        load_model(path)


def test_names_of_other_code_are_refused(saved):
    _, path = saved
    edit_config(path, '"class_name": "Dropout"', '"module": "os", "class_name": "system"')
    with pytest.raises(registry.ConfigError, match="Unknown layer 'system'"):
        load_model(path)


@pytest.mark.parametrize(
    "config",
    [
        "[]",
        "{}",
        "null",
        '{"class_name": "Sequential"}',
        '{"class_name": "Sequential", "config": {"layers": 3}}',
        '{"class_name": "Sequential", "config": {"layers": [{"class_name": "Dense"}]}}',
        '{"class_name": "Model", "config": {}}',
        '{"class_name": "Model", "config": {"layers": [], "input_layers": [["a", 0, 0]]}}',
        '{"class_name": "Sequential", "config": ' + "[" * 100_000,
        '{"class_name": 3, "config": {}}',
        "not JSON",
    ],
)
def test_malformed_configurations(saved, config):
    _, path = saved
    with h5py.File(path, "r+") as file:
        file.attrs["model_config"] = config
        del file.attrs["nbkeras_crc32:model_config"]
    with pytest.raises(ValueError):  # noqa: PT011 - what it says depends on the place
        load_model(path)


def test_a_file_that_does_not_fit_its_own_model(saved):
    _, path = saved
    edit_config(path, '"units": 4', '"units": 5')
    with pytest.raises(SavedFileError, match="does not fit"):
        load_model(path)


def test_optimizer_state_that_does_not_fit_is_told(saved):
    _, path = saved
    with h5py.File(path, "r+") as file:
        group = file["optimizer_weights"]
        names = group.attrs["weight_names"]
        del group.attrs["weight_names"]
        group.attrs["weight_names"] = names[:-1]
    with pytest.warns(UserWarning, match="starts anew"):
        loaded = load_model(path)
    assert int(loaded.optimizer.iterations) == 0


# ---------------------------------------------------------------- custom objects


def my_loss(y_true, y_pred):
    return (y_true - y_pred) ** 2


class Scale(Layer):
    def __init__(self, factor, **kwargs):
        self.factor = factor
        super().__init__(**kwargs)

    def call(self, inputs):
        return self.factor * inputs


def test_custom_objects(tmp_path):
    model = Sequential([Dense(2, input_shape=(3,)), Scale(3.0)])
    model.compile("sgd", my_loss, metrics=[my_loss])
    model.save(tmp_path / "m.h5")
    with pytest.raises(registry.ConfigError, match=r"custom_objects=\{'Scale'"):
        load_model(tmp_path / "m.h5")
    with pytest.raises(registry.ConfigError, match=r"compile=False"):
        load_model(tmp_path / "m.h5", custom_objects={"Scale": Scale})
    x = np.ones((2, 3))
    for loaded in (
        load_model(tmp_path / "m.h5", custom_objects={"Scale": Scale}, compile=False),
        load_model(tmp_path / "m.h5", custom_objects={"Scale": Scale, "my_loss": my_loss}),
    ):
        np.testing.assert_array_equal(loaded.predict(x), model.predict(x))
    with registry.CustomObjectScope({"Scale": Scale, "my_loss": my_loss}):
        load_model(tmp_path / "m.h5").fit(x, np.zeros((2, 2)), verbose=0)


def test_an_optimizer_without_configuration_does_not_cost_the_weights(tmp_path, monkeypatch):
    model = classifier()

    def get_config():
        raise NotImplementedError("It has no configuration.")

    monkeypatch.setattr(model.optimizer, "get_config", get_config)
    with pytest.warns(UserWarning, match="It has no configuration"):
        model.save(tmp_path / "m.h5")
    assert arrays(load_model(tmp_path / "m.h5", compile=False)) == arrays(model)


def test_a_lambda_as_loss_does_not_cost_the_weights(tmp_path):
    model = Sequential([Dense(2, input_shape=(3,))])
    model.compile("sgd", lambda t, p: (t - p) ** 2)
    with pytest.warns(UserWarning, match="without its training configuration"):
        model.save(tmp_path / "m.h5")
    loaded = load_model(tmp_path / "m.h5", compile=False)
    assert arrays(loaded) == arrays(model)


# ---------------------------------------------------------------- overwriting, disks, kills


@pytest.mark.parametrize("answer", ["y", "n"])
def test_overwrite_asks(tmp_path, monkeypatch, answer):
    path = tmp_path / "m.h5"
    path.write_bytes(b"old")
    answers = iter(["perhaps", answer])
    monkeypatch.setattr("builtins.input", lambda _: next(answers))
    save_model(classifier(), path, overwrite=False)
    assert (path.read_bytes() == b"old") == (answer == "n")


def test_overwrite_without_anyone_to_ask(tmp_path, monkeypatch):
    path = tmp_path / "m.h5"
    path.write_bytes(b"old")

    def nobody(_):
        raise EOFError

    monkeypatch.setattr("builtins.input", nobody)
    with pytest.raises(FileExistsError, match="overwrite=True"):
        save_model(classifier(), path, overwrite=False)
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize("allowed", [0, 3000, 20_000])
def test_a_full_disk_keeps_the_old_file(saved, monkeypatch, allowed):
    model, path = saved
    before = path.read_bytes()
    written = 0
    real = os.write

    def write(descriptor, part):
        nonlocal written
        written += len(part)
        if written > allowed:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, part)

    monkeypatch.setattr(os, "write", write)
    for save in (model.save, model.save_weights):
        with pytest.raises(OSError, match="No space left"):
            save(path)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_layer_that_fails_keeps_the_old_file(saved, monkeypatch):
    model, path = saved
    before = path.read_bytes()

    def fail(*_):
        raise RuntimeError("in the middle")

    monkeypatch.setattr(models.training, "write_optimizer", fail)
    with pytest.raises(RuntimeError, match="in the middle"):
        model.save(path)
    target = io.BytesIO(b"old")
    with pytest.raises(RuntimeError, match="in the middle"):
        model.save(target)
    assert target.getvalue() == b"old"
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]


KILLED = """
    import os, sys, numpy as np
    from nbkeras.core.layers import Dense
    from nbkeras.core.models import Sequential
    model = Sequential([Dense(300, input_shape=(300,)) for _ in range(2)])
    model.compile("adam", "mse")
    model.train_on_batch(np.zeros((1, 300)), np.zeros((1, 300)))
    print("ready", flush=True)
    while True:
        model.save(sys.argv[1])
        model.save_weights(sys.argv[2])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is POSIX")
@pytest.mark.parametrize("kills", [2, pytest.param(100, marks=pytest.mark.slow)])
def test_a_kill_while_saving_leaves_readable_files(tmp_path, kills):
    rng = np.random.default_rng(0)
    paths = [tmp_path / "m.h5", tmp_path / "w.h5"]
    root = pathlib.Path(nbkeras.__file__).parents[1]
    for _ in range(kills):
        process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(KILLED), *map(str, paths)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=root,
        )
        try:
            assert process.stdout.readline().strip() == b"ready"
            # Once both files are there, any moment will do.
            while not all(path.exists() for path in paths):
                assert process.poll() is None
            with_delay = rng.uniform(0, 0.1)
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(with_delay)
        finally:
            process.kill()
            process.communicate()
        model = load_model(paths[0])
        model.load_weights(paths[1])
        assert int(model.optimizer.iterations) == 1
