#!/usr/bin/env bash
# Turns the JSON list MACHINES into a matrix of jobs: one a machine, with the
# key of its comment. A list that is not one fails, rather than measure nothing,
# and so do two names of one key, such as a-b and a_b: one comment would overwrite
# the other.
set -euo pipefail

matrix=$(jq --exit-status --compact-output '
  if type != "array" then error("want a JSON list of names") else . end
  | map(if type == "string" and test("^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$") then . else error("a name that is none: \(.)") end)
  | if length > 256 then error("GitHub runs at most 256 jobs") else . end
  | map({machine: ., key: (ascii_downcase | gsub("-"; "_"))})
  | if (map(.key) | unique | length) < length then error("two machines with the key of one comment: \(group_by(.key) | map(select(length > 1))[0] | map(.machine) | join(", "))") else . end
  | {include: .}' <<<"$MACHINES") ||
  { echo "::error title=llama-regress::the variable LLAMA_REGRESS_MACHINES is no list of runner labels such as [\"bench-01\"] that differ in more than capitals, - and _"; exit 2; }
{
  echo "matrix=$matrix"
  echo "count=$(jq '.include | length' <<<"$matrix")"
} >>"$GITHUB_OUTPUT"
