"""The reference's networks in PyTorch, eager and compiled, for `mer bench gpu`: one JSON line a measurement.

    python torch_models.py '{"device": "cuda", "batches": [1, 8], "repeats": 50, "frames": 32, "words": 12}'

A network that cannot be compiled, or a batch that does not fit, is told on standard error and left out.
Exits with 3 where PyTorch or efficientnet_pytorch is not installed.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
# The package that the networks need besides PyTorch comes along in a packed folder.
sys.path += [str(HERE / "python"), str(HERE.parent / "reference")]
try:
    import torch
    from models import CLSTM, AttnCNN, Multimodal, TextTransformer
except ImportError as error:
    print(error, file=sys.stderr)
    sys.exit(3)

WARMUP = 3


def inputs(batch: int, request: dict) -> dict[str, torch.Tensor]:
    return {
        "speech": torch.rand(batch, 1, 128, 400),
        "face": torch.randn(batch, request["frames"], 3, 224, 224),
        "text": torch.randn(batch, request["words"], 200),
    }


def measure(run, repeats: int, synchronize) -> tuple[float, float]:
    times = []
    for i in range(WARMUP + repeats):
        start = time.perf_counter()
        run()
        synchronize()
        if i >= WARMUP:
            times.append(1000 * (time.perf_counter() - start))
    times.sort()
    return times[len(times) // 2], times[min(len(times) - 1, int(0.99 * len(times)))]


def main(request: dict) -> None:
    device = request["device"]
    if device == "cuda":
        # As ours: float32 without TF32.
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
    synchronize = torch.cuda.synchronize if device == "cuda" else (lambda: None)
    models = {
        "speech": (AttnCNN(), ["speech"]),
        "face": (CLSTM(), ["face"]),
        "text": (TextTransformer(), ["text"]),
        "multimodal": (Multimodal(), ["speech", "face", "text"]),
    }
    precisions = {"fp32": torch.float32, "fp16": torch.float16} if device == "cuda" else {"fp32": torch.float32}
    with torch.inference_mode():
        for name, (model, names) in models.items():
            for precision, dtype in precisions.items():
                model = model.eval().to(device, dtype)
                for mode in ("eager", "compiled"):
                    for batch in request["batches"]:
                        try:
                            network = torch.compile(model) if mode == "compiled" else model
                            values = inputs(batch, request)
                            # The pictures and spectrograms come from the processor's memory, as they do in ours.
                            feeds = [values[key].to(dtype) for key in names]
                            p50, p99 = measure(
                                lambda: network(*(feed.to(device) for feed in feeds)), request["repeats"], synchronize
                            )
                        except Exception as error:  # noqa: BLE001: of memory or of the compiler; the others go on
                            reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
                            print(f"{name} {precision} {mode}, batch {batch}: {reason}", file=sys.stderr)
                            break
                        line = {"graph": name, "mode": mode, "precision": precision, "batch": batch}
                        print(json.dumps({**line, "p50": p50, "p99": p99}), flush=True)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
