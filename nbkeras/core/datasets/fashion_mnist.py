"""Fashion-MNIST: 70,000 pieces of clothing."""

from __future__ import annotations

from .files import STORE, fetch, read_idx
from .splits import Split

__all__ = ["load_data"]

ORIGIN = STORE
FILES = (
    "train-labels-idx1-ubyte.gz",
    "train-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
)


def load_data() -> Split:
    """Fashion-MNIST: 60,000 pictures to train on and 10,000 to test with, in 10 classes.

    The classes are T-shirt/top, trouser, pullover, dress, coat, sandal, shirt, sneaker, bag
    and ankle boot, from 0 to 9. The files are kept in ``~/.keras/datasets/fashion-mnist``.

    Returns:
        ``(x_train, y_train), (x_test, y_test)``: gray images, (samples, 28, 28), and classes,
        (samples,), both uint8.

    Raises:
        OSError: a file cannot be downloaded.

    >>> (x_train, y_train), (x_test, y_test) = load_data()  # doctest: +SKIP

    Source: Keras 2 manual, chapter 12.6; Xiao et al., 2017, arXiv:1708.07747.
    """
    paths = [fetch(name, ORIGIN + name, folder="datasets/fashion-mnist") for name in FILES]
    y_train, y_test = (read_idx(paths[i], (), 60000) for i in (0, 2))
    x_train, x_test = (read_idx(paths[i], (28, 28), 60000) for i in (1, 3))
    return (x_train, y_train), (x_test, y_test)
