package llama

import (
	"os"
	"path/filepath"
	"testing"
)

// The folder that a user names may be that of the programs, of the build, or of the
// checkout.
func TestFindProgram(t *testing.T) {
	t.Parallel()
	checkout := t.TempDir()
	program := filepath.Join(checkout, "build", "bin", "llama-bench")
	if err := os.MkdirAll(filepath.Dir(program), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(program, []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, named := range []string{program, filepath.Dir(program), filepath.Join(checkout, "build"), checkout} {
		if found, err := findProgram(named, "llama-bench"); err != nil || found != program {
			t.Errorf("%s: %q, %v", named, found, err)
		}
	}
	if _, err := findProgram(checkout, "llama-server"); err == nil {
		t.Error("a program that is not there was found")
	}
}
