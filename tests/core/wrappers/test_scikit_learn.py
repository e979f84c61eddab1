"""Models as scikit-learn's estimators."""

from __future__ import annotations

import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import sparse
from sklearn.base import clone
from sklearn.datasets import load_iris, make_multilabel_classification, make_regression
from sklearn.ensemble import VotingClassifier
from sklearn.exceptions import DataConversionWarning, NotFittedError
from sklearn.metrics import accuracy_score
from sklearn.model_selection import GridSearchCV, StratifiedKFold, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from nbkeras.core import callbacks, layers, losses, models, optimizers
from nbkeras.core.utils import to_categorical
from nbkeras.core.wrappers.scikit_learn import KerasClassifier, KerasRegressor

X, Y = load_iris(return_X_y=True)
X = StandardScaler().fit_transform(X).astype(np.float32)
TWO, Y2 = X[:100], Y[:100]  # setosa and versicolor: a line parts them
NAMES = load_iris().target_names


def classifier_net(
    units: int = 8,
    outputs: int = 3,
    activation: str = "softmax",
    loss: Any = "sparse_categorical_crossentropy",
    lr: float = 0.05,
) -> Any:
    model = models.Sequential(
        [
            layers.Dense(units, activation="relu", input_shape=(4,)),
            layers.Dense(outputs, activation=activation),
        ]
    )
    model.compile(optimizers.Adam(lr), loss, metrics=["accuracy"])
    return model


def regressor_net(outputs: int = 1, inputs: int = 3) -> Any:
    model = models.Sequential([layers.Dense(outputs, input_shape=(inputs,))])
    model.compile(optimizers.SGD(0.1), "mse", metrics=["mae"])
    return model


def classifier(**params: Any) -> KerasClassifier:
    given = {"epochs": 8, "verbose": 0, "random_state": 0, **params}
    return KerasClassifier(given.pop("build_fn", classifier_net), **given)


def binary(**params: Any) -> KerasClassifier:
    return classifier(outputs=1, activation="sigmoid", loss="binary_crossentropy", **params)


def regressor(**params: Any) -> KerasRegressor:
    given = {"epochs": 20, "verbose": 0, "random_state": 0, **params}
    return KerasRegressor(given.pop("build_fn", regressor_net), **given)


# ---------------------------------------------------------------- scikit-learn's own checks


class AnyClassifier(KerasClassifier):
    """A net for whatever labels come."""

    def __call__(self, units: int = 16) -> Any:
        several = self.target_type_ == "multilabel-indicator"
        one = self.n_classes_ <= 2 and not several
        model = models.Sequential(
            [
                layers.Dense(units, activation="tanh", input_shape=(self.n_features_in_,)),
                layers.Dense(
                    1 if one else self.n_classes_,
                    activation="sigmoid" if one or several else "softmax",
                ),
            ]
        )
        loss = "binary_crossentropy" if one or several else "categorical_crossentropy"
        model.compile(optimizers.Adam(0.02), loss)
        return model


class AnyRegressor(KerasRegressor):
    """A net for whatever numbers come."""

    def __call__(self) -> Any:
        return regressor_net(self.n_outputs_, self.n_features_in_)


IMPOSSIBLE = {
    "check_do_not_raise_errors_in_init_or_set_params": (
        "the manual has names checked where they are given; the check takes **sk_params for a name"
    ),
    "check_sample_weight_equivalence_on_dense_data": (
        "the loss is the weighted sum over a batch divided by its rows, so a row of weight 0 "
        "still counts in the mean, and moves the bounds of batches"
    ),
}


@pytest.mark.slow
@parametrize_with_checks(
    [
        AnyClassifier(epochs=6, batch_size=16, verbose=0, random_state=0),
        AnyRegressor(epochs=2, verbose=0, random_state=0),
    ],
    expected_failed_checks=lambda estimator: IMPOSSIBLE,
)
def test_checks_of_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


# ---------------------------------------------------------------- labels


def test_numbers_and_names_as_labels() -> None:
    by_number = classifier().fit(X, Y)
    by_name = classifier().fit(X, NAMES[Y])
    assert by_name.classes_.tolist() == sorted(NAMES)
    np.testing.assert_array_equal(by_name.predict(X), NAMES[by_number.predict(X)])
    np.testing.assert_array_equal(by_name.predict_proba(X), by_number.predict_proba(X))
    assert by_name.score(X, NAMES[Y]) == accuracy_score(Y, by_number.predict(X)) > 0.8
    shifted = classifier().fit(X, Y * 10 - 7)
    np.testing.assert_array_equal(shifted.predict(X), by_number.predict(X) * 10 - 7)


@pytest.mark.parametrize(
    "loss",
    [
        "categorical_crossentropy",
        "sparse_categorical_crossentropy",
        losses.CategoricalCrossentropy(),
        losses.SparseCategoricalCrossentropy(),
        losses.sparse_categorical_crossentropy,
        ["categorical_crossentropy"],
        "mse",
        "kld",
    ],
)
def test_labels_take_the_form_of_the_loss(loss: Any) -> None:
    """Numbers or one-hot rows, whichever is given and whichever the loss wants."""
    numbers = classifier(loss=loss).fit(X, Y)
    rows = classifier(loss=loss).fit(X, to_categorical(Y))
    np.testing.assert_array_equal(numbers.predict_proba(X), rows.predict_proba(X))
    np.testing.assert_array_equal(numbers.predict(X), rows.predict(X))
    assert rows.classes_.tolist() == [0, 1, 2]
    assert rows.score(X, to_categorical(Y)) == rows.score(X, Y) == numbers.score(X, Y) > 0.8


def test_two_classes_with_one_output_or_two() -> None:
    one = binary().fit(TWO, NAMES[Y2])
    two = classifier(outputs=2).fit(TWO, NAMES[Y2])
    for fitted in (one, two):
        chances = fitted.predict_proba(TWO)
        assert chances.shape == (100, 2)
        np.testing.assert_allclose(chances.sum(axis=1), 1, rtol=1e-6)
        np.testing.assert_array_equal(fitted.predict(TWO), fitted.classes_[chances.argmax(axis=1)])
        assert fitted.predict(TWO).shape == (100,)
        assert fitted.score(TWO, NAMES[Y2]) == 1
    raw = one.model.predict(TWO)
    np.testing.assert_array_equal(one.predict_proba(TWO), np.hstack([1 - raw, raw]))


@pytest.mark.parametrize("form", [np.asarray, sparse.csr_matrix, lambda y: y.astype(float)])
def test_several_labels_a_sample(form: Any) -> None:
    x, y = make_multilabel_classification(120, 4, n_classes=3, random_state=0)
    fitted = classifier(activation="sigmoid", loss="binary_crossentropy", epochs=15).fit(x, form(y))
    predicted = fitted.predict(x)
    assert predicted.shape == y.shape
    np.testing.assert_array_equal(predicted, fitted.predict_proba(x) > 0.5)
    assert (predicted == y).mean() > 0.7
    assert fitted.score(x, y) == (predicted == y).all(axis=1).mean()


def test_columns_that_are_questions_stay_so_where_each_row_has_one() -> None:
    rows = to_categorical(Y)
    questions = classifier(activation="sigmoid", loss="binary_crossentropy").fit(X, rows)
    assert questions.predict(X).shape == rows.shape
    softmax = classifier(loss="binary_crossentropy").fit(X, rows)
    assert softmax.predict(X).shape == Y.shape


def test_a_column_of_labels_is_taken_with_a_word() -> None:
    with pytest.warns(DataConversionWarning, match="column-vector"):
        fitted = classifier(epochs=1).fit(X, Y.reshape(-1, 1))
    assert fitted.predict(X).shape == Y.shape


@pytest.mark.parametrize(
    ("y", "params", "text"),
    [
        (Y + 0.5, {}, "Unknown label type"),
        (np.stack([Y, Y], axis=1), {}, "for each sample"),
        (Y, {"outputs": 4}, r"has 4 outputs, and y has 3 classes: 0, 1, 2\..*Dense\(3\)"),
        (Y, {"outputs": 1, "loss": "binary_crossentropy"}, "has 1 outputs, and y has 3 classes"),
        (to_categorical(Y)[:, :2], {}, "has 3 outputs, and y has 2 classes"),
        (Y[:-1], {}, "inconsistent numbers of samples"),
    ],
)
def test_labels_that_do_not_fit(y: Any, params: Any, text: str) -> None:
    fitted = classifier(epochs=1).fit(X, NAMES[Y])
    fitted.set_params(**params)
    before = dict(vars(fitted))
    with pytest.raises(ValueError, match=text):
        fitted.fit(X, y)
    assert vars(fitted) == before  # a fit that is refused leaves what was learned


def test_class_weights() -> None:
    none = classifier(epochs=2).fit(X, Y).predict_proba(X)
    for y, weights in (
        (Y, {0: 0, 1: 0, 2: 1}),
        (NAMES[Y], {"virginica": 1, NAMES[0]: 0, NAMES[1]: 0}),
    ):
        only = classifier(epochs=2, class_weight=weights).fit(X, y).predict_proba(X)
        assert only[:, 2].mean() > none[:, 2].mean() + 0.05
    part = np.r_[0:50, 50:60, 100:105]
    counts = np.bincount(Y[part])
    weights = dict(enumerate(len(part) / 3 / counts))
    balanced = classifier(epochs=2, class_weight="balanced").fit(X[part], NAMES[Y[part]])
    by_hand = classifier(epochs=2, class_weight=weights).fit(X[part], NAMES[Y[part]])
    np.testing.assert_allclose(balanced.predict_proba(X), by_hand.predict_proba(X), rtol=1e-5)


def test_sample_weights() -> None:
    part = Y2 == 1
    flipped = np.where(part, 0, 1)
    x, y = np.concatenate([TWO, TWO]), np.concatenate([Y2, flipped])
    weights = np.r_[np.ones(100), np.zeros(100)]
    fitted = binary(epochs=12).fit(x, y, sample_weight=weights)
    assert fitted.score(x, y, sample_weight=weights) == 1
    assert fitted.score(x, y) == 0.5
    with pytest.raises(ValueError, match="zero"):
        binary().fit(x, y, sample_weight=np.zeros(200))


def test_validation_data_with_names() -> None:
    fitted = classifier(epochs=2).fit(X, NAMES[Y], validation_data=(X[:30], NAMES[Y[:30]]))
    loss, accuracy = fitted.model.evaluate(X[:30], Y[:30], verbose=0)
    assert fitted.history["val_loss"][-1] == pytest.approx(loss, rel=1e-4)
    assert fitted.history["val_acc"][-1] == pytest.approx(accuracy)
    with pytest.raises(ValueError, match=r"\['rose'\] of validation_data"):
        classifier().fit(X, NAMES[Y], validation_data=(X[:1], ["rose"]))


# ---------------------------------------------------------------- regression


def test_regression() -> None:
    x, y = make_regression(100, 3, noise=1, random_state=0)
    y = y / y.std()
    fitted = regressor().fit(x, y)
    predicted = fitted.predict(x)
    assert predicted.shape == (100,)
    np.testing.assert_array_equal(predicted, fitted.model.predict(x)[:, 0])
    assert fitted.score(x, y) == pytest.approx(-np.mean((predicted - y) ** 2), rel=1e-4)
    weights = np.arange(100.0)
    weighted = fitted.score(x, y, sample_weight=weights)
    assert weighted == pytest.approx(-np.mean(weights * (predicted - y) ** 2), rel=1e-4)
    assert cross_val_score(regressor(), x, y, cv=2, scoring="r2").min() > 0.9
    column = regressor().fit(x, y.reshape(-1, 1))
    np.testing.assert_array_equal(column.predict(x), predicted)


def test_regression_of_several_numbers() -> None:
    x, y = make_regression(60, 3, n_targets=2, random_state=0)
    fitted = regressor(outputs=2, epochs=1).fit(x, y)
    assert fitted.n_outputs_ == 2
    np.testing.assert_array_equal(fitted.predict(x), fitted.model.predict(x))


# ---------------------------------------------------------------- parameters


class Builder:
    """An instance that builds."""

    def __call__(self, units: int = 8) -> Any:
        return classifier_net(units)


class Built(KerasClassifier):
    """A subclass that builds."""

    def __call__(self, units: int = 8) -> Any:
        return classifier_net(units, outputs=self.n_classes_)


def open_net(units: int = 8, **options: Any) -> Any:
    return classifier_net(units, **options)


@pytest.mark.parametrize(
    "make",
    [
        lambda **params: KerasClassifier(classifier_net, **params),
        lambda **params: KerasClassifier(Builder(), **params),
        lambda **params: KerasClassifier(Builder().__call__, **params),
        lambda **params: KerasClassifier(open_net, **params),
        Built,
    ],
)
def test_what_may_build_the_model(make: Any) -> None:
    fitted = make(units=5, epochs=1, verbose=0).fit(X, Y)
    assert fitted.model.layers[0].units == 5
    assert fitted.sk_params == {"units": 5, "epochs": 1, "verbose": 0}
    again = clone(fitted)
    assert again.get_params().keys() == {"units", "epochs", "verbose", "build_fn"}
    with pytest.raises(NotFittedError):
        again.predict(X)
    assert not hasattr(again, "model")


def test_functions_that_take_any_name_get_the_rest() -> None:
    fitted = KerasClassifier(open_net, lr=0.5, epochs=1, batch_size=50, verbose=0).fit(X, Y)
    assert float(fitted.model.optimizer.lr) == 0.5


def test_arguments_go_where_they_belong() -> None:
    """Those of the call before the estimator's, and those before the defaults."""
    made = KerasClassifier(classifier_net, epochs=3, batch_size=75, verbose=0)
    assert len(made.fit(X, Y).history["loss"]) == 3
    fitted = made.fit(X, Y, epochs=1)
    assert len(fitted.history["loss"]) == 1
    assert fitted is made
    assert len(KerasClassifier(classifier_net, verbose=0).fit(X, Y).history["loss"]) == 1
    assert fitted.filter_sk_params(models.Model.predict, {"steps": 2}) == {
        "batch_size": 75,
        "verbose": 0,
        "steps": 2,
    }
    with pytest.raises(TypeError, match="epoch"):
        made.fit(X, Y, epoch=1)
    with pytest.raises(TypeError, match="'batch'"):
        fitted.predict(X, batch=3)
    with pytest.raises(TypeError, match="'batch'"):
        fitted.score(X, Y, batch=3)
    assert fitted.score(X, Y, batch_size=10, verbose=0) == fitted.score(X, Y)


def test_names_are_checked_where_they_are_given() -> None:
    for wrong in ({"unit": 3}, {"epoch": 3}, {"x": 3}):
        with pytest.raises(ValueError, match=f"{next(iter(wrong))}' is no argument"):
            KerasClassifier(classifier_net, **wrong)
    with pytest.raises(ValueError, match="Did you mean 'epochs'"):
        KerasClassifier(classifier_net, epoch=3)
    made = KerasClassifier(classifier_net, units=3)
    with pytest.raises(ValueError, match="no argument"):
        made.set_params(epochs=2, unit=5)
    with pytest.raises(ValueError, match="'units' is no argument"):
        made.set_params(build_fn=regressor_net)
    assert made.get_params() == {"units": 3, "build_fn": classifier_net}
    assert made.set_params(units=4, build_fn=open_net) is made
    assert made.get_params() == {"units": 4, "build_fn": open_net}


@pytest.mark.parametrize(
    ("build_fn", "text"),
    [
        (None, "build_fn is a function"),
        (3, "build_fn is a function"),
        (lambda: None, "it returned None"),
        (lambda: models.Sequential([layers.Dense(3, input_shape=(4,))]), "not compiled"),
    ],
)
def test_what_builds_no_model(build_fn: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        KerasClassifier(build_fn).fit(X, Y)


def no_shape() -> Any:
    model = models.Sequential([layers.Dense(3, activation="softmax")])
    model.compile("adam", "categorical_crossentropy")
    return model


def test_a_model_that_learns_its_shape_from_data() -> None:
    assert classifier(build_fn=no_shape).fit(X, Y).predict_proba(X).shape == (150, 3)


def test_images() -> None:
    def build() -> Any:
        model = models.Sequential([layers.Flatten(input_shape=(2, 2, 1))])
        model.add(layers.Dense(3, activation="softmax"))
        model.compile("adam", "sparse_categorical_crossentropy")
        return model

    fitted = classifier(build_fn=build).fit(X.reshape(-1, 2, 2, 1), Y)
    assert fitted.predict(X.reshape(-1, 2, 2, 1)).shape == (150,)


def test_older_name_of_epochs() -> None:
    made = KerasClassifier(classifier_net, nb_epoch=2, verbose=0)
    with pytest.warns(DeprecationWarning, match="nb_epoch is now epochs"):
        made.fit(X, Y)
    assert len(made.history["loss"]) == 2


def test_callbacks_are_copied_for_each_fit() -> None:
    mine = callbacks.History()
    made = classifier(epochs=2, callbacks=[mine])
    made.fit(X, Y)
    made.predict(X)
    assert mine.epoch == []
    assert mine.model is None
    given = callbacks.History()
    made.fit(X, Y, callbacks=[given])
    assert given.epoch == [0, 1]


def test_a_random_state_makes_fits_repeat() -> None:
    np.random.seed(3)
    first = classifier(random_state=5).fit(X, Y).predict_proba(X)
    after = np.random.rand()
    np.random.seed(3)
    assert after == np.random.rand()  # the session's numbers are as if nothing had been drawn
    np.testing.assert_array_equal(first, classifier(random_state=5).fit(X, Y).predict_proba(X))
    made = KerasClassifier(classifier_net, epochs=1, verbose=0)
    assert not np.array_equal(made.fit(X, Y).predict_proba(X), made.fit(X, Y).predict_proba(X))


# ---------------------------------------------------------------- what scikit-learn does with it


def test_in_a_pipeline() -> None:
    made = Pipeline([("scale", StandardScaler()), ("net", classifier())])
    assert made.fit(X * 100, NAMES[Y], net__epochs=10).score(X * 100, NAMES[Y]) > 0.8
    assert len(made["net"].history["loss"]) == 10
    frame = pd.DataFrame(X, columns=list("abcd"))
    fitted = classifier(epochs=1).fit(frame, Y)
    assert fitted.feature_names_in_.tolist() == list("abcd")
    with pytest.raises(ValueError, match="feature names"):
        fitted.predict(frame[list("dcba")])


def test_cross_validation_and_voting() -> None:
    folds = StratifiedKFold(2, shuffle=True, random_state=0)
    assert cross_val_score(classifier(epochs=12), X, NAMES[Y], cv=folds).min() > 0.8
    made = make_pipeline(StandardScaler(), classifier())
    scores = cross_val_score(made, X, Y, cv=folds, scoring="roc_auc_ovr")
    assert scores.min() > 0.9
    both = VotingClassifier([("a", classifier()), ("b", classifier(units=4))], voting="soft")
    assert both.fit(X, NAMES[Y]).score(X, NAMES[Y]) > 0.8


def test_a_search_over_the_model_and_its_runs() -> None:
    grid = {"units": [2, 8], "epochs": [1, 8], "batch_size": [16]}
    search = GridSearchCV(classifier(), grid, cv=2).fit(X, NAMES[Y])
    assert search.best_params_["epochs"] == 8
    assert len(search.best_estimator_.history["loss"]) == 8
    assert search.score(X, NAMES[Y]) > 0.8
    assert "units" in repr(search.best_estimator_)
    assert search.best_estimator_._repr_html_()


@pytest.mark.slow
def test_a_search_in_two_processes() -> None:
    grid = {"epochs": [1, 8]}
    there = GridSearchCV(classifier(), grid, cv=2, n_jobs=2).fit(X, NAMES[Y])
    here = GridSearchCV(classifier(), grid, cv=2).fit(X, NAMES[Y])
    for key in ("mean_test_score", "params"):
        np.testing.assert_array_equal(there.cv_results_[key], here.cv_results_[key])


@pytest.mark.slow
def test_a_search_on_a_cluster() -> None:
    joblib = pytest.importorskip("joblib")
    distributed = pytest.importorskip("dask.distributed")
    search = GridSearchCV(classifier(), {"epochs": [1, 8]}, cv=2)
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
        joblib.parallel_config(backend="dask"),
    ):
        search.fit(X, NAMES[Y])
        assert client.ncores()
    assert search.best_params_ == {"epochs": 8}
    assert search.score(X, NAMES[Y]) > 0.8


@pytest.mark.parametrize("make", [classifier, binary, regressor])
def test_pickles(make: Any) -> None:
    x, y = (X[:, :3], Y.astype(float)) if make is regressor else (TWO, NAMES[Y2])
    params = {"outputs": 2} if make is classifier else {}
    made = make(epochs=2, **params)
    assert pickle.loads(pickle.dumps(made)).get_params() == made.get_params()
    made.fit(x, y)
    again = pickle.loads(pickle.dumps(made))
    np.testing.assert_array_equal(again.predict(x), made.predict(x))
    assert again.history == made.history
    assert again.fit(x, y).score(x, y) == made.score(x, y)


def test_not_fitted() -> None:
    for made in (classifier(), regressor()):
        for method in ("predict", "predict_proba"):
            if hasattr(made, method):
                with pytest.raises(NotFittedError):
                    getattr(made, method)(X)
        with pytest.raises(NotFittedError):
            made.score(X, Y)


def test_scikit_learn_is_imported_when_it_is_asked_for() -> None:
    code = """
import sys
from nbkeras import keras
keras.wrappers
assert not any(name.partition('.')[0] == 'sklearn' for name in sys.modules)
sys.modules['sklearn'] = None
try:
    keras.wrappers.scikit_learn
except ImportError as error:
    assert 'pip install -U scikit-learn' in str(error)
else:
    raise SystemExit('imported')
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=100)
