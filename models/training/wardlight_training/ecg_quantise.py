"""Static int8 storage of the networks of `ecg-beat`, calibrated on training rows."""

from dataclasses import dataclass

import numpy as np

from .ecg_network import CONVOLUTIONS
from .stored import Linear, Tensor, best, convolution, convolve, mean_output, multiply, store_convolution, store_product

WINDOW = Tensor(2.0**-6, 128)
RHYTHM = Tensor(2.0**-5, 128)


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
        return convolve(self.linear[name], stored, shape(name))


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


def shape(name):
    """Kernel, stride, padding and groups of a convolution."""
    *_, kernel, stride, groups = CONVOLUTIONS[name]
    return kernel, stride, 0 if name == "place" else kernel // 2, groups


def quantise(ensemble, window, rhythm):
    """Stores the networks of `ensemble`; the rows are for calibration."""
    window, rhythm = WINDOW.real(WINDOW.store(window)), RHYTHM.real(RHYTHM.store(rhythm))
    members, hidden = zip(*(_member(parameters, window, rhythm) for parameters in ensemble))
    level = best(hidden, zero=0)
    out = store_product(mean_output(ensemble), level, level.real(level.store(np.concatenate(hidden, 1))))
    return QuantisedNetwork(list(members), level, out)


def _member(parameters, window, rhythm):
    """One network stored, and its hidden layer on the rows."""
    linear, tensors = {}, {}

    def convolved(name, x):
        weights, bias = parameters[name]
        return np.maximum(convolution(x, weights, *shape(name)) + bias[:, None], 0)

    def store(name, source, x):
        real = convolved(name, x)
        linear[name] = store_convolution(parameters[name], source, best([real], zero=0))
        return real

    def product(name, source, x):
        linear[name] = store_product(parameters[name], source, x)
        weights, bias = parameters[name]
        return np.maximum(x @ weights + bias, 0)

    first = store("first", WINDOW, window)
    second = store("second", linear["first"].target, first)
    third = store("third", linear["second"].target, second)
    tensors["sum"] = best([second + third], zero=0)
    fourth = store("fourth", tensors["sum"], second + third)
    place = convolved("place", fourth)[:, :, 0]
    timing = product("rhythm", RHYTHM, rhythm)
    # What is joined has one scale.
    tensors["joined"] = best([place, timing], zero=0)
    linear["place"] = store_convolution(parameters["place"], linear["fourth"].target, tensors["joined"])
    return Member(linear, tensors), product("joined", tensors["joined"], np.concatenate([place, timing], 1))
