# Sourced by pack.sh and pack-train.sh: packs for a machine without network.

# pack TARGET NAME PIECE TAR_ARGUMENT...   with more lines of unpack.sh on standard input ($1: where it unpacks to)
# Makes TARGET/NAME.tar.part-* of at most PIECE bytes, TARGET/node, and TARGET/unpack.sh, which puts them together.
pack() {
  local target=$1 name=$2 piece=$3
  shift 3
  [ -d dist ] || { echo "error: dist is missing. Run npm run build." >&2; exit 1; }
  rm -f "$target/$name".tar.part-*
  tar --create --file - \
    --exclude='node_modules/@tensorflow/tfjs-node-gpu/lib' --exclude='node_modules/typescript' \
    --exclude='node_modules/ts7' --exclude='node_modules/@biomejs' --exclude='node_modules/@img' \
    --exclude='node_modules/assemblyscript' --exclude='node_modules/binaryen' \
    "$@" bin dist package.json node_modules benchmarks/gpu \
    | split --bytes="$piece" - "$target/$name.tar.part-"
  cp "$(command -v node)" "$target/node"
  {
    cat <<HEAD
#!/usr/bin/env bash
# usage: unpack.sh FOLDER
set -euo pipefail
here=\$(cd "\$(dirname "\$0")" && pwd)
mkdir -p "\$1"
cat "\$here"/$name.tar.part-* | tar --extract --file - --directory "\$1"
cp "\$here/node" "\$1/node"
HEAD
    cat
  } > "$target/unpack.sh"
  chmod +x "$target/unpack.sh"
  du --human-readable --apparent-size "$target"/* | sort --key 2
}
