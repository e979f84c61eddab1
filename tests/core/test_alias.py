"""Programs that say ``import keras`` run against nbkeras, and TensorFlow does not notice."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from nbkeras.core.alias import Imports, ScriptFinder, run_script

CASES = {
    "import keras": "import nbkeras.core as keras",
    "import keras as k": "import nbkeras.core as k",
    "import keras.backend as K, os": "import nbkeras.core.backend as K\nimport os",
    "from keras import layers, Model": "from nbkeras.core import layers, Model",
    "from keras.layers.core import Dense as D": "from nbkeras.core.layers.core import Dense as D",
    "from keras.layers import *": "from nbkeras.core.layers import *",
    "import keras_tuner": "import keras_tuner",
    "from tf_keras import layers": "from tf_keras import layers",
    "from .keras import x": "from .keras import x",
    "from tensorflow import keras": "from tensorflow import keras",
    "import tensorflow as tf, os": "import nbkeras.core.legacy.tensorflow as tf\nimport os",
    "import tensorflow": "import nbkeras.core.legacy.tensorflow as tensorflow",
    "import tensorflow.compat.v1 as tf": "import tensorflow.compat.v1 as tf",
}


@pytest.mark.parametrize("source", CASES)
def test_imports(source: str) -> None:
    assert ast.unparse(Imports().visit(ast.parse(source))) == CASES[source]


SCRIPT = """
import sys
import numpy as np
import keras
import keras.layers
from keras.models import Sequential
from keras.layers.core import Dense
from keras import backend as K
from keras.engine.topology import Layer
import helper

def train(epochs):
    from keras.optimizers import SGD
    model = Sequential([Dense(1, input_dim=2)])
    model.compile(SGD(lr=0.1), 'mse')
    return model.fit(np.ones((8, 2)), np.ones(8), epochs=epochs, verbose=0)

if __name__ == '__main__':
    history = train(int(sys.argv[1]))
    assert isinstance(helper.layer(), Layer)
    theirs = sys.modules.get('keras')
    assert theirs is None or 'nbkeras' not in theirs.__file__
    print(len(history.epoch), keras.__name__, helper.__name__, __name__)
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    (tmp_path / "helper.py").write_text("import keras\ndef layer(): return keras.layers.Dense(3)\n")
    path = tmp_path / "train.py"
    path.write_text(SCRIPT)
    return path


def test_run_script(script: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sys.argv, list(sys.path), sys.modules["__main__"]
    names = run_script(script, ["3"])
    assert capsys.readouterr().out.split() == ["3", "nbkeras.core", "helper", "__main__"]
    assert names["__file__"] == str(script)
    assert (sys.argv, sys.path, sys.modules["__main__"]) == before
    assert not any(isinstance(finder, ScriptFinder) for finder in sys.meta_path)
    sys.modules.pop("helper")


def test_names_of_tensorflow_1(tmp_path: Path) -> None:
    path = tmp_path / "session.py"
    path.write_text(
        "import keras.backend as K\nimport tensorflow as tf\n"
        "config = tf.ConfigProto(intra_op_parallelism_threads=1)\n"
        "config.gpu_options.allow_growth = True\n"
        "tf.set_random_seed(1234)\n"
        "K.set_session(tf.Session(graph=tf.get_default_graph(), config=config))\n"
        "logarithm = float(tf.log(tf.constant(1.0)))\n"
        "same = tf.reduce_sum\n"
    )
    with pytest.warns(UserWarning, match="no sessions"):
        names = run_script(path)
    import tensorflow as tf

    assert names["logarithm"] == 0.0
    assert names["same"] is tf.reduce_sum
    with pytest.raises(AttributeError, match="nor had TensorFlow 1"):
        print(names["tf"].nothing_of_this_name)


def test_the_command_line(script: Path) -> None:
    command = [sys.executable, "-m", "nbkeras", "run", str(script), "2"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[0] == "2"
    missing = [sys.executable, "-m", "nbkeras", "run", "nowhere.py"]
    done = subprocess.run(missing, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "There is no script 'nowhere.py'" in done.stderr


def test_an_error_in_a_script_names_its_line(script: Path) -> None:
    script.write_text("import keras\n\nraise RuntimeError('line three')\n")
    with pytest.raises(RuntimeError, match="line three") as raised:
        run_script(script)
    assert raised.traceback[-1].lineno == 2
