package record

import (
	"maps"
	"slices"
	"strings"
)

// CellKey is the stable name of a cell: "bench/tinyllama/batch=512,threads=2",
// its parameters sorted by name. Two cells are the same point of the matrix
// exactly when their keys are equal, whatever characters they are named with.
func CellKey(workload, model string, params map[string]string) string {
	key := escapeKey(workload) + "/" + escapeKey(model)
	for i, name := range slices.Sorted(maps.Keys(params)) {
		sep := ","
		if i == 0 {
			sep = "/"
		}
		key += sep + escapeKey(name) + "=" + escapeKey(params[name])
	}
	return key
}

var keyEscapes = strings.NewReplacer("%", "%25", ",", "%2C", "=", "%3D", "/", "%2F", "\n", "%0A", "\r", "%0D")

// escapeKey keeps a part of a key from being read as the start of the next.
func escapeKey(part string) string { return keyEscapes.Replace(part) }
