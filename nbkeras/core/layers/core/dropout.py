"""Dropout (Keras 2 manual, chapter 5.2)."""

from __future__ import annotations

from typing import Any, ClassVar

from ... import backend as K
from ... import registry
from ...engine.layer import InputSpec, Layer
from ..rates import Rate

__all__ = ["Dropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D"]


@registry.register("layer")
class Dropout(Layer):
    r"""Sets a share of the numbers to zero while training, and scales up the others.

    .. math:: y = \frac{m x}{1 - r}, \quad m \sim \text{Bernoulli}(1 - r)

    Args:
        rate: the share :math:`r`, at least 0 and below 1; it may be moved while training.
        noise_shape: shape of the mask, with 1 (or ``None`` for the input's own size) where
            one decision serves a whole axis.
        seed: repeats the masks by itself.

    >>> from nbkeras.core import backend as K
    >>> sorted(set(K.get_value(Dropout(0.5, seed=1)(K.ones((100,)), training=True)).tolist()))
    [0.0, 2.0]

    Source: Srivastava et al., Dropout, JMLR 15 (2014); Keras 2 manual, chapter 5.2.
    """

    supports_masking = True
    declares_output = True
    steerable: ClassVar = {"rate": (0.0, 0.95, "linear")}
    rate = Rate()

    def __init__(
        self, rate: float, noise_shape: Any = None, seed: int | None = None, **kwargs: Any
    ):
        super().__init__(**kwargs)
        self.rate = rate
        self.noise_shape = noise_shape
        self.seed = seed

    def call(self, inputs: Any, training: Any = None) -> Any:
        def dropped() -> Any:
            level = Rate.tensor(self, "rate")
            return K.dropout(inputs, level, self.shape_of_noise(inputs), self.seed)

        return K.in_train_phase(dropped, inputs, training=training)

    def shape_of_noise(self, inputs: Any) -> Any:
        """Sizes of the mask; it broadcasts where they are 1."""
        return None if self.noise_shape is None else list(self.noise_shape)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape


class SpatialDropout(Dropout):
    """One decision for all places of a channel, along ``rank`` axes."""

    rank: int

    def __init__(
        self, rate: float, data_format: str | None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(rate, seed=seed, **kwargs)
        self.data_format = K.normalize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    def shape_of_noise(self, inputs: Any) -> Any:
        places = (1,) * self.rank
        if self.data_format == "channels_first":
            return [None, None, *places]
        return [None, *places, None]


@registry.register("layer")
class SpatialDropout1D(SpatialDropout):
    """Drops whole channels of a sequence while training.

    Neighbours in a sequence say nearly the same, so :class:`Dropout` would take little away.

    Args:
        rate: the share of channels, at least 0 and below 1; it may be moved while training.
        seed: repeats the masks by itself.

    Shapes: ``(batch, steps, channels)``; the output is like the input.

    >>> from nbkeras.core.layers import Input
    >>> SpatialDropout1D(0.2)(Input((10, 8))).shape
    TensorShape([None, 10, 8])

    Source: Tompson et al. 2014, arXiv:1411.4280; Keras 2 manual, chapter 5.2.
    """

    rank = 1

    def __init__(self, rate: float, seed: int | None = None, **kwargs: Any) -> None:
        super().__init__(rate, data_format="channels_last", seed=seed, **kwargs)


@registry.register("layer")
class SpatialDropout2D(SpatialDropout):
    """Drops whole channels of an image while training.

    Neighbours in an image say nearly the same, so :class:`Dropout` would take little away.

    Args:
        rate: the share of channels, at least 0 and below 1; it may be moved while training.
        data_format: where the channels are; by default as in ``keras.json``.
        seed: repeats the masks by itself.

    Shapes: ``(batch, rows, columns, channels)``, or with channels first;
    the output is like the input.

    >>> from nbkeras.core.layers import Input
    >>> SpatialDropout2D(0.2)(Input((7, 7, 8))).shape
    TensorShape([None, 7, 7, 8])

    Source: Tompson et al. 2014, arXiv:1411.4280; Keras 2 manual, chapter 5.2.
    """

    rank = 2

    def __init__(
        self, rate: float, data_format: str | None = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(rate, data_format=data_format, seed=seed, **kwargs)


@registry.register("layer")
class SpatialDropout3D(SpatialDropout):
    """Drops whole channels of a volume while training.

    Neighbours in a volume say nearly the same, so :class:`Dropout` would take little away.

    Args:
        rate: the share of channels, at least 0 and below 1; it may be moved while training.
        data_format: where the channels are; by default as in ``keras.json``.
        seed: repeats the masks by itself.

    Shapes: ``(batch, depth, rows, columns, channels)``, or with channels first;
    the output is like the input.

    >>> from nbkeras.core.layers import Input
    >>> SpatialDropout3D(0.2)(Input((7, 7, 7, 8))).shape
    TensorShape([None, 7, 7, 7, 8])

    Source: Tompson et al. 2014, arXiv:1411.4280; Keras 2 manual, chapter 5.2.
    """

    rank = 3

    def __init__(
        self, rate: float, data_format: str | None = None, seed: int | None = None, **kwargs: Any
    ) -> None:
        super().__init__(rate, data_format=data_format, seed=seed, **kwargs)
