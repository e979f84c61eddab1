"""Models as scikit-learn's estimators (Keras 2 manual, chapter 19).

A function that builds and compiles a model becomes an estimator, for ``Pipeline``,
``GridSearchCV``, ``cross_val_score`` and all else that works with ``fit`` and ``predict``.
"""

from __future__ import annotations

import contextlib
import copy
import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.metrics import accuracy_score
    from sklearn.utils import check_random_state, column_or_1d
    from sklearn.utils.class_weight import compute_class_weight
    from sklearn.utils.multiclass import check_classification_targets, type_of_target
    from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data
except ImportError as error:
    raise ImportError(
        "keras.wrappers.scikit_learn needs scikit-learn 1.6 or later: pip install -U scikit-learn."
    ) from error

from .. import registry
from ..models import Model, Sequential
from ..utils.numpy import to_categorical

__all__ = ["BaseWrapper", "KerasClassifier", "KerasRegressor"]


def _arguments_of(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    given = inspect.signature(function).parameters
    return {name: p for name, p in given.items() if name not in ("self", "x", "y")}


def _is_open(function: Callable[..., Any]) -> bool:
    """Whether a function takes keywords of any name."""
    return any(p.kind is p.VAR_KEYWORD for p in inspect.signature(function).parameters.values())


_OF_RUNS = {
    name
    for method in (Sequential.fit, Sequential.predict, Sequential.evaluate)
    for name, parameter in _arguments_of(method).items()
    if parameter.kind is not parameter.VAR_KEYWORD
} | {"nb_epoch", "random_state"}
"""Arguments of estimators that are not the model's."""
_OF_FIT = ("callbacks", "sample_weight")
"""Those that only fit takes from an estimator, although predict or evaluate know them too."""


class BaseWrapper(BaseEstimator):
    """What :class:`KerasClassifier` and :class:`KerasRegressor` share.

    Attributes:
        model_: the model of the last ``fit``; also as ``model``.
        history_: its logs, a list for each; also as ``history``, so that what ``fit`` returns
            may be used like Keras' ``History``.
        n_features_in_: the second axis of what it was fitted on.
        feature_names_in_: the columns' names, if that was a data frame.
    """

    def __init__(self, build_fn: Any = None, **sk_params: Any) -> None:
        self.build_fn = build_fn
        self._sk_params = sk_params
        self.check_params(sk_params)

    # ---------------------------------------------------------------- parameters

    @property
    def sk_params(self) -> dict[str, Any]:
        """The arguments of the model and of its runs that were given."""
        return self._sk_params

    def check_params(self, params: Mapping[str, Any]) -> None:
        """Refuse names that neither ``build_fn`` nor fit, predict and evaluate know.

        Raises:
            ValueError: there is such a name.
        """
        self._check_names(params, self.build_fn)

    def _check_names(self, params: Mapping[str, Any], build_fn: Any) -> None:
        build = self._builder(build_fn)
        if build is not None and _is_open(build):
            return
        known = _OF_RUNS | (_arguments_of(build).keys() if build else set())
        for name in params:
            if name not in known:
                raise ValueError(
                    f"{name!r} is no argument of build_fn, nor of a model's fit, predict or "
                    f"evaluate.{registry.suggestion(name, known)}"
                )

    def _builder(self, build_fn: Any) -> Callable[..., Any] | None:
        """What builds the model: ``build_fn``, or the ``__call__`` of a subclass."""
        if build_fn is None and callable(self):
            return self.__call__
        return build_fn if callable(build_fn) else None

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters that were given, by name.

        Args:
            deep: for scikit-learn; there are no estimators inside.
        """
        return {**self._sk_params, "build_fn": self.build_fn}

    def set_params(self, **params: Any) -> BaseWrapper:
        """Change parameters; others stay.

        Raises:
            ValueError: a name is not known; nothing is changed then.
        """
        build_fn = params.pop("build_fn", self.build_fn)
        self._check_names({**self._sk_params, **params}, build_fn)
        self.build_fn = build_fn
        self._sk_params.update(params)
        return self

    def filter_sk_params(
        self, fn: Callable[..., Any], override: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """The parameters that a function takes.

        Args:
            fn: the function.
            override: what is added, and goes before.
        """
        known = set(_arguments_of(fn))
        if fn is Sequential.fit:
            known.add("nb_epoch")
        rest = _is_open(fn) and fn == self._builder(self.build_fn)
        return {
            **{
                name: value
                for name, value in self._sk_params.items()
                if name in known or (rest and name not in _OF_RUNS)
            },
            **(override or {}),
        }

    # ---------------------------------------------------------------- fit

    def fit(self, x: Any, y: Any, sample_weight: Any = None, **kwargs: Any) -> Any:
        """Build a new model and train it.

        Args:
            x: inputs, (samples, ...); rows of numbers, images, sequences.
            y: targets.
            sample_weight: how much each sample counts.
            **kwargs: arguments of the model's ``fit``; they go before the estimator's own.

        Returns:
            The estimator.

        Raises:
            ValueError: data or names are refused; the estimator is as it was then.
        """
        before = dict(self.__dict__)
        try:
            self._fit(x, y, sample_weight, kwargs)
        except BaseException:
            self.__dict__.clear()
            self.__dict__.update(before)
            raise
        return self

    def _fit(self, x: Any, y: Any, sample_weight: Any, given: dict[str, Any]) -> None:
        x, y = self._checked(x, y)
        y = self._learned(y)
        arguments = self.filter_sk_params(Sequential.fit)
        if "callbacks" in arguments:  # they remember runs, and clones may run at once
            arguments["callbacks"] = copy.deepcopy(arguments["callbacks"])
        arguments.update(given)
        if sample_weight is None:
            sample_weight = arguments.get("sample_weight")
        if sample_weight is not None:
            arguments["sample_weight"] = _weights(sample_weight, x)
        with _repeatable(self._sk_params.get("random_state")):
            model = self._built(x)
            if arguments.get("validation_data") is not None:
                held_out, truth, *weights = arguments["validation_data"]
                held_out = validate_data(self, held_out, reset=False, allow_nd=True)
                truth = self._for_model(model, self._encoded(truth))
                arguments["validation_data"] = (held_out, truth, *weights)
            if arguments.get("class_weight") is not None:
                arguments["class_weight"] = self._class_weight(arguments["class_weight"], y)
            history = model.fit(x, self._for_model(model, y), **arguments)
        self.model_ = model
        self.history_ = history.history

    def _checked(self, x: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
        return validate_data(self, x, y, allow_nd=True, multi_output=True)

    def _built(self, x: np.ndarray) -> Model:
        """A new model, compiled, that knows its shapes."""
        build = self._builder(self.build_fn)
        if build is None:
            raise ValueError(
                "build_fn is a function that returns a compiled model, as in "
                f"{type(self).__name__}(build_fn=make_model); got {self.build_fn!r}."
            )
        model = build(**self.filter_sk_params(build))
        if not isinstance(model, Model) or model.optimizer is None:
            what = "a model that is not compiled" if isinstance(model, Model) else repr(model)
            raise ValueError(f"build_fn returns a compiled model; it returned {what:.100}.")
        if not model.built and isinstance(model, Sequential):
            model.build((None, *x.shape[1:]))
        elif not model.built:
            model.predict_on_batch(x[:1])
        return model

    # How targets become what the model learns. Classifiers have their own ways.

    def _learned(self, y: np.ndarray) -> np.ndarray:
        """Targets as numbers; what they are is remembered."""
        self.n_outputs_ = 1 if y.ndim == 1 else y.shape[1]
        return y

    def _encoded(self, y: Any) -> Any:
        """Other targets as numbers, in the same way."""
        return y

    def _for_model(self, model: Model, y: Any) -> Any:
        """These numbers in the form that a model's loss takes."""
        return y

    def _class_weight(self, given: Any, y: np.ndarray) -> Any:
        """Weights by the number of a class."""
        return given

    # ---------------------------------------------------------------- after it

    def _outputs(self, x: Any, given: Mapping[str, Any]) -> np.ndarray:
        """What the model says to some inputs."""
        check_is_fitted(self)
        x = validate_data(self, x, reset=False, allow_nd=True)
        return self.model_.predict(x, **self._for_run(Sequential.predict, given))

    def _for_run(self, method: Callable[..., Any], given: Mapping[str, Any]) -> dict[str, Any]:
        """Arguments of predict and evaluate, without those that are meant for fit."""
        taken = self.filter_sk_params(method)
        return {k: v for k, v in taken.items() if k not in _OF_FIT} | {**given}

    def __sklearn_is_fitted__(self) -> bool:
        return "model_" in vars(self)

    @property
    def model(self) -> Model:
        """The model of the last ``fit``."""
        check_is_fitted(self)
        return self.model_

    @property
    def history(self) -> dict[str, list[Any]]:
        """The logs of the last ``fit``."""
        check_is_fitted(self)
        return self.history_

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = "random_state" not in self._sk_params
        return tags


class KerasClassifier(ClassifierMixin, BaseWrapper):
    """A model as scikit-learn's classifier.

    Labels may be numbers or strings, one-hot rows, or several a sample (rows of 0 and 1). A
    matrix with exactly one 1 in each row is one-hot, unless the loss is
    ``binary_crossentropy`` on outputs that are no softmax: there each column is a question.
    While ``build_fn`` runs, ``classes_``, ``n_classes_`` and ``n_features_in_`` are known
    already, which a subclass can use in its ``__call__``.

    Args:
        build_fn: a function, or an object with ``__call__``, that returns a compiled model
            with one input and one output; ``None`` in a subclass that has ``__call__``. Its
            arguments have defaults.
        **sk_params: arguments of ``build_fn``, and of ``fit``, ``predict`` and ``evaluate``.
            ``random_state`` is one more: with it, a fit gives the same model again.

    Attributes:
        classes_: the labels, in the order of the outputs.
        n_classes_: how many there are.
        model_, history_: see :class:`BaseWrapper`.

    >>> from nbkeras.core.layers import Dense
    >>> def make(units=8):
    ...     model = Sequential([Dense(units, activation="relu", input_shape=(2,))])
    ...     model.add(Dense(1, activation="sigmoid"))
    ...     model.compile("adam", "binary_crossentropy")
    ...     return model
    >>> classifier = KerasClassifier(make, units=4, epochs=2, verbose=0)
    >>> _ = classifier.fit([[0, 0], [1, 1]], ["no", "yes"])
    >>> classifier.classes_.tolist(), classifier.predict_proba([[0, 1]]).shape
    (['no', 'yes'], (1, 2))

    Source: Keras 2 manual, chapter 19.
    """

    def _learned(self, y: np.ndarray) -> np.ndarray:
        check_classification_targets(y)
        kind = type_of_target(y, input_name="y")
        if kind == "multiclass-multioutput":
            raise ValueError(
                "y is a label for each sample, a one-hot row, or a row of 0 and 1; got a matrix "
                f"with the values {np.unique(y)[:5].tolist()}."
            )
        self.target_type_ = kind
        if kind == "multilabel-indicator":
            self.classes_ = np.arange(y.shape[1])
            codes = _dense(y)
        else:
            self.classes_, codes = np.unique(column_or_1d(y, warn=True), return_inverse=True)
        self.n_classes_ = len(self.classes_)
        return codes

    def _encoded(self, y: Any) -> np.ndarray:
        if self.target_type_ in ("multilabel-indicator", "one-hot"):
            return _dense(y)
        y = column_or_1d(y)
        unknown = np.setdiff1d(y, self.classes_)
        if len(unknown):
            raise ValueError(
                f"The labels {unknown[:5].tolist()} of validation_data are not among those to "
                "train on."
            )
        return np.searchsorted(self.classes_, y)

    def _for_model(self, model: Model, y: np.ndarray) -> np.ndarray:
        outputs, loss = _outputs_of(model), _loss_of(model)
        if y.ndim == 2:
            self._check_outputs(outputs, (y.shape[1],))
            if not _is_question_each(model, loss) and np.all(y.sum(axis=1) == 1):
                self.target_type_ = "one-hot"
                return y.argmax(axis=1) if loss.startswith("sparse") else y
            return y
        if outputs == 1:
            self._check_outputs(outputs, (1,) if self.n_classes_ <= 2 else (self.n_classes_,))
            return y.reshape(-1, 1)
        self._check_outputs(outputs, (self.n_classes_,))
        return y if loss.startswith("sparse") else to_categorical(y, self.n_classes_)

    def _check_outputs(self, outputs: int, expected: tuple[int, ...]) -> None:
        if outputs not in expected:
            classes = ", ".join(map(repr, self.classes_[:5].tolist()))
            raise ValueError(
                f"The model has {outputs} outputs, and y has {self.n_classes_} classes: {classes}"
                f"{', ...' if self.n_classes_ > 5 else ''}. Its last layer is "
                f"Dense({expected[0]}); folds with all classes come from StratifiedKFold."
            )

    def _class_weight(self, given: Any, y: np.ndarray) -> Any:
        """Weights by the number of a class; they may be given by label, or as ``"balanced"``."""
        if isinstance(given, str):
            classes = np.arange(self.n_classes_)
            y = y.argmax(axis=1) if y.ndim == 2 else y
            return dict(enumerate(compute_class_weight(given, classes=classes, y=y).tolist()))
        places = {label: place for place, label in enumerate(self.classes_.tolist())}
        if places.keys() >= set(given):
            return {places[label]: weight for label, weight in given.items()}
        return given

    # ---------------------------------------------------------------- after fit

    def predict(self, x: Any, **kwargs: Any) -> np.ndarray:
        """The label of each row.

        Args:
            x: inputs, (samples, ...).
            **kwargs: arguments of the model's ``predict``.

        Returns:
            Labels, (samples,); (samples, classes) of 0 and 1 where there are several a sample.
        """
        scores = self._outputs(x, kwargs)
        if self.target_type_ == "multilabel-indicator":
            return (scores > 0.5).astype(np.int64)
        if scores.shape[1] == 1:
            numbers = (scores[:, 0] > 0.5).astype(np.int64)
            return self.classes_[np.minimum(numbers, self.n_classes_ - 1)]
        return self.classes_[scores.argmax(axis=1)]

    def predict_proba(self, x: Any, **kwargs: Any) -> np.ndarray:
        """The probability of each class; of two also where the model has one output.

        Args:
            x: inputs, (samples, ...).
            **kwargs: arguments of the model's ``predict``.

        Returns:
            Probabilities, (samples, classes).
        """
        scores = self._outputs(x, kwargs)
        if scores.shape[1] == 1 and self.n_classes_ == 1:
            return np.ones_like(scores)
        return np.hstack([1 - scores, scores]) if scores.shape[1] == 1 else scores

    def score(self, x: Any, y: Any, sample_weight: Any = None, **kwargs: Any) -> float:
        """The share of rows whose label is right; with several a sample, all of them.

        Args:
            x: inputs, (samples, ...).
            y: true labels, in the form that ``fit`` took.
            sample_weight: how much each sample counts.
            **kwargs: arguments of the model's ``evaluate``.
        """
        taken = _arguments_of(Sequential.predict)
        for name in kwargs:
            if name not in _arguments_of(Sequential.evaluate):
                raise TypeError(f"score() has no argument {name!r}.")
        predicted = self.predict(x, **{k: v for k, v in kwargs.items() if k in taken})
        if self.target_type_ == "one-hot" and np.ndim(y) == 2:
            y = np.argmax(y, axis=1)
        return float(accuracy_score(y, predicted, sample_weight=sample_weight))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags


class KerasRegressor(RegressorMixin, BaseWrapper):
    """A model as scikit-learn's regressor.

    Args:
        build_fn: a function, or an object with ``__call__``, that returns a compiled model
            with one input and one output; ``None`` in a subclass that has ``__call__``. Its
            arguments have defaults.
        **sk_params: arguments of ``build_fn``, and of ``fit``, ``predict`` and ``evaluate``.
            ``random_state`` is one more: with it, a fit gives the same model again.

    Attributes:
        n_outputs_: how many numbers a target has; known already while ``build_fn`` runs.
        model_, history_: see :class:`BaseWrapper`.

    >>> from nbkeras.core.layers import Dense
    >>> def make():
    ...     model = Sequential([Dense(1, input_shape=(2,))])
    ...     model.compile("adam", "mse")
    ...     return model
    >>> regressor = KerasRegressor(make, epochs=2, verbose=0).fit([[0, 0], [1, 1]], [0.0, 1.0])
    >>> regressor.predict([[0, 1], [1, 0]]).shape
    (2,)

    Source: Keras 2 manual, chapter 19.
    """

    def _checked(self, x: Any, y: Any) -> tuple[np.ndarray, np.ndarray]:
        return validate_data(self, x, y, allow_nd=True, multi_output=True, y_numeric=True)

    def predict(self, x: Any, **kwargs: Any) -> np.ndarray:
        """What is expected for each row.

        Args:
            x: inputs, (samples, ...).
            **kwargs: arguments of the model's ``predict``.

        Returns:
            Numbers, float64, (samples,) or, of several outputs, (samples, outputs).
        """
        scores = self._outputs(x, kwargs).astype(np.float64)
        return scores[..., 0] if scores.shape[-1] == 1 else scores

    def score(self, x: Any, y: Any, sample_weight: Any = None, **kwargs: Any) -> float:
        """The model's loss with its sign turned, so that more is better, as in Keras.

        For :math:`R^2`, name it: ``cross_val_score(..., scoring="r2")``.

        Args:
            x: inputs, (samples, ...).
            y: what was to be expected.
            sample_weight: how much each sample counts.
            **kwargs: arguments of the model's ``evaluate``.
        """
        check_is_fitted(self)
        x, y = validate_data(self, x, y, reset=False, allow_nd=True, multi_output=True)
        if sample_weight is not None:
            kwargs["sample_weight"] = _weights(sample_weight, x)
        loss = self.model_.evaluate(x, y, **self._for_run(Sequential.evaluate, kwargs))
        return -float(loss[0] if isinstance(loss, list) else loss)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        tags.regressor_tags.poor_score = True  # it is a loss, not R²
        return tags


# ---------------------------------------------------------------- what a model is


def _outputs_of(model: Model) -> int:
    """How many numbers a model says of a sample."""
    shape = model.output_shape
    if not isinstance(shape, tuple) or len(shape) != 2:
        raise ValueError(
            f"A classifier's model has one output of the shape (None, classes); got {shape}."
        )
    return shape[1]


def _loss_of(model: Model) -> str:
    """The name of a model's loss, in small letters and without underscores."""
    loss = model.loss
    if isinstance(loss, Mapping):
        loss = list(loss.values())
    if isinstance(loss, list | tuple) and loss:
        loss = loss[0]
    name = loss if isinstance(loss, str) else getattr(loss, "__name__", type(loss).__name__)
    return name.lower().replace("_", "")


def _is_question_each(model: Model, loss: str) -> bool:
    """Whether each output is a yes or no of its own."""
    last = getattr(model.layers[-1], "activation", None)
    softmax = getattr(last, "__name__", "") == "softmax" or type(last).__name__ == "Softmax"
    return loss in ("binarycrossentropy", "bce") and not softmax


def _dense(y: Any) -> np.ndarray:
    """A matrix of 0 and 1, also where it was sparse."""
    return np.asarray(y.toarray() if hasattr(y, "toarray") else y).astype(np.int64)


def _weights(given: Any, x: np.ndarray) -> np.ndarray:
    weights = _check_sample_weight(given, x)
    if not np.any(weights):
        raise ValueError("sample_weight is zero for all samples: there is nothing to learn from.")
    return weights


@contextlib.contextmanager
def _repeatable(random_state: Any) -> Iterator[None]:
    """A stretch that draws the same numbers each time, and leaves NumPy's state as it was."""
    if random_state is None:
        yield
        return
    seed = check_random_state(random_state).randint(2**31)
    before = np.random.get_state()
    np.random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(before)
