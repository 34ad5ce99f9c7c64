#!/usr/bin/env bash
# gguf 0.19.0 (PyPI; gguf-py of llama.cpp), command gguf-set-metadata.
#
# Behaviour, for a key of type BOOL whose value is true:
#   gguf-set-metadata FILE tokenizer.ggml.add_bos_token false --force
# reads "false" as true, finds that "already set to requested value True" and
# ends with status 0. So do False, no, off and 0. For a key whose value is
# false, "false" sets it to true, and reports success. Only an empty argument
# sets a BOOL to false.
#
# Why it surprises: add_bos_token decides whether each prompt begins with one
# token more. Whoever mends a model's file by this command sees success twice
# and serves the unmended model, or breaks one that was right. Values of other
# types are checked: a text for a number and a number out of range are errors.
#
# Needs Python 3. Exit status: 0 as described, 1 if the behaviour has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q gguf==0.19.0
cat > "$dir/model.py" <<'PY'
import sys

import gguf
import numpy as np

writer = gguf.GGUFWriter(sys.argv[1], "llama")
writer.add_bool("tokenizer.ggml.add_bos_token", sys.argv[2] == "true")
writer.add_tensor("t", np.zeros((1, 32), np.float32))
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
PY

changed=0
try() { # value in the file, argument, value expected after
  "$dir/venv/bin/python" "$dir/model.py" "$dir/model.gguf" "$1"
  status=0
  "$dir/venv/bin/gguf-set-metadata" "$dir/model.gguf" tokenizer.ggml.add_bos_token "$2" --force > "$dir/said" 2>&1 || status=$?
  after=$("$dir/venv/bin/gguf-dump" --no-tensors "$dir/model.gguf" 2>/dev/null | sed -n 's/.*add_bos_token = //p')
  printf 'file says %-5s  argument %-7s  afterwards %-5s  status %s: %s\n' "$1" "'$2'" "$after" "$status" "$(sed -n '$s/^INFO:gguf-set-metadata:. //p' "$dir/said")"
  [ "$after" = "$3" ] && [ "$status" = 0 ] || changed=1
}
try true false True
try true False True
try true no True
try true off True
try true 0 True
try false false True
try true '' False
exit $changed
