"""Data made ready for a network: sequences, text, images (Keras 2 manual, chapter 6).

Nothing here needs TensorFlow before a generator of batches is made.
"""

from __future__ import annotations

from . import image, sequence, text

__all__ = ["image", "sequence", "text"]
