package compare

import (
	"slices"
	"strconv"

	"github.com/llama-regress/llama-regress/ci/record"
)

// What Policy.Ignore may name: cells are matched by the names of models and
// datasets, and what such a name stands for must be the same on both sides.
const (
	IgnoreModel   = "model"
	IgnoreDataset = "dataset"
)

// A Namesake is a model, or the dataset of serve cells, that is not the same
// thing on the two sides although cells were matched by its name.
type Namesake struct {
	Kind    string   `json:"kind"` // IgnoreModel or IgnoreDataset
	Name    string   `json:"name"`
	Keys    []string `json:"keys"`    // in what they differ, such as "type", "bytes"
	Ignored bool     `json:"ignored"` // Policy.Ignore says that comparing unlike things is wanted
}

// Namesakes lists what keeps the cell of one run from being compared with the
// cell of that key in another, by kind, whatever a policy ignores.
func Namesakes(past, head *record.Run, cell record.Cell) map[string][]record.KeyDiff {
	return namesakes(modelNamed(past, cell.Model), modelNamed(head, cell.Model), past, head, cell)
}

func namesakes(was, is record.Model, past, head *record.Run, cell record.Cell) map[string][]record.KeyDiff {
	found := make(map[string][]record.KeyDiff)
	if diffs := was.Compare(is); len(diffs) > 0 {
		found[IgnoreModel] = diffs
	}
	if diffs := datasetsDiffer(past, head); cell.SendsRequests() && len(diffs) > 0 {
		found[IgnoreDataset] = diffs
	}
	return found
}

func modelNamed(run *record.Run, name string) record.Model {
	for _, m := range run.Models {
		if m.Name == name {
			return m
		}
	}
	return record.Model{}
}

// echoedModels is what a run knows of the model of each cell, by its key: llama-bench
// echoes more of it than a session's record says.
func echoedModels(run *record.Run) map[string]record.Model {
	models := make(map[string]record.Model, len(run.Cells))
	for _, c := range run.Cells {
		models[c.Key] = modelNamed(run, c.Model)
	}
	for _, t := range run.Trials {
		m := models[t.Cell]
		if m.Type == "" && t.Echo["model_type"] != "" {
			m.Type = t.Echo["model_type"]
			m.Parameters, _ = strconv.ParseInt(t.Echo["model_n_params"], 10, 64) // 0: not known
			models[t.Cell] = m
		}
	}
	return models
}

// datasetsDiffer holds the datasets of two runs against each other, in their
// order: which cell took its prompts from which is not recorded.
func datasetsDiffer(a, b *record.Run) []record.KeyDiff {
	var diffs []record.KeyDiff
	for i := range min(len(a.Datasets), len(b.Datasets)) {
		diffs = append(diffs, a.Datasets[i].Compare(b.Datasets[i])...)
	}
	return diffs
}

// subjects are the namesakes among the cells that two runs have in common.
type subjects struct {
	cells map[string]Reason // why a cell must not be judged, by its key
	found []Namesake
	diffs []Difference
}

// subjectsOf compares what the cells of two runs measured, as far as the policy
// does not ignore it; what is ignored is told all the same.
func subjectsOf(base, head *record.Run, arm string, policy Policy) subjects {
	s := subjects{cells: make(map[string]Reason)}
	were, are := echoedModels(base), echoedModels(head)
	counted := countedApart(base, head)
	for _, cell := range head.Cells {
		was, ok := were[cell.Key]
		if !ok {
			continue
		}
		diffs := namesakes(was, are[cell.Key], base, head, cell)
		for _, kind := range []string{IgnoreModel, IgnoreDataset} {
			if len(diffs[kind]) > 0 {
				s.add(kind, nameOf(kind, head, cell), arm, cell.Key, diffs[kind], slices.Contains(policy.Ignore, kind))
			}
		}
		if r, apart := counted[cell.Key]; apart {
			s.cells[cell.Key] = r
		}
	}
	return s
}

func nameOf(kind string, run *record.Run, cell record.Cell) string {
	if kind == IgnoreModel {
		return cell.Model
	}
	return run.Datasets[0].Name
}

func (s *subjects) add(kind, name, arm, cell string, diffs []record.KeyDiff, ignored bool) {
	if !ignored {
		r := s.cells[cell]
		r.Code = SubjectMismatch
		for _, d := range diffs {
			r.Keys = append(r.Keys, kind+"."+d.Key)
		}
		s.cells[cell] = r
	}
	if slices.ContainsFunc(s.found, func(n Namesake) bool { return n.Kind == kind && n.Name == name }) {
		return
	}
	n := Namesake{Kind: kind, Name: name, Ignored: ignored}
	for _, d := range diffs {
		n.Keys = append(n.Keys, d.Key)
		s.diffs = append(s.diffs, Difference{Key: kind + "." + d.Key + " of " + name, Arm: arm, Hard: !ignored, Baseline: d.A, Candidate: d.B})
	}
	s.found = append(s.found, n)
}

// mismatches says why comparisons must not be judged.
type mismatches struct {
	keys     []string          // hard keys of machine or build: of every cell
	subjects map[string]Reason // by cell
}

// of returns the reason why a comparison must not be judged, nil when it may be.
func (m mismatches) of(c *Comparison) *Reason {
	if len(m.keys) > 0 {
		return &Reason{Code: EnvironmentMixed, Keys: m.keys}
	}
	if r, ok := m.subjects[c.Cell]; ok {
		return &r
	}
	return nil
}
