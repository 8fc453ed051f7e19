"""The weights of the golden data: every value follows from its parameter's name (see test/helpers/golden-weights.ts)."""

from __future__ import annotations

import hashlib

import numpy as np
import torch
from torch import nn


def mulberry32(seed: int, count: int) -> np.ndarray:
    """The first `count` numbers of the generator, uniform in [0, 1), float64."""
    with np.errstate(over="ignore"):
        a = np.uint32(seed) + np.arange(1, count + 1, dtype=np.uint32) * np.uint32(0x6D2B79F5)
        t = (a ^ (a >> np.uint32(15))) * (a | np.uint32(1))
        t ^= t + (t ^ (t >> np.uint32(7))) * (t | np.uint32(61))
        t ^= t >> np.uint32(14)
    return t / 2.0**32


def fnv1a32(text: str) -> int:
    value = 0x811C9DC5
    for byte in text.encode():
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value


def formula(name: str, shape: tuple[int, ...]) -> torch.Tensor:
    u = mulberry32(fnv1a32(name), int(np.prod(shape)))
    if name.endswith("running_var"):
        values = 0.5 + u
    elif name.endswith("running_mean"):
        values = 0.2 * u - 0.1
    elif len(shape) == 1:
        values = 0.75 + 0.5 * u if name.endswith(".weight") else 0.2 * u - 0.1
    else:
        values = (2 * u - 1) * np.sqrt(3 / np.prod(shape[1:]))
    return torch.from_numpy(values.astype(np.float32).reshape(shape))


def fill(model: nn.Module, statistics: dict[str, torch.Tensor] | None = None) -> nn.Module:
    """Gives `model` the formula's weights, with the running statistics that are given, in evaluation mode."""
    state = model.state_dict()
    for name, value in state.items():
        if value.is_floating_point():
            state[name] = formula(name, tuple(value.shape))
    model.load_state_dict(state | (statistics or {}))
    return model.eval()


def fingerprint(model: nn.Module) -> str:
    """Hash of all names and values of a state dict in its order, counts of batches left out."""
    digest = hashlib.sha256()
    for name, value in model.state_dict().items():
        if value.is_floating_point():
            digest.update(name.encode())
            digest.update(value.numpy().tobytes())
    return digest.hexdigest()
