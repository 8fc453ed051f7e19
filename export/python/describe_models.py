"""Says what the ONNX files of a folder consist of.

    python describe_models.py DIR [SIZES]

The answer, on stdout, is a JSON object with an entry for every DIR/NAME.onnx: its operator set, inputs, outputs and
operators with how often each occurs. With SIZES, a JSON object with a number for every open dimension of the inputs
such as {"batch": 1, "frames": 16}, also the parameters (floating-point constants) and the multiplications with
accumulation (MACs) of one run at those sizes; that is for float32 files.
"""

from __future__ import annotations

import json
import math
import sys
from collections import Counter
from pathlib import Path

import onnx
from onnx import TensorProto, helper, shape_inference


def dimensions(value: onnx.ValueInfoProto) -> list:
    return [dim.dim_param or dim.dim_value for dim in value.type.tensor_type.shape.dim]


def declaration(value: onnx.ValueInfoProto) -> dict:
    kind = helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type).name
    return {"name": value.name, "type": kind, "shape": dimensions(value)}


def known_shapes(model: onnx.ModelProto, sizes: dict) -> dict:
    """The shape of every value when the open dimensions of the inputs have the given sizes."""
    fixed = onnx.ModelProto()
    fixed.CopyFrom(model)
    for value in fixed.graph.input:
        for dim in value.type.tensor_type.shape.dim:
            if dim.dim_param:
                dim.dim_value = sizes[dim.dim_param]
    # What was inferred for open dimensions would stand against the numbers.
    del fixed.graph.value_info[:]
    for value in fixed.graph.output:
        value.type.tensor_type.ClearField("shape")
    graph = shape_inference.infer_shapes(fixed, strict_mode=True, data_prop=True).graph
    shapes = {value.name: dimensions(value) for value in [*graph.input, *graph.value_info, *graph.output]}
    return shapes | {constant.name: list(constant.dims) for constant in graph.initializer}


def macs(node: onnx.NodeProto, shapes: dict) -> int:
    """Of one node; what is no convolution, matrix product, LSTM or attention counts as none."""
    inputs = [shapes.get(name) for name in node.input]
    if node.op_type == "Conv":
        return math.prod(shapes[node.output[0]]) * math.prod(inputs[1][1:])
    if node.op_type == "MatMul":
        return math.prod(shapes[node.output[0]]) * inputs[0][-1]
    if node.op_type == "Gemm":
        return math.prod(inputs[1]) * inputs[0][0]
    if node.op_type == "LSTM":
        time, batch, _ = inputs[0]
        return time * batch * (math.prod(inputs[1]) + math.prod(inputs[2]))
    if node.op_type == "Attention":
        batch, queries, features = inputs[0]
        return 2 * batch * queries * inputs[1][1] * features
    return 0


def count(model: onnx.ModelProto, sizes: dict) -> dict:
    shapes = known_shapes(model, sizes)
    return {
        "parameters": sum(math.prod(c.dims) for c in model.graph.initializer if c.data_type == TensorProto.FLOAT),
        "macs": sum(macs(node, shapes) for node in model.graph.node),
    }


def describe(file: Path, sizes: dict | None) -> dict:
    model = onnx.load(file)
    return {
        "opset": next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")),
        "inputs": [declaration(value) for value in model.graph.input],
        "outputs": [declaration(value) for value in model.graph.output],
        "operators": dict(sorted(Counter(node.op_type for node in model.graph.node).items())),
        **(count(model, sizes) if sizes else {}),
    }


def main(directory: str, sizes: str = "null") -> None:
    files = sorted(Path(directory).glob("*.onnx"))
    print(json.dumps({file.stem: describe(file, json.loads(sizes)) for file in files}))


if __name__ == "__main__":
    main(*sys.argv[1:])
