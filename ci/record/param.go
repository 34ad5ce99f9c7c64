package record

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
)

// A Param is a setting that a matrix may vary or an arm may set: of llama.cpp, or
// of the operating system that runs it. What nobody sets is not passed: the build
// then does what it does for its users, and its program tells what that is. See
// Arm.Defaults.
type Param struct {
	Name    string   // as in the configuration: "flash_attn"
	Default string   // what a trial ran with where nobody set it and nothing told: older versions passed it, and builds that do not report it do that; "" for not known
	Held    Hold     // where it is passed with its Default although nobody sets it, as measuring needs it
	Values  []string // the only values allowed; nil for any whole number or text
	Number  bool     // a whole number, from Min to Max
	Min     int      // of a Number
	Max     int      // of a Number; 0 means as large as 32 bits hold
	Share   bool     // a number from 0 to 1
	Target  Target   // what it sets
	Only    string   // name of the only workload that takes it, and those of the same program; "" for all
	Doc     string   // one line
}

// A Target is what a parameter sets.
type Target string

const (
	LlamaCpp  Target = ""          // llama.cpp's programs
	System    Target = "system"    // the operating system, see package sched; llama.cpp's programs know nothing of it
	Arguments Target = "arguments" // one of llama.cpp's programs, word by word: see JoinArgs
)

// A Hold says in which cells a parameter that nobody sets is passed all the same.
type Hold string

const (
	NotHeld     Hold = ""        // in none: the build does what it does for its users
	HeldAlways  Hold = "always"  // in every one
	HeldPrompts Hold = "prompts" // where prompts stand alone: a repeated one would come from the cache. Conversations are there to use it
)

// HeldIn reports whether a cell of those parameters passes p although nobody sets it.
func (p Param) HeldIn(cell map[string]string) bool {
	return p.Held == HeldAlways || p.Held == HeldPrompts && cell[TurnsParam] == ""
}

// Parameters of a serve cell that say what its client does.
const (
	TurnsParam     = "turns"      // of each conversation, "4" or "2-8"; absent where prompts stand alone
	ThinkTimeParam = "think_time" // between them
)

// Of reports whether a workload takes the parameter.
func (p Param) Of(workload string) bool {
	b, _ := WorkloadByName(workload)
	if b.Bare && p.Target != System {
		return false
	}
	if p.Only == "" || p.Only == workload {
		return true
	}
	a, _ := WorkloadByName(p.Only)
	return a.Program != "" && a.Program == b.Program
}

var (
	onOff      = []string{"on", "off"}
	cacheTypes = []string{"f32", "f16", "bf16", "q8_0", "q4_0", "q4_1", "iq4_nl", "q5_0", "q5_1"} // of the KV cache
)

// Params lists every parameter, in the order in which help shows them.
var Params = []Param{
	{Name: "threads", Number: true, Min: 1, Max: 4096, Doc: "CPU threads"},
	{Name: "batch", Default: "2048", Number: true, Min: 1, Doc: "logical batch size, tokens"},
	{Name: "ubatch", Default: "512", Number: true, Min: 1, Doc: "physical batch size, tokens"},
	{Name: "flash_attn", Default: "off", Values: []string{"on", "off", "auto"}, Doc: "flash attention"},
	{Name: "gpu_layers", Default: "99", Number: true, Doc: "layers kept on the GPU; 99 is all of most models"},
	{Name: "type_k", Default: "f16", Values: cacheTypes, Doc: "type of the K cache"},
	{Name: "type_v", Default: "f16", Values: cacheTypes, Doc: "type of the V cache"},
	{Name: "mmap", Default: "on", Values: onOff, Doc: "map the model file into memory"},
	{Name: "poll", Default: "50", Number: true, Max: 100, Doc: "how busily idle threads wait, 0 to 100"},
	{Name: "split_mode", Default: "layer", Values: []string{"none", "layer", "row", "tensor"}, Doc: "how several GPUs share a model"},
	{Name: "main_gpu", Default: "0", Number: true, Doc: "the GPU that does what is not shared"},
	{Name: "tensor_split", Doc: "share of each GPU, such as 3/1"},
	{Name: "kv_offload", Default: "on", Values: onOff, Doc: "keep the KV cache on the GPU"},
	{Name: "op_offload", Default: "on", Values: onOff, Doc: "move host tensor operations to the GPU"},
	{Name: "cpu_mask", Doc: "CPU affinity mask, hexadecimal"},
	{Name: "cpu_strict", Values: onOff, Doc: "pin each thread to one CPU of the mask"},
	{Name: "numa", Values: []string{"distribute", "isolate", "numactl"}, Doc: "llama.cpp's own NUMA strategy"},
	{Name: "n_cpu_moe", Number: true, Doc: "layers whose experts stay on the CPU"},
	{Name: "override_tensor", Default: "none", Doc: "where tensors are kept: pattern=buffer type, such as exps=CPU; several joined by ;"},
	{Name: "repack", Default: "on", Values: onOff, Doc: "rearrange quantised weights for the processor as they are loaded"},
	{Name: "devices", Doc: "devices to use, joined by /"},
	{Name: "parallel", Only: ServeWorkload, Default: "4", Held: HeldAlways, Number: true, Min: 1, Max: 1024, Doc: "slots of llama-server; 4 where nobody sets them"},
	{Name: "ctx_size", Only: ServeWorkload, Default: "8192", Held: HeldAlways, Number: true, Min: 64, Doc: "context of llama-server, tokens, divided over its slots; 8192 where nobody sets it"},
	{Name: "cont_batching", Only: ServeWorkload, Default: "on", Values: onOff, Doc: "continuous batching of llama-server"},
	{Name: CachePrompt, Only: ServeWorkload, Default: "off", Held: HeldPrompts, Values: onOff, Doc: "prompt cache; off where nobody sets it and prompts stand alone, as the next four"},
	{Name: "cache_reuse", Only: ServeWorkload, Default: "0", Held: HeldPrompts, Number: true, Doc: "least tokens of old context that are shifted into place; 0: none"},
	{Name: "cache_ram", Only: ServeWorkload, Default: "0", Held: HeldPrompts, Number: true, Min: -1, Doc: "memory for prompts that no slot holds any more, MiB; -1: no limit, 0: none"},
	{Name: "ctx_checkpoints", Only: ServeWorkload, Default: "0", Held: HeldPrompts, Number: true, Doc: "context checkpoints of a slot; 0: none"},
	{Name: "slot_similarity", Only: ServeWorkload, Default: "0", Held: HeldPrompts, Share: true, Doc: "share of a prompt that a slot must hold to get it, 0 to 1; 0: the slot idle for longest"},
	{Name: BenchArgs, Only: BenchWorkload, Target: Arguments, Doc: "arguments of llama-bench that no other parameter stands for"},
	{Name: ServeArgs, Only: ServeWorkload, Target: Arguments, Doc: "arguments of llama-server that no other parameter stands for"},
	{Name: SchedulerParam, Target: System, Doc: "the kernel's scheduler: default, a sched_ext scheduler such as scx_lavd, or the path of one"},
	{Name: "numactl", Target: System, Doc: "memory and processor policy as numactl takes it, such as --interleave=0,1"},
	{Name: "cpus", Target: System, Doc: "processors that the program may use, such as 0-3,8"},
	{Name: "nice", Target: System, Number: true, Min: -20, Max: 19, Doc: "niceness: -20 goes first, 19 last"},
	{Name: "cpu_limit", Target: System, Doc: "processor time that a control group allows, such as 1.5 processors"},
	{Name: "memory_limit", Target: System, Doc: "memory that a control group allows, such as 4G"},
}

// CachePrompt is the parameter that says whether prompts may come from the cache.
const CachePrompt = "cache_prompt"

// SchedulerParam is the parameter that says which scheduler the kernel runs.
const SchedulerParam = "scheduler"

// ParamByName finds a parameter.
func ParamByName(name string) (Param, bool) {
	i := slices.IndexFunc(Params, func(p Param) bool { return p.Name == name })
	if i < 0 {
		return Param{}, false
	}
	return Params[i], true
}

// Check says what is wrong with a value of p, nil when nothing is.
func (p Param) Check(value string) error {
	switch {
	case p.Target == Arguments:
		words, err := SplitArgs(value)
		if err == nil {
			err = CheckArgs(p.Only, words)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", p.Name, err)
		}
	case value == "" || len(value) > 200 || strings.ContainsAny(value, "\x00\n\r"):
		return fmt.Errorf("%s: want a value of one line and at most 200 characters", p.Name)
	case strings.Contains(value, ",") && p.Target != System:
		return fmt.Errorf("%s: %q: want one value; llama.cpp would take a comma for a list and run them all", p.Name, value)
	case p.Values != nil && !slices.Contains(p.Values, value):
		return fmt.Errorf("%s: %q is not one of %s", p.Name, value, strings.Join(p.Values, ", "))
	case p.Share:
		if x, err := strconv.ParseFloat(value, 64); err != nil || !(x >= 0 && x <= 1) {
			return fmt.Errorf("%s: %q is not a number from 0 to 1", p.Name, value)
		}
	case p.Number:
		most := cmp.Or(p.Max, math.MaxInt32)
		if n, err := strconv.Atoi(value); err != nil || strconv.Itoa(n) != value || n < p.Min || n > most {
			return fmt.Errorf("%s: %q is not a whole number from %d to %d", p.Name, value, p.Min, most)
		}
	}
	return nil
}
