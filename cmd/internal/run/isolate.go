package run

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/measure"
	"github.com/llama-regress/llama-regress/cmd/internal/requests"
	"github.com/llama-regress/llama-regress/report"
)

// isolateFailed repeats, one at a time, the prompts of every request that failed in
// the run, and says of each arm and cell whose fault that was.
func isolateFailed(ctx context.Context, a *cli.App, cfg *config.Config, run *record.Run, how measure.Flags) error {
	failed, err := failedPrompts(filepath.Join(how.Dir, record.RequestFile))
	if err != nil {
		return err
	}
	p, err := plan.Expand(cfg)
	if err != nil {
		return err
	}
	release, err := measure.Alone(ctx, a, how) // a server of ours would disturb who measures here by now
	if err != nil {
		return err
	}
	defer release()
	bench := measure.ServeBench("", "", nil)
	file := filepath.Join(how.Dir, requests.IsolatedFile)
	if err := os.Remove(file); err != nil && !os.IsNotExist(err) {
		return err
	}
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	done := make(map[[2]int]bool) // by arm and cell
	for _, t := range p.Trials {
		ids := promptsOf(failed, p, t)
		if done[[2]int{t.Arm, t.Cell}] || len(ids) == 0 {
			continue
		}
		done[[2]int{t.Arm, t.Cell}] = true
		fmt.Fprintf(a.Err, "isolate: %d prompts of %s, one at a time\n", len(ids), p.Arms[t.Arm].Name)
		rows, failure, err := bench.Isolate(ctx, p, t, ids)
		switch {
		case err != nil:
			return err
		case failure != nil:
			fmt.Fprintf(w, "%s\t%s\t%s\n", report.Line(p.Arms[t.Arm].Name, 40), report.Line(p.Cells[t.Cell].Cell.Key, 80), report.Line(failure.Message, 200))
			continue
		}
		if err := record.AppendRequests(file, rows); err != nil {
			return err
		}
		var alone report.Isolated
		for _, r := range rows {
			alone.Add(r)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", report.Line(p.Arms[t.Arm].Name, 40), report.Line(p.Cells[t.Cell].Cell.Key, 80), alone)
	}
	if len(done) == 0 {
		fmt.Fprintln(w, "no request failed: there is nothing to isolate")
	}
	return w.Flush()
}

// failedPrompts lists the prompts of failed requests by trial.
func failedPrompts(path string) (map[string][]string, error) {
	failed := make(map[string][]string)
	for row, err := range record.ReadRequests(path) {
		switch {
		case os.IsNotExist(err):
			return nil, nil
		case err != nil:
			return nil, err
		case row.Failure != nil && !row.Warmup && !slices.Contains(failed[row.Trial], row.Prompt):
			failed[row.Trial] = append(failed[row.Trial], row.Prompt)
		}
	}
	return failed, nil
}

// promptsOf are those that failed in any trial of t's arm and cell.
func promptsOf(failed map[string][]string, p *plan.Plan, t plan.Trial) (ids []string) {
	for _, other := range p.Trials {
		if other.Arm != t.Arm || other.Cell != t.Cell {
			continue
		}
		for _, id := range failed[other.ID] {
			if !slices.Contains(ids, id) && len(ids) < requests.MostIsolated {
				ids = append(ids, id)
			}
		}
	}
	return ids
}
