// Command changes measures real changes of llama.cpp both ways, by time and by counted
// instructions, and prints the table of .github/docs/verdicts.md:
//
//	go run ./compare/work/changes
//
// It gets llama.cpp, a synthetic model and valgrind where they are not there, and
// takes half an hour on two processors. Instructions are counted with one thread, and
// the same is timed.
package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
)

// A change is one of the baseline: another variant of the CPU backend, other
// parameters, or another type of weights.
type change struct {
	name    string
	variant string
	params  map[string]string
	weights string
}

// baseline is what everything is held against.
var baseline = change{name: "base", variant: "haswell", params: map[string]string{"flash_attn": "off"}, weights: "f16"}

var changes = []change{
	{name: "CPU backend ivybridge", variant: "ivybridge"},
	{name: "CPU backend sandybridge", variant: "sandybridge"},
	{name: "flash attention", params: map[string]string{"flash_attn": "on"}},
	{name: "K of q8_0", params: map[string]string{"type_k": "q8_0"}},
	{name: "flash attention, K and V of q8_0", params: map[string]string{"flash_attn": "on", "type_k": "q8_0", "type_v": "q8_0"}},
	{name: "flash attention, K and V of q4_0", params: map[string]string{"flash_attn": "on", "type_k": "q4_0", "type_v": "q4_0"}},
	{name: "ubatch of 8", params: map[string]string{"ubatch": "8"}},
	{name: "ubatch of 1", params: map[string]string{"ubatch": "1"}},
	{name: "batch of 4", params: map[string]string{"batch": "4"}},
	{name: "no mmap", params: map[string]string{"mmap": "off"}},
	{name: "weights of q8_0", weights: "q8_0"},
	{name: "weights of q4_0", weights: "q4_0"},
	{name: "weights of q4_k_m", weights: "q4_k_m"},
	{name: "CPU backend sse42", variant: "sse42"},
	{name: "CPU backend x64", variant: "x64"},
}

func main() {
	tool := flag.String("tool", "", "llama-regress (default: built from this tree)")
	dir := flag.String("dir", "", "folder of measurements, kept; one that holds some is gone on with (default: a new one)")
	blocks := flag.Int("blocks", 8, "of what is timed")
	flag.Parse()
	if err := run(*tool, *dir, *blocks); err != nil {
		fmt.Fprintln(os.Stderr, "changes:", err)
		os.Exit(1)
	}
}

func run(tool, dir string, blocks int) (err error) {
	if dir == "" {
		if dir, err = os.MkdirTemp("", "changes"); err != nil {
			return err
		}
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "measurements are in", dir)
	if tool == "" {
		tool = filepath.Join(dir, "llama-regress")
		if _, err := call("go", "build", "-o", tool, "./cmd/llama-regress"); err != nil {
			return err
		}
	}
	fast, err := call(tool, "provision", "llama")
	if err != nil {
		return err
	}
	variants := filepath.Dir(fast)
	if _, err := os.Stat(filepath.Join(variants, baseline.variant)); err != nil {
		return fmt.Errorf("%w: wanted are the variants that 'llama-regress provision llama' unpacks", err)
	}
	fmt.Printf("| change | test | instructions | time a token | 90 %% interval |\n|---|---|---|---|---|\n")
	for _, c := range changes {
		lines, err := measure(tool, variants, filepath.Join(dir, strings.ReplaceAll(c.name, " ", "-")), blocks, c)
		if err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		fmt.Print(lines)
	}
	return nil
}

// measure measures one change, and tells it in lines of the table.
func measure(tool, variants, dir string, blocks int, c change) (string, error) {
	var models []map[string]string
	for _, weights := range []string{baseline.weights, c.weights} {
		if weights == "" {
			continue
		}
		path, err := call(tool, "provision", "model", "tiny", "--type", weights)
		if err != nil {
			return "", err
		}
		models = append(models, map[string]string{"name": weights, "path": path})
	}
	arms := []map[string]any{arm(variants, "base", change{}), arm(variants, "head", c)}
	run, err := measured(tool, dir, blocks, arms[:3-len(models)], models)
	if err != nil {
		return "", err
	}
	if len(models) == 2 {
		weightsAsArm(run, c.weights)
	}
	return lines(c.name, run), nil
}

// weightsAsArm turns what one build did with a model into another arm: two arms of a
// plan have the same models.
func weightsAsArm(run *record.Run, model string) {
	base := make(map[string]record.Cell) // by workload
	other := make(map[string]record.Cell)
	var cells []record.Cell
	for _, c := range run.Cells {
		if c.Model == model {
			other[c.Key] = c
			continue
		}
		base[c.Workload] = c
		cells = append(cells, c)
	}
	run.Cells = cells
	head := run.Arms[0]
	head.Name = "head"
	run.Arms = append(run.Arms, head)
	for i, t := range run.Trials {
		if c, ok := other[t.Cell]; ok {
			run.Trials[i].Arm, run.Trials[i].Cell = head.Name, base[c.Workload].Key
		}
	}
}

// arm is a change as an arm of a configuration.
func arm(variants, name string, c change) map[string]any {
	params := map[string]string{"threads": "1"}
	for _, of := range []change{baseline, c} {
		for k, v := range of.params {
			params[k] = v
		}
	}
	return map[string]any{"name": name, "bin": filepath.Join(variants, cmp.Or(c.variant, baseline.variant)), "params": params}
}

// measured is the record of a run, which is made or gone on with in dir.
func measured(tool, dir string, blocks int, arms []map[string]any, models []map[string]string) (*record.Run, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	cfg := "version: 1\n"
	for _, part := range []struct {
		key   string
		value any
	}{
		{"arms", arms}, {"baseline", "base"}, {"models", models},
		{"bench", map[string]any{"tests": []string{"pp16", "tg8"}, "repetitions": 10}},
		{"sampling", map[string]any{"blocks": blocks, "control": "none", "timeout": "2h"}},
		{"count", map[string]any{"tests": []string{"pp16", "tg8"}, "trials": 1}}, // it repeats, as the tests of this repository show
	} {
		text, err := json.Marshal(part.value) // which is YAML too
		if err != nil {
			return nil, err
		}
		cfg += part.key + ": " + string(text) + "\n"
	}
	file := filepath.Join(dir, "llama-regress.yaml")
	if err := os.WriteFile(file, []byte(cfg), 0o644); err != nil {
		return nil, err
	}
	_, failed := call(tool, "run", "-c", file, "-d", dir, "--resume", "--ignore-doctor")
	run, err := record.ReadFile(filepath.Join(dir, "run.json"))
	if err != nil {
		return nil, errors.Join(failed, err)
	}
	return run, nil
}

// lines are a test each: the change of its count, and of its time a token.
func lines(name string, run *record.Run) string {
	var b strings.Builder
	res := compare.Run(run, compare.DefaultPolicy())
	for _, test := range []string{"pp16", "tg8"} {
		time := find(res, test)
		base, head := counted(run, "base", test), counted(run, "head", test)
		if !(base > 0) || !(head > 0) || time == nil || time.Change == nil || time.Interval == nil {
			fmt.Fprintf(&b, "| %s | %s | not measured | | |\n", name, test)
			continue
		}
		slower := func(rate float64) float64 { return 100 * (1/(1+rate) - 1) } // of tokens a second
		fmt.Fprintf(&b, "| %s | %s | %+.2f %% | %+.0f %% | %+.0f to %+.0f %% |\n", name, test,
			100*(head/base-1), slower(*time.Change), slower(time.Interval.High), slower(time.Interval.Low))
	}
	return b.String()
}

// counted is what an arm's trial of a test executed for a token; 0 without one.
func counted(run *record.Run, arm, test string) float64 {
	for _, t := range run.Trials {
		if m, ok := t.Measurement(test + "_instructions"); ok && t.Arm == arm {
			return m.Values[0]
		}
	}
	return 0
}

func find(res *compare.Result, metric string) *compare.Comparison {
	for i := range res.Comparisons {
		if c := &res.Comparisons[i]; c.Metric.Name == metric {
			return c
		}
	}
	return nil
}

// call runs a command and returns the last line that it prints.
func call(name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s: %w", strings.Join(cmd.Args, " "), err)
	}
	text := strings.TrimSpace(string(out))
	return text[strings.LastIndexByte(text, '\n')+1:], nil
}
