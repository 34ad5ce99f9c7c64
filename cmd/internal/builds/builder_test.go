package builds

import (
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/build"
	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
)

// On a processor with AVX-512 a build that is only counted is one that valgrind can
// run; what is timed is built for the processor.
func TestBuilderForCounts(t *testing.T) {
	cell := func(workload string) plan.Cell { return plan.Cell{Cell: record.Cell{Workload: workload}} }
	count, bench := cell(record.CountWorkload), cell(record.BenchWorkload)
	for _, c := range []struct {
		cells  []plan.Cell
		beyond bool
		tool   string
		want   bool
	}{
		{[]plan.Cell{count}, true, "auto", true},
		{[]plan.Cell{count}, true, "perf", false},
		{[]plan.Cell{count}, false, "auto", false},
		{[]plan.Cell{count, bench}, true, "auto", false},
		{[]plan.Cell{bench}, true, "auto", false},
	} {
		got := builderFor(&plan.Plan{Cells: c.cells, Count: &config.Count{Tool: c.tool}}, c.beyond)
		if has := strings.Contains(got.Command, "cmake -B build -DGGML_NATIVE=OFF "); has != c.want {
			t.Errorf("%+v: %s", c, got.Command)
		}
		if got.Bin != build.DefaultBuilder().Bin {
			t.Errorf("programs in %s", got.Bin)
		}
	}
}
