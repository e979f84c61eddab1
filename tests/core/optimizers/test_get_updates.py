"""Optimizers of one's own that say with get_updates what one update is, as in Keras 2."""

from __future__ import annotations

import numpy as np
import pytest

from nbkeras.core import backend as K
from nbkeras.core import optimizers
from nbkeras.core.layers import Dense
from nbkeras.core.models import Sequential, load_model

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(40, 5)).astype("float32"), RNG.normal(size=(40, 1)).astype("float32")


class AdamW(optimizers.Optimizer):
    """Written as for Keras 2.2."""

    def __init__(self, lr=0.001, beta_1=0.9, beta_2=0.999, weight_decay=0.0, decay=0.0, **kwargs):
        super().__init__(**kwargs)
        with K.name_scope(self.__class__.__name__):
            self.iterations = K.variable(0, dtype="int64", name="iterations")
            self.lr = K.variable(lr, name="lr")
            self.beta_1 = K.variable(beta_1, name="beta_1")
            self.beta_2 = K.variable(beta_2, name="beta_2")
            self.decay = K.variable(decay, name="decay")
        self.weight_decay = weight_decay
        self.initial_decay = decay

    def get_updates(self, loss, params):
        grads = self.get_gradients(loss, params)
        self.updates = [K.update_add(self.iterations, 1)]
        lr = self.lr
        if self.initial_decay > 0:
            lr = lr * (1.0 / (1.0 + self.decay * K.cast(self.iterations, K.dtype(self.decay))))
        t = K.cast(self.iterations, K.floatx()) + 1
        lr_t = lr * (K.sqrt(1.0 - K.pow(self.beta_2, t)) / (1.0 - K.pow(self.beta_1, t)))
        ms = [K.zeros(K.int_shape(p), dtype=K.dtype(p)) for p in params]
        vs = [K.zeros(K.int_shape(p), dtype=K.dtype(p)) for p in params]
        self.weights = [self.iterations, *ms, *vs]
        for p, g, m, v in zip(params, grads, ms, vs, strict=True):
            m_t = (self.beta_1 * m) + (1.0 - self.beta_1) * g
            v_t = (self.beta_2 * v) + (1.0 - self.beta_2) * K.square(g)
            p_t = p - lr_t * m_t / (K.sqrt(v_t) + 1e-7) - lr * self.weight_decay * p
            self.updates.append(K.update(m, m_t))
            self.updates.append(K.update(v, v_t))
            if getattr(p, "constraint", None) is not None:
                p_t = p.constraint(p_t)
            self.updates.append(K.update(p, p_t))
        return self.updates

    def get_config(self):
        return {
            "lr": float(K.get_value(self.lr)),
            "decay": self.initial_decay,
            "weight_decay": self.weight_decay,
        }


def model(optimizer, **kwargs):
    made = Sequential(
        [
            Dense(4, activation="tanh", input_shape=(5,), kernel_constraint="max_norm"),
            Dense(1),
        ]
    )
    rng = np.random.default_rng(1)
    made.set_weights([rng.normal(size=w.shape) * 0.3 for w in made.get_weights()])
    made.compile(optimizer, "mse", **kwargs)
    return made


def trained(optimizer, epochs=3, **kwargs):
    made = model(optimizer, **kwargs)
    made.fit(X, Y, batch_size=8, epochs=epochs, shuffle=False, verbose=0)
    return made


def assert_close(first, second, rtol=1e-4):
    for a, b in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=rtol, atol=1e-6)


@pytest.mark.parametrize("jit", [False, True])
def test_adam_written_so_is_adam(jit):
    mine = trained(AdamW(lr=0.01, decay=0.1), jit_compile=jit)
    assert_close(mine, trained(optimizers.Adam(lr=0.01, decay=0.1, epsilon=1e-7)))
    assert int(K.get_value(mine.optimizer.iterations)) == 15


def test_weight_decay_shrinks():
    small, plain = trained(AdamW(0.01, weight_decay=5.0)), trained(AdamW(0.01))
    assert np.abs(small.get_weights()[0]).sum() < np.abs(plain.get_weights()[0]).sum()


def test_the_learning_rate_can_be_moved():
    made = trained(AdamW(0.01))
    before = made.get_weights()
    K.set_value(made.optimizer.lr, 0.0)
    made.train_on_batch(X, Y)
    for a, b in zip(before, made.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)


def test_its_state_is_saved(tmp_path):
    made = trained(AdamW(0.01))
    made.save(tmp_path / "model.h5")
    again = load_model(tmp_path / "model.h5", custom_objects={"AdamW": AdamW})
    assert [w.shape for w in again.optimizer.get_weights()] == [
        w.shape for w in made.optimizer.get_weights()
    ]
    for one in (made, again):
        one.fit(X, Y, batch_size=8, shuffle=False, verbose=0)
    assert_close(made, again, rtol=1e-5)


class Accumulating(optimizers.Optimizer):
    """Adds the gradients of some batches before it moves."""

    def __init__(self, lr=0.1, steps=2, **kwargs):
        super().__init__(lr=lr, **kwargs)
        self.steps = steps

    def get_updates(self, loss, params):
        self.updates = [K.update_add(self.iterations, 1)]
        moves = K.equal((self.iterations + 1) % self.steps, 0)
        sums = [K.zeros(K.int_shape(p)) for p in params]
        for p, g, s in zip(params, K.gradients(loss, params), sums, strict=True):
            total = s + g / self.steps
            self.updates.append(K.update(s, K.switch(moves, K.zeros_like(s), total)))
            self.updates.append(K.update(p, K.switch(moves, p - self.lr * total, p + 0.0)))
        return self.updates


def test_accumulation_is_a_larger_batch():
    made, plain = model(Accumulating(0.1)), model(optimizers.SGD(0.1))
    for _ in range(3):
        made.train_on_batch(X[:20], Y[:20])
        made.train_on_batch(X[20:], Y[20:])
        plain.train_on_batch(X, Y)
    assert_close(made, plain)
    assert len(made.optimizer.weights) == 1 + 4


class Multiplied(optimizers.SGD):
    """Changes the updates of another optimizer."""

    def get_updates(self, loss, params):
        ids = {id(p) for p in params}
        return [
            (v, v + 2.0 * (new - v)) if id(v) in ids else (v, new)
            for v, new in super().get_updates(loss, params)
        ]


def test_updates_of_another_optimizer():
    made, plain = model(Multiplied(0.01)), model(optimizers.SGD(0.02))
    for one in (made, plain):
        one.fit(X, Y, batch_size=8, shuffle=False, epochs=2, verbose=0)
    for a, b in zip(made.layers[1].get_weights(), plain.layers[1].get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=0.05, atol=1e-3)


def test_the_arguments_of_keras_2_0():
    class Old(optimizers.Optimizer):
        def get_updates(self, params, constraints, loss):
            grads = self.get_gradients(loss, params)
            return [(p, p - 0.1 * g) for p, g in zip(params, grads, strict=True)]

    made = Sequential([Dense(1, input_shape=(5,))])
    plain = Sequential([Dense(1, input_shape=(5,))])
    plain.set_weights(made.get_weights())
    for one, optimizer in ((made, Old()), (plain, optimizers.SGD(0.1))):
        one.compile(optimizer, "mse")
        one.fit(X, Y, batch_size=8, shuffle=False, verbose=0)
    assert_close(made, plain)


def test_gradients_are_clipped():
    assert_close(
        trained(AdamW(0.01, clipnorm=0.1)),
        trained(optimizers.Adam(0.01, clipnorm=0.1, epsilon=1e-7)),
    )


def test_a_step_wins_over_older_updates():
    class Both(AdamW):
        def step(self, parameter, gradient, slots, numbers):
            return parameter - numbers["lr"] * gradient, slots

    assert_close(trained(Both(lr=0.01)), trained(optimizers.SGD(0.01)))


def test_what_is_no_list_of_updates():
    class Wrong(optimizers.Optimizer):
        def get_updates(self, loss, params):
            return None

    with pytest.raises(TypeError, match=r"returns a list of updates, as \[K.update"):
        model(Wrong()).train_on_batch(X, Y)
