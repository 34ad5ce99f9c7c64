package record

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
)

// Ignore makes parameters of the cells parameters of the arms, so that cells of
// two runs that differ in them alone are the same cell, and the arms tell in
// what they differ. Where a cell does not say, the value is what its trials
// echoed, else the parameter's default. A parameter that varies within one arm is
// an error, which leaves the run as it was. One that nothing has is ignored.
func (r *Run) Ignore(names []string) error {
	if len(names) == 0 {
		return nil
	}
	arms := slices.Clone(r.Arms)
	for _, name := range names {
		values, err := r.valuesOf(name)
		if err != nil {
			return err
		}
		for i := range arms {
			if value := values[arms[i].Name]; value != "" {
				params := maps.Clone(arms[i].Params)
				if params == nil {
					params = make(map[string]string)
				}
				params[name] = value
				arms[i].Params = params
			}
		}
	}
	cells := slices.Clone(r.Cells)
	taken := make(map[string]string, len(cells))
	for i := range cells {
		params := maps.Clone(cells[i].Params)
		for _, name := range names {
			delete(params, name)
		}
		was := cells[i].Key
		cells[i].Params, cells[i].Key = params, CellKey(cells[i].Workload, cells[i].Model, params)
		if other, twice := taken[cells[i].Key]; twice {
			return fmt.Errorf("cells %s and %s would be one", other, was)
		}
		taken[cells[i].Key] = was
	}
	r.Arms = arms
	r.rekey(cells)
	return nil
}

// valuesOf returns the one value that a parameter has in each arm.
func (r *Run) valuesOf(name string) (map[string]string, error) {
	param, _ := ParamByName(name)
	inCell := make(map[string]string, len(r.Cells))
	for _, c := range r.Cells {
		if value, ok := c.Params[name]; ok {
			inCell[c.Key] = value
		}
	}
	inArm := make(map[string]string, len(r.Arms))
	for _, a := range r.Arms {
		if value, ok := a.Params[name]; ok {
			inArm[a.Name] = value
		}
	}
	told := make(map[string]map[string]map[string]string, len(r.Arms))
	for _, a := range r.Arms {
		told[a.Name] = a.Defaults
	}
	workloads := make(map[string]string, len(r.Cells))
	for _, c := range r.Cells {
		workloads[c.Key] = c.Workload
	}
	values := make(map[string]string, len(r.Arms))
	seen := make(map[string]bool, len(r.Arms))
	for _, t := range r.Trials {
		value := cmp.Or(inArm[t.Arm], inCell[t.Cell], t.Echo[name], told[t.Arm][workloads[t.Cell]][name], param.Default)
		if before := values[t.Arm]; seen[t.Arm] && before != value {
			return nil, fmt.Errorf("%s is ignored, but arm %s ran with both %s and %s: name a record in which it does not vary",
				name, t.Arm, cmp.Or(before, "none"), cmp.Or(value, "none"))
		}
		values[t.Arm], seen[t.Arm] = value, true
	}
	return values, nil
}
