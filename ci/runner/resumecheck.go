package runner

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
)

// samePlan refuses to mix two plans, and says where they part.
func samePlan(was *record.Run, p *plan.Plan, path string) error {
	if was.Plan.ID == p.ID {
		return nil
	}
	var differ []string
	check := func(what string, a, b any) {
		if !jsonEqual(a, b) {
			differ = append(differ, what)
		}
	}
	number := func(what string, a, b any) {
		check(fmt.Sprintf("%s (%v, now %v)", what, a, b), a, b)
	}
	check("shard", was.Plan.Shard, p.Shard)
	number("blocks", was.Plan.Blocks, p.Blocks)
	number("blocks of the screening", was.Plan.Screen, p.Screen)
	number("interim analyses", was.Plan.Interims, p.Interims)
	number("warmup", was.Plan.Warmup, p.Warmup)
	number("repetitions", was.Plan.Repetitions, p.Repetitions)
	number("trials", was.Plan.Trials, len(p.Trials))
	number("baseline", printable(was.Baseline), printable(p.Baseline))
	check("arms", planned(was.Arms), planned(p.Arms))
	var models []plan.Model
	for _, m := range was.Models {
		models = append(models, plan.Model{Name: m.Name, Path: m.Path})
	}
	var wanted []plan.Model
	for _, m := range p.Models {
		wanted = append(wanted, plan.Model{Name: m.Name, Path: m.Path})
	}
	check("models", models, wanted)
	var cells []record.Cell
	for _, c := range p.Cells {
		cells = append(cells, c.Cell)
	}
	check("cells", was.Cells, cells)
	check("configuration file", was.Plan.ConfigSHA, p.ConfigSHA)
	if len(differ) == 0 { // the seed is drawn from all that is planned, unless one is given
		differ = []string{"tests, load, dataset, time limit or seed"}
	}
	return fmt.Errorf("%s belongs to another plan (%.12s, this one is %.12s): %s differ; undo the change, or choose another folder",
		path, was.Plan.ID, p.ID, strings.Join(differ, ", "))
}

// planned is what a plan knows of its arms: their builds are found out later, and
// what these do where nobody sets it.
func planned(arms []record.Arm) []record.Arm {
	plain := make([]record.Arm, len(arms))
	for i, a := range arms {
		plain[i] = a
		plain[i].Build, plain[i].Libraries, plain[i].Defaults = record.Build{}, nil, nil
	}
	return plain
}

// sameSubjects refuses to go on with other models, builds or another machine:
// the trials before and after would not be of the same thing.
func sameSubjects(was, now *record.Run) error {
	var differ []error
	hard, _ := was.Host.Compare(now.Host)
	for _, d := range hard {
		differ = append(differ, fmt.Errorf("host %s was %q, is %q", d.Key, d.A, d.B))
	}
	for i, m := range was.Models {
		if i < len(now.Models) && m.SHA256 != now.Models[i].SHA256 {
			differ = append(differ, fmt.Errorf("model %s changed: sha256 was %.12s, is %.12s", m.Name, m.SHA256, now.Models[i].SHA256))
		}
	}
	for i, d := range was.Datasets {
		if i < len(now.Datasets) && d.SHA256 != now.Datasets[i].SHA256 {
			differ = append(differ, fmt.Errorf("dataset %s changed: sha256 was %.12s, is %.12s", d.Name, d.SHA256, now.Datasets[i].SHA256))
		}
	}
	for i, a := range was.Arms {
		if i >= len(now.Arms) {
			break
		}
		b := now.Arms[i].Build
		others := a.OtherFiles(now.Arms[i])
		switch {
		case a.Build.SHA256 != b.SHA256:
			differ = append(differ, fmt.Errorf("arm %s: the program changed: sha256 was %.12s, is %.12s", a.Name, a.Build.SHA256, b.SHA256))
		case a.Build.ServerSHA256 != b.ServerSHA256:
			differ = append(differ, fmt.Errorf("arm %s: llama-server changed: sha256 was %.12s, is %.12s", a.Name, a.Build.ServerSHA256, b.ServerSHA256))
		case len(others) > 0:
			differ = append(differ, fmt.Errorf("arm %s: the build changed: %s is another file than it was", a.Name, strings.Join(others, ", ")))
		case a.Build.Model != b.Model:
			differ = append(differ, fmt.Errorf("arm %s: the server answers with another model: it was %q, is %q", a.Name, a.Build.Model, b.Model))
		case a.Build.Version != b.Version: // the same program with other libraries
			differ = append(differ, fmt.Errorf("arm %s: the build changed: it was %q, is %q", a.Name, a.Build.Version, b.Version))
		}
	}
	if len(differ) == 0 {
		return nil
	}
	return fmt.Errorf("cannot be resumed here; start over in another folder: %w", errors.Join(differ...))
}

// jsonEqual says whether two values are the same once written down.
func jsonEqual(a, b any) bool {
	x, errX := json.Marshal(a)
	y, errY := json.Marshal(b)
	return errX == nil && errY == nil && bytes.Equal(x, y)
}
