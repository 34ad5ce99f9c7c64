// Command llama-regress is a performance gate for llama.cpp.
//
//	llama-regress quickstart                       the whole job on a bare machine
//	llama-regress gate --base A --head B -m M      measure two builds in turns, judge, report
//	llama-regress gate --head B -m M               measure one build, judge by the stored sessions
//	llama-regress run, compare, report             the same in three steps
//	llama-regress plan --github-matrix, merge      one matrix on several machines
//	llama-regress baseline put, list, promote      keep sessions as history's baseline; also show, prune
//	llama-regress bisect                           which commit of llama.cpp made it slower
//	llama-regress export, baseline export          CSV, benchstat's format, compare-llama-bench.py's SQLite
//	llama-regress annotate, comment, track         tell a GitHub job, a pull request, an issue
//	llama-regress doctor                           is this machine fit to measure, and what to change
//	llama-regress calibrate                        this machine's noise, and the blocks and margins it allows
//	llama-regress schedulers                       which sched_ext schedulers this machine has, and can load
//	llama-regress plan                             what would run, or what a time budget would buy
//	llama-regress config init, check, schema       llama-regress.yaml
//	llama-regress provision llama, model           what a fresh machine lacks
//
// Each has --help with examples. Results go to standard output, everything
// else to standard error. Exit codes: 0 nothing got worse, 1 regression,
// 2 usage, configuration or input, 3 inconclusive where the policy fails it or
// nothing to compare, 4 a measurement failed, 130 interrupted.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/llama-regress/llama-regress/cmd/internal/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP) // SIGHUP: a terminal or ssh connection that closed
	context.AfterFunc(ctx, stop)                                                                           // a second signal ends us at once
	self, _ := os.Executable()
	code := execute(ctx, os.Args[1:], cli.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv, Self: self})
	stop()
	os.Exit(code)
}
