#!/usr/bin/env bash
# github.com/ebitengine/purego v0.11.3, "call C functions from Go without cgo".
#
# Behaviour: a program that imports it and is built with CGO_ENABLED=0 for Linux is
# dynamically linked: it has an interpreter (ld-linux) and needs libdl, libpthread
# and libc by name. No linker flag of Go makes it static again.
#
# Why it surprises: CGO_ENABLED=0 is how Go programs are made static, and "without
# cgo" reads like "stays static". Such a program does not start in a container
# FROM scratch, on Alpine (musl), or where the C library is older than asked for.
# A tool that is released as one static file can open libnvidia-ml.so this way only
# by giving that up, whether or not the machine has a GPU.
#
# Needs Go, readelf (binutils) and a module proxy; x86-64 or arm64. Exit status: 0 as
# described, 1 if the behaviour has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cat > go.mod <<'MOD'
module example.com/try

go 1.24
MOD
cat > plain.go <<'GO'
package main

func main() { println("hello") }
GO
export CGO_ENABLED=0 GOOS=linux GOFLAGS=-mod=mod
go build -o plain plain.go
mkdir opens
cat > opens/main.go <<'GO'
package main

import "github.com/ebitengine/purego"

func main() {
	_, err := purego.Dlopen("libnvidia-ml.so.1", purego.RTLD_NOW)
	println(err == nil)
}
GO
go get github.com/ebitengine/purego@v0.11.3 2> /dev/null
go build -ldflags=-extldflags=-static -o opens-it ./opens
for program in plain opens-it; do
	echo "$program: interpreter $(readelf -lW "$program" | grep -c INTERP), needs: $(readelf -dW "$program" | sed -n 's/.*NEEDED.*\[\(.*\)\]/\1/p' | tr '\n' ' ')"
done
readelf -lW plain | grep -q INTERP && exit 1
readelf -lW opens-it | grep -q INTERP && readelf -dW opens-it | grep -q 'NEEDED.*libc'
