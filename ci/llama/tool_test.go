package llama

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/fixtures/faketools"
)

// toolPlan is one trial of a cell of a tool.
func toolPlan(t *testing.T, bin, workload string, params map[string]string, work any) *plan.Plan {
	p := onePlan(bin, modelFile(t), params, "pp8")
	c := &p.Cells[0]
	c.Tests, c.Work, c.Cell.Workload = nil, work, workload
	return p
}

func fakeTool(t *testing.T, name string, settings ...string) string {
	t.Helper()
	dir := t.TempDir()
	if _, err := faketools.Install(dir, name, settings...); err != nil {
		t.Fatal(err)
	}
	return dir
}

// measured runs the one trial.
func measured(t *testing.T, tool *Tool, p *plan.Plan) record.Trial {
	t.Helper()
	if _, err := tool.Identify(t.Context(), p.Arms[0]); err != nil {
		t.Fatal(err)
	}
	trial, err := tool.Measure(t.Context(), p, p.Trials[0])
	if err != nil {
		t.Fatal(err)
	}
	return trial
}

func values(t record.Trial) map[string]float64 {
	all := make(map[string]float64)
	for _, m := range t.Measurements {
		all[m.Metric] = m.Values[0]
	}
	return all
}

var someBatches = plan.Batch{Prompt: 32, Gen: 8, Sequences: []int{1, 16}}

// What llama-batched-bench measures is what the fake is, by batch and repetition.
func TestBatched(t *testing.T) {
	for _, shared := range []bool{false, true} {
		b := someBatches
		b.Shared = shared
		p := toolPlan(t, fakeTool(t, faketools.Batched, "FAKE_SD=0"), record.BatchedWorkload, map[string]string{"npp": "32", "ntg": "8", "threads": "2"}, b)
		p.Warmup, p.Repetitions = 1, 3
		trial := measured(t, NewBatched("", nil, nil), p)
		if trial.Outcome != record.OK {
			t.Fatalf("%+v", trial.Failure)
		}
		want := map[string]float64{"b1_pp": 1000, "b1_tg": 50, "b16_pp": 1000, "b16_tg": 400}
		for name, v := range want {
			if got := values(trial)[name]; got < v*.999 || got > v*1.001 {
				t.Errorf("shared %v: %s is %v, want %v", shared, name, got, v)
			}
		}
		for _, m := range trial.Measurements {
			if len(m.Values) != 3 || len(m.Warmup) != 1 {
				t.Errorf("%s: %d values and %d of warm-up", m.Metric, len(m.Values), len(m.Warmup))
			}
		}
		if len(trial.Measurements) != 6 || trial.Echo["threads"] != "2" || trial.Echo["flash_attn"] != "auto" || slices.Contains(trial.Command, "-pps") != shared {
			t.Errorf("%+v", trial)
		}
	}
}

func wantFailure(t *testing.T, fault string, trial record.Trial, class record.FailureClass, says string) {
	t.Helper()
	if trial.Failure == nil || trial.Failure.Class != class || !strings.Contains(trial.Failure.Message, says) {
		t.Errorf("%s: %+v, want %s: %s", fault, trial.Failure, class, says)
	}
}

// Each way in which a program's output can be wrong is a sentence of its own.
func TestBatchedFaults(t *testing.T) {
	for fault, want := range map[string]struct {
		class record.FailureClass
		says  string
	}{
		"exit:3":   {record.ExitStatus, "failed to do it"},
		"die":      {record.Crashed, "GGML_ASSERT(fake) failed"},
		"truncate": {record.BadOutput, "is cut off"},
		"foreign":  {record.BadOutput, "line 1 is no result: hello, world"},
		"other":    {record.BadOutput, "a batch of npp 33, ntg 8, npl 1 was not asked for"},
		"twice":    {record.BadOutput, "asked for 2; is the program a wrapper that adds arguments?"},
		"nan":      {record.BadOutput, "want numbers above 0"},
		"mixed":    {record.ParametersDiffer, "ran with threads=3, asked for 2"},
	} {
		p := toolPlan(t, fakeTool(t, faketools.Batched, "FAKE_FAULT="+fault), record.BatchedWorkload, map[string]string{"npp": "32", "ntg": "8", "threads": "2"}, someBatches)
		p.Warmup, p.Repetitions = 1, 1
		trial := measured(t, NewBatched("", nil, nil), p)
		wantFailure(t, fault, trial, want.class, want.says)
	}
	// The last result may be lost: one more was asked for.
	p := toolPlan(t, fakeTool(t, faketools.Batched, "FAKE_FAULT=missing"), record.BatchedWorkload, map[string]string{"npp": "32"}, someBatches)
	if trial := measured(t, NewBatched("", nil, nil), p); trial.Outcome != record.OK {
		t.Errorf("without the last result: %+v", trial.Failure)
	}
	// Results that are never there are missing.
	p.Cells[0].Work = plan.Batch{Prompt: 32, Gen: 8, Sequences: []int{1}}
	if trial := measured(t, NewBatched("", nil, nil), p); trial.Outcome != record.OK {
		t.Errorf("one batch, without the last result: %+v", trial.Failure)
	}
	old := toolPlan(t, fakeTool(t, faketools.Batched, "FAKE_BUILD=old"), record.BatchedWorkload, nil, someBatches)
	if trial := measured(t, NewBatched("", nil, nil), old); trial.Failure == nil || trial.Failure.Class != record.BadArgument || !strings.Contains(trial.Failure.Message, "rounded table") {
		t.Errorf("an old build: %+v", trial.Failure)
	}
	none := toolPlan(t, fakeTool(t, faketools.Batched), record.BatchedWorkload, map[string]string{"numa": "isolate"}, someBatches)
	if trial := measured(t, NewBatched("", nil, nil), none); trial.Failure == nil || trial.Failure.Class != record.BadArgument || !strings.Contains(trial.Failure.Message, "numa") {
		t.Errorf("a flag that the build lacks: %+v", trial.Failure)
	}
}

// A process that ends before its log is printed is run again; one that never prints
// a result has none.
func TestBatchedLosesResults(t *testing.T) {
	dir, fake := t.TempDir(), fakeTool(t, faketools.Batched)
	script := "#!/bin/sh\nif [ \"$1\" = -h ] || [ \"$1\" = --version ] || [ -e '" + dir + "/ran' ]; then exec '" + fake + "/llama-batched-bench' \"$@\"; fi\n: > '" + dir + "/ran'\n'" + fake + "/llama-batched-bench' \"$@\" | head -n 1\n"
	path := filepath.Join(dir, "llama-batched-bench")
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	p := toolPlan(t, dir, record.BatchedWorkload, nil, someBatches)
	trial := measured(t, NewBatched("", nil, nil), p)
	if trial.Outcome != record.OK || !slices.ContainsFunc(trial.Warnings, func(w string) bool { return strings.Contains(w, "was run again") }) {
		t.Errorf("%+v, warnings %q", trial.Failure, trial.Warnings)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(script, ": > '"+dir+"/ran'\n", "", 1)), 0o755); err != nil {
		t.Fatal(err)
	}
	os.Remove(filepath.Join(dir, "ran"))
	trial = measured(t, NewBatched("", nil, nil), p)
	if trial.Failure == nil || trial.Failure.Class != record.MissingTest || !strings.Contains(trial.Failure.Message, "in any of 4 runs") {
		t.Errorf("%+v", trial.Failure)
	}
}

var someOps = plan.OpFilter{Ops: []string{"MUL_MAT", "ADD"}, Backend: "CPU"}

// What test-backend-ops prints is read alike in both forms that builds have.
func TestOps(t *testing.T) {
	const mulMat, add = "MUL_MAT(type_a=q4_0,type_b=f32,m=4096,n=2,k=14336)", "ADD(type=f32,ne=[4096,1,1,1],nr=[1,1,1,1])"
	want := map[string]float64{mulMat: 2e-3, mulMat + " gflops": 117.44, add: 2e-6, add + " gbs": 20}
	for _, build := range []string{"FAKE_BUILD=", "FAKE_BUILD=old"} {
		trial := measured(t, NewOps("", nil, nil), toolPlan(t, fakeTool(t, faketools.Ops, "FAKE_SD=0", build), record.OpsWorkload, nil, someOps))
		if trial.Outcome != record.OK {
			t.Fatalf("%s: %+v", build, trial.Failure)
		}
		got := values(trial)
		for name, v := range want {
			if got[name] < v*.999 || got[name] > v*1.001 {
				t.Errorf("%s: %s is %v, want %v", build, name, got[name], v)
			}
		}
		if len(got) != 10 {
			t.Errorf("%s: %v", build, slices.Sorted(maps.Keys(got)))
		}
	}
	f := someOps
	f.Shapes = "n=3,"
	trial := measured(t, NewOps("", nil, nil), toolPlan(t, fakeTool(t, faketools.Ops), record.OpsWorkload, nil, f))
	if len(trial.Measurements) != 2 {
		t.Errorf("one shape: %+v", trial)
	}
}

func TestOpsFaults(t *testing.T) {
	for fault, want := range map[string]struct {
		class record.FailureClass
		says  string
	}{
		"exit:3":   {record.ExitStatus, "failed to do it"},
		"die":      {record.Crashed, "GGML_ASSERT(fake) failed"},
		"truncate": {record.BadOutput, "is cut off"},
		"foreign":  {record.MissingTest, "timed nothing"},
		"other":    {record.BadOutput, "SUB was timed, and only MUL_MAT, ADD was asked for"},
		"twice":    {record.BadOutput, "is there twice"},
		"nan":      {record.BadOutput, "want a number above 0"},
	} {
		trial := measured(t, NewOps("", nil, nil), toolPlan(t, fakeTool(t, faketools.Ops, "FAKE_FAULT="+fault), record.OpsWorkload, nil, someOps))
		wantFailure(t, fault, trial, want.class, want.says)
	}
	f := someOps
	f.Backend = "CUDA0"
	if trial := measured(t, NewOps("", nil, nil), toolPlan(t, fakeTool(t, faketools.Ops), record.OpsWorkload, nil, f)); trial.Failure == nil || !strings.Contains(trial.Failure.Message, "no backend CUDA0") {
		t.Errorf("a backend that is not there: %+v", trial.Failure)
	}
	if trial := measured(t, NewOps("", nil, nil), toolPlan(t, fakeTool(t, faketools.Ops, "FAKE_CASES=400"), record.OpsWorkload, nil, someOps)); trial.Failure == nil || !strings.Contains(trial.Failure.Message, "choose shapes by a pattern") {
		t.Errorf("too many cases: %+v", trial.Failure)
	}
}

// A statement of SQL is read and never executed; what is none of the program's own is
// refused with its line.
func TestOpsSQL(t *testing.T) {
	const head = "INSERT INTO test_backend_ops (test_mode, backend_name, op_name, op_params, time_us) VALUES "
	for text, want := range map[string]string{
		head + "('perf', 'CPU', 'ADD', 'a=1', '2.5');":                                       "",
		head + "('perf', 'CPU', 'ADD', 'a=1', 'fast');":                                      "time_us is",
		head + "('perf', 'CPU', 'ADD', 'a=1');":                                              "4 values for 5 columns",
		head + "('perf', 'CPU', 'ADD', 'a=1', '2.5'":                                         "is cut off",
		head + "('perf', 'CPU', 'AD\"D', 'a=1', '2.5');":                                     "values for 5 columns",
		strings.Replace(head, "time_us", "speed", 1) + "('perf', 'CPU', 'ADD', 'a=1', '2');": "has no time_us; it has backend_name",
	} {
		cases, err := readOpsSQL(text, "CPU")
		if want == "" && (err != nil || len(cases) != 1 || cases[0].Seconds != 2.5e-6) || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: %v, %v; want %q", text, cases, err, want)
		}
	}
}

// The real programs, as .ci/run demands.
func TestRealTools(t *testing.T) {
	dir, model := realLlama(t)
	p := toolPlan(t, dir, record.BatchedWorkload, map[string]string{"npp": "32", "ntg": "8", "threads": "1"}, plan.Batch{Prompt: 32, Gen: 8, Shared: true, Sequences: []int{1, 4}})
	p.Cells[0].ModelPath = model
	p.Warmup, p.Repetitions = 1, 2
	if trial := measured(t, NewBatched(t.TempDir(), nil, nil), p); trial.Outcome != record.OK || len(trial.Measurements) != 6 || len(trial.Measurements[0].Values) != 2 {
		t.Errorf("llama-batched-bench: %+v\n%+v", trial.Failure, trial.Measurements)
	}
	o := toolPlan(t, dir, record.OpsWorkload, nil, plan.OpFilter{Ops: []string{"ADD"}, Shapes: "ne=.4096,1,1,1.,nr=.1,1,", Backend: "CPU"})
	if trial := measured(t, NewOps(t.TempDir(), nil, nil), o); trial.Outcome != record.OK || len(trial.Measurements) != 2 || !record.IsOpCase(trial.Measurements[0].Metric) {
		t.Errorf("test-backend-ops: %+v\n%+v", trial.Failure, trial.Measurements)
	}
}
