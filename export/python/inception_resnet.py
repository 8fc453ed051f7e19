"""Builds the ONNX file of the face embedding network from a PyTorch file of its weights.

Usage: inception_resnet.py WEIGHTS.pt OUT.onnx

The file maps face crops to embeddings:
    crops uint8 (batch, 224, 224, 3), RGB -> embeddings float32 (batch, 512), of length 1
Inside: bilinear resize to 160 x 160 (half-pixel centres, no smoothing, as torch's interpolate with
align_corners=False), the "fixed image standardization" (x - 127.5) / 128, the network, division by the length.
Batch normalisation is folded into the convolution before it.

Architecture: Szegedy et al., Inception-v4, Inception-ResNet and the Impact of Residual Connections on Learning
(arXiv 1602.07261), in the variant of facenet-pytorch 2.6.0 (MIT licence), whose names the weights have.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from torch_file import UntrustedFile, read_state_dict

# Old enough for every runtime of the last years; the network uses no later operator.
OPSET = 17
IR_VERSION = 8
CROP_SIZE = 224
INPUT_SIZE = 160
EMBEDDING_SIZE = 512
BATCH_NORM_EPSILON = 1e-3
# Exit code: the file was refused, and stdout says why.
REFUSED = 3


class Graph:
    """Collects nodes and weights; every method returns the name of its result."""

    def __init__(self, weights: dict[str, np.ndarray]):
        self.weights = dict(weights)
        self.nodes = []
        self.initializers = []

    def add(self, operator: str, name: str, inputs: list[str], output: str = "", **attributes) -> str:
        output = output or f"{name}_out"
        self.nodes.append(helper.make_node(operator, inputs, [output], name, **attributes))
        return output

    def constant(self, name: str, value) -> str:
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def take(self, name: str, *shape: int) -> np.ndarray:
        """A weight in float64, removed from those that are left. Raises UntrustedFile for another shape."""
        if name not in self.weights:
            raise UntrustedFile(f"it lacks {name}: it is no InceptionResnetV1 of facenet-pytorch")
        weight = self.weights.pop(name)
        if weight.shape != shape or weight.dtype.kind != "f":
            raise UntrustedFile(f"{name} is {weight.dtype} {weight.shape}, InceptionResnetV1 has floats {shape}")
        if not np.isfinite(weight).all():
            raise UntrustedFile(f"{name} holds something else than finite numbers")
        return weight.astype(np.float64)

    def batch_norm(self, name: str, channels: int) -> tuple[np.ndarray, np.ndarray]:
        """Evaluation-mode batch normalisation as (scale, shift)."""
        weight, bias, mean, variance = (
            self.take(f"{name}.{part}", channels) for part in ("weight", "bias", "running_mean", "running_var")
        )
        self.weights.pop(f"{name}.num_batches_tracked", None)
        scale = weight / np.sqrt(variance + BATCH_NORM_EPSILON)
        return scale, bias - mean * scale

    def convolution(self, name: str, value: str, sizes: tuple, weight: np.ndarray, bias: np.ndarray, stride=1, pad=(0, 0)):
        weights = [
            self.constant(f"{name}.weight", weight.astype(np.float32)),
            self.constant(f"{name}.bias", bias.astype(np.float32)),
        ]
        return self.add("Conv", name, [value, *weights], kernel_shape=sizes, strides=[stride] * 2, pads=[*pad, *pad])

    def basic(self, name: str, value: str, channels: tuple[int, int], size=(1, 1), stride=1, pad=(0, 0)) -> str:
        """BasicConv2d: convolution without bias, batch normalisation, ReLU."""
        weight = self.take(f"{name}.conv.weight", channels[1], channels[0], *size)
        scale, shift = self.batch_norm(f"{name}.bn", channels[1])
        result = self.convolution(name, value, size, weight * scale[:, None, None, None], shift, stride, pad)
        return self.add("Relu", f"{name}.relu", [result])

    def max_pool(self, name: str, value: str) -> str:
        return self.add("MaxPool", name, [value], kernel_shape=[3, 3], strides=[2, 2])

    def residual(self, name: str, value: str, branches: list[str], channels: tuple[int, int], scale: float, relu=True) -> str:
        """relu(value + scale * conv2d(concatenation)); the factor is folded into the convolution."""
        joined = self.add("Concat", f"{name}.concat", branches, axis=1)
        weight = self.take(f"{name}.conv2d.weight", channels[1], channels[0], 1, 1)
        bias = self.take(f"{name}.conv2d.bias", channels[1])
        up = self.convolution(f"{name}.conv2d", joined, (1, 1), weight * scale, bias * scale)
        total = self.add("Add", f"{name}.add", [up, value])
        return self.add("Relu", f"{name}.relu", [total]) if relu else total


def block35(graph: Graph, name: str, x: str) -> str:
    first = graph.basic(f"{name}.branch0", x, (256, 32))
    second = graph.basic(f"{name}.branch1.0", x, (256, 32))
    second = graph.basic(f"{name}.branch1.1", second, (32, 32), (3, 3), pad=(1, 1))
    third = graph.basic(f"{name}.branch2.0", x, (256, 32))
    third = graph.basic(f"{name}.branch2.1", third, (32, 32), (3, 3), pad=(1, 1))
    third = graph.basic(f"{name}.branch2.2", third, (32, 32), (3, 3), pad=(1, 1))
    return graph.residual(name, x, [first, second, third], (96, 256), 0.17)


def block17(graph: Graph, name: str, x: str) -> str:
    first = graph.basic(f"{name}.branch0", x, (896, 128))
    second = graph.basic(f"{name}.branch1.0", x, (896, 128))
    second = graph.basic(f"{name}.branch1.1", second, (128, 128), (1, 7), pad=(0, 3))
    second = graph.basic(f"{name}.branch1.2", second, (128, 128), (7, 1), pad=(3, 0))
    return graph.residual(name, x, [first, second], (256, 896), 0.10)


def block8(graph: Graph, name: str, x: str, scale: float, relu: bool) -> str:
    first = graph.basic(f"{name}.branch0", x, (1792, 192))
    second = graph.basic(f"{name}.branch1.0", x, (1792, 192))
    second = graph.basic(f"{name}.branch1.1", second, (192, 192), (1, 3), pad=(0, 1))
    second = graph.basic(f"{name}.branch1.2", second, (192, 192), (3, 1), pad=(1, 0))
    return graph.residual(name, x, [first, second], (384, 1792), scale, relu)


def mixed_6a(graph: Graph, x: str) -> str:
    name = "mixed_6a"
    first = graph.basic(f"{name}.branch0", x, (256, 384), (3, 3), stride=2)
    second = graph.basic(f"{name}.branch1.0", x, (256, 192))
    second = graph.basic(f"{name}.branch1.1", second, (192, 192), (3, 3), pad=(1, 1))
    second = graph.basic(f"{name}.branch1.2", second, (192, 256), (3, 3), stride=2)
    return graph.add("Concat", name, [first, second, graph.max_pool(f"{name}.branch2", x)], axis=1)


def mixed_7a(graph: Graph, x: str) -> str:
    name = "mixed_7a"
    first = graph.basic(f"{name}.branch0.0", x, (896, 256))
    first = graph.basic(f"{name}.branch0.1", first, (256, 384), (3, 3), stride=2)
    second = graph.basic(f"{name}.branch1.0", x, (896, 256))
    second = graph.basic(f"{name}.branch1.1", second, (256, 256), (3, 3), stride=2)
    third = graph.basic(f"{name}.branch2.0", x, (896, 256))
    third = graph.basic(f"{name}.branch2.1", third, (256, 256), (3, 3), pad=(1, 1))
    third = graph.basic(f"{name}.branch2.2", third, (256, 256), (3, 3), stride=2)
    return graph.add("Concat", name, [first, second, third, graph.max_pool(f"{name}.branch3", x)], axis=1)


def normalised_input(graph: Graph) -> str:
    x = graph.add("Cast", "to_float", ["crops"], to=TensorProto.FLOAT)
    x = graph.add("Transpose", "channels_first", [x], perm=[0, 3, 1, 2])
    scales = graph.constant("scales", np.array([1, 1, INPUT_SIZE / CROP_SIZE, INPUT_SIZE / CROP_SIZE], np.float32))
    half_pixel = {"mode": "linear", "coordinate_transformation_mode": "half_pixel"}
    x = graph.add("Resize", "resize", [x, "", scales], **half_pixel)
    x = graph.add("Sub", "centre", [x, graph.constant("middle", np.float32(127.5))])
    return graph.add("Div", "standardise", [x, graph.constant("spread", np.float32(128))])


def build(weights: dict[str, np.ndarray]) -> onnx.ModelProto:
    """Raises UntrustedFile when the weights are not those of an InceptionResnetV1."""
    graph = Graph(weights)
    x = normalised_input(graph)
    x = graph.basic("conv2d_1a", x, (3, 32), (3, 3), stride=2)
    x = graph.basic("conv2d_2a", x, (32, 32), (3, 3))
    x = graph.basic("conv2d_2b", x, (32, 64), (3, 3), pad=(1, 1))
    x = graph.max_pool("maxpool_3a", x)
    x = graph.basic("conv2d_3b", x, (64, 80))
    x = graph.basic("conv2d_4a", x, (80, 192), (3, 3))
    x = graph.basic("conv2d_4b", x, (192, 256), (3, 3), stride=2)
    for index in range(5):
        x = block35(graph, f"repeat_1.{index}", x)
    x = mixed_6a(graph, x)
    for index in range(10):
        x = block17(graph, f"repeat_2.{index}", x)
    x = mixed_7a(graph, x)
    for index in range(5):
        x = block8(graph, f"repeat_3.{index}", x, 0.20, relu=True)
    x = block8(graph, "block8", x, 1.0, relu=False)
    x = graph.add("GlobalAveragePool", "avgpool_1a", [x])
    x = graph.add("Flatten", "flatten", [x])
    scale, shift = graph.batch_norm("last_bn", EMBEDDING_SIZE)
    weight = graph.take("last_linear.weight", EMBEDDING_SIZE, 1792) * scale[:, None]
    linear = [
        graph.constant("last_linear.weight", weight.astype(np.float32)),
        graph.constant("last_linear.bias", shift.astype(np.float32)),
    ]
    x = graph.add("Gemm", "last_linear", [x, *linear], transB=1)
    graph.add("LpNormalization", "unit_length", [x], "embeddings", axis=1, p=2)
    # The pretrained files also hold the classifier that the network was trained with; embeddings do not need it.
    unknown = [name for name in graph.weights if not name.startswith("logits.")]
    if unknown:
        raise UntrustedFile(f"it holds parameters that InceptionResnetV1 does not have: {', '.join(unknown[:5])}")
    return to_model(graph)


def to_model(graph: Graph) -> onnx.ModelProto:
    crops = helper.make_tensor_value_info("crops", TensorProto.UINT8, ("batch", CROP_SIZE, CROP_SIZE, 3))
    embeddings = helper.make_tensor_value_info("embeddings", TensorProto.FLOAT, ("batch", EMBEDDING_SIZE))
    content = helper.make_graph(graph.nodes, "inception_resnet_v1", [crops], [embeddings], graph.initializers)
    model = helper.make_model(content, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
    onnx.checker.check_model(model, full_check=True)
    return onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True)


def main(weights_file: str, out_file: str) -> None:
    try:
        model = build(read_state_dict(weights_file))
    except UntrustedFile as error:
        print(error)
        sys.exit(REFUSED)
    temporary = Path(f"{out_file}.{os.getpid()}.tmp")
    temporary.write_bytes(model.SerializeToString(deterministic=True))
    temporary.replace(out_file)


if __name__ == "__main__":
    main(*sys.argv[1:])
