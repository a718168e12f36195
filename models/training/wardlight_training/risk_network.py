"""The network of `deterioration`: a convolution over the course of the hours beside the features that sum them up, in JAX.

Everything in it can be stored in eight bits: convolutions and products, ReLU, one concatenation.
"""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax

from .features import names
from .vitals import MAX_HOURS, VITALS

CHANNELS = 2 * len(VITALS)
"""Each vital, then for each whether it was measured."""
# Channels in, channels out, kernel, stride of each convolution over the hours. The last one is as long as what it gets: it
# knows when something happened, as a mean over the hours would not. It has no ReLU, and its outputs join the features.
CONVOLUTIONS = {"first": (CHANNELS, 16, 5, 2), "second": (16, 24, 5, 2), "third": (24, 24, 3, 2), "course": (24, 16, 6, 1)}
DENSE = {"joined": (len(names()) + 16, 64), "hidden": (64, 32), "out": (32, 1)}
CLIP = 4.0
"""What comes in is kept within this many standard deviations: the int8 step is then exactly 1/32."""
DROPOUT = 0.2
INPUT_DROPOUT = 0.1
"""Of features, and of whole hours."""
WEIGHT_DECAY = 0.03
LEARNING_RATE = 2e-3
BATCH = 128
EPOCHS = 30


def padding(name):
    """Hours added at either end before a convolution."""
    return 0 if name == "course" else CONVOLUTIONS[name][2] // 2


def start(seed, rate):
    """Random parameters that say `rate`: name to (weights, bias); convolution weights `[out, in, kernel]`, dense `[in, out]`."""
    rng = np.random.default_rng(seed)
    parameters = {}
    for name, (inputs, outputs, kernel, _) in CONVOLUTIONS.items():
        weights = rng.normal(0, np.sqrt(2 / (inputs * kernel)), (outputs, inputs, kernel))
        parameters[name] = (weights.astype(np.float32), np.zeros(outputs, np.float32))
    for name, (inputs, outputs) in DENSE.items():
        weights = rng.normal(0, np.sqrt((0.2 if name == "out" else 2) / inputs), (inputs, outputs))
        parameters[name] = (weights.astype(np.float32), np.zeros(outputs, np.float32))
    parameters["out"][1][:] = np.log(rate / (1 - rate))
    return parameters


def apply(parameters, features, hours, drop=None):
    """Logits `[n]` of normalised features `[n, features]` and hours `[n, CHANNELS, MAX_HOURS]`; `drop` is a random key in training."""
    keys = iter(jax.random.split(drop, 6)) if drop is not None else None

    def dropout(x, rate, shape=None):
        return x if keys is None else x * jax.random.bernoulli(next(keys), 1 - rate, shape or x.shape) / (1 - rate)

    features = dropout(features, INPUT_DROPOUT)
    h = hours if keys is None else hours * jax.random.bernoulli(next(keys), 1 - INPUT_DROPOUT, (len(hours), 1, MAX_HOURS))
    h = h.transpose(0, 2, 1)
    for name in CONVOLUTIONS:
        if name == "course":
            h = dropout(h, DROPOUT)
        weights, bias = parameters[name]
        pad, stride = padding(name), CONVOLUTIONS[name][3]
        h = bias + lax.conv_general_dilated(h, weights.transpose(2, 1, 0), (stride,), [(pad, pad)], dimension_numbers=("NWC", "WIO", "NWC"))
        h = h if name == "course" else jax.nn.relu(h)
    x = jnp.concatenate([features, dropout(h[:, 0], DROPOUT)], 1)
    for name in DENSE:
        weights, bias = parameters[name]
        x = x @ weights + bias
        if name != "out":
            x = dropout(jax.nn.relu(x), DROPOUT)
    return x[:, 0]


def fit(rows, target, seed):
    """Trains on normalised `rows` with labels or probabilities `target` [n]."""
    rng = np.random.default_rng(seed)
    target = target.astype(np.float32)
    parameters = start(seed, target.mean())
    steps = EPOCHS * (len(target) // BATCH)
    state = _optimiser(steps).init(parameters)
    key = jax.random.key(seed)
    for _ in range(EPOCHS):
        order = rng.permutation(len(target))
        for at in range(0, len(target) - BATCH + 1, BATCH):
            batch = order[at:at + BATCH]
            key, now = jax.random.split(key)
            parameters, state = _step(steps, parameters, state, now, rows.features[batch], rows.hours[batch], target[batch])
    return jax.tree.map(np.asarray, parameters)


def logit(ensemble, rows):
    """The mean of the members' logits [n], in f32."""
    return np.mean([np.asarray(_logit(parameters, rows.features, rows.hours)) for parameters in ensemble], 0)


_logit = jax.jit(apply)


def _optimiser(steps):
    weights_only = partial(jax.tree.map, lambda p: p.ndim > 1)
    return optax.adamw(optax.cosine_decay_schedule(LEARNING_RATE, steps), weight_decay=WEIGHT_DECAY, mask=weights_only)


@partial(jax.jit, static_argnums=0)
def _step(steps, parameters, state, key, features, hours, target):
    loss = lambda p: optax.sigmoid_binary_cross_entropy(apply(p, features, hours, key), target).mean()
    change, state = _optimiser(steps).update(jax.grad(loss)(parameters), state, parameters)
    return optax.apply_updates(parameters, change), state
