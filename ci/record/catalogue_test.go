package record_test

import (
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
)

func TestCatalogueHoldsTogether(t *testing.T) {
	rows, margins := map[string]record.Definition{}, map[string]float64{}
	scales := map[string]record.Scale{}
	for _, w := range record.Workloads() {
		if w.Name == "" || w.Title == "" || len(w.Metrics) == 0 {
			t.Errorf("workload %+v lacks a name, a title or metrics", w)
		}
		once := map[string]bool{}
		for i, d := range w.Metrics {
			if once[d.Name] {
				t.Errorf("%s is there twice in %s", d.Name, w.Name)
			}
			if row, shared := rows[d.Name]; shared && row != d {
				t.Errorf("%s of %s is not what it is in another workload", d.Name, w.Name)
			}
			once[d.Name], rows[d.Name] = true, d
			if !w.Yields(d.Name) || w.Yields(d.Name+"x") {
				t.Errorf("%s does not know its metric %s", w.Name, d.Name)
			}
			if !d.Is(d.Name) {
				t.Errorf("%s does not describe itself", d.Name)
			}
			if d.Kind == "" || d.Unit == "" || d.Scale != record.Ratio && d.Scale != record.Points {
				t.Errorf("%s lacks a kind, a unit or a scale", d.Name)
			}
			if d.Better != record.Higher && d.Better != record.Lower {
				t.Errorf("%s has no direction", d.Name)
			}
			if (d.Scale == record.Points) != (d.Unit == "1") {
				t.Errorf("%s: a share and nothing else is compared in points", d.Name)
			}
			if w.Sends == (d.Censoring == record.Uncensored) && !record.IsResource(d.Name) { // a program was loaded, whatever its requests came to
				t.Errorf("%s: what do failed requests do to it?", d.Name)
			}
			if d.Term == "" && d.Meaning == "" && (i == 0 || w.Metrics[i-1].Kind == "") {
				t.Errorf("%s is explained nowhere", d.Name)
			}
			if s, ok := scales[d.Kind]; ok && s != d.Scale {
				t.Errorf("kind %s has two scales", d.Kind)
			}
			scales[d.Kind] = d.Scale
			if m, ok := margins[d.Kind]; ok && m != d.Margin {
				t.Errorf("kind %s has two default margins, %v and %v", d.Kind, m, d.Margin)
			}
			margins[d.Kind] = d.Margin
		}
	}
}

// A metric that workloads share is one row.
func TestDefinitions(t *testing.T) {
	seen := map[string]bool{}
	for _, d := range record.Definitions() {
		if seen[d.Name] {
			t.Errorf("%s is there twice", d.Name)
		}
		seen[d.Name] = true
	}
	for _, name := range []string{"pp512", "ttft_p50", "success_rate", "latency_p50", "input_tps"} {
		if !seen[name] {
			t.Errorf("%s is not there", name)
		}
	}
}

// Parameters of llama-server are those of every workload that it serves.
func TestParamsOfAProgram(t *testing.T) {
	parallel, _ := record.ParamByName("parallel")
	for workload, want := range map[string]bool{"serve": true, "embeddings": true, "rerank": true, "bench": false, "toy": false} {
		if parallel.Of(workload) != want {
			t.Errorf("parallel of %s: %t", workload, !want)
		}
	}
	for workload, want := range map[string]string{"serve": record.ServeArgs, "rerank": record.ServeArgs, "bench": record.BenchArgs, "toy": ""} {
		if got := record.ArgsParam(workload); got != want {
			t.Errorf("arguments of %s: %q", workload, got)
		}
	}
}

func TestRegister(t *testing.T) {
	toy := record.Workload{Name: "toy", Title: "toy", Metrics: []record.Definition{
		{Name: "spins", Kind: "spins", Unit: "1/s", Better: record.Higher, Scale: record.Ratio, Margin: 0.1},
	}}
	unregister := record.Register(toy)
	if d, workload, ok := record.DefinitionOf("spins"); !ok || workload != "toy" || d.Margin != 0.1 {
		t.Errorf("spins: %+v of %q, %v", d, workload, ok)
	}
	if record.DefaultMargins()["spins"] != 0.1 {
		t.Error("the default margin of a registered metric is not known")
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("a second workload of one name was taken")
			}
		}()
		record.Register(toy)
	}()
	unregister()
	if _, ok := record.WorkloadByName("toy"); ok {
		t.Error("toy is still there")
	}
}
