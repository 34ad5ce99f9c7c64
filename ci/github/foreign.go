package github

import (
	"fmt"
	"io"

	"github.com/llama-regress/llama-regress/ci/record"
)

// readForeign reads a run record as strictly as can be: bounded in every
// direction, and without a field that this version does not know. Numbers are
// finite and references lead somewhere, as record.Read demands of every record.
func readForeign(r io.Reader, name string) (*record.Run, error) {
	run, err := record.ReadForeign(r, name, maxRecord)
	if err != nil {
		return nil, err
	}
	if field := unknownField(run); field != "" {
		return nil, fmt.Errorf("%s: unknown field %q; use the same version of llama-regress to measure and to report", name, cutName(field))
	}
	return run, nil
}

// unknownField returns the name of a field that the record's writer had and
// this version has not, "" when there is none.
func unknownField(run *record.Run) string {
	extras := []record.Extra{run.Extra, run.Plan.Extra, run.Host.Extra}
	for _, look := range run.Looks {
		extras = append(extras, look.Extra)
	}
	for _, part := range run.Parts {
		extras = append(extras, part.Extra, part.Host.Extra)
	}
	for _, arm := range run.Arms {
		extras = append(extras, arm.Extra)
	}
	for _, model := range run.Models {
		extras = append(extras, model.Extra)
	}
	for _, cell := range run.Cells {
		extras = append(extras, cell.Extra)
	}
	for _, t := range run.Trials {
		extras = append(extras, t.Extra)
		for _, m := range t.Measurements {
			extras = append(extras, m.Extra)
		}
		if t.Failure != nil {
			extras = append(extras, t.Failure.Extra)
		}
		if t.Preparation != nil {
			extras = append(extras, t.Preparation.Extra)
		}
		if t.Resources != nil {
			extras = append(extras, t.Resources.Extra)
		}
	}
	for _, extra := range extras {
		for name := range extra {
			return name
		}
	}
	return ""
}
