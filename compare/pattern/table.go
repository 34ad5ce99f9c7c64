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
	rows    []row
	prompts []string // names of the values of Prompt
	trials  []string // of Trial
	found   [len(factors)]bool
}

type row struct {
	trial   string
	prompt  string
	index   int
	stratum int  // 0 until something is found
	follows bool // the request sent before it in its trial failed as well
	begun   bool // the head of its answer came
	refused bool // nothing listened: no prompt and no connection is at fault
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
		r := row{trial: q.Trial, prompt: q.Prompt, index: q.Index, begun: q.Queue > 0}
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
			r.refused = r.class == record.ConnectionRefused
		}
		t.rows = append(t.rows, r)
	}
	t.number()
	t.sort()
	return t
}

// number gives prompts and trials their numbers, in the order of their names, and
// marks the failures that follow another. A prompt whose length one request knows
// has it in all. Characters are left out where every length is known in tokens.
func (t *table) number() {
	slices.SortFunc(t.rows, func(a, b row) int {
		return cmp.Or(strings.Compare(a.trial, b.trial), cmp.Compare(a.index, b.index), cmp.Compare(a.class, b.class))
	})
	for _, r := range t.rows {
		t.prompts, t.trials = append(t.prompts, r.prompt), append(t.trials, r.trial)
	}
	slices.Sort(t.prompts)
	slices.Sort(t.trials)
	t.prompts, t.trials = slices.Compact(t.prompts), slices.Compact(t.trials)
	lengths := [2][]float64{make([]float64, len(t.prompts)), make([]float64, len(t.prompts))}
	for i, r := range t.rows {
		at, _ := slices.BinarySearch(t.prompts, r.prompt)
		trial, _ := slices.BinarySearch(t.trials, r.trial)
		t.rows[i].values[promptColumn], t.rows[i].values[trialColumn] = float64(at), float64(trial)
		t.rows[i].follows = i > 0 && r.failed() && t.rows[i-1].failed() && t.rows[i-1].trial == r.trial
		for k, column := range []int{tokensColumn, charsColumn} {
			if v := r.values[column]; v > lengths[k][at] && r.prompt != "" {
				lengths[k][at] = v
			}
		}
	}
	known := true
	for i := range t.rows {
		values := &t.rows[i].values
		for k, column := range []int{tokensColumn, charsColumn} {
			if v := lengths[k][int(values[promptColumn])]; v > 0 && math.IsNaN(values[column]) {
				values[column] = v
			}
		}
		if t.rows[i].prompt == "" {
			values[promptColumn] = math.NaN() // unknown, and so like no other
		}
		known = known && !math.IsNaN(values[tokensColumn])
	}
	for i := range t.rows {
		values := &t.rows[i].values
		if known {
			values[charsColumn] = math.NaN()
		} else if !math.IsNaN(values[charsColumn]) {
			values[tokensColumn] = math.NaN() // of some prompts only, and so of those that succeed
		}
		if t.rows[i].refused {
			for column, f := range factors {
				if f.kin == ofPrompt || f.kin == ofConnection {
					values[column] = math.NaN()
				}
			}
		}
	}
}

// Places of factors that are asked for by name.
var (
	tokensColumn = columnOf(PromptTokens)
	charsColumn  = columnOf(PromptChars)
	promptColumn = columnOf(Prompt)
	trialColumn  = columnOf(Trial)
)

func columnOf(name Factor) int {
	return slices.IndexFunc(factors[:], func(f factor) bool { return f.name == name })
}

// sort leaves no order to the caller: rows that tie are the same.
func (t *table) sort() {
	slices.SortFunc(t.rows, func(a, b row) int {
		return cmp.Or(strings.Compare(a.trial, b.trial), cmp.Compare(a.stratum, b.stratum),
			slices.Compare(a.values[:], b.values[:]), cmp.Compare(a.class, b.class), cmp.Compare(a.index, b.index))
	})
}

// given splits every stratum by a condition, so that what is tested from then
// on must explain failures among requests that are alike in it.
func (t *table) given(c candidate) {
	t.found[c.column] = true
	for i := range t.rows {
		t.rows[i].stratum *= 2
		if c.holds(t.rows[i].values[c.column]) {
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
// when column is -1, without those that say nothing. Where the unit of a factor is
// an event, of failures that follow one another only the first is taken.
func (t *table) strata(column int) []stratum {
	var all []stratum
	var s stratum
	for i, r := range t.rows {
		if column < 0 || !math.IsNaN(r.values[column]) && !(factors[column].unit == event && r.follows) {
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
