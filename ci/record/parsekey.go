package record

import "strings"

var keyUnescapes = strings.NewReplacer("%25", "%", "%2C", ",", "%3D", "=", "%2F", "/", "%0A", "\n", "%0D", "\r")

// ParseCellKey is the inverse of CellKey; false for a text that is no key.
func ParseCellKey(key string) (workload, model string, params map[string]string, ok bool) {
	parts := strings.Split(key, "/")
	if len(parts) < 2 || len(parts) > 3 {
		return "", "", nil, false
	}
	workload, model = keyUnescapes.Replace(parts[0]), keyUnescapes.Replace(parts[1])
	if len(parts) == 3 {
		params = make(map[string]string)
		for pair := range strings.SplitSeq(parts[2], ",") {
			name, value, _ := strings.Cut(pair, "=")
			params[keyUnescapes.Replace(name)] = keyUnescapes.Replace(value)
		}
	}
	return workload, model, params, CellKey(workload, model, params) == key
}
