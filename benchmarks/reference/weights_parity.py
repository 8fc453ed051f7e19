"""The PyTorch side of check-weights.ts.

    weights_parity.py variants GOLDEN      verifies models.py by the fingerprints of the reference; prints logits of the
                                           variants that the golden data lacks
    weights_parity.py save FOLDER          random networks of FOLDER/cases.json -> their weights as PyTorch files,
                                           their inputs and outputs
    weights_parity.py load FOLDER          loads FOLDER/strict-*.safetensors strictly; prints outputs
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import torch
from efficientnet_pytorch import EfficientNet
from formula_weights import fill, fingerprint, mulberry32
from models import CLSTM, AttnCNN, Multimodal, TextTransformer
from safetensors.torch import load_file, save_file
from torch import nn

CLIPS, FRAMES, WORDS = 2, 4, 38

# Of the reference's own state dicts with the formula's weights and the golden statistics.
FINGERPRINTS = {
    "AttnCNN-B0": "e00b699c7b9c81c16fdd11dda29b8cbc7c940b22778f09cd44b8b75f0bb106ec",
    "AttnCNN-B4": "86b5760825bc58f5499514df271c28a53826632c70b616b55327ea69ec3a79c7",
    "CLSTM-B0": "b58142bee0836e4eed6c0b061d34823ea2e4037aea5185d1a0ff14e7db465976",
    "text12L8H": "7a4d87d5d35e632307036adc4cf9e0b670284d83c6b6b31a510972def754f247",
}


def build(network: dict) -> nn.Module:
    """The network of one case of check-weights.ts."""
    match network["mode"]:
        case "speech":
            return AttnCNN(network["coefficient"], network["fan"])
        case "face":
            return CLSTM(network["coefficient"], network["fan"])
        case "text":
            return TextTransformer(network["layers"], network["heads"])
        case "multimodal":
            return Multimodal(network["coefficient"], network["face"], network["layers"], network["heads"], network["fan"])
    raise ValueError(network)


# Of red, green and blue, from 0 to 1; shaped for (channels, height, width).
IMAGENET_MEAN = torch.tensor([0.485, 0.456, 0.406])[:, None, None]
IMAGENET_STD = torch.tensor([0.229, 0.224, 0.225])[:, None, None]


def normalised(frames: torch.Tensor) -> torch.Tensor:
    """Frames of 0 to 255 (clips, frames, height, width, 3) -> what the face network takes."""
    return (frames.movedim(-1, 2) / 255 - IMAGENET_MEAN) / IMAGENET_STD


def random_inputs() -> dict[str, torch.Tensor]:
    """Smooth pictures rather than noise, in which the networks' signals would drown."""
    small = torch.rand(CLIPS * FRAMES, 3, 14, 14)
    frames = nn.functional.interpolate(small, (224, 224), mode="bicubic").clamp(0, 1)
    speech = nn.functional.interpolate(torch.rand(CLIPS, 1, 16, 50), (128, 400), mode="bicubic").clamp(0, 1)
    return {
        "speech": speech,
        "frames": (frames * 255).round().unflatten(0, (CLIPS, FRAMES)).movedim(2, -1).contiguous(),
        "text": torch.rand(CLIPS, WORDS, 200) - 0.5,
    }


def outputs(model: nn.Module, mode: str, inputs: dict[str, torch.Tensor]) -> list[torch.Tensor]:
    """The logits of a network, and its feature or the logits of its branches."""
    speech, face, text = inputs["speech"], normalised(inputs["frames"]), inputs["text"]
    if mode == "multimodal":
        return list(model(speech, face, text))
    feature, logits = model({"speech": speech, "face": face, "text": text}[mode])
    return [logits, feature]


def calibrate(model: nn.Module, forward) -> nn.Module:
    """Sets the running statistics to those of one batch: with untrained ones every signal fades or explodes."""
    model.eval()
    norms = [module for module in model.modules() if isinstance(module, nn.BatchNorm2d)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.train()
        norm.momentum = 1.0
    forward(model)
    for norm, momentum in zip(norms, momenta):
        norm.momentum = momentum
    return model.eval()


def save(model: nn.Module, file: Path, form: str) -> None:
    state = nn.DataParallel(model).state_dict() if "parallel" in form else model.state_dict()
    if "nested" in form:
        optimizer = torch.optim.SGD([nn.Parameter(torch.ones(3))], 0.1, momentum=0.9)
        state = {"epoch": 3, "state_dict": state, "optimizer": optimizer.state_dict(), "loss": 1.5}
    torch.save(state, file, _use_new_zipfile_serialization="legacy" not in form)


def save_cases(folder: Path) -> None:
    torch.manual_seed(0)
    inputs = random_inputs()
    expected = {}
    for case in json.loads((folder / "cases.json").read_text()):
        name, network = case["name"], case["network"]
        if network["mode"] == "backbone":
            model = EfficientNet.from_name(f"efficientnet-b{network['coefficient']}")
            face = normalised(inputs["frames"]).flatten(0, 1)
            calibrate(model, lambda model: model(face))
        else:
            mode = network["mode"]
            model = calibrate(build(network), lambda model: outputs(model, mode, inputs))
            first, *rest = outputs(model, mode, inputs)
            expected |= {f"{name}.{index}": value for index, value in enumerate([first, *rest])}
        save(model, folder / f"{name}.pth", case["form"])
    save_file(inputs, folder / "inputs.safetensors")
    save_file({name: value.contiguous() for name, value in expected.items()}, folder / "expected.safetensors")


def load_cases(folder: Path) -> None:
    inputs = load_file(folder / "inputs.safetensors")
    results = {}
    for case in json.loads((folder / "returned.json").read_text()):
        model = build(case["network"])
        model.load_state_dict(load_file(folder / f"strict-{case['name']}.safetensors"), strict=True)
        if "backbone" in case:
            check_backbone(model, torch.load(folder / case["backbone"], weights_only=True), case["network"]["mode"])
        values = outputs(model.eval(), case["network"]["mode"], inputs)
        results |= {f"{case['name']}.{index}": value.contiguous() for index, value in enumerate(values)}
    save_file(results, folder / "returned.safetensors")


def check_backbone(model: nn.Module, given: dict[str, torch.Tensor], mode: str) -> None:
    """Every tensor of the network's EfficientNet is the file's, bit by bit; the speech stem is the mean over RGB."""
    backbone = model.model if mode == "speech" else model.backbone_model
    for name, value in backbone.state_dict().items():
        wanted = given[name]
        if mode == "speech" and name == "_conv_stem.weight":
            assert torch.allclose(value, wanted.mean(1, keepdim=True), rtol=0, atol=1e-7), name
        elif value.is_floating_point():
            assert torch.equal(value, wanted), name


def print_variants(golden: Path) -> None:
    def statistics(name: str) -> dict[str, torch.Tensor]:
        return load_file(golden / f"{name}_bn_stats.safetensors")

    for name, model, stored in (
        ("AttnCNN-B0", AttnCNN(0), statistics("attncnn_b0")),
        ("AttnCNN-B4", AttnCNN(4), statistics("attncnn_b4")),
        ("CLSTM-B0", CLSTM(0), statistics("clstm_b0")),
        ("text12L8H", TextTransformer(), None),
    ):
        if fingerprint(fill(model, stored)) != FINGERPRINTS[name]:
            raise SystemExit(f"{name} of models.py is not the reference's")
    arrays = np.load(golden / "model_inputs.npz")
    speech = torch.from_numpy(arrays["speech"].astype(np.float32))
    frames = torch.from_numpy(arrays["face_u8_4"].astype(np.float32)).permute(1, 2, 3, 0)[None]
    sentences = torch.stack([sentence(100 + index, words) for index, words in enumerate((7, 12, 20, 38))])
    text = fill(TextTransformer(3, 4))
    results = {
        "AttnCNN-B0 relation": fill(AttnCNN(0, "relation"), statistics("attncnn_b0"))(speech)[1],
        "CLSTM-B0 relation": fill(CLSTM(0, "relation"), statistics("clstm_b0"))(normalised(frames))[1],
        "text3L4H batch4": text(sentences)[1],
        "text3L4H alone": torch.cat([text(sentences[index : index + 1])[1] for index in range(4)]),
    }
    print(json.dumps({name: value.tolist() for name, value in results.items()}))


def sentence(seed: int, words: int) -> torch.Tensor:
    """A sentence of test/helpers/golden-inputs.ts: in the middle of 38 rows, zeros around it."""
    rows = torch.zeros(WORDS, 200)
    values = 0.5 * (2 * mulberry32(seed, words * 200) - 1)
    start = (WORDS - words) // 2
    rows[start : start + words] = torch.from_numpy(values.astype(np.float32)).reshape(words, 200)
    return rows


if __name__ == "__main__":
    commands = {"variants": print_variants, "save": save_cases, "load": load_cases}
    with torch.no_grad():
        commands[sys.argv[1]](Path(sys.argv[2]))
