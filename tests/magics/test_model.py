"""``%%model``: stacks, code, and what is wrong with a cell."""

from __future__ import annotations

import numpy as np
import pytest
from IPython.core.error import UsageError

from nbkeras.magics.model import row_shape
from tests.magics.conftest import Notebook


def kinds(model: object) -> list[str]:
    return [type(layer).__name__ for layer in model.layers if type(layer).__name__ != "InputLayer"]


# ---------------------------------------------------------------- stacks


def test_each_line_is_a_layer(notebook: Notebook) -> None:
    model = notebook.run(
        "%%model net --input x\n"
        "# a comment\n"
        "Dense(4, activation='relu')\n"
        "\n"
        "Dropout(0.5),\n"
        "Dense(\n"
        "    2,  # two\n"
        ")\n"
    )
    assert kinds(model) == ["Dense", "Dropout", "Dense"]
    assert model is notebook["net"]
    assert model.input_shape == (None, 8)
    assert model.output_shape == (None, 2)


def test_a_stack_may_hold_python(notebook: Notebook) -> None:
    notebook["deep"] = True
    model = notebook.run(
        "%%model net --input 8\n"
        "'''A pyramid.'''\n"
        "units = 16\n"
        "while units > 2:\n"
        "    Dense(units)\n"
        "    units //= 2\n"
        "if deep:\n"
        "    Dropout(0.1)\n"
        "else:\n"
        "    Flatten()\n"
        "last = Dense(1)\n"
        "last\n"
    )
    assert [layer.units for layer in model.layers if hasattr(layer, "units")] == [16, 8, 4, 1]
    assert kinds(model)[3] == "Dropout"
    assert notebook["units"] == 2
    assert notebook["last"] is model.layers[-1]


@pytest.mark.parametrize(
    "cell", ["[Dense(3), Dense(2)]", "Dense(3), Dense(2)", "Dense(3); Dense(2)"]
)
def test_layers_in_one_line(notebook: Notebook, cell: str) -> None:
    assert kinds(notebook.run(f"%%model net\n{cell}")) == ["Dense", "Dense"]


def test_a_trained_model_can_be_the_first_layer_of_a_stack(notebook: Notebook) -> None:
    base = notebook.run("%%model base --input 8\nDense(4)")
    model = notebook.run("%%model net --input 8\nbase\nDense(2)")
    assert model.layers[-2] is base
    assert model.output_shape == (None, 2)


def test_without_input_the_shapes_come_with_the_data(notebook: Notebook) -> None:
    model = notebook.run("%%model net --loss mse --optimizer sgd\nDense(4)\nDense(1)")
    assert not model.built
    notebook.run("%fit net x y --verbose 0")
    assert model.output_shape == (None, 1)


# ---------------------------------------------------------------- code


def test_the_last_expression_is_the_model(notebook: Notebook) -> None:
    model = notebook.run("%%model net\na = Input((3,))\nb = Dense(4)(a)\nModel(a, Dense(2)(b))\n")
    assert model.output_shape == (None, 2)
    assert notebook["net"] is model
    assert {"a", "b"} <= notebook.shell.user_ns.keys()


@pytest.mark.parametrize(
    "cell",
    [
        "net = Sequential()\nnet.add(Dense(4, input_shape=(8,)))\nnet.add(Dense(1))",
        "net = keras.models.Sequential([Dense(4, input_shape=(8,)), Dense(1)])",
        "for net in [Sequential([Dense(4, input_shape=(8,)), Dense(1)])]: pass",
        "a = Input((8,))\nModel(a, Dense(1)(Dense(4)(a)))",
    ],
)
def test_or_the_variable_is(notebook: Notebook, cell: str) -> None:
    model = notebook.run(f"%%model net\n{cell}")
    assert kinds(model) == ["Dense", "Dense"]
    assert notebook["net"] is model


def test_a_model_of_before_can_be_continued(notebook: Notebook) -> None:
    first = notebook.run("%%model net --input 8\nDense(4)")
    assert notebook.run("%%model net\nnet.add(Dense(2))") is first
    assert first.output_shape == (None, 2)


def test_input_completes_code_whose_shapes_are_open(notebook: Notebook) -> None:
    model = notebook.run("%%model net --input x\nnet = Sequential([Dense(4)])")
    assert model.output_shape == (None, 4)
    with pytest.raises(UsageError, match=r"--input is \(5,\), but the model .* takes \(8,\)"):
        notebook.run("%%model net --input 5\nSequential([Dense(4, input_shape=(8,))])")


def test_code_may_use_ipython(notebook: Notebook) -> None:
    model = notebook.run("%%model net\nwhere = %pwd\nassert where\nSequential([Dense(1)])")
    assert kinds(model) == ["Dense"]


# ---------------------------------------------------------------- names


def test_offered_names_do_not_leak(notebook: Notebook) -> None:
    before = set(notebook.shell.user_ns)
    builtins = notebook["__builtins__"]
    notebook.run("%%model net\nDense(1, kernel_initializer=keras.initializers.Zeros())")
    new = {name for name in set(notebook.shell.user_ns) - before if not name.startswith("_")}
    assert new == {"net"}
    assert notebook["__builtins__"] is builtins
    for name in ("Dense", "keras", "K"):
        with pytest.raises(NameError):
            notebook.run(name)


def test_a_function_of_the_cell_still_finds_them_later(notebook: Notebook) -> None:
    notebook.run(
        "%%model net\n"
        "def block(units, Reshape=None):\n"
        "    'A docstring.'\n"
        "    assert Reshape is None\n"
        "    return [Dense(n, kernel_initializer=keras.initializers.Zeros()) for n in units]\n"
        "single = lambda: Dense(K.ndim(K.zeros((2, 2))))\n"
        "Sequential(block([2, 3]))\n"
    )
    assert len(notebook.run("block([4])")) == 1
    assert notebook.run("single().units") == 2
    assert notebook["block"].__doc__ == "A docstring."
    with pytest.raises(NameError):
        notebook.run("Dense")


def test_the_users_own_names_come_first(notebook: Notebook) -> None:
    notebook.run("def Dense(units): return 'mine'")
    with pytest.raises(UsageError, match=r"line 2: Dense\(3\) is a str, not a layer"):
        notebook.run("%%model net\nDense(3)\nDropout(0.5)")


# ---------------------------------------------------------------- options


def test_the_seed_repeats_a_model(notebook: Notebook) -> None:
    cell = "%%model net --input x --seed 3\nDense(4)\nDense(2)"
    one, two = notebook.run(cell).get_weights(), notebook.run(cell).get_weights()
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a, b)


def test_it_is_compiled_as_asked(notebook: Notebook) -> None:
    model = notebook.run(
        "%%model net --input x --optimizer SGD(momentum=0.5) --lr 0.125 --loss mse "
        "--metrics acc,mae\nDense(1)"
    )
    assert type(model.optimizer).__name__ == "SGD"
    assert float(model.optimizer.lr) == 0.125
    assert model.metrics_names[0] == "loss"
    assert len(model.metrics_names) == 3


def test_a_loss_of_the_users_own(notebook: Notebook) -> None:
    notebook.run("def mine(t, p): return (t - p) ** 2 * 0 + 7")
    notebook.run("%%model net --input x --loss mine --optimizer sgd\nDense(1)")
    assert notebook.run("%evaluate net x y") == pytest.approx(7)


def test_a_default_is_said(notebook: Notebook) -> None:
    text = notebook.shown("%%model net --input x --loss mse\nDense(1)")
    assert "net is compiled with the optimizer adam, the default." in text
    assert "default" not in notebook.shown("%%model net --input x\nDense(1)")
    assert notebook["net"].optimizer is None


def test_the_table_is_shown_once_or_not(notebook: Notebook) -> None:
    cell = "%%model net --input x{}\nDense(3)\nDense(1){}"
    assert notebook.shown(cell.format("", "")).count("(None, 3)") == 1
    assert "(None, 3)" not in notebook.shown(cell.format(" --show none", ""))
    assert "(None, 3)" not in notebook.shown(cell.format("", ";"))
    assert notebook.shown("net").count("(None, 3)") == 1


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        ((8, 8, 1), (8, 8, 1)),
        ([8, 8], (8, 8)),
        (64, (64,)),
        ((None, 3), (None, 3)),
        (np.zeros((5, 2, 3)), (2, 3)),
        (np.zeros(5), (1,)),
        ([[1.0, 2.0], [3.0, 4.0]], (2,)),
    ],
)
def test_row_shape(value: object, shape: tuple[int | None, ...]) -> None:
    assert row_shape(value) == shape


@pytest.mark.parametrize("value", ["x", 0, -1, 1.5, True, [], [[1], [2, 3]], {}])
def test_row_shape_refuses(value: object) -> None:
    with pytest.raises(UsageError, match="--input takes the shape of one row"):
        row_shape(value)


# ---------------------------------------------------------------- what is wrong


@pytest.mark.parametrize(
    ("cell", "message"),
    [
        ("%%model\nDense(1)", "expected a name for the model. For example: %%model net"),
        ("%%model a b\nDense(1)", "expected one name, not 'a b'"),
        ("%%model 1a\nDense(1)", "'1a' is no name for a variable"),
        ("%%model net --los mse\nDense(1)", "no option --los. Did you mean --loss?"),
        ("%%model net --show tabel\nDense(1)", "Did you mean --show table?"),
        ("%%model net --input x_train\nDense(1)", "--input: there is no 'x_train'"),
        ("%%model net --input 'x'\nDense(1)", "--input takes the shape of one row"),
        ("%%model net --optimizer adam\nDense(1)", "--optimizer needs a --loss"),
        ("%%model net --loss mse --lr -1\nDense(1)", "--lr takes a positive number, not -1"),
        ("%%model net --seed 1.5\nDense(1)", "--seed takes a whole number"),
        (
            "%%model net\nDens(3)",
            "line 2: there is no layer or variable 'Dens'. Did you mean 'Dense'",
        ),
        ("%%model net\n\nDense(2)\nDense()", "line 4, Dense(): Dense() missing"),
        ("%%model net\nDense(3)\nFlatten", "line 3: Flatten is a class; write Flatten(...)"),
        ("%%model net\nDense(3)\n2 + 2", "line 3: 2 + 2 is a int, not a layer"),
        ("%%model net\nDense(3)(Input((2,)))", "is a tensor, not yet a model. End with Model("),
        ("%%model net\n# nothing", "The cell has no model. Write one layer a line"),
        ("%%model net\nother = 5", "The cell has no model."),
        (
            "%%model net\nnet = Sequential([Dense(1)])\nDense(2)",
            "line 3: Dense(2) is a layer that nothing uses",
        ),
        (
            "%%model net\nnet = Sequential([Dense(1)])\nSequential([Dense(2)])",
            "line 3: two models",
        ),
    ],
)
def test_wrong_cells(notebook: Notebook, cell: str, message: str) -> None:
    with pytest.raises(UsageError) as error:
        notebook.run(cell)
    assert message in str(error.value)
    assert "net" not in notebook or "Sequential" in cell


def test_a_wrong_shape_is_answered_with_line_and_shapes(notebook: Notebook) -> None:
    with pytest.raises(UsageError) as error:
        notebook.run(
            "%%model net --input 4\n"
            "Dense(6, name='first')\n"
            "# the mistake:\n"
            "Reshape((5, 2), name='second')\n"
            "Dense(1)\n"
        )
    text = str(error.value)
    assert text.startswith("line 4, Reshape((5, 2), name='second'): ")
    assert "6" in text.split("\n")[0]
    assert "(5, 2)" in text.split(": ", 1)[1]
    assert "input (None, 4) → first (None, 6) → second ✗" in text


def test_a_wrong_shape_in_code_too(notebook: Notebook) -> None:
    with pytest.raises(UsageError) as error:
        notebook.run(
            "%%model net\n"
            "start = Input((4,))\n"
            "middle = Dense(6)(start)\n"
            "end = Reshape((5, 2))(middle)\n"
            "Model(start, end)\n"
        )
    text = str(error.value)
    assert text.startswith("line 4, end = Reshape((5, 2))(middle): ")
    assert "middle (None, 6)" in text


def test_a_wrong_cell_shows_no_traceback(notebook: Notebook) -> None:
    text = notebook.shown("%%model net --input 4\nReshape((5, 2))")
    assert text.startswith("UsageError: line 2, ")
    assert "Traceback" not in text


def test_an_error_of_the_users_own_code_is_theirs(notebook: Notebook) -> None:
    text = notebook.shown("%%model net\ndef half(n):\n    return n / 0\nDense(half(3))")
    assert "ZeroDivisionError" in text
    assert "return n / 0" in text
    assert "nbkeras/magics" not in text


def test_a_syntax_error_is_answered_with_its_place(notebook: Notebook) -> None:
    text = notebook.shown("%%model net\nDense(3)\nDense(2 3)")
    assert text.startswith("UsageError: line 3: ")
    assert "    Dense(2 3)\n          ^" in text


def test_a_wrong_optimizer_is_answered_with_the_closest(notebook: Notebook) -> None:
    with pytest.raises(UsageError, match=r"(?i)adma.*adam"):
        notebook.run("%%model net --input x --loss mse --optimizer adma\nDense(1)")
    assert "net" not in notebook


def test_help(notebook: Notebook) -> None:
    assert "--optimizer NAME|OBJECT" in notebook.shown("%%model --help\n_")
    assert "--optimizer" in notebook.shell.find_magic("model", "cell").__doc__
