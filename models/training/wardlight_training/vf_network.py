"""The network of `ecg-vf`: four convolutions, the mean over the window, two dense layers, in JAX."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax import lax

CLASSES = 2
# Channels in, channels out, kernel, stride. 500 values become 125, 63, 32, 32: the mean over a power of two is exact in f32.
CONVOLUTIONS = {"first": (1, 8, 9, 4), "second": (8, 16, 7, 2), "third": (16, 24, 5, 2), "fourth": (24, 24, 5, 1)}
DENSE = {"hidden": (24, 24), "out": (24, CLASSES)}
DROPOUT = 0.2
WEIGHT_DECAY = 0.02
LEARNING_RATE = 4e-3
# Fibrillation this many heights of a low window (0.25 mV), below 0.06 mV, no longer counts: it is told as asystole.
FINE = 0.25
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
    """Other windows that could have been: of another pace, polarity and gain, with tremor, motion, noise and wander; other rhythms
    also with wider complexes, and fibrillation so fine that it no longer counts. Returns windows and labels."""
    n, length = windows.shape
    windows = _paced(rng, windows, np.where(labels == 1, 0.12, 0.06))
    other = labels == 0
    wide = other & (rng.uniform(size=n) < 0.12)
    windows[wide] = [_widened(rng, row) for row in windows[wide]]
    gain = np.exp(0.15 * rng.normal(size=n)) * rng.choice([-1, 1], n)
    fine = ~other & (rng.uniform(size=n) < 0.12)
    gain[fine] *= rng.uniform(0.0, FINE, fine.sum())
    time = np.linspace(0, 4, length)
    noise = np.abs(rng.normal(0, 0.03, (n, 1))) * rng.normal(size=(n, length))
    added = noise + _waves(rng, n, time, (0.2, 0.8), 0.08)
    shaken = other & (rng.uniform(size=n) < 0.12)
    added[shaken] += sum(_waves(rng, shaken.sum(), time, (0.8, 6.0), 0.15) for _ in range(3))
    disturbed = (windows * gain[:, None] + added).clip(-2, 2).astype(np.float32)
    return disturbed, np.where(fine, 0, labels)


def _paced(rng, windows, spread):
    """A part of each window, stretched."""
    n, length = windows.shape
    pace = np.exp(spread * rng.normal(size=n).clip(-1.7, 1.7))
    pace /= max(pace.max(), 1)
    at = pace[:, None] * np.arange(length)
    at += rng.uniform(0, 1, (n, 1)) * (length - 1 - at[:, -1:])
    low = np.clip(at.astype(int), 0, length - 2)
    part = (at - low).astype(np.float32)
    rows = np.arange(n)[:, None]
    return windows[rows, low] * (1 - part) + windows[rows, low + 1] * part


def _widened(rng, row):
    """With complexes wider by 80 to 200 ms, as high as before."""
    width = rng.integers(10, 26)
    smooth = np.convolve(row, np.full(width, 1 / width), "same")
    return smooth * np.ptp(row) / max(np.ptp(smooth), 0.1)


def _waves(rng, n, time, band, height):
    """Sines of random frequency in `band`, and of random height."""
    frequency, phase = rng.uniform(*band, (n, 1)), rng.uniform(0, 1, (n, 1))
    return rng.normal(0, height, (n, 1)) * np.sin(2 * np.pi * (frequency * time + phase))


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
        parameters, state, mean = step(parameters, state, mean, now, *disturb(rng, windows, labels))
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
