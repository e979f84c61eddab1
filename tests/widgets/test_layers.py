import re

import pytest

from nbkeras.events import Connection, LayerInfo, ModelBuilt, RunEnded
from nbkeras.widgets import LayerTable
from tests.widgets.test_static import EVIL, Outline


def layer(name, kind="Dense", shape=(None, 2), parameters=0, *sources, trainable=None, layers=()):
    links = tuple(s if isinstance(s, Connection) else Connection(s, shape) for s in sources)
    moved = parameters if trainable is None else trainable
    return LayerInfo(
        name,
        kind,
        None,
        shape,
        parameters,
        moved,
        moved > 0 or not parameters,
        4 * parameters,
        links,
        layers=tuple(layers),
    )


def model(*layers, name="net", trainable=None):
    total = sum(item.parameters for item in layers)
    moved = total if trainable is None else trainable
    return ModelBuilt(name, "Model", layers, (), (), total, moved, 4 * total)


def test_a_row_for_each_layer():
    table = LayerTable(
        model(layer("a", "InputLayer"), layer("b", "Dense", (None, 3), 1234567, "a"))
    )
    rows = re.findall(r"<tr>(.*?)</tr>", table.html())
    cells = [re.sub(r"<[^>]+>", "|", row).strip("|").split("||") for row in rows]
    assert cells[0] == ["Layer", "Type", "Output shape", "Parameters", "Trainable", "Connected to"]
    assert cells[2] == ["b", "Dense", "(None, 3)", "1\u202f234\u202f567", "yes", "a"]


def test_totals_with_memory():
    table = LayerTable(model(layer("a", parameters=1000), trainable=750))
    text = str(table).replace("\u202f", " ")
    assert "Trainable: 750 parameters (3.0 KB). Not trainable: 250 (1.0 KB)." in text
    assert "In total: 1 000 (4.0 KB)." in text
    assert "Not trainable" in table.html()
    assert "Not trainable" not in LayerTable(model(layer("a", parameters=10))).html()


@pytest.mark.parametrize(
    ("parameters", "trainable", "said"), [(0, 0, ""), (9, 9, "yes"), (9, 0, "no"), (9, 4, "4")]
)
def test_how_much_of_a_layer_is_trained(parameters, trainable, said):
    row = str(LayerTable(model(layer("x", "D", (1,), parameters, "s", trainable=trainable))))
    assert row.splitlines()[3].split()[4:] == [*([said] if said else []), "s"]


def test_sub_models_fold():
    inner = [layer("inner_1", parameters=3), layer("inner_2", "Model", layers=[layer("deep")])]
    table = LayerTable(model(layer("outer", "Sequential", layers=inner)))
    html = Outline(table.html())
    assert html.tags.count("details") == 2
    assert "2 layers of outer" in html.text
    assert "1 layer of inner_2" in html.text
    assert "open" not in dict(html.attributes)
    names = [re.match(r" *\w+", line)[0] for line in str(table).splitlines()[3:7]]
    assert names == ["outer", "  inner_1", "  inner_2", "    deep"]


def test_shared_layers_say_what_each_call_takes():
    calls = [Connection("a", (1,), 0), Connection("b", (1,), 1), Connection("c", (1,), 1, 2)]
    assert "a | b, c[2]" in str(LayerTable(model(layer("shared", "Dense", (1,), 0, *calls))))


def test_several_outputs():
    table = LayerTable(model(layer("x", shape=((None, 2), (None, 3)))))
    assert "(None, 2), (None, 3)" in str(table)


def test_hostile_names_stay_text():
    table = LayerTable(model(layer(EVIL, EVIL, (1,), 0, EVIL, layers=[layer(EVIL)]), name=EVIL))
    html = Outline(table.html())
    assert "script" not in html.tags
    assert "img" not in html.tags
    assert "\u202e" not in table.html() + str(table) + repr(table)
    assert "\x1b" not in table.html() + str(table) + repr(table)


def test_a_long_model_starts_folded_with_its_sum_in_sight():
    table = LayerTable(model(*[layer(f"l{n}", parameters=10) for n in range(200)]))
    before = table.html().split("<details>")
    assert len(before) == 2
    assert "200 layers" in before[1]
    assert "In total: 2\u202f000" in table.html().split("</details>")[1]


def test_takes_the_description_of_a_model_only():
    with pytest.raises(TypeError, match="ModelBuilt"):
        LayerTable(RunEnded("1", "finished", 1, 1.0))


def test_is_shown_as_html_and_text():
    assert set(LayerTable(model(layer("a")))._repr_mimebundle_()) == {"text/html", "text/plain"}
