"""Connectionist temporal classification: labels for a sequence without their times.

Source: Graves, Fernández, Gomez, Schmidhuber 2006, ICML. The last class is the blank.
"""

from __future__ import annotations

import functools

import tensorflow as tf

from ..config import epsilon
from ._typing import Tensor
from .crossentropies import at_least_float32
from .recurrent import rnn
from .symbolic import operation

__all__ = ["ctc_batch_cost", "ctc_decode", "ctc_label_dense_to_sparse"]


@operation
def ctc_label_dense_to_sparse(labels: Tensor, label_lengths: Tensor) -> Tensor:
    """The first labels of each row, as many as its length says, as a sparse tensor.

    Args:
        labels: (samples, longest).
        label_lengths: (samples,).

    Returns:
        A ``tf.SparseTensor`` of shape (samples, longest).

    >>> sparse = ctc_label_dense_to_sparse([[1, 2, 0], [3, 0, 0]], [2, 1])
    >>> sparse.values.numpy(), sparse.indices.numpy().tolist()
    (array([1, 2, 3], dtype=int32), [[0, 0], [0, 1], [1, 0]])
    """
    labels = tf.convert_to_tensor(labels)
    lengths = tf.reshape(tf.cast(label_lengths, tf.int32), (-1,))
    given = tf.sequence_mask(lengths, tf.shape(labels)[1])
    return tf.SparseTensor(
        tf.where(given), tf.boolean_mask(labels, given), tf.shape(labels, out_type=tf.int64)
    )


@operation
def ctc_batch_cost(
    y_true: Tensor, y_pred: Tensor, input_length: Tensor, label_length: Tensor
) -> Tensor:
    """−ln Σ_π Πₜ p(πₜ), over all paths π that read as the labels.

    A path reads as labels when equal neighbours are merged and blanks left out.

    Args:
        y_true: (samples, longest) labels.
        y_pred: (samples, time, classes) probabilities, the blank's last; they are
            divided by their sum.
        input_length: (samples, 1) time steps of each sample.
        label_length: (samples, 1) labels of each sample.

    Returns:
        (samples, 1) losses; infinite where labels do not fit into the time steps.

    Raises:
        tf.errors.InvalidArgumentError: labels do not fit (not under XLA, which
            cannot raise).

    >>> y_pred = tf.constant([[[0.5, 0.5], [0.5, 0.5]]])
    >>> cost = ctc_batch_cost([[0]], y_pred, [[2]], [[1]])  # 3 of the 4 paths read 0
    >>> abs(float(tf.exp(-cost[0, 0])) - 0.75) < 1e-5
    True
    """
    y_pred = tf.convert_to_tensor(y_pred)
    kind = y_pred.dtype
    log_p = tf.nn.log_softmax(tf.math.log(at_least_float32(y_pred) + epsilon()))
    steps, lengths = _flat(input_length), _flat(label_length)
    spelled, may_skip = _with_blanks(tf.cast(y_true, tf.int32), lengths, y_pred.shape[-1] - 1)
    _check_that_labels_fit(spelled, may_skip, lengths, steps)

    # αₜ(s) = ln of the sum over paths that have come to place s of the spelling at step t
    #       = ln p(t, s) + ln Σ exp αₜ₋₁(s'), s' one of s, s − 1 and, where allowed, s − 2.
    # (equations 5 to 8 of the paper, in logarithms)
    times = tf.shape(log_p)[1]
    places = tf.shape(spelled)[1]
    emitted = tf.gather(log_p, tf.tile(spelled[:, tf.newaxis], (1, times, 1)), axis=2, batch_dims=2)
    skip = tf.where(may_skip, tf.zeros((), log_p.dtype), _NEVER)
    start = tf.where(tf.range(places) > 0, tf.cast(_NEVER, log_p.dtype), 0.0)

    def step(now: Tensor, states: tuple[Tensor, ...]) -> tuple[Tensor, list[Tensor]]:
        (alpha,) = states
        alpha = now + _log_of_sum(alpha, _moved(alpha, 1), _moved(alpha, 2) + skip)
        return alpha[:, :1], [alpha]  # only the last state is wanted

    start = tf.tile(start[tf.newaxis], (tf.shape(spelled)[0], 1))
    _, _, (alpha,) = rnn(step, emitted, [start], input_length=steps, return_all_outputs=False)
    # A path ends at the last label or at the blank behind it.
    ends = tf.stack([2 * lengths, tf.maximum(2 * lengths - 1, 0)], 1)
    alphas = tf.gather(alpha, ends, batch_dims=1)
    no_labels = tf.stack([tf.zeros_like(lengths, tf.bool), lengths == 0], 1)
    alphas = tf.where(no_labels, tf.cast(_NEVER, alphas.dtype), alphas)
    cost = -tf.reduce_logsumexp(alphas, 1, keepdims=True)
    return tf.cast(tf.where(cost < -0.5 * _NEVER, cost, float("inf")), kind)


_NEVER = -1e30
"""The logarithm of 0, but such that differences of it are numbers."""


def _with_blanks(labels: Tensor, lengths: Tensor, blank: int) -> tuple[Tensor, Tensor]:
    """Labels with blanks around each, and at which places one may come from two before.

    That leaves out a blank, which is not allowed between equal labels.
    """
    given = tf.sequence_mask(lengths, tf.shape(labels)[1])
    labels = tf.where(given, labels, blank)
    pairs = tf.stack([tf.fill(tf.shape(labels), blank), labels], 2)
    spelled = tf.reshape(pairs, (-1, 2 * tf.shape(labels)[1]))
    spelled = tf.pad(spelled, ((0, 0), (0, 1)), constant_values=blank)
    two_before = tf.pad(spelled, ((0, 0), (2, 0)), constant_values=blank)[:, :-2]
    return spelled, (spelled != blank) & (spelled != two_before)


def _check_that_labels_fit(
    spelled: Tensor, may_skip: Tensor, lengths: Tensor, steps: Tensor
) -> None:
    """A step for every label, and one for the blank between equal neighbours."""
    wanted = spelled[:, 3::2]  # from the second label on
    repeated = (wanted == spelled[:, 1:-2:2]) & ~may_skip[:, 3::2]
    repeated &= tf.sequence_mask(lengths - 1, tf.shape(wanted)[1])
    needed = lengths + tf.reduce_sum(tf.cast(repeated, tf.int32), 1)
    tf.debugging.assert_less_equal(
        needed,
        steps,
        "K.ctc_batch_cost: labels do not fit into their time steps. Each needs one, and one "
        "more between equal neighbours; shorten label_length or give more steps.",
    )


def _moved(alpha: Tensor, places: int) -> Tensor:
    """Every place gets what is so many places before it."""
    return tf.pad(alpha, ((0, 0), (places, 0)), constant_values=_NEVER)[:, :-places]


def _log_of_sum(*logarithms: Tensor) -> Tensor:
    """ln Σ eˣ of a few tensors, element by element."""
    greatest = tf.stop_gradient(functools.reduce(tf.maximum, logarithms))
    return greatest + tf.math.log(tf.add_n([tf.exp(x - greatest) for x in logarithms]))


def _flat(lengths: Tensor) -> Tensor:
    return tf.reshape(tf.cast(lengths, tf.int32), (-1,))


@operation
def ctc_decode(
    y_pred: Tensor,
    input_length: Tensor,
    greedy: bool = True,
    beam_width: int = 100,
    top_paths: int = 1,
) -> tuple[list[Tensor], Tensor]:
    """The labels that predictions most likely read as.

    Args:
        y_pred: (samples, time, classes) probabilities, the blank's last.
        input_length: (samples,) time steps of each sample.
        greedy: take the likeliest class of every step; otherwise search with a beam.
        beam_width: how many prefixes the search keeps.
        top_paths: how many readings the search returns.

    Returns:
        A list of readings, (samples, time) labels with −1 behind them: one if
        greedy, else ``top_paths``, the likeliest first; and their scores: if
        greedy (samples, 1), −Σ ln p of the path, else (samples, top_paths), ln p.

    >>> y_pred = tf.constant([[[0.9, 0.1], [0.1, 0.9], [0.8, 0.2]]])
    >>> ctc_decode(y_pred, [3])[0][0].numpy()
    array([[ 0,  0, -1]])
    """
    y_pred = tf.convert_to_tensor(y_pred)
    log_p = tf.math.log(at_least_float32(y_pred) + epsilon())
    lengths = _flat(input_length)
    if greedy:
        reading, score = _best_path(log_p, lengths)
        return [reading], tf.cast(score, y_pred.dtype)
    readings, scores = tf.nn.ctc_beam_search_decoder(
        tf.cast(tf.transpose(log_p, (1, 0, 2)), tf.float32), lengths, beam_width, top_paths
    )
    shape = tf.shape(y_pred, out_type=tf.int64)[:2]
    dense = [
        tf.sparse.to_dense(tf.SparseTensor(r.indices, r.values, shape), default_value=-1)
        for r in readings
    ]
    return [tf.ensure_shape(labels, y_pred.shape[:2]) for labels in dense], scores


def _best_path(log_p: Tensor, lengths: Tensor) -> tuple[Tensor, Tensor]:
    """The reading of the likeliest class of every step, and −Σ ln p of that path."""
    path = tf.argmax(log_p, -1)
    times = tf.shape(path)[1]
    counts = tf.sequence_mask(lengths, times)
    new = tf.pad(path[:, 1:] != path[:, :-1], ((0, 0), (1, 0)), constant_values=True)
    read = counts & new & (path != log_p.shape[-1] - 1)
    # A stable sort brings what is read to the front.
    order = tf.argsort(tf.cast(~read, tf.int32), axis=1, stable=True)
    front = tf.sequence_mask(tf.reduce_sum(tf.cast(read, tf.int32), 1), times)
    reading = tf.where(front, tf.gather(path, order, batch_dims=1), -1)
    best = tf.where(counts, tf.reduce_max(log_p, -1), 0.0)
    return reading, -tf.reduce_sum(best, 1, keepdims=True)
