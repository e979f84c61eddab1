"""1,000 images of 64x64x3 changed at random, beside keras-preprocessing 1.1.2; prints ratios.

python -m tests.benchmarks.augmentation [flips everything ...]

Seconds are the process's own, all threads together, so that "on one core" holds whatever runs
beside; each is the least of some rounds, in which the two take turns. Where an image's values
are drawn or stretched by NumPy and Pillow for either, there is little to be won.
"""

from __future__ import annotations

import math
import os
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

CEILING = 0.7
"""What the geometric mean over the settings should be at most."""

IMAGES, BATCH, ROUNDS = 1000, 32, 7

SETTINGS: dict[str, dict[str, Any]] = {
    "flips": {"horizontal_flip": True, "vertical_flip": True},
    "rescaled flips": {"horizontal_flip": True, "rescale": 1 / 255},
    "normalized": {"samplewise_center": True, "samplewise_std_normalization": True},
    "rotation": {"rotation_range": 20},
    "shifts": {"width_shift_range": 0.1, "height_shift_range": 0.1, "fill_mode": "constant"},
    "zoom": {"zoom_range": 0.2, "fill_mode": "reflect"},
    "colors": {"channel_shift_range": 20.0},
    "brightness": {"brightness_range": (0.5, 1.5)},
    "nearest pixel": {"rotation_range": 20, "interpolation_order": 0},
    "everything": {
        "rotation_range": 20,
        "width_shift_range": 0.1,
        "height_shift_range": 0.1,
        "shear_range": 10.0,
        "zoom_range": 0.2,
        "channel_shift_range": 10.0,
        "horizontal_flip": True,
        "rescale": 1 / 255,
    },
}


def peers() -> tuple[Any, Any]:
    """The two modules; the older one looks for SciPy's functions where they no longer are."""
    from scipy import ndimage

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from keras_preprocessing import image as theirs
        from keras_preprocessing.image import affine_transformations

    from nbkeras.core.preprocessing import image as ours

    affine_transformations.ndimage = type("Found", (), {"interpolation": ndimage})
    return ours, theirs


def seconds(call: Callable[[], None]) -> float:
    """CPU time of a call."""
    began = time.process_time()
    call()
    return time.process_time() - began


def ratio(options: dict[str, Any]) -> tuple[float, float]:
    """Our milliseconds for an image, and the ratio to theirs."""
    import numpy as np

    x = np.random.default_rng(0).integers(0, 256, (IMAGES, 64, 64, 3)).astype("float32")

    def once(module: Any) -> Callable[[], None]:
        generator = module.ImageDataGenerator(**options)

        def run() -> None:
            flow = generator.flow(x, batch_size=BATCH, seed=1)
            for _ in range(len(flow)):
                next(flow)

        return run

    runs = [once(module) for module in peers()]
    times = [[seconds(run) for run in runs] for _ in range(ROUNDS)]
    ours, theirs = (min(column) for column in zip(*times, strict=True))
    return ours / IMAGES * 1e3, ours / theirs


def main(chosen: list[str]) -> int:
    """Print a row for each setting; 1 if their geometric mean is above the ceiling."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    unknown = set(chosen) - set(SETTINGS)
    if unknown:
        print(f"There is no {', '.join(sorted(unknown))}; there are {', '.join(SETTINGS)}.")
        return 2
    print("| change | ms an image | of keras-preprocessing |\n| --- | ---: | ---: |")
    ratios = []
    for name in chosen or SETTINGS:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            took, against = ratio(SETTINGS[name])
        ratios.append(against)
        print(f"| {name} | {took:.3f} | {against:.2f} |", flush=True)
    mean = math.exp(sum(map(math.log, ratios)) / len(ratios))
    print(f"| geometric mean, at most {CEILING} | | **{mean:.2f}** |")
    return int(mean > CEILING)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
