"""Models that tf_keras saved load here, and predict the same; and the other way round."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tf_keras

from nbkeras.core.models import load_model
from tests.oracle import (
    test_layers_convolutional,
    test_layers_core,
    test_layers_merge,
    test_layers_normalization,
    test_layers_recurrent,
    test_layers_wrappers,
)
from tests.oracle.layer_oracle import Case, assert_close, identify, listed, one_or_all, pair

# The first row of each class whose data both sides take as they are.
CASES: dict[str, Case] = {}
for _module in (
    test_layers_convolutional,
    test_layers_core,
    test_layers_merge,
    test_layers_normalization,
    test_layers_recurrent,
    test_layers_wrappers,
):
    for _case in _module.QUICK:
        if not _case.turn:
            CASES.setdefault(_case.name, _case)


@pytest.mark.parametrize("case", CASES.values(), ids=identify)
def test_a_file_of_tf_keras(case: Case, tmp_path: Any) -> None:
    _, theirs, arrays = pair(case)
    path = str(tmp_path / "theirs.h5")
    theirs.save(path)
    model = load_model(path, compile=False)
    expected = listed(theirs(one_or_all(arrays), training=False))
    for y, t in zip(listed(model.predict(one_or_all(arrays))), expected, strict=True):
        assert_close(y, t, "output")


@pytest.mark.parametrize("case", CASES.values(), ids=identify)
def test_our_weights_in_tf_keras(case: Case, tmp_path: Any) -> None:
    mine, theirs, arrays = pair(case)
    path = str(tmp_path / "mine.h5")
    mine.save_weights(path)
    theirs.set_weights([np.zeros_like(w) for w in theirs.get_weights()])
    theirs.load_weights(path)
    assert isinstance(theirs, tf_keras.Model)
    expected = listed(mine.predict(one_or_all(arrays)))
    found = listed(theirs(one_or_all(arrays), training=False))
    for y, t in zip(expected, found, strict=True):
        assert_close(y, t, "output")
