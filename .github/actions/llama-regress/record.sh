#!/usr/bin/env bash
# Stores a measured run for good.
set -euo pipefail
. "$(dirname "$0")/args.sh"

args=(baseline put)
add --config "$CONFIG"
add --store "$STORE"
add --machine "$MACHINE"
add --attempt "${GITHUB_RUN_ATTEMPT-}"
exec "$TOOL" "${args[@]}" -- "$DIR"
