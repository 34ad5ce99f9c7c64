package record_test

import (
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
)

func TestCatalogueHoldsTogether(t *testing.T) {
	names, margins := map[string]bool{}, map[string]float64{}
	scales := map[string]record.Scale{}
	for _, w := range record.Workloads() {
		if w.Name == "" || w.Title == "" || len(w.Metrics) == 0 {
			t.Errorf("workload %+v lacks a name, a title or metrics", w)
		}
		for i, d := range w.Metrics {
			if names[d.Name] {
				t.Errorf("%s is there twice", d.Name)
			}
			names[d.Name] = true
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
			if w.Sends == (d.Censoring == record.Uncensored) {
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
