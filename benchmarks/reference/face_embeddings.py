"""Golden face embeddings: facenet-pytorch's InceptionResnetV1 with weights by formula.

Usage: face_embeddings.py MODEL_INPUTS.npz OUT.npy

Embeds the four face crops of `face_u8_4` (3, 4, 224, 224): resized to 160 x 160 (bilinear, align_corners=False,
no smoothing), standardised with facenet-pytorch's fixed_image_standardization. Writes float32 (4, 512).
The weights are those of test/helpers/golden-weights.ts.
"""

import sys

import numpy as np
import torch
from facenet_pytorch import InceptionResnetV1
from facenet_pytorch.models.mtcnn import fixed_image_standardization


def fnv1a32(text: str) -> int:
    value = 0x811C9DC5
    for byte in text.encode():
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value


def mulberry32(seed: int, count: int) -> np.ndarray:
    """The generator's first `count` numbers, float64 in [0, 1)."""
    with np.errstate(over="ignore"):
        a = np.uint32(seed) + np.arange(1, count + 1, dtype=np.uint32) * np.uint32(0x6D2B79F5)
        t = (a ^ (a >> np.uint32(15))) * (a | np.uint32(1))
        t ^= t + (t ^ (t >> np.uint32(7))) * (t | np.uint32(61))
        return (t ^ (t >> np.uint32(14))).astype(np.float64) / 2**32


def formula(name: str, shape: tuple) -> torch.Tensor:
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


def main(inputs: str, out: str) -> None:
    net = InceptionResnetV1(pretrained=None).eval()
    state = net.state_dict()
    for name, tensor in state.items():
        if not name.endswith("num_batches_tracked"):
            state[name] = formula(name, tuple(tensor.shape))
    net.load_state_dict(state)
    crops = torch.from_numpy(np.load(inputs)["face_u8_4"]).permute(1, 0, 2, 3).float()
    small = torch.nn.functional.interpolate(crops, (160, 160), mode="bilinear", align_corners=False)
    with torch.inference_mode():
        np.save(out, net(fixed_image_standardization(small)).numpy())


if __name__ == "__main__":
    main(*sys.argv[1:])
