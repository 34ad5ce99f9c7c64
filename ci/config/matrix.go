package config

import (
	"fmt"
	"maps"

	"github.com/llama-regress/llama-regress/ci/record"
)

// MaxCombinations bounds a matrix, long before its trials become too many.
const MaxCombinations = 10_000

// A Matrix spans the cells: every combination of its values, for every model.
type Matrix struct {
	Params  map[string][]string // values by parameter, of record.Params
	Include []map[string]string
	Exclude []map[string]string
}

// Combinations returns the matrix's points as GitHub Actions computes them:
//
//  1. all combinations of Params, the last parameter (in the order of
//     record.Params) running fastest;
//  2. less those that agree with every pair of an entry of Exclude;
//  3. each entry of Include is added to every combination of which it changes
//     no value that came from Params; an entry that fits none becomes a
//     combination of its own. What one entry added, a later one may change.
//
// An empty matrix has one combination, which sets nothing. The error is about
// the matrix as a whole: too many combinations, or none left.
func (m Matrix) Combinations() ([]map[string]string, error) {
	base, err := m.product()
	if err != nil {
		return nil, err
	}
	var points []map[string]string
	for _, combination := range base {
		if !m.excluded(combination) {
			points = append(points, combination)
		}
	}
	var alone []map[string]string
	original := make([]map[string]string, len(points))
	for i := range points {
		original[i] = maps.Clone(points[i])
	}
	for _, entry := range m.Include {
		fits := false
		for i := range points {
			if !contradicts(original[i], entry) {
				maps.Copy(points[i], entry)
				fits = true
			}
		}
		if !fits {
			alone = append(alone, maps.Clone(entry))
		}
	}
	points = append(points, alone...)
	if len(points) == 0 {
		return nil, fmt.Errorf("exclude leaves no combination")
	}
	return points, nil
}

// product returns all combinations of Params. Without any it is a single empty
// one, unless Include has entries: those then stand alone.
func (m Matrix) product() ([]map[string]string, error) {
	if len(m.Params) == 0 && len(m.Include) > 0 {
		return nil, nil
	}
	points := []map[string]string{{}}
	for _, p := range record.Params {
		values, ok := m.Params[p.Name]
		if !ok {
			continue
		}
		if len(points)*len(values) > MaxCombinations {
			return nil, fmt.Errorf("more than %d combinations; vary fewer parameters at once", MaxCombinations)
		}
		var next []map[string]string
		for _, point := range points {
			for _, value := range values {
				with := maps.Clone(point)
				with[p.Name] = value
				next = append(next, with)
			}
		}
		points = next
	}
	return points, nil
}

func (m Matrix) excluded(combination map[string]string) bool {
	for _, entry := range m.Exclude {
		if agrees(combination, entry) {
			return true
		}
	}
	return false
}

// agrees says whether the combination has every pair of entry.
func agrees(combination, entry map[string]string) bool {
	for name, value := range entry {
		if have, ok := combination[name]; !ok || have != value {
			return false
		}
	}
	return true
}

// contradicts says whether entry gives a parameter of the combination another value.
func contradicts(combination, entry map[string]string) bool {
	for name, value := range entry {
		if have, ok := combination[name]; ok && have != value {
			return true
		}
	}
	return false
}

// sets says whether some cell of the matrix sets the parameter.
func (m Matrix) sets(name string) bool {
	if _, ok := m.Params[name]; ok {
		return true
	}
	for _, entry := range m.Include {
		if _, ok := entry[name]; ok {
			return true
		}
	}
	return false
}
