#!/usr/bin/env bash
# Measures, judges, reports, and ends with the gate's exit code.
set -euo pipefail
. "$(dirname "$0")/args.sh"

# One measurement at a time on this machine, whichever repository it is for.
if [ -n "$LOCK" ]; then
  if ! command -v flock >/dev/null || ! { exec 9>>"$LOCK"; } 2>/dev/null; then
    echo "::warning title=llama-regress::cannot lock $LOCK: other jobs on this machine may disturb the measurement"
  elif ! flock --nonblock 9; then
    echo "another measurement runs on this machine; waiting for $LOCK"
    flock --wait "$LOCK_WAIT" 9 || { echo "::error title=llama-regress::the machine was not free within $LOCK_WAIT s"; exit 4; }
  fi
fi

args=(gate)
add --dir "$DIR"
add_gate
add --base "$BASE"
add --head "$HEAD"
add_lines --model "$MODEL"
add --tests "$TESTS"
add --blocks "$BLOCKS"
add --budget "$BUDGET"

# What runs below is not ours: nothing it prints is a command to the runner.
# The tool is told of an interrupt, so that it reports what it has.
word=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
echo "::stop-commands::$word"
code=0
"$TOOL" "${args[@]}" 9>&- &
trap 'kill -TERM $!' INT TERM
while :; do
  code=0
  wait $! || code=$?
  kill -0 $! 2>/dev/null || break
done
trap - INT TERM
printf '\n::%s::\n' "$word"

args=(annotate)
add_gate
if [ -e "$DIR/run.json" ]; then
  "$TOOL" "${args[@]}" -- "$DIR"
else
  echo "::error title=llama-regress::nothing was measured; the log of this step says why"
fi
echo "exit-code=$code" >>"$GITHUB_OUTPUT"
if [ "$ACCEPT" = true ] && [ "$code" = 1 ]; then
  echo "::notice title=Regression accepted::a maintainer accepted it for this commit"
  code=0
fi
exit "$code"
