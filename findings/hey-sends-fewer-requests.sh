#!/usr/bin/env bash
# hey v0.1.4 (github.com/rakyll/hey), a load generator.
#
# Behaviour: `hey -n N -c C` gives each of its C workers N/C requests, rounded
# down, and drops the rest. 100 requests by 64 workers are 64 requests, and 10
# by 3 workers are 9. Nothing says so: the status is 0 and the summary counts
# only what was sent.
#
# Why it surprises: -n is "number of requests to run". A rate or a success
# rate "of N requests" worked out from -n is wrong by up to almost a half, and
# a server's counters never agree with the command line.
#
# Other tools: bombardier v1.2.6 sends all N.
#
# Needs Go. Exit status: 0 as described, 1 if the behaviour has changed.
set -euo pipefail
dir=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; rm -rf "$dir"' EXIT
server=
cd "$dir"
export GOBIN="$dir/bin" GOFLAGS=
go install github.com/rakyll/hey@v0.1.4
go install github.com/codesenberg/bombardier@v1.2.6

cat > server.go <<'GO'
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"sync/atomic"
)

func main() {
	var seen atomic.Int64
	http.HandleFunc("/seen", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, seen.Swap(0)) })
	http.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) { seen.Add(1); fmt.Fprint(w, "ok") })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	os.WriteFile("address.new", []byte(l.Addr().String()), 0o644)
	os.Rename("address.new", "address")
	panic(http.Serve(l, nil))
}
GO
cat > get.go <<'GO'
package main

import (
	"io"
	"net/http"
	"os"
)

func main() {
	r, err := http.Get(os.Args[1])
	if err != nil {
		panic(err)
	}
	io.Copy(os.Stdout, r.Body)
}
GO
go build -o server server.go
go build -o get get.go
./server &
server=$!
until [ -f address ]; do sleep 0.1; done
at=http://$(cat address)

changed=0
try() { # asked, workers, what hey sends
  bin/hey -n "$1" -c "$2" "$at/" > out
  hey=$(./get "$at/seen")
  bin/bombardier -n "$1" -c "$2" -p r "$at/" > /dev/null
  bombardier=$(./get "$at/seen")
  echo "asked for $1 requests by $2 workers: hey sent $hey (status 0), bombardier $bombardier"
  [ "$hey" = "$3" ] && [ "$bombardier" = "$1" ] && ! grep -qi warn out || changed=1
}
# Seen: 9, 64 and 900 by hey; 10, 100 and 1000 by bombardier.
try 10 3 9
try 100 64 64
try 1000 300 900
exit $changed
