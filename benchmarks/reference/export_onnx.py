"""Exports PyTorch networks with torch's own, TorchScript-based exporter.

    export_onnx.py THREADS FOLDER

For every network of FOLDER/cases.json (see export.ts) the weights of FOLDER/NAME.safetensors are loaded strictly and
FOLDER/torch/NAME-BATCH.onnx is written for each of its batch sizes, as torch.onnx.export(dynamo=False) makes it: with
fixed sizes, since this exporter writes those of its example into the encoder's attention anyway.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

import torch
from safetensors.torch import load_file
from weights_parity import build

OPSET = 17  # The newest of this exporter.
FRAMES, WORDS = 16, 38

INPUTS = {
    "speech": lambda batch: torch.rand(batch, 1, 128, 400),
    "face": lambda batch: torch.rand(batch, FRAMES, 3, 224, 224),
    "text": lambda batch: torch.rand(batch, WORDS, 200),
}


def export(network: dict, folder: Path) -> None:
    model = build(network).eval()
    state = load_file(folder / f"{network['name']}.safetensors")
    missing, unexpected = model.load_state_dict(state, strict=False)
    # The template of the encoder's layers is used by nothing; counts of batches are used in training only.
    left = [name for name in missing if "encoder_layer." not in name and "num_batches_tracked" not in name]
    if left or unexpected:
        raise ValueError(f"weights do not fit: missing {left}, unexpected {unexpected}")
    names = ["speech", "face", "text"] if network["mode"] == "multimodal" else [network["mode"]]
    outputs = [f"{name}_logits" for name in names]
    outputs = ["logits", *outputs] if len(names) > 1 else ["feature", "logits"]
    # EfficientNet's own memory-saving activation is a Python function that cannot be exported.
    for module in model.modules():
        if hasattr(module, "set_swish"):
            module.set_swish(memory_efficient=False)
    # With gradients on, since the fused encoder of evaluation is one operator that ONNX does not have.
    for batch in network["batches"]:
        torch.onnx.export(
            model,
            tuple(INPUTS[name](batch) for name in names),
            str(folder / "torch" / f"{network['name']}-{batch}.onnx"),
            input_names=names,
            output_names=outputs,
            opset_version=OPSET,
            do_constant_folding=True,
        )


def main(threads: str, directory: str) -> None:
    torch.set_num_threads(int(threads))
    warnings.filterwarnings("ignore")
    folder = Path(directory)
    (folder / "torch").mkdir()
    for network in json.loads((folder / "cases.json").read_text()):
        export(network, folder)


if __name__ == "__main__":
    main(*sys.argv[1:])
