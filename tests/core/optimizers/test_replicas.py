"""Under a strategy of two replicas, gradients are added and every copy moves alike."""

from __future__ import annotations

import os
import subprocess
import sys

# Devices are split before TensorFlow starts, so this runs in an interpreter of its own.
PROGRAM = """
import numpy as np, tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from nbkeras.core import constraints, metrics, optimizers

CASES = [
    ("SGD", {}), ("SGD", {"momentum": 0.9}), ("RMSprop", {}), ("Adagrad", {}), ("Adadelta", {}),
    ("Adam", {}), ("Adam", {"amsgrad": True}), ("Adamax", {}), ("Nadam", {}),
]
strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
rng = np.random.default_rng(0)
gradients = [tf.constant(rng.normal(size=(4, 3)), "float32") for _ in range(3)]
start = rng.normal(size=(4, 3)).astype("float32")

def weight():
    return tf.Variable(start, constraint=constraints.MaxNorm(1.0))

for name, options in CASES:
    make = getattr(optimizers, name)
    with strategy.scope():
        w, optimizer = weight(), make(clipnorm=0.5, **options)

    @tf.function
    def step(gradient):
        def replica():
            number = tf.distribute.get_replica_context().replica_id_in_sync_group + 1
            optimizer.apply([gradient * tf.cast(number, "float32") / 3.0], [w])
        strategy.run(replica)

    alone, one = weight(), make(clipnorm=0.5, **options)
    for gradient in gradients:
        step(gradient)
        one.apply([gradient], [alone])
    for copy in strategy.experimental_local_results(w):
        np.testing.assert_allclose(copy.numpy(), alone.numpy(), rtol=1e-5, atol=1e-6)
    for got, want in zip(optimizer.get_weights(), one.get_weights(), strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)

with strategy.scope():
    mean = metrics.Mean()

@tf.function
def measure():
    def replica():
        number = tf.distribute.get_replica_context().replica_id_in_sync_group
        mean.update_state(tf.cast([number, 10], "float32"))
    strategy.run(replica)

measure()
assert float(mean.result()) == 21 / 4, mean.result()
mean.reset_states()
assert float(mean.result()) == 0
print("replicas agree")
"""


def test_replicas() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        capture_output=True,
        text=True,
        timeout=300,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    assert "replicas agree" in done.stdout, done.stderr[-3000:]
