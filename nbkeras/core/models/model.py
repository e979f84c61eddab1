"""The model: a network that is compiled, trained, evaluated and asked."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from .. import optimizers, registry
from ..backend.symbolic import Call, KerasTensor, call_scope, current_call, record
from ..callbacks import CallbackList, EventStream, History, ProgbarLogger
from ..engine import saving
from ..engine.blocks import Rows, first_rows, worth_blocks
from ..engine.data import batch_of, check_rows, standardize_inputs
from ..engine.distribution import Distribution, scope_of
from ..engine.feeds import (
    check_batch,
    check_whole,
    fixed_batch_size,
    inputs_in_blocks,
    open_feed,
)
from ..engine.layer import Layer
from ..engine.logs import Logs
from ..engine.loop import fit_loop, test_loop
from ..engine.network import Network
from ..engine.objective import Objective
from ..engine.predicting import Predictor
from ..engine.shapes import shape_of
from ..engine.streams import BatchStream, Reading, is_stream
from ..engine.targets import TargetTensors
from ..engine.trainer import Trainer
from .arguments import (
    OLD_GENERATOR_NAMES,
    check_counts,
    count_of_steps,
    failures_to,
    interrupts_to,
    rename_old,
    split_callbacks,
)

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
        self.compile_arguments: dict[str, Any] | None = None
        self.stop_training = False
        self.history: History | None = None
        self._target_tensors: TargetTensors | None = None
        self._jit: bool | str = "auto"
        self._mixed_precision: str | None = None
        self._trainer: Trainer | None = None
        self._distribution = Distribution.current()
        self._building = threading.RLock()

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
        mixed_precision: str | None = None,
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
            target_tensors: targets to use where ``fit`` is given none: a tensor, a list or
                a dictionary by output name; ``None`` or a placeholder for those it is given.
            jit_compile: whether XLA compiles the step; ``"auto"`` measures.
            mixed_precision: ``'bfloat16'`` or ``'float16'`` computes matrix products and
                convolutions in that type; weights and all else stay float32.

        Raises:
            ValueError: a name or a form is not known; the model is as before then.
        """
        if jit_compile not in (True, False, "auto"):
            raise ValueError(f"jit_compile is True, False or 'auto'; got {jit_compile!r}.")
        if kwargs:
            known = ["optimizer", "loss", "metrics", "loss_weights", "sample_weight_mode"]
            name = sorted(kwargs)[0]
            raise TypeError(
                f"compile() has no argument {name!r}.{registry.suggestion(name, known)}"
            )
        distribution = Distribution.chosen(self._distribution, self.weights)
        with scope_of(distribution):
            chosen = optimizers.get(optimizer)
        if chosen is None:
            raise ValueError("compile needs an optimizer, such as compile('adam', loss='mse').")
        arguments = {
            "loss": loss,
            "metrics": metrics,
            "loss_weights": loss_weights,
            "sample_weight_mode": sample_weight_mode,
            "weighted_metrics": weighted_metrics,
        }
        with scope_of(distribution):
            objective = self._objective(arguments) if self.built else None
        if target_tensors is not None and objective is None:
            raise ValueError(
                "target_tensors need to know the model's outputs: give its first layer an "
                "input_shape, or call model.build((None, ...)) before compile."
            )
        targets = (
            None if target_tensors is None else TargetTensors(target_tensors, self.output_names)
        )
        trainer = Trainer(self, chosen, objective, jit_compile, distribution, mixed_precision)
        self._target_tensors = targets
        self._distribution = distribution
        self.optimizer = chosen
        self.compile_arguments = {"optimizer": optimizer, **arguments}
        self._jit = jit_compile
        self._mixed_precision = trainer.precision
        self._trainer = trainer if objective else None

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
    def objective(self) -> Objective:
        """The losses and metrics that were compiled."""
        if self._trainer is None or self._trainer.objective is None:
            raise RuntimeError(
                "The model has no losses yet: compile it, and give its first layer an input_shape "
                "or fit it once."
            )
        return self._trainer.objective

    @property
    def metrics_names(self) -> list[str]:
        """What is reported: ``loss`` first, then the metrics."""
        self._require_compiled("metrics_names")
        ready = self._trainer is not None and self._trainer.objective is not None
        return list(self.objective.names) if ready else ["loss"]

    @property
    def metrics(self) -> list[Any]:
        """The metrics that were asked for."""
        return list((self.compile_arguments or {}).get("metrics") or [])

    @property
    def loss(self) -> Any:
        """The loss that was asked for."""
        return (self.compile_arguments or {}).get("loss")

    @property
    def targets(self) -> list[Any]:
        """Placeholders for the targets of each output, from which comes :attr:`total_loss`."""
        return self._symbolic_loss()[0]

    @property
    def sample_weights(self) -> list[Any]:
        """Placeholders for the sample weights of each output."""
        return self._symbolic_loss()[1]

    @property
    def total_loss(self) -> Any:
        """The loss as a symbolic scalar: of inputs, :attr:`targets` and :attr:`sample_weights`.

        >>> from nbkeras.core import backend as K
        >>> from nbkeras.core.layers import Dense
        >>> from nbkeras.core.models import Sequential
        >>> model = Sequential([Dense(1, input_shape=(2,), kernel_initializer="ones")])
        >>> model.compile("sgd", "mse")
        >>> read = K.function(
        ...     model.inputs + model.targets + model.sample_weights,
        ...     K.gradients(model.total_loss, model.trainable_weights),
        ... )
        >>> read([[[1.0, 2.0]], [[2.0]], [1.0]])[1].tolist()
        [2.0]
        """
        return self._symbolic_loss()[2]

    _symbols: tuple[Any, list[Any], list[Any], Any] | None = None

    def _symbolic_loss(self) -> tuple[list[Any], list[Any], Any]:
        """Targets, sample weights and total loss, made once for what was compiled."""
        objective = self.objective
        if self._symbols is None or self._symbols[0] is not objective:
            targets, weights = [], []
            for goal, output in zip(objective.goals, self.outputs, strict=True):
                shape = (*output.shape[:-1], 1) if _is_sparse(goal.loss) else tuple(output.shape)
                targets.append(KerasTensor(shape, name=f"{goal.name}_target"))
                axes = 2 if goal.temporal else 1
                weights.append(KerasTensor((None,) * axes, name=f"{goal.name}_sample_weights"))

            def total(outputs: Any, targets: Any, weights: Any) -> Any:
                call: Any = current_call()
                rules = [rule(weight) for weight, rule in self._penalties()]
                masks = [call.mask_of(output) for output in outputs]
                return objective(targets, outputs, masks, weights, [*call.losses, *rules])[0]

            loss = record(total, (self.outputs, targets, weights), {})
            self._symbols = (objective, targets, weights, loss)
        return self._symbols[1:]

    # ---------------------------------------------------------------- getting ready

    def _set_graph(self, inputs: Any, outputs: Any) -> None:
        super()._set_graph(inputs, outputs)
        self._trainer = None

    def _ready(self, x: Any) -> Trainer:
        """The model's steps; a model that learns its shapes only from data is built first."""
        if self.built and self._trainer is not None:
            return self._trainer
        with self._building, scope_of(self._distribution):
            if not self.built:
                self._build_from(standardize_inputs(self, first_rows(x)))
            if self._trainer is None:
                objective = None
                if self.compile_arguments is not None:
                    given = {k: v for k, v in self.compile_arguments.items() if k != "optimizer"}
                    objective = self._objective(given)
                self._distribution = self._distribution or Distribution.of(self.weights)
                self._trainer = Trainer(
                    self,
                    self.optimizer,
                    objective,
                    self._jit,
                    self._distribution,
                    self._mixed_precision,
                )
            return self._trainer

    def _build_from(self, inputs: list[Any]) -> None:
        with call_scope(Call(training=False, seed=(0, 0))):
            self._run(inputs[0] if len(inputs) == 1 else inputs)

    def _first_of(self, x: Any) -> Any:
        """Something to learn shapes from: of a sequence or a data set its first batch."""
        if self.built or not is_stream(x):
            return x
        if not hasattr(x, "__getitem__") and not hasattr(x, "cardinality"):
            raise ValueError(
                "The model does not know its input's shape yet, and a generator's first batch "
                "cannot be put back: give the first layer an input_shape, or call "
                "model.build((None, ...))."
            )
        batch = x[0] if hasattr(x, "__getitem__") else next(iter(x))
        return batch[0]

    def _with_tensors(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Inputs and targets, with the tensors that Input(tensor=...) and compile were given."""
        bound = [tensor.value for tensor in self.inputs]
        if x is None and bound and all(value is not None for value in bound):
            x = bound
        if self._target_tensors is not None and not is_stream(x):
            y = self._target_tensors.complete(y)
        return x, y

    _freezings_seen: tuple[Any, int] | None = None
    _told_of: list[int] | None = None

    def _warn_if_frozen_late(self) -> None:
        """Say once after each change that freezing takes effect with the next compile."""
        if self._trainer is None or (self._trainer, Layer.freezings) == self._freezings_seen:
            return
        self._freezings_seen = (self._trainer, Layer.freezings)
        now, trained = self.trainable_weights, self._trainer.trained
        told, self._told_of = self._told_of, [id(weight) for weight in now]
        if self._told_of not in (told, [id(weight) for weight in trained]):
            warnings.warn(
                f"Model {self.name!r} trains the {len(trained)} weights that were trainable as it "
                f"was compiled; {len(now)} are now. That takes effect only with the next "
                f"model.compile(model.optimizer, loss={getattr(self.loss, '__name__', self.loss)!r}"
                ", ...). If it was meant for a model that contains this one, all is well.",
                stacklevel=3,
            )

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
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        **kwargs: Any,
    ) -> History:
        """Train for a number of epochs.

        An interrupt (Ctrl-C, or the notebook's stop button) lets the step in flight
        finish, closes the callbacks and returns what was learned so far.

        Args:
            x: inputs: an array with one row a sample, a list of arrays, or a dictionary
                by input name. Data sets of HDF5 files and memory maps are arrays too;
                more than 256 MB (``NBKERAS_DATA_MEMORY``) are read in blocks, ahead.
                Or whole batches (x, y) or (x, y, sample weights): a generator, a
                ``Sequence``, a ``tf.data.Dataset``.
            y: targets, in the same forms; none beside whole batches.
            batch_size: rows in a batch, 32 by default.
            epochs: the number of the last epoch.
            verbose: 0 silent, 1 a progress bar, 2 a line an epoch.
            callbacks: ``Callback`` objects, or listeners with ``handle(event)``.
            validation_split: share of the last rows to validate on, not to train on.
            validation_data: (x, y) or (x, y, sample weights) to validate on instead.
            shuffle: whether to shuffle the rows before each epoch; ``"batch"`` shuffles
                whole batches. Large data on disk are shuffled in runs of 1 MB, and these
                mixed row by row, 32 MB at a time.
            class_weight: how much each class counts, ``{class: weight}``.
            sample_weight: how much each row counts.
            initial_epoch: the number of the first epoch, to go on where one stopped.
            steps_per_epoch: batches in an epoch, by default as many as there are.
            validation_steps: batches of a validation, by default as many as there are.
            validation_freq: every how many epochs to validate, or a list of epochs.
            max_queue_size: how many batches of a generator or sequence are read ahead.
            workers: how many threads or processes read them; 0 reads in the loop.
            use_multiprocessing: whether they are processes, for a ``Sequence``.

        Returns:
            The :class:`History` of what was logged.

        Raises:
            RuntimeError: the model is not compiled.
            ValueError: data do not fit the model; nothing was trained then.
        """
        renamed = rename_old("fit", {"nb_epoch": "epochs"}, kwargs, list(Model.fit.__annotations__))
        epochs = renamed.get("epochs", epochs)
        self._require_compiled("fit")
        check_counts(batch_size=batch_size, epochs=epochs)
        steps_per_epoch = count_of_steps(steps_per_epoch=steps_per_epoch)
        validation_steps = count_of_steps(validation_steps=validation_steps)
        reading = Reading(workers, use_multiprocessing, max_queue_size)
        x, y = self._with_tensors(x, y)
        trainer = self._ready(self._first_of(x))
        feed = open_feed(
            self,
            x,
            y,
            sample_weight,
            class_weight,
            batch_size=batch_size,
            steps=steps_per_epoch,
            shuffle=shuffle,
            reading=reading,
        )
        held_out = None
        try:
            if validation_data is not None:
                held_out = self._held_out(validation_data, batch_size, validation_steps, reading)
            elif validation_split:
                feed, held_out = feed.split(validation_split)
            trainer.prepare()
            feed.check_finite(lambda: trainer.program("probe"))
            self._warn_if_frozen_late()
            return self._fit(
                trainer,
                feed,
                held_out,
                verbose,
                callbacks,
                epochs,
                initial_epoch,
                shuffle,
                validation_freq,
            )
        finally:
            feed.close()
            if held_out is not None:
                held_out.close()

    def _held_out(
        self, data: Any, batch_size: int | None, steps: int | None, reading: Reading
    ) -> Any:
        """The feed of validation data."""
        if is_stream(data):
            return open_feed(self, data, None, batch_size=None, steps=steps, reading=reading)
        if not isinstance(data, list | tuple) or len(data) not in (2, 3):
            length = f" of {len(data)}" if hasattr(data, "__len__") else ""
            raise ValueError(
                "validation_data is (x, y) or (x, y, sample_weight), or a generator of batches; "
                f"got a {type(data).__name__}{length}."
            )
        return open_feed(self, *data, batch_size=batch_size, steps=steps)

    def _fit(
        self,
        trainer: Trainer,
        feed: Any,
        held_out: Any,
        verbose: int,
        callbacks: Any,
        epochs: int,
        initial_epoch: int,
        shuffle: bool | str,
        validation_freq: Any,
    ) -> History:
        """Train, with all checked: put callbacks, executors and the loop together."""
        listeners, chosen = split_callbacks(callbacks)
        if not trainer.writes_files:
            chosen = [callback for callback in chosen if not callback.chief_only]
        stream = EventStream(listeners)
        self.history = History()
        shown = [ProgbarLogger("samples" if feed.rows else "steps")] if verbose else []
        hears = CallbackList([*shown, *chosen, self.history, stream])
        executor = feed.executor(trainer.program("train"), epochs - initial_epoch)
        names = self.metrics_names
        hears.set_params(
            {
                "batch_size": feed.batch_size,
                "epochs": epochs,
                "initial_epoch": initial_epoch,
                "steps": executor.steps,
                "samples": executor.rows_in_pass,
                "validation_samples": None if held_out is None else held_out.rows,
                "verbose": verbose,
                "do_validation": held_out is not None,
                "metrics": names if held_out is None else names + [f"val_{n}" for n in names],
            }
        )
        hears.feeds = tuple(source for source in (feed, held_out) if source is not None)
        for source in hears.feeds:
            source.attend(stream.attend)
        hears.set_model(self)
        hears.set_validation_data(None if held_out is None else held_out.arrays())
        self.stop_training = False
        trainer.seed_noise()
        with interrupts_to(stream.mailbox), failures_to(hears):
            fit_loop(
                self,
                executor,
                hears,
                epochs=epochs,
                initial_epoch=initial_epoch,
                order=lambda: trainer.agreed(feed.order(shuffle)),
                validate=self._validator(trainer, held_out, validation_freq, hears),
                step_by_step=trainer.step_by_step,
            )
        return self.history

    def _validator(
        self, trainer: Trainer, held_out: Any, freq: Any, hears: CallbackList
    ) -> Callable[[int], dict[str, Any]] | None:
        """A function from an epoch to its validation logs, if there is anything to validate."""
        if held_out is None:
            return None
        executor = held_out.executor(trainer.program("test"))

        def validate(epoch: int) -> dict[str, Any]:
            due = (epoch + 1) % freq == 0 if isinstance(freq, int) else epoch + 1 in freq
            if not due:
                return {}
            logs = test_loop(self, executor, hears)
            return {f"val_{name}": value for name, value in logs.items()}

        return validate

    def fit_generator(
        self,
        generator: Any,
        steps_per_epoch: int | None = None,
        epochs: int = 1,
        verbose: int = 1,
        callbacks: Any = None,
        validation_data: Any = None,
        validation_steps: int | None = None,
        validation_freq: int | Sequence[int] = 1,
        class_weight: Any = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        shuffle: bool = True,
        initial_epoch: int = 0,
        **kwargs: Any,
    ) -> History:
        """Train on batches from a generator or a ``Sequence``; :meth:`fit` does the same.

        Args:
            generator: gives (x, y) or (x, y, sample weights), without end.
            steps_per_epoch: batches in an epoch; a sequence says it itself.
            epochs, verbose, callbacks, validation_data, validation_steps, validation_freq,
                class_weight, max_queue_size, workers, use_multiprocessing, shuffle,
                initial_epoch: as in :meth:`fit`.

        Returns:
            The :class:`History` of what was logged.
        """
        given = {
            "steps_per_epoch": steps_per_epoch,
            "epochs": epochs,
            "verbose": verbose,
            "callbacks": callbacks,
            "validation_data": validation_data,
            "validation_steps": validation_steps,
            "validation_freq": validation_freq,
            "class_weight": class_weight,
            "max_queue_size": max_queue_size,
            "workers": workers,
            "use_multiprocessing": use_multiprocessing,
            "shuffle": shuffle,
            "initial_epoch": initial_epoch,
        }
        given.update(rename_old("fit_generator", OLD_GENERATOR_NAMES, kwargs, list(given)))
        return self.fit(generator, **given)

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
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
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
            max_queue_size, workers, use_multiprocessing: as in :meth:`fit`.

        Returns:
            The loss, or a list of the loss and the metrics (see ``metrics_names``).

        Raises:
            RuntimeError: the model is not compiled.
            ValueError: data do not fit the model.
        """
        self._require_compiled("evaluate")
        check_counts(batch_size=batch_size)
        steps = count_of_steps(steps=steps)
        x, y = self._with_tensors(x, y)
        trainer = self._ready(self._first_of(x))
        reading = Reading(workers, use_multiprocessing, max_queue_size)
        feed = open_feed(
            self, x, y, sample_weight, batch_size=batch_size, steps=steps, reading=reading
        )
        hears = CallbackList(split_callbacks(callbacks)[1], self, {"verbose": verbose})
        try:
            executor = feed.executor(trainer.program("test"))
            return _as_result(test_loop(self, executor, hears))
        finally:
            feed.close()

    def evaluate_generator(
        self,
        generator: Any,
        steps: int | None = None,
        callbacks: Any = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        verbose: int = 0,
        **kwargs: Any,
    ) -> Any:
        """The loss and the metrics on batches from a generator or a ``Sequence``.

        Args:
            generator: gives (x, y) or (x, y, sample weights).
            steps: how many batches; a sequence says it itself.
            callbacks, max_queue_size, workers, use_multiprocessing, verbose: as in
                :meth:`evaluate`.

        Returns:
            The loss, or a list of the loss and the metrics.
        """
        given = {
            "steps": steps,
            "callbacks": callbacks,
            "verbose": verbose,
            "max_queue_size": max_queue_size,
            "workers": workers,
            "use_multiprocessing": use_multiprocessing,
        }
        given.update(rename_old("evaluate_generator", OLD_GENERATOR_NAMES, kwargs, list(given)))
        return self.evaluate(generator, **given)

    def predict(
        self,
        x: Any,
        batch_size: int | None = None,
        verbose: int = 0,
        steps: int | None = None,
        callbacks: Any = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
    ) -> Any:
        """Outputs for some inputs.

        Args:
            x: inputs, in the forms that :meth:`fit` takes.
            batch_size: rows computed at once; by default as many as memory allows.
            verbose: not used: a prediction prints nothing.
            steps: batches to predict, by default all.
            callbacks: callbacks with ``on_predict_*`` hooks.
            max_queue_size, workers, use_multiprocessing: as in :meth:`fit`.

        Returns:
            A NumPy array, or a list of them for several outputs.

        Raises:
            ValueError: data do not fit the model.
        """
        check_counts(batch_size=batch_size)
        steps = count_of_steps(steps=steps)
        trainer = self._ready(self._first_of(x))
        hears = CallbackList(split_callbacks(callbacks)[1], self, {"verbose": verbose})
        program = trainer.program("predict")
        hears.on_predict_begin()
        if is_stream(x):
            reading = Reading(workers, use_multiprocessing, max_queue_size)
            batches = self._stream_inputs(x, steps, reading)
        else:
            batches = self._array_inputs(x, batch_size, steps)
        known = len(batches) if isinstance(batches, list) else 0
        run = program.on_batch if known == 1 else Predictor(program, known)
        blocks = [
            hears.on_predict_batch(
                number, int(inputs[0].shape[0]), lambda b=inputs: run((b, [], []))
            )
            for number, inputs in enumerate(batches)
        ]
        hears.on_predict_end()
        columns = [[part.numpy() for part in parts] for parts in zip(*blocks, strict=True)]
        outputs = [c[0] if len(c) == 1 else np.concatenate(c) for c in columns]
        return outputs[0] if len(outputs) == 1 else outputs

    def _array_inputs(
        self, x: Any, batch_size: int | None, steps: int | None
    ) -> Iterable[list[Any]]:
        """Arrays in blocks to compute at once."""
        rows = Rows((x, None, None)) if worth_blocks(x) else None
        inputs = [] if rows else standardize_inputs(self, x)
        check_rows({"x": rows.leaves if rows else inputs})
        count = len(rows) if rows else int(inputs[0].shape[0])
        fixed = fixed_batch_size(self, batch_size)
        size = fixed or batch_size or self._predict_size()
        end = count if steps is None else min(count, steps * size)
        if fixed is not None:
            check_whole(end, fixed)
        if rows:
            return inputs_in_blocks(self, rows, size, end)
        if end == count <= size:
            return [inputs]
        return [[t[at : min(at + size, end)] for t in inputs] for at in range(0, end, size)]

    def _stream_inputs(self, x: Any, steps: int | None, reading: Reading) -> Any:
        """The inputs of a stream's batches; targets beside them are left out."""
        stream = BatchStream(x, steps, reading)
        try:
            number = 0
            while stream.steps is None or number < stream.steps:
                batch = next(stream, None)
                if batch is None:
                    break
                inputs = batch[0] if isinstance(batch, tuple) else batch
                yield check_batch(self, (standardize_inputs(self, inputs), [], []))[0]
                number += 1
        finally:
            stream.close()

    def predict_generator(
        self,
        generator: Any,
        steps: int | None = None,
        callbacks: Any = None,
        max_queue_size: int = 10,
        workers: int = 1,
        use_multiprocessing: bool = False,
        verbose: int = 0,
        **kwargs: Any,
    ) -> Any:
        """Outputs for batches from a generator or a ``Sequence``.

        Args:
            generator: gives inputs, or tuples that begin with them.
            steps: how many batches; a sequence says it itself.
            callbacks, max_queue_size, workers, use_multiprocessing, verbose: as in
                :meth:`predict`.

        Returns:
            A NumPy array, or a list of them for several outputs.
        """
        given = {
            "steps": steps,
            "callbacks": callbacks,
            "verbose": verbose,
            "max_queue_size": max_queue_size,
            "workers": workers,
            "use_multiprocessing": use_multiprocessing,
        }
        given.update(rename_old("predict_generator", OLD_GENERATOR_NAMES, kwargs, list(given)))
        return self.predict(generator, **given)

    _predicted_at_once: tuple[Any, int] | None = None

    def _predict_size(self) -> int:
        """Rows to compute at once: as many as keep a layer's output under 16 MB."""
        if self._graph is None:
            return 32
        if self._predicted_at_once is None or self._predicted_at_once[0] is not self._graph:
            numbers = [
                int(np.prod([size or 1 for size in tensor.shape[1:]]))
                for node in self._graph.nodes
                for tensor in node.flat_outputs
                if tensor.shape.rank
            ]
            rows = int(min(max(2**22 // max(*numbers, 1), 32), 8192))
            self._predicted_at_once = (self._graph, rows)
        return self._predicted_at_once[1]

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
        x, y = self._with_tensors(x, y)
        trainer = self._ready(x)
        data = batch_of(self, x, y, sample_weight, class_weight)
        trainer.prepare()
        self._warn_if_frozen_late()
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
        x, y = self._with_tensors(x, y)
        self._ready(x)
        return self._one_batch("test", batch_of(self, x, y, sample_weight), reset_metrics)

    def _one_batch(self, kind: str, data: Any, reset_metrics: bool) -> Any:
        trainer = self._ready(None)
        if reset_metrics:
            self.objective.reset_metrics()
        values = trainer.program(kind).on_batch(check_batch(self, data)).numpy().tolist()
        return values[0] if len(values) == 1 else values

    def predict_on_batch(self, x: Any) -> Any:
        """Outputs for one batch, as a NumPy array or a list of them."""
        program = self._ready(x).program("predict")
        outputs = program.on_batch(check_batch(self, (standardize_inputs(self, x), [], [])))
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

    def to_json(self, **kwargs: Any) -> str:
        """The structure as JSON; keywords go to ``json.dumps``."""
        return saving.to_json(self, **kwargs)

    def to_yaml(self, **kwargs: Any) -> str:
        """The structure as YAML; keywords go to ``yaml.dump``."""
        return saving.to_yaml(self, **kwargs)


def _is_sparse(loss: Any) -> bool:
    """Whether a loss is given the numbers of classes, not one column for each."""
    return str(getattr(loss, "__name__", type(loss).__name__)).lower().startswith("sparse")


def _as_result(logs: Logs) -> Any:
    values = list(logs.values())
    return values[0] if len(values) == 1 else values
