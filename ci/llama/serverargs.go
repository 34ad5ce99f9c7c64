package llama

import (
	"maps"
	"slices"
	"strings"

	"github.com/llama-regress/llama-regress/ci/record"
)

// A serverSetting ties a parameter of the configuration to the flags of
// llama-server.
type serverSetting struct {
	param string
	flag  string // as messages call it
	other string // that builds without it have in its place; "" for none
	since int    // build that brought it, 0 when older than every build we drive
	unset string // what builds without the flag do; "" when nothing can be said

	// write spells the value, which may take no argument at all; false when
	// the build cannot be given it.
	write func(c capabilities, value string) ([]string, bool)
}

// serverSettings covers every parameter of record.Params, in the order in
// which flags are passed.
var serverSettings = []serverSetting{
	{param: "threads", flag: "-t", write: valued("-t", "-tb")},
	{param: "batch", flag: "-b", write: valued("-b")},
	{param: "ubatch", flag: "-ub", write: valued("-ub")},
	{param: "flash_attn", flag: "-fa", write: flashAttention},
	{param: "gpu_layers", flag: "-ngl", write: valued("-ngl")},
	{param: "type_k", flag: "-ctk", write: valued("-ctk")},
	{param: "type_v", flag: "-ctv", write: valued("-ctv")},
	{param: "mmap", flag: "-lm", other: "--no-mmap", write: mapping},
	{param: "poll", flag: "--poll", since: 3644, write: valued("--poll")},
	{param: "split_mode", flag: "-sm", write: valued("-sm")},
	{param: "main_gpu", flag: "-mg", write: valued("-mg")},
	{param: "tensor_split", flag: "-ts", write: listed("-ts")},
	{param: "kv_offload", flag: "-nkvo", write: switched("on", "-kvo", "-nkvo")},
	{param: "op_offload", flag: "--no-op-offload", since: 5346, unset: "on", write: switched("on", "--op-offload", "--no-op-offload")},
	{param: "cpu_mask", flag: "-C", since: 3644, write: valued("-C")},
	{param: "cpu_strict", flag: "--cpu-strict", since: 3644, unset: "off", write: worded("--cpu-strict")},
	{param: "numa", flag: "--numa", write: valued("--numa")},
	{param: "n_cpu_moe", flag: "-ncmoe", since: 6082, unset: "0", write: valued("-ncmoe")},
	{param: "override_tensor", flag: "-ot", unset: "none", write: overrides},
	{param: "repack", flag: "--no-repack", unset: "on", write: switched("on", "--repack", "--no-repack")},
	{param: "devices", flag: "-dev", write: deviceList},
	{param: "parallel", flag: "-np", write: valued("-np")},
	{param: "ctx_size", flag: "-c", write: valued("-c")},
	{param: "cont_batching", flag: "-nocb", write: switched("on", "-cb", "-nocb")},
	{param: record.CachePrompt, flag: "--cache-prompt", write: promptCache},
	{param: "cache_ram", flag: "--cache-ram", since: 6723, unset: "0", write: valued("--cache-ram")},
	{param: "cache_reuse", flag: "--cache-reuse", unset: "0", write: valued("--cache-reuse")},
	{param: "ctx_checkpoints", flag: "--ctx-checkpoints", unset: "0", write: valued("--ctx-checkpoints")},
	{param: "slot_similarity", flag: "--slot-prompt-similarity", unset: "0", write: valued("--slot-prompt-similarity")},
}

// clientParameters belong to the load, not to the server.
var clientParameters = []string{"concurrency", "rate", record.TurnsParam, record.ThinkTimeParam}

// serverArgs spells the parameters as flags of this build. One whose flag the
// build lacks is an error, unless the build does just that without the flag.
func serverArgs(c capabilities, values map[string]string) ([]string, error) {
	var args []string
	known := slices.Clone(clientParameters)
	for _, s := range serverSettings {
		known = append(known, s.param)
		value, given := values[s.param]
		if !given {
			continue
		}
		if param, _ := record.ParamByName(s.param); param.Check(value) != nil {
			return nil, &badArgument{s.param, value, s.flag, param.Check(value).Error(), "correct the configuration"}
		}
		spelt, ok := s.write(c, value)
		if !ok && value != s.unset {
			why, instead := "this build has no such flag", setting{param: s.param, since: s.since}.remedy()
			if c.has(s.flag) {
				why, instead = "this build does not take the value", "it takes "+c.forms[s.flag]
			}
			return nil, &badArgument{s.param, value, s.flag, why, instead}
		}
		args = append(args, spelt...)
	}
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains(known, name) {
			return nil, &badArgument{name, values[name], "none", "llama-server has no such parameter", "remove it from the matrix or the arm"}
		}
	}
	return append(args, fixedArgs(c)...), nil
}

// fixedArgs are the settings that are held fixed, as far as the build has them.
func fixedArgs(c capabilities) []string {
	var args []string
	for _, held := range record.HeldFixed {
		flag := held.Words[0]
		if flag == "--no-ui" && c.has("--no-webui") || !c.has(flag) {
			continue
		}
		args = append(args, held.Words...)
	}
	return args
}

// Writers: the value as the build takes it, false when it cannot be given it.

// valued passes the value with the first flag, which must be there, and with
// the others that are.
func valued(flags ...string) func(capabilities, string) ([]string, bool) {
	return func(c capabilities, value string) ([]string, bool) {
		text, ok := asIs(c, flags[0], value)
		if !ok || !c.has(flags[0]) {
			return nil, false
		}
		var args []string
		for _, flag := range flags {
			if c.has(flag) {
				args = append(args, flag, text)
			}
		}
		return args, true
	}
}

// listed passes "3/1" as "3,1".
func listed(flag string) func(capabilities, string) ([]string, bool) {
	return func(c capabilities, value string) ([]string, bool) {
		return []string{flag, strings.ReplaceAll(value, "/", ",")}, c.has(flag)
	}
}

// overrides passes "a=CPU;b=CPU" as "a=CPU,b=CPU", and "none" not at all.
func overrides(c capabilities, value string) ([]string, bool) {
	if value == "none" {
		return nil, true
	}
	return []string{"-ot", strings.ReplaceAll(value, ";", ",")}, c.has("-ot")
}

// deviceList is listed, but "auto", all of them, is what no flag means.
func deviceList(c capabilities, value string) ([]string, bool) {
	if value == "auto" {
		return nil, true
	}
	return listed("-dev")(c, value)
}

// worded passes a switch that takes a value.
func worded(flag string) func(capabilities, string) ([]string, bool) {
	return func(c capabilities, value string) ([]string, bool) {
		text, ok := onOff(c, flag, value)
		return []string{flag, text}, ok && c.has(flag)
	}
}

// switched passes a switch that is two flags. A build that lacks the flag for
// its default does that anyway.
func switched(byDefault, on, off string) func(capabilities, string) ([]string, bool) {
	return func(c capabilities, value string) ([]string, bool) {
		flag := on
		if value == "off" {
			flag = off
		}
		if c.has(flag) {
			return []string{flag}, true
		}
		return nil, value == byDefault
	}
}

// flashAttention is a bare flag until b6325, which only turns it on, and takes
// a word from then on.
func flashAttention(c capabilities, value string) ([]string, bool) {
	switch form := c.forms["-fa"]; {
	case !c.has("-fa"):
		return nil, value == "off"
	case form != "":
		text, ok := asIs(c, "-fa", value)
		return []string{"-fa", text}, ok
	case value == "on":
		return []string{"-fa"}, true
	}
	return nil, value == "off"
}

// promptCache is a flag since b7716. Each request says it, too, which is all that
// older builds need.
func promptCache(c capabilities, value string) ([]string, bool) {
	args, _ := switched("", "--cache-prompt", "--no-cache-prompt")(c, value)
	return args, true
}

func mapping(c capabilities, value string) ([]string, bool) {
	if c.has("-lm") {
		text, ok := loadMode(c, "-lm", value)
		return []string{"-lm", text}, ok
	}
	return switched("on", "--mmap", "--no-mmap")(c, value)
}
