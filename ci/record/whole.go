package record

// Names of the metrics of requests that are answered whole, and not token by token. They
// share success_rate and request_rate with those that are.
const (
	LatencyP50 = "latency_p50" // s
	LatencyP95 = "latency_p95" // s
	InputTPS   = "input_tps"   // tok/s, of the inputs of successful requests by the load's duration
)

// Workloads whose requests are answered whole.
const (
	EmbeddingsWorkload = "embeddings" // llama-server makes embeddings of texts
	RerankWorkload     = "rerank"     // llama-server ranks documents by a query
)

var embeddings = Workload{
	Name: EmbeddingsWorkload, Title: "llama-server, embeddings", Program: "llama-server", Flags: []string{"--embeddings"}, Sends: true, Metrics: wholeMetrics(),
}

var rerank = Workload{
	Name: RerankWorkload, Title: "llama-server, rerank", Program: "llama-server", Flags: []string{"--reranking"}, Sends: true, Metrics: wholeMetrics(),
}

// wholeMetrics are those of both.
func wholeMetrics() []Definition {
	shared := func(name string) Definition {
		for _, d := range serve.Metrics {
			if d.Name == name {
				return d
			}
		}
		panic("record: no metric " + name)
	}
	return withResources(
		shared(SuccessRate),
		Definition{Name: LatencyP50, Kind: LatencyP50, Unit: "s", Better: Lower, Scale: Ratio, Margin: 0.05, Censoring: SlowFailure, Requests: requestsForMedian,
			Term: "latency", Meaning: "From sending a request (at a given rate: from when it was to be sent) to its whole answer, where answers do not come token by token. Quantiles count failed requests as infinitely slow."},
		Definition{Name: LatencyP95, Kind: LatencyP95, Unit: "s", Better: Lower, Scale: Ratio, Margin: 0.15, Censoring: SlowFailure, Requests: requestsForP95},
		Definition{Name: InputTPS, Kind: Throughput, Unit: "tok/s", Better: Higher, Scale: Ratio, Margin: 0.03, Censoring: Survivors,
			Term: "input tokens/s", Meaning: "Tokens of the inputs of requests that succeeded, divided by the duration of the load."},
		shared(RequestRate),
		shared(EventualRate),
	)
}
