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
        self.initializers = {}
        self.value = "image"

    def add(self, operator: str, name: str, inputs: dict[str, np.ndarray] = {}, output: str = "", **attributes):
        """Appends a node that takes the present value and the given constants."""
        self.initializers |= inputs
        self.combine(operator, name, [self.value, *inputs], output, **attributes)

    def combine(self, operator: str, name: str, inputs: list[str], output: str = "", **attributes):
        """Appends a node that takes the named values."""
        self.value = output or f"{name}_out"
        self.nodes.append(helper.make_node(operator, inputs, [self.value], name, **attributes))

    def convolution(self, name: str, output: str = ""):
        weight, bias = self.weights.pop(f"{name}.weight"), self.weights.pop(f"{name}.bias")
        self.add("Conv", name, {f"{name}.weight": weight, f"{name}.bias": bias}, output, kernel_shape=weight.shape[2:])

    def add_split(self, name: str, sizes: dict[str, int]):
        """Cuts the present maps into groups of so many, which get the given names."""
        self.initializers[f"{name}.sizes"] = np.array([*sizes.values()], np.int64)
        self.nodes.append(helper.make_node("Split", [self.value, f"{name}.sizes"], [*sizes], name, axis=1))

    def prelu(self, name: str, rank: int):
        self.rectify(name, self.weights.pop(f"{name}.weight").reshape(-1, *[1] * (rank - 2)))

    def rectify(self, name: str, slope: np.ndarray):
        """PReLU in operators that treat many values at once; the runtime's own one tests each by itself, which takes
        several times as long. Equal to the last bit.
        """
        x = self.value
        if (slope <= 1).all():
            self.add("Mul", f"{name}_scaled", {f"{name}.slope": slope})
            self.combine("Max", name, [x, self.value])
            return
        self.add("Min", f"{name}_negative", {f"{name}.zero": np.zeros((), np.float32)})
        self.add("Mul", f"{name}_scaled", {f"{name}.slope": slope})
        scaled = self.value
        self.combine("Relu", f"{name}_positive", [x])
        self.combine("Add", name, [self.value, scaled])

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
            [numpy_helper.from_array(data, name) for name, data in self.initializers.items()],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        helper.set_model_props(model, {"source": "facenet-pytorch 2.6.0", "license": "MIT"})
        onnx.checker.check_model(model, full_check=True)
        return onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True)


def prelu_after_pool(net: Network) -> None:
    """P-Net's first convolution, PReLU and max-pooling, with the PReLU last: it then has a fourth of the values, and the
    largest maps of all stay in the layout that convolutions are fast in.

    With a slope >= 0 PReLU rises, so that the largest value of a window stays the largest. With a negative one it is
    max(x, -slope * -x): such maps are computed with both signs, pooled each, and the larger one is taken (10 maps become
    16, which is what a processor computes at once anyway). Maps change places by that, and the next weights follow.
    """
    slope = net.weights.pop("prelu1.weight").reshape(-1, 1, 1)
    rising, falling = np.flatnonzero(slope >= 0), np.flatnonzero(slope < 0)
    order = np.concatenate([rising, falling])
    for part in ("weight", "bias"):
        values = net.weights[f"conv1.{part}"]
        net.weights[f"conv1.{part}"] = np.concatenate([values[order], -values[falling]])
    net.weights["conv2.weight"] = net.weights["conv2.weight"][:, order]
    net.convolution("conv1")
    net.pool("pool1", 2)
    net.add_split("signs", {"rising": len(rising), "falling": len(falling), "mirrored": len(falling)})
    net.value = "rising"
    net.rectify("prelu1", slope[rising])
    rectified = net.value
    net.value = "mirrored"
    net.add("Mul", "scale1", {"scale1.slope": -slope[falling]})
    net.combine("Max", "larger", ["falling", net.value])
    net.combine("Concat", "join", [rectified, net.value], axis=1)


def build_pnet(weights: dict[str, np.ndarray]) -> onnx.ModelProto:
    net = Network(weights)
    prelu_after_pool(net)
    for layer in (2, 3):
        net.convolution(f"conv{layer}")
        net.prelu(f"prelu{layer}", 4)
    # Both heads are one convolution, and the softmax over two classes is the sigmoid of their difference.
    for part in ("weight", "bias"):
        classes, boxes = (net.weights.pop(f"{head}.{part}") for head in ("conv4_1", "conv4_2"))
        net.weights[f"conv4.{part}"] = np.concatenate([boxes, classes - classes[::-1]])
    net.convolution("conv4")
    net.add_split("heads", {"boxes": 4, "logits": 2})
    net.value = "logits"
    net.add("Sigmoid", "sigmoid4", output="probabilities")
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
