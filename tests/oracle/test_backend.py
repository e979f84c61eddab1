"""Values, gradients and static shapes of the backend equal tf_keras' over a grid."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from nbkeras.core import backend as K

tf_keras = pytest.importorskip("tf_keras")
oracle = pytest.importorskip("tf_keras.src.backend")

WIDE = ("float32", "float64")
TOLERANCE = {"float16": 1e-2, "float32": 1e-5, "float64": 1e-10}


@dataclass(frozen=True)
class Case:
    """A call: array arguments by their shapes, and further arguments."""

    name: str
    shapes: tuple[Any, ...]
    kwargs: dict[str, Any] = field(default_factory=dict)
    low: float = -2.0
    high: float = 2.0
    dtypes: tuple[str, ...] = ("float16", "float32", "float64")
    as_list: bool = False
    theirs: dict[str, Any] = field(default_factory=dict)
    """Arguments that tf_keras' function wants beside these."""

    def __str__(self) -> str:
        return f"{self.name}-{self.shapes}-{self.kwargs}".replace(" ", "")

    def arrays(self, dtype: str) -> list[np.ndarray]:
        generator = np.random.default_rng(7)
        return [
            np.asarray(generator.uniform(self.low, self.high, shape)).astype(dtype)
            for shape in self.shapes
        ]

    def call(self, library: Any, tensors: list[Any]) -> Any:
        extra = self.theirs if library is oracle else {}
        positional = [list(tensors)] if self.as_list else list(tensors)
        return getattr(library, self.name)(*positional, **self.kwargs, **extra)


def reductions() -> list[Case]:
    names = ("sum", "prod", "max", "min", "mean", "var", "std", "logsumexp")
    options = (
        {},
        {"axis": 0},
        {"axis": -1, "keepdims": True},
        {"axis": [0, 2]},
        {"axis": [1, 2], "keepdims": True},
    )
    return [Case(name, ((4, 3, 2),), kwargs) for name in names for kwargs in options]


def elementwise() -> list[Case]:
    plain = ("abs", "square", "exp", "sign", "round", "sin", "cos", "sigmoid", "hard_sigmoid")
    plain += ("tanh", "softplus", "softsign", "elu", "relu", "softmax", "identity")
    cases = [Case(name, (shape,)) for name in plain for shape in ((1, 3), (4, 5), (2, 3, 4))]
    cases += [Case(name, ((4, 5),), low=0.1) for name in ("sqrt", "log")]
    cases += [Case("sqrt", ((4, 5),))]
    cases += [
        Case("relu", ((4, 5),), kwargs)
        for kwargs in (
            {"alpha": 0.2},
            {"max_value": 1.0},
            {"max_value": 6},
            {"alpha": 0.2, "max_value": 1.0},
            {"threshold": 0.5},
            {"alpha": 0.1, "max_value": 1.5, "threshold": 0.5},
        )
    ]
    cases += [Case("elu", ((4, 5),), {"alpha": 0.3})]
    cases += [Case("softmax", ((4, 5, 3),), {"axis": 1})]
    cases += [Case("pow", ((4, 5),), {"a": a}, low=0.1) for a in (2, 3, 0.5)]
    cases += [
        Case("clip", ((4, 5),), {"min_value": low, "max_value": high})
        for low, high in ((-1.0, 1.0), (0.0, None), (None, 0.5), (1.0, -1.0))
    ]
    for name in ("maximum", "minimum", "equal", "not_equal", "greater", "less"):
        cases += [Case(name, ((4, 5), (4, 5))), Case(name, ((4, 5), (5,)))]
    cases += [Case(name, ((4, 5), (4, 1))) for name in ("greater_equal", "less_equal")]
    cases += [
        Case(name, ((4, 5),), {"axis": axis}) for name in ("cumsum", "cumprod") for axis in (0, 1)
    ]
    cases += [
        Case(name, ((4, 5, 3),), {"axis": a}) for name in ("argmax", "argmin") for a in (-1, 1)
    ]
    cases += [Case(name, ((4, 5, 3),), {"axis": a}) for name in ("any", "all") for a in (None, 1)]
    cases += [Case("l2_normalize", ((4, 5),), {"axis": axis}) for axis in (None, 0, -1)]
    return cases


def rearranging() -> list[Case]:
    return [
        Case("reshape", ((4, 6),), {"shape": (-1, 2, 3)}),
        Case("flatten", ((4, 3, 2),)),
        Case("batch_flatten", ((4, 3, 2),)),
        Case("permute_dimensions", ((4, 3, 2),), {"pattern": (0, 2, 1)}),
        Case("transpose", ((4, 3),)),
        Case("expand_dims", ((4, 3),), {"axis": 1}),
        Case("expand_dims", ((4, 3),)),
        Case("squeeze", ((4, 1, 3),), {"axis": 1}),
        Case("reverse", ((4, 3, 2),), {"axes": 1}),
        Case("reverse", ((4, 3, 2),), {"axes": [1, 2]}),
        Case("concatenate", ((4, 3), (4, 2)), {"axis": -1}, as_list=True),
        Case("concatenate", ((4, 3, 2), (4, 1, 2)), {"axis": 1}, as_list=True),
        Case("stack", ((4, 3), (4, 3)), {"axis": 1}, as_list=True),
        Case("repeat_elements", ((4, 3, 2),), {"rep": 3, "axis": 1}),
        Case("repeat_elements", ((4, 3, 2),), {"rep": 2, "axis": 0}),
        Case("repeat", ((4, 3),), {"n": 5}),
        Case("tile", ((4, 3),), {"n": (2, 3)}),
        Case("temporal_padding", ((4, 3, 2),), {"padding": (1, 2)}),
        Case("spatial_2d_padding", ((4, 3, 2, 2),), {"padding": ((1, 2), (0, 1))}),
        Case(
            "spatial_2d_padding",
            ((4, 3, 2, 2),),
            {"padding": ((1, 2), (0, 1)), "data_format": "channels_first"},
        ),
        Case("spatial_3d_padding", ((4, 2, 3, 2, 2),), {"padding": ((1, 2), (0, 1), (2, 0))}),
        Case("resize_images", ((4, 3, 2, 2),), _resize(2, 3, "channels_last")),
        Case("resize_images", ((4, 3, 2, 2),), _resize(2, 3, "channels_first")),
        Case(
            "resize_images",
            ((4, 3, 2, 2),),
            {**_resize(2, 3, "channels_last"), "interpolation": "bilinear"},
            dtypes=("float32",),
        ),
        Case(
            "resize_volumes",
            ((4, 2, 3, 2, 2),),
            {"depth_factor": 2, **_resize(3, 2, "channels_first")},
        ),
        Case("zeros_like", ((4, 3),)),
        Case("ones_like", ((4, 3),), {"dtype": "float64"}),
        Case("cast", ((4, 3),), {"dtype": "float32"}),
        Case("shape", ((4, 3),)),
    ]


def _resize(height: int, width: int, data_format: str) -> dict[str, Any]:
    return {"height_factor": height, "width_factor": width, "data_format": data_format}


def products() -> list[Case]:
    cases = [
        Case("dot", shapes)
        for shapes in (
            ((4, 3), (3, 5)),
            ((4, 6, 3), (3, 5)),
            ((4, 3), (2, 3, 5)),
            ((2, 4, 3), (2, 3, 5)),
        )
    ]
    for x, y, axes in (
        ((4, 3), (4, 3), None),
        ((4, 3), (4, 3), 1),
        ((4, 2, 3), (4, 3, 5), None),
        ((4, 2, 3), (4, 5, 3), (2, 2)),
        ((4, 3, 2), (4, 3, 5), (1, 1)),
        ((4, 3, 2), (4, 5, 3), (1, 2)),
        ((4, 3), (4, 5, 3), (1, 2)),
        ((4, 2, 3), (4, 3), (2, 1)),
        ((4, 2, 3, 5), (4, 6, 3), (2, 2)),
        ((4, 2, 3, 5), (4, 5, 3, 2), (-1, 1)),
    ):
        cases.append(Case("batch_dot", (x, y), {"axes": axes}))
    return cases


def losses() -> list[Case]:
    inside = {"low": 0.05, "high": 0.95}
    return [
        Case("categorical_crossentropy", ((4, 5), (4, 5)), dtypes=WIDE, **inside),
        Case("categorical_crossentropy", ((4, 5), (4, 5)), {"from_logits": True}, dtypes=WIDE),
        Case(
            "categorical_crossentropy", ((4, 5, 3), (4, 5, 3)), {"axis": 1}, dtypes=WIDE, **inside
        ),
        # In 64 bits the fuzz that the oracle adds to p shows beside ours, which bounds it.
        Case("binary_crossentropy", ((4, 5), (4, 5)), dtypes=("float32",), **inside),
        Case("binary_crossentropy", ((4, 5), (4, 5)), {"from_logits": True}, dtypes=WIDE),
    ]


def convolutions() -> list[Case]:
    cases = []
    for padding in ("valid", "same"):
        for options in ({}, {"strides": (2, 2)}, {"dilation_rate": (2, 2)}):
            for name, kernels in (
                ("conv2d", ((3, 3, 2, 4),)),
                ("depthwise_conv2d", ((3, 3, 2, 2),)),
                ("separable_conv2d", ((3, 3, 2, 2), (1, 1, 4, 5))),
            ):
                cases.append(Case(name, ((2, 7, 8, 2), *kernels), {"padding": padding, **options}))
        for options in ({}, {"strides": (2, 2, 2)}, {"dilation_rate": (2, 2, 2)}):
            cases.append(
                Case("conv3d", ((2, 5, 6, 5, 2), (3, 2, 3, 2, 4)), {"padding": padding, **options})
            )
        cases.append(
            Case(
                "conv2d_transpose",
                ((2, 4, 3, 2), (3, 3, 5, 2)),
                {
                    "padding": padding,
                    "strides": (2, 2),
                    "output_shape": (2, 9, 7, 5) if padding == "valid" else (2, 8, 6, 5),
                },
            )
        )
        cases.append(
            Case(
                "conv3d_transpose",
                ((2, 2, 3, 2, 2), (3, 3, 3, 4, 2)),
                {
                    "padding": padding,
                    "strides": (2, 2, 2),
                    "output_shape": (2, 5, 7, 5, 4) if padding == "valid" else (2, 4, 6, 4, 4),
                },
            )
        )
        for mode in ("max", "avg"):
            for strides in ((1, 1), (2, 2)):
                cases.append(
                    Case(
                        "pool2d",
                        ((2, 6, 5, 3),),
                        {
                            "pool_size": (2, 2),
                            "strides": strides,
                            "padding": padding,
                            "pool_mode": mode,
                        },
                    )
                )
            cases.append(
                Case(
                    "pool3d",
                    ((2, 6, 5, 4, 3),),
                    {
                        "pool_size": (2, 2, 2),
                        "strides": (2, 2, 2),
                        "padding": padding,
                        "pool_mode": mode,
                    },
                    dtypes=("float32",),
                )
            )
        spread = {"padding": padding, "dilation_rate": (2, 2)}
        spread["output_shape"] = (2, 8, 7, 5) if padding == "valid" else (2, 4, 3, 5)
        cases.append(Case("conv2d_transpose", ((2, 4, 3, 2), (3, 3, 5, 2)), spread))
    for padding in ("valid", "same", "causal"):
        for options in ({}, {"strides": 2}, {"dilation_rate": 2}):
            cases.append(Case("conv1d", ((2, 9, 2), (3, 2, 4)), {"padding": padding, **options}))
    cases += [
        Case("local_conv1d", ((2, 7, 3), (3, 9, 4)), {"kernel_size": (3,), "strides": (2,)}),
        Case(
            "local_conv1d",
            ((2, 3, 7), (3, 9, 4)),
            {"kernel_size": (3,), "strides": (2,), "data_format": "channels_first"},
        ),
        Case(
            "local_conv2d",
            ((2, 5, 4, 3), (6, 12, 4)),
            {"kernel_size": (2, 2), "strides": (2, 1), "output_shape": (2, 3)},
        ),
        Case(
            "local_conv2d",
            ((2, 3, 5, 4), (6, 12, 4)),
            {
                "kernel_size": (2, 2),
                "strides": (2, 1),
                "output_shape": (2, 3),
                "data_format": "channels_first",
            },
        ),
        Case("bias_add", ((4, 3, 2), (2,))),
        Case("bias_add", ((4, 3, 2), (3, 2))),
        Case("bias_add", ((4, 3, 2), (3,)), {"data_format": "channels_first"}),
        Case("bias_add", ((4, 3, 5, 2), (3,)), {"data_format": "channels_first"}),
        Case("bias_add", ((4, 3, 5, 2), (5, 2, 3)), {"data_format": "channels_first"}),
        Case("bias_add", ((4, 3, 5, 2, 2), (5, 2, 2, 3)), {"data_format": "channels_first"}),
        Case("bias_add", ((4, 3), (3,))),
        Case("batch_normalization", ((4, 3), (3,), (3,), (3,), (3,)), low=0.1),
        Case(
            "batch_normalization", ((4, 3, 5), (1, 3, 1), (1, 3, 1), (1, 3, 1), (1, 3, 1)), low=0.1
        ),
    ]
    return cases


CASES = [
    *reductions(),
    *elementwise(),
    *rearranging(),
    *products(),
    *losses(),
    *convolutions(),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_values_and_gradients(case):
    for dtype in case.dtypes:
        ours, our_slopes = run(K, case, dtype)
        theirs, their_slopes = run(oracle, case, dtype)
        assert ours.dtype == theirs.dtype
        close(ours, theirs, TOLERANCE[dtype])
        for slope, expected in zip(our_slopes, their_slopes, strict=True):
            assert (slope is None) == (expected is None)
            if slope is not None:
                close(slope, expected, 10 * TOLERANCE[dtype])


def compute(library: Any, case: Case, dtype: str) -> tuple[Any, list[Any]]:
    """The result, and the gradients of a sum of it whose weights do not let mistakes cancel."""
    tensors = [tf.constant(array) for array in case.arrays(dtype)]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        result = tf.convert_to_tensor(case.call(library, tensors))
        if not result.dtype.is_floating:
            return result, [None] * len(tensors)
        weights = np.linspace(0.5, 1.5, result.shape.num_elements()).reshape(result.shape)
        total = tf.reduce_sum(result * weights.astype(result.dtype.as_numpy_dtype))
    slopes = tape.gradient(total, tensors)
    return result, [None if slope is None else tf.convert_to_tensor(slope) for slope in slopes]


def run(library: Any, case: Case, dtype: str) -> tuple[Any, list[Any]]:
    result, slopes = compute(library, case, dtype)
    return result.numpy(), [None if slope is None else slope.numpy() for slope in slopes]


def close(ours: Any, theirs: Any, tolerance: float) -> None:
    scale = max(1.0, float(np.max(np.abs(theirs.astype("float64")), initial=0.0)))
    np.testing.assert_allclose(
        ours.astype("float64"), theirs.astype("float64"), rtol=tolerance, atol=tolerance * scale
    )


@pytest.mark.parametrize("case", CASES, ids=str)
def test_recorded_shapes_and_values(case):
    """On symbolic tensors: known sizes are the oracle's or more, and replay equals a call."""
    dtype = case.dtypes[-1]
    arrays = case.arrays(dtype)
    shapes = [
        (None, *a.shape[1:]) if a.ndim > 1 and i == 0 else a.shape for i, a in enumerate(arrays)
    ]
    symbols = [K.placeholder(shape, dtype=dtype) for shape in shapes]
    recorded = case.call(K, symbols)
    with tf.Graph().as_default():
        theirs = case.call(oracle, [tf.compat.v1.placeholder(dtype, shape) for shape in shapes])
    assert recorded.dtype == theirs.dtype
    for our_size, their_size in zip(recorded.shape, theirs.shape, strict=True):
        assert our_size == their_size or their_size is None
    (replayed,) = K.function(symbols, [recorded])(arrays)
    now = tf.convert_to_tensor(case.call(K, arrays)).numpy()
    close(replayed, now, TOLERANCE[dtype])


@pytest.mark.parametrize("case", {case.name: case for case in CASES}.values(), ids=str)
def test_compiled_by_xla(case):
    """Every function, with its gradient, is a program that XLA compiles to the same values."""
    ours = run(K, case, "float32")
    compiled = tf.function(lambda: compute(K, case, "float32"), autograph=False, jit_compile=True)()
    close(compiled[0].numpy(), ours[0], 1e-5)
    for slope, expected in zip(compiled[1], ours[1], strict=True):
        assert (slope is None) == (expected is None)
        if slope is not None:
            close(slope.numpy(), expected, 1e-4)


@pytest.mark.parametrize("from_logits", [False, True])
@pytest.mark.parametrize("shape", [(4, 5), (3, 4, 5)])
def test_sparse_categorical_crossentropy(shape, from_logits):
    generator = np.random.default_rng(3)
    output = tf.constant(generator.uniform(0.1, 0.9, shape).astype("float32"))
    target = generator.integers(0, shape[-1], shape[:-1])
    ours = K.sparse_categorical_crossentropy(target, output, from_logits)
    theirs = oracle.sparse_categorical_crossentropy(target, output, from_logits)
    close(ours.numpy(), theirs.numpy(), 1e-5)


def test_sparse_categorical_crossentropy_along_another_axis():
    generator = np.random.default_rng(3)
    output = tf.constant(generator.uniform(0.1, 0.9, (2, 5, 3)).astype("float32"))
    target = generator.integers(0, 5, (2, 3))
    close(
        K.sparse_categorical_crossentropy(target, output, axis=1).numpy(),
        oracle.sparse_categorical_crossentropy(target, output, axis=1).numpy(),
        1e-5,
    )


@pytest.mark.parametrize("k", [1, 2, 5])
def test_in_top_k(k):
    generator = np.random.default_rng(5)
    predictions = generator.uniform(size=(20, 5)).astype("float32")
    targets = generator.integers(0, 5, 20)
    np.testing.assert_array_equal(
        K.in_top_k(predictions, targets, k), oracle.in_top_k(predictions, targets, k)
    )


@pytest.mark.parametrize("name", ["gather", "one_hot"])
def test_indexed(name):
    reference = tf.constant(np.random.default_rng(1).normal(size=(6, 3)).astype("float32"))
    indices = tf.constant([[0, 5], [2, 2]])
    arguments = (reference, indices) if name == "gather" else (indices, 6)
    np.testing.assert_array_equal(getattr(K, name)(*arguments), getattr(oracle, name)(*arguments))


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("go_backwards", [False, True])
def test_rnn(masked, go_backwards):
    generator = np.random.default_rng(0)
    x = generator.normal(size=(3, 5, 2)).astype("float32")
    w, start = (generator.normal(size=s).astype("float32") for s in ((2, 2), (3, 2)))
    mask = tf.constant(generator.uniform(size=(3, 5)) > 0.4) if masked else None

    def step(x, states):
        hidden = tf.tanh(x @ w + states[0])
        return hidden * 2.0, [hidden]

    def run(library):
        with tf.GradientTape() as tape:
            inputs = tf.constant(x)
            tape.watch(inputs)
            result = library.rnn(
                step, inputs, [tf.constant(start)], go_backwards=go_backwards, mask=mask
            )
            total = tf.reduce_sum(result[1] ** 2)
        return [*result[:2], *result[2], tape.gradient(total, inputs)]

    ours = tf.function(lambda: run(K), autograph=False)()
    theirs = tf.function(lambda: run(oracle), autograph=False)()
    for value, expected in zip(ours, theirs, strict=True):
        close(value.numpy(), expected.numpy(), 1e-5)


def test_ctc():
    generator = np.random.default_rng(0)
    y_pred = generator.uniform(0.1, 1.0, (4, 6, 5)).astype("float32")
    y_pred /= y_pred.sum(-1, keepdims=True)
    labels = generator.integers(0, 4, (4, 3))
    steps, lengths = np.array([[6], [5], [6], [4]]), np.array([[3], [1], [2], [2]])
    close(
        K.ctc_batch_cost(labels, y_pred, steps, lengths).numpy(),
        oracle.ctc_batch_cost(labels, y_pred, steps, lengths).numpy(),
        1e-5,
    )
    for options in ({"greedy": True}, {"greedy": False, "beam_width": 20, "top_paths": 3}):
        ours, our_scores = K.ctc_decode(y_pred, steps[:, 0], **options)
        theirs, their_scores = oracle.ctc_decode(y_pred, steps[:, 0], **options)
        close(our_scores.numpy(), their_scores.numpy(), 1e-5)
        for reading, expected in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(reading, expected)


@pytest.mark.parametrize("condition", [True, [[True], [False], [True]], [[True, False]] * 3])
def test_switch(condition):
    a, b = tf.ones((3, 2)), tf.zeros((3, 2))
    np.testing.assert_array_equal(
        K.switch(tf.constant(condition), a, b), oracle.switch(tf.constant(condition), a, b)
    )


def test_loops():
    x = tf.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    for name in ("foldl", "foldr"):
        for start in (None, tf.constant([10.0, 20.0])):
            np.testing.assert_array_equal(
                getattr(K, name)(lambda a, e: 2.0 * a - e, x, start),
                getattr(oracle, name)(lambda a, e: 2.0 * a - e, x, start),
            )
    np.testing.assert_array_equal(
        K.map_fn(lambda e: e[0] > 2, x, dtype=tf.bool),
        oracle.map_fn(lambda e: e[0] > 2, x, dtype=tf.bool),
    )


@pytest.mark.parametrize("axes", [[0], [0, 1], [0, 2]])
def test_normalize_batch_in_training(axes):
    """Not over three axes of four: there the oracle's kernel divides the variance by n - 1."""
    x = np.random.default_rng(0).normal(size=(6, 5, 4)).astype("float32")
    size = [n for axis, n in enumerate(x.shape) if axis not in axes]
    gamma, beta = tf.fill(size, 2.0), tf.fill(size, 0.5)
    ours = K.normalize_batch_in_training(x, gamma, beta, axes)
    theirs = oracle.normalize_batch_in_training(tf.constant(x), gamma, beta, axes)
    for value, expected in zip(ours, theirs, strict=True):
        close(value.numpy(), expected.numpy(), 1e-5)
