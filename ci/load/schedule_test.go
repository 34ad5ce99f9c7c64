package load

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestSchedule(t *testing.T) {
	draw := func(seed uint64, arrivals string, limit float64) []time.Duration {
		return schedule(20000, 50, arrivals, limit, rand.New(rand.NewPCG(seed, 1)))
	}
	a := draw(1, Poisson, 0)
	if !slices.Equal(a, draw(1, Poisson, 0)) || slices.Equal(a, draw(2, Poisson, 0)) {
		t.Error("the schedule is not that of its seed")
	}
	// The gaps of a Poisson process are exponential: mean and standard
	// deviation 1/rate, and a share of exp(-1) above it.
	var sum, squares float64
	above := 0
	for i := range a {
		gap := a[i].Seconds()
		if i > 0 {
			gap -= a[i-1].Seconds()
		}
		if gap < 0 {
			t.Fatalf("request %d is due before the one before it", i)
		}
		sum += gap
		squares += gap * gap
		if gap > 0.02 {
			above++
		}
	}
	n := float64(len(a))
	mean := sum / n
	sd := math.Sqrt(squares/n - mean*mean)
	if math.Abs(mean-0.02) > 0.0005 || math.Abs(sd-0.02) > 0.0008 || math.Abs(float64(above)/n-math.Exp(-1)) > 0.015 {
		t.Errorf("gaps: mean %g s, sd %g s, %g above the mean; want 0.02, 0.02, %g", mean, sd, float64(above)/n, math.Exp(-1))
	}

	c := draw(1, Constant, 0)
	if c[0] != 0 || c[1] != 20*time.Millisecond || c[19999] != 19999*20*time.Millisecond {
		t.Errorf("constant: %v %v ... %v", c[0], c[1], c[19999])
	}
	l := draw(1, Poisson, 60)
	for i := 1; i < len(l); i++ {
		if l[i] < a[i] || l[i]-l[i-1] < seconds(1.0/60) {
			t.Fatalf("request %d is due at %v, %v after the one before it, limit 60/s", i, l[i], l[i]-l[i-1])
		}
	}
	if slow := schedule(3, 1e-300, Constant, 1e-300, nil); slow[2] < slow[1] || slow[1] < slow[0] {
		t.Errorf("overflow: %v", slow)
	}
}

func TestLimiter(t *testing.T) {
	l := limiter{gap: 10}
	var got []time.Duration
	for _, now := range []time.Duration{5, 5, 6, 40, 41} {
		got = append(got, l.reserve(now))
	}
	if want := []time.Duration{5, 15, 25, 40, 50}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	var free limiter
	for range 2 {
		if at := free.reserve(7); at != 7 {
			t.Errorf("a limiter without a limit gave %d at 7", at)
		}
	}
}

func TestBackoff(t *testing.T) {
	for retry, bound := range []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 16 * time.Second, maxBackoff, maxBackoff} {
		var sum, most time.Duration
		for request := range 2000 {
			b := backoff(time.Second, retry, 1, request)
			if b < 0 || b > bound {
				t.Fatalf("retry %d: %v, bound %v", retry, b, bound)
			}
			sum += b
			most = max(most, b)
		}
		if mean := sum / 2000; mean < bound*46/100 || mean > bound*54/100 || most < bound*98/100 {
			t.Errorf("retry %d: mean %v, most %v; not uniform below %v", retry, mean, most, bound)
		}
	}
	one, again, other := backoff(time.Second, 2, 1, 9), backoff(time.Second, 2, 1, 9), backoff(time.Second, 2, 2, 9)
	if one != again || one == other {
		t.Errorf("pauses %v and %v of one seed, %v of another", one, again, other)
	}
	if b := backoff(1<<62, 99, 1, 1); b < 0 || b > maxBackoff {
		t.Errorf("overflow: %v", b)
	}
}

func TestReservoir(t *testing.T) {
	r := reservoir{size: 1000, rng: rand.New(rand.NewPCG(1, 2))}
	for i := range 100_000 {
		r.add(float64(i))
	}
	var sum float64
	for _, v := range r.values {
		sum += v
	}
	// The mean of 1000 of 0..99999 has a standard error of 910.
	if len(r.values) != 1000 || math.Abs(sum/1000-49999.5) > 4*910 {
		t.Errorf("%d values of mean %g", len(r.values), sum/1000)
	}
}

func TestClean(t *testing.T) {
	for _, c := range []struct {
		in   string
		max  int
		want string
	}{
		{"abc", 3, "abc"}, {"abcd", 3, "abc"}, {"a\xffb", 9, "a\uFFFDb"}, {"ab☃", 4, "ab"}, {"ab☃", 5, "ab☃"}, {"\xff\xff", 2, ""}, {"\x80\x80\x80\x80\x80", 4, "\uFFFD"},
	} {
		if got := clean([]byte(c.in), c.max); got != c.want {
			t.Errorf("clean(%q, %d) = %q, want %q", c.in, c.max, got, c.want)
		}
	}
	if q := quote([]byte(strings.Repeat("\x00\r\n\x7fé", 500))); len(q) > maxQuote || !utf8.ValidString(q) || strings.ContainsAny(q, "\x00\r\n\x7f") {
		t.Errorf("quote: %q", q)
	}
}
