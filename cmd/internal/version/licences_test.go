package version

import (
	"bytes"
	"compress/gzip"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite licences.txt.gz")

// Every module that a release links is named with its version and its licence,
// word for word, and so are the standard library and ECharts, which the HTML report
// embeds.
func TestLicences(t *testing.T) {
	want := collect(t)
	if *update {
		var packed bytes.Buffer
		w, _ := gzip.NewWriterLevel(&packed, gzip.BestCompression)
		if _, err := w.Write(want); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile("licences.txt.gz", packed.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		licences = packed.Bytes()
	}
	var got bytes.Buffer
	if err := writeLicences(&got); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got.Bytes(), want) {
		t.Errorf("not those of the modules that are linked now: run go test ./cmd/internal/version -run Licences -update\n%.2000s", want)
	}
	for _, part := range []string{"github.com/google/go-github/v60 v60.0.0\n", "github.com/jstemmer/go-junit-report/v2 ", "Apache ECharts, ", "The Go programming language", "Redistributions in binary form must reproduce the above"} {
		if !strings.Contains(got.String(), part) {
			t.Errorf("%q is missing", part)
		}
	}
	if strings.Contains(got.String(), "github.com/chromedp/") {
		t.Error("names a module that only tests use")
	}
}

// licenceFile matches the files that hold a licence or what has to go with it.
var licenceFile = regexp.MustCompile(`(?i)^(un)?(licen[cs]e|copying|notice|patents)([-.].*)?$`)

// collect asks Go for the modules below the program, for each system of a release.
func collect(t *testing.T) []byte {
	t.Helper()
	modules := make(map[string]string) // "PATH VERSION": folder
	for _, system := range []string{"linux", "darwin"} {
		cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}}\t{{.Version}}\t{{.Dir}}{{end}}{{end}}",
			"github.com/llama-regress/llama-regress/cmd/llama-regress")
		cmd.Env = append(os.Environ(), "GOOS="+system, "GOARCH=amd64", "CGO_ENABLED=0")
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(out)) {
			if f := strings.Split(strings.TrimSpace(line), "\t"); len(f) == 3 {
				modules[f[0]+" "+f[1]] = f[2]
			}
		}
	}
	names := slices.Sorted(func(yield func(string) bool) {
		for name := range modules {
			if !yield(name) {
				return
			}
		}
	})
	var index, texts strings.Builder
	numbers := make(map[string]int) // of texts: many modules have the same
	add := func(name, text string) {
		n, there := numbers[text]
		if !there {
			n = len(numbers) + 1
			numbers[text] = n
			fmt.Fprintf(&texts, "\n==== text %d ====\n\n%s\n", n, text)
		}
		fmt.Fprintf(&index, "%s\n    text %d\n", name, n)
	}
	goroot, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	add("llama-regress", read(t, "../../../LICENSE"))
	for _, file := range []string{"echarts-LICENSE", "echarts-NOTICE"} {
		add("Apache ECharts, which the HTML report holds", read(t, filepath.Join("../../../report/html/assets", file)))
	}
	add("The Go programming language and its standard library", read(t, filepath.Join(strings.TrimSpace(string(goroot)), "LICENSE")))
	for _, name := range names {
		entries, err := os.ReadDir(modules[name])
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for _, e := range entries {
			if licenceFile.MatchString(e.Name()) && e.Type().IsRegular() {
				add(name, read(t, filepath.Join(modules[name], e.Name())))
				found = true
			}
		}
		if !found {
			t.Errorf("%s has no licence: may it be linked?", name)
		}
	}
	return []byte("llama-regress is made of these parts, each under the licence whose text has that number.\n\n" + index.String() + texts.String())
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(strings.ReplaceAll(string(data), "\r\n", "\n"))
}
