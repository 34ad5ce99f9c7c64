package main

import (
	"context"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/llama-regress/llama-regress/cmd/internal/settings"
	"github.com/llama-regress/llama-regress/fixtures/fakesched"
)

func takeOverScheduler() { fakesched.TakeOver() }

// kernel DIR [NAME...] makes a kernel with sched_ext of DIR, and schedulers
// that load into it, for the rest of the script.
func fakeKernel(ts *testscript.TestScript, _ bool, args []string) {
	dir := ts.MkAbs(args[0])
	ctx, cancel := context.WithCancel(context.Background())
	ts.Defer(cancel)
	fakesched.NewKernel(ctx, dir)
	_, err := fakesched.Install(dir+"/bin", args[1:]...)
	ts.Check(err)
	ts.Setenv(settings.KernelVariable, dir)
	ts.Setenv(fakesched.Variable, dir)
}
