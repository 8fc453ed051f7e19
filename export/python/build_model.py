"""Builds ONNX files from the graphs that the TypeScript side of the export writes.

    python build_model.py DIR

DIR holds NAME.json (inputs, outputs, hints of shapes, nodes, opset, metadata) and NAME.safetensors (its constants) for
every model. Each becomes DIR/NAME.onnx, checked in full and with its shapes inferred strictly. The last line of stderr
says what is wrong with a graph that fails.
"""

import json
import sys
from pathlib import Path

import onnx
from onnx import TensorProto, defs, helper, numpy_helper
from safetensors.numpy import load_file

TYPES = {"float32": TensorProto.FLOAT, "uint8": TensorProto.UINT8, "int32": TensorProto.INT32}
FLOAT_ATTRIBUTE = onnx.AttributeProto.FLOAT


def declare(value: dict) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(value["name"], TYPES[value["type"]], value["shape"])


def make_node(node: dict, opset: int) -> onnx.NodeProto:
    """JSON knows only one kind of number, so the operator's own schema says which attributes are floats."""
    schema = defs.get_schema(node["op"], opset)
    attributes = {
        name: float(value) if schema.attributes[name].type.value == FLOAT_ATTRIBUTE else value
        for name, value in node["attributes"].items()
    }
    return helper.make_node(node["op"], node["inputs"], node["outputs"], node["name"], **attributes)


def build(source: Path) -> bytes:
    """The model's file content, checked as it will be read."""
    graph = json.loads(source.read_text())
    constants = load_file(source.with_suffix(".safetensors"))
    model = helper.make_model(
        helper.make_graph(
            [make_node(node, graph["opset"]) for node in graph["nodes"]],
            source.stem,
            [declare(value) for value in graph["inputs"]],
            [declare(value) for value in graph["outputs"]],
            [numpy_helper.from_array(data, name) for name, data in constants.items()],
            value_info=[declare(value) for value in graph["hints"]],
        ),
        opset_imports=[helper.make_opsetid("", graph["opset"])],
        ir_version=graph["irVersion"],
        producer_name=graph["producer"]["name"],
        producer_version=graph["producer"]["version"],
    )
    helper.set_model_props(model, graph["metadata"])
    content = model.SerializeToString(deterministic=True)
    onnx.checker.check_model(content, full_check=True)
    onnx.shape_inference.infer_shapes(content, check_type=True, strict_mode=True, data_prop=True)
    return content


def main(directory: str) -> None:
    for source in sorted(Path(directory).glob("*.json")):
        try:
            content = build(source)
        except Exception as error:
            sys.exit(f"{source.stem}: {type(error).__name__}: {' '.join(str(error).split())}")
        source.with_suffix(".onnx").write_bytes(content)


if __name__ == "__main__":
    main(*sys.argv[1:])
