package compare

import (
	"math"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
)

// Pages that a build reads from disk while its load runs excuse nothing, and are told:
// where the arms differ in them, and not where both read alike.
func TestPageFaultsAreTold(t *testing.T) {
	read := func(base, head float64) Comparison {
		run := session{arms: []string{"base", "head"}, blocks: 8, noise: 0.002, seed: 2}.run()
		for i := range run.Trials {
			pages := base
			if run.Trials[i].Arm == "head" {
				pages = head
			}
			run.Trials[i].Samples = watched(2, "major_faults", pages) // each quarter of a second
		}
		return Run(run, DefaultPolicy()).Comparisons[0]
	}
	for _, tt := range []struct{ base, head, more float64 }{{0, 50, 200}, {50, 0, -200}, {50, 51, 0}, {0, 2, 0}} {
		c := read(tt.base, tt.head)
		if n, ok := hasWarning(c, PageFaults); ok != (tt.more != 0) || math.Abs(n-tt.more) > 1e-6 {
			t.Errorf("%g and %g pages a reading: warned %v of %g, want %g", tt.base, tt.head, ok, n, tt.more)
		}
		if c.Verdict != Equivalent || c.Disturbance != nil {
			t.Errorf("%g and %g pages a reading: %s, %+v", tt.base, tt.head, c.Verdict, c.Disturbance)
		}
	}
}

// Where nothing varies the interval has no width, which says nothing of noise.
func TestConstantIsTold(t *testing.T) {
	s := session{arms: []string{"base", "head"}, blocks: 8, seed: 2}
	if _, ok := hasWarning(Run(s.run(), DefaultPolicy()).Comparisons[0], Constant); !ok {
		t.Error("a session without spread is not said to be one")
	}
	s.noise = 0.002
	if _, ok := hasWarning(Run(s.run(), DefaultPolicy()).Comparisons[0], Constant); ok {
		t.Error("a session with spread is said to have none")
	}
}

// No failed trial leaves a rare crash open: of 12 trials one in up to 22 %, which a
// build of such a share hides in 5 % of sessions.
func TestUnfailed(t *testing.T) {
	run := session{arms: []string{"base", "head", "other"}, blocks: 12, noise: 0.002, cells: 2, seed: 2}.run()
	for i := range run.Trials {
		if r := &run.Trials[i]; r.Arm == "other" && r.Block == 3 {
			r.Outcome, r.Failure, r.Measurements = record.Failed, &record.Failure{Class: record.Crashed}, nil
		}
	}
	list := Run(run, DefaultPolicy()).Unfailed()
	if len(list) != 1 || list[0].Candidate != "head" || list[0].Trials != 24 || math.Abs(math.Pow(1-list[0].UpTo, 24)-0.05) > 1e-12 {
		t.Errorf("%+v", list)
	}
}

// What requests wait for is more than what was taken from them: the catalogue says
// which workloads send any, and an unknown one may.
func TestDisturbanceOfWorkloads(t *testing.T) {
	for workload, want := range map[string]float64{record.BenchWorkload: 0.2, record.ServeWorkload: 1, "toy": 1} {
		if got := (&Disturbance{Explains: 0.2}).in(workload).Explains; got != want {
			t.Errorf("%s: explains %g, want %g", workload, got, want)
		}
	}
	if got := (&Disturbance{}).in(record.ServeWorkload).Explains; got != 0 {
		t.Errorf("what explains nothing explains %g", got)
	}
}

func TestStopReason(t *testing.T) {
	for _, tt := range []struct {
		screening            bool
		decided, open, total int
		want                 record.Stop
	}{
		{false, 1, 1, 2, ""}, {true, 0, 1, 1, ""},
		{false, 2, 0, 2, record.StopDecided}, {true, 2, 0, 2, record.StopDecided},
		{true, 1, 0, 2, record.StopCleared}, {true, 0, 0, 2, record.StopCleared},
		{false, 1, 0, 2, record.StopDecided}, {false, 0, 0, 2, record.StopUseless}, {false, 0, 0, 0, record.StopUseless},
	} {
		if got := stopReason(tt.screening, tt.decided, tt.open, tt.total); got != tt.want {
			t.Errorf("screening %v, %d decided, %d open of %d: %q, want %q", tt.screening, tt.decided, tt.open, tt.total, got, tt.want)
		}
	}
}
