"""The name that :mod:`.mobilenet_v2` had in Keras 2.2."""

from .mobilenet_v2 import MobileNetV2, decode_predictions, preprocess_input

__all__ = ["MobileNetV2", "decode_predictions", "preprocess_input"]
