#!/usr/bin/env bash
# Packs all that benchmarks/gpu/gpu.sh needs for a CUDA machine without network: Node, ffmpeg, the packages, the CUDA
# provider of ONNX Runtime, the face nets, the golden clips, and one bundle a precision.
# usage: benchmarks/gpu/pack.sh [--piece SIZE] [--cpu] FOLDER BUNDLE...
# FOLDER gets pieces of at most SIZE (1500M) and unpack.sh, which puts them together where it is run.
# --cpu leaves the CUDA provider out: enough for the dry run.
set -euo pipefail
piece=1500M
provider=.mer/onnxruntime-cuda-1.30.0
while [[ "${1:-}" == --* ]]; do
  case $1 in
    --piece) piece=$2; shift 2 ;;
    --cpu) provider=; shift ;;
    *) echo "error: unknown option $1" >&2; exit 2 ;;
  esac
done
[ $# -ge 2 ] || { sed -n 's/^# usage: /usage: /p' "$0" >&2; exit 2; }
target=$(mkdir -p "$1" && cd "$1" && pwd)
shift
bundles=$(mktemp -d)
trap 'rm -rf "$bundles"' EXIT
mkdir "$bundles/bundles" "$bundles/ffmpeg"
for bundle in "$@"; do
  [ -f "$bundle/bundle.json" ] || { echo "error: $bundle is no bundle." >&2; exit 1; }
  cp --recursive --dereference "$bundle" "$bundles/bundles/$(basename "$bundle")"
done
cd "$(dirname "$0")/../.."
. benchmarks/gpu/packing.sh
if [ -n "$provider" ] && [ ! -d "$provider" ]; then
  echo "error: $provider is missing. Run npm run setup -- --for serve --gpu, or pack with --cpu." >&2
  exit 1
fi

# ffmpeg with its libraries and their loader, for no cluster has the same ones.
for program in ffmpeg ffprobe; do
  cp "$(command -v $program)" "$bundles/ffmpeg/$program.bin"
  ldd "$(command -v $program)" | awk '/=> \//{print $3} /^\t\/.*ld-linux/{print $1}' | sort --unique \
    | xargs cp --dereference --update --target-directory "$bundles/ffmpeg"
  cat > "$bundles/ffmpeg/$program" <<'EOT'
#!/bin/sh
here=$(dirname "$0")
exec "$here/ld-linux-x86-64.so.2" --library-path "$here" "$here/$(basename "$0").bin" "$@"
EOT
  chmod +x "$bundles/ffmpeg/$program"
done

# What PyTorch's side needs besides PyTorch; it is plain Python.
python=()
packages=.mer/reference-venv/lib/python3.11/site-packages
if [ -d "$packages/efficientnet_pytorch" ]; then
  mkdir "$bundles/python"
  cp --recursive "$packages/efficientnet_pytorch" "$bundles/python/"
  python=(python)
fi

# Links to the provider are absolute: they are left out here and made again by unpack.sh.
pack "$target" gpu "$piece" \
  --exclude='node_modules/@tensorflow' --exclude='libonnxruntime_providers_*.so' \
  --exclude='node_modules/onnxruntime-node/bin/napi-v6/win32' \
  --exclude='node_modules/onnxruntime-node/bin/napi-v6/darwin' \
  .mer/mtcnn test/golden benchmarks/reference \
  --directory "$bundles" bundles ffmpeg "${python[@]}" --directory "$PWD" <<EOT
if [ -d "\$1/python" ]; then
  rm -rf "\$1/benchmarks/gpu/python"
  mv "\$1/python" "\$1/benchmarks/gpu/python"
fi
EOT

if [ -n "$provider" ]; then
  # An archive of its own, so that a folder packed for the dry run only grows by it.
  tar --create --file - "$provider" | split --bytes="$piece" - "$target/provider.tar.part-"
  cat >> "$target/unpack.sh" <<EOT
cat "\$here"/provider.tar.part-* | tar --extract --file - --directory "\$1"
for library in shared cuda; do
  ln -sfn "../../../../../../$provider/onnxruntime/capi/libonnxruntime_providers_\$library.so" \
    "\$1/node_modules/onnxruntime-node/bin/napi-v6/linux/x64/libonnxruntime_providers_\$library.so"
done
EOT
fi
