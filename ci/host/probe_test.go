package host

import (
	"math"
	"testing"
)

func TestNumberAfter(t *testing.T) {
	for _, tt := range []struct {
		text, name string
		want       float64
		ok         bool
	}{
		{"pgpgin 5\npswpin 12\npswpout 7\n", "pswpin", 12, true},
		{"xpswpin 5\n", "pswpin", 0, false},
		{"pswpinner 5\npswpin\t6", "pswpin", 6, true},
		{"some avg10=1.00 total=99", "total=", 99, true},
		{"VmHWM:\t  409600 kB\n", "VmHWM:", 409600, true},
		{"total=", "total=", 0, false},
		{"total=1e9", "total=", 0, false},
		{"", "total=", 0, false},
	} {
		if got, ok := numberAfter([]byte(tt.text), tt.name); got != tt.want || ok != tt.ok {
			t.Errorf("%q after %q: %g, %t, want %g, %t", tt.text, tt.name, got, ok, tt.want, tt.ok)
		}
	}
}

// Whatever a file holds, the parsers end, and what they tell is finite. The seeds
// are of Linux 6.18.
func FuzzKernelText(f *testing.F) {
	for _, seed := range []string{
		"cpu  1338452 7 233344 978443 9217 0 5418 1290 0 0\ncpu0 669226 3 116672 489221 4608 0 2709 645 0 0\n",
		"25805 (bash) S 25790 25805 25805 0 -1 4194304 1203 40291 0 11 3 2 60 21 20 0 1 0 1359264 7430144 928 18446744073709551615 94049 94990 140 0 0 0 65536 3686404 1266761467 1 0 0 17 1 0 0 0 0 0\n",
		"812 (tmux: server (1)) R 1 812 812 0 -1 4194368 1 0 0 0 9 9 0 0 20 0 1 0 99 1 1 1\n",
		"some avg10=94.03 avg60=80.66 avg300=51.21 total=3172461029\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
		"pswpin 0\npswpout 0\n",
		"-9223372036854775808\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		busy, stolen, all, _ := parseCPU(text)
		s, _ := parseStat(text)
		pages, _ := numberAfter(text, "pswpin")
		for _, v := range []float64{busy, stolen, all, s.ticks, s.faults, s.started, s.pages, pages} {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				t.Fatalf("%q: %g", text, v)
			}
		}
	})
}

func TestParseStat(t *testing.T) {
	got, ok := parseStat([]byte("812 (tmux: server (1)) R 1 812 812 0 -1 4194368 1 0 5 0 9 8 0 0 20 0 1 0 99 1 77 1\n"))
	if want := (processStat{ticks: 17, faults: 5, started: 99, pages: 77}); !ok || got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	for _, text := range []string{"", ")", "812 (x) R 1", "812 (x) Z 1 812 812 0 -1 4194368 1 0 5 0 9 8 0 0 20 0 1 0 99 1 77 1"} {
		if got, ok := parseStat([]byte(text)); ok {
			t.Errorf("%q: %+v", text, got)
		}
	}
}
