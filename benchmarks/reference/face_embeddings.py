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
from formula_weights import fill


def main(inputs: str, out: str) -> None:
    net = fill(InceptionResnetV1(pretrained=None))
    crops = torch.from_numpy(np.load(inputs)["face_u8_4"]).permute(1, 0, 2, 3).float()
    small = torch.nn.functional.interpolate(crops, (160, 160), mode="bilinear", align_corners=False)
    with torch.inference_mode():
        np.save(out, net(fixed_image_standardization(small)).numpy())


if __name__ == "__main__":
    main(*sys.argv[1:])
