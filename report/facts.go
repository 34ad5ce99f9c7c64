package report

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
)

// time of the report, from the records alone: the same files give the same
// bytes.
func (s Source) time() time.Time {
	switch {
	case !s.Time.IsZero():
		return s.Time
	case s.Head != nil:
		return s.Head.Finished
	case s.Base != nil:
		return s.Base.Finished
	}
	return time.Time{}
}

// runs lists the runs that are known, each once, baseline first.
func (s Source) runs() []*record.Run {
	var runs []*record.Run
	for _, run := range []*record.Run{s.Base, s.Head} {
		if run != nil && !slices.Contains(runs, run) {
			runs = append(runs, run)
		}
	}
	return runs
}

// interrupted is why a run stopped early, "" when none did.
func (s Source) interrupted() string {
	for _, run := range s.runs() {
		if run.Interrupted != "" {
			return run.Interrupted
		}
	}
	return ""
}

// newFacts says how the numbers came about; what two runs have in common is
// said once.
func newFacts(r Report, res *compare.Result, src Source) []Fact {
	facts := []Fact{} // never null in JSON
	add := func(key, label string, value Text) {
		if len(value) > 0 {
			facts = append(facts, Fact{key, label, value})
		}
	}
	both := func(key, label string, value func(*record.Run) Text) {
		var values []Text
		for _, run := range src.runs() {
			values = append(values, value(run))
		}
		add(key, label, join(" and ", values...))
	}
	each := func(key, label string, value func(*record.Run) Text) {
		var values []Text
		for _, run := range src.runs() {
			if v := value(run); !slices.ContainsFunc(values, func(old Text) bool { return slices.Equal(old, v) }) {
				values = append(values, v)
			}
		}
		add(key, label, join(" and ", values...))
	}
	each("machine", "machine", func(r *record.Run) Text { return quote(r.Host.Name) })
	each("cpu", "processor", func(r *record.Run) Text { return quote(r.Host.Hard["cpu"]) })
	each("parts", "shards", parts)
	add("compared", "compared", compared(src))
	add("method", "method", method(res.Method))
	add("stored", "stored sessions", stored(src.Stored))
	add("cells", "in every cell", quote(commonParams(res.Comparisons)))
	each("held", "held fixed", heldFixed)
	each("unset", "left to the build", leftToBuild)
	add("control", "baseline against itself", control(r.Controls))
	if r.Sentinel != nil {
		add("sentinel", "sentinel", r.Sentinel.Text)
	}
	if blocks := blockRange(r.Rows); blocks != "" {
		add("blocks", "replicates", say("%s", blocks))
	}
	each("stages", "stopping", stages)
	each("schedulers", "schedulers", inForce)
	each("devices", "devices", devicesFact)
	each("repetitions", "repetitions", func(r *record.Run) Text {
		benched := slices.ContainsFunc(r.Cells, func(c record.Cell) bool { return workload(c.Workload).Repeats })
		if r.Plan.Repetitions == 0 || !benched {
			return nil
		}
		return say("%d a trial, after %d of warm-up", r.Plan.Repetitions, r.Plan.Warmup)
	})
	both("trials", "trials", trials)
	each("requests", "requests", requestsFact)
	each("datasets", "prompts", datasets)
	each("objectives", "goodput objectives", objectives)
	each("models", "models", func(r *record.Run) Text {
		var names []string
		for _, m := range r.Models {
			names = append(names, m.Name)
		}
		return quoteAll(names, 8)
	})
	both("started", "started", func(r *record.Run) Text {
		if r.Started.IsZero() {
			return nil
		}
		return say("%s", r.Started.UTC().Format("2006-01-02 15:04 UTC"))
	})
	both("duration", "duration", func(r *record.Run) Text {
		if d := r.Finished.Sub(r.Started); d > 0 && !r.Started.IsZero() {
			return say("%s", span(d))
		}
		return nil
	})
	each("interrupted", "stopped early by", func(r *record.Run) Text { return quote(r.Interrupted) })
	each("seed", "random seed", func(r *record.Run) Text {
		if r.Plan.Blocks == 0 { // nothing was planned, so nothing was drawn
			return nil
		}
		return say("%d", r.Plan.Seed)
	})
	add("alpha", "error rate", errorRate(res.Policy))
	each("host", "machine details", hostDetails)
	each("run", "run", func(r *record.Run) Text { return quote(r.ID) })
	each("tool", "llama-regress", func(r *record.Run) Text { return join(", ", quote(r.Tool.Version), quote(r.Tool.Commit)) })
	add("calibration", "calibration", quote(src.Calibration))
	return facts
}

// parts says which machine measured which cells of a merged record.
func parts(r *record.Run) Text {
	const most = 8
	var each []Text
	for i, p := range r.Parts {
		if i == most {
			each = append(each, say("%d more", len(r.Parts)-most))
			break
		}
		cells := "1 cell"
		if len(p.Cells) != 1 {
			cells = fmt.Sprintf("%d cells", len(p.Cells))
		}
		each = append(each, concat(say("%s with %s on ", p.Shard, cells), quote(p.Host.Name)))
	}
	if each == nil {
		return nil
	}
	return concat(say("each cell on one machine: "), join("; ", each...))
}

func hostDetails(r *record.Run) Text {
	var list []string
	for _, keys := range []map[string]string{r.Host.Hard, r.Host.Soft} {
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			if key != "cpu" {
				list = append(list, key+" "+keys[key])
			}
		}
	}
	return quoteAll(list, 24)
}

func compared(src Source) Text {
	if src.BaseFile == src.HeadFile {
		return quote(src.HeadFile)
	}
	return join(" with ", quote(src.BaseFile), quote(src.HeadFile))
}

func method(m compare.Method) Text {
	switch m {
	case compare.Paired:
		return say("paired by block: both arms on one machine in one session, a t interval on the differences")
	case compare.Unpaired:
		return say("unpaired: the trials belong to no block, a Welch interval on the two sides")
	case compare.Sessions:
		return say("one session against another: how much sessions differ is not known")
	case compare.Historical:
		return say("history: one session against the stored ones, by the prediction interval in which its mean was to be expected; where ten cells or more are alike, their variances steady one another")
	}
	return quote(string(m))
}

// stored says which sessions serve as baseline.
func stored(sessions []Stored) Text {
	const most = 6
	var parts []Text
	for _, s := range sessions[max(0, len(sessions)-most):] {
		when := say("%s", s.Started.UTC().Format("2006-01-02 15:04"))
		if !s.Commit.IsEmpty() {
			when = concat(when, say(" of "), cite(s.Commit))
		}
		parts = append(parts, when)
	}
	switch n := len(sessions); {
	case n == 0:
		return nil
	case n > most:
		return concat(say("%d, the latest ", n), join(", ", parts...))
	}
	return join(", ", parts...)
}

// blockRange says how many replicates the comparisons rest on: "6 blocks",
// "4 to 6 blocks".
func blockRange(rows []Row) string {
	least, most := math.MaxInt, 0
	for _, r := range rows {
		if n := r.c.Replicates; n > 0 {
			least, most = min(least, n), max(most, n)
		}
	}
	switch {
	case most == 0:
		return ""
	case least == most:
		return replicates(rows[0].c.Method, most)
	}
	return fmt.Sprintf("%d to %s", least, replicates(rows[0].c.Method, most))
}

// control says how far the baseline differed from itself, as the noise that
// every other change has to be read against, and how much it could have seen:
// not to have found a difference means little where none could be found.
func control(rows []Row) Text {
	var worst *Row
	fired, judged := 0, 0
	for i := range rows {
		row := &rows[i]
		switch row.Class {
		case Regression, Improvement:
			fired++
		case Unjudged:
			continue
		}
		judged++
		if row.c.Change != nil && (worst == nil || math.Abs(row.relativeGain()) > math.Abs(worst.relativeGain())) {
			worst = row
		}
	}
	if worst == nil {
		return nil
	}
	t := concat(say("at most %s, in ", strings.TrimLeft(worst.Figures.Change, "+-")),
		quote(worst.c.Metric.Name), say("; %d of %d beyond the margin", fired, judged))
	if blind := blindest(rows); blind != nil {
		t = concat(t, say("; a loss below %s in ", blind.Figures.Detectable), quote(blind.c.Metric.Name), say(" could have stayed unseen"))
	}
	return t
}

// blindest is the undecided row that would have seen the least, measured by
// its margin; nil when there is none.
func blindest(rows []Row) *Row {
	var worst *Row
	margins := func(r *Row) float64 { return r.c.MDE / r.c.Margin.High }
	for i := range rows {
		row := &rows[i]
		m := row.c.Margin
		if row.Class == Inconclusive && m != nil && m.High > 0 && row.c.MDE > 0 && (worst == nil || margins(row) > margins(worst)) {
			worst = row
		}
	}
	return worst
}

// Blindest returns the control that says the least: a loss below its figure
// Detectable could have stayed unseen. It is nil when every control was shown
// to be equal, or there is none.
func (r Report) Blindest() *Row { return blindest(r.Controls) }

func trials(r *record.Run) Text {
	if len(r.Trials) == 0 {
		return nil
	}
	failed := 0
	for _, t := range r.Trials {
		if t.Fault() != nil {
			failed++
		}
	}
	walked := r.Walked()
	text := fmt.Sprintf("%d", walked)
	if r.Plan.Trials > walked {
		most := ""
		if r.Plan.Screen > 0 || len(r.Plan.Interims) > 0 {
			most = "at most "
		}
		text += fmt.Sprintf(" of %s%d planned", most, r.Plan.Trials)
	}
	if repeats := len(r.Trials) - walked; repeats > 0 {
		text += fmt.Sprintf(", %d repeated", repeats)
	}
	if failed > 0 {
		text += fmt.Sprintf(", %d failed", failed)
	}
	return say("%s", text)
}

// stages says how a run whose cells may stop early went about it, and what came
// of its cells.
func stages(r *record.Run) Text {
	if r.Plan.Screen == 0 && len(r.Plan.Interims) == 0 {
		return nil
	}
	text := ""
	if r.Plan.Screen > 0 {
		text = fmt.Sprintf("%s of every cell, then fresh ones of those that may have lost, which are judged by these alone", plural(r.Plan.Screen, "block"))
	}
	if n := len(r.Plan.Interims); n > 0 {
		if text != "" {
			text += ", "
		}
		text += fmt.Sprintf("until each verdict is reached, at %d interim analyses after %s; intervals allow for them", n, blockList(r.Plan.Interims))
	}
	stopped := make(map[record.Stop]int)
	for _, l := range r.Interims {
		stopped[l.Stop]++
	}
	ended := stopped[record.StopDecided] + stopped[record.StopCleared] + stopped[record.StopUseless] + stopped[record.StopLast]
	for _, k := range []struct {
		n  int
		is string
	}{
		{stopped[record.StopDecided], "decided"}, {stopped[record.StopCleared], "cleared by the screening"},
		{stopped[record.StopUseless], "beyond the help of more blocks"}, {stopped[record.StopLast], "at the end of their blocks"},
		{len(r.Cells) - ended, "cut short"},
	} {
		if k.n > 0 {
			text += fmt.Sprintf("; %s %s", plural(k.n, "cell"), k.is)
		}
	}
	return say("%s", text)
}

// blockList writes "6, 10, 15 and 20 blocks", of many the first and the last.
func blockList(ns []int) string {
	const most = 8
	var words []string
	for i, n := range ns {
		if len(ns) > most && i > 0 && i < len(ns)-1 {
			continue
		}
		words = append(words, fmt.Sprint(n))
	}
	last := len(words) - 1
	if last == 0 {
		return plural(ns[0], "block")
	}
	return strings.Join(words[:last], ", ") + " and " + plural(ns[len(ns)-1], "block")
}

func errorRate(p compare.Policy) Text {
	if p.Alpha <= 0 || p.Alpha >= 1 {
		return nil
	}
	return say("at most %s of runs without any change report a regression", shortPercent(p.Alpha))
}

// span words a duration: "48 s", "12 min 5 s", "2 h 40 min".
func span(d time.Duration) string {
	d = d.Round(time.Second)
	h, m, s := int(d.Hours()), int(d.Minutes())%60, int(d.Seconds())%60
	switch {
	case h > 0:
		return fmt.Sprintf("%d h %d min", h, m)
	case m > 0:
		return fmt.Sprintf("%d min %d s", m, s)
	}
	return fmt.Sprintf("%d s", s)
}
