#!/usr/bin/env bash
# Builds the commit that is checked out twice, in two folders and with two empty
# caches, and compares the bytes. The arguments are platforms, such as linux_amd64.
# With $RELEASE the first build of each is kept in that folder, as
# llama-regress_$TAG_PLATFORM.
set -euo pipefail
cd "$(git rev-parse --show-toplevel)"

work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT
for copy in one two-in-a-longer-path; do
  git clone -q --no-local . "$work/$copy/source"
done
differ=0
for platform in "$@"; do
  for copy in one two-in-a-longer-path; do
    (cd "$work/$copy/source" &&
      GOOS=${platform%_*} GOARCH=${platform#*_} CGO_ENABLED=0 GOCACHE="$work/$copy/cache" \
        go build -trimpath -buildvcs=true -ldflags "-s -w" -o "$work/$copy/llama-regress_$platform" ./cmd/llama-regress)
  done
  if cmp "$work/one/llama-regress_$platform" "$work/two-in-a-longer-path/llama-regress_$platform"; then
    echo "$platform: $(sha256sum <"$work/one/llama-regress_$platform" | cut -c1-64), $(stat -c %s "$work/one/llama-regress_$platform") bytes, twice the same"
  else
    differ=1
  fi
  if [ -n "${RELEASE:-}" ]; then
    cp "$work/one/llama-regress_$platform" "$RELEASE/llama-regress_${TAG}_$platform"
  fi
done
exit $differ
