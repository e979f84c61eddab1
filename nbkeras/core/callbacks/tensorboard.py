"""Logs, histograms, images, embeddings and the graph of a run, for TensorBoard."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import tensorflow as tf

from ..backend.symbolic import Call, call_scope, flatten
from ..engine.distribution import ASIDE
from ..engine.logs import Logs
from ..engine.network import Network
from ..files import write_text
from .base import Callback

__all__ = ["TensorBoard"]

MAX_IMAGES = 16
"""How many filters of a layer are shown at most."""


class TensorBoard(Callback):
    """Writes a log that TensorBoard shows: ``tensorboard --logdir=./logs``.

    Each log is a scalar ``epoch_<name>`` in the run ``train``, and in the run
    ``validation`` for what was validated, so that both are in one chart. Batches,
    if asked for, are ``batch_<name>``. Histograms are ``<weight>``,
    ``<weight>/gradient`` and ``<layer>/output``; their gradients and outputs are those
    of the first ``batch_size`` rows of the validation data.

    Args:
        log_dir: the folder.
        histogram_freq: every how many epochs histograms are written; 0 for none.
        batch_size: how many rows of the validation data they are computed for.
        write_graph: whether to write the model's graph.
        write_grads: whether there are histograms of gradients too.
        write_images: whether weights are drawn as images, with the histograms.
        embeddings_freq: every how many epochs embeddings are written; 0 for none.
        embeddings_layer_names: the layers; by default all ``Embedding`` layers.
        embeddings_metadata: the file that names the rows, or ``{layer: file}``.
        embeddings_data: if given, the layers' outputs for these data are written, not
            their weights.
        update_freq: ``"epoch"``, ``"batch"``, or after how many samples to write logs.

    Raises:
        ImportError: the package tensorboard is not installed.
        ValueError: a frequency or a layer's name is wrong; nothing is trained then.

    >>> TensorBoard("logs/first", histogram_freq=1).update_freq
    'epoch'

    Source: Keras 2 manual, chapter 11.1.10; the last two arguments are of Keras 2.2.
    """

    chief_only = True
    state_names: ClassVar = ("_batches", "_samples")

    def __init__(
        self,
        log_dir: str | os.PathLike[str] = "./logs",
        histogram_freq: int = 0,
        batch_size: int = 32,
        write_graph: bool = True,
        write_grads: bool = False,
        write_images: bool = False,
        embeddings_freq: int = 0,
        embeddings_layer_names: Any = None,
        embeddings_metadata: Any = None,
        embeddings_data: Any = None,
        update_freq: int | str = "epoch",
    ) -> None:
        super().__init__()
        if update_freq not in ("epoch", "batch") and not _is_count(update_freq, 1):
            raise ValueError(
                "update_freq is 'epoch', 'batch' or a number of samples such as 1000; "
                f"got {update_freq!r}."
            )
        for name, value in (
            ("histogram_freq", histogram_freq),
            ("embeddings_freq", embeddings_freq),
        ):
            if not _is_count(value, 0):
                raise ValueError(f"{name} is a number of epochs, or 0 for never; got {value!r}.")
        self.log_dir = Path(log_dir)
        self.histogram_freq = histogram_freq
        self.batch_size = batch_size
        self.write_graph = write_graph
        self.write_grads = write_grads
        self.write_images = write_images
        self.embeddings_freq = embeddings_freq
        self.embeddings_layer_names = embeddings_layer_names
        self.embeddings_metadata = embeddings_metadata
        self.embeddings_data = embeddings_data
        self.update_freq = update_freq
        self._writers: dict[str, Any] = {}
        self._probe: _Probe | None = None
        self._batches = self._samples = 0
        self._waiting: list[tuple[np.ndarray, np.ndarray]] = []

    # ---------------------------------------------------------------- hooks

    def on_train_begin(self, logs: Any = None) -> None:
        _require_tensorboard()
        self._batches = self._samples = 0
        self._waiting = []
        self._probe = None
        self._embedded = self._embedded_layers() if self.embeddings_freq else []
        if self.histogram_freq and self.validation_data is None:
            warnings.warn(
                "TensorBoard: without validation data in arrays there are histograms of weights "
                "only. Pass validation_split=0.2 or validation_data=(x, y) to fit.",
                RuntimeWarning,
                stacklevel=2,
            )
        if self.write_graph and self.model.inputs:
            with self._writer("train").as_default():
                tf.summary.graph(_graph(self.model))

    def on_steps_end(self, step: int, sizes: Any, values: dict[str, Any], means: Logs) -> None:
        names = list(values)
        for number, size in enumerate(sizes):
            self._batches += 1
            if self.update_freq == "epoch":
                continue
            row = np.array([values[name][number] for name in names], np.float64)
            self._waiting.append((row, size))
            self._samples += int(size)
            if self.update_freq == "batch" or self._samples >= int(self.update_freq):
                self._write_batches(names)

    def _write_batches(self, names: list[str]) -> None:
        """Write the means of the batches since the last writing."""
        rows, sizes = zip(*self._waiting, strict=True)
        mean = np.average(rows, axis=0, weights=sizes)
        self._waiting, self._samples = [], 0
        self._scalars("train", dict(zip(names, mean, strict=True)), "batch_", self._batches)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        logs = dict(logs or {})
        validated = {n.removeprefix("val_"): v for n, v in logs.items() if n.startswith("val_")}
        trained = {n: v for n, v in logs.items() if not n.startswith("val_")}
        self._scalars("train", trained, "epoch_", epoch)
        if validated:
            self._scalars("validation", validated, "epoch_", epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            with self._writer("train").as_default(step=epoch):
                self._write_weights()
                if self.validation_data is not None and self.model.inputs:
                    self._write_outputs()
        if self._embedded and epoch % self.embeddings_freq == 0:
            self._write_embeddings()
        for writer in self._writers.values():
            writer.flush()

    def on_train_end(self, logs: Any = None) -> None:
        self._close()

    def on_train_failed(self, error: BaseException) -> None:
        self._close()

    def _writer(self, run: str) -> Any:
        if run not in self._writers:
            self._writers[run] = tf.summary.create_file_writer(str(self.log_dir / run))
        return self._writers[run]

    def _close(self) -> None:
        for writer in self._writers.values():
            writer.close()
        self._writers = {}

    # ---------------------------------------------------------------- what is written

    def _scalars(self, run: str, logs: Mapping[str, Any], prefix: str, step: int) -> None:
        with self._writer(run).as_default(step=step):
            for name, value in logs.items():
                if np.ndim(value) == 0:
                    tf.summary.scalar(prefix + name, float(value))

    def _write_weights(self) -> None:
        for name, weight in _named_weights(self.model):
            tf.summary.histogram(name, weight)
            image = _as_image(weight.numpy()) if self.write_images else None
            if image is not None:
                tf.summary.image(f"{name}/image", image, max_outputs=MAX_IMAGES)

    def _write_outputs(self) -> None:
        """Histograms of the layers' outputs, and of the gradients."""
        data = self._first_rows()
        if self._probe is None:
            self._probe = _Probe(self.model)
        for name, value in self._probe.outputs(data[0]):
            tf.summary.histogram(f"{name}/output", value)
        if self.write_grads:
            names = {id(weight): name for name, weight in _named_weights(self.model)}
            for weight, gradient in self._probe.gradients(data):
                tf.summary.histogram(f"{names.get(id(weight), weight.name)}/gradient", gradient)

    def _first_rows(self) -> list[list[Any]]:
        """(inputs, targets, sample weights) of the first rows of the validation data."""
        data = [tf.constant(array[: self.batch_size]) for array in self.validation_data]
        inputs, outputs = len(self.model.inputs), len(self.model.outputs)
        return [data[:inputs], data[inputs : inputs + outputs], data[inputs + outputs :]]

    # ---------------------------------------------------------------- embeddings

    def _embedded_layers(self) -> list[Any]:
        names = self.embeddings_layer_names
        if names:
            return [self.model.get_layer(name) for name in names]
        return [layer for layer in self.model.layers if hasattr(layer, "embeddings")]

    def _write_embeddings(self) -> None:
        """Each layer's vectors as a table, and what the projector should show of them."""
        from google.protobuf import text_format
        from tensorboard.plugins.projector import ProjectorConfig

        config = ProjectorConfig()
        for number, layer in enumerate(self._embedded):
            # A layer's name may be anything, also a path: files are numbered.
            file = f"embedding_{number}.tsv"
            rows = ("\t".join(map(str, row)) for row in self._vectors(layer).tolist())
            write_text(self.log_dir / file, "".join(f"{row}\n" for row in rows))
            described = config.embeddings.add()
            described.tensor_name = layer.name
            described.tensor_path = file
            metadata = self.embeddings_metadata
            if isinstance(metadata, Mapping):
                metadata = metadata.get(layer.name)
            if metadata is not None:
                described.metadata_path = os.path.abspath(metadata)
        write_text(self.log_dir / "projector_config.pbtxt", text_format.MessageToString(config))

    def _vectors(self, layer: Any) -> np.ndarray:
        if self.embeddings_data is None:
            return layer.get_weights()[0]
        data = self.embeddings_data
        arrays = list(data) if isinstance(data, list | tuple) else [data]
        outputs = _outputs_of(self.model, [layer.get_output_at(0)])
        inputs = [tf.cast(a, t.dtype) for a, t in zip(arrays, self.model.inputs, strict=True)]
        starts = range(0, len(arrays[0]), self.batch_size)
        parts = [outputs([a[i : i + self.batch_size] for a in inputs])[0].numpy() for i in starts]
        return np.concatenate(parts).reshape(len(arrays[0]), -1)


class _Probe:
    """A model's inner values for some data, compiled once: without noise, changing nothing."""

    def __init__(self, model: Any) -> None:
        layers = [layer for layer in model.layers if getattr(layer, "_inbound_nodes", ())]
        places = [(layer.name, t) for layer in layers for t in _first_outputs(layer)]
        self._names = [name for name, _ in places]
        self._trainer = model._trainer
        self._outputs = _outputs_of(model, [tensor for _, tensor in places])
        self._compute = tf.function(self._loss_gradients, autograph=False)

    def outputs(self, inputs: list[Any]) -> Iterator[tuple[str, Any]]:
        """(layer, output) for each layer."""
        return zip(self._names, self._outputs(inputs), strict=True)

    def gradients(self, data: list[list[Any]]) -> Iterator[tuple[Any, Any]]:
        """(weight, gradient of the loss) for each weight that the loss depends on."""
        for weight, gradient in zip(self._trainer.trained, self._compute(*data), strict=True):
            if gradient is not None:
                yield weight, tf.convert_to_tensor(gradient)

    def _loss_gradients(self, inputs: Any, targets: Any, weights: Any) -> Any:
        trainer = self._trainer
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(trainer.trained)
            call = Call(training=False, seed=(0, 0))
            loss, _ = trainer._measured(inputs, targets, weights, call, ASIDE)
        return tape.gradient(loss, trainer.trained)


def _outputs_of(model: Any, tensors: list[Any]) -> Any:
    """A compiled function from a model's inputs to some of its tensors."""
    part = Network(model.inputs, tensors, name="inner_values")

    def run(inputs: list[Any]) -> list[Any]:
        with call_scope(Call(training=False, seed=(0, 0))):
            return flatten(part._run(inputs[0] if len(inputs) == 1 else inputs))

    return tf.function(run, autograph=False)


def _is_count(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _require_tensorboard() -> None:
    try:
        import tensorboard  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "The callback TensorBoard writes with the package tensorboard, which is not "
            "installed: pip install tensorboard."
        ) from error


def _named_weights(model: Any) -> Iterator[tuple[str, Any]]:
    """Weights as ``layer/weight``, each name once."""
    seen: set[str] = set()
    for layer in model.layers:
        for weight in layer.weights:
            last = weight.name.partition(":")[0].rpartition("/")[2]
            base = name = f"{layer.name}/{last}"
            number = 0
            while name in seen:
                number += 1
                name = f"{base}_{number}"
            seen.add(name)
            yield name, weight


def _first_outputs(layer: Any) -> list[Any]:
    """What the first call of a layer gave."""
    outputs = layer.get_output_at(0)
    return list(outputs) if isinstance(outputs, list | tuple) else [outputs]


def _graph(model: Any) -> Any:
    """The graph of the model as TensorFlow runs it."""
    trainer = model._trainer
    specs = [tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in model.inputs]
    function = tf.function(lambda *inputs: trainer.predict(list(inputs), [], []), autograph=False)
    return function.get_concrete_function(*specs).graph


def _as_image(weight: np.ndarray) -> np.ndarray | None:
    """A weight as grey images (number, height, width, 1) from 0 to 1; filters one by one."""
    if weight.ndim == 1:
        image = weight[None, None, :]
    elif weight.ndim == 2:
        image = weight[None]
    elif weight.ndim == 3:
        image = weight.transpose(2, 0, 1)
    elif weight.ndim == 4:
        image = weight.transpose(3, 2, 0, 1).reshape(-1, *weight.shape[:2])
    else:
        return None
    if image.size == 0:
        return None
    image = image.astype(np.float32)
    low, high = image.min(), image.max()
    return ((image - low) / max(high - low, 1e-7))[..., None]
