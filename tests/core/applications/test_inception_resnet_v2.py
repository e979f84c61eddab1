"""The one layer that keras-applications wrote as a Lambda can be saved and loaded."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from nbkeras.core import layers, models
from nbkeras.core.applications.inception import Convolved
from nbkeras.core.applications.inception_resnet_v2 import Residual, ScaledSum


@pytest.fixture(scope="module")
def model():
    x = layers.Input((6, 5, 4))
    block = Residual("block", 0.25, ((Convolved(3),), (Convolved(2), Convolved(3, (1, 3)))))
    return models.Model(x, block(x))


def test_a_residual_block(model):
    """What is before the last layer, joined and mixed, counts a quarter."""
    inner = models.Model(model.input, model.get_layer("block_conv").output)
    x = np.random.default_rng(0).normal(size=(2, 6, 5, 4)).astype("float32")
    wanted = np.maximum(x + 0.25 * inner.predict(x), 0)
    np.testing.assert_allclose(model.predict(x), wanted, rtol=1e-5, atol=1e-6)
    assert model.get_layer("block_mixed").output_shape == (None, 6, 5, 6)


def test_two_tensors_are_added():
    with pytest.raises(ValueError, match="2"):
        ScaledSum(0.5)([layers.Input((3,))] * 3)


def test_configuration():
    layer = ScaledSum(0.17, name="block35_1")
    assert layer.compute_output_shape([(None, 4, 3), (None, 4, 1)]) == (None, 4, 3)
    again = layers.deserialize(layers.serialize(layer))
    assert (type(again), again.scale, again.name) == (ScaledSum, 0.17, "block35_1")


LOAD = """
import sys
import numpy as np
from nbkeras.core.models import load_model
model = load_model(sys.argv[1])
np.save(sys.argv[2], model.predict(np.load(sys.argv[3])))
"""


@pytest.mark.slow
def test_another_process_loads_it(model, tmp_path):
    """Nothing of keras.applications has been imported there."""
    x = np.random.default_rng(0).normal(size=(2, 6, 5, 4)).astype("float32")
    np.save(tmp_path / "x.npy", x)
    model.save(tmp_path / "model.h5")
    paths = [str(tmp_path / name) for name in ("model.h5", "y.npy", "x.npy")]
    subprocess.run([sys.executable, "-c", LOAD, *paths], check=True, timeout=120)
    np.testing.assert_allclose(np.load(tmp_path / "y.npy"), model.predict(x), rtol=1e-6)
