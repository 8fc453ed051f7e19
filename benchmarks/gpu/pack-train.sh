#!/usr/bin/env bash
# Packs all that benchmarks/gpu/train.sh needs, Node included, for a machine without network.
# usage: benchmarks/gpu/pack-train.sh FOLDER [cpu|gpu]
# FOLDER gets pieces of at most 1.5 GB and unpack.sh, which puts them together where it is run.
set -euo pipefail
target=$(mkdir -p "$1" && cd "$1" && pwd)
build=${2:-gpu}
cd "$(dirname "$0")/../.."
library=".mer/tensorflow-$build-2.21.0"
[ -d "$library" ] || { echo "error: $library is missing. Run npm run setup -- --for train${build/gpu/ --gpu}." >&2; exit 1; }
[ -d dist ] || { echo "error: dist is missing. Run npm run build." >&2; exit 1; }

# The link in node_modules is absolute: it is left out here and made again by unpack.sh.
tar --create --file - \
  --exclude='node_modules/@tensorflow/tfjs-node-gpu/lib' --exclude='node_modules/onnxruntime-node' \
  --exclude='node_modules/typescript' --exclude='node_modules/@biomejs' --exclude='node_modules/@img' \
  --exclude="$library/tensorflow/include" \
  bin dist package.json node_modules benchmarks/gpu "$library" \
  | split --bytes=1500M - "$target/train.tar.part-"
cp "$(command -v node)" "$target/node"
cat > "$target/unpack.sh" <<EOF
#!/usr/bin/env bash
# usage: unpack.sh FOLDER, then FOLDER/benchmarks/gpu/train.sh
set -euo pipefail
here=\$(cd "\$(dirname "\$0")" && pwd)
mkdir -p "\$1"
cat "\$here"/train.tar.part-* | tar --extract --file - --directory "\$1"
cp "\$here/node" "\$1/node"
ln -sfn "../../../$library/tfjs-4.22.0" "\$1/node_modules/@tensorflow/tfjs-node-gpu/lib"
EOF
chmod +x "$target/unpack.sh"
du --human-readable --apparent-size "$target"/* | sort --key 2
