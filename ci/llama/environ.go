package llama

import (
	"maps"
	"slices"
	"strings"

	"github.com/llama-regress/llama-regress/ci/internal/environ"
)

// keptVariables start like llama.cpp's own variables but do not change how
// fast it runs.
var keptVariables = []string{"LLAMA_CACHE", "LLAMA_REGRESS_"}

// environment is what a program of llama.cpp runs with: everything inherited
// except secrets (package environ) and llama.cpp's own variables (GGML_*,
// LLAMA_*), which would change its behaviour without leaving a trace in the
// record; then the C locale and no backtraces; then what the arm sets, which may
// name any of them. The second result names llama.cpp's variables that were left
// out, sorted.
//
// Other variables that move numbers, such as OMP_PROC_BIND or
// CUDA_VISIBLE_DEVICES, are the machine's and are inherited by every arm alike.
func environment(inherited []string, arm map[string]string) (env, dropped []string) {
	for _, entry := range environ.Without(inherited) {
		name, _, _ := strings.Cut(entry, "=")
		switch {
		case changesLlama(name):
			if _, set := arm[name]; !set {
				dropped = append(dropped, name)
			}
		case name != "LC_ALL":
			env = append(env, entry)
		}
	}
	// On a failed assertion ggml would attach a debugger, which writes to
	// stdout, into the results.
	env = append(env, "LC_ALL=C", "GGML_NO_BACKTRACE=1")
	for _, name := range slices.Sorted(maps.Keys(arm)) {
		env = append(env, name+"="+arm[name])
	}
	slices.Sort(dropped)
	return env, dropped
}

func changesLlama(name string) bool {
	for _, kept := range keptVariables {
		if strings.HasPrefix(name, kept) {
			return false
		}
	}
	return strings.HasPrefix(name, "GGML_") || strings.HasPrefix(name, "LLAMA_")
}
