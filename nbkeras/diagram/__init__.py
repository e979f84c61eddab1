"""A model as a diagram: outline, layout, and picture.

Neutral ground: it knows events and text only, so that the interactive graph and
``plot_model``, which know nothing of each other, draw with one layout.

>>> from nbkeras.events import LayerInfo, ModelBuilt
>>> one = LayerInfo("a", "Dense", (None, 2), (None, 3), 9, 9, True, 36)
>>> drawing = lay_out(Outline.of(ModelBuilt("net", "Sequential", (one,))))
>>> svg(drawing)[:4], png(drawing)[1:4]
('<svg', b'PNG')
"""

from nbkeras.diagram.drawing import FORMATS, describe, png, render, svg
from nbkeras.diagram.layout import DIRECTIONS, Direction, Drawing, Edge, Node, lay_out
from nbkeras.diagram.lettering import Plain, Wording
from nbkeras.diagram.outline import Outline, View

__all__ = [
    "DIRECTIONS",
    "FORMATS",
    "Direction",
    "Drawing",
    "Edge",
    "Node",
    "Outline",
    "Plain",
    "View",
    "Wording",
    "describe",
    "lay_out",
    "png",
    "render",
    "svg",
]
