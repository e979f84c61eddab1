"""Batches of changed images, one after the other or by number."""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Callable, Generator, Mapping
from typing import Any

import numpy as np

from nbkeras.core.engine.workers import Sequence

from .files import EXTENSIONS, save_img
from .generator import DRAWS, ImageDataGenerator, check_batch

__all__ = ["Iterator", "NumpyArrayIterator"]

SUBSETS = ("training", "validation")


class Iterator(Sequence):
    """Batches of samples, pass after pass, by `next` without end or by number.

    Several threads may ask for batches at once. A copy in another process goes on
    from where the original was.

    Args:
        n: number of samples.
        batch_size: samples in a batch.
        shuffle: whether they are shuffled in each pass.
        seed: NumPy's global generator is seeded with it, plus the number of batches
            given so far, before each batch.

    A subclass writes `_get_batches_of_transformed_samples(index_array)`.

    Example:
        >>> class Numbers(Iterator):
        ...     def _get_batches_of_transformed_samples(self, index_array):
        ...         return index_array.tolist()
        >>> numbers = Numbers(5, batch_size=2, shuffle=False, seed=None)
        >>> numbers[2], next(numbers), next(numbers)
        ([4], [0, 1], [2, 3])

    Source: keras-preprocessing 1.1.2.
    """

    white_list_formats = EXTENSIONS

    def __init__(self, n: int, batch_size: int, shuffle: bool, seed: int | None) -> None:
        if batch_size < 1:
            raise ValueError(f"batch_size is at least 1, as in batch_size=32; got {batch_size!r}.")
        self.n = n
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.seed = seed
        self.batch_index = 0
        self.total_batches_seen = 0
        self.index_array: np.ndarray | None = None
        self.lock = threading.Lock()
        self._is_copy = False
        self._has_copies = False

    def __len__(self) -> int:
        return -(-self.n // self.batch_size)

    def __getitem__(self, idx: int) -> Any:
        if not 0 <= idx < len(self):
            raise ValueError(f"There are {len(self)} batches, from 0; got {idx}.")
        with DRAWS:
            # Copies do not know of each other: there, the seed follows from the number.
            self._seed(self.total_batches_seen + (idx if self._is_copy else 0))
            if not self._is_copy:
                self.total_batches_seen += 1
            if self.index_array is None:
                self._set_index_array()
            finish = self._begin(self._rows(idx))
        return finish()

    def __iter__(self) -> Iterator:
        return self

    def __next__(self) -> Any:
        return self.next()

    def next(self) -> Any:
        """The next batch."""
        with DRAWS:
            finish = self._begin(self._next_indices())
        return finish()

    @property
    def index_generator(self) -> Generator[np.ndarray, None, None]:
        """The samples of the batches to come."""
        while True:
            yield self._next_indices()

    def on_epoch_end(self) -> None:
        """Shuffle for the next pass."""
        with DRAWS:
            if self._has_copies:  # they gave the batches of this pass
                self.total_batches_seen += len(self)
                self._seed(self.total_batches_seen)
            self._set_index_array()

    def reset(self) -> None:
        """Let `next` begin a new pass."""
        self.batch_index = 0

    def _next_indices(self) -> np.ndarray:
        with DRAWS:
            self._seed(self.total_batches_seen)
            self.total_batches_seen += 1
            if self.batch_index == 0 or self.index_array is None:
                self._set_index_array()
            number = self.batch_index
            self.batch_index = number + 1 if number + 1 < len(self) else 0
            return self._rows(number)

    def _rows(self, number: int) -> np.ndarray:
        assert self.index_array is not None
        return self.index_array[self.batch_size * number : self.batch_size * (number + 1)]

    def _set_index_array(self) -> None:
        self.index_array = np.random.permutation(self.n) if self.shuffle else np.arange(self.n)

    def _seed(self, batches: int) -> None:
        if self.seed is not None:
            np.random.seed(self.seed + batches)

    def _begin(self, indices: np.ndarray) -> Callable[[], Any]:
        """Draw what a batch needs; what is returned computes it, in any thread."""
        batch = self._get_batches_of_transformed_samples(indices)
        return lambda: batch

    def _get_batches_of_transformed_samples(self, index_array: np.ndarray) -> Any:
        """The batch of some samples."""
        raise NotImplementedError(
            f"{type(self).__name__} needs _get_batches_of_transformed_samples(self, index_array)."
        )

    def get_state(self) -> dict[str, Any]:
        """What a pass begins with."""
        with DRAWS:
            return {
                "batch_index": self.batch_index,
                "index_array": self.index_array,
                "total_batches_seen": self.total_batches_seen,
            }

    def set_state(self, state: Mapping[str, Any], given: int | None = 0) -> None:
        """Go on where a pass was begun and some batches were given; exact with a seed."""
        with DRAWS:
            super().set_state(state)
            if given and self.index_array is None:  # as the first batch of all did
                self._seed(self.total_batches_seen)
                self._set_index_array()
            self.total_batches_seen += given or 0
            self._has_copies = given is None

    def __getstate__(self) -> dict[str, Any]:
        with DRAWS:
            if self.index_array is None:  # all copies must have the same order
                self._seed(self.total_batches_seen)
                self._set_index_array()
            self._has_copies = True
            return {name: value for name, value in vars(self).items() if name != "lock"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state, lock=threading.Lock(), _is_copy=True, _has_copies=False)


class ImageIterator(Iterator):
    """What the iterators of images share: change, normalize, save to look at.

    A subclass writes `_image(number)` and `_targets(batch, indices)`.
    """

    image_data_generator: ImageDataGenerator | None
    image_shape: tuple[int, ...]
    data_format: str
    dtype: Any
    save_to_dir: str | None
    save_prefix: str
    save_format: str
    saved_names = 10_000  # numbers in the names of saved images

    def _save_as(self, directory: Any, prefix: str, file_format: str) -> None:
        self.save_to_dir = directory
        self.save_prefix = prefix
        self.save_format = file_format
        if directory:
            os.makedirs(directory, exist_ok=True)

    def _begin(self, indices: np.ndarray) -> Callable[[], Any]:
        name = "_get_batches_of_transformed_samples"
        if getattr(type(self), name) is not getattr(ImageIterator, name):
            return super()._begin(indices)  # a user's class computes its batches itself
        return self._plan(indices)

    def _plan(self, indices: np.ndarray) -> Callable[[], Any]:
        """Draw what a batch needs; what is returned computes it, in any thread."""
        if _may_draw(self.image_data_generator):
            batch = self._changed(indices, None)
            finish: Callable[[], np.ndarray] = lambda: batch  # noqa: E731
        else:
            drawn = [self._draw() for _ in indices]
            finish = functools.partial(self._changed, indices, drawn)
        numbers = [np.random.randint(self.saved_names) for _ in indices if self.save_to_dir]
        return functools.partial(self._finish, finish, indices, numbers)

    def _draw(self) -> dict[str, Any]:
        generator = self.image_data_generator
        return {} if generator is None else generator.get_random_transform(self.image_shape)

    def _changed(self, indices: np.ndarray, drawn: list[dict[str, Any]] | None) -> np.ndarray:
        """The images of a batch, with the changes that were drawn, or are to be drawn."""
        generator = self.image_data_generator
        batch = np.empty((len(indices), *self.image_shape), dtype=self.dtype)
        for place, number in enumerate(indices):
            x, target = self._image(number), batch[place]
            if generator is not None:
                changes = self._draw() if drawn is None else drawn[place]
                x = generator.apply_transform(x, changes)
                if x.dtype == batch.dtype and x.shape == target.shape:
                    _fill(target, x)  # where it is normalized in place
                    x = target
                x = generator.standardize(x)
            if x is not target:
                target[...] = x
        return batch

    def _finish(
        self, changed: Callable[[], np.ndarray], indices: np.ndarray, numbers: list[int]
    ) -> Any:
        batch = changed()
        for x, index, number in zip(batch, indices, numbers, strict=False):
            name = f"{self.save_prefix}_{index}_{number}.{self.save_format}"
            save_img(os.path.join(str(self.save_to_dir), name), x, self.data_format)
        return self._targets(batch, indices)

    def _get_batches_of_transformed_samples(self, index_array: np.ndarray) -> Any:
        with DRAWS:
            finish = self._plan(index_array)
        return finish()

    def _image(self, number: int) -> np.ndarray:
        """An image, not yet changed, that may be written to."""
        raise NotImplementedError

    def _targets(self, batch: np.ndarray, indices: np.ndarray) -> Any:
        """The batch together with what belongs to it."""
        raise NotImplementedError


def _may_draw(generator: ImageDataGenerator | None) -> bool:
    """Whether other methods than `get_random_transform` may draw random numbers."""
    if generator is None:
        return False
    own = (type(generator).apply_transform, type(generator).standardize)
    theirs = (ImageDataGenerator.apply_transform, ImageDataGenerator.standardize)
    return generator.preprocessing_function is not None or own != theirs


def _fill(target: np.ndarray, x: np.ndarray) -> None:
    """Copy an image; a mirrored one channel by channel, which NumPy does three times as fast."""
    if x.strides[-1] == x.itemsize and x.strides[-2] < 0 and x.shape[-1] <= 4:
        for channel in range(x.shape[-1]):
            target[..., channel] = x[..., channel]
    else:
        target[...] = x


def check_subset(subset: Any, generator: ImageDataGenerator | None) -> tuple[float, float] | None:
    """From which to which fraction of the data a subset goes."""
    if subset is None:
        return None
    if subset not in SUBSETS:
        raise ValueError(f"subset is 'training' or 'validation'; got {subset!r}.")
    split = getattr(generator, "_validation_split", 0.0)
    if subset == "validation" and not split:
        raise ValueError(
            "subset='validation' needs a generator that keeps data for it: "
            "ImageDataGenerator(validation_split=0.2)."
        )
    return (0.0, split) if subset == "validation" else (split, 1.0)


class NumpyArrayIterator(ImageIterator):
    """Batches of images in an array; see :meth:`ImageDataGenerator.flow`.

    Example:
        >>> x = np.zeros((5, 4, 4, 1))
        >>> batches = NumpyArrayIterator(x, None, ImageDataGenerator(), batch_size=2)
        >>> len(batches), batches[2].shape
        (3, (1, 4, 4, 1))
    """

    def __init__(
        self,
        x: Any,
        y: Any,
        image_data_generator: ImageDataGenerator,
        batch_size: int = 32,
        shuffle: bool = False,
        sample_weight: Any = None,
        seed: int | None = None,
        data_format: str = "channels_last",
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        dtype: Any = "float32",
    ) -> None:
        further: list[Any] = []
        if isinstance(x, tuple | list):
            if len(x) != 2:
                raise ValueError(
                    "x is an array of images, or a pair (images, further arrays); got "
                    f"{len(x)} parts. For a list of images, write np.stack(x)."
                )
            x, rest = x
            further = [np.asarray(a) for a in (rest if isinstance(rest, list) else [rest])]
        images = np.asarray(x)
        channel_axis = 3 if data_format == "channels_last" else 1
        check_batch(images, channel_axis, data_format, "flow")
        y = None if y is None else np.asarray(y)
        weights = None if sample_weight is None else np.asarray(sample_weight)
        for name, part in (("y", y), ("sample_weight", weights), *(("x[1]", a) for a in further)):
            if part is not None and len(part) != len(images):
                raise ValueError(
                    f"{name} has one entry for each of the {len(images)} images; got {len(part)}."
                )
        rows = slice(None)
        split = check_subset(subset, image_data_generator)
        if split is not None:
            middle = int(len(images) * image_data_generator._validation_split)
            rows = slice(0, middle) if subset == "validation" else slice(middle, None)
            _check_classes(y, middle)

        self.x = images[rows]
        self.x_misc = [part[rows] for part in further]
        self.y = None if y is None else y[rows]
        self.sample_weight = None if weights is None else weights[rows]
        self.image_shape = images.shape[1:]
        self.image_data_generator = image_data_generator
        self.data_format = data_format
        self.dtype = dtype
        self._save_as(save_to_dir, save_prefix, save_format)
        super().__init__(len(self.x), batch_size, shuffle, seed)

    def _image(self, number: int) -> np.ndarray:
        return self.x[number].astype(self.dtype)

    def _targets(self, batch: np.ndarray, indices: np.ndarray) -> Any:
        x: Any = [batch, *(part[indices] for part in self.x_misc)] if self.x_misc else batch
        if self.y is None:
            return x
        parts = (self.y, self.sample_weight)
        return (x, *(part[indices] for part in parts if part is not None))


def _check_classes(y: np.ndarray | None, middle: int) -> None:
    """Classes that occur in one subset only: the data were not shuffled."""
    if y is None or (y.dtype.kind == "f" and (y != np.floor(y)).any()):
        return  # numbers to be predicted, not classes
    if not np.array_equal(np.unique(y[:middle]), np.unique(y[middle:])):
        raise ValueError(
            "The first part of the data, for validation, and the rest do not have the same "
            "classes. Shuffle them first: order = np.random.permutation(len(x)); x, y = x[order], "
            "y[order]."
        )
