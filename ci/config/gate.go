package config

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"

	"github.com/llama-regress/llama-regress/ci/record"
)

func (r *reader) gate(path string, n ast.Node, g *Gate) {
	written := map[string]string{} // how the metric was written, by its name
	r.entries(path, n, func(at string, key *token.Token, value ast.Node) {
		if key.Value == "fail" {
			r.text(&g.Fail)(at, value)
			return
		}
		name, err := metricName(key.Value)
		if err != nil {
			r.faultAt(key, at, "%v", err)
			return
		}
		if other, ok := written[name]; ok {
			r.faultAt(key, at, "key %q in gate means the same metric as %q", key.Value, other)
			return
		}
		written[name] = key.Value
		r.object(at, value, map[string]setter{
			"margin": func(path string, n ast.Node) {
				s, ok := r.scalar(path, n, "a margin such as 3%")
				if !ok {
					return
				}
				margin, err := parseMargin(s, inPoints(name))
				if err != nil {
					r.fault(path, "%v", err)
					return
				}
				g.Margins[name] = margin
			},
		})
	})
}

// Fails are the values of Gate.Fail, the most lenient first.
var Fails = []string{"regression", "suspected", "inconclusive"}

// SetMargin sets the margin of a metric, or of a kind of metric, from text as a
// configuration has it: "3%", "0.03", and "2pp" for success_rate.
func (g *Gate) SetMargin(metric, text string) error {
	name, err := metricName(metric)
	if err != nil {
		return err
	}
	margin, err := parseMargin(text, inPoints(name))
	if err != nil {
		return err
	}
	if g.Margins == nil {
		g.Margins = map[string]float64{}
	}
	g.Margins[name] = margin
	return nil
}

// metricName returns the kind or the name of a metric that key means.
func metricName(key string) (string, error) {
	var known []string
	for _, d := range record.Definitions() {
		known = append(known, d.Kind, d.Name)
	}
	if slices.Contains(known, key) {
		return key, nil
	}
	if t, err := record.ParseTest(key); err == nil {
		return t.Name(), nil
	}
	slices.Sort(known)
	return "", fmt.Errorf("unknown metric %q in gate%s", short(key), Suggest(key, append(slices.Compact(known), "fail")))
}

// inPoints says whether the margin of a metric, or of a kind of metric, is a
// difference in points.
func inPoints(name string) bool {
	return slices.ContainsFunc(record.Definitions(), func(d record.Definition) bool {
		return (d.Kind == name || d.Is(name)) && d.Scale == record.Points
	})
}

// decimal is narrower than strconv, which reads 0x1p-4 and nan.
var decimal = regexp.MustCompile(`^([0-9]+|[0-9]*\.[0-9]+)$`)

// parseMargin reads "3%" or "0.03"; the margin of a share is a difference, and
// so "2pp" or "0.02".
func parseMargin(s string, share bool) (float64, error) {
	const want = "want a margin above 0 and below 50%%, such as %s, have %q"
	example := "3% or 0.03"
	if share {
		example = "2pp or 0.02"
	}
	number, scale := s, 1.0
	if before, ok := strings.CutSuffix(s, "%"); ok {
		if share {
			return 0, fmt.Errorf("a share's margin is in percentage points: write %spp", strings.TrimSpace(before))
		}
		number, scale = before, 100
	} else if before, ok := strings.CutSuffix(s, "pp"); ok {
		if !share {
			return 0, fmt.Errorf("percentage points are for success_rate; write %s%%", strings.TrimSpace(before))
		}
		number, scale = before, 100
	}
	number = strings.TrimSpace(number)
	v, err := strconv.ParseFloat(number, 64)
	if err != nil || !decimal.MatchString(number) || !validMargin(v/scale) {
		return 0, fmt.Errorf(want, example, short(s))
	}
	return v / scale, nil
}

// validMargin also refuses NaN.
func validMargin(m float64) bool { return m > 0 && m < 0.5 && !math.IsInf(m, 0) }
