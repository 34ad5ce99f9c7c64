package report

import (
	"slices"
	"strconv"
	"strings"

	"github.com/llama-regress/llama-regress/compare"
)

// nextSteps says what to do, by situation, most useful first. An unattended
// pass with everything decided needs nothing.
func nextSteps(r Report, res *compare.Result, src Source) []Step {
	var steps []Step
	add := func(kind StepKind, text Text, command []string) {
		steps = append(steps, Step{Kind: kind, Text: text, Command: shellQuote(command)})
	}
	n := r.Counts
	if src.interrupted() != "" {
		add(Resume, say("The run stopped early; finish it."), src.Resume)
	}
	if r.Outcome == NothingCompared {
		add(CheckInput, say("Check that both sides measured the same models, parameters and tests."), nil)
	}
	if n.Unmeasured > 0 || len(r.Failures) > 0 {
		add(ReadLogs, readLogs(r, src), nil)
	}
	if n.Regressions > 0 {
		add(Reproduce, say("Measure it again."), src.Reproduce)
	}
	if has(r.Rows, compare.EnvironmentMixed) {
		add(SameHost, say("Measure both sides in one session on one machine; stored results of another machine cannot be compared."), nil)
	}
	if res.ControlFired {
		add(Quieten, say("Find out what disturbs the machine."), []string{"llama-regress", "doctor"})
	}
	if need := blocksNeeded(r.Rows); need > 0 && !res.ControlFired {
		add(MoreBlocks, moreBlocks(n, res.Method, need), withBlocks(src.Reproduce, res.Method, need))
	} else if hopeless(r.Rows) && !res.ControlFired {
		add(Quieten, say("Some cells are too noisy for more blocks to help; find out what disturbs the machine."), []string{"llama-regress", "doctor"})
	}
	if n.Regressions > 0 && src.Accept != "" {
		add(Accept, concat(say("If the change is intended, accept it: "), quote(src.Accept)), nil)
	}
	return steps
}

func readLogs(r Report, src Source) Text {
	text := say("Find out why %s failed; the first says: ", plural(len(r.Failures), "trial"))
	if len(r.Failures) == 0 {
		text = say("Find out why a side was not measured.")
	} else {
		text = concat(text, quote(r.Failures[0].Cause.Message))
	}
	if src.Logs != "" {
		text = concat(text, say(" Logs: "), quote(src.Logs))
	}
	return text
}

func moreBlocks(n Counts, m compare.Method, need int) Text {
	return say("Measure more to decide what is open: %d of %s, %s in all.",
		n.Inconclusive, plural(n.Total, "comparison"), replicates(m, need))
}

// blocksNeeded is the largest number of replicates that a row needs, 0 when
// none says.
func blocksNeeded(rows []Row) int {
	need := 0
	for _, row := range rows {
		if c := row.Comparison; c.Reason != nil && (c.Reason.Code != compare.EnvironmentMixed && c.Reason.Code != compare.NotMeasured) {
			need = max(need, c.Reason.Need)
		}
	}
	return need
}

// hopeless reports whether a row is so noisy that no number of blocks helps.
func hopeless(rows []Row) bool {
	return slices.ContainsFunc(rows, func(r Row) bool {
		c := r.Comparison
		return c.Reason != nil && c.Reason.Code == compare.TooNoisy && c.Reason.Need == 0
	})
}

func has(rows []Row, code compare.ReasonCode) bool {
	return slices.ContainsFunc(rows, func(r Row) bool {
		return r.Comparison.Reason != nil && r.Comparison.Reason.Code == code
	})
}

// withBlocks asks the reproducing command for more blocks.
func withBlocks(command []string, m compare.Method, need int) []string {
	if len(command) == 0 || m != compare.Paired {
		return nil
	}
	return append(slices.Clone(command), "--blocks", strconv.Itoa(need))
}

// shellQuote writes a command so that a POSIX shell reads back exactly these
// words, whatever names they hold.
func shellQuote(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = w
		if w == "" || strings.Trim(w, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_@%+=:,./-") != "" {
			quoted[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
	}
	return strings.Join(quoted, " ")
}
