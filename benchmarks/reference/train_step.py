"""Training steps of the reference's networks in PyTorch, float32 on the CPU, for `mer bench train`; our own code.

The first line of standard input prepares a case, every further one asks for a step. Each is answered by a line.
"""

from __future__ import annotations

import json
import sys
import time

import torch
from torch.nn.functional import log_softmax

from models import CLSTM, AttnCNN, Multimodal, TextTransformer
from ranger import Ranger

LEARNING_RATE = 1e-4
WEIGHT_DECAY = 5e-5
EMOTIONS = 7


def build(case: dict) -> tuple[torch.nn.Module, list[torch.Tensor]]:
    clips = case["clips"]
    speech = torch.rand(clips, 1, 128, 400)
    face = torch.randn(clips, case["frames"], 3, 224, 224) if case["mode"] in ("face", "multimodal") else None
    text = torch.randn(clips, case["words"], 200)
    speech_coefficient, face_coefficient = int(case["speechCoefficient"]), int(case["faceCoefficient"])
    if case["mode"] == "speech":
        return AttnCNN(speech_coefficient), [speech]
    if case["mode"] == "face":
        return CLSTM(face_coefficient), [face]
    if case["mode"] == "text":
        return TextTransformer(), [text]
    return Multimodal(speech_coefficient, face_coefficient), [speech, face, text]


def optimizer_of(name: str, parameters) -> torch.optim.Optimizer:
    if name == "ranger":
        return Ranger(parameters, lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    return torch.optim.SGD(parameters, lr=LEARNING_RATE, momentum=0.9, nesterov=True, weight_decay=WEIGHT_DECAY)


def peak_bytes() -> int:
    with open("/proc/self/status") as status:
        return next(1024 * int(line.split()[1]) for line in status if line.startswith("VmHWM"))


def main(threads: int) -> None:
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    case = json.loads(sys.stdin.readline())
    model, inputs = build(case)
    model.train()
    optimizer = optimizer_of(case["optim"], model.parameters())
    target = torch.full((case["clips"], EMOTIONS), 0.1 / 6)
    target[:, 1] = 0.9
    print(json.dumps({"parameters": sum(p.numel() for p in model.parameters())}), flush=True)
    for _ in sys.stdin:
        start = time.perf_counter()
        optimizer.zero_grad()
        outputs = model(*inputs)
        # Integrated logits first in multimodal mode, behind the feature in the others.
        logits = outputs[0] if case["mode"] == "multimodal" else outputs[1]
        loss = -(target * log_softmax(logits, dim=1)).sum(1).mean()
        loss.backward()
        optimizer.step()
        value = loss.item()
        seconds = time.perf_counter() - start
        print(json.dumps({"seconds": seconds, "loss": value, "peakBytes": peak_bytes()}), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
