package provision

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// golden compares got with the file, which -update rewrites.
func golden(t *testing.T, path, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", path, diff)
	}
}

// Each folder below testdata/machines is a machine's etc/; want.txt is what is
// made of it: problems, the archives chosen, and what apt is told of them.
func TestArchives(t *testing.T) {
	machines, err := filepath.Glob("testdata/machines/*")
	if err != nil || len(machines) == 0 {
		t.Fatalf("no machines: %v", err)
	}
	for _, root := range machines {
		t.Run(filepath.Base(root), func(t *testing.T) {
			r := readOSRelease(root)
			sources, problems := readAptSources(root)
			var b strings.Builder
			for _, p := range problems {
				fmt.Fprintf(&b, "problem: %s\n", strings.TrimPrefix(p.Error(), root))
			}
			fmt.Fprintf(&b, "%d sources, next suite %s\n", len(sources), r.nextSuite())
			for _, a := range archives(sources, r) {
				fmt.Fprintf(&b, "\n# %s\n%s", a, a.deb822("amd64"))
			}
			golden(t, filepath.Join(root, "want.txt"), b.String())
		})
	}
}

// What is written for apt must mean what was read, whoever wrote it: a value
// must not become a field, above all not one that turns a check off.
func sameAfterRewriting(t *testing.T, sources []aptSource) {
	t.Helper()
	for _, s := range sources {
		if s.uri == "" || s.suite == "" {
			t.Fatalf("a source without address or suite: %+v", s)
		}
		text := s.deb822("amd64")
		again, problems := parseDeb822("x", text)
		if len(again) != 1 || len(problems) > 0 || cmp.Diff(s, again[0], cmp.AllowUnexported(aptSource{}), emptyIsNil) != "" {
			t.Fatalf("%+v\nbecame %+v %v\nthrough:\n%s", s, again, problems, text)
		}
		for line := range strings.Lines(text) {
			if lower := strings.ToLower(line); strings.HasPrefix(lower, "trusted") || strings.HasPrefix(lower, "allow") {
				t.Fatalf("a check is turned off:\n%s", text)
			}
		}
	}
}

var emptyIsNil = cmp.Comparer(func(a, b []string) bool { return strings.Join(a, " ") == strings.Join(b, " ") })

func seeds(f *testing.F, ext string) {
	n := 0
	for _, pattern := range []string{"testdata/machines/*/etc/apt/*" + ext, "testdata/machines/*/etc/apt/sources.list.d/*" + ext} {
		paths, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, path := range paths {
			data, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(data))
			n++
		}
	}
	if n == 0 {
		f.Fatal("no seeds")
	}
}

func FuzzParseOneLine(f *testing.F) {
	seeds(f, ".list")
	f.Fuzz(func(t *testing.T, text string) {
		sources, _ := parseOneLine("x.list", text)
		sameAfterRewriting(t, sources)
	})
}

func FuzzParseDeb822(f *testing.F) {
	seeds(f, ".sources")
	f.Fuzz(func(t *testing.T, text string) {
		sources, _ := parseDeb822("x.sources", text)
		sameAfterRewriting(t, sources)
	})
}
