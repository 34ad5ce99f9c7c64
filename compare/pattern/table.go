package pattern

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/llama-regress/llama-regress/ci/record"
)

// mostRows bounds the work on a file that is not trusted.
const mostRows = 1_000_000

// A table is the requests that count, sorted so that requests of a stratum are
// together: those of one trial that are alike in what is already found.
type table struct {
	rows  []row
	found [len(factors)]bool
}

type row struct {
	trial   string
	stratum int // 0 until something is found
	values  [len(factors)]float64
	class   record.RequestFailureClass // "" when it succeeded
}

func (r row) failed() bool { return r.class != "" }

func newTable(requests []record.Request, rss func(string, float64) (int64, bool)) *table {
	t := new(table)
	for _, q := range requests {
		if q.Warmup || q.Cut != "" {
			continue
		}
		r := row{trial: q.Trial}
		for i, f := range factors {
			r.values[i] = math.NaN()
			if f.value != nil {
				r.values[i] = f.value(q)
			} else if rss != nil {
				if bytes, ok := rss(q.Trial, q.Sent+q.Elapsed); ok {
					r.values[i] = float64(bytes)
				}
			}
			if math.IsInf(r.values[i], 0) {
				r.values[i] = math.NaN()
			}
		}
		if q.Failure != nil {
			r.class = cmp.Or(q.Failure.Class, "unknown")
		}
		t.rows = append(t.rows, r)
	}
	t.sort()
	return t
}

// sort leaves no order to the caller: rows that tie are the same.
func (t *table) sort() {
	slices.SortFunc(t.rows, func(a, b row) int {
		return cmp.Or(strings.Compare(a.trial, b.trial), cmp.Compare(a.stratum, b.stratum),
			slices.Compare(a.values[:], b.values[:]), cmp.Compare(a.class, b.class))
	})
}

// given splits every stratum by a condition, so that what is tested from then
// on must explain failures among requests that are alike in it.
func (t *table) given(c candidate) {
	t.found[c.column] = true
	for i := range t.rows {
		t.rows[i].stratum *= 2
		if c.condition.Holds(t.rows[i].values[c.column]) {
			t.rows[i].stratum++
		}
	}
	t.sort()
}

// commonClass returns the most frequent class among the failures that are
// wanted, its count and theirs. Of classes as frequent the one shown first wins.
func (t *table) commonClass(wanted func(row) bool) (class record.RequestFailureClass, count, failures int) {
	counts := make(map[record.RequestFailureClass]int)
	for _, r := range t.rows {
		if r.failed() && wanted(r) {
			counts[r.class]++
			failures++
		}
	}
	place := func(c record.RequestFailureClass) int {
		if i := slices.Index(record.RequestFailureClasses, c); i >= 0 {
			return i
		}
		return len(record.RequestFailureClasses)
	}
	for c, n := range counts {
		if n > count || n == count && cmp.Or(cmp.Compare(place(c), place(class)), cmp.Compare(c, class)) < 0 {
			class, count = c, n
		}
	}
	return class, count, failures
}

// leastLogP is the logarithm of the smallest p-value there can be: that of a
// condition which holds for all failures and for nothing else.
func (t *table) leastLogP() float64 {
	logP := 0.0
	for _, s := range t.strata(-1) {
		n, k := float64(len(s.rows)), float64(s.failures)
		all, _ := math.Lgamma(n + 1)
		failed, _ := math.Lgamma(k + 1)
		succeeded, _ := math.Lgamma(n - k + 1)
		logP -= all - failed - succeeded
	}
	return logP
}

// A stratum is requests that are comparable, of which some failed and some not.
type stratum struct {
	rows     []int // places in table.rows
	failures int
}

// strata returns those of the requests whose value in a column is known, of all
// when column is -1, without those that say nothing.
func (t *table) strata(column int) []stratum {
	var all []stratum
	var s stratum
	for i, r := range t.rows {
		if column < 0 || !math.IsNaN(r.values[column]) {
			s.rows = append(s.rows, i)
			if r.failed() {
				s.failures++
			}
		}
		last := i == len(t.rows)-1
		if last || r.trial != t.rows[i+1].trial || r.stratum != t.rows[i+1].stratum {
			if s.failures > 0 && s.failures < len(s.rows) {
				all = append(all, s)
			}
			s = stratum{}
		}
	}
	return all
}
