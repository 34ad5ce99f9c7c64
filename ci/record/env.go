package record

import (
	"fmt"
	"strings"
)

// variables are llama-server's environment variables whose flag is not the rest of
// their name: LLAMA_ARG_CACHE_REUSE is --cache-reuse, and so on.
var variables = map[string]string{
	"LLAMA_ARG_BATCH": "--batch-size", "LLAMA_ARG_UBATCH": "--ubatch-size", "LLAMA_ARG_N_PARALLEL": "--parallel",
	"LLAMA_ARG_ENDPOINT_METRICS": "--metrics", "LLAMA_ARG_ENDPOINT_SLOTS": "--slots", "LLAMA_ARG_NO_ENDPOINT_SLOTS": "--slots",
	"LLAMA_ARG_STATIC_PATH": "--path", "LLAMA_API_KEY": "--api-key",
}

// CheckEnv says why an arm cannot set an environment variable of llama-server, nil
// when it can: llama-regress passes the flag of the same meaning, and a flag goes
// before a variable. passed says which parameters get a flag, because somebody sets
// them or because they are held.
func CheckEnv(name string, passed func(param string) bool) error {
	flag, known := variables[name]
	if rest, ours := strings.CutPrefix(name, "LLAMA_ARG_"); !known && ours {
		flag = "--" + strings.ReplaceAll(strings.ToLower(rest), "_", "-")
	}
	why := ownedFlags[ServeWorkload][flag]
	if why == "" {
		return nil
	}
	if param, ok := paramOfFlag(flag); ok && !passed(param.Name) {
		return nil // nothing overrides it
	}
	return fmt.Errorf("llama-regress passes %s itself, which goes before the variable: %s", flag, why)
}

// paramOfFlag is the parameter that a flag of llama-server stands for.
func paramOfFlag(flag string) (Param, bool) {
	for names, param := range serverParams {
		for _, name := range strings.Fields(names) {
			if name == flag {
				return ParamByName(param)
			}
		}
	}
	return Param{}, false
}
