package github

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/llama-regress/llama-regress/ci/record"
)

// Bounds of a run record that somebody else made; ten times and more what the
// tool writes.
const (
	maxString = 64 << 10 // bytes of one string, also of a name
	maxDepth  = 32       // of objects and lists
	maxArms   = 100
	maxCells  = 20_000
	maxTrials = 500_000
)

// readForeign reads a run record as strictly as can be: bounded in every
// direction, and without a field that this version does not know. Numbers are
// finite and references lead somewhere, as record.Read demands of every record.
func readForeign(data []byte, name string) (*record.Run, error) {
	if err := boundJSON(data); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	run, err := record.Read(bytes.NewReader(data), name)
	if err != nil {
		return nil, err
	}
	if len(run.Arms) > maxArms || len(run.Models) > maxCells || len(run.Cells) > maxCells || len(run.Trials) > maxTrials {
		return nil, fmt.Errorf("%s: %d arms, %d models, %d cells and %d trials are more than any session has", name, len(run.Arms), len(run.Models), len(run.Cells), len(run.Trials))
	}
	if field := unknownField(run); field != "" {
		return nil, fmt.Errorf("%s: unknown field %q; use the same version of llama-regress to measure and to report", name, cutName(field))
	}
	return run, nil
}

// boundJSON walks the tokens before anything is built from them.
func boundJSON(data []byte) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	for depth := 0; ; {
		token, err := d.Token()
		if err == io.EOF && depth == 0 {
			return nil
		}
		if err != nil {
			return err
		}
		switch v := token.(type) {
		case json.Delim:
			if v == '{' || v == '[' {
				depth++
			} else {
				depth--
			}
			if depth > maxDepth {
				return fmt.Errorf("nested deeper than %d", maxDepth)
			}
		case string:
			if len(v) > maxString {
				return fmt.Errorf("a text of %d bytes, want at most %d", len(v), maxString)
			}
		case json.Number:
			if _, err := v.Float64(); err != nil {
				return errors.New("a number that is not finite")
			}
		}
	}
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
