"""Every public class, once. The properties of the other files here run over these lists.

A new class is added as one row: how an example is made (with arguments that are not
the defaults, where there are any) and, for a layer, what it is called on. A row is
read only when its test runs. ``test_catalog.py`` fails for a class without a row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from nbkeras.core import (
    callbacks,
    constraints,
    initializers,
    layers,
    losses,
    metrics,
    models,
    optimizers,
    regularizers,
    utils,
)

BATCH = 3
"""Rows in the examples' data."""


class Row(NamedTuple):
    """A layer of the catalogue.

    Attributes:
        make: makes the layer; called anew for each use.
        shape: the shape of one sample, or a list of them for several inputs.
        below: the inputs are whole numbers below this, where it is not 0.
        random: it draws noise in training.
        fixed: the batch size must be known.
        floats: it works in float16 and float64.
        anonymous: it holds an unnamed function, which only a trusted file may bring back.
    """

    make: Callable[[], Any]
    shape: Any = (4,)
    below: int = 0
    random: bool = False
    fixed: bool = False
    floats: bool = True
    anonymous: bool = False


def doubled(x: Any) -> Any:
    """A function with a name, for a ``Lambda`` that can be saved."""
    return 2.0 * x


def _functional() -> Any:
    x = layers.Input((4,))
    return models.Model(x, layers.Dense(3, activation="tanh")(layers.Dense(5)(x)))


def _sequential() -> Any:
    return models.Sequential([layers.Dense(5, input_shape=(4,)), layers.Dense(3)])


PENALTIES = {"kernel_regularizer": "l2", "bias_regularizer": "l1", "kernel_constraint": "max_norm"}
RECURRENT = {"recurrent_regularizer": "l2", "activation": "relu", "return_sequences": True}
STEPS = (5, 4)
IMAGE = (6, 5, 2)
VOLUME = (4, 5, 4, 2)
PAIR = [(4,), (4,)]

LAYERS = {
    # core
    "Activation": Row(lambda: layers.Activation("tanh")),
    "ActivityRegularization": Row(lambda: layers.ActivityRegularization(l1=0.01, l2=0.02)),
    "Dense": Row(lambda: layers.Dense(3, activation="tanh", **PENALTIES)),
    "Dropout": Row(lambda: layers.Dropout(0.4, noise_shape=(None, 1), seed=3), random=True),
    "Flatten": Row(lambda: layers.Flatten(), IMAGE),
    "Lambda": Row(lambda: layers.Lambda(doubled), anonymous=True),
    "Masking": Row(lambda: layers.Masking(mask_value=0.5), STEPS),
    "Permute": Row(lambda: layers.Permute((2, 1)), STEPS),
    "RepeatVector": Row(lambda: layers.RepeatVector(2)),
    "Reshape": Row(lambda: layers.Reshape((2, -1)), STEPS),
    "SpatialDropout1D": Row(lambda: layers.SpatialDropout1D(0.4), STEPS, random=True),
    "SpatialDropout2D": Row(lambda: layers.SpatialDropout2D(0.4), IMAGE, random=True),
    "SpatialDropout3D": Row(lambda: layers.SpatialDropout3D(0.4), VOLUME, random=True),
    # convolutional
    "Conv1D": Row(lambda: layers.Conv1D(3, 3, padding="causal", **PENALTIES), STEPS),
    "Conv2D": Row(lambda: layers.Conv2D(3, (3, 2), strides=2, activation="relu"), IMAGE),
    "Conv2DTranspose": Row(lambda: layers.Conv2DTranspose(3, 3, strides=2), IMAGE),
    "Conv3D": Row(lambda: layers.Conv3D(2, 2, padding="same"), VOLUME),
    "Conv3DTranspose": Row(lambda: layers.Conv3DTranspose(2, 2, strides=2), VOLUME),
    "Cropping1D": Row(lambda: layers.Cropping1D((1, 2)), STEPS),
    "Cropping2D": Row(lambda: layers.Cropping2D(((1, 0), (2, 1))), IMAGE),
    "Cropping3D": Row(lambda: layers.Cropping3D((1, 2, 1)), VOLUME),
    "DepthwiseConv2D": Row(lambda: layers.DepthwiseConv2D(2, depth_multiplier=2), IMAGE),
    "SeparableConv1D": Row(lambda: layers.SeparableConv1D(3, 2, depth_multiplier=2), STEPS),
    "SeparableConv2D": Row(lambda: layers.SeparableConv2D(3, 2, activation="relu"), IMAGE),
    "UpSampling1D": Row(lambda: layers.UpSampling1D(3), STEPS),
    "UpSampling2D": Row(lambda: layers.UpSampling2D((2, 3), interpolation="bilinear"), IMAGE),
    "UpSampling3D": Row(lambda: layers.UpSampling3D((1, 2, 2)), VOLUME),
    "ZeroPadding1D": Row(lambda: layers.ZeroPadding1D((1, 2)), STEPS),
    "ZeroPadding2D": Row(lambda: layers.ZeroPadding2D(((1, 0), (2, 1))), IMAGE),
    "ZeroPadding3D": Row(lambda: layers.ZeroPadding3D((1, 2, 1)), VOLUME),
    # pooling
    "AveragePooling1D": Row(lambda: layers.AveragePooling1D(2, padding="same"), STEPS),
    "AveragePooling2D": Row(lambda: layers.AveragePooling2D(2, strides=1), IMAGE),
    "AveragePooling3D": Row(lambda: layers.AveragePooling3D((1, 2, 2)), VOLUME),
    "GlobalAveragePooling1D": Row(lambda: layers.GlobalAveragePooling1D(), STEPS),
    "GlobalAveragePooling2D": Row(lambda: layers.GlobalAveragePooling2D(), IMAGE),
    "GlobalAveragePooling3D": Row(lambda: layers.GlobalAveragePooling3D(), VOLUME),
    "GlobalMaxPooling1D": Row(lambda: layers.GlobalMaxPooling1D(), STEPS),
    "GlobalMaxPooling2D": Row(lambda: layers.GlobalMaxPooling2D(), IMAGE),
    "GlobalMaxPooling3D": Row(lambda: layers.GlobalMaxPooling3D(), VOLUME),
    "MaxPooling1D": Row(lambda: layers.MaxPooling1D(2, padding="same"), STEPS),
    "MaxPooling2D": Row(lambda: layers.MaxPooling2D(2, strides=1), IMAGE),
    "MaxPooling3D": Row(lambda: layers.MaxPooling3D((1, 2, 2)), VOLUME),
    # locally connected
    "LocallyConnected1D": Row(lambda: layers.LocallyConnected1D(3, 2, strides=2), STEPS),
    "LocallyConnected2D": Row(lambda: layers.LocallyConnected2D(2, 3, activation="relu"), IMAGE),
    # recurrent
    "ConvLSTM2D": Row(
        lambda: layers.ConvLSTM2D(2, 2, padding="same", return_sequences=True), (3, 4, 4, 2)
    ),
    "CuDNNGRU": Row(lambda: layers.CuDNNGRU(3, return_sequences=True), STEPS),
    "CuDNNLSTM": Row(lambda: layers.CuDNNLSTM(3, unit_forget_bias=False), STEPS),
    "GRU": Row(lambda: layers.GRU(3, reset_after=True, **RECURRENT), STEPS),
    "LSTM": Row(lambda: layers.LSTM(3, implementation=2, unit_forget_bias=False), STEPS),
    "RNN": Row(lambda: layers.RNN([layers.LSTMCell(3), layers.GRUCell(2)]), STEPS),
    "SimpleRNN": Row(lambda: layers.SimpleRNN(3, go_backwards=True, **RECURRENT), STEPS),
    # embedding
    "Embedding": Row(lambda: layers.Embedding(7, 3, input_length=5), (5,), below=7),
    # merge
    "Add": Row(lambda: layers.Add(), PAIR),
    "Average": Row(lambda: layers.Average(), PAIR),
    "Concatenate": Row(lambda: layers.Concatenate(axis=1), [(2, 4), (3, 4)]),
    "Dot": Row(lambda: layers.Dot(axes=1, normalize=True), PAIR),
    "Maximum": Row(lambda: layers.Maximum(), PAIR),
    "Minimum": Row(lambda: layers.Minimum(), PAIR),
    "Multiply": Row(lambda: layers.Multiply(), PAIR),
    "Subtract": Row(lambda: layers.Subtract(), PAIR),
    # advanced activations
    "ELU": Row(lambda: layers.ELU(alpha=0.7)),
    "LeakyReLU": Row(lambda: layers.LeakyReLU(alpha=0.2)),
    "PReLU": Row(lambda: layers.PReLU(alpha_initializer="ones", shared_axes=[1]), STEPS),
    "ReLU": Row(lambda: layers.ReLU(max_value=2.0, negative_slope=0.1, threshold=0.5)),
    "Softmax": Row(lambda: layers.Softmax(axis=1), STEPS),
    "ThresholdedReLU": Row(lambda: layers.ThresholdedReLU(theta=0.5)),
    # normalization
    "BatchNormalization": Row(lambda: layers.BatchNormalization(axis=1, momentum=0.8), IMAGE),
    # noise
    "AlphaDropout": Row(lambda: layers.AlphaDropout(0.3, seed=2), random=True),
    "GaussianDropout": Row(lambda: layers.GaussianDropout(0.3), random=True),
    "GaussianNoise": Row(lambda: layers.GaussianNoise(0.3), random=True),
    # wrappers
    "Bidirectional": Row(
        lambda: layers.Bidirectional(layers.LSTM(2, return_sequences=True), "ave"), STEPS
    ),
    "TimeDistributed": Row(lambda: layers.TimeDistributed(layers.Dense(3)), STEPS),
    # models are layers
    "Model": Row(_functional),
    "Sequential": Row(_sequential),
}

CELLS = {
    "ConvLSTM2DCell": lambda: layers.ConvLSTM2DCell(2, 3, padding="same"),
    "GRUCell": lambda: layers.GRUCell(3, implementation=2, reset_after=True),
    "LSTMCell": lambda: layers.LSTMCell(3, unit_forget_bias=False, activation="relu"),
    "SimpleRNNCell": lambda: layers.SimpleRNNCell(3, use_bias=False, dropout=0.2),
    "StackedRNNCells": lambda: layers.StackedRNNCells([layers.LSTMCell(3), layers.GRUCell(2)]),
}

HIDDEN = {"CuDNNGRUCell", "CuDNNLSTMCell", "ScaledSum"}
"""Cells and layers that files may name but that no package exports."""

NOT_CALLED = {
    "InputLayer": "stands for what is fed; test_layers.py tests its configuration",
    "InputSpec": "a description, not a layer",
    "Layer": "the base of all layers",
    "Recurrent": "the base of the recurrent layers",
    "Wrapper": "the base of the layers that hold another",
}
"""Public classes of ``layers`` that are called on nothing, and why."""

OPTIMIZERS = {
    "Adadelta": lambda: optimizers.Adadelta(lr=0.7, rho=0.9),
    "Adagrad": lambda: optimizers.Adagrad(lr=0.05),
    "Adam": lambda: optimizers.Adam(lr=0.02, amsgrad=True, decay=0.1),
    "Adamax": lambda: optimizers.Adamax(lr=0.02, clipnorm=1.0),
    "Nadam": lambda: optimizers.Nadam(lr=0.02, schedule_decay=0.01),
    "RMSprop": lambda: optimizers.RMSprop(lr=0.02, rho=0.8),
    "SGD": lambda: optimizers.SGD(lr=0.1, momentum=0.9, nesterov=True, clipvalue=0.5),
}

LOSSES = {
    "BinaryCrossentropy": lambda: losses.BinaryCrossentropy(label_smoothing=0.1),
    "CategoricalCrossentropy": lambda: losses.CategoricalCrossentropy(from_logits=True),
    "CategoricalHinge": lambda: losses.CategoricalHinge(name="hinged"),
    "CosineSimilarity": lambda: losses.CosineSimilarity(axis=-1),
    "Hinge": lambda: losses.Hinge(),
    "Huber": lambda: losses.Huber(delta=0.5),
    "KLDivergence": lambda: losses.KLDivergence(),
    "LogCosh": lambda: losses.LogCosh(),
    "MeanAbsoluteError": lambda: losses.MeanAbsoluteError(reduction="sum"),
    "MeanAbsolutePercentageError": lambda: losses.MeanAbsolutePercentageError(),
    "MeanSquaredError": lambda: losses.MeanSquaredError(),
    "MeanSquaredLogarithmicError": lambda: losses.MeanSquaredLogarithmicError(),
    "Poisson": lambda: losses.Poisson(),
    "SparseCategoricalCrossentropy": lambda: losses.SparseCategoricalCrossentropy(),
    "SquaredHinge": lambda: losses.SquaredHinge(),
}

METRICS = {
    "AUC": lambda: metrics.AUC(num_thresholds=20, curve="PR"),
    "Accuracy": lambda: metrics.Accuracy(),
    "BinaryAccuracy": lambda: metrics.BinaryAccuracy(threshold=0.3),
    "BinaryCrossentropy": lambda: metrics.BinaryCrossentropy(label_smoothing=0.1),
    "CategoricalAccuracy": lambda: metrics.CategoricalAccuracy(name="right"),
    "CategoricalCrossentropy": lambda: metrics.CategoricalCrossentropy(),
    "CategoricalHinge": lambda: metrics.CategoricalHinge(),
    "CosineSimilarity": lambda: metrics.CosineSimilarity(axis=1),
    "FalseNegatives": lambda: metrics.FalseNegatives(thresholds=0.3),
    "FalsePositives": lambda: metrics.FalsePositives(thresholds=0.3),
    "Hinge": lambda: metrics.Hinge(),
    "KLDivergence": lambda: metrics.KLDivergence(),
    "LogCoshError": lambda: metrics.LogCoshError(),
    "Mean": lambda: metrics.Mean(name="average"),
    "MeanAbsoluteError": lambda: metrics.MeanAbsoluteError(),
    "MeanAbsolutePercentageError": lambda: metrics.MeanAbsolutePercentageError(),
    "MeanIoU": lambda: metrics.MeanIoU(num_classes=3),
    "MeanMetricWrapper": lambda: metrics.MeanMetricWrapper(losses.mean_squared_error),
    "MeanRelativeError": lambda: metrics.MeanRelativeError(normalizer=[1.0, 2.0, 4.0]),
    "MeanSquaredError": lambda: metrics.MeanSquaredError(),
    "MeanSquaredLogarithmicError": lambda: metrics.MeanSquaredLogarithmicError(),
    "MeanTensor": lambda: metrics.MeanTensor(),
    "Poisson": lambda: metrics.Poisson(),
    "Precision": lambda: metrics.Precision(thresholds=0.4, class_id=1),
    "PrecisionAtRecall": lambda: metrics.PrecisionAtRecall(0.5, num_thresholds=20),
    "Recall": lambda: metrics.Recall(top_k=2),
    "RecallAtPrecision": lambda: metrics.RecallAtPrecision(0.5, num_thresholds=20),
    "RootMeanSquaredError": lambda: metrics.RootMeanSquaredError(),
    "SensitivityAtSpecificity": lambda: metrics.SensitivityAtSpecificity(0.5),
    "SparseCategoricalAccuracy": lambda: metrics.SparseCategoricalAccuracy(),
    "SparseCategoricalCrossentropy": lambda: metrics.SparseCategoricalCrossentropy(),
    "SparseTopKCategoricalAccuracy": lambda: metrics.SparseTopKCategoricalAccuracy(k=2),
    "SpecificityAtSensitivity": lambda: metrics.SpecificityAtSensitivity(0.5),
    "SquaredHinge": lambda: metrics.SquaredHinge(),
    "Sum": lambda: metrics.Sum(),
    "TopKCategoricalAccuracy": lambda: metrics.TopKCategoricalAccuracy(k=2),
    "TrueNegatives": lambda: metrics.TrueNegatives(thresholds=0.3),
    "TruePositives": lambda: metrics.TruePositives(thresholds=[0.3, 0.6]),
}

SPARSE = {
    "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy",
}
"""Losses and metrics whose targets are class numbers."""

OF_VALUES = {"Mean", "MeanTensor", "Sum"}
"""Metrics of values, not of targets and predictions."""

INITIALIZERS = {
    "Constant": lambda: initializers.Constant(0.3),
    "Identity": lambda: initializers.Identity(gain=2.0),
    "Ones": lambda: initializers.Ones(),
    "Orthogonal": lambda: initializers.Orthogonal(gain=2.0, seed=1),
    "RandomNormal": lambda: initializers.RandomNormal(mean=0.1, stddev=0.2, seed=1),
    "RandomUniform": lambda: initializers.RandomUniform(minval=-0.2, maxval=0.1, seed=1),
    "TruncatedNormal": lambda: initializers.TruncatedNormal(mean=0.1, stddev=0.2, seed=1),
    "VarianceScaling": lambda: initializers.VarianceScaling(2.0, "fan_avg", "uniform", seed=1),
    "Zeros": lambda: initializers.Zeros(),
}

REGULARIZERS = {
    "L1": lambda: regularizers.L1(0.1),
    "L1L2": lambda: regularizers.L1L2(l1=0.1, l2=0.2),
    "L2": lambda: regularizers.L2(0.2),
}

CONSTRAINTS = {
    "MaxNorm": lambda: constraints.MaxNorm(max_value=0.5, axis=1),
    "MinMaxNorm": lambda: constraints.MinMaxNorm(0.2, 0.8, rate=0.5, axis=0),
    "NonNeg": lambda: constraints.NonNeg(),
    "UnitNorm": lambda: constraints.UnitNorm(axis=1),
}

CALLBACKS = {
    "BackupAndRestore": lambda path: callbacks.BackupAndRestore(path / "backup"),
    "BaseLogger": lambda path: callbacks.BaseLogger(),
    "CSVLogger": lambda path: callbacks.CSVLogger(str(path / "log.csv"), separator=";"),
    "EarlyStopping": lambda path: callbacks.EarlyStopping(monitor="loss", patience=5),
    "EventStream": lambda path: callbacks.EventStream([]),
    "History": lambda path: callbacks.History(),
    "LambdaCallback": lambda path: callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: None),
    "LearningRateScheduler": lambda path: callbacks.LearningRateScheduler(lambda epoch: 0.1),
    "ModelCheckpoint": lambda path: callbacks.ModelCheckpoint(str(path / "m.h5"), monitor="loss"),
    "ProgbarLogger": lambda path: callbacks.ProgbarLogger(),
    "ReduceLROnPlateau": lambda path: callbacks.ReduceLROnPlateau(monitor="loss", patience=1),
    "TensorBoard": lambda path: callbacks.TensorBoard(path / "logs", update_freq="batch"),
    "TerminateOnNaN": lambda path: callbacks.TerminateOnNaN(),
}
"""How a callback is made, from a folder that it may write to."""

UTILITIES = {
    "CustomObjectScope": lambda: utils.CustomObjectScope({"doubled": doubled}),
    "GeneratorEnqueuer": lambda: utils.GeneratorEnqueuer(iter([])),
    "OrderedEnqueuer": lambda: utils.OrderedEnqueuer([0]),
    "Progbar": lambda: utils.Progbar(10),
}

MODELS = {"Model": _functional, "Sequential": _sequential}

ELSEWHERE = {
    ("callbacks", "Callback"): "the base of callbacks",
    ("callbacks", "CallbackList"): "a list of callbacks",
    ("callbacks", "RemoteMonitor"): "sends to a server; its own test has one",
    ("constraints", "Constraint"): "the base of constraints",
    ("initializers", "Initializer"): "the base of initializers",
    ("losses", "Loss"): "the base of losses",
    ("losses", "Reduction"): "the names of the ways to reduce a loss",
    ("metrics", "Metric"): "the base of metrics",
    ("optimizers", "Optimizer"): "the base of optimizers",
    ("optimizers", "TFOptimizer"): "wraps an optimizer of TensorFlow, which has no configuration",
    ("regularizers", "Regularizer"): "the base of regularizers",
    ("utils", "HDF5Matrix"): "reads a file; its own test has one",
    ("utils", "Sequence"): "the base of sequences",
    ("utils", "SequenceEnqueuer"): "the base of enqueuers",
}
"""Public classes without an example, and why."""

PACKAGES = {
    "callbacks": CALLBACKS,
    "constraints": CONSTRAINTS,
    "initializers": INITIALIZERS,
    "layers": {**{n: LAYERS[n] for n in LAYERS if n not in MODELS}, **CELLS, **NOT_CALLED},
    "losses": LOSSES,
    "metrics": METRICS,
    "models": MODELS,
    "optimizers": OPTIMIZERS,
    "regularizers": REGULARIZERS,
    "utils": UTILITIES,
}
"""The packages whose public classes are listed here."""


# ---------------------------------------------------------------- examples at work


def arrays_for(row: Row, rows: int = BATCH, seed: int = 0) -> list[np.ndarray]:
    """Inputs for a layer's row."""
    rng = np.random.default_rng(seed)
    shapes = row.shape if isinstance(row.shape, list) else [row.shape]
    if row.below:
        return [rng.integers(0, row.below, (rows, *shape)) for shape in shapes]
    return [rng.normal(size=(rows, *shape)).astype("float32") for shape in shapes]


def one_or_all(values: list[Any]) -> Any:
    return values[0] if len(values) == 1 else values


def model_of(row: Row, *, batch_size: int | None = None, dtype: str = "float32") -> Any:
    """A functional model of the row's layer and what it is called on."""
    if row.fixed:
        batch_size = BATCH
    shapes = row.shape if isinstance(row.shape, list) else [row.shape]
    inputs = [
        layers.Input(batch_shape=(batch_size, *shape), dtype="int32" if row.below else dtype)
        for shape in shapes
    ]
    return models.Model(one_or_all(inputs), row.make()(one_or_all(inputs)))
