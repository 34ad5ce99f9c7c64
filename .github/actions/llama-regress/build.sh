#!/usr/bin/env bash
# Builds llama.cpp twice with the same flags: where the pull request left the
# base branch, and at its head. SOURCE is a clone with both.
set -euo pipefail

: "${SOURCE:?folder of the clone}" "${BASE_SHA:?}" "${HEAD_SHA:?}" "${TO:?folder for the builds}"
for sha in "$BASE_SHA" "$HEAD_SHA"; do
  [[ "$sha" =~ ^[0-9a-f]{40}$ ]] || { echo "'$sha' is no commit"; exit 2; }
done
flags=(-DCMAKE_BUILD_TYPE=Release -DLLAMA_CURL=OFF)
while IFS= read -r flag; do [ -z "$flag" ] || flags+=("$flag"); done <<<"${FLAGS-}"

read -r -a targets <<<"${TARGETS:-llama-bench llama-server}"
for target in "${targets[@]}"; do
  [[ "$target" =~ ^llama-[a-z-]+$ ]] || { echo "'$target' is no program of llama.cpp"; exit 2; }
done

base=$(git -C "$SOURCE" merge-base "$BASE_SHA" "$HEAD_SHA") || { echo "no common ancestor of $BASE_SHA and $HEAD_SHA: fetch the whole history"; exit 2; }

# What a build prints is not ours: nothing of it is a command to the runner.
word=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
trap 'printf "\n::%s::\n" "$word"' EXIT
echo "::stop-commands::$word"
for side in base head; do
  sha=$HEAD_SHA
  if [ "$side" = base ]; then sha=$base; fi
  if [ -x "$TO/$side/bin/llama-bench" ] && [ "$(cat "$TO/$side/built" 2>/dev/null)" = "$sha ${flags[*]} ${targets[*]}" ]; then
    echo "$side: $sha is built already"
    continue
  fi
  rm -rf "$TO/$side" "$TO/$side-source"
  git -C "$SOURCE" worktree prune
  git -C "$SOURCE" worktree add --quiet --force --detach "$(realpath -m "$TO/$side-source")" "$sha"
  echo "build $side at $sha"
  cmake -S "$TO/$side-source" -B "$TO/$side" "${flags[@]}"
  cmake --build "$TO/$side" --target "${targets[@]}" --parallel "$(nproc)"
  echo "$sha ${flags[*]} ${targets[*]}" >"$TO/$side/built"
done
