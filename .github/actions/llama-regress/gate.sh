#!/usr/bin/env bash
# Measures, judges, reports, and ends with the gate's exit code.
set -euo pipefail
. "$(dirname "$0")/args.sh"

if [ -n "$LOCK" ]; then export LLAMA_REGRESS_LOCK=$LOCK; fi

if [ -n "${SYNTHETIC-}" ] && [ ! -e "${SYNTHETIC_TO:=model.gguf}" ]; then
  "$TOOL" provision model "--out=$SYNTHETIC_TO" -- "$SYNTHETIC"
fi

args=(gate)
add --dir "$DIR"
add --wait "$WAIT"
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
"$TOOL" "${args[@]}" &
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
