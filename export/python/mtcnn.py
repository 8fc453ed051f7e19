"""Builds the three MTCNN networks as ONNX from facenet-pytorch's weight files.

    python mtcnn.py WEIGHTS_DIR OUT_DIR      (pnet.pt, rnet.pt, onet.pt -> pnet.onnx, rnet.onnx, onet.onnx)

Every network takes `image`, float32 (batch, 3, height, width), RGB normalised as (x - 127.5) / 128:
    pnet  any size             -> boxes (batch, 4, h, w), probabilities (batch, 2, h, w)
    rnet  24 x 24              -> boxes (batch, 4), probabilities (batch, 2)
    onet  48 x 48              -> boxes (batch, 4), points (batch, 10), probabilities (batch, 2)
Architecture: Zhang et al., Joint Face Detection and Alignment using Multi-task Cascaded Convolutional Networks
(arXiv 1604.02878), in the variant of facenet-pytorch 2.6.0 (MIT licence).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from torch_file import UntrustedFile, read_state_dict

# Old enough for every runtime of the last years; the networks use no later operator.
OPSET = 17
IR_VERSION = 8


class Network:
    """Collects nodes and weights; `value` is the name of the present activation."""

    def __init__(self, weights: dict[str, np.ndarray]):
        self.weights = weights
        self.nodes = []
        self.initializers = []
        self.value = "image"

    def add(self, operator: str, name: str, inputs: dict[str, np.ndarray] = {}, output: str = "", **attributes):
        """Appends a node that takes the present value and the given constants."""
        self.initializers += [numpy_helper.from_array(data, key) for key, data in inputs.items()]
        output = output or f"{name}_out"
        self.nodes.append(helper.make_node(operator, [self.value, *inputs], [output], name, **attributes))
        self.value = output

    def convolution(self, name: str, output: str = ""):
        weight, bias = self.weights.pop(f"{name}.weight"), self.weights.pop(f"{name}.bias")
        self.add("Conv", name, {f"{name}.weight": weight, f"{name}.bias": bias}, output, kernel_shape=weight.shape[2:])

    def prelu(self, name: str, rank: int):
        slope = self.weights.pop(f"{name}.weight")
        self.add("PRelu", name, {f"{name}.weight": slope.reshape(-1, *[1] * (rank - 2))})

    def pool(self, name: str, size: int):
        self.add("MaxPool", name, kernel_shape=[size, size], strides=[2, 2], ceil_mode=1)

    def dense(self, name: str, output: str = "", flattened: tuple | None = None):
        """`flattened`: the (channels, height, width) that was flattened before this layer.

        facenet-pytorch flattens in the order (width, height, channels); reordering the weight's columns once
        saves the transpose at run time.
        """
        weight, bias = self.weights.pop(f"{name}.weight"), self.weights.pop(f"{name}.bias")
        if flattened:
            channels, height, width = flattened
            weight = weight.reshape(-1, width, height, channels).transpose(0, 3, 2, 1).reshape(weight.shape)
        self.add("Gemm", name, {f"{name}.weight": weight, f"{name}.bias": bias}, output, transB=1)

    def model(self, size: tuple, outputs: dict[str, tuple]) -> onnx.ModelProto:
        if self.weights:
            raise UntrustedFile(f"it holds unknown parameters: {', '.join(self.weights)}")
        declare = helper.make_tensor_value_info
        graph = helper.make_graph(
            self.nodes,
            "mtcnn",
            [declare("image", TensorProto.FLOAT, ("batch", 3, *size))],
            [declare(name, TensorProto.FLOAT, ("batch", *shape)) for name, shape in outputs.items()],
            self.initializers,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        helper.set_model_props(model, {"source": "facenet-pytorch 2.6.0", "license": "MIT"})
        onnx.checker.check_model(model, full_check=True)
        return onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True)


def build_pnet(weights: dict[str, np.ndarray]) -> onnx.ModelProto:
    net = Network(weights)
    net.convolution("conv1")
    net.prelu("prelu1", 4)
    net.pool("pool1", 2)
    for layer in (2, 3):
        net.convolution(f"conv{layer}")
        net.prelu(f"prelu{layer}", 4)
    trunk = net.value
    net.convolution("conv4_1")
    net.add("Softmax", "softmax4_1", output="probabilities", axis=1)
    net.value = trunk
    net.convolution("conv4_2", "boxes")
    grid = ("grid_height", "grid_width")
    return net.model(("height", "width"), {"boxes": (4, *grid), "probabilities": (2, *grid)})


def build_rnet(weights: dict[str, np.ndarray]) -> onnx.ModelProto:
    net = Network(weights)
    for layer in (1, 2):
        net.convolution(f"conv{layer}")
        net.prelu(f"prelu{layer}", 4)
        net.pool(f"pool{layer}", 3)
    net.convolution("conv3")
    net.prelu("prelu3", 4)
    net.add("Flatten", "flatten")
    net.dense("dense4", flattened=(64, 3, 3))
    net.prelu("prelu4", 2)
    trunk = net.value
    net.dense("dense5_1")
    net.add("Softmax", "softmax5_1", output="probabilities", axis=1)
    net.value = trunk
    net.dense("dense5_2", "boxes")
    return net.model((24, 24), {"boxes": (4,), "probabilities": (2,)})


def build_onet(weights: dict[str, np.ndarray]) -> onnx.ModelProto:
    net = Network(weights)
    for layer, size in ((1, 3), (2, 3), (3, 2)):
        net.convolution(f"conv{layer}")
        net.prelu(f"prelu{layer}", 4)
        net.pool(f"pool{layer}", size)
    net.convolution("conv4")
    net.prelu("prelu4", 4)
    net.add("Flatten", "flatten")
    net.dense("dense5", flattened=(128, 3, 3))
    net.prelu("prelu5", 2)
    trunk = net.value
    net.dense("dense6_1")
    net.add("Softmax", "softmax6_1", output="probabilities", axis=1)
    net.value = trunk
    net.dense("dense6_2", "boxes")
    net.value = trunk
    net.dense("dense6_3", "points")
    return net.model((48, 48), {"boxes": (4,), "points": (10,), "probabilities": (2,)})


BUILDERS = {"pnet": build_pnet, "rnet": build_rnet, "onet": build_onet}


def main(weights_dir: str, out_dir: str) -> None:
    Path(out_dir).mkdir(parents=True, exist_ok=True)
    for name, build in BUILDERS.items():
        source = Path(weights_dir, f"{name}.pt")
        try:
            model = build(read_state_dict(source))
        except (UntrustedFile, KeyError) as error:
            sys.exit(f"{source}: {error}")
        temporary = Path(out_dir, f"{name}.onnx.{os.getpid()}.tmp")
        temporary.write_bytes(model.SerializeToString(deterministic=True))
        temporary.replace(Path(out_dir, f"{name}.onnx"))


if __name__ == "__main__":
    main(*sys.argv[1:])
