"""Ranger for the PyTorch side of the benchmark: rectified Adam, lookahead and gradient centralisation; our own code.

As in lessw2020/Ranger-Deep-Learning-Optimizer it goes over the parameters one by one, in place.
"""

from __future__ import annotations

import math

import torch
from torch.optim import Optimizer

THRESHOLD = 5


class Ranger(Optimizer):
    def __init__(self, parameters, lr=1e-3, alpha=0.5, k=6, betas=(0.95, 0.999), eps=1e-5, weight_decay=0.0):
        super().__init__(parameters, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})
        self.alpha = alpha
        self.k = k

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            beta1, beta2 = group["betas"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                grad = p.grad
                state = self.state[p]
                if not state:
                    state["step"] = 0
                    state["exp_avg"] = torch.zeros_like(p)
                    state["exp_avg_sq"] = torch.zeros_like(p)
                    state["slow"] = p.clone()
                if grad.dim() > 1:
                    grad.sub_(grad.mean(dim=tuple(range(1, grad.dim())), keepdim=True))
                state["step"] += 1
                step = state["step"]
                mean, variance = state["exp_avg"], state["exp_avg_sq"]
                variance.mul_(beta2).addcmul_(grad, grad, value=1 - beta2)
                mean.mul_(beta1).add_(grad, alpha=1 - beta1)
                size, rectified = rectification(step, beta1, beta2)
                if group["weight_decay"] != 0:
                    p.add_(p, alpha=-group["weight_decay"] * group["lr"])
                if rectified:
                    p.addcdiv_(mean, variance.sqrt().add_(group["eps"]), value=-size * group["lr"])
                else:
                    p.add_(mean, alpha=-size * group["lr"])
                if step % self.k == 0:
                    slow = state["slow"]
                    slow.add_(p - slow, alpha=self.alpha)
                    p.copy_(slow)


def rectification(step: int, beta1: float, beta2: float) -> tuple[float, bool]:
    decay = beta2**step
    longest = 2 / (1 - beta2) - 1
    length = longest - 2 * step * decay / (1 - decay)
    bias = 1 - beta1**step
    if length <= THRESHOLD:
        return 1 / bias, False
    ratio = (length - 4) / (longest - 4) * (length - 2) / length * longest / (longest - 2)
    return math.sqrt((1 - decay) * ratio) / bias, True
