"""Unique numbers, and what became of sessions."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from nbkeras.core import backend as K
from nbkeras.core.backend import symbolic


def test_uids():
    K.reset_uids()
    assert [K.get_uid("dense"), K.get_uid("dense"), K.get_uid(), K.get_uid("conv")] == [1, 2, 1, 1]
    K.reset_uids()
    assert K.get_uid("dense") == 1


def test_clear_session():
    K.get_uid("dense")
    K.set_learning_phase(1)
    K.clear_session()
    assert K.get_uid("dense") == 1
    assert symbolic.current_phase() is None


def test_sessions_are_gone():
    with pytest.raises(RuntimeError, match=r"K\.function\(\[inputs\], \[outputs\]\)"):
        K.get_session()
    with pytest.warns(UserWarning, match="set_random_seed"):
        K.set_session(None)


def test_small_ones():
    assert K.backend() == "tensorflow"
    K.manual_variable_initialization(False)
    with pytest.raises(TypeError, match="True or False"):
        K.manual_variable_initialization(1)
    with tf.Graph().as_default(), K.name_scope("part"):
        assert tf.constant(1.0).name.startswith("part/")


def test_settings():
    assert (K.floatx(), K.epsilon(), K.image_data_format()) == ("float32", 1e-7, "channels_last")
    K.set_image_data_format("channels_first")
    try:
        x = np.zeros((1, 3, 4, 4), "float32")
        assert K.conv2d(x, np.zeros((2, 2, 3, 5), "float32")).shape == (1, 5, 3, 3)
    finally:
        K.set_image_data_format("channels_last")
