package record_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
)

func TestLibrariesSHA256(t *testing.T) {
	a := record.Library{Name: "libllama.so", Path: "/a/libllama.so", SHA256: "11"}
	b := record.Library{Name: "libggml.so", Path: "/a/libggml.so", SHA256: "22"}
	moved := record.Library{Name: "libllama.so", Path: "/b/libllama.so", SHA256: "11"}
	rebuilt := record.Library{Name: "libllama.so", Path: "/a/libllama.so", SHA256: "33"}
	sum := func(l ...record.Library) string { return record.LibrariesSHA256(l) }
	if sum(a, b) != sum(b, moved) {
		t.Error("order or place changes the digest")
	}
	if sum(a, b) == sum(rebuilt, b) || sum(a, b) == sum(a) {
		t.Error("other bytes or another number of libraries do not")
	}
	if sum() != "" || record.LibrariesSHA256([]record.Library{}) == "" {
		t.Error("nothing known and nothing loaded are told apart by an empty digest")
	}
}

func TestOtherFiles(t *testing.T) {
	arm := func(program, server, library string) record.Arm {
		return record.Arm{Build: record.Build{SHA256: program, ServerSHA256: server}, Libraries: []record.Library{{Name: "libllama.so", SHA256: library}}}
	}
	for _, test := range []struct {
		a, b record.Arm
		want []string
	}{
		{arm("1", "2", "3"), arm("1", "2", "3"), nil},
		{arm("1", "", "3"), arm("", "2", "3"), nil}, // one served, the other did not
		{arm("1", "2", "3"), arm("1", "2", "4"), []string{"libllama.so"}},
		{arm("1", "2", "3"), arm("9", "8", "3"), []string{"llama-bench", "llama-server"}},
		{arm("1", "2", "3"), record.Arm{}, nil},
	} {
		if got := test.a.OtherFiles(test.b); !slices.Equal(got, test.want) {
			t.Errorf("%v and %v: %q, want %q", test.a, test.b, got, test.want)
		}
	}
}

func TestWithin(t *testing.T) {
	for _, test := range []struct {
		path, folder string
		want         bool
	}{
		{"/b/bin/x.so", "/b/bin", true}, {"/b/src/x.so", "/b", true}, {"/build/x.so", "/b", false}, {"/a/x.so", "/b", false}, {"/b/..x", "/b", true},
	} {
		if got := record.Within(test.path, test.folder); got != test.want {
			t.Errorf("%s in %s: %t", test.path, test.folder, got)
		}
	}
}

func TestAsksFor(t *testing.T) {
	dir := t.TempDir()
	real, link := filepath.Join(dir, "real"), filepath.Join(dir, "link")
	if err := os.Mkdir(real, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(real, link); err != nil {
		t.Fatal(err)
	}
	arm := record.Arm{Env: map[string]string{"LD_LIBRARY_PATH": ":" + link + ":/nowhere"}}
	if !arm.AsksFor(filepath.Join(real, "libllama.so")) || !arm.AsksFor(filepath.Join(link, "libllama.so")) || arm.AsksFor(filepath.Join(dir, "libllama.so")) {
		t.Error("a folder of LD_LIBRARY_PATH is not told from others")
	}
	if (record.Arm{}).AsksFor("/x/libllama.so") {
		t.Error("an arm that says nothing asks for something")
	}
}
