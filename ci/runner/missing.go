package runner

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/llama-regress/llama-regress/ci/plan"
)

// Missing says which files and folders of a plan are not on this machine: its
// models, its dataset, the programs of its arms. It opens none and starts
// nothing, so that a mistyped path is told at once and not after a wait for the
// machine. Nil: all are there, and may still be unfit.
func Missing(p *plan.Plan) error {
	var faults []error
	absent := func(path, what, remedy string) {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			faults = append(faults, fmt.Errorf("%s: %s does not exist; %s", what, path, remedy))
		}
	}
	for _, m := range p.Models {
		if m.Path == "" {
			continue
		}
		absent(m.Path, "model "+m.Name, "correct the path, or make a model with 'llama-regress provision model tiny'")
	}
	if p.Serve != nil {
		absent(p.Serve.DatasetPath, "dataset", "correct the path, or get one with 'llama-regress provision dataset'")
	}
	for _, arm := range p.Arms {
		if arm.Bin != "" && arm.ControlOf == "" { // a control runs what its arm runs
			absent(arm.Bin, "arm "+arm.Name, "build llama.cpp there first, or correct the path")
		}
	}
	return errors.Join(faults...)
}
