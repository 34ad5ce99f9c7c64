package record

// bench is llama-bench: a process runs each of its tests several times.
var bench = Workload{
	Name: BenchWorkload, Title: "llama-bench", Program: "llama-bench", Repeats: true,
	Metrics: withResources(Definition{
		Name: "pp512", Pattern: testPattern, Kind: Throughput, Unit: "tok/s", Better: Higher, Scale: Ratio, Margin: 0.03,
		Meaning: "Tokens per second: pp512 processes a prompt of 512 tokens, tg128 generates 128, tg128@d4096 does so after 4096 tokens of context.",
	}),
}

// testPattern is what the name of a test looks like, as Test.Name writes it or
// as llama-bench prints it.
const testPattern = `(pp[1-9][0-9]{0,6}|tg[1-9][0-9]{0,6}|pp[1-9][0-9]{0,6}\+tg[1-9][0-9]{0,6})( ?@ ?d[1-9][0-9]{0,6})?`
