#!/usr/bin/env bash
# Reports what changed over the stored nights, and keeps one issue for each
# change point. What the night itself was measured for is judged elsewhere: this
# fails only where the store cannot be read.
set -euo pipefail
. "$(dirname "$0")/args.sh"

args=()
add_gate
add --store "$STORE"
add --checkout "$CHECKOUT"
add --false-alarms "$FALSE_ALARMS"
mkdir -p -- "$DIR"
"$TOOL" nightly "${args[@]}" --exit-zero \
  --out="html=$DIR/nightly.html" --out="markdown=$DIR/nightly.md" --out="junit=$DIR/nightly.xml" --out="json=$DIR/nightly.json"
if [ -n "${GITHUB_STEP_SUMMARY-}" ]; then cat -- "$DIR/nightly.md" >>"$GITHUB_STEP_SUMMARY"; fi
if [ -n "${GITHUB_TOKEN-}" ]; then "$TOOL" nightly track "${args[@]}"; fi
