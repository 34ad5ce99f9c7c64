package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/llama-regress/llama-regress/ci/record"
)

// matrix checks every value, then that the combinations are some and distinct.
func (k *checker) matrix(c *Config) {
	m, before := c.Matrix, len(k.faults)
	for _, name := range slices.Sorted(maps.Keys(m.Params)) {
		path := "matrix." + name
		if len(m.Params[name]) == 0 {
			k.fault(path, "an empty list; leave the key out for the default")
		}
		for i, value := range m.Params[name] {
			at := fmt.Sprintf("%s[%d]", path, i)
			k.param(at, name, value)
			if j := slices.Index(m.Params[name], value); j < i {
				k.fault(at, "%q comes twice", value)
			}
		}
	}
	for i, entry := range m.Include {
		path := fmt.Sprintf("matrix.include[%d]", i)
		k.params(path, entry)
		if len(entry) == 0 {
			k.fault(path, "sets nothing")
		}
	}
	for i, entry := range m.Exclude {
		k.exclude(fmt.Sprintf("matrix.exclude[%d]", i), entry, m)
	}
	if len(k.faults) > before {
		return
	}
	points, err := m.Combinations()
	if err != nil {
		k.fault("matrix", "%v", err)
	}
	seen := map[string]bool{}
	for _, point := range points {
		key := record.CellKey("", "", point)
		if seen[key] {
			k.fault("matrix.include", "makes the same combination twice: %s", strings.TrimPrefix(key, "//"))
			return
		}
		seen[key] = true
	}
}

// exclude refuses an entry that excludes nothing: GitHub ignores it, and so
// hides the typing error it most likely is.
func (k *checker) exclude(path string, entry map[string]string, m Matrix) {
	k.params(path, entry)
	if len(entry) == 0 {
		k.fault(path, "would exclude everything")
	}
	for _, name := range slices.Sorted(maps.Keys(entry)) {
		if values, ok := m.Params[name]; !ok {
			k.fault(path+"."+name, "excludes nothing: the matrix does not vary %s", name)
		} else if k.readable("matrix."+name) && !slices.Contains(values, entry[name]) {
			k.fault(path+"."+name, "excludes nothing: %s is never %s", name, entry[name])
		}
	}
}
