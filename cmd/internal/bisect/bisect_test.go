package bisect

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/runner"
	"github.com/llama-regress/llama-regress/compare"
)

// A step ends after the first block that tells, also where trials were repeated
// because something disturbed them.
func TestStopper(t *testing.T) {
	metric := record.Test{Gen: 16}.Metric()
	cell := record.Cell{Key: "bench/m", Workload: "bench", Model: "m", Metrics: []record.Metric{metric}}
	p := &plan.Plan{Baseline: goodArm, Arms: []record.Arm{{Name: goodArm}, {Name: candidateArm}}, Cells: []plan.Cell{{Cell: cell}}}
	split := &compare.Split{Cell: cell.Key, Metric: metric, Border: -0.05, Alpha: 0.01}
	s := newStopper(context.Background(), split, compare.DefaultPolicy())
	ctx := s.ctx
	s.around(runner.NewPlainLines(io.Discard, time.Now)).Begin(p, nil)
	for block := range 6 {
		trial := func(arm int) (plan.Trial, record.Trial) {
			t := plan.Trial{ID: fmt.Sprint(block, arm), Arm: arm, Block: block, Order: 2*block + arm}
			return t, record.Trial{
				ID: t.ID, Arm: p.Arms[arm].Name, Cell: cell.Key, Block: block, Order: t.Order, Outcome: record.OK,
				Measurements: []record.Measurement{{Metric: metric.Name, Values: []float64{50 - 5*float64(arm) + 0.1*float64(block%3)}}},
			}
		}
		if ctx.Err() != nil {
			t.Fatalf("stopped before block %d", block)
		}
		s.Finished(trial(0))
		if block == 2 { // it was disturbed, and ran again as a whole
			for arm := range p.Arms {
				planned, again := trial(arm)
				again.Repeats, again.ID = again.ID, again.ID+".again1"
				s.Repeated(planned, again)
			}
		}
		s.Finished(trial(1))
	}
	if !errors.Is(context.Cause(ctx), errStepDecided) || !s.answer.Known || !s.answer.Bad || s.answer.Blocks != 6 {
		t.Errorf("%v, %+v", context.Cause(ctx), s.answer)
	}
}

// A change point of a nightly says where to search; one that cannot says why.
func TestReadChangePoint(t *testing.T) {
	point := func(id, state, good, bad, class string) string {
		return `{"id":"` + id + `","state":"` + state + `","worse":true,"title":"t","rows":[{"class":"` + class + `","comparison":{"cell":"bench/m","metric":{"name":"tg128"}}}],
			"surely_good":{"commit":"` + good + `"},"surely_bad":{"commit":"` + bad + `"}}`
	}
	doc := func(points ...string) string {
		return `{"schema":"llama-regress/nightly/v1","machines":[{"change_points":[` + strings.Join(points, ",") + `]}]}`
	}
	two := doc(point("over", "recovered", "a", "b", "regression"), point("first", "open", "c", "d", "regression"), point("second", "open", "e", "f", "regression"))
	for name, tt := range map[string]struct{ text, id, want, fault string }{
		"the worst open one": {two, "", "c..d", ""},
		"by its ID":          {two, "second", "e..f", ""},
		"one that is over":   {two, "over", "a..b", ""},
		"no such ID":         {two, "third", "", `no change point is "third"; open are first, second`},
		"none is open":       {doc(point("over", "recovered", "a", "b", "regression")), "", "", "no regression is open"},
		"a gain":             {doc(point("x", "open", "a", "b", "improvement")), "", "", "nothing of change point x got worse"},
		"no commit":          {doc(point("x", "open", "", "b", "regression")), "", "", "name them with --good and --bad"},
		"one commit":         {doc(point("x", "open", "a", "a", "regression")), "", "", "no commit is to blame"},
		"another report":     {`{"schema":"llama-regress/report/v1"}`, "", "", "nightly --json"},
		"no JSON":            {`<html>`, "", "", "invalid character"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "night.json")
			if err := os.WriteFile(path, []byte(tt.text), 0o644); err != nil {
				t.Fatal(err)
			}
			got, err := readChangePoint(path, tt.id)
			if tt.fault != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fault) || !strings.Contains(err.Error(), path) {
					t.Errorf("got %v, want %q", err, tt.fault)
				}
				return
			}
			if err != nil || got.good+".."+got.bad != tt.want || got.cell != "bench/m" || got.metric != "tg128" {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}
