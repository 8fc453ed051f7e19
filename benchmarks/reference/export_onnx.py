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
from weights_parity import IMAGENET_MEAN, IMAGENET_STD, build

OPSET = 17  # The newest of this exporter.
FRAMES, WORDS = 16, 38

INPUTS = {
    "speech": lambda batch: torch.rand(batch, 1, 128, 400),
    "face": lambda batch: torch.randint(0, 256, (batch, FRAMES, 224, 224, 3), dtype=torch.uint8),
    "text": lambda batch: torch.rand(batch, WORDS, 200),
}


class OfBytes(torch.nn.Module):
    """A network whose face input is bytes (clips, frames, height, width, 3), as ours is: laid out while they are bytes,
    then normalised with one product and one sum."""

    def __init__(self, network: torch.nn.Module, position: int) -> None:
        super().__init__()
        self.network, self.position = network, position
        self.register_buffer("scale", 1 / (255 * IMAGENET_STD))
        self.register_buffer("shift", -IMAGENET_MEAN / IMAGENET_STD)

    def forward(self, *inputs: torch.Tensor) -> tuple[torch.Tensor, ...]:
        network_inputs = list(inputs)
        floats = inputs[self.position].permute(0, 1, 4, 2, 3).float()
        network_inputs[self.position] = floats * self.scale + self.shift
        return self.network(*network_inputs)


def export(network: dict, folder: Path) -> None:
    model = build(network)
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
    exported = OfBytes(model, names.index("face")) if "face" in names else model
    exported.eval()
    # With gradients on, since the fused encoder of evaluation is one operator that ONNX does not have.
    for batch in network["batches"]:
        torch.onnx.export(
            exported,
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
