package pattern

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
)

// rowsFrom makes rows of any bytes, eight each, odd numbers among them.
func rowsFrom(data []byte) []record.Request {
	odd := []float64{0, 1, -1, 1e300, -1e300, 5e-324, math.NaN(), math.Inf(1), math.Inf(-1), 60}
	number := func(b byte) float64 {
		if int(b) < len(odd) {
			return odd[b]
		}
		return float64(b)
	}
	var rows []record.Request
	for ; len(data) >= 8; data = data[8:] {
		r := record.Request{
			Trial: string(data[0]&3 + 'a'), Index: int(int8(data[1])), PromptTokens: int(int8(data[2])) << (data[3] & 31),
			InFlight: int(data[3]>>4) - 1, Sent: number(data[4]), Elapsed: number(data[5]), Warmup: data[0] == 255,
			Connection: record.Connection{Reused: data[6]&1 == 1, Idle: number(data[6]), Age: number(data[5])},
		}
		if data[6]&2 == 2 {
			slot := int(int8(data[7] >> 2))
			r.Slot = &slot
		}
		if data[7]&1 == 1 {
			r.Failure = &record.RequestFailure{}
			if data[7]&2 == 2 {
				r.Failure.Class = record.RequestFailureClasses[data[7]%14]
			}
		}
		rows = append(rows, r)
	}
	return rows
}

func FuzzFind(f *testing.F) {
	rng := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{0, 8, 40, 400, 1600} {
		seed := make([]byte, n)
		for i := range seed {
			seed[i] = byte(rng.IntN(256))
		}
		f.Add(seed)
		for i := 7; i < n; i += 8 { // reuse fails
			seed[i] = seed[i]&^1 | seed[i-1]&1
		}
		f.Add(append([]byte(nil), seed...))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		rows := rowsFrom(data[:min(len(data), 8*300)])
		r := Find(rows, Options{Alpha: 0.2, OddsRatio: 1.5, RSS: func(_ string, at float64) (int64, bool) { return int64(at), at > 3 }})
		if r.Requests > len(rows) || r.Failures > r.Requests || r.ClassCount > r.Failures {
			t.Fatalf("%d rows: %+v", len(rows), r)
		}
		if len(r.Findings) > 0 && (!r.Enough || len(r.Tried) == 0) {
			t.Fatalf("found without having looked: %+v", r)
		}
		for _, f := range r.Findings {
			if f.FailuresWith+f.FailuresWithout > r.Failures || f.FailuresWith+f.FailuresWithout+f.SuccessesWith+f.SuccessesWithout > r.Requests {
				t.Fatalf("counts of %+v in %+v", f, r)
			}
			if f.FailuresWith == 0 || f.Class == "" || !(f.P > 0 && f.P <= 0.2) || math.IsNaN(f.Condition.Value) {
				t.Fatalf("%+v", f)
			}
		}
	})
}
