"""Decorators that Keras 2 put on what it had changed since Keras 1.

Optimizers and layers that people wrote still carry them. Older spellings of arguments are
understood without them (``engine/spelling.py``), so here all but one return what they are given.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ..optimizers.base import takes_older_arguments

__all__ = [
    "legacy_add_weight_support",
    "legacy_batchnorm_support",
    "legacy_conv1d_support",
    "legacy_conv2d_support",
    "legacy_conv3d_support",
    "legacy_cropping2d_support",
    "legacy_cropping3d_support",
    "legacy_deconv2d_support",
    "legacy_dense_support",
    "legacy_dropout_support",
    "legacy_embedding_support",
    "legacy_gaussiandropout_support",
    "legacy_gaussiannoise_support",
    "legacy_generator_methods_support",
    "legacy_get_updates_support",
    "legacy_global_pooling_support",
    "legacy_input_support",
    "legacy_lambda_support",
    "legacy_model_constructor_support",
    "legacy_pooling1d_support",
    "legacy_pooling2d_support",
    "legacy_pooling3d_support",
    "legacy_prelu_support",
    "legacy_recurrent_support",
    "legacy_separable_conv2d_support",
    "legacy_spatialdropout1d_support",
    "legacy_spatialdropoutNd_support",
    "legacy_upsampling1d_support",
    "legacy_upsampling2d_support",
    "legacy_upsampling3d_support",
    "legacy_zeropadding2d_support",
    "legacy_zeropadding3d_support",
]

Function = TypeVar("Function", bound=Callable[..., Any])


def _as_it_is(function: Function) -> Function:
    """What is given: the older spellings are understood without a decorator."""
    return function


legacy_get_updates_support = takes_older_arguments

legacy_add_weight_support = legacy_batchnorm_support = _as_it_is
legacy_conv1d_support = legacy_conv2d_support = legacy_conv3d_support = _as_it_is
legacy_deconv2d_support = legacy_separable_conv2d_support = _as_it_is
legacy_dense_support = legacy_dropout_support = legacy_embedding_support = _as_it_is
legacy_gaussiandropout_support = legacy_gaussiannoise_support = _as_it_is
legacy_generator_methods_support = legacy_input_support = _as_it_is
legacy_model_constructor_support = legacy_prelu_support = legacy_recurrent_support = _as_it_is
legacy_pooling1d_support = legacy_pooling2d_support = legacy_pooling3d_support = _as_it_is
legacy_spatialdropout1d_support = legacy_spatialdropoutNd_support = _as_it_is
legacy_upsampling3d_support = legacy_zeropadding3d_support = _as_it_is
legacy_cropping2d_support = legacy_cropping3d_support = legacy_zeropadding2d_support = _as_it_is
legacy_upsampling1d_support = legacy_upsampling2d_support = legacy_lambda_support = _as_it_is
legacy_global_pooling_support = _as_it_is
