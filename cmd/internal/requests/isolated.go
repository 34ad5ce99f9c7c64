package requests

import (
	"path/filepath"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/report"
)

// IsolatedFile, beside a run record, holds the rows of failed prompts that were sent
// once more, one at a time.
const IsolatedFile = "isolated.jsonl.gz"

// MostIsolated bounds the prompts of one arm in one cell that are sent alone.
const MostIsolated = 100

// isolated counts what became of an arm's failed prompts of a cell when they were sent one
// at a time, each prompt once. A row of a prompt that did not fail in the run belongs to another run,
// and then none counts.
func (f *requestFile) isolated(arm, cell string) (a report.Isolated) {
	f.check()
	at := armCell{arm, cell}
	left := make(map[string]bool)
	for _, r := range f.failing[at] {
		if r.Failure != nil {
			left[r.Prompt] = true
		}
	}
	trials := make(map[string]bool)
	for _, t := range f.run.Trials {
		if t.Arm == arm && t.Cell == cell {
			trials[t.ID] = true
		}
	}
	rows := 0
	for r, err := range record.ReadRequests(filepath.Join(filepath.Dir(f.path), IsolatedFile)) {
		if rows++; err != nil || rows > mostKept {
			return report.Isolated{}
		}
		switch {
		case !trials[r.Trial]:
		case !left[r.Prompt] || a.Prompts == MostIsolated:
			return report.Isolated{}
		default:
			a.Add(r)
			delete(left, r.Prompt)
		}
	}
	return a
}
