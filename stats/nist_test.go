package stats

import (
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
)

// The NIST StRD univariate sets with their certified mean, standard deviation
// and lag-1 autocorrelation. The tolerance is relative and grows with the
// digits that the values share, which the subtraction of the mean loses.
func TestNISTUnivariate(t *testing.T) {
	alternating := func(first float64) []float64 {
		xs := make([]float64, 1001)
		for i := range xs {
			xs[i] = first + []float64{0.1, -0.1}[i%2]
		}
		xs[0] = first
		return xs
	}
	for _, tt := range []struct {
		name         string
		xs           []float64
		mean, sd, r1 float64
		tol          float64
	}{
		{"Lew", readNIST(t, "lew", 200), -177.435000000000, 277.332168044316, -0.307304800605679, 1e-13},
		{"Lottery", readNIST(t, "lottery", 218), 518.958715596330, 291.699727470969, -0.120948622967393, 1e-13},
		{"Mavro", readNIST(t, "mavro", 50), 2.00185600000000, 0.000429123454003053, 0.937989183438248, 1e-11},
		{"Michelso", readNIST(t, "michelso", 100), 299.852400000000, 0.0790105478190518, 0.535199668621283, 1e-11},
		{"PiDigits", readNIST(t, "pidigits", 5000), 4.53480000000000, 2.86733906028871, -0.00355099287237972, 1e-12},
		{"NumAcc1", []float64{10000001, 10000003, 10000002}, 10000002, 1, -0.5, 1e-15},
		{"NumAcc2", alternating(1.2), 1.2, 0.1, -0.999, 1e-13},
		{"NumAcc3", alternating(1000000.2), 1000000.2, 0.1, -0.999, 1e-8},
		{"NumAcc4", alternating(10000000.2), 10000000.2, 0.1, -0.999, 1e-7},
	} {
		e := PairedT(tt.xs)
		relative := func(what string, got, want, tol float64) {
			t.Helper()
			near(t, tt.name+": "+what, got, want, tol*math.Abs(want))
		}
		relative("mean", e.Theta, tt.mean, 1e-14)
		relative("sd", e.SE*math.Sqrt(float64(len(tt.xs))), tt.sd, tt.tol)
		relative("r1", Autocorrelation(tt.xs), tt.r1, 100*tt.tol)
	}
}

// readNIST reads testdata/nist: numbers between blanks, or digits without any.
func readNIST(t *testing.T, name string, n int) []float64 {
	t.Helper()
	text, err := os.ReadFile("testdata/nist/" + name + ".txt")
	if err != nil {
		t.Fatal(err)
	}
	var xs []float64
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Fields(line)
		if len(fields) == 1 && len(fields[0]) == 100 {
			fields = strings.Split(fields[0], "")
		}
		for _, f := range fields {
			x, err := strconv.ParseFloat(f, 64)
			if err != nil {
				t.Fatal(err)
			}
			xs = append(xs, x)
		}
	}
	if len(xs) != n {
		t.Fatalf("%s: have %d values, want %d", name, len(xs), n)
	}
	return xs
}
