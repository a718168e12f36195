"""Static int8 storage of the network of `ecg-vf`, calibrated on training windows."""

from dataclasses import dataclass

import numpy as np

from .stored import Tensor, best, convolution, convolve, multiply, store_convolution, store_product
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
            h = convolve(self.linear[name], h, shape(name))
        mean = self.linear["fourth"].target.real(h).mean(2, dtype=np.float32)
        hidden = np.maximum(multiply(self.linear["hidden"], self.mean.store(mean)), 0)
        return multiply(self.linear["out"], self.hidden.store(hidden))


def shape(name):
    """Kernel, stride and padding of a convolution."""
    _, _, kernel, stride = CONVOLUTIONS[name]
    return kernel, stride, kernel // 2


def quantise(parameters, window):
    """Stores `parameters`; the windows are for calibration."""
    linear = {}
    source, x = WINDOW, WINDOW.real(WINDOW.store(window))[:, None]
    for name in CONVOLUTIONS:
        weights, bias = parameters[name]
        x = np.maximum(convolution(x, weights, *shape(name)) + bias[:, None], 0)
        linear[name] = store_convolution(parameters[name], source, best([x], zero=0))
        source = linear[name].target
    dense = {}
    x = x.mean(2)
    for name in DENSE:
        weights, bias = parameters[name]
        dense[name] = best([x], zero=0)
        linear[name] = store_product(parameters[name], dense[name], x)
        x = np.maximum(x @ weights + bias, 0)
    return QuantisedNetwork(linear, dense["hidden"], dense["out"])
