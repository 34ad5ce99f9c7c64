package sharegpt

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
)

// The rules by which a record becomes a prompt. Limits are in tokens.
//
//	human   the first human or user turn, and the assistant's turn right after
//	        it as the answer; drawn at random; no limits. The default.
//	first   the same turn, from the first records of the file that have one,
//	        not shuffled: the rule of the old scheduler scripts.
//	vllm    at least two turns; the first is the prompt and the second the
//	        answer, whatever their roles; drawn at random; prompt and answer at
//	        least 4, prompt at most 1024, both together at most 2048. With
//	        OutputTokens that takes the answer's place in the sum, and the
//	        answer has no minimum (--sharegpt-output-len).
//	sglang  at least two turns, taken the same way; drawn at random; prompt and
//	        answer (or OutputTokens) at least 2; no maximum, unless
//	        MaxTotalTokens sets one (--sharegpt-context-len).
//
// vllm and sglang are their projects' rules for what may be drawn, and not their
// draw: that hangs on Python's generator and the whole file in memory. Here it is
// the one of every other rule, and the same on every machine. A record with a
// prompt and a response counts as two turns.
const (
	Human  = "human"
	First  = "first"
	VLLM   = "vllm"
	SGLang = "sglang"
)

// Rules returns the names of the rules, the default first.
func Rules() []string { return []string{Human, First, VLLM, SGLang} }

// A Selection says which prompts to draw. A limit that is 0 is the rule's own,
// a negative one is none.
type Selection struct {
	Rule   string // one of Rules; "" means Human
	Sample int    // how many prompts, at least 1
	Seed   uint64 // of the draw; rule first ignores it
	// MinPromptTokens and MaxPromptTokens bound the prompt, MinAnswerTokens the
	// answer, and MaxTotalTokens both together. All are inclusive.
	MinPromptTokens, MaxPromptTokens, MinAnswerTokens, MaxTotalTokens int
	// OutputTokens is the output length if it is fixed for every request, and
	// then stands for the answer's in the limits. 0 means the answer's own.
	OutputTokens int
	// Turns asks for conversations. The limits of the prompt then are those of its
	// first turn, and MaxTotalTokens is that of the whole, each answer included.
	Turns Turns
	// Repeat fills the sample by repeating it where the file has too few.
	Repeat bool
}

// NeedsCounter tells whether the selection has limits in tokens, so that Sample
// needs a Counter. It is false for a selection that Sample refuses.
func (s Selection) NeedsCounter() bool {
	how, err := s.resolve()
	return err == nil && how.limited()
}

// A method is a rule with the selection's limits: min and max are inclusive.
type method struct {
	name     string
	shuffled bool
	pick     func(turns) (prompt, answer, unfit string)

	minPrompt, maxPrompt, minAnswer, maxTotal int // 0 and math.MaxInt are none
	output                                    int
	turns                                     Turns
}

func (s Selection) resolve() (method, error) {
	m := method{name: s.Rule, shuffled: true, pick: firstHuman, maxPrompt: math.MaxInt, maxTotal: math.MaxInt, output: s.OutputTokens, turns: s.Turns}
	switch s.Rule {
	case "", Human:
		m.name = Human
	case First:
		m.shuffled = false
	case VLLM:
		m.pick, m.minPrompt, m.maxPrompt, m.minAnswer, m.maxTotal = firstTwo, 4, 1024, 4, 2048
		if s.OutputTokens > 0 {
			m.minAnswer = 0
		}
	case SGLang:
		m.pick, m.minPrompt, m.minAnswer = firstTwo, 2, 2
	default:
		return m, fmt.Errorf("there is no rule %q; there are %s", s.Rule, strings.Join(Rules(), ", "))
	}
	if err := s.Turns.check(m.name); err != nil {
		return m, err
	}
	if s.Sample < 1 {
		return m, fmt.Errorf("a sample of %d prompts: want at least 1", s.Sample)
	}
	if s.OutputTokens < 0 {
		return m, fmt.Errorf("%d output tokens: want at least 1, or 0 for the answer's own", s.OutputTokens)
	}
	override(&m.minPrompt, s.MinPromptTokens, 0)
	override(&m.maxPrompt, s.MaxPromptTokens, math.MaxInt)
	override(&m.minAnswer, s.MinAnswerTokens, 0)
	override(&m.maxTotal, s.MaxTotalTokens, math.MaxInt)
	if m.minPrompt > m.maxPrompt || m.minPrompt > m.maxTotal {
		return m, errors.New("no prompt can have both the least and the most tokens asked for")
	}
	return m, nil
}

func override(limit *int, set, none int) {
	switch {
	case set < 0:
		*limit = none
	case set > 0:
		*limit = set
	}
}

func (m method) limited() bool {
	return m.minPrompt > 0 || m.maxPrompt < math.MaxInt || m.minAnswer > 0 || m.maxTotal < math.MaxInt
}

func (m method) order(seed uint64) func(int) uint64 {
	if m.shuffled {
		return seededOrder(seed)
	}
	return fileOrder
}

// check counts the prompt's tokens and says why the limits refuse it, if they do.
// The answer is only counted for a prompt that is taken so far.
func (m method) check(ctx context.Context, c Counter, p *Prompt) (unfit string, err error) {
	if c == nil {
		return "", nil
	}
	count := func(what, text string) (n int) {
		if err == nil && text != "" {
			if n, err = c.CountTokens(ctx, text); err != nil {
				err = fmt.Errorf("count the tokens of record %d's %s: %w", p.Record, what, err)
			}
		}
		return n
	}
	p.Tokens = count("prompt", p.Text)
	switch {
	case p.Tokens < m.minPrompt:
		return fmt.Sprintf("prompt under %d tokens", m.minPrompt), err
	case p.Tokens > m.maxPrompt:
		return fmt.Sprintf("prompt over %d tokens", m.maxPrompt), err
	}
	if p.Turns != nil {
		total := 0
		for _, t := range p.Turns {
			total += count("question", t.Text) + max(count("answer", t.Answer), m.output)
		}
		if total > m.maxTotal {
			return fmt.Sprintf("conversation over %d tokens", m.maxTotal), err
		}
		return "", err
	}
	p.AnswerTokens = count("answer", p.Answer)
	output := p.AnswerTokens
	if m.output > 0 {
		output = m.output
	}
	switch {
	case output < m.minAnswer:
		return fmt.Sprintf("answer under %d tokens", m.minAnswer), err
	case output > m.maxTotal-p.Tokens:
		return fmt.Sprintf("prompt and answer over %d tokens", m.maxTotal), err
	}
	return "", err
}

// firstHuman takes the first human turn that says something. In a continuation
// part, which begins with an assistant's turn, that is not the first turn.
func firstHuman(list turns) (prompt, answer, unfit string) {
	for i, t := range list {
		switch {
		case !slices.Contains(humans, t.role()):
			continue
		case t.foreign() != "":
			return "", "", notText(t)
		case blank(t.text()):
			continue
		}
		if i+1 < len(list) && slices.Contains(assistants, list[i+1].role()) {
			answer = list[i+1].text()
		}
		return t.text(), answer, ""
	}
	return "", "", "no human turn"
}

func firstTwo(list turns) (prompt, answer, unfit string) {
	switch {
	case len(list) < 2:
		return "", "", "fewer than two turns"
	case list[0].foreign() != "":
		return "", "", notText(list[0])
	case blank(list[0].text()):
		return "", "", "blank prompt"
	}
	return list[0].text(), list[1].text(), ""
}

func notText(t turn) string { return "the prompt is not only text: " + t.foreign() }

func blank(s string) bool { return strings.TrimSpace(s) == "" }
