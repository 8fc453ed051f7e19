#!/usr/bin/env bash
# Checks and measures training on a CUDA machine; docs/gpu.md says what it prints.
# usage: benchmarks/gpu/train.sh [--device cuda|cpu] [--case NAME...]
# It needs no network: the project compiled (npm run build) and TensorFlow set up (npm run setup -- --for train --gpu),
# or the folder that benchmarks/gpu/pack-train.sh packed.
set -euo pipefail
cd "$(dirname "$0")/../.."
device=cuda
if [ "${1:-}" = --device ]; then
  device=$2
  shift 2
fi
node=$([ -x ./node ] && echo ./node || echo node)
export TF_CPP_MIN_LOG_LEVEL=3

if [ "$device" = cuda ]; then
  nvidia-smi --query-gpu=name,driver_version,memory.total,memory.free --format=csv,noheader
  bench_device=auto
else
  echo "dry run on the processor: says nothing about a GPU"
  bench_device=cpu
fi
"$node" --version

echo "== losses of the device against those of the processor"
"$node" dist/benchmarks/gpu/train-check.js --device "$device"

echo "== seconds and memory of a training step"
"$node" bin/mer.mjs bench train --no-reference --amp --profile --repeats 5 --device "$bench_device" "$@"
if [ "$device" = cuda ]; then
  nvidia-smi --query-compute-apps=used_memory --format=csv,noheader || true
fi
echo "== done"
