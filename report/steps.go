package report

import (
	"slices"
	"strconv"
	"strings"

	"github.com/llama-regress/llama-regress/compare"
)

// manyBlocks is where asking for more blocks stops being advice: ten times the
// default.
const manyBlocks = 60

// nextSteps says what to do, by situation, most useful first. A pass with
// everything decided needs nothing.
func nextSteps(r Report, res *compare.Result, src Source) []Step {
	steps := []Step{} // never null in JSON
	add := func(kind StepKind, text Text, command ...string) {
		if len(text) > 0 {
			steps = append(steps, Step{Kind: kind, Text: text, Command: shellQuote(command)})
		}
	}
	shown := false // the command that measured this, in a step above
	if src.interrupted() != "" {
		add(Resume, say("The run stopped early; finish it."), src.Resume...)
	}
	if r.Outcome == compare.NothingCompared && len(res.Alone) > 0 && src.interrupted() == "" {
		if len(res.Ignorable) == 0 {
			add(CheckInput, say("Check that both sides measured the same models, parameters and tests."))
		}
	}
	add(CheckInput, ignoreAdvice(res), ignoring(src.Compare, res.Ignorable)...)
	add(CheckInput, sameSubject(res.Namesakes))
	add(ReadLogs, readLogs(r, src))
	if r.Sentinel.Moved() {
		steps = append(steps, r.Sentinel.step())
	}
	historical := res.Method == compare.Historical && r.Counts.Regressions > 0
	if historical {
		steps = append(steps, pastSteps(r, src)...)
	} else if r.Counts.Regressions > 0 {
		apart := builtApart(r, res, src)
		for _, between := range apart[:min(len(apart), mostLooks)] {
			steps = append(steps, findCommit(between))
		}
		if text, command := countWork(r, src); len(apart) > 0 {
			add(Explain, text, command...)
		}
		if onlyWork(r) {
			add(Explain, say("More work is probably slower, and need not be: measure the time of both builds, with --tests, before acting on it."))
		} else if len(apart) == 0 || doubtful(res) {
			add(Reproduce, again(res.Method, len(src.Reproduce) > 0), src.Reproduce...)
			shown = len(src.Reproduce) > 0
		}
		if text, command := timeOperators(r, src); len(text) > 0 {
			add(Explain, text, command...)
		}
	}
	if hasReason(r.Rows, compare.SuspectedByHistory) && !hasReason(r.Rows, compare.EnvironmentMixed) {
		add(SameHost, concat(together(r.Rows), rebuild(src.Rebuild)), src.Confirm...)
	} else {
		add(SameHost, together(r.Rows))
	}
	if res.ControlFired {
		add(Quieten, say("Find out what disturbs the machine (other programs, frequency scaling, neighbours on shared hardware), then measure again."))
	} else if src.interrupted() == "" {
		asked, flag := askable(r.Rows, src)
		decided, young, need, hopeless := openQuestions(asked)
		add(MoreBlocks, moreBlocks(res.Method, decided, young, need), withBlocks(src, res.Method, flag, need)...)
		if last := len(steps) - 1; shown && last >= 0 && steps[last].Kind == MoreBlocks && !steps[last].Command.IsEmpty() {
			steps[last].Short = say("the same with %s", strings.Join(flagged(flag, need), " "))
		}
		add(Quieten, quieten(hopeless))
	}
	if r.Counts.Regressions > 0 && src.Accept != "" && !historical {
		add(Accept, concat(say("If the change is intended, accept it: "), quote(src.Accept), say(".")))
	}
	return steps
}

// onlyWork says that every regression is one of counted instructions, which measuring
// again would only count again.
func onlyWork(r Report) bool {
	return !slices.ContainsFunc(r.Rows, func(row Row) bool { return row.Class == Regression && !row.c.Metric.Exact })
}

// again advises to see a regression twice before acting on it.
func again(m compare.Method, command bool) Text {
	switch {
	case !command && m == compare.Paired:
		return say("Measure it again before acting on it.")
	case m == compare.Paired:
		return say("Measure it again.")
	case !command:
		return say("Measure both sides again, in turns and in one session: pairing them by block tells more.")
	}
	return say("Repeat the comparison.")
}

func readLogs(r Report, src Source) Text {
	if len(r.Failures) == 0 {
		if r.Counts.Unmeasured == 0 {
			return nil
		}
		if slices.ContainsFunc(r.Rows, func(row Row) bool {
			return row.Class == NotMeasured && row.c.Baseline.Censored+row.c.Candidate.Censored > 0
		}) {
			return say("Find out why so many requests fail: a latency among failures cannot be measured.")
		}
		return say("Find out why a side has no usable trial.")
	}
	text := concat(say("Find out why %s failed. The first said: ", plural(len(r.Failures), "trial")), cite(r.Failures[0].Cause.Message()), say("."))
	if src.Logs != "" {
		text = concat(text, say(" The logs are in "), quote(src.Logs), say("."))
	}
	return text
}

// together advises one session for both sides where their being apart is what
// prevents a verdict.
func together(rows []Row) Text {
	switch {
	case hasReason(rows, compare.EnvironmentMixed):
		return say("Measure both sides in one session on one machine: results of different machines cannot be compared.")
	case hasReason(rows, compare.SuspectedByHistory):
		return say("Measure both builds in one session: stored sessions can only raise a suspicion.")
	case slowest(rows).night > 0:
		return say("Store a session each night (gate --record): from night %d on a night is judged by those before it. To know at once, measure both builds in one session.", learned+1)
	case hasReason(rows, compare.BaselineTooYoung), hasReason(rows, compare.NoBaseline):
		return say("Measure both sides in one session: how much two sessions differ by themselves is not known.")
	}
	return nil
}

// rebuild says which build the confirming command lacks.
func rebuild(commit string) Text {
	if commit == "" {
		return nil
	}
	return concat(say(" The build of the latest stored session is not here any more: build commit "), quote(commit), say(" first, into the folder that --base names."))
}

// openQuestions says how many of the inconclusive rows a sensible number of
// replicates would decide, how many have too few to be judged at all, how many
// replicates those need, and how many rows are beyond such help.
func openQuestions(rows []Row) (decided, young, need, hopeless int) {
	for _, row := range rows {
		reason := row.c.Reason
		if reason == nil || row.Class == Unjudged {
			continue
		}
		switch reason.Code {
		case compare.Unconfirmed: // finishing the run decides it
		case compare.TooFewTrials:
			young++
			need = max(need, reason.Need)
		case compare.TooNoisy, compare.Suspected, compare.MethodsDisagree, compare.Disturbed:
			if reason.Need > 0 && reason.Need <= manyBlocks {
				decided++
				need = max(need, reason.Need)
			} else {
				hopeless++
			}
		}
	}
	return decided, young, need, hopeless
}

// moreBlocks asks for a new run: judged by itself alone, it is no second look at
// blocks that have been judged.
func moreBlocks(m compare.Method, decided, young, need int) Text {
	how := "Measure " + plural(need, "block") + " anew"
	if m != compare.Paired {
		how = "Measure each side " + plural(need, "time") + " anew, changing sides after every one"
	}
	switch {
	case m == compare.Historical: // more sessions come by themselves
		return nil
	case decided == 0 && young > 0:
		return say("%s: with fewer, nothing can be judged.", how)
	case decided == 0:
		return nil
	}
	each := ""
	if decided > 1 {
		each = " each"
	}
	return say("%s: judged by itself alone, the new run decides %s in 4 of 5 cases%s, if nothing changed or the change is what it looks like.", how, plural(decided, "open comparison"), each)
}

func quieten(hopeless int) Text {
	switch hopeless {
	case 0:
		return nil
	case 1:
		return say("1 comparison is too noisy for a sensible number of repeats: find out what disturbs the machine, or widen its margin.")
	}
	return say("%d comparisons are too noisy for a sensible number of repeats: find out what disturbs the machine, or widen their margins.", hopeless)
}

func hasReason(rows []Row, code compare.ReasonCode) bool {
	return slices.ContainsFunc(rows, func(r Row) bool {
		return r.c.Reason != nil && r.c.Reason.Code == code
	})
}

// askable is which rows more blocks are asked for, and the flag that asks: of a
// run in two stages those that its fresh blocks left open, before those that it
// screened without suspicion.
func askable(rows []Row, src Source) ([]Row, string) {
	if src.Head == nil {
		return rows, "--blocks"
	}
	var confirmed []Row
	for _, row := range rows {
		if row.c.Confirmed && row.c.Reason != nil {
			confirmed = append(confirmed, row)
		}
	}
	switch p := src.Head.Plan; {
	case p.Screen > 0 && confirmed != nil:
		if slices.ContainsFunc(confirmed, func(row Row) bool { return row.c.Reason.AsSeen }) {
			return confirmed, "--confirm-blocks"
		}
		return confirmed, "--blocks" // without a change the screening has to show it
	case p.Screen == 0 && len(p.Interims) > 0:
		return rows, "--adaptive"
	}
	return rows, "--blocks"
}

// withBlocks asks the reproducing command for more blocks, in place of those it
// asked for.
func withBlocks(src Source, m compare.Method, flag string, need int) []string {
	if len(src.Reproduce) == 0 || m != compare.Paired {
		return nil
	}
	var words []string
	for i := 0; i < len(src.Reproduce); i++ {
		switch word := src.Reproduce[i]; {
		case word == flag && flag != "--adaptive": // which may stand alone
			i++ // and its value
		case word != flag && !strings.HasPrefix(word, flag+"="):
			words = append(words, word)
		}
	}
	return append(words, flagged(flag, need)...)
}

func flagged(flag string, n int) []string {
	if flag == "--adaptive" {
		return []string{flag + "=" + strconv.Itoa(n)}
	}
	return []string{flag, strconv.Itoa(n)}
}
