"""Static int8 storage of networks, calibrated on training rows.

Every scale is a power of two. Dividing by it, multiplying by its reciprocal and requantizing by the product of three
scales are then exact in f32, so onnxruntime, tract and the integer plan must give the same bits, ties included.
Static, never dynamic: a scale taken from the batch would let one patient's values change another's result.
"""

from dataclasses import dataclass

import numpy as np

ACTIVATION_LEVELS = (0, 255)
WEIGHT_LIMIT = 127
_SCALES = [2.0**exponent for exponent in range(-12, 4)]


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
class Linear:
    """A stored convolution (`bias` i32) or product (`bias` f32, added to the real product)."""

    source: Tensor
    weights: np.ndarray
    scales: np.ndarray  # one for each output
    target: Tensor
    bias: np.ndarray


def store_convolution(parameters, source, target):
    """A convolution `(weights [out, in / groups, kernel], bias [out])` stored."""
    weights, bias = parameters
    stored, scales = _weights(weights.reshape(len(weights), -1))
    integer = np.clip(np.rint(bias / (source.scale * scales)), -(2**30), 2**30).astype(np.int32)
    return Linear(source, stored.reshape(weights.shape), scales, target, integer)


def store_product(parameters, source, x):
    """A product `(weights [in, out], bias [out])` stored; `x` are its inputs on the calibration rows."""
    weights, bias = parameters
    stored, scale = _product_weights(weights, x)
    return Linear(source, stored, np.full(weights.shape[1], scale), best([x @ weights], zero=None), bias.astype(np.float32))


def mean_output(ensemble):
    """Weights and bias of one product over all last hidden layers that gives the mean of the members' logits."""
    weights = np.concatenate([parameters["out"][0] for parameters in ensemble]) / len(ensemble)
    return weights, np.mean([parameters["out"][1] for parameters in ensemble], 0)


def convolve(layer, stored, shape):
    """A stored convolution on stored `[n, in, positions]`; `shape` is (kernel, stride, padding) and, if there are any, groups."""
    sums = convolution(stored.astype(np.int32) - layer.source.zero, layer.weights.astype(np.int32), *shape)
    return requantise(sums + layer.bias[:, None], layer, layer.scales[:, None])


def multiply(layer, stored):
    """A stored product, in real numbers with its bias."""
    sums = _product(stored.astype(np.int32) - layer.source.zero, layer.weights.astype(np.int32))
    return layer.target.real(requantise(sums, layer, layer.scales)) + layer.bias


def best(parts, zero):
    """Storage with the least mean squared error, each part counting the same; its zero point if `zero` is None."""
    candidates = []
    for scale in _SCALES:
        point = zero
        if point is None:
            middle = sum(np.quantile(parts[0], q) for q in (0.0005, 0.9995)) / 2
            point = int(np.clip(np.rint(128 - middle / scale), *ACTIVATION_LEVELS))
        tensor = Tensor(scale, point)
        error = sum(np.mean((tensor.real(tensor.store(part)) - part) ** 2) / (np.mean(part**2) + 1e-9) for part in parts)
        candidates.append((float(error), scale, tensor))
    return min(candidates, key=lambda c: c[:2])[2]


def convolution(x, weights, kernel, stride, padding, groups=1):
    """`[n, in, positions]` with `[out, in / groups, kernel]`, in the arithmetic of `x`."""
    inputs, outputs = x.shape[1], len(weights)
    x = np.pad(x, ((0, 0), (0, 0), (padding, padding)))
    views = np.lib.stride_tricks.sliding_window_view(x, kernel, axis=2)[:, :, ::stride]
    n, _, length, _ = views.shape
    parts = []
    for group in range(groups):
        some = views[:, group * inputs // groups:(group + 1) * inputs // groups]
        own = weights[group * outputs // groups:(group + 1) * outputs // groups].reshape(outputs // groups, -1)
        columns = some.transpose(0, 2, 1, 3).reshape(n * length, -1)
        parts.append(_product(columns, own.T).reshape(n, length, -1).transpose(0, 2, 1))
    return np.concatenate(parts, 1)


def requantise(sums, layer, scales):
    """Integer sums to the levels of the layer's target."""
    factor = (layer.source.scale * scales / layer.target.scale).astype(np.float32)
    levels = np.rint(sums.astype(np.float32) * factor) + layer.target.zero
    return np.clip(levels, *ACTIVATION_LEVELS).astype(np.uint8)


def _weights(weights):
    """i8 weights `[out, ...]` and a scale for each output, least squared error."""
    errors = []
    for scale in _SCALES:
        stored = np.clip(np.rint(weights / scale), -WEIGHT_LIMIT, WEIGHT_LIMIT)
        errors.append(((stored * scale - weights) ** 2).sum(1))
    scales = np.array(_SCALES)[np.argmin(errors, 0)]
    stored = np.clip(np.rint(weights / scales[:, None]), -WEIGHT_LIMIT, WEIGHT_LIMIT).astype(np.int8)
    return stored, scales


def _product_weights(weights, x):
    """i8 weights `[in, out]` and one scale for all, least squared error of the product."""
    candidates = []
    for scale in _SCALES:
        stored = np.clip(np.rint(weights / scale), -WEIGHT_LIMIT, WEIGHT_LIMIT).astype(np.int8)
        error = np.mean((x @ (stored.astype(np.float32) * np.float32(scale) - weights)) ** 2)
        candidates.append((float(error), scale, stored))
    _, scale, stored = min(candidates, key=lambda c: c[:2])
    return stored, scale


def _product(a, b):
    """Integers go through f64, which holds these sums exactly and is fast."""
    if np.issubdtype(a.dtype, np.integer):
        return np.rint(a.astype(np.float64) @ b.astype(np.float64)).astype(np.int64)
    return a @ b
