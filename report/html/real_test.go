package html_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/report"
)

// realRun measures the real llama-bench and llama-server with the program as
// users have it, behind a client that reuses connections so that requests fail,
// and returns the folder with its reports.
func realRun(t *testing.T) string {
	t.Helper()
	if os.Getenv("LLAMA_REGRESS_REQUIRE_LLAMA") != "1" {
		t.Skip("no page of a real run is opened; LLAMA_REGRESS_REQUIRE_LLAMA=1 gets llama.cpp and measures one")
	}
	dir := t.TempDir()
	program := filepath.Join(dir, "llama-regress")
	command := func(name string, args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), name, args...)
		cmd.Stderr = new(strings.Builder)
		out, err := cmd.Output()
		var ended *exec.ExitError
		// 1, 3 and 4 are verdicts: what the reports say is looked at below.
		if err != nil && (!errors.As(err, &ended) || ended.ExitCode() == 2 || ended.ExitCode() > 4 || args[0] != "gate") {
			t.Fatalf("%s %q: %v\n%s", name, args, err, cmd.Stderr)
		}
		return strings.TrimSpace(string(out))
	}
	command("go", "build", "-o", program, "../../cmd/llama-regress")
	llama, model := command(program, "provision", "llama"), command(program, "provision", "model", "tiny")
	other := filepath.Join(filepath.Dir(llama), "sandybridge") // slower, where the build has it
	if _, err := os.Stat(other); err != nil {
		other = llama
	}
	dataset, err := filepath.Abs("../../ci/conversations/sample.json")
	if err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "llama-regress.yaml")
	text := fmt.Sprintf(`version: 1
arms:
  - {name: base, bin: %q}
  - {name: head, bin: %q}
baseline: base
models:
  - {name: tiny, path: %q}
matrix: {threads: [1]}
bench: {tests: [pp32, tg8], repetitions: 3}
serve:
  dataset: {path: %q, sample: 16}
  concurrency: [2]
  output_tokens: 8
  warmup: 1
  connections: reuse
  server: {parallel: 2, ctx_size: 2048}
sampling: {blocks: 3, control: one}
`, llama, other, model, dataset)
	if err := os.WriteFile(config, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	out := filepath.Join(dir, "out")
	command(program, "gate", "--config", config, "--dir", out)
	return out
}

// A run of the real programs becomes a page that opens offline, draws, makes no
// noise, and says what the JSON report says.
func TestRealRun(t *testing.T) {
	dir := realRun(t)
	page, err := os.ReadFile(filepath.Join(dir, "report.html"))
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Status string
		Rows   []struct {
			ID      string
			Figures report.Figures
		}
		Serving []struct {
			Arm                 string
			Requests, Succeeded int
			Common              []string
		}
	}
	data, err := os.ReadFile(filepath.Join(dir, "report.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &want); err != nil || len(want.Rows) < 10 || len(want.Serving) < 2 {
		t.Fatalf("the JSON report has %d rows and %d served: %v", len(want.Rows), len(want.Serving), err)
	}
	chromium := browser(t)
	for name, how := range map[string]look{"real-light": {}, "real-dark": {dark: true}, "real-narrow": {width: 400, height: 800}} {
		p := open(t, chromium, page, how)
		eval[int](p, `[".served", ".trial"].forEach(which => { document.querySelector(which).open = true }), 1`)
		p.wait(`document.querySelector(".trial .chart svg")`)
		if got := eval[string](p, drawnCharts); got != "machine,1 outcomes,1 shift,1 ttft,1" {
			t.Errorf("%s: draws %q", name, got)
		}
		if over := eval[int](p, tooWide); over > 0 {
			t.Errorf("%s: %d px too wide", name, over)
		}
		p.photograph(name)
		p.quiet()
		if name != "real-light" {
			p.close()
			continue
		}
		if got := eval[string](p, `document.querySelector("h1").textContent`); !strings.HasSuffix(got, want.Status) {
			t.Errorf("the heading is %q, want %q", got, want.Status)
		}
		for _, row := range want.Rows {
			got := eval[[]string](p, `["change", "base", "head", "margin"].map(c => document.getElementById("`+row.ID+`").querySelector("." + c).textContent.trim())`)
			change := "unknown"
			if f := row.Figures; f.Change != "" {
				change = strings.TrimSuffix(report.Minus(f.Change+" ["+f.Interval()+"]"), " []")
			}
			if now := []string{change, row.Figures.Baseline, row.Figures.Candidate, row.Figures.Margin}; fmt.Sprint(got) != fmt.Sprint(now) {
				t.Errorf("%s: the page says %q, the JSON %q", row.ID, got, now)
			}
		}
		said := eval[string](p, `document.getElementById("serving").innerText`)
		for _, s := range want.Serving {
			if s.Succeeded == s.Requests || len(s.Common) == 0 {
				t.Errorf("%s: %d of %d succeeded, %d causes; want failures of reused connections with their cause", s.Arm, s.Succeeded, s.Requests, len(s.Common))
			}
			for _, cause := range s.Common {
				if !strings.Contains(said, cause) {
					t.Errorf("%s: the page does not say %q", s.Arm, cause)
				}
			}
		}
		p.close()
	}
}
