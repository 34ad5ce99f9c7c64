//go:build !unix

package main

import "github.com/rogpeppe/go-internal/testscript"

func takeOverScheduler() {}

func fakeKernel(ts *testscript.TestScript, _ bool, _ []string) { ts.Fatalf("no kernel to fake here") }
