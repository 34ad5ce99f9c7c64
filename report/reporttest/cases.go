package reporttest

import (
	"fmt"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report"
)

// A Case is a named result and where it came from.
type Case struct {
	Name   string // fit for a file name
	Result *compare.Result
	Source report.Source
}

// Report is what writers are given.
func (c Case) Report() report.Report { return report.New(c.Result, c.Source) }

// Cases lists every case that a writer has to handle, the large ones apart.
func Cases() []Case {
	return []Case{
		Regression(), Pass(), Undecided(), Reasons(), Candidates(), OnlyFailures(), Empty(), OneTrialASide(),
		RawFiles(), TwoSessions(), ControlFired(), Interrupted(), NotFinite(), Serving(), Sweep(), Counted(), Hostile(),
	}
}

// Regression is the ordinary bad day: a pull request that makes some cells
// slower, with two of nearly everything a report can hold.
func Regression() Case {
	cells := []cell{
		bench("tinyllama-1.1b-q4_k_m", "2", of(pp512, 812, 0.008, -0.083), of(tg128, 41.2, 0.009, 0.001)),
		bench("tinyllama-1.1b-q4_k_m", "8", of(pp512, 2910, 0.007, -0.121), of(tg128, 96.4, 0.06, -0.004)),
		bench("qwen2.5-0.5b-q8_0", "2", of(pp512, 1640, 0.006, 0.064), of(tg128, 77.1, 0.007, 0.002)),
		bench("qwen2.5-0.5b-q8_0", "8", of(pp512, 5230, 0.055, -0.055), of(tg128, 171, 0.008, 0.045)),
		serve("tinyllama-1.1b-q4_k_m", "8", of(ttft50, 0.182, 0.02, 0.131), of(ttft95, 0.611, 0.05, 0.02),
			of(success, 0.985, 0.004, -0.061), of(memory, 1.31e9, 0.001, 0.012)),
		serve("qwen2.5-0.5b-q8_0", "8", of(ttft50, 0.094, 0.02, -0.003), of(ttft95, 0.402, 0.04, 0.01),
			of(success, 0.99, 0.003, 0), of(memory, 7.4e8, 0.001, 0)),
	}
	cells[5].fails = func(arm string, block int) *record.Failure {
		switch {
		case arm == "head" && block%2 == 0:
			return &record.Failure{Class: record.OutOfMemory, Message: "the kernel ended llama-server for lack of memory; lower the context size",
				Signal: "killed", Stderr: "llama_kv_cache: size = 512.00 MiB\nggml_backend_cpu_buffer: failed to allocate 536870912 bytes\n"}
		case arm == "head":
			return &record.Failure{Class: record.TimedOut, Message: "no answer within 60 s; raise serve.request_timeout or lower the load"}
		}
		return nil
	}
	cells[0].fails = func(arm string, block int) *record.Failure {
		if arm == "base" && block == 3 {
			code := 1
			return &record.Failure{Class: record.ExitStatus, Message: "llama-bench ended with status 1", ExitCode: &code, Stderr: "error: failed to create context\n"}
		}
		return nil
	}
	run := session{seed: 7, arms: []record.Arm{baseArm(), headArm(), controlArm()}, cells: cells, blocks: 12}.run()
	run.Notes = []string{"the CPU governor is powersave", "another user was logged in"}
	return paired("regression", run)
}

// Pass has nothing to complain of.
func Pass() Case {
	cells := []cell{
		bench("tinyllama-1.1b-q4_k_m", "2", of(pp512, 812, 0.008, 0.001), of(tg128, 41.2, 0.009, -0.001)),
		bench("tinyllama-1.1b-q4_k_m", "8", of(pp512, 2910, 0.007, 0), of(tg128, 96.4, 0.008, 0.002)),
	}
	return paired("pass", session{seed: 11, arms: []record.Arm{baseArm(), headArm(), controlArm()}, cells: cells, blocks: 10}.run())
}

// Undecided is too noisy for the question, and the policy fails that.
func Undecided() Case {
	cells := []cell{
		bench("tinyllama-1.1b-q4_k_m", "2", of(pp512, 812, 0.06, 0.01), of(tg128, 41.2, 0.08, -0.02)),
	}
	run := session{seed: 13, arms: []record.Arm{baseArm(), headArm()}, cells: cells, blocks: 6}.run()
	policy := compare.DefaultPolicy()
	policy.FailOn = compare.OnInconclusive
	return Case{"undecided", compare.Run(run, policy), sourceOf(run)}
}

// Candidates compares four schedulers with the default one.
func Candidates() Case {
	arms := []record.Arm{baseArm()}
	arms[0].Name = "default"
	change := map[string]float64{"scx_lavd": 0.052, "scx_rusty": -0.097, "scx_bpfland": 0.001}
	for _, name := range []string{"scx_bpfland", "scx_lavd", "scx_rusty"} {
		arm := baseArm()
		arm.Name, arm.Params = name, map[string]string{"scheduler": name}
		arms = append(arms, arm)
	}
	var cells []cell
	for _, threads := range []string{"2", "8"} {
		a, b := of(pp512, 812, 0.008, 0), of(tg128, 41.2, 0.008, 0)
		a.change, b.change = change, change
		cells = append(cells, bench("tinyllama-1.1b-q4_k_m", threads, a, b))
	}
	return paired("contenders", session{seed: 17, arms: arms, cells: cells, blocks: 8}.run())
}

// Sweep varies threads and batch: more threads help up to a point, the batch
// hardly does.
func Sweep() Case {
	var cells []cell
	for i, threads := range []string{"1", "2", "4", "8"} {
		for j, batch := range []string{"128", "512"} {
			c := bench("tinyllama-1.1b-q4_k_m", threads, of(tg128, []float64{11, 21, 40, 40.1}[i]*(1+0.001*float64(j)), 0.004, 0))
			c.params["batch"] = batch
			cells = append(cells, c)
		}
	}
	return paired("sweep", session{seed: 53, arms: []record.Arm{baseArm(), headArm()}, cells: cells, blocks: 10}.run())
}

// OnlyFailures measured nothing at all.
func OnlyFailures() Case {
	cells := []cell{
		bench("tinyllama-1.1b-q4_k_m", "2", of(pp512, 812, 0.008, 0), of(tg128, 41.2, 0.008, 0)),
		bench("tinyllama-1.1b-q4_k_m", "8", of(pp512, 812, 0.008, 0), of(tg128, 41.2, 0.008, 0)),
	}
	for i := range cells {
		cells[i].fails = func(string, int) *record.Failure {
			return &record.Failure{Class: record.ModelLoad, Message: "llama-bench could not load the model; check that the file is complete",
				Stderr: "llama_model_load: error loading model: tensor 'blk.21.ffn_down.weight' data is not within the file bounds\n"}
		}
	}
	return paired("only-failures", session{seed: 19, arms: []record.Arm{baseArm(), headArm()}, cells: cells, blocks: 3}.run())
}

// Empty compares two files without a common cell.
func Empty() Case {
	base := session{seed: 23, arms: []record.Arm{baseArm()}, cells: []cell{bench("tinyllama", "2", of(pp512, 812, 0.01, 0))}, blocks: 4, raw: true}.run()
	head := session{seed: 24, arms: []record.Arm{headArm()}, cells: []cell{bench("qwen", "2", of(tg128, 41, 0.01, 0))}, blocks: 4, raw: true}.run()
	return between("empty", base, head)
}

// OneTrialASide has a change and nothing to judge it by.
func OneTrialASide() Case {
	c := []cell{bench("tinyllama", "2", of(pp512, 812, 0.01, -0.1))}
	base := session{seed: 29, arms: []record.Arm{baseArm()}, cells: c, blocks: 1, raw: true}.run()
	head := session{seed: 30, arms: []record.Arm{headArm()}, cells: c, blocks: 1, raw: true}.run()
	return between("one-trial-a-side", base, head)
}

// RawFiles are two llama-bench outputs without blocks.
func RawFiles() Case {
	c := []cell{bench("tinyllama", "2", of(pp512, 812, 0.008, -0.1), of(tg128, 41.2, 0.006, 0)),
		bench("tinyllama", "8", of(pp512, 2910, 0.02, 0.02), of(tg128, 96.4, 0.006, 0))}
	base := session{seed: 31, arms: []record.Arm{baseArm()}, cells: c, blocks: 10, raw: true}.run()
	head := session{seed: 32, arms: []record.Arm{headArm()}, cells: c, blocks: 10, raw: true}.run()
	bare(base, "base.jsonl")
	bare(head, "slow.jsonl")
	return between("raw-files", base, head)
}

// bare takes away what a llama-bench file cannot tell.
func bare(run *record.Run, name string) {
	run.ID, run.Tool, run.Host, run.Plan = name, record.Tool{}, record.Host{}, record.Plan{}
	run.Started, run.Finished = time.Time{}, time.Time{}
}

// TwoSessions were measured on two machines at two times.
func TwoSessions() Case {
	c := []cell{bench("tinyllama", "2", of(pp512, 812, 0.008, 0), of(tg128, 41.2, 0.008, -0.05))}
	base := session{seed: 37, arms: []record.Arm{baseArm()}, cells: c, blocks: 6}.run()
	head := session{seed: 38, arms: []record.Arm{headArm()}, cells: c, blocks: 6}.run()
	head.Host.Name = "bench-epyc-02"
	head.Host.Hard = map[string]string{"cpu": "AMD EPYC 9654", "kernel": "6.13.1", "os": "linux/amd64"}
	head.Host.Soft = map[string]string{"microcode": "0xa101154", "memory_total": "405 GB"}
	return between("two-sessions", base, head)
}

// ControlFired has a machine on which the baseline differs from itself.
func ControlFired() Case {
	x, y := of(pp512, 812, 0.004, -0.1), of(tg128, 41.2, 0.004, 0)
	x.change["base-again"], y.change["base-again"] = -0.08, 0
	c := []cell{bench("tinyllama", "2", x, y)}
	return paired("control-fired", session{seed: 41, arms: []record.Arm{baseArm(), headArm(), controlArm()}, cells: c, blocks: 8}.run())
}

// ControlOutdone has such a machine, and a loss that it cannot explain.
func ControlOutdone() Case {
	x := of(pp512, 812, 0.004, -0.6)
	x.change["base-again"] = -0.08
	return paired("control-outdone", session{seed: 41, arms: []record.Arm{baseArm(), headArm(), controlArm()}, cells: []cell{bench("tinyllama", "2", x)}, blocks: 8}.run())
}

// Interrupted was stopped after 3 of 12 blocks, before one cell began.
func Interrupted() Case {
	c := []cell{bench("tinyllama", "2", of(pp512, 812, 0.008, -0.09)), bench("tinyllama", "8", of(pp512, 2910, 0.008, 0))}
	run := session{seed: 43, arms: []record.Arm{baseArm(), headArm()}, cells: c, blocks: 3}.run()
	run.Trials = run.Trials[:len(run.Trials)-1]
	run.Plan.Blocks, run.Plan.Trials, run.Interrupted = 12, 48, "interrupt"
	kase := paired("interrupted", run)
	kase.Source.Resume = []string{"llama-regress", "run", "--resume", "out/20261114"}
	return kase
}

// Grid compares n cells of one metric over blocks, most of them equivalent:
// what the benchmarks of the writers use.
func Grid(n, blocks int) Case {
	var cells []cell
	for i := range n {
		change, noise := 0.0, 0.008
		switch {
		case i%50 == 7:
			change = -0.08
		case i%50 == 21:
			change = 0.07
		case i%10 == 3:
			noise = 0.08
		}
		c := bench(fmt.Sprintf("model-%02d", i%10), fmt.Sprint(1+i/10%16), of(pp512, 800+float64(i), noise, change))
		c.params["batch"] = fmt.Sprint(128 * (1 + i/160))
		cells = append(cells, c)
	}
	return paired(fmt.Sprintf("grid-%d", n), session{seed: 47, arms: []record.Arm{baseArm(), headArm()}, cells: cells, blocks: blocks}.run())
}

// Together compares n cells of two metrics of one model, one of which lost 8 % in all.
func Together(n int) Case {
	tg := record.Metric{Name: "tg128", Kind: pp512.Kind, Unit: pp512.Unit, Better: pp512.Better}
	var cells []cell
	for i := range n {
		cells = append(cells, bench("model", fmt.Sprint(1+i), of(pp512, 800+float64(i), 0.008, -0.08), of(tg, 50, 0.005, 0)))
	}
	return paired(fmt.Sprintf("together-%d", n), session{seed: 53, arms: []record.Arm{baseArm(), headArm()}, cells: cells, blocks: 8}.run())
}

func bench(model, threads string, list ...series) cell {
	return cell{workload: "bench", model: model, params: map[string]string{"threads": threads, "batch": "512", "flash_attn": "on"}, series: list}
}

func serve(model, concurrency string, list ...series) cell {
	return cell{workload: "serve", model: model, params: map[string]string{"concurrency": concurrency, "batch": "512", "flash_attn": "on"}, series: list}
}

// of describes a metric by its level, noise and the change of arm "head".
func of(m record.Metric, level, noise, change float64) series {
	return series{metric: m, level: level, noise: noise, change: map[string]float64{"head": change}}
}

func paired(name string, run *record.Run) Case {
	return Case{name, compare.Run(run, compare.DefaultPolicy()), sourceOf(run)}
}

func sourceOf(run *record.Run) report.Source {
	return report.Source{
		Base: run, Head: run, BaseFile: "out/run.json", HeadFile: "out/run.json",
		Reproduce: []string{"llama-regress", "gate", "--config", "llama-regress.yaml"},
		Accept:    "add the label perf-accepted to the pull request",
		Logs:      "out/logs",
	}
}

func between(name string, base, head *record.Run) Case {
	res := compare.Between(compare.Selection{Run: base, Arm: base.Baseline}, compare.Selection{Run: head, Arm: head.Baseline}, compare.DefaultPolicy())
	return Case{name, res, report.Source{Base: base, Head: head, BaseFile: "base.jsonl", HeadFile: "slow.jsonl"}}
}
