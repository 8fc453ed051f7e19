#!/usr/bin/env bash
# Packs all that benchmarks/gpu/train.sh needs, Node included, for a machine without network.
# usage: benchmarks/gpu/pack-train.sh FOLDER [cpu|gpu]
# FOLDER gets pieces of at most 1.5 GB and unpack.sh, which puts them together where it is run.
set -euo pipefail
target=$(mkdir -p "$1" && cd "$1" && pwd)
build=${2:-gpu}
cd "$(dirname "$0")/../.."
. benchmarks/gpu/packing.sh
library=".mer/tensorflow-$build-2.21.0"
[ -d "$library" ] || { echo "error: $library is missing. Run npm run setup -- --for train${build/gpu/ --gpu}." >&2; exit 1; }

# The link in node_modules is absolute: it is left out here and made again by unpack.sh.
pack "$target" train 1500M --exclude='node_modules/onnxruntime-node' --exclude="$library/tensorflow/include" "$library" <<EOT
ln -sfn "../../../$library/tfjs-4.22.0" "\$1/node_modules/@tensorflow/tfjs-node-gpu/lib"
EOT
