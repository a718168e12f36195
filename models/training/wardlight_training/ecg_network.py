"""The network of `ecg-beat`: a small convolution over the windows beside a dense layer over the rhythm, in JAX.

Everything in it can be stored in eight bits: convolutions and products, ReLU, one addition, one concatenation.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax

from .ecg_rows import RHYTHM_NAMES

CLASSES = 5
# Channels in, channels out, kernel, stride, groups of each convolution. The last one is as long as what it gets: it knows
# where a wave lies, as a mean over all positions would not.
CONVOLUTIONS = {
    "first": (3, 16, 7, 2, 1),
    "second": (16, 32, 5, 2, 1),
    "third": (32, 32, 3, 1, 1),
    "fourth": (32, 32, 5, 2, 1),
    "place": (32, 64, 16, 1, 32),
}
DENSE = {"rhythm": (len(RHYTHM_NAMES), 48), "joined": (112, 48), "out": (48, CLASSES)}
DROPOUT = 0.25
WEIGHT_DECAY = 0.02
LEARNING_RATE = 3e-3
BATCH = 256
SMOOTHING = 0.03
# The column that compares what lies above the line with what lies below: it changes sign with the polarity.
POLARITY = RHYTHM_NAMES.index("qrs_polarity")


def start(seed):
    """Random parameters: name to (weights, bias); convolution weights `[out, in / groups, kernel]`, dense `[in, out]`."""
    rng = np.random.default_rng(seed)
    parameters = {}
    for name, (inputs, outputs, kernel, _, groups) in CONVOLUTIONS.items():
        fan = inputs // groups * kernel
        weights = rng.normal(0, np.sqrt(2 / fan), (outputs, inputs // groups, kernel))
        parameters[name] = (weights.astype(np.float32), np.zeros(outputs, np.float32))
    for name, (inputs, outputs) in DENSE.items():
        weights = rng.normal(0, np.sqrt((1 if name == "out" else 2) / inputs), (inputs, outputs))
        parameters[name] = (weights.astype(np.float32), np.zeros(outputs, np.float32))
    return parameters


def convolve(parameters, name, x):
    """One convolution on `[n, channels, positions]`, and ReLU."""
    weights, bias = parameters[name]
    *_, kernel, stride, groups = CONVOLUTIONS[name]
    pad = 0 if name == "place" else kernel // 2
    y = lax.conv_general_dilated(
        x, weights.transpose(2, 1, 0), (stride,), [(pad, pad)], dimension_numbers=("NWC", "WIO", "NWC"), feature_group_count=groups)
    return jax.nn.relu(y + bias)


def apply(parameters, window, rhythm, drop=None):
    """Logits `[n, CLASSES]`. `drop` is a random key in training."""
    h = convolve(parameters, "first", window.transpose(0, 2, 1))
    h = convolve(parameters, "second", h)
    h = h + convolve(parameters, "third", h)
    h = convolve(parameters, "fourth", h)
    shape = convolve(parameters, "place", h)[:, 0]
    weights, bias = parameters["rhythm"]
    timing = jax.nn.relu(rhythm @ weights + bias)
    joined = jnp.concatenate([shape, timing], 1)
    if drop is not None:
        drop, second = jax.random.split(drop)
        joined *= jax.random.bernoulli(drop, 1 - DROPOUT, joined.shape) / (1 - DROPOUT)
    weights, bias = parameters["joined"]
    hidden = jax.nn.relu(joined @ weights + bias)
    if drop is not None:
        hidden *= jax.random.bernoulli(second, 1 - DROPOUT, hidden.shape) / (1 - DROPOUT)
    weights, bias = parameters["out"]
    return hidden @ weights + bias


def disturb(key, window, rhythm):
    """What may change without changing the class: polarity, gain, noise, a wander, a shift, the last digits of the rhythm."""
    keys = jax.random.split(key, 8)
    n = len(window)
    per_row = lambda k, spread: spread * jax.random.normal(k, (n, 1, 1))
    sign = jnp.where(jax.random.bernoulli(keys[0], 0.3, (n, 1, 1)), -1.0, 1.0)
    window = window * sign * jnp.exp(per_row(keys[1], 0.12))
    rough = jnp.abs(per_row(keys[2], 0.03))
    window = window + rough * jax.random.normal(keys[3], window.shape)
    slope = jnp.linspace(-1, 1, window.shape[2])
    window = window + per_row(keys[4], 0.04) * slope + per_row(keys[5], 0.04) * jnp.cos(3 * slope)
    # The same shift for all rows of the batch costs nothing.
    window = jnp.roll(window, jax.random.randint(keys[6], (), -2, 3), axis=2)
    rhythm = rhythm + 0.06 * jax.random.normal(keys[7], rhythm.shape)
    return window, rhythm.at[:, POLARITY].multiply(sign[:, 0, 0])


def fit(rows, chances, steps, seed):
    """Trains on `rows`, each drawn with its chance. Returns the parameters averaged over the last hundred steps or so."""
    rng = np.random.default_rng(seed)
    parameters = start(seed)
    state = _optimiser(steps).init(parameters)
    mean = parameters
    key = jax.random.key(seed)
    up_to = np.cumsum(chances) / np.sum(chances)
    for _ in range(steps):
        batch = np.minimum(np.searchsorted(up_to, rng.random(BATCH)), len(up_to) - 1)
        key, now = jax.random.split(key)
        parameters, state, mean = _step(
            steps, parameters, state, mean, now, rows.window[batch], rows.rhythm[batch], rows.label[batch])
    return jax.tree.map(np.asarray, mean)


def _optimiser(steps):
    return optax.adamw(optax.cosine_onecycle_schedule(steps, LEARNING_RATE, 0.2), weight_decay=WEIGHT_DECAY)


@partial(jax.jit, static_argnums=0)
def _step(steps, parameters, state, mean, key, window, rhythm, target):
    augment, drop = jax.random.split(key)

    def loss(p):
        logits = apply(p, *disturb(augment, window, rhythm), drop)
        smooth = (1 - SMOOTHING) * jax.nn.one_hot(target, CLASSES) + SMOOTHING / CLASSES
        return optax.softmax_cross_entropy(logits, smooth).mean()

    change, state = _optimiser(steps).update(jax.grad(loss)(parameters), state, parameters)
    parameters = optax.apply_updates(parameters, change)
    mean = jax.tree.map(lambda m, p: 0.99 * m + 0.01 * p, mean, parameters)
    return parameters, state, mean


_logits = jax.jit(apply)


def logits(parameters, rows):
    """Logits of all rows, in pieces."""
    n = len(rows.label)
    pieces = []
    for at in range(0, n, 2048):
        window, rhythm = rows.window[at:at + 2048], rows.rhythm[at:at + 2048]
        short = 2048 - len(window)
        window, rhythm = np.pad(window, ((0, short), (0, 0), (0, 0))), np.pad(rhythm, ((0, short), (0, 0)))
        pieces.append(np.asarray(_logits(parameters, window, rhythm))[: 2048 - short])
    return np.concatenate(pieces)
