package record_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-regress/llama-regress/ci/record"
)

func TestBuildsThatCannotBeCompared(t *testing.T) {
	gnu := record.Build{Commit: "a", Backends: "CPU", Compiler: "GNU 13.2.0 for Linux x86_64"}
	for _, c := range []struct {
		other record.Build
		want  []record.KeyDiff
	}{
		{gnu, nil},
		{record.Build{Commit: "b"}, nil}, // nothing is known
		{record.Build{Backends: "CPU", Compiler: "GNU 13.3.0 for Linux x86_64"}, nil},
		{record.Build{Backends: "CUDA", Compiler: "GNU 14.1.0 for Linux x86_64"}, []record.KeyDiff{
			{Key: "build.backends", A: "CPU", B: "CUDA"}, {Key: "build.compiler", A: gnu.Compiler, B: "GNU 14.1.0 for Linux x86_64"},
		}},
		{record.Build{Compiler: "Clang 13.2.0 for Linux x86_64"}, []record.KeyDiff{{Key: "build.compiler", A: gnu.Compiler, B: "Clang 13.2.0 for Linux x86_64"}}},
		{record.Build{Compiler: "GNU 13.2.0 for Linux aarch64"}, []record.KeyDiff{{Key: "build.compiler", A: gnu.Compiler, B: "GNU 13.2.0 for Linux aarch64"}}},
	} {
		if diff := cmp.Diff(c.want, gnu.Compare(c.other)); diff != "" {
			t.Errorf("%+v: -want +got:\n%s", c.other, diff)
		}
	}
	ubuntu := record.Build{Compiler: "cc (Ubuntu 13.2.0-23ubuntu4) 13.2.0 for x86_64-linux-gnu"}
	if d := ubuntu.Compare(record.Build{Compiler: "cc (Ubuntu 13.3.0-6ubuntu2~24.04) 13.3.0 for x86_64-linux-gnu"}); d != nil {
		t.Errorf("a patch of the compiler: %v", d)
	}
}
