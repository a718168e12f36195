"""Static int8 storage of the network of `ecg-vf`, calibrated on training windows.

Every scale is a power of two, as in `quantise.py`, so that every engine gives the same integers.
"""

from dataclasses import dataclass

import numpy as np

from .ecg_quantise import Linear, best, best_product, best_weights
from .quantise import ACTIVATION_LEVELS, Tensor
from .vf_network import CONVOLUTIONS, DENSE

WINDOW = Tensor(2.0**-6, 128)


@dataclass
class QuantisedNetwork:
    """The integer network. `logits` is the plain reference that every engine is compared with."""

    linear: dict
    # What the two dense layers get.
    mean: Tensor
    hidden: Tensor

    def logits(self, window):
        """Logits `[n, classes]` of windows."""
        h = WINDOW.store(window)[:, None]
        for name in CONVOLUTIONS:
            layer = self.linear[name]
            sums = _convolution(h.astype(np.float64) - layer.source.zero, layer.weights.astype(np.float64), name)
            h = _requantise(sums + layer.bias[:, None], layer, layer.scales[:, None])
        mean = self.linear["fourth"].target.real(h).mean(2, dtype=np.float32)
        hidden = np.maximum(self._multiply("hidden", self.mean.store(mean)), 0)
        return self._multiply("out", self.hidden.store(hidden))

    def _multiply(self, name, stored):
        layer = self.linear[name]
        sums = (stored.astype(np.int32) - layer.source.zero) @ layer.weights.astype(np.int32)
        return layer.target.real(_requantise(sums, layer, layer.scales)) + layer.bias


def quantise(parameters, window):
    """Stores `parameters`; the windows are for calibration."""
    linear = {}
    source, x = WINDOW, WINDOW.real(WINDOW.store(window))[:, None]
    for name in CONVOLUTIONS:
        weights, bias = parameters[name]
        x = np.maximum(_convolution(x, weights, name) + bias[:, None], 0)
        target = best([x], zero=0)
        stored, scales = best_weights(weights.reshape(len(weights), -1))
        integer = np.rint(bias / (source.scale * scales)).astype(np.int32)
        linear[name] = Linear(source, stored.reshape(weights.shape), scales, target, integer)
        source = target
    dense = {}
    x = x.mean(2)
    for name in DENSE:
        weights, bias = parameters[name]
        source = dense[name] = best([x], zero=0)
        product = x @ weights
        stored, scale = best_product(weights, x)
        linear[name] = Linear(source, stored, np.full(weights.shape[1], scale), best([product], zero=None), bias)
        x = np.maximum(product + bias, 0)
    return QuantisedNetwork(linear, dense["hidden"], dense["out"])


def _convolution(x, weights, name):
    """`[n, in, positions]` with `[out, in, kernel]`; sums of stored values are exact in f64."""
    _, outputs, kernel, stride = CONVOLUTIONS[name]
    x = np.pad(x, ((0, 0), (0, 0), (kernel // 2, kernel // 2)))
    views = np.lib.stride_tricks.sliding_window_view(x, kernel, axis=2)[:, :, ::stride]
    n, _, length, _ = views.shape
    columns = views.transpose(0, 2, 1, 3).reshape(n * length, -1)
    return (columns @ weights.reshape(outputs, -1).T).reshape(n, length, outputs).transpose(0, 2, 1)


def _requantise(sums, layer, scales):
    factor = (layer.source.scale * scales / layer.target.scale).astype(np.float32)
    levels = np.rint(sums.astype(np.float32) * factor) + layer.target.zero
    return np.clip(levels, *ACTIVATION_LEVELS).astype(np.uint8)
