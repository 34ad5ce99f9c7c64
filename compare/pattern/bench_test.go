package pattern

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
)

// Budget: under 10 s at 100 000 requests, whatever failed and however they are
// divided into trials; a session has some thousands. Measured with -benchtime 1x
// on a virtual machine of 2 processors that had other work as well: 0.4 to 3.4 s
// in one run, 1 to 7.3 s in a busier one; 0.2 to 0.9 GB allocated in all.
func BenchmarkFind(b *testing.B) {
	const n = 100_000
	for _, trials := range []int{1, 50, 5_000} {
		for name, failing := range map[string]func(r record.Request, rng *rand.Rand) bool{
			"reuse":   func(r record.Request, _ *rand.Rand) bool { return r.Connection.Reused },
			"half":    func(_ record.Request, rng *rand.Rand) bool { return rng.IntN(2) == 0 },
			"percent": func(_ record.Request, rng *rand.Rand) bool { return rng.IntN(100) == 0 },
			"layered": func(r record.Request, rng *rand.Rand) bool {
				return rng.IntN(10) < 1+3*(*r.Slot)/3+r.PromptTokens/1000+r.InFlight/4
			},
		} {
			b.Run(fmt.Sprintf("trials=%d/%s", trials, name), func(b *testing.B) {
				rng := rand.New(rand.NewPCG(1, 2))
				var rows []record.Request
				for trial := range trials {
					rows = append(rows, pooled(fmt.Sprint(trial), n/trials, 8, rng)...)
				}
				for i := range rows {
					rows[i].Failure = nil
					rows[i].Elapsed = rng.Float64()
					if failing(rows[i], rng) {
						fail(&rows[i], record.HTTP5xx)
					}
				}
				b.ReportAllocs()
				for b.Loop() {
					Find(rows, Options{})
				}
			})
		}
	}
}
