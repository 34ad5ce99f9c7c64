package plan_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// study has two of everything.
func study() *config.Config {
	c := config.Default()
	c.Arms = []config.Arm{
		{Name: "base", Bin: "build-base/bin"},
		{Name: "head", Bin: "/opt/head", Params: map[string]string{"mmap": "off"}, Env: map[string]string{"A": "1"}},
	}
	c.Baseline = "base"
	c.Models = []config.Model{{Name: "tiny", Path: "tiny.gguf"}, {Name: "small", Path: "/models/small.gguf", SHA256: strings.Repeat("0", 64)}}
	c.Matrix.Params = map[string][]string{"threads": {"1", "2"}}
	c.Sampling.Blocks, c.Sampling.Seed = 4, 1
	c.Dir = "/conf"
	return c
}

func expand(t testing.TB, c *config.Config) *plan.Plan {
	t.Helper()
	p, err := plan.Expand(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func encode(t testing.TB, v any) string {
	t.Helper()
	data, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// The golden file holds plans of known seeds. It changes when Go draws other
// numbers from a seed, or when the plan's ID is made in another way: records of
// before could then not be resumed, and Format in identity.go has to be raised.
func TestPlanOfASeed(t *testing.T) {
	var b bytes.Buffer
	for _, seed := range []uint64{0, 1, 18446744073709551615} {
		c := study()
		c.Sampling.Seed = seed
		p := expand(t, c)
		fmt.Fprintln(&b, p.ID, p.Seed)
		for _, trial := range p.Trials {
			fmt.Fprintln(&b, trial.ID)
		}
	}
	const golden = "testdata/order.txt"
	if *update {
		if err := os.WriteFile(golden, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), b.String()); diff != "" {
		t.Errorf("-golden +now:\n%s", diff)
	}
}

func TestExpand(t *testing.T) {
	p := expand(t, study())
	wantArms := []record.Arm{
		{Name: "base", Bin: "/conf/build-base/bin"},
		{Name: "head", Bin: "/opt/head", Params: map[string]string{"mmap": "off"}, Env: map[string]string{"A": "1"}},
		{Name: "base~control", Bin: "/conf/build-base/bin", ControlOf: "base"},
	}
	if diff := cmp.Diff(wantArms, p.Arms); diff != "" {
		t.Errorf("arms, -want +got:\n%s", diff)
	}
	wantModels := []plan.Model{{Name: "tiny", Path: "/conf/tiny.gguf"}, {Name: "small", Path: "/models/small.gguf", SHA256: strings.Repeat("0", 64)}}
	if diff := cmp.Diff(wantModels, p.Models); diff != "" {
		t.Errorf("models, -want +got:\n%s", diff)
	}
	tests := []record.Test{{Prompt: 512}, {Gen: 128}}
	cell := func(model, path, threads string) plan.Cell {
		params := map[string]string{"threads": threads}
		return plan.Cell{
			Cell: record.Cell{
				Key: "bench/" + model + "/threads=" + threads, Workload: "bench", Model: model, Params: params,
				Metrics: append([]record.Metric{tests[0].Metric(), tests[1].Metric()}, record.ResourceMetrics()...),
			},
			ModelPath: path,
			Tests:     tests,
		}
	}
	wantCells := []plan.Cell{
		cell("tiny", "/conf/tiny.gguf", "1"), cell("tiny", "/conf/tiny.gguf", "2"),
		cell("small", "/models/small.gguf", "1"), cell("small", "/models/small.gguf", "2"),
	}
	if diff := cmp.Diff(wantCells, p.Cells); diff != "" {
		t.Errorf("cells, -want +got:\n%s", diff)
	}
	if p.Baseline != "base" || p.Blocks != 4 || p.Warmup != 1 || p.Repetitions != 5 || p.Timeout != 10*time.Minute || p.Seed != 1 {
		t.Errorf("got %+v", p)
	}
	if want := 4 * (4*2 + 1); len(p.Trials) != want { // 4 blocks of 4 cells of 2 arms, and 1 control
		t.Errorf("%d trials, want %d", len(p.Trials), want)
	}
}

// An empty matrix is one cell a model, with default parameters.
func TestExpandWithoutMatrix(t *testing.T) {
	c := study()
	c.Matrix = config.Matrix{}
	var keys []string
	for _, cell := range expand(t, c).Cells {
		keys = append(keys, cell.Cell.Key)
	}
	if want := []string{"bench/tiny", "bench/small"}; !slices.Equal(keys, want) {
		t.Errorf("cells %v, want %v", keys, want)
	}
}

// Each list of arguments makes a cell of each combination, an empty one the cell
// without; those of an arm are parameters of the arm.
func TestExpandArguments(t *testing.T) {
	c := study()
	c.Models = c.Models[:1]
	c.Bench.Args = [][]string{nil, {"--prio", "2"}, {"-ot", "a b=CPU"}}
	var keys []string
	for _, cell := range expand(t, c).Cells {
		keys = append(keys, cell.Cell.Key)
	}
	want := []string{
		"bench/tiny/threads=1", "bench/tiny/bench_args=--prio 2,threads=1", `bench/tiny/bench_args=-ot "a b%3DCPU",threads=1`,
		"bench/tiny/threads=2", "bench/tiny/bench_args=--prio 2,threads=2", `bench/tiny/bench_args=-ot "a b%3DCPU",threads=2`,
	}
	if diff := cmp.Diff(want, keys); diff != "" {
		t.Error(diff)
	}
	before := expand(t, study()).ID
	c = study()
	c.Arms[1].Args.Bench = []string{"--prio", "2"}
	p := expand(t, c)
	if got := p.Arms[1].Params[record.BenchArgs]; got != "--prio 2" || p.ID == before || len(p.Arms[0].Params) > 0 {
		t.Errorf("%q, arms %+v, ID %s", got, p.Arms, p.ID)
	}
}

// A plan keeps the configuration's file hash, and a configuration read from a
// file gives the plan that the same one built in Go gives.
func TestExpandOfAFile(t *testing.T) {
	const text = `version: 1
arms:
  - {name: base, bin: build-base/bin, params: {}}
  - {name: head, bin: /opt/head, params: {mmap: off}, env: {A: 1}}
models: [{path: tiny.gguf}, {path: /models/small.gguf, sha256: "0000000000000000000000000000000000000000000000000000000000000000"}]
matrix: {threads: [1, 2]}
sampling: {blocks: 4, seed: 1}
`
	c, err := config.Parse([]byte(text), "/conf/llama-regress.yaml")
	if err != nil {
		t.Fatal(err)
	}
	p, built := expand(t, c), expand(t, study())
	if p.ConfigSHA != c.SHA256 || len(p.ConfigSHA) != 64 || built.ConfigSHA != "" {
		t.Errorf("hash of the file %q, without %q", p.ConfigSHA, built.ConfigSHA)
	}
	if p.ID != built.ID {
		t.Errorf("from the file\n%s\nbuilt in Go\n%s", encode(t, p), encode(t, built))
	}
}

func TestExpandRefuses(t *testing.T) {
	invalid := study()
	invalid.Sampling.Blocks = 0
	if p, err := plan.Expand(invalid); err == nil || p != nil || !strings.Contains(err.Error(), "sampling.blocks") {
		t.Errorf("got %v, %v", p, err)
	}

	large := study() // 50 x 2 cells of 2 arms, 500 blocks: 100 000 trials
	large.Sampling.Blocks, large.Sampling.Control = 500, config.ControlNone
	large.Matrix.Params["threads"] = nil
	for i := range 50 {
		large.Matrix.Params["threads"] = append(large.Matrix.Params["threads"], fmt.Sprint(i+1))
	}
	if p, err := plan.Expand(large); err != nil || len(p.Trials) != plan.MaxTrials {
		t.Errorf("at the bound: %v", err)
	}
	large.Sampling.Control = config.ControlOne
	if _, err := plan.Expand(large); err == nil || !strings.Contains(err.Error(), "100500 trials (500 blocks of 201); more than 100000 are refused") {
		t.Errorf("beyond the bound: %v", err)
	}
	for i := range 2000 {
		large.Models = append(large.Models, config.Model{Name: fmt.Sprint("m", i), Path: fmt.Sprint(i)})
	}
	if _, err := plan.Expand(large); err == nil || !strings.Contains(err.Error(), "100100 cells") {
		t.Errorf("far beyond the bound: %v", err)
	}
}

// Expand leaves the configuration alone, and no two parts of a plan are one.
func TestExpandShares(t *testing.T) {
	c := study()
	c.Sampling.Control = config.ControlAll
	c.Arms[0].Params = map[string]string{"poll": "0"}
	c.Arms[0].Env = map[string]string{"B": "2"}
	before := encode(t, c)
	p := expand(t, c)
	id := p.ID
	p.Cells[0].Cell.Params["threads"] = "77"
	p.Cells[0].Cell.Metrics[0].Name = "x"
	p.Cells[0].Tests[0].Prompt = 9
	p.Arms[2].Params["poll"] = "50"
	p.Arms[2].Env["B"] = "3"
	p.Arms[1].Env["A"] = "4"
	if p.Arms[0].Params["poll"] != "0" || p.Arms[0].Env["B"] != "2" {
		t.Error("the control shares its parameters with the baseline")
	}
	if p.Cells[2].Cell.Params["threads"] != "1" || p.Cells[1].Cell.Metrics[0].Name != "pp512" || p.Cells[1].Tests[0].Prompt != 512 {
		t.Error("cells share their parts")
	}
	if after := encode(t, c); after != before {
		t.Errorf("the configuration changed:\n%s", cmp.Diff(before, after))
	}
	if again := expand(t, c); again.ID != id {
		t.Error("changing one plan changed the next")
	}
}

func TestEstimate(t *testing.T) {
	p := expand(t, study())
	got := p.Estimate(func(cell, arm int) time.Duration {
		return time.Duration(cell)*time.Hour + time.Duration(arm)*time.Second
	})
	// 4 blocks: each cell twice its number of hours, arm 1 in 4 cells, arm 2 in cell 0.
	if want := 4 * (2*(0+1+2+3)*time.Hour + (4*1+2)*time.Second); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := p.Estimate(func(int, int) time.Duration { return 24 * time.Hour }); got != time.Duration(len(p.Trials))*24*time.Hour {
		t.Errorf("got %v", got)
	}
}

func TestSummary(t *testing.T) {
	p := expand(t, study())
	want := `arms    3: base (baseline), head, base~control (null control)
cells   4: bench/tiny/threads=1, bench/tiny/threads=2, bench/small/threads=1 and 1 more
trials  36 in 4 blocks
bench   1 + 5 repetitions of pp512, tg128
order   seed 1, plan ` + p.ID + "\n"
	if diff := cmp.Diff(want, p.Summary()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// A relative path without a configuration file is relative to where we are.
func TestExpandResolvesPaths(t *testing.T) {
	c := study()
	c.Dir = ""
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	p := expand(t, c)
	if want := filepath.Join(wd, "tiny.gguf"); p.Cells[0].ModelPath != want || p.Models[0].Path != want {
		t.Errorf("got %q and %q, want %q", p.Cells[0].ModelPath, p.Models[0].Path, want)
	}
	if want := filepath.Join(wd, "build-base/bin"); p.Arms[0].Bin != want {
		t.Errorf("got %q, want %q", p.Arms[0].Bin, want)
	}
}

func TestExpandOnlySomeCells(t *testing.T) {
	c := study()
	all := expand(t, c)
	c.Cells = []string{all.Cells[1].Cell.Key}
	p := expand(t, c)
	if len(p.Cells) != 1 || p.Cells[0].Cell.Key != c.Cells[0] || len(p.Models) != 1 || p.Models[0].Name != p.Cells[0].Cell.Model {
		t.Errorf("cells %v of models %v", p.Cells, p.Models)
	}
	if p.ID == all.ID {
		t.Error("another plan has the same ID")
	}
	c.Cells = append(c.Cells, "bench/none")
	if _, err := plan.Expand(c); err == nil || !strings.Contains(err.Error(), `no cell is "bench/none"; there are bench/tiny`) {
		t.Errorf("got %v", err)
	}
}
