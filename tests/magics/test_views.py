"""What IPython shows for models and histories."""

from __future__ import annotations

from nbkeras.magics import views
from tests.magics.conftest import Notebook


def test_the_classes_are_where_they_are_said_to_be() -> None:
    from nbkeras.core.callbacks import History
    from nbkeras.core.models import Model

    assert (Model.__module__, Model.__name__) == views.MODEL
    assert (History.__module__, History.__name__) == views.HISTORY


def test_a_model_made_without_magics_is_shown_as_its_table(notebook: Notebook) -> None:
    notebook.run(
        "from nbkeras import keras\n"
        "class Mine(keras.Model): pass\n"
        "a = keras.Input((3,))\n"
        "own = Mine(a, keras.layers.Dense(2, name='only')(a))"
    )
    assert "only" in notebook.shown("own")
    assert "Output shape" in notebook.shown("own")


def test_a_history_from_a_method_is_one_line(trained: Notebook) -> None:
    text = trained.shown("net.fit(x, y, epochs=2, verbose=0)")
    assert "History of 2 epochs: loss " in text


def test_unloading_shows_them_as_any_object(trained: Notebook) -> None:
    assert "Output shape" in trained.shown("net")
    trained.run("%unload_ext nbkeras")
    assert "Output shape" not in trained.shown("net")


def test_weights_are_found_below_sub_models_and_wrappers() -> None:
    from nbkeras.core.layers import Dense, Input, TimeDistributed
    from nbkeras.core.models import Model, Sequential

    inner = Sequential([Dense(3, input_shape=(5,), name="deep")], name="inner")
    x, y = Input((5,), name="x"), Input((7, 5), name="y")
    model = Model([x, y], [inner(x), TimeDistributed(inner, name="each")(y)])
    kernel = inner.get_layer("deep").kernel
    for way in (("inner", "deep"), ("each", "deep")):
        values = views.weights_of(model, *way)
        assert values[kernel.name].tolist() == kernel.numpy().tolist()
