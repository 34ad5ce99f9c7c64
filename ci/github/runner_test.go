package github_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/github"
)

// outputsOf reads an output file as the runner does.
func outputsOf(t *testing.T, text string) map[string]string {
	t.Helper()
	values := make(map[string]string)
	for text != "" {
		line, rest, _ := strings.Cut(text, "\n")
		name, delimiter, ok := strings.Cut(line, "<<")
		if !ok {
			t.Fatalf("the runner cannot read %q", line)
		}
		value, rest, ok := strings.Cut("\n"+rest, "\n"+delimiter+"\n")
		if !ok {
			t.Fatalf("%s does not end", name)
		}
		values[name] = strings.TrimPrefix(value, "\n")
		text = rest
	}
	return values
}

func TestAppendOutputs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "output")
	hostile := "pass\nEOF\nverdict=pass\nx<<EOF\nllama_regress_\nghadelimiter_0\n"
	for i := range 2 {
		if err := github.AppendOutputs(path, []github.Output{{Name: fmt.Sprint("a", i), Value: hostile}, {Name: "empty", Value: ""}, {Name: "b-c_d", Value: "1"}}); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got := outputsOf(t, string(data))
	if len(got) != 4 || got["a0"] != hostile || got["a1"] != hostile || got["empty"] != "" || got["b-c_d"] != "1" {
		t.Errorf("got %q", got)
	}
	delimiters := regexp.MustCompile(`<<(\S+)`).FindAllStringSubmatch(strings.ReplaceAll(string(data), hostile, ""), -1)
	seen := make(map[string]bool)
	for _, d := range delimiters {
		if seen[d[1]] || len(d[1]) < 30 {
			t.Errorf("delimiter %q is used twice or short", d[1])
		}
		seen[d[1]] = true
	}
}

// A file that another tool left without a line end does not swallow our first
// output.
func TestAppendOutputsAfterHalfALine(t *testing.T) {
	path := filepath.Join(t.TempDir(), "output")
	if err := os.WriteFile(path, []byte("x<<D\ny\nD"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := github.AppendOutputs(path, []github.Output{{Name: "verdict", Value: "pass"}}); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got := outputsOf(t, string(data)); got["x"] != "y" || got["verdict"] != "pass" {
		t.Errorf("got %q", got)
	}
}

func TestOutputsThatAreRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "output")
	for _, o := range []github.Output{{Name: "", Value: "x"}, {Name: "a b", Value: "x"}, {Name: "a=b", Value: "x"}, {Name: "a<<b", Value: "x"}, {Name: "a\nb", Value: "x"}, {Name: "a", Value: "\xff"}} {
		if err := github.AppendOutputs(path, []github.Output{o}); err == nil {
			t.Errorf("%q was written", o)
		}
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("something was written")
	}
}

func TestAppendSummary(t *testing.T) {
	path := filepath.Join(t.TempDir(), "summary")
	if err := os.WriteFile(path, bytes.Repeat([]byte("x"), 1000), 0o644); err != nil {
		t.Fatal(err)
	}
	room := 0
	err := github.AppendSummary(path, func(n int) ([]byte, error) {
		room = n
		return bytes.Repeat([]byte("y"), n), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil || len(data) > github.MaxStepSummary || len(data) < github.MaxStepSummary-2 || !strings.Contains(string(data[990:1010]), "x\ny") {
		t.Errorf("%d bytes after room for %d, %v", len(data), room, err)
	}
	before := len(data)
	for _, text := range []string{"z", strings.Repeat("z", 100)} {
		if err := github.AppendSummary(path, func(int) ([]byte, error) { return []byte(text), nil }); err == nil {
			t.Error("a summary that would drop all of it was written")
		}
	}
	if info, err := os.Stat(path); err != nil || info.Size() != int64(before) {
		t.Errorf("%v, %v", info.Size(), err)
	}
	if err := github.AppendSummary(path, func(int) ([]byte, error) { return nil, io.ErrUnexpectedEOF }); err != io.ErrUnexpectedEOF {
		t.Errorf("got %v", err)
	}
}
