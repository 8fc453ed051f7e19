"""Makes float16 or int8 variants of float32 ONNX files.

    python convert_precision.py SOURCE TARGET fp16|int8

Each SOURCE/NAME.onnx becomes TARGET/NAME.onnx with the same inputs, outputs and metadata, checked in full and with its
shapes inferred strictly. The last line of stderr says what is wrong with a file that fails.

fp16: weights and arithmetic in half precision; float32 inputs and outputs are converted at the border.
int8: the matrix products (MatMul, and Gemm as one) and the LSTM with int8 weights; their inputs are quantised while the
graph runs, with one scale a tensor. Convolutions, which are slower so, and all else stay float32.
"""

import logging
import sys
from pathlib import Path

import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers.float16 import convert_float_to_float16


def to_half(source: Path) -> onnx.ModelProto:
    model = convert_float_to_float16(onnx.load(source), keep_io_types=True)
    # The conversions of the inputs are put last, though a file must have its nodes in the order of computation.
    nodes = in_order(model.graph)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model


def in_order(graph: onnx.GraphProto) -> list:
    """The nodes, each after those that make its inputs; otherwise in the order that they have."""
    made = {"", *(value.name for value in graph.input), *(constant.name for constant in graph.initializer)}
    waiting, ordered = list(graph.node), []
    while waiting:
        ready, later = [], []
        for node in waiting:
            if made.issuperset(node.input):
                made.update(node.output)
                ready.append(node)
            else:
                later.append(node)
        if not ready:
            raise ValueError(f"the inputs of {waiting[0].name} are made by no node")
        ordered += ready
        waiting = later
    return ordered


def to_int8(source: Path, target: Path) -> onnx.ModelProto:
    # It advises folding of the graph beforehand, which it has.
    logging.getLogger().setLevel(logging.ERROR)
    kinds = ["MatMul", "LSTM"]
    quantize_dynamic(source, target, op_types_to_quantize=kinds, weight_type=QuantType.QInt8)
    return onnx.load(target)


def convert(source: Path, target: Path, precision: str) -> bytes:
    original = onnx.load(source)
    model = to_half(source) if precision == "fp16" else to_int8(source, target)
    model.producer_name, model.producer_version = original.producer_name, original.producer_version
    del model.metadata_props[:]
    model.metadata_props.extend(original.metadata_props)
    model.metadata_props.add(key="precision", value=precision)
    content = model.SerializeToString(deterministic=True)
    onnx.checker.check_model(content, full_check=True)
    onnx.shape_inference.infer_shapes(content, check_type=True, strict_mode=True, data_prop=True)
    return content


def main(source: str, target: str, precision: str) -> None:
    for file in sorted(Path(source).glob("*.onnx")):
        made = Path(target) / file.name
        try:
            made.write_bytes(convert(file, made, precision))
        except Exception as error:
            sys.exit(f"{file.stem}: {type(error).__name__}: {' '.join(str(error).split())}")


if __name__ == "__main__":
    main(*sys.argv[1:])
