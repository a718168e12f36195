"""Static int8 storage of the networks of `deterioration`, calibrated on training rows."""

from dataclasses import dataclass

import numpy as np

from .risk_network import CLIP, CONVOLUTIONS, padding
from .stored import Linear, Tensor, best, convolution, convolve, mean_output, multiply, store_convolution, store_product

INPUT = Tensor(2 * CLIP / 256, 128)
"""Storage for `-CLIP..CLIP` (the last step above is lost): of both inputs, and of the course that joins the features."""


@dataclass
class Member:
    """One network of the ensemble: `linear` by name, and how the inputs of `hidden` are stored."""

    linear: dict
    joined: Tensor

    def last(self, features, hours):
        """The last hidden layer `[n, hidden]` in real numbers, from stored rows."""
        for name in CONVOLUTIONS:
            hours = convolve(self.linear[name], hours, shape(name))
        x = np.concatenate([features, hours[:, :, 0]], 1)
        joined = self.joined.store(np.maximum(multiply(self.linear["joined"], x), 0))
        return np.maximum(multiply(self.linear["hidden"], joined), 0)


@dataclass
class QuantisedNetwork:
    """The integer network. `logit` is the plain reference that every engine is compared with."""

    members: list
    last: Tensor
    out: Linear

    def logit(self, rows):
        """The logit [n] of normalised rows, the mean over the members."""
        features, hours = INPUT.store(rows.features), INPUT.store(rows.hours)
        last = [self.last.store(member.last(features, hours)) for member in self.members]
        return multiply(self.out, np.concatenate(last, 1))[:, 0]


def shape(name):
    """Kernel, stride and padding of a convolution."""
    *_, kernel, stride = CONVOLUTIONS[name]
    return kernel, stride, padding(name)


def fit_to_levels(parameters, rows):
    """The same network, each output of `course` divided by the power of two that brings it into `-CLIP..CLIP` on nearly all of the
    normalised `rows`, and multiplied again by what follows."""
    h = rows.hours
    for name in CONVOLUTIONS:
        weights, bias = parameters[name]
        h = convolution(h, weights, *shape(name)) + bias[:, None]
        h = h if name == "course" else np.maximum(h, 0)
    reach = np.quantile(np.abs(h[:, :, 0]), 0.9999, axis=0)
    factor = 2.0 ** np.ceil(np.log2(np.maximum(reach / CLIP, 2.0**-8))).astype(np.float32)
    (course, course_bias), (joined, joined_bias) = parameters["course"], parameters["joined"]
    after = np.concatenate([np.ones(len(joined) - len(factor), np.float32), factor])
    return parameters | {
        "course": (course / factor[:, None, None], course_bias / factor),
        "joined": (joined * after[:, None], joined_bias),
    }


def quantise(ensemble, rows):
    """Stores the networks of `ensemble`; the normalised `rows` are for calibration."""
    features, hours = INPUT.real(INPUT.store(rows.features)), INPUT.real(INPUT.store(rows.hours))
    members, last = zip(*(_member(parameters, features, hours) for parameters in ensemble))
    level = best(last, zero=0)
    out = store_product(mean_output(ensemble), level, level.real(level.store(np.concatenate(last, 1))))
    return QuantisedNetwork(list(members), level, out)


def _member(parameters, features, hours):
    """One network stored, and its last hidden layer on the rows."""
    linear, source, h = {}, INPUT, hours
    for name in CONVOLUTIONS:
        weights, bias = parameters[name]
        h = convolution(h, weights, *shape(name)) + bias[:, None]
        h = h if name == "course" else np.maximum(h, 0)
        linear[name] = store_convolution(parameters[name], source, INPUT if name == "course" else best([h], zero=0))
        source = linear[name].target

    def product(name, source, x):
        linear[name] = store_product(parameters[name], source, x)
        weights, bias = parameters[name]
        return np.maximum(x @ weights + bias, 0)

    x = product("joined", INPUT, np.concatenate([features, h[:, :, 0]], 1))
    joined = best([x], zero=0)
    return Member(linear, joined), product("hidden", joined, x)
