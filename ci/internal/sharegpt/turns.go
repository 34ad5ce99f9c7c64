package sharegpt

import (
	"fmt"
	"slices"
	"strings"
)

// Turns says how many turns of a conversation are taken: from the first human
// turn on, a human turn and the assistant's answer each, as long as they take
// turns. Other roles are passed over. A conversation of fewer than Least is no
// prompt. The zero value asks for single prompts.
type Turns struct{ Least, Most int }

// A Turn is what a user says, and what the assistant answered in the file.
type Turn struct {
	Text   string // never blank
	Answer string // "" only in a last one
}

func (t Turns) check(rule string) error {
	switch {
	case t == Turns{}:
		return nil
	case t.Least < 1 || t.Most < t.Least || t.Most > maxTurns:
		return fmt.Errorf("%d to %d turns of a conversation: want 1 to %d, and no more at least than at most", t.Least, t.Most, maxTurns)
	case rule == VLLM || rule == SGLang:
		return fmt.Errorf("rule %s takes the first two messages alone; for turns of a conversation use %s or %s", rule, Human, First)
	}
	return nil
}

// of takes the turns of a conversation, or says why there are too few.
func (t Turns) of(list turns) (taken []Turn, unfit string) {
	for _, one := range list {
		human, assistant := slices.Contains(humans, one.role()), slices.Contains(assistants, one.role())
		open := len(taken) > 0 && taken[len(taken)-1].Answer == ""
		switch {
		case human && !open && len(taken) == t.Most:
			return taken, ""
		case human && open, (human || assistant && open) && (blank(one.text()) || one.foreign() != ""):
			if len(taken) == 0 {
				continue // nobody has said anything yet
			}
			return t.enough(taken)
		case human:
			taken = append(taken, Turn{Text: one.text()})
		case assistant && open:
			taken[len(taken)-1].Answer = one.text()
		}
	}
	return t.enough(taken)
}

func (t Turns) enough(taken []Turn) ([]Turn, string) {
	if len(taken) < t.Least {
		return nil, t.tooFew()
	}
	return taken, ""
}

func (t Turns) tooFew() string { return fmt.Sprintf("fewer than %d turns", t.Least) }

// contains reports whether a character is in any text of the prompt.
func (p Prompt) contains(r rune) bool {
	return strings.ContainsRune(p.Text, r) ||
		slices.ContainsFunc(p.Turns, func(t Turn) bool { return strings.ContainsRune(t.Text+t.Answer, r) })
}

// size is how much text the prompt holds, bytes.
func (p Prompt) size() int {
	n := len(p.Text) + len(p.Answer)
	for _, t := range p.Turns {
		n += len(t.Text) + len(t.Answer)
	}
	return n
}

// noneSo says that a file has single questions where conversations are asked
// for; nil where anything else is missing, too.
func (t Turns) noneSo(s *Sampled) error {
	if t.Least < 2 || len(s.PassedOver) != 1 || s.PassedOver[0].Text != t.tooFew() || len(s.Prompts) > 0 {
		return nil
	}
	return fmt.Errorf("none of its %d records is a conversation of %d turns, a turn being a question and its answer; leave turns out to send single prompts, or choose a dataset of conversations: 'llama-regress provision dataset' gets one",
		s.Records, t.Least)
}
