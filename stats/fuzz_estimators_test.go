package stats

import (
	"encoding/binary"
	"math"
	"testing"
)

// decodeSample reads eight bytes a value, leaving out what would be misuse.
func decodeSample(data []byte, atMost int) []float64 {
	var xs []float64
	for ; len(data) >= 8 && len(xs) < atMost; data = data[8:] {
		x := math.Float64frombits(binary.LittleEndian.Uint64(data))
		if math.Abs(x) <= largest {
			xs = append(xs, x)
		}
	}
	return xs
}

func encodeSample(xs ...float64) []byte {
	var data []byte
	for _, x := range xs {
		data = binary.LittleEndian.AppendUint64(data, math.Float64bits(x))
	}
	return data
}

func soundTest(t *testing.T, what string, test Test) {
	t.Helper()
	for _, p := range []float64{test.Less, test.Greater, test.TwoSided} {
		if !(p >= 0 && p <= 1) || test.Exact && p == 0 {
			t.Errorf("%s: p-value out of range in %+v", what, test)
		}
	}
	if math.IsNaN(test.Statistic) {
		t.Errorf("%s: statistic is NaN", what)
	}
}

func soundEstimate(t *testing.T, what string, e Estimate, confidence float64) {
	t.Helper()
	if math.IsNaN(e.Theta) || !(e.SE >= 0) || !(e.DF > 0) {
		t.Errorf("%s: unsound estimate %+v", what, e)
		return
	}
	sound(t, what, e.Interval(confidence))
}

func FuzzSamples(f *testing.F) {
	f.Add(encodeSample(sleep1...), encodeSample(sleep2...), 0.9)
	f.Add(encodeSample(1, 1), encodeSample(1, 1, 2, 3), 0.95)
	f.Add(encodeSample(1), encodeSample(1), 0.5)
	f.Add(encodeSample(0, math.Copysign(0, -1), 0), encodeSample(0, 0), 0.99)
	f.Add(encodeSample(1e150, -1e150, 1e150), encodeSample(-1e150, 1e-300), 0.9)
	f.Add(encodeSample(5e-324, 1e-323), encodeSample(1e-200, 2e-200, 3e-200), 0.9)
	f.Add(encodeSample(1e9, 1e9+1e-7, 1e9), encodeSample(.1, .1, .1, .1), 0.999999)
	f.Fuzz(func(t *testing.T, baseData, headData []byte, confidence float64) {
		base, head := decodeSample(baseData, 12), decodeSample(headData, 12)
		if len(base) == 0 || len(head) == 0 || !(confidence > 0 && confidence < 1) {
			t.Skip()
		}
		q := confidence
		for _, v := range []float64{Median(base), Quantile(base, q), MAD(base), HarrellDavis(base, q)} {
			if math.IsNaN(v) {
				t.Errorf("a quantile is NaN")
			}
		}
		soundEstimate(t, "PairedT", PairedT(base), confidence)
		soundEstimate(t, "Slope", Slope(base), confidence)
		soundEstimate(t, "Welch", Welch(base, head), confidence)
		sound(t, "QuantileInterval", QuantileInterval(base, q, confidence))
		sound(t, "SignedRank", SignedRank(base, confidence))
		if r := Autocorrelation(base); !(r >= -1 && r <= 1) {
			t.Errorf("autocorrelation %g", r)
		}
	})
}

func FuzzCounts(f *testing.F) {
	f.Add(uint16(12), uint16(20), uint16(20), uint16(20), 0.95, 0.0)
	f.Add(uint16(0), uint16(10), uint16(0), uint16(20), 0.9, -0.02)
	f.Add(uint16(10), uint16(10), uint16(0), uint16(1), 0.5, 1.0)
	f.Add(uint16(1), uint16(1), uint16(1), uint16(1), 0.99, -1.0)
	f.Add(uint16(195), uint16(200), uint16(200), uint16(200), 0.999999, 0.5)
	f.Fuzz(func(t *testing.T, k1, n1, k2, n2 uint16, confidence, delta float64) {
		if k1 > n1 || k2 > n2 || n1 == 0 || n2 == 0 || n1 > 300 || n2 > 300 {
			t.Skip()
		}
		if !(confidence > 0 && confidence < 1) || !(delta >= -1 && delta <= 1) {
			t.Skip()
		}
		base, head := Count{float64(k1), float64(n1)}, Count{float64(k2), float64(n2)}
		soundTest(t, "Fisher", Fisher(base, head))
		if n1+n2 <= 40 {
			soundTest(t, "Boschloo", Boschloo(base, head))
		}
		d := DeflatedNewcombe([]Count{base, head}, []Count{head, base, base})
		sound(t, "DeflatedNewcombe", d.Interval(confidence))
		for _, p := range []float64{d.PBelow(delta), d.PAbove(delta)} {
			if !(p >= 0 && p <= 1) {
				t.Errorf("p-value %g of %+v", p, d)
			}
		}
	})
}
