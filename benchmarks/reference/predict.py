"""From clip to answer as the PyTorch reference system does it at submission, without TTA, for `mer bench serve`.

    python predict.py THREADS GOLDEN

The networks (AttnCNN-B4, CLSTM-B0, 12 layers of text) have the weights of the golden data: GOLDEN is the folder
test/golden. The first line on stdout holds their integrated logits for the golden inputs. After that one JSON object a
line is read from stdin, {"clip": PATH, "mel": PATH or null, "words": T x 200 numbers}, and answered by one line: what
preprocess.py says of the clip, with the seconds of the networks among its stages, and the four logits.
"""

from __future__ import annotations

import json
import sys
import time
import warnings
from pathlib import Path

import cv2
import numpy as np
import torch
from formula_weights import fill, formula
from models import Multimodal
from preprocess import create_detector, preprocess
from safetensors.torch import load_file
from weights_parity import normalised, sentence

SPEECH_FRAMES = 400
FACE_FRAMES = 32
WORDS = 38
END_FRAMES = 10


def golden_network(golden: Path) -> Multimodal:
    network = Multimodal()
    fill(network.speech_model, load_file(golden / "attncnn_b4_bn_stats.safetensors"))
    fill(network.face_model, load_file(golden / "clstm_b0_bn_stats.safetensors"))
    fill(network.text_model)
    head = network.multimodal_out.state_dict()
    network.multimodal_out.load_state_dict(
        {name: formula(f"multimodal_out.{name}", tuple(value.shape)) for name, value in head.items()}
    )
    return network.eval()


def golden_logits(network: Multimodal, golden: Path) -> list[float]:
    arrays = np.load(golden / "model_inputs.npz")
    speech = torch.from_numpy(arrays["speech"].astype(np.float32))
    frames = torch.from_numpy(arrays["face_u8_4"].astype(np.float32)).permute(1, 2, 3, 0)[None]
    return network(speech, normalised(frames), sentence(100, 7)[None])[0][0].tolist()


def speech_input(mel: np.ndarray) -> torch.Tensor:
    """The middle 400 frames, zeros around fewer: (1, 1, 128, 400)."""
    count = mel.shape[1]
    if count < SPEECH_FRAMES:
        before = (SPEECH_FRAMES - count) // 2
        mel = np.pad(mel, ((0, 0), (before, SPEECH_FRAMES - count - before)))
    start = (mel.shape[1] - SPEECH_FRAMES) // 2
    return torch.from_numpy(mel[:, start : start + SPEECH_FRAMES].astype(np.float32))[None, None]


def face_input(crops: np.ndarray) -> torch.Tensor:
    """32 crops at even strides without ten at each end, zeros before fewer: (1, 32, 3, 224, 224)."""
    if len(crops) > 2 * END_FRAMES:
        crops = crops[END_FRAMES:-END_FRAMES]
    chosen = crops[:: max(1, len(crops) // FACE_FRAMES)][:FACE_FRAMES]
    frames = np.zeros((FACE_FRAMES, *chosen.shape[1:]), np.uint8)
    frames[FACE_FRAMES - len(chosen) :] = chosen
    return normalised(torch.from_numpy(frames).permute(0, 2, 3, 1)[None].float())


def text_input(words: list[list[float]]) -> torch.Tensor:
    """In the middle of 38 rows: (1, 38, 200)."""
    rows = torch.zeros(1, WORDS, len(words[0]))
    start = (WORDS - len(words)) // 2
    rows[0, start : start + len(words)] = torch.tensor(words)
    return rows


def main(threads: int, golden: Path) -> None:
    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
    warnings.simplefilter("ignore")
    detector = create_detector()
    network = golden_network(golden)
    print(json.dumps({"golden": golden_logits(network, golden)}), flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        mel, crops, report = preprocess(request["clip"], detector)
        start = time.perf_counter()
        logits = network(speech_input(mel), face_input(crops), text_input(request["words"]))
        networks = time.perf_counter() - start
        report["seconds"] += networks
        report["stages"]["networks"] = networks
        report["logits"] = [values[0].tolist() for values in logits]
        if request["mel"]:
            np.save(request["mel"], mel.astype(np.float32))
        print(json.dumps(report), flush=True)


if __name__ == "__main__":
    with torch.inference_mode():
        main(int(sys.argv[1]), Path(sys.argv[2]))
