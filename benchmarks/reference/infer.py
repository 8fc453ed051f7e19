"""Forward passes of the reference's networks in PyTorch, float32 on the CPU, for `mer bench infer`; our own code.

Every line of standard input names a case; it is run once and answered by a line.
"""

from __future__ import annotations

import json
import sys
import time

import torch

from models import CLSTM, AttnCNN, Multimodal, TextTransformer

BUILDERS = {"speech": lambda: AttnCNN(4), "face": lambda: CLSTM(0), "text": TextTransformer, "multimodal": Multimodal}


def inputs_of(case: dict) -> list[torch.Tensor]:
    clips = case["clips"]
    speech = torch.rand(clips, 1, 128, 400)
    face = torch.randn(clips, case["frames"], 3, 224, 224)
    text = torch.randn(clips, case["words"], 200)
    tensors = {"speech": [speech], "face": [face], "text": [text], "multimodal": [speech, face, text]}
    return tensors[case["network"]]


def main(threads: int) -> None:
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    models: dict[str, torch.nn.Module] = {}
    for line in sys.stdin:
        case = json.loads(line)
        network = case["network"]
        if network not in models:
            models[network] = BUILDERS[network]().eval()
        inputs = inputs_of(case)
        with torch.inference_mode():
            start = time.perf_counter()
            models[network](*inputs)
            seconds = time.perf_counter() - start
        print(json.dumps({"seconds": seconds}), flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
