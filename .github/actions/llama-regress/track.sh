#!/usr/bin/env bash
# Keeps the issues of what a night found.
set -euo pipefail
. "$(dirname "$0")/args.sh"

args=(track)
add_gate
add --machine "$MACHINE"
exec "$TOOL" "${args[@]}" -- "$DIR"
