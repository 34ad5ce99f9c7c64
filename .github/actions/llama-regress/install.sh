#!/usr/bin/env bash
# Puts the tool below RUNNER_TEMP and says where.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
to="$RUNNER_TEMP/llama-regress"
mkdir -p "$to"

if [ "$VERSION" = source ]; then
  command -v go >/dev/null || { echo "::error title=llama-regress::no Go here: install Go on the runner, or set 'version' to a release"; exit 2; }
  (cd "$here/../../.." && CGO_ENABLED=0 go build -trimpath -o "$to/llama-regress" ./cmd/llama-regress)
else
  [[ "$VERSION" =~ ^v[0-9]+\.[0-9]+\.[0-9]+$ ]] || { echo "::error title=llama-regress::version is neither 'source' nor vX.Y.Z"; exit 2; }
  case "$(uname -s)/$(uname -m)" in
    Linux/x86_64) platform=linux_amd64 ;;
    Linux/aarch64) platform=linux_arm64 ;;
    Darwin/arm64) platform=darwin_arm64 ;;
    *) echo "::error title=llama-regress::no release for this machine; set 'version: source'"; exit 2 ;;
  esac
  file="llama-regress_${VERSION}_$platform"
  # The sum comes from this commit, not from where the file does.
  want=$(awk -v f="$file" '$2 == f { print $1 }' "$here/checksums.txt")
  [ -n "$want" ] || { echo "::error title=llama-regress::$file is not in checksums.txt of this action; pin a newer commit, or set 'version: source'"; exit 2; }
  curl --fail --silent --show-error --location --proto '=https' --max-filesize 100000000 --retry 3 \
    --output "$to/download" "${LLAMA_REGRESS_RELEASES:-https://github.com/llama-regress/llama-regress/releases/download}/$VERSION/$file"
  got=$(sha256sum "$to/download" 2>/dev/null || shasum -a 256 "$to/download")
  [ "${got%% *}" = "$want" ] || { rm -f "$to/download"; echo "::error title=llama-regress::$file has another SHA-256 than checksums.txt says"; exit 2; }
  chmod 755 "$to/download"
  mv "$to/download" "$to/llama-regress"
fi
echo "tool=$to/llama-regress" >>"$GITHUB_OUTPUT"
