#!/usr/bin/env bash
# Measures throughput on a CUDA machine; docs/gpu.md says what it prints.
# usage: benchmarks/gpu/gpu.sh [--device cuda:K|cpu] [option of mer bench gpu]...
# It needs no network: the folder that benchmarks/gpu/pack.sh packed, or the project compiled and set up.
# Bundles are those in bundles/, results go to gpu-results/.
set -euo pipefail
cd "$(dirname "$0")/../.."
node=$([ -x ./node ] && echo ./node || echo node)
[ -d ffmpeg ] && export PATH="$PWD/ffmpeg:$PATH"
# The provider knows only where CUDA's libraries lay when it was set up.
for folder in .mer/onnxruntime-cuda-*/nvidia/*/lib; do
  [ -d "$folder" ] && export LD_LIBRARY_PATH="$PWD/$folder${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
done
exec "$node" bin/mer.mjs bench gpu --bundle bundles/* --out gpu-results "$@"
