"""The networks under test, what is published of them, and keras-applications as it builds them."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any

from nbkeras.core import backend, layers, models, utils

PARAMETERS = {
    ("densenet", "DenseNet121"): 8_062_504,
    ("densenet", "DenseNet169"): 14_307_880,
    ("densenet", "DenseNet201"): 20_242_984,
    ("inception_resnet_v2", "InceptionResNetV2"): 55_873_736,
    ("inception_v3", "InceptionV3"): 23_851_784,
    ("mobilenet", "MobileNet"): 4_253_864,
    ("mobilenet_v2", "MobileNetV2"): 3_538_984,
    ("nasnet", "NASNetLarge"): 88_949_818,
    ("nasnet", "NASNetMobile"): 5_326_716,
    ("resnet", "ResNet50"): 25_636_712,
    ("resnet", "ResNet101"): 44_707_176,
    ("resnet", "ResNet152"): 60_419_944,
    ("resnet50", "ResNet50"): 25_636_712,
    ("resnet_v2", "ResNet50V2"): 25_613_800,
    ("resnet_v2", "ResNet101V2"): 44_675_560,
    ("resnet_v2", "ResNet152V2"): 60_380_648,
    ("vgg16", "VGG16"): 138_357_544,
    ("vgg19", "VGG19"): 143_667_240,
    ("xception", "Xception"): 22_910_480,
}
"""Numbers of parameters: Keras 2 manual, chapter 13.3, and the documentation of Keras 2.3."""

QUICK = {
    ("densenet", "DenseNet121"),
    ("inception_v3", "InceptionV3"),
    ("mobilenet", "MobileNet"),
    ("mobilenet_v2", "MobileNetV2"),
    ("resnet50", "ResNet50"),
    ("resnet_v2", "ResNet50V2"),
    ("xception", "Xception"),
}
"""Those that are built within a second or two."""


def network(module: str, name: str) -> Any:
    """A network's function."""
    return getattr(importlib.import_module(f"nbkeras.core.applications.{module}"), name)


def reference(module: str, name: str, keras: Any = None) -> Any:
    """The same of keras-applications 1.0.8, which builds it with the layers it is given."""
    function = getattr(importlib.import_module(f"keras_applications.{module}"), name)
    if keras is not None:
        parts: dict[str, Any] = {
            part: getattr(keras, part) for part in ("backend", "layers", "models", "utils")
        }
    else:
        parts = {"backend": backend, "layers": _Layers("layers"), "models": models, "utils": utils}
    return lambda **arguments: function(**arguments, **parts)


class _Layers(ModuleType):
    """Our layers; the separable one takes and forgets an argument, as that of Keras 2.3 did."""

    def __getattr__(self, name: str) -> Any:
        return getattr(layers, name)

    @staticmethod
    def SeparableConv2D(*args: Any, kernel_initializer: Any = None, **kwargs: Any) -> Any:
        return layers.SeparableConv2D(*args, **kwargs)


def listing(model: Any) -> list[tuple[Any, ...]]:
    """Each layer of one of our models: name, kind, the layers before it, weights, and shape."""
    return [
        (
            layer.name,
            # keras-applications has a Lambda there, which no file can hold.
            "Lambda" if type(layer).__name__ == "ScaledSum" else type(layer).__name__,
            [tensor.node.operation.name for tensor in layer._inbound_nodes[0].inputs],
            [tuple(weight.shape) for weight in layer.weights],
            layer.output_shape,
        )
        for layer in model.layers
    ]
