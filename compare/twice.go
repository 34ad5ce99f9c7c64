package compare

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"github.com/llama-regress/llama-regress/ci/record"
)

// sameBuild says whether two arms differ in nothing that is known: programs byte
// for byte the same, set alike. libraries says that those beside the programs are
// known to be the same too.
func sameBuild(a, b record.Arm) (same, libraries bool) {
	x, y := a.Build, b.Build
	known := x.SHA256 != "" && x.SHA256 == y.SHA256 || x.ServerSHA256 != "" && x.ServerSHA256 == y.ServerSHA256
	alike := func(p, q string) bool { return p == "" || q == "" || p == q }
	same = known && alike(x.SHA256, y.SHA256) && alike(x.ServerSHA256, y.ServerSHA256) && x.Libraries == y.Libraries &&
		x.Commit == y.Commit && x.Number == y.Number && x.Version == y.Version && maps.Equal(a.Params, b.Params) && maps.Equal(a.Env, b.Env)
	return same, same && x.Libraries != ""
}

// Shared counts the trials of head that are trials of base too: of one start, with
// one set of values. Two measurements share none.
func Shared(base, head Selection) (shared, of int) {
	seen := make(map[string]bool)
	for _, t := range base.Run.Trials {
		if t.Arm == base.Arm && len(t.Measurements) > 0 {
			seen[print(t)] = true
		}
	}
	for _, t := range head.Run.Trials {
		if t.Arm == head.Arm && len(t.Measurements) > 0 {
			of++
			if seen[print(t)] {
				shared++
			}
		}
	}
	return shared, of
}

// print is what no two measured trials have in common.
func print(t record.Trial) string {
	ms := slices.SortedFunc(slices.Values(t.Measurements), func(a, b record.Measurement) int { return cmp.Compare(a.Metric, b.Metric) })
	text := fmt.Sprint(t.Start.UnixNano(), t.Seconds, t.Echo)
	for _, m := range ms {
		text += fmt.Sprint(m.Metric, m.Values)
	}
	return text
}
