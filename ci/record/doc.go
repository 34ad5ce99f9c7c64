// Package record is the vocabulary of llama-regress: what a metric, cell, arm,
// trial and run are, and how a run is kept as JSON. It computes nothing and
// knows neither llama.cpp nor statistics.
//
// # Calls
//
//	run, err := record.ReadFile("llama-regress-out/run.json")
//	for _, t := range run.Trials { ... }
//	for row, err := range record.ReadRequests("llama-regress-out/requests.jsonl.gz") { ... }
//	err = record.WriteFile("copy.json", run)
//
// [ReadForeign] bounds and checks a record that somebody else wrote. [Definitions]
// is the catalogue of metrics, [Workloads] that of workloads and [Params] that of
// parameters.
//
// # What is stable
//
// The format that [Schema] names: names, units and meanings of fields stay, fields
// are added, and what a reader does not know it keeps in Extra and writes back.
// The Go names may change until there is a tagged version.
package record
