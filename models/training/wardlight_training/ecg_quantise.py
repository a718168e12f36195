"""Static int8 storage of the networks of `ecg-beat`, calibrated on training rows.

Every scale is a power of two, as in `quantise.py`, so that every engine gives the same integers.
"""

from dataclasses import dataclass

import numpy as np

from .ecg_network import CONVOLUTIONS
from .quantise import ACTIVATION_LEVELS, WEIGHT_LIMIT, Tensor

WINDOW = Tensor(2.0**-6, 128)
RHYTHM = Tensor(2.0**-5, 128)
_SCALES = [2.0**exponent for exponent in range(-12, 4)]


@dataclass
class Linear:
    """A stored convolution (`bias` i32) or product (`bias` f32, added to the real product)."""

    source: Tensor
    weights: np.ndarray
    scales: np.ndarray  # one for each output
    target: Tensor
    bias: np.ndarray


@dataclass
class Member:
    """One network of the ensemble, up to its hidden layer."""

    linear: dict
    tensors: dict

    def hidden(self, window, rhythm):
        """The hidden layer `[n, hidden]` in real numbers, from stored rows."""
        t = self.tensors
        h = self._convolve("second", self._convolve("first", window))
        third = self._convolve("third", h)
        total = self.linear["second"].target.real(h) + self.linear["third"].target.real(third)
        h = self._convolve("fourth", t["sum"].store(total))
        shape = self._convolve("place", h)[:, :, 0]
        timing = t["joined"].store(np.maximum(multiply(self.linear["rhythm"], rhythm), 0))
        return np.maximum(multiply(self.linear["joined"], np.concatenate([shape, timing], 1)), 0)

    def _convolve(self, name, stored):
        layer = self.linear[name]
        sums = _convolution(stored.astype(np.int32) - layer.source.zero, layer.weights.astype(np.int32), name)
        return _requantise(sums + layer.bias[:, None], layer, layer.scales[:, None])


@dataclass
class QuantisedNetwork:
    """The integer network. `logits` is the plain reference that every engine is compared with."""

    members: list
    hidden: Tensor
    out: Linear

    def logits(self, window, rhythm):
        """Logits `[n, classes]` of rows, the mean over the members."""
        window, rhythm = WINDOW.store(window), RHYTHM.store(rhythm)
        hidden = [self.hidden.store(member.hidden(window, rhythm)) for member in self.members]
        return multiply(self.out, np.concatenate(hidden, 1))


def multiply(layer, stored):
    """A stored product, in real numbers with its bias."""
    sums = _product(stored.astype(np.int32) - layer.source.zero, layer.weights.astype(np.int32))
    return layer.target.real(_requantise(sums, layer, layer.scales)) + layer.bias


def quantise(ensemble, window, rhythm):
    """Stores the networks of `ensemble`; the rows are for calibration."""
    window, rhythm = WINDOW.real(WINDOW.store(window)), RHYTHM.real(RHYTHM.store(rhythm))
    members, hidden = zip(*(_member(parameters, window, rhythm) for parameters in ensemble))
    level = best(hidden, zero=0)
    weights, bias = mean_output(ensemble)
    return QuantisedNetwork(list(members), level, _store_product(weights, bias, level, level.real(level.store(np.concatenate(hidden, 1)))))


def mean_output(ensemble):
    """Weights and bias of one product over all hidden layers that gives the mean of the members' logits."""
    weights = np.concatenate([parameters["out"][0] for parameters in ensemble]) / len(ensemble)
    return weights, np.mean([parameters["out"][1] for parameters in ensemble], 0)


def _member(parameters, window, rhythm):
    """One network stored, and its hidden layer on the rows."""
    linear, tensors = {}, {}

    def convolve(name, source, x):
        weights, bias = parameters[name]
        real = np.maximum(_convolution(x, weights, name) + bias[:, None], 0)
        target = tensors["joined"] if name == "place" else best([real], zero=0)
        stored, scales = best_weights(weights.reshape(len(weights), -1))
        integer = np.clip(np.rint(bias / (source.scale * scales)), -(2**30), 2**30).astype(np.int32)
        linear[name] = Linear(source, stored.reshape(weights.shape), scales, target, integer)
        return real

    def product(name, source, x):
        linear[name] = _store_product(*parameters[name], source, x)
        weights, bias = parameters[name]
        return np.maximum(x @ weights + bias, 0)

    first = convolve("first", WINDOW, window)
    second = convolve("second", linear["first"].target, first)
    third = convolve("third", linear["second"].target, second)
    tensors["sum"] = best([second + third], zero=0)
    fourth = convolve("fourth", tensors["sum"], second + third)
    weights, bias = parameters["place"]
    shape = np.maximum(_convolution(fourth, weights, "place") + bias[:, None], 0)[:, :, 0]
    timing = product("rhythm", RHYTHM, rhythm)
    # What is joined has one scale.
    tensors["joined"] = best([shape, timing], zero=0)
    convolve("place", linear["fourth"].target, fourth)
    return Member(linear, tensors), product("joined", tensors["joined"], np.concatenate([shape, timing], 1))


def _store_product(weights, bias, source, x):
    stored, scale = best_product(weights, x)
    return Linear(source, stored, np.full(weights.shape[1], scale), best([x @ weights], zero=None), bias.astype(np.float32))


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


def best_weights(weights):
    """i8 weights `[out, ...]` and a scale for each output, least squared error."""
    errors = []
    for scale in _SCALES:
        stored = np.clip(np.rint(weights / scale), -WEIGHT_LIMIT, WEIGHT_LIMIT)
        errors.append(((stored * scale - weights) ** 2).sum(1))
    scales = np.array(_SCALES)[np.argmin(errors, 0)]
    stored = np.clip(np.rint(weights / scales[:, None]), -WEIGHT_LIMIT, WEIGHT_LIMIT).astype(np.int8)
    return stored, scales


def best_product(weights, x):
    """i8 weights `[in, out]` and one scale for all, least squared error of the product."""
    candidates = []
    for scale in _SCALES:
        stored = np.clip(np.rint(weights / scale), -WEIGHT_LIMIT, WEIGHT_LIMIT).astype(np.int8)
        error = np.mean((x @ (stored.astype(np.float32) * np.float32(scale) - weights)) ** 2)
        candidates.append((float(error), scale, stored))
    _, scale, stored = min(candidates, key=lambda c: c[:2])
    return stored, scale


def _convolution(x, weights, name):
    """`[n, in, positions]` with `[out, in / groups, kernel]`, in the arithmetic of `x`."""
    inputs, outputs, kernel, stride, groups = CONVOLUTIONS[name]
    pad = 0 if name == "place" else kernel // 2
    x = np.pad(x, ((0, 0), (0, 0), (pad, pad)))
    views = np.lib.stride_tricks.sliding_window_view(x, kernel, axis=2)[:, :, ::stride]
    n, _, length, _ = views.shape
    parts = []
    for group in range(groups):
        some = views[:, group * inputs // groups:(group + 1) * inputs // groups]
        own = weights[group * outputs // groups:(group + 1) * outputs // groups].reshape(outputs // groups, -1)
        columns = some.transpose(0, 2, 1, 3).reshape(n * length, -1)
        parts.append(_product(columns, own.T).reshape(n, length, -1).transpose(0, 2, 1))
    return np.concatenate(parts, 1)


def _product(a, b):
    """Integers go through f64, which holds these sums exactly and is fast."""
    if np.issubdtype(a.dtype, np.integer):
        return np.rint(a.astype(np.float64) @ b.astype(np.float64)).astype(np.int64)
    return a @ b


def _requantise(sums, layer, scales):
    factor = (layer.source.scale * scales / layer.target.scale).astype(np.float32)
    levels = np.rint(sums.astype(np.float32) * factor) + layer.target.zero
    return np.clip(levels, *ACTIVATION_LEVELS).astype(np.uint8)
