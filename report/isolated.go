package report

import (
	"fmt"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare/pattern"
)

// Isolated is what became of prompts that had failed under load when each was sent once
// more by itself, on a fresh connection. The zero value says that none was sent.
type Isolated struct {
	Prompts int                                // that were sent
	Failed  map[record.RequestFailureClass]int // of these, by class
}

// Add counts a prompt that was sent alone.
func (a *Isolated) Add(r record.Request) {
	a.Prompts++
	if r.Failure == nil {
		return
	}
	if a.Failed == nil {
		a.Failed = make(map[record.RequestFailureClass]int)
	}
	a.Failed[r.Failure.Class]++
}

// again is how many prompts failed alone, too.
func (a Isolated) again() (n int) {
	for _, count := range a.Failed {
		n += count
	}
	return n
}

// String says whose fault the failures under load were.
func (a Isolated) String() string {
	switch again := a.again(); again {
	case 0:
		return fmt.Sprintf("all %d prompts succeed alone on a fresh connection: the load or the connection failed them", a.Prompts)
	case a.Prompts:
		return fmt.Sprintf("all %d prompts fail alone, too (%s): they are at fault themselves, or the server is", a.Prompts, a.classes())
	default:
		return fmt.Sprintf("%d of %d prompts fail alone, too (%s), and are at fault themselves; the load or the connection failed the others", again, a.Prompts, a.classes())
	}
}

// classes lists those that are known in their order: "12 context_exceeded, 1 http_5xx".
func (a Isolated) classes() string {
	text := ""
	for _, class := range record.RequestFailureClasses {
		if n := a.Failed[class]; n > 0 {
			if text != "" {
				text += ", "
			}
			text += fmt.Sprintf("%d %s", n, class)
		}
	}
	return text
}

// refutes reports whether the cause of a finding cannot be: that of a prompt, where
// all prompts succeed alone, and that of the load, where all fail alone. A server that
// was gone when it was asked says nothing of a prompt.
func (a Isolated) refutes(f pattern.Finding) bool {
	if a.Prompts == 0 || a.Failed[record.ConnectionRefused] > 0 {
		return false
	}
	switch f.Factor {
	case pattern.Prompt, pattern.PromptTokens, pattern.PromptChars:
		return a.again() == 0
	case pattern.ConnectionReused, pattern.ConnectionIdle, pattern.ConnectionAge, pattern.InFlight, pattern.Index, pattern.Window, pattern.Trial, pattern.Event:
		return a.again() == a.Prompts
	}
	return false
}

// patternsBeside is Patterns where failed prompts were sent alone: what that refutes is
// replaced by what it showed, which else is told last.
func patternsBeside(r pattern.Result, a Isolated) []Text {
	list := Patterns(r)
	if a.Prompts == 0 || list == nil {
		return list
	}
	told := false
	for i, f := range r.Findings {
		if a.refutes(f) {
			list[i] = concat(set(f), say(", p %s; yet %s", chance(f.P), a))
			told = true
		}
	}
	if !told {
		list = append(list, say("%s", a))
	}
	return list
}
