package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// R 4.2.2: mantelhaen.test(a, exact = TRUE)$p.value for "two.sided", "less" and
// "greater", a[,,i] being rbind(c(K, N-K) of head, c(K, N-K) of base).
func TestStratifiedFisherAgainstR(t *testing.T) {
	for _, tt := range []struct {
		base, head         []Count
		two, less, greater float64
	}{
		{[]Count{{1, 10}, {2, 12}, {0, 9}}, []Count{{4, 10}, {6, 11}, {3, 8}}, 0.00317607240365106, 0.999732115884927, 0.00237937627668561},
		{[]Count{{0, 17}, {0, 16}}, []Count{{13, 13}, {14, 14}}, 5.74191325981686e-17, 1, 5.74191325981686e-17},
		{[]Count{{40, 200}, {35, 150}, {9, 60}}, []Count{{45, 200}, {50, 160}, {20, 70}}, 0.0349518460894359, 0.986115219593915, 0.0208154073618226},
		{[]Count{{3, 4}, {0, 5}}, []Count{{1, 4}, {5, 5}}, 0.362131519274376, 0.967233560090703, 0.181065759637188},
	} {
		got := StratifiedFisher(tt.base, tt.head)
		near(t, "two-sided", got.TwoSided/tt.two, 1, 1e-12)
		near(t, "less", got.Less/tt.less, 1, 1e-12)
		near(t, "greater", got.Greater/tt.greater, 1, 1e-12)
	}
}

func TestStratifiedFisherProperties(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 1))
	count := func() Count {
		n := 1 + rng.IntN(30)
		return Count{float64(rng.IntN(n + 1)), float64(n)}
	}
	for range 200 {
		b, h := count(), count()
		want, got := Fisher(b, h), StratifiedFisher([]Count{b}, []Count{h})
		near(t, "one stratum: greater", got.Greater, want.Greater, 1e-13)
		near(t, "one stratum: less", got.Less, want.Less, 1e-13)
		near(t, "one stratum: two-sided", got.TwoSided, want.TwoSided, 1e-12)

		base, head := []Count{b, count(), count()}, []Count{h, count(), count()}
		all := StratifiedFisher(base, head)
		// A stratum in which all failed, and one without a baseline, say nothing.
		mute := StratifiedFisher(append(base, Count{7, 7}, Count{}), append(head, Count{5, 5}, Count{2, 9}))
		near(t, "mute strata", mute.Greater, all.Greater, 1e-13)
		slices.Reverse(base)
		slices.Reverse(head)
		near(t, "order", StratifiedFisher(base, head).Greater, all.Greater, 1e-12)
		near(t, "sides", StratifiedFisher(head, base).Less, all.Greater, 1e-12)
		near(t, "sides, two-sided", StratifiedFisher(head, base).TwoSided, all.TwoSided, 1e-9)
	}
}

// What is left out of the convolution is far below what is reported: the tail
// beyond 5 standard deviations of 50 large strata, by the normal distribution to
// some percent, and its floor.
func TestStratifiedFisherLarge(t *testing.T) {
	even := slices.Repeat([]Count{{500, 1000}}, 50)
	more := slices.Repeat([]Count{{500, 1000}}, 50)
	sd := math.Sqrt(50 * 1000.0 * 1000 * 1000 * 1000 / (2000 * 2000 * 1999))
	k := math.Ceil(5 * sd)
	more[0].K += math.Trunc(k / 2)
	even[0].K -= k - math.Trunc(k/2)
	// The total of the first stratum is no longer half, which moves sd little.
	expected := 50*500 + (more[0].K+even[0].K-1000)/2
	observed := 50*500 + math.Trunc(k/2)
	want := 0.5 * math.Erfc((observed-expected-0.5)/sd/math.Sqrt2)
	got := StratifiedFisher(even, more)
	near(t, "far tail", got.Greater/want, 1, 0.2)

	floor := StratifiedFisher(slices.Repeat([]Count{{0, 1000}}, 50), slices.Repeat([]Count{{1000, 1000}}, 50))
	if floor.Greater != 1e-30 || floor.TwoSided != 1e-30 || math.Abs(floor.Less-1) > 1e-12 {
		t.Errorf("complete separation: %+v", floor)
	}
}

func TestStratifiedFisherMisuse(t *testing.T) {
	one := []Count{{1, 2}}
	for name, call := range map[string]func(){
		"none":      func() { StratifiedFisher(nil, nil) },
		"lengths":   func() { StratifiedFisher(one, append(one, one...)) },
		"fraction":  func() { StratifiedFisher(one, []Count{{0.5, 2}}) },
		"K above N": func() { StratifiedFisher([]Count{{3, 2}}, one) },
		"K of none": func() { StratifiedFisher([]Count{{1, 0}}, one) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			call()
		}()
	}
}

// 50 strata of 2 000: 100 000 requests.
func BenchmarkStratifiedFisher(b *testing.B) {
	base, head := slices.Repeat([]Count{{490, 1000}}, 50), slices.Repeat([]Count{{510, 1000}}, 50)
	for b.Loop() {
		StratifiedFisher(base, head)
	}
}
