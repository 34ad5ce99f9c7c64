package record

import (
	"maps"
	"slices"
	"strings"
)

// CellKey is the stable name of a cell: "bench/tinyllama/batch=512,threads=2",
// its parameters sorted by name. Two cells are the same point of the matrix
// exactly when their keys are equal.
func CellKey(workload, model string, params map[string]string) string {
	key := workload + "/" + model
	for i, name := range slices.Sorted(maps.Keys(params)) {
		sep := ","
		if i == 0 {
			sep = "/"
		}
		key += sep + name + "=" + escapeKey(params[name])
	}
	return key
}

// escapeKey keeps a value from being read as the start of the next parameter.
func escapeKey(value string) string {
	return strings.NewReplacer("%", "%25", ",", "%2C", "=", "%3D", "/", "%2F", "\n", "%0A", "\r", "%0D").Replace(value)
}
