"""Connectionist temporal classification: labels for a sequence without their times.

Source: Graves, Fernández, Gomez, Schmidhuber 2006, ICML. The last class is the blank.
"""

from __future__ import annotations

import tensorflow as tf

from ..config import epsilon
from ._typing import Tensor
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
        y_pred: (samples, time, classes) probabilities, the blank's last.
        input_length: (samples, 1) time steps of each sample.
        label_length: (samples, 1) labels of each sample.

    Returns:
        (samples, 1) losses.

    >>> y_pred = tf.constant([[[0.5, 0.5], [0.5, 0.5]]])
    >>> cost = ctc_batch_cost([[0]], y_pred, [[2]], [[1]])  # 3 of the 4 paths read 0
    >>> abs(float(tf.exp(-cost[0, 0])) - 0.75) < 1e-5
    True
    """
    lengths = tf.reshape(tf.cast(input_length, tf.int32), (-1,))
    labels = ctc_label_dense_to_sparse(tf.cast(y_true, tf.int32), label_length)
    loss = tf.compat.v1.nn.ctc_loss(
        labels=labels, inputs=_log_by_time(y_pred), sequence_length=lengths
    )
    return tf.expand_dims(loss, 1)


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
    inputs = _log_by_time(y_pred)
    lengths = tf.reshape(tf.cast(input_length, tf.int32), (-1,))
    if greedy:
        readings, scores = tf.nn.ctc_greedy_decoder(inputs, lengths)
    else:
        readings, scores = tf.nn.ctc_beam_search_decoder(inputs, lengths, beam_width, top_paths)
    steps, samples = tf.unstack(tf.shape(inputs, out_type=tf.int64)[:2])
    dense = []
    for reading in readings:
        whole = tf.SparseTensor(reading.indices, reading.values, tf.stack([samples, steps]))
        labels = tf.sparse.to_dense(whole, default_value=-1)
        dense.append(tf.ensure_shape(labels, (inputs.shape[1], inputs.shape[0])))
    return dense, scores


def _log_by_time(y_pred: Tensor) -> Tensor:
    """(samples, time, classes) probabilities as (time, samples, classes) logarithms."""
    return tf.math.log(tf.transpose(y_pred, (1, 0, 2)) + epsilon())
