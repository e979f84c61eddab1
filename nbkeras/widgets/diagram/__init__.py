"""A model as a diagram: outline, layout, and picture. No widget; knows events and text only.

>>> from nbkeras.events import LayerInfo, ModelBuilt
>>> one = LayerInfo("a", "Dense", (None, 2), (None, 3), 9, 9, True, 36)
>>> drawing = lay_out(Outline.of(ModelBuilt("net", "Sequential", (one,))))
>>> svg(drawing)[:4], png(drawing)[1:4]
('<svg', b'PNG')
"""

from nbkeras.widgets.diagram.drawing import describe, png, svg
from nbkeras.widgets.diagram.layout import DIRECTIONS, Direction, Drawing, Edge, Node, lay_out
from nbkeras.widgets.diagram.outline import Outline, View

__all__ = [
    "DIRECTIONS",
    "Direction",
    "Drawing",
    "Edge",
    "Node",
    "Outline",
    "View",
    "describe",
    "lay_out",
    "png",
    "svg",
]
