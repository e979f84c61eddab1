"""Optimizer: hyperparameters, applying, clipping, state, configuration."""

from __future__ import annotations

import copy
import pickle
import re
import warnings

import numpy as np
import pytest
import tensorflow as tf

from nbkeras.core import backend as K
from nbkeras.core import constraints, optimizers, registry

RNG = np.random.default_rng(0)

ALL = [
    ("SGD", {}),
    ("SGD", {"momentum": 0.9, "nesterov": True}),
    ("RMSprop", {}),
    ("RMSprop", {"momentum": 0.5, "centered": True, "epsilon": 1e-3}),
    ("Adagrad", {}),
    ("Adadelta", {}),
    ("Adam", {}),
    ("Adam", {"amsgrad": True}),
    ("Adamax", {}),
    ("Nadam", {}),
]
everyone = pytest.mark.parametrize(("name", "options"), ALL)


def make(optimizer: str, options: dict, **more):
    return getattr(optimizers, optimizer)(**{**options, **more})


def weights(dtype: str = "float32") -> list[tf.Variable]:
    rng = np.random.default_rng(5)
    return [tf.Variable(rng.normal(size=s), dtype=dtype) for s in ((4, 3), (3,))]


def steps(count: int, dtype: str = "float32") -> list[list[tf.Tensor]]:
    rng = np.random.default_rng(6)
    return [[tf.constant(rng.normal(size=s), dtype) for s in ((4, 3), (3,))] for _ in range(count)]


def run(optimizer, count: int = 5, variables: list | None = None) -> list[np.ndarray]:
    variables = weights() if variables is None else variables
    for gradients in steps(count):
        optimizer.apply(gradients, variables)
    return [v.numpy() for v in variables]


def assert_close(got, want, tolerance: float = 1e-6) -> None:
    for mine, other in zip(got, want, strict=True):
        np.testing.assert_allclose(mine, other, rtol=tolerance, atol=tolerance)


# ---------------------------------------------------------------- hyperparameters


def test_learning_rate_has_two_names() -> None:
    assert float(optimizers.SGD(learning_rate=0.5).lr) == 0.5
    sgd = optimizers.SGD(lr=0.25)
    assert sgd.lr is sgd.learning_rate
    sgd.learning_rate = 0.125
    assert float(sgd.lr) == 0.125
    with pytest.raises(TypeError, match="the same"):
        optimizers.SGD(lr=0.1, learning_rate=0.2)


@everyone
def test_hyperparameters_move_without_tracing_again(name: str, options: dict) -> None:
    optimizer, variables, traces = make(name, options), weights(), []
    optimizer.build(variables)

    @tf.function
    def step(gradients):
        traces.append(1)
        optimizer.apply(gradients, variables)

    gradients = steps(1)[0]
    step(gradients)
    before = [v.numpy() for v in variables]
    optimizer.lr = 0.0
    step(gradients)
    if "momentum" not in options:
        assert_close([v.numpy() for v in variables], before)
    K.set_value(optimizer.lr, 1.0)
    step(gradients)
    assert max(np.abs(v.numpy() - b).max() for v, b in zip(variables, before, strict=True)) > 1e-3
    assert len(traces) == 1


def test_decay_may_be_moved() -> None:
    sgd, w = optimizers.SGD(lr=1.0), tf.Variable(0.0)
    for expected, decay in ((-1.0, 0.0), (-1.5, 1.0), (-1.5 - 1 / 3, 1.0), (-1.5 - 4 / 3, 0.0)):
        sgd.decay = decay
        sgd.apply_gradients([(tf.constant(1.0), w)])
        assert float(w) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: optimizers.SGD(momentun=0.9), "Did you mean 'momentum'"),
        (lambda: optimizers.Adam(beta1=0.9), "Did you mean 'beta_1'"),
        (lambda: optimizers.Adam(decays=0.9), "Did you mean 'decay'"),
    ],
)
def test_unknown_arguments(call, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: optimizers.SGD(lr=-0.1), "SGD(lr=0.01)"),
        (lambda: optimizers.SGD(lr="fast"), "got 'fast'"),
        (lambda: optimizers.SGD(lr=float("nan")), "got nan"),
        (lambda: optimizers.SGD(lr=lambda epoch: 0.1), "LearningRateScheduler"),
        (lambda: optimizers.Adam(beta_1=1.0), "below 1"),
        (lambda: optimizers.Adam(clipnorm=-1.0), "clipnorm"),
        (lambda: optimizers.get("adm"), "Did you mean 'adam'"),
    ],
)
def test_bad_values(call, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        call()


def test_a_refused_value_changes_nothing() -> None:
    adam = optimizers.Adam(lr=0.5)
    with pytest.raises(ValueError, match="number"):
        adam.lr = -1
    assert float(adam.lr) == 0.5


def test_momentum_that_was_not_there() -> None:
    sgd = optimizers.SGD()
    assert sgd.momentum == 0.0
    sgd.momentum = 0.9  # nothing was kept yet
    assert sgd.slot_names == ("momentum",)
    sgd = optimizers.SGD()
    run(sgd, 1)
    with pytest.raises(ValueError, match=r"SGD\(momentum=0.9\)"):
        sgd.momentum = 0.9


# ---------------------------------------------------------------- ways to apply


@everyone
def test_same_in_every_kind_of_program(name: str, options: dict) -> None:
    """Eagerly, in a graph, compiled by XLA, and in the body of a compiled loop."""
    expected = run(make(name, options), 6)
    data = [tf.stack(column) for column in zip(*steps(6), strict=True)]

    for compiled in (False, True):
        optimizer, variables = make(name, options), weights()

        @tf.function(jit_compile=compiled)
        def step(*gradients, optimizer=optimizer, variables=variables):
            optimizer.apply(gradients, variables)

        for gradients in steps(6):
            step(*gradients)
        assert_close([v.numpy() for v in variables], expected, 1e-5)

        optimizer, variables = make(name, options), weights()
        optimizer.build(variables)

        @tf.function(jit_compile=compiled, autograph=False)
        def loop(a, b, optimizer=optimizer, variables=variables):
            def body(i):
                optimizer.apply([a[i], b[i]], variables)
                return (i + 1,)

            tf.while_loop(lambda i: i < 6, body, [0])

        loop(*data)
        assert_close([v.numpy() for v in variables], expected, 1e-5)
        assert int(optimizer.iterations) == 6


@everyone
def test_pure_update_is_the_same(name: str, options: dict) -> None:
    """`update` carries weights and slots as tensors, and equals what `apply` does in place."""
    expected = run(make(name, options), 6)
    optimizer = make(name, options)
    values = [tf.convert_to_tensor(w) for w in weights()]
    slots = [optimizer.initial_slots(v) for v in values]
    hyper = optimizer.hyper()
    for i, gradients in enumerate(steps(6)):
        for k in range(2):
            values[k], slots[k] = optimizer.update(values[k], gradients[k], slots[k], hyper, i)
        hyper.update(optimizer.advance(hyper, i))
    assert_close(values, expected)
    assert int(optimizer.iterations) == 0


@everyone
def test_sparse_gradients_give_the_dense_result(name: str, options: dict) -> None:
    indices = [[1, 3, 1], [0, 0, 0], [2, 1, 3]]
    values = RNG.normal(size=(3, 3, 2)).astype("float32")
    cases = [
        ({}, False),
        ({"clipnorm": 0.5}, True),
        ({"clipvalue": 0.3}, False),
        ({"global_clipnorm": 0.4}, False),
    ]
    for clip, compiled in cases:
        dense, sparse = tf.Variable(tf.ones((5, 2))), tf.Variable(tf.ones((5, 2)))
        with_dense, with_sparse = make(name, options, **clip), make(name, options, **clip)

        @tf.function(jit_compile=compiled)
        def step(rows, numbers, variable=sparse, optimizer=with_sparse):
            slices = tf.IndexedSlices(numbers, rows, tf.constant([5, 2]))
            optimizer.apply([slices], [variable])

        for rows, numbers in zip(indices, values, strict=True):
            step(tf.constant(rows), tf.constant(numbers))
            gradient = np.zeros((5, 2), "float32")
            np.add.at(gradient, rows, numbers)
            with_dense.apply([tf.constant(gradient)], [dense])
        np.testing.assert_allclose(sparse.numpy(), dense.numpy(), rtol=1e-5, atol=1e-6)


@everyone
@pytest.mark.parametrize("dense_shape", [None, (5, 2)])
def test_sparse_gradients_of_no_rows(name: str, options: dict, dense_shape) -> None:
    variable = tf.Variable(tf.ones((5, 2)))
    shape = None if dense_shape is None else tf.constant(dense_shape)
    nothing = tf.IndexedSlices(tf.zeros((0, 2)), tf.zeros((0,), tf.int64), shape)
    make(name, options, clipnorm=0.5).apply([nothing], [variable])
    make(name, options).apply([nothing], [variable])
    np.testing.assert_array_equal(variable.numpy(), 1)


@pytest.mark.parametrize("name", ["SGD", "Adagrad"])
def test_sparse_gradients_touch_only_their_rows(name: str) -> None:
    """The program has no tensor of the size of the variable but the variables themselves."""
    variable = tf.Variable(tf.ones((1000, 2)))
    optimizer = make(name, {})
    optimizer.build([variable])

    @tf.function
    def step(rows, numbers):
        optimizer.apply([tf.IndexedSlices(numbers, rows, tf.constant([1000, 2]))], [variable])

    program = step.get_concrete_function(
        tf.TensorSpec([3], tf.int32), tf.TensorSpec([3, 2], tf.float32)
    )
    whole = [
        (operation.type, output.shape)
        for operation in program.graph.get_operations()
        for output in operation.outputs
        if output.shape.rank == 2 and output.shape[0] == 1000
    ]
    assert whole == []


@everyone
def test_half_precision_is_updated_in_single(name: str, options: dict) -> None:
    optimizer, half = make(name, options), weights("float16")
    for gradients in steps(5, "float16"):
        optimizer.apply([g * tf.cast(1e-3, g.dtype) for g in gradients], half)
    single, other = weights("float32"), make(name, options)
    for gradients in steps(5, "float16"):
        scaled = [tf.cast(g * tf.cast(1e-3, g.dtype), tf.float32) for g in gradients]
        other.apply(scaled, single)
    assert_close([v.numpy() for v in half], [v.numpy() for v in single], 2e-2)
    assert {w.dtype for w in optimizer.variables[1:]} <= {tf.float32}


def test_constraint_holds_after_every_update() -> None:
    w = tf.Variable([[1.0], [1.0]], constraint=constraints.MaxNorm(1.0))
    optimizers.SGD(lr=1.0).apply_gradients([(tf.constant([[-2.0], [-3.0]]), w)])
    np.testing.assert_allclose(w.numpy(), [[0.6], [0.8]], rtol=1e-5)


def test_weights_without_gradient_are_named_once() -> None:
    sgd = optimizers.SGD(lr=1.0)
    used, unused = tf.Variable(1.0, name="used"), tf.Variable(1.0, name="unused")
    with pytest.warns(UserWarning, match="unused"):
        sgd.apply_gradients([(tf.constant(1.0), used), (None, unused)])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        sgd.apply_gradients([(tf.constant(1.0), used), (None, unused)])
    assert float(used) == -1.0
    with pytest.raises(ValueError, match="used, unused"):
        sgd.apply_gradients([(None, used), (None, unused)])
    assert int(sgd.iterations) == 2


# ---------------------------------------------------------------- clipping


def test_clipnorm_is_of_each_gradient_and_global_of_all() -> None:
    a, b = np.array([3.0, 4.0], "float32"), np.array([0.3], "float32")
    clipped = optimizers.SGD(clipnorm=1.0).clip([tf.constant(a), tf.constant(b)])
    assert_close(clipped, [a / 5, b])
    clipped = optimizers.SGD(global_clipnorm=1.0).clip([tf.constant(a), tf.constant(b)])
    norm = np.sqrt(25 + 0.09)
    assert_close(clipped, [a / norm, b / norm])


def test_zero_gradients_stay_finite() -> None:
    clipped = optimizers.SGD(clipnorm=1.0, global_clipnorm=1.0).clip([tf.zeros(3)])
    np.testing.assert_array_equal(clipped[0].numpy(), 0)


# ---------------------------------------------------------------- as in Keras 2


@everyone
def test_get_updates_lists_what_apply_does(name: str, options: dict) -> None:
    optimizer, other = make(name, options, clipnorm=0.5), make(name, options, clipnorm=0.5)
    mine, theirs = weights(), weights()

    def loss(variables):
        return tf.reduce_sum(variables[0] ** 2) + tf.reduce_sum(variables[1] ** 4)

    for _ in range(3):
        pairs = optimizer.get_updates(lambda: loss(mine), mine)
        assert [v.numpy().shape for v, _ in pairs] == [tuple(value.shape) for _, value in pairs]
        for variable, value in pairs:
            variable.assign(value)
        with tf.GradientTape() as tape:
            value = loss(theirs)
        other.apply(tape.gradient(value, theirs), theirs)
    assert_close([v.numpy() for v in mine], [v.numpy() for v in theirs])
    assert_close(optimizer.get_weights(), other.get_weights())


def test_get_updates_of_a_symbolic_loss() -> None:
    data = RNG.normal(size=(5, 4)).astype("float32")
    for name, options in ALL:
        mine, theirs = weights(), weights()
        x = K.placeholder((None, 4))
        loss = K.mean(K.square(K.dot(x, mine[0]) + mine[1]))
        optimizer, other = make(name, options), make(name, options)
        train = K.function([x], [loss], updates=optimizer.get_updates(loss, mine))
        for _ in range(2):
            got = train([data])[0]
            with tf.GradientTape() as tape:
                value = tf.reduce_mean(tf.square(data @ theirs[0] + theirs[1]))
            np.testing.assert_allclose(got, value.numpy(), rtol=1e-5)
            other.apply(tape.gradient(value, theirs), theirs)
        assert_close([v.numpy() for v in mine], [v.numpy() for v in theirs], 1e-5)
        assert_close(optimizer.get_weights(), other.get_weights(), 1e-5)


def test_get_gradients_in_a_graph_and_its_errors() -> None:
    w, other = tf.Variable(3.0, name="w"), tf.Variable(1.0, name="other")
    adam = optimizers.Adam()

    @tf.function
    def gradient():
        return adam.get_gradients(w * w, [w])

    assert float(gradient()[0]) == 6.0
    with pytest.raises(ValueError, match="does not depend on other"):
        adam.get_gradients(lambda: w * w, [w, other])
    with pytest.raises(ValueError, match="Pass the computation"):
        adam.get_gradients(w * w, [w])


# ---------------------------------------------------------------- state


@everyone
def test_state_continues_where_it_was(name: str, options: dict) -> None:
    expected = run(make(name, options), 6)
    first, variables = make(name, options), weights()
    for gradients in steps(6)[:3]:
        first.apply(gradients, variables)
    state = first.get_weights()
    assert int(state[0]) == 3
    second = make(name, options)
    second.build(variables)
    second.set_weights(state)
    for gradients in steps(6)[3:]:
        second.apply(gradients, variables)
    assert_close([v.numpy() for v in variables], expected)


@everyone
@pytest.mark.parametrize("clone", [copy.deepcopy, lambda o: pickle.loads(pickle.dumps(o))])
def test_copies_carry_state(name: str, options: dict, clone) -> None:
    expected = run(make(name, options), 6)
    first, variables = make(name, options), weights()
    for gradients in steps(6)[:3]:
        first.apply(gradients, variables)
    second = clone(first)
    assert_close(second.get_weights(), first.get_weights())
    for gradients in steps(6)[3:]:
        second.apply(gradients, variables)
    assert_close([v.numpy() for v in variables], expected)
    assert int(first.iterations) == 3


@everyone
def test_order_of_state(name: str, options: dict) -> None:
    """`iterations`, shared numbers, then each slot for all weights."""
    optimizer, variables = make(name, options), weights()
    optimizer.build(variables)
    shared = [()] * len(optimizer.shared_names)
    slots = [(4, 3), (3,)] * len(optimizer.slot_names)
    assert [w.shape for w in optimizer.get_weights()] == [(), *shared, *slots]
    assert optimizer.get_weights()[0].dtype == np.int64


@pytest.mark.parametrize(
    ("optimizer", "shapes"),
    [
        (optimizers.SGD(), [(), (4, 3), (3,)]),  # velocities without momentum
        (optimizers.RMSprop(), [(4, 3), (3,)]),  # no iterations
        (optimizers.Adagrad(), [(4, 3), (3,)]),
        (optimizers.Adadelta(), [(4, 3), (3,), (4, 3), (3,)]),
        (optimizers.Adam(), [(), (4, 3), (3,), (4, 3), (3,), (1,), (1,)]),  # unused vhats
        (optimizers.Nadam(), [(), (4, 3), (3,), (4, 3), (3,)]),  # no momentum schedule
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, optimizers.Optimizer) else "",
)
def test_state_of_older_keras(optimizer, shapes: list) -> None:
    optimizer = copy.deepcopy(optimizer)
    optimizer.build(weights())
    arrays = [np.full(s, i + 1.0) if s else np.array(7) for i, s in enumerate(shapes)]
    optimizer.set_weights(arrays)
    got = optimizer.get_weights()
    assert int(got[0]) == (7 if shapes[0] == () else 0)
    places = [i for i, s in enumerate(shapes) if len(s) == 2]
    if optimizer.slot_names:
        assert [float(w.max()) for w in got if w.ndim == 2] == [float(i + 1) for i in places]
    if isinstance(optimizer, optimizers.Nadam):
        momenta = [0.9 * (1 - 0.5 * 0.96 ** (0.004 * t)) for t in range(1, 8)]
        assert float(got[1]) == pytest.approx(np.prod(momenta), rel=1e-5)


def test_state_that_does_not_fit_changes_nothing() -> None:
    adam, variables = optimizers.Adam(), weights()
    run(adam, 2, variables)
    before = adam.get_weights()
    for wrong in (before[:-1], [*before[:-1], np.zeros((2, 2))], [], [*before, np.zeros(3)]):
        with pytest.raises(ValueError, match="expects 5 arrays"):
            adam.set_weights(wrong)
    assert_close(adam.get_weights(), before, 0)


def test_slots_are_named_and_found() -> None:
    adam, variables = optimizers.Adam(), weights()
    with pytest.raises(KeyError, match="build"):
        adam.slots(variables[0])
    adam.build(variables)
    assert list(adam.slots(variables[0])) == ["m", "v"]
    assert adam.slots(variables[0])["m"].shape == (4, 3)
    adam.build(variables)  # twice is harmless
    assert len(adam.variables) == 5


# ---------------------------------------------------------------- configuration


@everyone
def test_configuration_builds_the_same(name: str, options: dict) -> None:
    optimizer = make(name, options, lr=0.03, clipnorm=0.5, clipvalue=0.4, name="mine")
    config = optimizers.serialize(optimizer)
    assert config["class_name"] == name
    again = optimizers.deserialize(config)
    assert again.get_config() == optimizer.get_config()
    assert again.get_config()["lr"] == 0.03
    assert_close(run(again), run(make(name, options, lr=0.03, clipnorm=0.5, clipvalue=0.4)))


def test_configuration_has_the_values_of_now() -> None:
    adam = optimizers.Adam()
    adam.lr = 0.01
    adam.beta_2 = 0.99
    config = adam.get_config()
    assert (config["lr"], config["beta_2"]) == (0.01, 0.99)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"lr": 0.1, "speed": 2}, "speed"),
        ({"learning_rate": {"class_name": "ExponentialDecay"}}, "LearningRateScheduler"),
        ({"weight_decay": 0.01}, "weight_decay"),
        ({"use_ema": True}, "use_ema"),
        ({"lr": -1}, "lr"),
        (["lr"], "dictionary"),
    ],
)
def test_configuration_that_does_not_fit(config, message: str) -> None:
    with pytest.raises(registry.ConfigError, match=message):
        optimizers.Adam.from_config(config)


def test_repr_is_the_call() -> None:
    assert repr(optimizers.SGD(0.5, 0.9)) == (
        "SGD(lr=0.5, momentum=0.9, decay=0.0, nesterov=False)"
    )


def test_get() -> None:
    for name in ("SGD", "sgd", "Sgd", "RMSPROP", "adam"):
        assert type(optimizers.get(name)).__name__.lower() == name.lower()
    adam = optimizers.Adam()
    assert optimizers.get(adam) is adam
    assert isinstance(optimizers.get(optimizers.Adam), optimizers.Adam)
    assert isinstance(optimizers.get({"class_name": "Adam", "config": {}}), optimizers.Adam)
    assert optimizers.adam is optimizers.Adam


# ---------------------------------------------------------------- one's own


class Halving(optimizers.Adam):
    """An Adam that halves the weight instead."""

    def step(self, parameter, gradient, slots, numbers):
        return parameter / 2, slots


def test_an_own_step_is_not_overtaken_by_the_fused_one() -> None:
    w = tf.Variable([8.0])
    optimizer = Halving()
    optimizer.apply_gradients([(tf.constant([1.0]), w)])
    optimizer.apply_gradients(
        [(tf.IndexedSlices(tf.constant([1.0]), tf.constant([0]), tf.constant([1])), w)]
    )
    assert w.numpy().tolist() == [2.0]
