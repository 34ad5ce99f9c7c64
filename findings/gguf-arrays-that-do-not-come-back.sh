#!/usr/bin/env bash
# gguf 0.19.0 (PyPI; gguf-py of llama.cpp), writer and reader of GGUF files.
#
# Behaviour, of metadata written by GGUFWriter.add_array and read back by
# GGUFReader, without an error or a warning:
#   an empty list      is not written: the key does not exist in the file;
#   a list of lists    comes back as one flat list, its inner lengths lost,
#                      although the file holds arrays of arrays;
#   a text             becomes an array of its characters;
#   a list of floats   is stored in 32 bits: 0.1 is 0.10000000149011612.
# A list of an integer above 2^31-1 is an error that does not name the key:
# the type of an array is int32 whatever it holds.
#
# Why it surprises: "no stop tokens" (an empty list) and "not stated" are the
# same file, so a tool that compares two models' metadata cannot tell them
# apart; and a round trip through both halves of one library changes data.
#
# Needs Python 3. Exit status: 0 as described, 1 if the behaviour has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q gguf==0.19.0
cat > "$dir/try.py" <<'PY'
import sys

import gguf
import numpy as np

path = sys.argv[1]


def round_trip(value):
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_array("example.key", value)
    writer.add_tensor("t", np.zeros((1, 32), np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    field = gguf.GGUFReader(path).fields.get("example.key")
    return "no such key" if field is None else (field.contents(), "/".join(t.name for t in field.types))


ok = True
for value, want in (
    ([1, 2], ([1, 2], "ARRAY/INT32")),
    ([], "no such key"),
    ([[1, 2], [3]], ([1, 2, 3], "ARRAY/ARRAY/INT32")),
    ("ab", (["a", "b"], "ARRAY/STRING")),
    ([0.1], ([float(np.float32(0.1))], "ARRAY/FLOAT32")),
):
    got = round_trip(value)
    print(f"add_array({value!r}) reads back as {got}")
    ok = ok and got == want
try:
    round_trip([2**31])
    ok = False
except Exception as error:
    print(f"add_array([2**31]): {type(error).__name__}: {error}")
    ok = ok and "example.key" not in str(error)
sys.exit(0 if ok else 1)
PY
"$dir/venv/bin/python" "$dir/try.py" "$dir/file.gguf"
