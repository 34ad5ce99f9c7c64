package report

import (
	"cmp"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
)

// Minus writes the true minus sign for the hyphen of a Figures string.
func Minus(figure string) string { return strings.ReplaceAll(figure, "-", "−") }

// Interval joins the bounds and says their unit once: "-9.4 to -7.1%"; "" when
// there is none.
func (f Figures) Interval() string {
	if f.Low == "" {
		return ""
	}
	low, unit := splitUnit(f.Low)
	if unitOf(f.High) != unit {
		low = f.Low
	}
	return low + " to " + f.High
}

// Levels joins the two levels by an arrow and says their unit once: "812.4 ->
// 745.0 tok/s"; a side without one is a question mark.
func (f Figures) Levels(arrow string) string {
	from, to := f.Baseline, f.Candidate
	if from == "" && to == "" {
		return ""
	}
	if number, unit := splitUnit(from); to != "" && unit == unitOf(to) {
		from = number
	}
	return cmp.Or(from, "?") + " " + arrow + " " + cmp.Or(to, "?")
}

func unitOf(figure string) string {
	_, unit := splitUnit(figure)
	return unit
}

// splitUnit cuts a figure after its number.
func splitUnit(figure string) (number, unit string) {
	i := strings.LastIndexAny(figure, "0123456789") + 1
	if j := strings.IndexByte(figure, ' '); j >= 0 {
		i = j
	}
	return figure[:i], figure[i:]
}

// newFigures rounds the numbers of a comparison. points says that changes are
// differences in the metric's unit.
func newFigures(c *compare.Comparison, points bool) Figures {
	s := scaleOf(c, points)
	var f Figures
	if len(c.Baseline.Trials) > 0 {
		f.Baseline = s.value(c.Baseline.Estimate)
	}
	if len(c.Candidate.Trials) > 0 {
		f.Candidate = s.value(c.Candidate.Estimate)
	}
	if c.Change != nil {
		f.Change = s.change(*c.Change)
	}
	if c.Interval != nil {
		f.Low, f.High = s.change(c.Interval.Low), s.change(c.Interval.High)
		f.Confidence = shortPercent(c.Interval.Confidence)
	}
	if c.Margin != nil {
		f.Margin = s.size(c.Margin.High)
	}
	if c.Sigma > 0 {
		f.Noise = s.size(c.Sigma)
	}
	if c.MDE > 0 {
		f.Detectable = s.size(c.MDE)
	}
	return f
}

// A scale fixes how the numbers of one comparison are printed: two significant
// digits of the interval's half width, since further digits are noise and
// fewer would hide what was measured.
type scale struct {
	unit     unit
	points   bool
	decimals int     // of a change as printed
	half     float64 // half width of the interval; 0 when there is none
	level    float64 // the larger median, in the metric's unit
}

func scaleOf(c *compare.Comparison, points bool) scale {
	s := scale{points: points, level: math.Max(math.Abs(c.Baseline.Estimate), math.Abs(c.Candidate.Estimate))}
	s.unit = unitFor(c.Metric.Unit, s.level)
	if c.Interval != nil {
		s.half = (c.Interval.High - c.Interval.Low) / 2
	}
	precision := s.half
	if precision <= 0 && c.Change != nil {
		precision = math.Abs(*c.Change)
	}
	s.decimals = decimalsFor(precision * s.changeFactor())
	return s
}

// changeFactor turns a change into the number printed for it.
func (s scale) changeFactor() float64 {
	if s.points {
		return s.unit.factor
	}
	return 100
}

func (s scale) changeUnit() string {
	switch {
	case !s.points:
		return "%"
	case s.unit.name == "%":
		return " pp"
	default:
		return s.unit.suffix()
	}
}

// change prints a signed change: "-8.3%", "+0.4 pp".
func (s scale) change(x float64) string {
	return signed(x*s.changeFactor(), s.decimals) + s.changeUnit()
}

// size prints a change without a sign, to two significant digits: "3%".
func (s scale) size(x float64) string {
	return significant(math.Abs(x)*s.changeFactor(), 2) + s.changeUnit()
}

// value prints a measured level with its unit: "812.4 tok/s", "41.2 ms".
func (s scale) value(x float64) string {
	precision := s.half
	if !s.points {
		precision *= s.level
	}
	if precision <= 0 {
		precision = math.Abs(x) / 100
	}
	return fixed(x*s.unit.factor, decimalsFor(precision*s.unit.factor)) + s.unit.suffix()
}

// A unit is how a quantity is printed: its value times factor, then name.
type unit struct {
	name   string
	factor float64
}

func (u unit) suffix() string {
	if u.name == "" || u.name == "%" {
		return u.name
	}
	return " " + u.name
}

// safeUnit admits what a unit looks like; it holds no character with a
// meaning to any medium.
var safeUnit = regexp.MustCompile(`^[A-Za-z0-9/%]{1,12}$`)

// unitFor scales a base unit so that level is easy to read. A unit we do not
// know is printed as it is if it looks like one, else left out.
func unitFor(base string, level float64) unit {
	switch base {
	case "s":
		switch {
		case level > 0 && level < 1e-3:
			return unit{"µs", 1e6}
		case level < 1:
			return unit{"ms", 1e3}
		}
	case "B":
		for _, u := range []struct {
			name string
			size float64
		}{{"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}} {
			if level >= u.size {
				return unit{u.name, 1 / u.size}
			}
		}
	case "1":
		return unit{"%", 100}
	default:
		if !safeUnit.MatchString(base) {
			return unit{"", 1}
		}
	}
	return unit{base, 1}
}

// decimalsFor is how many decimals show two significant digits of x, at least
// 0 and at most 4; 1 when x tells nothing.
func decimalsFor(x float64) int {
	if x <= 0 || math.IsInf(x, 0) || math.IsNaN(x) {
		return 1
	}
	// Rounded first, so that 0.0996 counts as the 0.10 it prints as.
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'e', 1, 64), 64)
	return int(math.Min(4, math.Max(0, 1-math.Floor(math.Log10(rounded)+1e-9))))
}

// signed prints x with its sign; what rounds to zero has none.
func signed(x float64, decimals int) string {
	text := fixed(x, decimals)
	if x > 0 && strings.Trim(text, "0.") != "" {
		return "+" + text
	}
	return text
}

// absurd is the size from which a number is printed with an exponent, since
// hundreds of digits would only break a table.
const absurd = 1e12

// fixed prints x without an exponent, unless it is absurd, and never as minus
// zero. What overflowed while it was scaled prints as the largest number.
func fixed(x float64, decimals int) string {
	if x = math.Max(-math.MaxFloat64, math.Min(math.MaxFloat64, x)); math.Abs(x) >= absurd {
		return strconv.FormatFloat(x, 'e', 1, 64)
	}
	text := strconv.FormatFloat(x, 'f', decimals, 64)
	if strings.Trim(text, "-0.") == "" {
		return strings.TrimPrefix(text, "-")
	}
	return text
}

// significant prints x >= 0 to n significant digits, without trailing zeros:
// 3, 0.5, 12, 1.4.
func significant(x float64, n int) string {
	if x >= absurd || x > 0 && x < 1/absurd {
		return strconv.FormatFloat(math.Min(x, math.MaxFloat64), 'e', n-1, 64)
	}
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'e', n-1, 64), 64)
	return strconv.FormatFloat(rounded, 'f', -1, 64)
}

func shortPercent(share float64) string { return significant(100*share, 3) + "%" }

// Unit returns the unit that the row's levels are printed in and the factor to
// it from the metric's own: "ms" and 1000 for times below a second. The name
// holds nothing foreign; it is "" when the metric's does not look like a unit.
func (r Row) Unit() (name string, factor float64) {
	u := scaleOf(&r.c, r.Points).unit
	return u.name, u.factor
}

// Amount is a value of a metric with its unit, rounded as every report rounds:
// "192 ms", "99.5%", "1020 tok/s". Its unit may be foreign, and is then left out.
func Amount(m record.Metric, x float64) string {
	if m.InPoints() {
		return shortPercent(x)
	}
	u := unitFor(m.Unit, x)
	return significant(x*u.factor, 4) + u.suffix()
}
