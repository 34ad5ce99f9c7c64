package junit

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/jstemmer/go-junit-report/v2/junit"

	"github.com/llama-regress/llama-regress/report"
)

// A field is a number or word about a row, by a stable name.
type field struct{ name, value string }

// fields lists what is known of a row, to six digits: a CI system may draw it.
func fields(row report.Row) []field {
	c := row.Comparison
	list := []field{{"verdict", c.Verdict.String()}}
	number := func(name string, x float64) {
		list = append(list, field{name, strconv.FormatFloat(x, 'g', 6, 64)})
	}
	if c.Reason != nil {
		list = append(list, field{"reason", line(c.Reason.Code)})
	}
	if len(c.Baseline.Trials) > 0 {
		number("baseline", c.Baseline.Estimate)
	}
	if len(c.Candidate.Trials) > 0 {
		number("contender", c.Candidate.Estimate)
	}
	if c.Change != nil {
		number("change", *c.Change)
	}
	if c.Interval != nil {
		number("low", c.Interval.Low)
		number("high", c.Interval.High)
	}
	if c.Margin != nil {
		number("margin", c.Margin.High)
	}
	if c.P != nil {
		number("p_regression", c.P.AdjustedRegression)
	}
	if c.MDE > 0 {
		number("mde", c.MDE)
	}
	number("replicates", float64(c.Replicates))
	return list
}

// properties are the fields of a suite's rows. JUnit has no properties of a
// single test, so their names begin with its name.
func properties(rows []report.Row) []junit.Property {
	var list []junit.Property
	for _, row := range rows {
		prefix := strings.ReplaceAll(testName(row), " ", ".")
		for _, f := range fields(row) {
			list = append(list, junit.Property{Name: prefix + "." + f.name, Value: f.value})
		}
	}
	return list
}

// round stands for brackets where they have a meaning.
var round = strings.NewReplacer("[", "(", "]", ")")

// annotations are the fields of one test as lines of its output, a convention
// that several consumers read as properties of the test.
func annotations(row report.Row) string {
	var b strings.Builder
	for _, f := range fields(row) {
		fmt.Fprintf(&b, "[[PROPERTY|%s=%s]]\n", f.name, round.Replace(f.value))
	}
	return b.String()
}
