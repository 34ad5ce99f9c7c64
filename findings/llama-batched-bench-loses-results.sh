#!/usr/bin/env bash
# llama-batched-bench of llama.cpp 0.7.0 (build 11669, Debian's llama.cpp-tools-extra
# 1:0.7.0+dfsg-2), which measures batches of sequences.
#
# Behaviour: its results go through the log, which a thread of its own prints, and the
# program ends without waiting for it. On a busy machine a run ends with status 0, and
# the last lines of its results are not there: one, several or all. llama-bench prints
# by itself and loses none.
#
# Why it surprises: status 0 and well-formed lines look like a whole result. A script
# that takes the last line for the largest batch takes another one, unseen.
#
# Seen: "run 2: status 0 and 3 of 4 results", and the same of runs 5 and 6.
#
# What to do: ask for one batch more than is needed, count the results, and run again
# where some are missing.
#
# Needs apt, dpkg, Python and the packages of Debian's sid. Nothing is installed outside
# a temporary folder. The model has random weights.
# Exit status: 0 as described, 1 if 300 runs lack nothing.
set -euo pipefail
dir=$(mktemp -d)
busy=()
trap 'kill "${busy[@]}" 2>/dev/null || true; rm -rf "$dir"' EXIT

mkdir -p "$dir"/{lists,archives}/partial "$dir/files"
: >"$dir/status"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian sid main" >"$dir/sid.list"
apt() {
  apt-get -q -o Dir::Etc::SourceList="$dir/sid.list" -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists="$dir/lists" \
    -o Dir::State::Status="$dir/status" -o Dir::Cache::Archives="$dir/archives" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= \
    -o Debug::NoLocking=1 -o APT::Sandbox::User= -o APT::Install-Recommends=0 "$@" >/dev/null
}
apt update
apt -y --download-only install llama.cpp-tools-extra=1:0.7.0+dfsg-2
for package in "$dir"/archives/*.deb; do dpkg -x "$package" "$dir/files"; done

python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install -q gguf==0.19.0
"$dir/venv/bin/python" - "$dir/model.gguf" <<'PYTHON'
import sys
import gguf
import numpy

width, inner, heads, layers, words = 64, 128, 4, 2, 256
model = gguf.GGUFWriter(sys.argv[1], "llama")
model.add_context_length(1024)
model.add_embedding_length(width)
model.add_block_count(layers)
model.add_feed_forward_length(inner)
model.add_head_count(heads)
model.add_head_count_kv(heads)
model.add_layer_norm_rms_eps(1e-5)
model.add_vocab_size(words)
model.add_rope_dimension_count(width // heads)
model.add_file_type(0)
model.add_tokenizer_model("no_vocab")
chance = numpy.random.default_rng(1)
shapes = {"token_embd": (words, width), "output": (words, width), "output_norm": (width,)}
for i in range(layers):
    shapes |= {f"blk.{i}.{n}": (width,) for n in ("attn_norm", "ffn_norm")}
    shapes |= {f"blk.{i}.{n}": (width, width) for n in ("attn_q", "attn_k", "attn_v", "attn_output")}
    shapes |= {f"blk.{i}.{n}": (inner, width) for n in ("ffn_gate", "ffn_up")}
    shapes[f"blk.{i}.ffn_down"] = (width, inner)
for name, shape in shapes.items():
    model.add_tensor(name + ".weight", (chance.standard_normal(shape) * 0.02).astype(numpy.float32))
model.write_header_to_file()
model.write_kv_data_to_file()
model.write_tensors_to_file()
model.close()
PYTHON

lib=$(dirname "$(find "$dir/files" -name 'ld-linux-*' | head -n 1)")
cd "$lib/ggml/backends0" # where the program looks for its backends
measure() {
  "$lib"/ld-linux-* --library-path "$lib:$lib/llama:$lib/ggml" "$dir/files/usr/bin/llama-batched-bench" \
    -m "$dir/model.gguf" -c 1024 -npp 32 -ntg 8 -npl 1,4,1,4 -t 1 --output-format jsonl 2>/dev/null
}
for _ in $(seq $((2 * $(nproc)))); do
  (while :; do :; done) &
  busy+=($!)
done
lacking=0
for run in $(seq 300); do
  results=$(measure) || { echo "run $run: status $?"; exit 1; }
  rows=$(grep -c '"pl"' <<<"$results" || true)
  if [ "$rows" -ne 4 ]; then
    lacking=$((lacking + 1))
    echo "run $run: status 0 and $rows of 4 results"
    [ "$lacking" -lt 3 ] || break
  fi
done
[ "$lacking" -gt 0 ]
