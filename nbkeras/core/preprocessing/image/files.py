"""Images in files, as Pillow's objects and as arrays."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, UnidentifiedImageError

from nbkeras.core import config

__all__ = [
    "EXTENSIONS",
    "array_to_img",
    "img_to_array",
    "is_image",
    "list_pictures",
    "load_img",
    "save_img",
]

EXTENSIONS = ("png", "jpg", "jpeg", "bmp", "ppm", "tif", "tiff")

INTERPOLATIONS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "hamming": Image.Resampling.HAMMING,
    "box": Image.Resampling.BOX,
    "lanczos": Image.Resampling.LANCZOS,
}

# What Pillow calls a color mode, and the modes that need no conversion to it.
COLOR_MODES = {
    "grayscale": ("L", ("L", "I;16", "I")),
    "rgb": ("RGB", ("RGB",)),
    "rgba": ("RGBA", ("RGBA",)),
}


# ---------------------------------------------------------------- files


def load_img(
    path: str | os.PathLike[str] | io.BytesIO,
    grayscale: bool = False,
    color_mode: str = "rgb",
    target_size: tuple[int, int] | None = None,
    interpolation: str = "nearest",
) -> Image.Image:
    """An image from a file.

    Args:
        path: the file, or an open binary one.
        grayscale: an old way to say `color_mode='grayscale'`.
        color_mode: `'rgb'`, `'rgba'` or `'grayscale'`; the last keeps 16 and 32 bits.
        target_size: (height, width) to resize to.
        interpolation: how: `'nearest'`, `'bilinear'`, `'bicubic'`, `'hamming'`,
            `'box'` or `'lanczos'`.

    Returns:
        Pillow's image, read completely; the file is closed.

    Raises:
        ValueError: an argument is none of these, or the file holds no image.
        OSError: the file cannot be read.

    Example:
        >>> file = io.BytesIO()
        >>> array_to_img(np.zeros((4, 6, 3))).save(file, "png")
        >>> load_img(file, target_size=(2, 3)).size
        (3, 2)

    Source: Keras 2 manual, chapter 6.3.
    """
    if grayscale:
        warnings.warn("grayscale=True is now color_mode='grayscale'.", stacklevel=2)
        color_mode = "grayscale"
    mode, enough = COLOR_MODES[check_color_mode(color_mode)]
    resample = INTERPOLATIONS[check_interpolation(interpolation)]
    content = path if isinstance(path, io.BytesIO) else io.BytesIO(Path(path).read_bytes())
    try:
        image: Image.Image = Image.open(content)
        image.load()
    except UnidentifiedImageError as error:
        raise ValueError(
            f"{_name(path)} is no image that Pillow can read: it is empty, damaged or of an "
            "unknown format."
        ) from error
    except OSError as error:
        raise OSError(f"{_name(path)} is damaged: {error}.") from error
    if image.mode not in enough:
        image = image.convert(mode)
    if target_size is not None:
        height, width = target_size
        if image.size != (width, height):
            image = image.resize((width, height), resample)
    return image


def save_img(
    path: str | os.PathLike[str] | io.BytesIO,
    x: Any,
    data_format: str | None = None,
    file_format: str | None = None,
    scale: bool = True,
    **kwargs: Any,
) -> None:
    """Write an image to a file.

    Args:
        path: the file, or an open binary one.
        x: the image, an array of three axes.
        data_format: `'channels_last'` or `'channels_first'`; by default the session's.
        file_format: a format of Pillow's; by default what the file's name says.
        scale: whether values are stretched to 0 to 255.
        **kwargs: for Pillow's `Image.save`.

    Example:
        >>> file = io.BytesIO()
        >>> save_img(file, np.eye(3)[..., None], file_format="png")
        >>> img_to_array(load_img(file, color_mode="grayscale"))[0].ravel().tolist()
        [255.0, 0.0, 0.0]
    """
    image = array_to_img(x, data_format, scale)
    suffix = file_format or (Path(path).suffix[1:] if isinstance(path, str | os.PathLike) else "")
    if image.mode == "RGBA" and suffix.lower() in ("jpg", "jpeg"):
        warnings.warn("JPEG has no transparency: the image is saved as RGB.", stacklevel=2)
        image = image.convert("RGB")
    # "jpg" is a name of files, not of a format.
    image.save(path, "jpeg" if file_format == "jpg" else file_format, **kwargs)


def is_image(path: str, extensions: tuple[str, ...] = EXTENSIONS) -> bool:
    """Whether a path is a file whose name ends like an image's."""
    return path.lower().endswith(extensions) and os.path.isfile(path)


def images_in(directory: str, extensions: tuple[str, ...], follow_links: bool) -> Iterator[str]:
    """The images in a directory and those below it, relative to it, sorted."""
    for root, _, names in sorted(os.walk(directory, followlinks=follow_links)):
        for name in sorted(names):
            if name.lower().endswith(extensions):
                yield os.path.relpath(os.path.join(root, name), directory)


def list_pictures(
    directory: str | os.PathLike[str], ext: str | tuple[str, ...] = EXTENSIONS
) -> list[str]:
    """The paths of the images in a folder and those below it, sorted.

    Args:
        directory: the folder.
        ext: how names end, without the dot: one ending, or several.

    Example:
        >>> list_pictures("no_such_folder")
        []
    """
    endings = tuple(f".{e}".lower() for e in ((ext,) if isinstance(ext, str) else ext))
    folder = os.fspath(directory)
    return [os.path.join(folder, name) for name in images_in(folder, endings, False)]


# ---------------------------------------------------------------- arrays


def img_to_array(img: Any, data_format: str | None = None, dtype: Any = None) -> np.ndarray:
    """Pillow's image as an array.

    Args:
        img: the image.
        data_format: `'channels_last'` or `'channels_first'`; by default the session's.
        dtype: type of the result; by default the session's float type.

    Returns:
        An array (height, width, channels), or (channels, height, width).

    Raises:
        ValueError: it has another number of axes than an image.

    Example:
        >>> img_to_array(Image.new("RGB", (3, 2))).shape
        (2, 3, 3)
    """
    data_format = config.normalize_data_format(data_format)
    x = np.asarray(img, dtype=dtype or config.floatx())
    if x.ndim == 2:
        x = x[..., np.newaxis]
    elif x.ndim != 3:
        raise ValueError(f"An image has two or three axes; got shape {x.shape}.")
    elif data_format == "channels_first":
        return x.transpose(2, 0, 1)
    return x.reshape(1, *x.shape[:2]) if data_format == "channels_first" else x


def array_to_img(
    x: Any, data_format: str | None = None, scale: bool = True, dtype: Any = None
) -> Image.Image:
    """An array as Pillow's image.

    Args:
        x: array (height, width, channels), or (channels, height, width), with 1, 3 or
            4 channels.
        data_format: `'channels_last'` or `'channels_first'`; by default the session's.
        scale: whether the values are stretched to 0 to 255; otherwise they are taken
            as they are.
        dtype: type to compute in; by default the session's float type.

    Raises:
        ValueError: the shape is no image's.

    Example:
        >>> array_to_img(np.array([[[1.0], [3.0]]])).getpixel((1, 0))
        255
    """
    data_format = config.normalize_data_format(data_format)
    x = np.asarray(x, dtype=dtype or config.floatx())
    if x.ndim != 3:
        raise ValueError(
            f"One image has three axes, (height, width, channels); got shape {x.shape}. For a "
            "batch, write array_to_img(x[0])."
        )
    if data_format == "channels_first":
        x = x.transpose(1, 2, 0)
    if scale:
        x = stretched(x)
    channels = x.shape[2]
    if channels in (3, 4):
        return Image.fromarray(x.astype("uint8"))
    if channels == 1:
        return Image.fromarray(x[:, :, 0].astype("int32" if np.max(x) > 255 else "uint8"))
    raise ValueError(
        f"An image has 1, 3 or 4 channels; shape {x.shape} (channels last) has {channels}. Is "
        f"data_format={data_format!r} right?"
    )


def stretched(x: np.ndarray) -> np.ndarray:
    """Values brought to 0 to 255, the smallest and the largest of them."""
    x = x - np.min(x)
    largest = np.max(x)
    if largest != 0:
        x /= largest
    x *= 255
    return x


def check_color_mode(color_mode: Any) -> str:
    """A color mode that exists."""
    return _one_of("color_mode", color_mode, COLOR_MODES)


def check_interpolation(interpolation: Any) -> str:
    """A way to resize that exists."""
    return _one_of("interpolation", interpolation, INTERPOLATIONS)


def _one_of(name: str, value: Any, choices: Any) -> str:
    if value not in choices:
        expected = ", ".join(map(repr, choices))
        raise ValueError(
            f"{name} is one of {expected}, as in {name}={next(iter(choices))!r}; got {value!r}."
        )
    return str(value)


def _name(path: Any) -> str:
    return "This file" if isinstance(path, io.BytesIO) else str(path)
