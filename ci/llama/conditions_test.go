package llama

import (
	"runtime"
	"testing"

	"github.com/llama-regress/llama-regress/ci/host"
	"github.com/llama-regress/llama-regress/ci/record"
)

// A trial's conditions are those of its repetitions: what comes before them is
// told apart by their own times.
func TestMeasureSamples(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells")
	}
	measured := func(settings ...string) *record.Samples {
		t.Helper()
		b := &Bench{}
		p := onePlan(fake(t, append(settings, "FAKE_SLEEP=600ms")...), modelFile(t), nil, "pp512", "tg128@d64")
		if _, err := b.Identify(t.Context(), p.Arms[0]); err != nil {
			t.Fatal(err)
		}
		r, err := b.Measure(t.Context(), p, p.Trials[0])
		if err != nil || r.Outcome != record.OK || r.Samples == nil {
			t.Fatalf("%v: %+v", err, r)
		}
		for _, series := range []string{host.CPUGroup, host.CPUOther, host.MajorFaults} {
			if len(r.Samples.Series[series]) == 0 {
				t.Errorf("no %s", series)
			}
		}
		return r.Samples
	}
	// 600 ms of loading, then a millisecond of repetitions.
	if s := measured("FAKE_TOKS=pp=10000000,tg=10000000"); s.At > -0.3 {
		t.Errorf("the first reading is %v s after the load began", s.At)
	}
	// Seconds of repetitions, as the program says: all of its time is load.
	if s := measured("FAKE_TOKS=pp=50,tg=50"); s.At < 1 {
		t.Errorf("the first reading is %v s after the load began", s.At)
	}
}

func TestLonger(t *testing.T) {
	t.Parallel()
	of := func(n int) *record.Samples {
		return &record.Samples{Every: 0.25, Series: map[string][]float64{host.Steal: make([]float64, n)}}
	}
	short, long := of(2), of(3)
	for name, tt := range map[string]struct{ a, b, want *record.Samples }{
		"second": {short, long, long}, "first": {long, short, long}, "only": {short, nil, short},
		"none before": {nil, short, short}, "none": {nil, nil, nil},
	} {
		if got := longer(tt.a, tt.b); got != tt.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
