package export

import (
	"cmp"
	"math"
	"strconv"

	"gonum.org/v1/gonum/stat"

	"github.com/llama-regress/llama-regress/ci/record"
)

// A row is one test of one trial, with all that its columns are taken from.
type row struct {
	arm    record.Arm
	cell   record.Cell
	model  record.Model
	host   record.Host
	trial  record.Trial
	test   record.Test
	values []float64 // tok/s, at least one
}

// setting is what the program reported, else what the arm or the cell asked
// for, else the default of record.Params.
func (r row) setting(name string) string {
	p, _ := record.ParamByName(name)
	return cmp.Or(r.trial.Echo[name], r.arm.Params[name], r.cell.Params[name], p.Default)
}

// nanoseconds of each repetition.
func (r row) nanoseconds() []float64 {
	ns := make([]float64, len(r.values))
	for i, v := range r.values {
		ns[i] = float64(r.test.Tokens()) / v * 1e9
	}
	return ns
}

// A column of the table llama_bench; its value is never nil.
type column struct {
	name, kind string
	value      func(row) any
}

// columns are those of llama-bench's own output, in its order, and use_mmap,
// which builds before b10105 have in place of load_mode.
var columns = []column{
	{"build_commit", "TEXT", func(r row) any { return r.arm.Build.Commit }},
	{"build_number", "INTEGER", func(r row) any { return r.arm.Build.Number }},
	{"cpu_info", "TEXT", func(r row) any { return cmp.Or(r.trial.Echo["cpu_info"], r.arm.Build.CPU, r.host.Hard["cpu"]) }},
	{"gpu_info", "TEXT", func(r row) any { return cmp.Or(r.trial.Echo["gpu_info"], r.arm.Build.GPU, r.host.Hard["gpu"]) }},
	{"backends", "TEXT", func(r row) any { return cmp.Or(r.trial.Echo["backends"], r.arm.Build.Backends) }},
	{"model_filename", "TEXT", func(r row) any { return cmp.Or(r.trial.Echo["model_filename"], r.model.Path) }},
	{"model_type", "TEXT", func(r row) any { return cmp.Or(r.trial.Echo["model_type"], r.model.Type) }},
	{"model_size", "INTEGER", func(r row) any {
		return integer(cmp.Or(r.trial.Echo["model_size"], strconv.FormatInt(r.model.Bytes, 10)))
	}},
	{"model_n_params", "INTEGER", func(r row) any {
		return integer(cmp.Or(r.trial.Echo["model_n_params"], strconv.FormatInt(r.model.Parameters, 10)))
	}},
	{"n_batch", "INTEGER", whole("batch")},
	{"n_ubatch", "INTEGER", whole("ubatch")},
	{"n_threads", "INTEGER", whole("threads")},
	{"cpu_mask", "TEXT", words("cpu_mask")},
	{"cpu_strict", "INTEGER", whole("cpu_strict")},
	{"poll", "INTEGER", whole("poll")},
	{"type_k", "TEXT", words("type_k")},
	{"type_v", "TEXT", words("type_v")},
	{"n_gpu_layers", "INTEGER", whole("gpu_layers")},
	{"n_cpu_moe", "INTEGER", whole("n_cpu_moe")},
	{"split_mode", "TEXT", words("split_mode")},
	{"main_gpu", "INTEGER", whole("main_gpu")},
	{"no_kv_offload", "INTEGER", func(r row) any { return 1 - integer(r.setting("kv_offload")) }},
	{"flash_attn", "INTEGER", whole("flash_attn")},
	{"devices", "TEXT", words("devices")},
	{"tensor_split", "TEXT", words("tensor_split")},
	{"tensor_buft_overrides", "TEXT", func(r row) any {
		return cmp.Or(r.trial.Echo["tensor_buft_overrides"], r.setting("override_tensor")) // the first in records of before it was a parameter
	}},
	{"use_mmap", "INTEGER", whole("mmap")},
	{"load_mode", "TEXT", func(r row) any { return loadMode(r.setting("mmap")) }},
	{"lazy_mode", "TEXT", words("lazy_mode")},
	{"embeddings", "INTEGER", whole("embeddings")},
	{"no_op_offload", "INTEGER", func(r row) any { return 1 - integer(r.setting("op_offload")) }},
	{"no_host", "INTEGER", whole("no_host")},
	{"repack", "INTEGER", whole("repack")},
	{"fit_target", "INTEGER", whole("fit_target")},
	{"fit_min_ctx", "INTEGER", whole("fit_min_ctx")},
	{"n_prompt", "INTEGER", func(r row) any { return r.test.Prompt }},
	{"n_gen", "INTEGER", func(r row) any { return r.test.Gen }},
	{"n_depth", "INTEGER", func(r row) any { return r.test.Depth }},
	{"test_time", "TEXT", func(r row) any { return stamp(r.trial.Start) }},
	{"avg_ns", "INTEGER", func(r row) any { return int64(math.Round(stat.Mean(r.nanoseconds(), nil))) }},
	{"stddev_ns", "INTEGER", func(r row) any { return int64(math.Round(deviation(r.nanoseconds()))) }},
	{"avg_ts", "REAL", func(r row) any { return stat.Mean(r.values, nil) }},
	{"stddev_ts", "REAL", func(r row) any { return deviation(r.values) }},
}

func whole(name string) func(row) any { return func(r row) any { return integer(r.setting(name)) } }
func words(name string) func(row) any { return func(r row) any { return r.setting(name) } }

// integer is how llama-bench writes a setting into an INTEGER column: switches
// as 1 and 0, auto as -1. What was not reported is 0.
func integer(text string) int64 {
	switch text {
	case "on", "true":
		return 1
	case "auto":
		return -1
	}
	n, _ := strconv.ParseInt(text, 10, 64)
	return n
}

func loadMode(mmap string) string {
	switch mmap {
	case "on":
		return "mmap"
	case "off":
		return "none"
	}
	return mmap
}

// deviation is the sample standard deviation, as llama-bench has it: 0 for one
// repetition.
func deviation(xs []float64) float64 {
	if len(xs) < 2 {
		return 0
	}
	return stat.StdDev(xs, nil)
}
