#!/bin/sh
# Compares vigie with PyTorch, ONNX Runtime and OpenVINO on this machine: `benches/peers/run.sh [OPTIONS of peers.py]`.
# Environment: PEERS_DIR (target/peers), which keeps the virtual environment and the exported graphs; PYTHON (python3).
set -eu
here=$(dirname "$(realpath "$0")")
mkdir -p "${PEERS_DIR:=$here/../../target/peers}"
work=$(realpath "$PEERS_DIR")
root=$(realpath "$here/../..")

if ! cmp -s "$here/requirements.txt" "$work/venv/installed.txt"; then
    ${PYTHON:-python3} -m venv "$work/venv"
    "$work/venv/bin/pip" install --quiet --no-cache-dir -r "$here/requirements.txt" >&2
    cp "$here/requirements.txt" "$work/venv/installed.txt"
fi
python="$work/venv/bin/python -B"

# Builds a bench of a crate and prints the path of its binary.
bench() {
    cargo bench --manifest-path "$root/Cargo.toml" -p "$1" --bench "$2" --no-run --locked \
        --message-format json-render-diagnostics >"$work/cargo.json"
    $python -c 'import json, sys
print(next(line["executable"] for line in map(json.loads, sys.stdin)
           if line.get("executable") and line["target"]["name"] == sys.argv[1]))' "$2" <"$work/cargo.json"
}

binary=$(bench vigie-reading classify_once)
peak=$(bench vigie-kernels peak)
exec $python "$here/peers.py" --work "$work/models" --binary "$binary" --peak "$peak" "$@"
