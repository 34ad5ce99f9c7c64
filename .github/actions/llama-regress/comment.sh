#!/usr/bin/env bash
# Posts what the run that started this workflow measured.
set -euo pipefail
. "$(dirname "$0")/args.sh"

args=(comment --artifact=event "--accept=add the label perf-accepted")
add_gate
add --artifact-name "$ARTIFACT"
add --key "$KEY"
add --policy "$POLICY"
add --workflow "$WORKFLOW"
add --check "$CHECK"
exec "$TOOL" "${args[@]}"
