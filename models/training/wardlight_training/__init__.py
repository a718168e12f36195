"""How the shipped model packages are made: data, features, network, quantization, evaluation, card."""
