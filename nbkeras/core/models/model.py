"""The model: a network that is compiled, trained, evaluated and asked."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from ... import events
from .. import registry
from ..backend.symbolic import Call, call_scope, flatten
from ..callbacks import Callback, CallbackList, EventStream, History, ProgbarLogger
from ..engine import saving
from ..engine.data import batch_of, shuffled, split_rows, standardize_inputs
from ..engine.logs import Logs
from ..engine.loop import fit_loop, test_loop
from ..engine.network import Network
from ..engine.objective import Objective
from ..engine.program import ArrayExecutor, Program
from ..engine.shapes import shape_of

__all__ = ["Model"]


@registry.register("layer")
class Model(Network):
    """Layers from some inputs to some outputs, that can be trained.

    Args:
        inputs: a symbolic tensor made by ``Input``, or a list of them.
        outputs: what layers made of them, one or a list.
        name: its name.

    >>> from nbkeras.core.layers import Dense, Input
    >>> x = Input(shape=(32,))
    >>> Model(inputs=x, outputs=Dense(4)(x)).output_shape
    (None, 4)

    Source: Keras 2 manual, chapters 3.2 and 4.3.
    """

    def __init__(
        self, inputs: Any = None, outputs: Any = None, name: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(inputs, outputs, name, **kwargs)
        self.optimizer: Any = None
        self.objective: Objective | None = None
        self.compile_arguments: dict[str, Any] | None = None
        self.stop_training = False
        self.history: History | None = None
        self._programs: dict[Any, Program] = {}
        self._lock = threading.RLock()
        self._rng: tf.Variable | None = None
        self._trained: list[tf.Variable] | None = None

    # ---------------------------------------------------------------- compile

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        metrics: Any = None,
        loss_weights: Any = None,
        sample_weight_mode: Any = None,
        weighted_metrics: Any = None,
        target_tensors: Any = None,
        jit_compile: bool | str = "auto",
        **kwargs: Any,
    ) -> None:
        """Say how the model is trained.

        Args:
            optimizer: name, configuration or object.
            loss: name, function or ``Loss``; for several outputs a list or a
                dictionary by output name.
            metrics: names, functions or objects to report: a list, nested lists or a
                dictionary by output name.
            loss_weights: how much each output's loss counts.
            sample_weight_mode: ``"temporal"`` for weights at each time step.
            weighted_metrics: metrics that sample weights apply to.
            target_tensors: not supported: pass targets to ``fit``.
            jit_compile: whether XLA compiles the step; ``"auto"`` measures.

        Raises:
            ValueError: a name or a form is not known; the model is as before then.
        """
        if target_tensors is not None:
            raise ValueError("target_tensors are not supported: pass the targets as y to fit().")
        if jit_compile not in (True, False, "auto"):
            raise ValueError(f"jit_compile is True, False or 'auto'; got {jit_compile!r}.")
        if kwargs:
            known = ["optimizer", "loss", "metrics", "loss_weights", "sample_weight_mode"]
            name = sorted(kwargs)[0]
            raise TypeError(
                f"compile() has no argument {name!r}.{registry.suggestion(name, known)}"
            )
        chosen = registry.get("optimizer", optimizer)
        if chosen is None:
            raise ValueError("compile needs an optimizer, such as compile('adam', loss='mse').")
        arguments = {
            "loss": loss,
            "metrics": metrics,
            "loss_weights": loss_weights,
            "sample_weight_mode": sample_weight_mode,
            "weighted_metrics": weighted_metrics,
        }
        objective = self._objective(arguments) if self.built else None
        self.optimizer = chosen
        self.objective = objective
        self.compile_arguments = {"optimizer": optimizer, **arguments}
        self._jit = jit_compile
        self._programs = {}
        self._trained = list(self.trainable_weights) if self.built else None

    def _objective(self, arguments: dict[str, Any]) -> Objective:
        names = self.output_names or ["output_1"]
        shapes = [shape_of(tensor) for tensor in self.outputs] or [None]
        return Objective(names, shapes, **arguments)

    def _require_compiled(self, what: str) -> None:
        if self.optimizer is None:
            raise RuntimeError(
                f"The model must be compiled before {what}(). Write "
                "model.compile(optimizer='adam', loss='...', metrics=['accuracy'])."
            )

    @property
    def metrics_names(self) -> list[str]:
        """What is reported: ``loss`` first, then the metrics."""
        self._require_compiled("metrics_names")
        return list(self.objective.names) if self.objective else ["loss"]

    @property
    def metrics(self) -> list[Any]:
        """The metrics that were asked for."""
        return list((self.compile_arguments or {}).get("metrics") or [])

    @property
    def loss(self) -> Any:
        """The loss that was asked for."""
        return (self.compile_arguments or {}).get("loss")

    # ---------------------------------------------------------------- the steps

    def _collect(self, inputs: list[Any], call: Call) -> tuple[list[Any], list[Any]]:
        """Outputs and their masks for a batch, in a call."""
        with call_scope(call):
            single = len(inputs) == 1
            outputs = flatten(self._run(inputs[0] if single else inputs))
        return outputs, [call.mask_of(output) for output in outputs]

    def _gradients(self, inputs: Any, targets: Any, weights: Any) -> tuple[Any, Any]:
        """The logs of a batch of training, and the gradients of its loss."""
        variables = self._trained or []
        call = Call(training=True, seed=self._rng)
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(variables)
            outputs, masks = self._collect(inputs, call)
            penalties = [*call.losses, *self.losses]
            loss, logs = self.objective(targets, outputs, masks, weights, penalties)
        return logs, tape.gradient(loss, variables)

    def _train_step(self, inputs: Any, targets: Any, weights: Any) -> Any:
        """One update: outputs, loss, gradients, new weights; returns the logs."""
        logs, gradients = self._gradients(inputs, targets, weights)
        self.optimizer.apply(gradients, self._trained or [])
        self._rng.assign_add([0, 1])
        return logs

    def _probe_step(self, inputs: Any, targets: Any, weights: Any) -> Any:
        """Whether a batch of training has a loss and gradients that are numbers (1 or 0)."""
        logs, gradients = self._gradients(inputs, targets, weights)
        values = [logs[0], *(tf.convert_to_tensor(g) for g in gradients if g is not None)]
        return tf.cast(
            tf.reduce_all([tf.reduce_all(tf.math.is_finite(value)) for value in values]), tf.float32
        )

    def _test_step(self, inputs: Any, targets: Any, weights: Any) -> Any:
        call = Call(training=False, seed=(0, 0))
        outputs, masks = self._collect(inputs, call)
        penalties = [*call.losses, *self.losses]
        return self.objective(targets, outputs, masks, weights, penalties)[1]

    def _predict_step(self, inputs: Any, targets: Any, weights: Any) -> Any:
        return self._collect(inputs, Call(training=False, seed=(0, 0)))[0]

    def _program(self, kind: str) -> Program:
        with self._lock:
            if kind not in self._programs:
                step = getattr(self, f"_{kind}_step")
                width = len(self.objective.names) if self.objective else 0
                self._programs[kind] = Program(step, width, self._jit_of(kind), self._loop_jit())
            return self._programs[kind]

    def _jit_of(self, kind: str) -> Any:
        return False if kind == "predict" else self._jit

    def _loop_jit(self) -> bool:
        """Whether XLA may compile a loop of steps: not with convolutions on a CPU."""
        on_gpu = bool(tf.config.list_logical_devices("GPU"))
        return on_gpu or not any(_has_convolution(layer) for layer in self.layers)

    def _prepare_training(self) -> None:
        """Make what a training step needs before it is traced."""
        if self._rng is None:
            self._rng = tf.Variable([0, 0], dtype=tf.int32, trainable=False, name="rng")
        if self._trained is None:
            self._trained = list(self.trainable_weights)
        self.optimizer.build(self._trained)

    def _seed_noise(self) -> None:
        """Begin a new stream of noise, drawn from NumPy's generator; steps count on."""
        key = np.random.randint(0, 2**31 - 1)
        self._rng.assign(tf.stack([tf.constant(key, tf.int32), self._rng[1]]))

    def _ensure_built(self, x: Any) -> None:
        """Build a model that knows its shapes only from data."""
        if self.built and (self.objective is not None or self.compile_arguments is None):
            return
        if not self.built:
            first = [tensor[:1] for tensor in standardize_inputs(self, x)]
            self._build_from(first)
        if self.compile_arguments is not None and self.objective is None:
            arguments = {k: v for k, v in self.compile_arguments.items() if k != "optimizer"}
            self.objective = self._objective(arguments)

    def _build_from(self, inputs: list[Any]) -> None:
        with call_scope(Call(training=False, seed=(0, 0))):
            self._run(inputs[0] if len(inputs) == 1 else inputs)

    # ---------------------------------------------------------------- fit

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: int = 1,
        callbacks: Any = None,
        validation_split: float = 0.0,
        validation_data: Any = None,
        shuffle: bool | str = True,
        class_weight: Any = None,
        sample_weight: Any = None,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_freq: int | Sequence[int] = 1,
        **kwargs: Any,
    ) -> History:
        """Train for a number of epochs.

        An interrupt (Ctrl-C, or the notebook's stop button) lets the step in flight
        finish, closes the callbacks and returns what was learned so far.

        Args:
            x: inputs: an array with one row a sample, a list of arrays, or a dictionary
                by input name.
            y: targets, in the same forms.
            batch_size: rows in a batch, 32 by default.
            epochs: the number of the last epoch.
            verbose: 0 silent, 1 a progress bar, 2 a line an epoch.
            callbacks: ``Callback`` objects, or listeners with ``handle(event)``.
            validation_split: share of the last rows to validate on, not to train on.
            validation_data: (x, y) or (x, y, sample weights) to validate on instead.
            shuffle: whether to shuffle the rows before each epoch; ``"batch"`` shuffles
                whole batches.
            class_weight: how much each class counts, ``{class: weight}``.
            sample_weight: how much each row counts.
            initial_epoch: the number of the first epoch, to go on where one stopped.
            steps_per_epoch: batches in an epoch, by default as many as there are.
            validation_steps: batches of a validation, by default as many as there are.
            validation_freq: every how many epochs to validate, or a list of epochs.

        Returns:
            The :class:`History` of what was logged.

        Raises:
            RuntimeError: the model is not compiled.
            ValueError: data do not fit the model; nothing was trained then.
        """
        epochs, kwargs = _old_keywords("fit", epochs, kwargs)
        self._require_compiled("fit")
        _check_counts(batch_size=batch_size, epochs=epochs, steps_per_epoch=steps_per_epoch)
        self._ensure_built(x)
        data = batch_of(self, x, y, sample_weight, class_weight)
        if validation_data is not None:
            held_out = self._validation_batch(validation_data)
        elif validation_split:
            data, held_out = split_rows(data, validation_split)
        else:
            held_out = None
        self._prepare_training()
        size = batch_size or self._fixed_batch_size() or 32
        self._check_finite(data, size)
        self._check_trainable()
        listeners, chosen = _split_callbacks(callbacks)
        stream = EventStream(listeners)
        self.history = History()
        shown = [ProgbarLogger()] if verbose else []
        hears = CallbackList([*shown, *chosen, self.history, stream])
        executor = ArrayExecutor(
            self._program("train"),
            data,
            size,
            passes=epochs - initial_epoch,
            per_batch=hears.wants_train_batches,
            steps=steps_per_epoch,
        )
        validate = self._validator(held_out, size, validation_steps, validation_freq, hears)
        hears.set_params(
            {
                "batch_size": size,
                "epochs": epochs,
                "initial_epoch": initial_epoch,
                "steps": executor.steps,
                "samples": executor.rows_in_pass,
                "validation_samples": None if held_out is None else _rows(held_out),
                "verbose": verbose,
                "do_validation": held_out is not None,
                "metrics": _validated_names(self.metrics_names, held_out is not None),
            }
        )
        hears.set_model(self)
        self.stop_training = False
        self._seed_noise()
        with _interrupts_to(stream.mailbox), _failures_to(hears):
            fit_loop(
                self,
                executor,
                hears,
                epochs=epochs,
                initial_epoch=initial_epoch,
                order=lambda: shuffled(_rows(data), shuffle, size),
                validate=validate,
            )
        return self.history

    def _validation_batch(self, validation_data: Any) -> Any:
        if not isinstance(validation_data, list | tuple) or len(validation_data) not in (2, 3):
            raise ValueError(
                "validation_data is (x, y) or (x, y, sample_weight); got "
                f"{type(validation_data).__name__}"
                + (f" of {len(validation_data)}." if hasattr(validation_data, "__len__") else ".")
            )
        return batch_of(self, *validation_data)

    def _validator(
        self, held_out: Any, size: int, steps: int | None, freq: Any, hears: CallbackList
    ) -> Any:
        """A function from an epoch to its validation logs."""
        if held_out is None:
            return lambda epoch: {}
        executor = ArrayExecutor(
            self._program("test"), held_out, size, per_batch=hears.wants_test_batches, steps=steps
        )

        def validate(epoch: int) -> dict[str, Any]:
            due = (epoch + 1) % freq == 0 if isinstance(freq, int) else epoch + 1 in freq
            if not due:
                return {}
            logs = test_loop(self, executor, hears)
            return {f"val_{name}": value for name, value in logs.items()}

        return validate

    def _fixed_batch_size(self) -> int | None:
        """The batch size that the inputs were built for, if they were."""
        sizes = {tensor.shape[0] for tensor in self.inputs} - {None}
        return min(sizes, default=None)

    def _check_trainable(self) -> None:
        now = [id(weight) for weight in self.trainable_weights]
        if self._trained is not None and now != [id(weight) for weight in self._trained]:
            import warnings

            warnings.warn(
                "Which weights are trainable has changed since compile(), and takes effect only "
                "with the next model.compile(...).",
                stacklevel=3,
            )

    def _check_finite(self, data: Any, size: int) -> None:
        """Refuse data whose NaN would reach the loss or the gradients, and so the weights."""
        bad = _rows_not_finite(data)
        if bad.size == 0:
            return
        rows = tf.constant(bad[:size].astype(np.int32))
        harmless = bool(self._program("probe").on_rows(data, rows))
        self.objective.reset_metrics()
        if not harmless:
            raise ValueError(
                f"The data hold NaN or infinite numbers in {bad.size} of {_rows(data)} rows, first in "
                f"row {bad[0]}; training on them would spoil the weights. Leave these rows out: "
                "keep = np.isfinite(x).reshape(len(x), -1).all(1); fit(x[keep], y[keep]). Or fill "
                "them in: np.nan_to_num(x)."
            )

    # ---------------------------------------------------------------- evaluate and predict

    def evaluate(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        verbose: int = 1,
        sample_weight: Any = None,
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """The loss and the metrics on some data.

        Args:
            x: inputs, in the forms that :meth:`fit` takes.
            y: targets.
            batch_size: rows in a batch, 32 by default.
            verbose: not used: an evaluation prints nothing.
            sample_weight: how much each row counts.
            steps: batches to evaluate, by default all.
            callbacks: callbacks with ``on_test_*`` hooks.

        Returns:
            The loss, or a list of the loss and the metrics (see ``metrics_names``).

        Raises:
            RuntimeError: the model is not compiled.
            ValueError: data do not fit the model.
        """
        self._require_compiled("evaluate")
        _check_counts(batch_size=batch_size, steps=steps)
        self._ensure_built(x)
        data = batch_of(self, x, y, sample_weight)
        hears = CallbackList(_split_callbacks(callbacks)[1], self, {"verbose": verbose})
        executor = ArrayExecutor(
            self._program("test"),
            data,
            batch_size or self._fixed_batch_size() or 32,
            per_batch=hears.wants_test_batches,
            steps=steps,
        )
        return _as_result(test_loop(self, executor, hears))

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: int = 0,
        steps: int | None = None,
        callbacks: Any = None,
    ) -> Any:
        """Outputs for some inputs.

        Args:
            x: inputs, in the forms that :meth:`fit` takes.
            batch_size: rows computed at once; by default as many as memory allows.
            verbose: not used: a prediction prints nothing.
            steps: batches to predict, by default all.
            callbacks: callbacks with ``on_predict_*`` hooks.

        Returns:
            A NumPy array, or a list of them for several outputs.

        Raises:
            ValueError: data do not fit the model.
        """
        _check_counts(batch_size=batch_size, steps=steps)
        self._ensure_built(x)
        inputs = standardize_inputs(self, x)
        hears = CallbackList(_split_callbacks(callbacks)[1], self, {"verbose": verbose})
        rows = int(inputs[0].shape[0])
        if rows == 0:
            raise ValueError("There is nothing to predict: x has no rows.")
        size = batch_size or self._fixed_batch_size() or self._predict_size()
        if steps is not None:
            rows = min(rows, steps * size)
        program = self._program("predict")
        hears.on_predict_begin()
        if rows <= size and rows == inputs[0].shape[0] and not hears.callbacks:
            blocks = [program.on_batch((inputs, [], []))]
        else:
            blocks = [
                hears.on_predict_batch(
                    number,
                    min(size, rows - start),
                    lambda start=start: program.on_batch(
                        ([t[start : min(start + size, rows)] for t in inputs], [], [])
                    ),
                )
                for number, start in enumerate(range(0, rows, size))
            ]
        hears.on_predict_end()
        columns = [[part.numpy() for part in parts] for parts in zip(*blocks, strict=True)]
        outputs = [c[0] if len(c) == 1 else np.concatenate(c) for c in columns]
        return outputs[0] if len(outputs) == 1 else outputs

    def _predict_size(self) -> int:
        """Rows to compute at once: as many as keep a layer's output under 16 MB."""
        if self._graph is None:
            return 32
        numbers = [
            int(np.prod([size or 1 for size in tensor.shape[1:]]))
            for node in self._graph.nodes
            for tensor in node.flat_outputs
            if tensor.shape.rank
        ]
        return int(min(max(2**22 // max(*numbers, 1), 32), 8192))

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        reset_metrics: bool = True,
    ) -> Any:
        """One update on one batch.

        Args:
            x: inputs, in the forms that :meth:`fit` takes.
            y: targets.
            sample_weight: how much each row counts.
            class_weight: how much each class counts.
            reset_metrics: whether metrics with state begin anew.

        Returns:
            The loss, or a list of the loss and the metrics, before the update.

        Raises:
            RuntimeError: the model is not compiled.
            ValueError: data do not fit the model.
        """
        self._require_compiled("train_on_batch")
        self._ensure_built(x)
        data = batch_of(self, x, y, sample_weight, class_weight)
        if self._rng is None:
            self._prepare_training()
            self._seed_noise()
        self._prepare_training()
        return self._one_batch("train", data, reset_metrics)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, reset_metrics: bool = True
    ) -> Any:
        """The loss and the metrics on one batch.

        Args:
            x: inputs, in the forms that :meth:`fit` takes.
            y: targets.
            sample_weight: how much each row counts.
            reset_metrics: whether metrics with state begin anew.

        Returns:
            The loss, or a list of the loss and the metrics.
        """
        self._require_compiled("test_on_batch")
        self._ensure_built(x)
        return self._one_batch("test", batch_of(self, x, y, sample_weight), reset_metrics)

    def _one_batch(self, kind: str, data: Any, reset_metrics: bool) -> Any:
        if reset_metrics:
            self.objective.reset_metrics()
        values = self._program(kind).on_batch(data).numpy().tolist()
        return _as_result(Logs(zip(self.objective.names, values, strict=True)))

    def predict_on_batch(self, x: Any) -> Any:
        """Outputs for one batch, as a NumPy array or a list of them."""
        self._ensure_built(x)
        outputs = self._program("predict").on_batch((standardize_inputs(self, x), [], []))
        arrays = [output.numpy() for output in outputs]
        return arrays[0] if len(arrays) == 1 else arrays

    # ---------------------------------------------------------------- files

    def save(self, filepath: Any, overwrite: bool = True, include_optimizer: bool = True) -> None:
        """Save structure, weights, and the state of training, in one HDF5 file."""
        saving.save_model(self, filepath, overwrite, include_optimizer)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickles and copies hold what :meth:`save` writes, and are read with the same care."""
        return saving.from_bytes, (saving.to_bytes(self),)

    def save_weights(self, filepath: Any, overwrite: bool = True) -> None:
        """Save the weights in an HDF5 file."""
        saving.save_weights(self, filepath, overwrite)

    def load_weights(
        self,
        filepath: Any,
        by_name: bool = False,
        skip_mismatch: bool = False,
        reshape: bool = False,
    ) -> None:
        """Load weights from an HDF5 file.

        Args:
            filepath: what :meth:`save_weights` or :meth:`save` wrote.
            by_name: whether to load only layers of the same name.
            skip_mismatch: whether to leave out layers whose shapes differ.
            reshape: whether to reshape weights whose sizes agree.

        Raises:
            ValueError: the file does not fit; the weights are as before then.
        """
        saving.load_weights(
            self, filepath, by_name=by_name, skip_mismatch=skip_mismatch, reshape=reshape
        )

    def to_yaml(self, **kwargs: Any) -> str:
        """The structure as YAML; keywords go to ``yaml.dump``."""
        return saving.to_yaml(self, **kwargs)


# ---------------------------------------------------------------- helpers


def _has_convolution(layer: Any) -> bool:
    inner = [*getattr(layer, "_sublayers", ())]
    return "Conv" in type(layer).__name__ or any(_has_convolution(part) for part in inner)


def _rows(data: Any) -> int:
    return next(int(t.shape[0]) for part in data for t in part if t is not None)


def _rows_not_finite(data: Any) -> np.ndarray:
    """The rows in which an input or a target is NaN or infinite."""
    found = [
        np.flatnonzero(~np.isfinite(array).reshape(len(array), -1).all(1))
        for part in data[:2]
        for array in (t.numpy() for t in part if isinstance(t, tf.Tensor) and t.dtype.is_floating)
        if not np.isfinite(array.sum(dtype=np.float64))
    ]
    return np.unique(np.concatenate(found)) if found else np.empty(0, int)


def _split_callbacks(callbacks: Any) -> tuple[list[Any], list[Any]]:
    """Listeners of events, and callbacks."""
    given = [] if callbacks is None else callbacks
    if isinstance(given, CallbackList):
        given = given.callbacks
    given = list(given) if isinstance(given, list | tuple) else [given]
    listeners = [c for c in given if not isinstance(c, Callback | type) and hasattr(c, "handle")]
    return listeners, [c for c in given if all(c is not heard for heard in listeners)]


def _as_result(logs: Logs) -> Any:
    values = list(logs.values())
    return values[0] if len(values) == 1 else values


def _validated_names(names: list[str], validated: bool) -> list[str]:
    return names + [f"val_{name}" for name in names] if validated else names


def _check_counts(**counts: Any) -> None:
    for name, value in counts.items():
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
            low = "0 or more" if name == "epochs" else "1 or more"
            if name == "epochs" and isinstance(value, int | np.integer) and value == 0:
                continue
            raise ValueError(f"{name} is a whole number, {low}; got {value!r}.")


def _old_keywords(what: str, epochs: int, kwargs: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    """Keras 1's ``nb_epoch``, with a hint; anything else is a mistake."""
    if "nb_epoch" in kwargs:
        import warnings

        epochs = kwargs.pop("nb_epoch")
        warnings.warn(
            f"nb_epoch is now epochs: {what}(..., epochs={epochs}).",
            DeprecationWarning,
            stacklevel=3,
        )
    if kwargs:
        known = list(Model.fit.__annotations__)
        name = sorted(kwargs)[0]
        raise TypeError(f"{what}() has no argument {name!r}.{registry.suggestion(name, known)}")
    return epochs, kwargs


@contextlib.contextmanager
def _interrupts_to(mailbox: events.Mailbox) -> Iterator[None]:
    """While a run is on the main thread, an interrupt asks it to stop; a second one forces it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGINT)

    def ask(number: int, frame: Any) -> None:
        signal.signal(signal.SIGINT, before)
        mailbox.post(events.Stop("interrupted"))

    try:
        signal.signal(signal.SIGINT, ask)
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextlib.contextmanager
def _failures_to(callbacks: CallbackList) -> Iterator[None]:
    """If a run fails, its callbacks hear of it before the error goes on."""
    try:
        yield
    except BaseException as error:
        callbacks.on_train_failed(error)
        raise
