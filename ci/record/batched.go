package record

import "strconv"

// BatchedWorkload is llama-batched-bench: several sequences at once, as a server
// under load has them, and without a server.
const BatchedWorkload = "batched"

// Parameters of a batched cell that say what its sequences are.
const (
	PromptParam = "npp" // tokens of each prompt
	GenParam    = "ntg" // tokens generated for each
	SharedParam = "pps" // "on": one prompt for all sequences of a batch
)

var batched = Workload{
	Name: BatchedWorkload, Title: "llama-batched-bench", Program: "llama-batched-bench", Repeats: true,
	Metrics: []Definition{{
		Name: "b8_pp", Pattern: `b[1-9][0-9]{0,4}_(pp|tg|total)`, Kind: Throughput, Unit: "tok/s", Better: Higher, Scale: Ratio, Margin: 0.03,
		Term: "batch", Meaning: "Tokens per second of all sequences of a batch together: b8_pp processes 8 prompts at once, b8_tg generates for 8 sequences at once, and b8_total is both one after the other.",
	}},
}

// BatchedMetrics are what a batch of so many sequences yields: pp, tg and total.
func BatchedMetrics(sequences int) [3]Metric {
	d, name := batched.Metrics[0], "b"+strconv.Itoa(sequences)
	return [3]Metric{d.Metric(name + "_pp"), d.Metric(name + "_tg"), d.Metric(name + "_total")}
}
