"""A small multilayer perceptron in numpy: ReLU, dropout, AdamW with a cosine schedule, soft labels."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Recipe:
    """How one network is trained."""

    hidden: tuple = (64, 32)
    epochs: int = 12
    batch: int = 128
    rate: float = 2e-3
    decay: float = 0.03
    dropout: float = 0.2
    input_dropout: float = 0.1


@dataclass
class Network:
    """Weights [in, out] and biases [out] of each layer, f32."""

    weights: list
    biases: list

    def activations(self, x):
        """The inputs of every layer, then the logit [n, outputs]."""
        layers = [np.asarray(x, np.float32)]
        for w, b in zip(self.weights[:-1], self.biases[:-1]):
            layers.append(np.maximum(layers[-1] @ w + b, 0))
        layers.append(layers[-1] @ self.weights[-1] + self.biases[-1])
        return layers

    def logit(self, x):
        """The logit [n]."""
        return self.activations(x)[-1][:, 0]


def train(x, y, recipe, seed):
    """Trains on rows `x` [n, features] with labels or probabilities `y` [n]."""
    rng = np.random.default_rng(seed)
    x, y = x.astype(np.float32), y.astype(np.float32)
    sizes = [x.shape[1], *recipe.hidden, 1]
    weights = [rng.normal(0, np.sqrt(2 / a), (a, b)).astype(np.float32) for a, b in zip(sizes[:-1], sizes[1:])]
    weights[-1] *= 0.3
    biases = [np.zeros(b, np.float32) for b in sizes[1:]]
    biases[-1][:] = np.log(y.mean() / (1 - y.mean()))
    network = Network(weights, biases)
    optimiser = _AdamW(weights + biases, decayed=len(weights), decay=recipe.decay)
    per_epoch = len(x) // recipe.batch
    steps = recipe.epochs * per_epoch
    for epoch in range(recipe.epochs):
        order = rng.permutation(len(x))
        for k in range(per_epoch):
            rows = order[k * recipe.batch:(k + 1) * recipe.batch]
            gradients = _gradients(network, x[rows], y[rows], recipe, rng)
            progress = (epoch * per_epoch + k) / steps
            optimiser.step(gradients, recipe.rate * 0.5 * (1 + np.cos(np.pi * progress)))
    return network


def side_by_side(networks):
    """One network whose logit is the mean of the given ones: an ensemble in one graph, block by block."""
    depth = len(networks[0].weights)
    weights = [np.concatenate([n.weights[0] for n in networks], 1)]
    for layer in range(1, depth - 1):
        blocks = [n.weights[layer] for n in networks]
        joined = np.zeros((sum(b.shape[0] for b in blocks), sum(b.shape[1] for b in blocks)), np.float32)
        row = column = 0
        for block in blocks:
            joined[row:row + block.shape[0], column:column + block.shape[1]] = block
            row, column = row + block.shape[0], column + block.shape[1]
        weights.append(joined)
    weights.append(np.concatenate([n.weights[-1] for n in networks], 0) / np.float32(len(networks)))
    biases = [np.concatenate([n.biases[layer] for n in networks]) for layer in range(depth - 1)]
    biases.append(np.mean([n.biases[-1] for n in networks], 0).astype(np.float32))
    return Network(weights, biases)


def _gradients(network, x, y, recipe, rng):
    def keep(shape, rate):
        return (rng.random(shape, dtype=np.float32) > rate).astype(np.float32) / np.float32(1 - rate)

    inputs, masks = [x * keep(x.shape, recipe.input_dropout)], []
    for w, b in zip(network.weights[:-1], network.biases[:-1]):
        z = inputs[-1] @ w + b
        masks.append((z > 0) * keep(z.shape, recipe.dropout))
        inputs.append(z * masks[-1])
    logit = (inputs[-1] @ network.weights[-1] + network.biases[-1])[:, 0]
    upstream = ((1 / (1 + np.exp(-logit)) - y) / len(y))[:, None].astype(np.float32)
    by_weight, by_bias = [], []
    for layer in reversed(range(len(network.weights))):
        by_weight.insert(0, inputs[layer].T @ upstream)
        by_bias.insert(0, upstream.sum(0))
        if layer:
            upstream = (upstream @ network.weights[layer].T) * masks[layer - 1]
    return by_weight + by_bias


class _AdamW:
    def __init__(self, parameters, decayed, decay):
        self.parameters, self.decayed, self.decay, self.time = parameters, decayed, decay, 0
        self.first = [np.zeros_like(p) for p in parameters]
        self.second = [np.zeros_like(p) for p in parameters]

    def step(self, gradients, rate):
        self.time += 1
        for i, (parameter, gradient) in enumerate(zip(self.parameters, gradients)):
            self.first[i] = 0.9 * self.first[i] + 0.1 * gradient
            self.second[i] = 0.999 * self.second[i] + 0.001 * gradient * gradient
            direction = self.first[i] / (1 - 0.9**self.time)
            direction = direction / (np.sqrt(self.second[i] / (1 - 0.999**self.time)) + 1e-8)
            if i < self.decayed:
                direction = direction + self.decay * parameter
            parameter -= np.float32(rate) * direction.astype(np.float32)
