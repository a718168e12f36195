"""The network of `ecg-vf`: four convolutions, the mean over the window, two dense layers, in JAX."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax

CLASSES = 2
# Channels in, channels out, kernel, stride.
CONVOLUTIONS = {"first": (1, 8, 9, 2), "second": (8, 16, 7, 3), "third": (16, 24, 5, 2), "fourth": (24, 24, 5, 2)}
DENSE = {"hidden": (24, 24), "out": (24, CLASSES)}
DROPOUT = 0.2
WEIGHT_DECAY = 0.02
LEARNING_RATE = 4e-3
BATCH = 256


def start(seed):
    """Random parameters: name to (weights, bias); convolution weights `[out, in, kernel]`, dense `[in, out]`."""
    rng = np.random.default_rng(seed)
    shapes = {name: ((outputs, inputs, kernel), inputs * kernel) for name, (inputs, outputs, kernel, _) in CONVOLUTIONS.items()}
    shapes |= {name: (shape, shape[0]) for name, shape in DENSE.items()}
    bias = {name: shape[0] if name in CONVOLUTIONS else shape[1] for name, (shape, _) in shapes.items()}
    return {
        name: (rng.normal(0, np.sqrt(2 / fan), shape).astype(np.float32), np.zeros(bias[name], np.float32))
        for name, (shape, fan) in shapes.items()
    }


def apply(parameters, window, drop=None):
    """Logits `[n, CLASSES]` of windows `[n, samples]`. `drop` is a random key in training."""
    h = window[:, :, None]
    for name, (_, _, kernel, stride) in CONVOLUTIONS.items():
        weights, bias = parameters[name]
        pad = [(kernel // 2, kernel // 2)]
        h = lax.conv_general_dilated(h, weights.transpose(2, 1, 0), (stride,), pad, dimension_numbers=("NWC", "WIO", "NWC"))
        h = jax.nn.relu(h + bias)
    h = h.mean(1)
    weights, bias = parameters["hidden"]
    h = jax.nn.relu(h @ weights + bias)
    if drop is not None:
        h *= jax.random.bernoulli(drop, 1 - DROPOUT, h.shape) / (1 - DROPOUT)
    weights, bias = parameters["out"]
    return h @ weights + bias


def disturb(rng, windows, labels):
    """What may change without changing the class: polarity, gain, pace, noise, a wander, a spike of motion."""
    n, length = windows.shape
    # The pace of a wave that is shockable may differ by a fifth, that of another rhythm by less.
    pace = np.exp(np.where(labels == 1, 0.12, 0.06) * rng.normal(size=n).clip(-1.7, 1.7))
    pace = np.minimum(pace, 1.2)
    shift = rng.uniform(0, 1, n)
    at = pace[:, None] * np.arange(length) / max(pace.max(), 1)
    at += shift[:, None] * (length - 1 - at[:, -1:])
    low = np.clip(at.astype(int), 0, length - 2)
    part = (at - low).astype(np.float32)
    rows = np.arange(n)[:, None]
    warped = windows[rows, low] * (1 - part) + windows[rows, low + 1] * part
    warped *= (np.exp(0.15 * rng.normal(size=(n, 1))) * rng.choice([-1, 1], (n, 1))).astype(np.float32)
    noise = np.abs(rng.normal(0, 0.03, (n, 1))) * rng.normal(size=(n, length))
    time = np.linspace(0, 4, length)
    wander = rng.normal(0, 0.08, (n, 1)) * np.sin(2 * np.pi * (rng.uniform(0.2, 0.8, (n, 1)) * time + rng.uniform(0, 1, (n, 1))))
    return (warped + noise + wander).clip(-2, 2).astype(np.float32)


def fit(sample, steps, seed):
    """Trains; `sample(rng)` gives a batch of windows and labels. Returns averaged parameters."""
    rng = np.random.default_rng(seed)
    parameters = start(seed)
    optimiser = optax.adamw(optax.cosine_onecycle_schedule(steps, LEARNING_RATE, 0.2), weight_decay=WEIGHT_DECAY)
    state, mean = optimiser.init(parameters), parameters

    @jax.jit
    def step(parameters, state, mean, key, windows, labels):
        def loss(p):
            smooth = 0.98 * jax.nn.one_hot(labels, CLASSES) + 0.02 / CLASSES
            return optax.softmax_cross_entropy(apply(p, windows, key), smooth).mean()

        change, state = optimiser.update(jax.grad(loss)(parameters), state, parameters)
        parameters = optax.apply_updates(parameters, change)
        mean = jax.tree.map(lambda m, p: 0.99 * m + 0.01 * p, mean, parameters)
        return parameters, state, mean

    key = jax.random.key(seed)
    for _ in range(steps):
        windows, labels = sample(rng)
        key, now = jax.random.split(key)
        parameters, state, mean = step(parameters, state, mean, now, disturb(rng, windows, labels), labels)
    return jax.tree.map(np.asarray, mean)


_logits = jax.jit(apply)


def logits(parameters, windows):
    """Logits of all windows, in pieces."""
    pieces = []
    for at in range(0, len(windows), 2048):
        some = windows[at:at + 2048]
        padded = np.pad(some, ((0, 2048 - len(some)), (0, 0)))
        pieces.append(np.asarray(_logits(parameters, padded))[: len(some)])
    return np.concatenate(pieces) if pieces else np.zeros((0, CLASSES), np.float32)
