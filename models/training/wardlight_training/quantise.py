"""Static int8 quantization of the network, calibrated on training rows.

Every scale is a power of two. Dividing by it, multiplying by its reciprocal and requantizing by the product of three
scales are then exact in f32, so onnxruntime, tract and the integer plan must give the same bits, ties included.
Static, never dynamic: a scale taken from the batch would let one patient's values change another's result.
"""

from dataclasses import dataclass

import numpy as np

ACTIVATION_LEVELS = (0, 255)
WEIGHT_LIMIT = 127


@dataclass
class Tensor:
    """How one activation is stored: real = (stored - zero) * scale, stored u8."""

    scale: float
    zero: int

    def store(self, x):
        """Quantizes, rounding ties to even."""
        levels = np.rint(np.asarray(x, np.float32) / np.float32(self.scale)) + self.zero
        return np.clip(levels, *ACTIVATION_LEVELS).astype(np.uint8)

    def real(self, stored):
        """Dequantizes to f32."""
        return (stored.astype(np.int32) - self.zero).astype(np.float32) * np.float32(self.scale)


@dataclass
class Layer:
    """One linear layer: stored input, i8 weights, stored product, f32 bias."""

    source: Tensor
    weights: np.ndarray
    weight_scale: float
    product: Tensor
    bias: np.ndarray


@dataclass
class QuantisedNetwork:
    """The integer network. `logit` is the plain reference that every engine is compared with."""

    layers: list

    def logit(self, x):
        """The logit [n] of normalised rows."""
        for i, layer in enumerate(self.layers):
            stored = layer.source.store(x)
            sums = (stored.astype(np.int32) - layer.source.zero) @ layer.weights.astype(np.int32)
            factor = np.float32(layer.source.scale * layer.weight_scale / layer.product.scale)
            levels = np.rint(sums.astype(np.float32) * factor) + layer.product.zero
            product = np.clip(levels, *ACTIVATION_LEVELS).astype(np.uint8)
            x = layer.product.real(product) + layer.bias
            if i + 1 < len(self.layers):
                x = np.maximum(x, 0)
        return x[:, 0]


def quantise(network, rows, clip):
    """Quantizes `network`; `rows` are normalised calibration rows, `clip` their bound."""
    activations = network.activations(rows)
    layers = []
    for i, (weights, bias) in enumerate(zip(network.weights, network.biases)):
        source = _symmetric(clip) if i == 0 else _best(activations[i], zero=0)
        product = _best(activations[i] @ weights, zero=None)
        stored, scale = _best_weights(weights, activations[i])
        layers.append(Layer(source, stored, scale, product, bias))
    return QuantisedNetwork(layers)


def _symmetric(bound):
    """Storage for `-bound..bound` (the last step above is lost)."""
    return Tensor(2.0 ** np.ceil(np.log2(2 * bound / 256)), 128)


def _best(values, zero):
    """The power-of-two scale (and zero point, unless given) with the least squared error on `values`."""
    candidates = []
    for exponent in range(-12, 3):
        scale = 2.0**exponent
        point = zero
        if point is None:
            middle = (np.quantile(values, 0.0001) + np.quantile(values, 0.9999)) / 2
            point = int(np.clip(np.rint(128 - middle / scale), 0, 255))
        tensor = Tensor(scale, point)
        error = float(np.mean((tensor.real(tensor.store(values)) - values) ** 2))
        candidates.append((error, exponent, tensor))
    return min(candidates, key=lambda c: c[:2])[2]


def _best_weights(weights, inputs):
    """i8 weights and their scale with the least squared error on the product."""
    product = inputs @ weights
    candidates = []
    for exponent in range(-14, 2):
        scale = 2.0**exponent
        stored = np.clip(np.rint(weights / np.float32(scale)), -WEIGHT_LIMIT, WEIGHT_LIMIT).astype(np.int8)
        error = float(np.mean((inputs @ (stored.astype(np.float32) * np.float32(scale)) - product) ** 2))
        candidates.append((error, exponent, stored, scale))
    _, _, stored, scale = min(candidates, key=lambda c: c[:2])
    return stored, scale
