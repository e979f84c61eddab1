"""Which random changes images get, and how their values are normalized."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import linalg

from nbkeras.core import config

from .affine import apply_affine_transform, check_fill_mode
from .augment import apply_brightness_shift, apply_channel_shift, flip_axis, pair

if TYPE_CHECKING:
    from .dataframe import DataFrameIterator
    from .directory import DirectoryIterator
    from .iterators import NumpyArrayIterator

__all__ = ["DRAWS", "ImageDataGenerator"]

DRAWS = threading.RLock()
"""Held while numbers that belong together are drawn from NumPy's global generator."""


class ImageDataGenerator:
    """Batches of images, each changed at random and normalized, without end.

    Args:
        featurewise_center: whether the mean of each channel over the fitted data is
            subtracted.
        samplewise_center: whether the mean of each image is subtracted.
        featurewise_std_normalization: whether images are divided by the standard
            deviation of each channel over the fitted data.
        samplewise_std_normalization: whether each image is divided by its standard
            deviation.
        zca_whitening: whether pixels are decorrelated over the fitted data.
        zca_epsilon: what is added to the variances of ZCA.
        rotation_range: largest rotation, in degrees.
        width_shift_range: largest shift along a row: a fraction of the width (below 1),
            pixels (a float from 1 on), whole pixels below it (an integer), or a list
            to choose from.
        height_shift_range: the same along a column.
        brightness_range: smallest and largest factor of brightness.
        shear_range: largest shear, in degrees.
        zoom_range: largest deviation of the zoom from 1, or smallest and largest zoom.
        channel_shift_range: largest number added to an image.
        fill_mode: what is outside of an image: `'constant'`, `'nearest'`, `'reflect'`
            or `'wrap'`.
        cval: the value outside, for `'constant'`.
        horizontal_flip, vertical_flip: whether half of the images are flipped.
        rescale: factor of all values, applied after the random changes.
        preprocessing_function: a function from an image to one of the same shape,
            applied before the rescaling.
        data_format: `'channels_last'` or `'channels_first'`; by default the session's.
        validation_split: fraction of the data that is `subset='validation'`.
        interpolation_order: of the splines between pixels, 0 to 5.
        dtype: type of the batches; by default the session's float type.

    Raises:
        ValueError: an argument is none of these.

    Numbers are drawn from NumPy's global generator, which an iterator with a `seed`
    seeds before each batch: two iterators with equal arguments and one seed change
    images and their masks alike.

    Example:
        >>> x, y = np.ones((10, 8, 8, 3)), np.arange(10)
        >>> generator = ImageDataGenerator(rescale=1 / 255, rotation_range=20)
        >>> batch, labels = next(generator.flow(x, y, batch_size=4, shuffle=False))
        >>> batch.shape, labels.tolist()
        ((4, 8, 8, 3), [0, 1, 2, 3])

    Source: Keras 2 manual, chapter 6.3.1.
    """

    def __init__(
        self,
        featurewise_center: bool = False,
        samplewise_center: bool = False,
        featurewise_std_normalization: bool = False,
        samplewise_std_normalization: bool = False,
        zca_whitening: bool = False,
        zca_epsilon: float = 1e-6,
        rotation_range: float = 0,
        width_shift_range: Any = 0.0,
        height_shift_range: Any = 0.0,
        brightness_range: Sequence[float] | None = None,
        shear_range: float = 0.0,
        zoom_range: float | Sequence[float] = 0.0,
        channel_shift_range: float = 0.0,
        fill_mode: str = "nearest",
        cval: float = 0.0,
        horizontal_flip: bool = False,
        vertical_flip: bool = False,
        rescale: float | None = None,
        preprocessing_function: Callable[[np.ndarray], np.ndarray] | None = None,
        data_format: str | None = None,
        validation_split: float = 0.0,
        interpolation_order: int = 1,
        dtype: Any = None,
    ) -> None:
        if not 0 <= validation_split < 1:
            raise ValueError(
                "validation_split is the fraction of the data kept for validation, as in "
                f"validation_split=0.2; got {validation_split!r}."
            )
        if preprocessing_function is not None and not callable(preprocessing_function):
            raise ValueError(
                "preprocessing_function is a function from an image to an image; got "
                f"{preprocessing_function!r}."
            )
        if isinstance(zoom_range, int | float | np.number):
            zoom_range = (1 - zoom_range, 1 + zoom_range)
        self.zoom_range = list(pair("zoom_range", zoom_range))
        self.brightness_range = (
            None if brightness_range is None else pair("brightness_range", brightness_range)
        )
        self.fill_mode = check_fill_mode(fill_mode)
        self.data_format = config.normalize_data_format(data_format)
        # Axes of a batch.
        first = self.data_format == "channels_first"
        self.channel_axis, self.row_axis, self.col_axis = (1, 2, 3) if first else (3, 1, 2)

        self.samplewise_center = samplewise_center
        self.samplewise_std_normalization = samplewise_std_normalization
        self.featurewise_center = featurewise_center
        self.featurewise_std_normalization = featurewise_std_normalization
        self.zca_whitening = zca_whitening
        self.zca_epsilon = zca_epsilon
        self.rotation_range = rotation_range
        self.width_shift_range = width_shift_range
        self.height_shift_range = height_shift_range
        self.shear_range = shear_range
        self.channel_shift_range = channel_shift_range
        self.cval = cval
        self.horizontal_flip = horizontal_flip
        self.vertical_flip = vertical_flip
        self.rescale = rescale
        self.preprocessing_function = preprocessing_function
        self.interpolation_order = interpolation_order
        self.dtype = dtype or config.floatx()
        self._validation_split = validation_split
        # Arrays, once `fit` was called.
        self.mean: Any = None
        self.std: Any = None
        self.principal_components: Any = None
        self._settle_normalization()

    def _settle_normalization(self) -> None:
        """A division by a deviation, and ZCA, imply that the mean is subtracted."""
        if self.zca_whitening:
            self._set_for("zca_whitening", "featurewise_center", True)
            self._set_for("zca_whitening", "featurewise_std_normalization", False)
        if self.featurewise_std_normalization:
            self._set_for("featurewise_std_normalization", "featurewise_center", True)
        if self.samplewise_std_normalization:
            self._set_for("samplewise_std_normalization", "samplewise_center", True)

    def _set_for(self, reason: str, name: str, value: bool) -> None:
        if bool(getattr(self, name)) != value:
            warnings.warn(f"{reason}=True sets {name}={value}.", stacklevel=5)
            setattr(self, name, value)

    # ------------------------------------------------------------ batches

    def flow(
        self,
        x: Any,
        y: Any = None,
        batch_size: int = 32,
        shuffle: bool = True,
        sample_weight: Any = None,
        seed: int | None = None,
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
    ) -> NumpyArrayIterator:
        """Batches of images in an array.

        Args:
            x: images, four axes; or (images, further arrays), which are passed on.
            y: targets.
            batch_size: images in a batch.
            shuffle: whether images are shuffled in each pass.
            sample_weight: a weight for each image.
            seed: seed of the shuffles and of the random changes.
            save_to_dir: a folder into which the changed images are written, to look at.
            save_prefix, save_format: how their files are named.
            subset: `'training'` or `'validation'`; see `validation_split`.

        Returns:
            An iterator of x, (x, y) or (x, y, sample weights); also a `Sequence`.

        Raises:
            ValueError: shapes do not fit together.
        """
        from .iterators import NumpyArrayIterator

        return NumpyArrayIterator(
            x,
            y,
            self,
            batch_size=batch_size,
            shuffle=shuffle,
            sample_weight=sample_weight,
            seed=seed,
            data_format=self.data_format,
            save_to_dir=save_to_dir,
            save_prefix=save_prefix,
            save_format=save_format,
            subset=subset,
            dtype=self.dtype,
        )

    def flow_from_directory(
        self,
        directory: str,
        target_size: tuple[int, int] = (256, 256),
        color_mode: str = "rgb",
        classes: Sequence[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        follow_links: bool = False,
        subset: str | None = None,
        interpolation: str = "nearest",
    ) -> DirectoryIterator:
        """Batches of the images in a folder with a folder for each class.

        Args:
            directory: the folder.
            target_size: (height, width) of the batches.
            color_mode: `'rgb'`, `'rgba'` or `'grayscale'`.
            classes: names of the folders, in the order of their numbers; by default all,
                sorted.
            class_mode: targets: `'categorical'` (one-hot), `'binary'` or `'sparse'`
                (numbers), `'input'` (the images), or `None`.
            batch_size, shuffle, seed, save_to_dir, save_prefix, save_format, subset: see
                :meth:`flow`.
            follow_links: whether links to folders are followed.
            interpolation: how images are resized, see :func:`load_img`.

        Returns:
            An iterator of (x, y), or x; also a `Sequence`.

        Raises:
            ValueError: an argument is none of these.
            NotADirectoryError: there is no such folder.
        """
        from .directory import DirectoryIterator

        return DirectoryIterator(
            directory,
            self,
            target_size=target_size,
            color_mode=color_mode,
            classes=classes,
            class_mode=class_mode,
            batch_size=batch_size,
            shuffle=shuffle,
            seed=seed,
            data_format=self.data_format,
            save_to_dir=save_to_dir,
            save_prefix=save_prefix,
            save_format=save_format,
            follow_links=follow_links,
            subset=subset,
            interpolation=interpolation,
            dtype=self.dtype,
        )

    def flow_from_dataframe(
        self,
        dataframe: Any,
        directory: str | None = None,
        x_col: str = "filename",
        y_col: str | Sequence[str] = "class",
        weight_col: str | None = None,
        target_size: tuple[int, int] = (256, 256),
        color_mode: str = "rgb",
        classes: Sequence[str] | None = None,
        class_mode: str | None = "categorical",
        batch_size: int = 32,
        shuffle: bool = True,
        seed: int | None = None,
        save_to_dir: str | None = None,
        save_prefix: str = "",
        save_format: str = "png",
        subset: str | None = None,
        interpolation: str = "nearest",
        validate_filenames: bool = True,
    ) -> DataFrameIterator:
        """Batches of the images that a pandas table names.

        Args:
            dataframe: the table.
            directory: the folder that names are relative to.
            x_col: column of the names.
            y_col: column of the targets, or a list of columns.
            weight_col: column of sample weights.
            classes: classes that are used, sorted; by default all in the column.
            class_mode: as in :meth:`flow_from_directory`; also `'raw'` (the values of
                the columns as an array) and `'multi_output'` (a list of arrays). A cell may
                hold a list of classes for `'categorical'`.
            validate_filenames: whether rows without an image file are left out.
            target_size, color_mode, interpolation: see :meth:`flow_from_directory`.
            batch_size, shuffle, seed, save_to_dir, save_prefix, save_format, subset: see
                :meth:`flow`.

        Returns:
            An iterator of x, (x, y) or (x, y, sample weights); also a `Sequence`.

        Raises:
            ValueError, TypeError: a column does not hold what `class_mode` needs.
        """
        from .dataframe import DataFrameIterator

        return DataFrameIterator(
            dataframe,
            directory,
            self,
            x_col=x_col,
            y_col=y_col,
            weight_col=weight_col,
            target_size=target_size,
            color_mode=color_mode,
            classes=classes,
            class_mode=class_mode,
            batch_size=batch_size,
            shuffle=shuffle,
            seed=seed,
            data_format=self.data_format,
            save_to_dir=save_to_dir,
            save_prefix=save_prefix,
            save_format=save_format,
            subset=subset,
            interpolation=interpolation,
            dtype=self.dtype,
            validate_filenames=validate_filenames,
        )

    # ------------------------------------------------------------ random changes

    def get_random_transform(
        self, img_shape: Sequence[int], seed: int | None = None
    ) -> dict[str, Any]:
        """Draw the changes of one image.

        Args:
            img_shape: the image's shape.
            seed: seeds NumPy's global generator first.

        Returns:
            What :meth:`apply_transform` takes: `theta`, `tx`, `ty`, `shear`, `zx`, `zy`,
            `flip_horizontal`, `flip_vertical`, `channel_shift_intensity`, `brightness`.

        Example:
            >>> drawn = ImageDataGenerator(rotation_range=9).get_random_transform((8, 8, 3), seed=0)
            >>> round(drawn["theta"], 3), drawn["zx"]
            (0.879, 1)
        """
        uniform, random = np.random.uniform, np.random.random
        with DRAWS:
            if seed is not None:
                np.random.seed(seed)
            theta = uniform(-self.rotation_range, self.rotation_range) if self.rotation_range else 0
            tx = _draw_shift(self.height_shift_range, img_shape[self.row_axis - 1])
            ty = _draw_shift(self.width_shift_range, img_shape[self.col_axis - 1])
            shear = uniform(-self.shear_range, self.shear_range) if self.shear_range else 0
            low, high = self.zoom_range
            zx, zy = (1, 1) if low == high == 1 else uniform(low, high, 2)
            # Both are drawn in any case, as everything above and below is not.
            horizontal, vertical = random() < 0.5, random() < 0.5
            largest = self.channel_shift_range
            intensity = uniform(-largest, largest) if largest != 0 else None
            brightness = None if self.brightness_range is None else uniform(*self.brightness_range)
        return {
            "theta": theta,
            "tx": tx,
            "ty": ty,
            "shear": shear,
            "zx": zx,
            "zy": zy,
            "flip_horizontal": bool(horizontal and self.horizontal_flip),
            "flip_vertical": bool(vertical and self.vertical_flip),
            "channel_shift_intensity": intensity,
            "brightness": brightness,
        }

    def apply_transform(self, x: np.ndarray, transform_parameters: Mapping[str, Any]) -> np.ndarray:
        """Change an image.

        Args:
            x: the image, three axes.
            transform_parameters: what :meth:`get_random_transform` returns; any may be
                left out.

        Returns:
            The image; `x` itself where there is nothing to do.

        Example:
            >>> x = np.arange(2.0).reshape(1, 2, 1)
            >>> ImageDataGenerator().apply_transform(x, {"flip_horizontal": True}).ravel().tolist()
            [1.0, 0.0]
        """
        given: Callable[..., Any] = transform_parameters.get
        row, col, channel = self.row_axis - 1, self.col_axis - 1, self.channel_axis - 1
        x = apply_affine_transform(
            x,
            given("theta", 0),
            given("tx", 0),
            given("ty", 0),
            given("shear", 0),
            given("zx", 1),
            given("zy", 1),
            row_axis=row,
            col_axis=col,
            channel_axis=channel,
            fill_mode=self.fill_mode,
            cval=self.cval,
            order=self.interpolation_order,
        )
        if given("channel_shift_intensity") is not None:
            x = apply_channel_shift(x, given("channel_shift_intensity"), channel)
        if given("flip_horizontal"):
            x = flip_axis(x, col)
        if given("flip_vertical"):
            x = flip_axis(x, row)
        if given("brightness") is not None:
            x = apply_brightness_shift(x, given("brightness"), self.data_format)
        return x

    def random_transform(self, x: np.ndarray, seed: int | None = None) -> np.ndarray:
        """Draw changes and apply them to an image.

        Args:
            x: the image, three axes.
            seed: seeds NumPy's global generator first.
        """
        return self.apply_transform(x, self.get_random_transform(x.shape, seed))

    # ------------------------------------------------------------ normalization

    def standardize(self, x: np.ndarray) -> np.ndarray:
        """Normalize an image, in place where its type is a float.

        The order is: `preprocessing_function`, `rescale`, mean and deviation of the image,
        mean and deviation of the fitted data, ZCA.

        Example:
            >>> ImageDataGenerator(rescale=0.5).standardize(np.ones((1, 2, 1))).ravel().tolist()
            [0.5, 0.5]
        """
        if self.preprocessing_function is not None:
            x = self.preprocessing_function(x)
        if x.dtype.kind != "f":
            x = x.astype(self.dtype)
        if self.rescale:
            x *= self.rescale
        if self.samplewise_center:
            x -= np.mean(x, keepdims=True)
        if self.samplewise_std_normalization:
            x /= _deviation(x, self.samplewise_center) + 1e-6
        if self.featurewise_center and self._fitted("featurewise_center", self.mean):
            x -= self.mean
        if self.featurewise_std_normalization and self._fitted(
            "featurewise_std_normalization", self.std
        ):
            x /= self.std + 1e-6
        if self.zca_whitening and self._fitted("zca_whitening", self.principal_components):
            flat = x.reshape(-1, int(np.prod(x.shape[-3:])))
            x = np.dot(flat, self.principal_components).reshape(x.shape)
        return x

    def _fitted(self, name: str, statistics: np.ndarray | None) -> bool:
        if statistics is None:
            warnings.warn(
                f"{name}=True does nothing before the generator saw data: call "
                "generator.fit(x_train).",
                stacklevel=3,
            )
        return statistics is not None

    def fit(self, x: Any, augment: bool = False, rounds: int = 1, seed: int | None = None) -> None:
        """Compute the statistics that `featurewise_*` and `zca_whitening` need.

        Args:
            x: images, four axes.
            augment: whether randomly changed images are taken.
            rounds: how many changed copies of the data, with `augment`.
            seed: seeds NumPy's global generator first.

        Raises:
            ValueError: `x` is no batch of images, or `rounds` no number of copies.

        Example:
            >>> generator = ImageDataGenerator(featurewise_center=True)
            >>> generator.fit(np.arange(4.0).reshape(2, 2, 1, 1))
            >>> generator.mean.ravel().tolist()
            [1.5]
        """
        x = np.array(x, dtype=self.dtype)
        check_batch(x, self.channel_axis, self.data_format, "fit")
        if rounds < 1:
            raise ValueError(f"rounds is at least 1, as in rounds=1; got {rounds!r}.")
        with DRAWS:
            if seed is not None:
                np.random.seed(seed)
            if self.rescale:
                x *= self.rescale
            if augment:
                changed = np.empty((rounds * len(x), *x.shape[1:]), dtype=self.dtype)
                for place in range(len(changed)):
                    changed[place] = self.random_transform(x[place % len(x)])
                x = changed
        pixels = (0, self.row_axis, self.col_axis)
        mean, std, components = self.mean, self.std, self.principal_components
        if self.featurewise_center:
            mean = np.mean(x, axis=pixels, keepdims=True)[0]
            x -= mean
        if self.featurewise_std_normalization:
            std = np.std(x, axis=pixels, keepdims=True)[0]
            x /= std + 1e-6
        if self.zca_whitening:
            components = _whitening(x.reshape(len(x), -1), self.zca_epsilon)
        # All at once: an error or an interrupt leaves what was fitted before.
        self.mean, self.std, self.principal_components = mean, std, components


def _draw_shift(span: Any, size: int) -> Any:
    """A shift in pixels, along an axis of a size."""
    several = isinstance(span, list | tuple | np.ndarray)
    if not (len(span) if several else span):
        return 0
    if several or (isinstance(span, int | np.integer) and span > 0):
        shift = np.random.choice(span) * np.random.choice([-1, 1])
    else:
        shift = np.random.uniform(-span, span)
    return shift * size if (max(span) if several else span) < 1 else shift


def _deviation(x: np.ndarray, centred: bool) -> Any:
    """The standard deviation; where the mean is 0, in one pass over the values."""
    if not centred or x.dtype.itemsize < 4:
        return np.std(x)
    flat = x.reshape(-1)
    return np.sqrt(np.dot(flat, flat) / x.dtype.type(flat.size))


def _whitening(flat: np.ndarray, epsilon: float) -> np.ndarray:
    """The matrix that makes the columns of centred data uncorrelated, of variance 1."""
    covariance = np.dot(flat.T, flat) / flat.shape[0]
    vectors, variances, _ = linalg.svd(covariance)
    return (vectors * (1.0 / np.sqrt(variances[np.newaxis] + epsilon))).dot(vectors.T)


def check_batch(x: np.ndarray, channel_axis: int, data_format: str, method: str) -> None:
    """Four axes, and a number of channels that images have."""
    if x.ndim != 4:
        raise ValueError(
            f"{method} takes a batch of images with four axes, (images, height, width, channels); "
            f"got shape {x.shape}. For gray images, write x[..., np.newaxis]."
        )
    channels = x.shape[channel_axis]
    if channels not in (1, 3, 4):
        warnings.warn(
            f"Images have 1, 3 or 4 channels; with data_format={data_format!r}, shape {x.shape} "
            f"has {channels}.",
            stacklevel=4,
        )
