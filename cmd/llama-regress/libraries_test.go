package main

import (
	"os"
	"os/exec"
	"runtime"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// Which libraries run is asked of real programs, built with the C compiler here:
// only glibc's loader can be asked. LLAMA_REGRESS_REQUIRE_CC=1 demands the compiler.
func TestLibraries(t *testing.T) {
	if _, err := exec.LookPath("cc"); err != nil || runtime.GOOS != "linux" {
		if os.Getenv("LLAMA_REGRESS_REQUIRE_CC") == "1" {
			t.Fatal("no C compiler on Linux, and LLAMA_REGRESS_REQUIRE_CC is 1")
		}
		t.Skip("no C compiler, or not Linux")
	}
	testscript.Run(t, scripts("testdata/libraries"))
}
