package conversations

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
)

// A Synthetic describes a set of made-up conversations. Record i hangs on Seed
// and i alone, so a longer set begins with the shorter one.
type Synthetic struct {
	// Records is how many to write. Bytes stops after the record that reaches
	// so many. At least one is given; of both, the first to be reached holds.
	Records int
	Bytes   int64
	Seed    uint64
	// Prompt and Answer are the lengths of human and assistant turns. Zero
	// means DefaultPrompt and DefaultAnswer: a record then has 7 KB on average,
	// as in the public ShareGPT file.
	Prompt, Answer Length
	// Plain leaves out the awkward records, of which there are about 5 % else:
	// no turn (0.7 %, as in the public file), one turn, an assistant's or a
	// system's turn first, the same role twice, an empty turn.
	Plain bool
}

// A Length is a lognormal distribution of lengths in words: exp(N(ln Median,
// Sigma)), rounded, and cut off at 1 and 20 000. Sigma 0 makes all of them equal
// to the median.
type Length struct{ Median, Sigma float64 }

// Short questions and longer answers, with a long tail of both.
var (
	DefaultPrompt = Length{60, 1.2}
	DefaultAnswer = Length{150, 0.9}
)

const (
	maxWords      = 20_000
	exchanges     = 3.5 // per conversation, on average
	maxExchanges  = 50
	awkwardShapes = 0.05
)

// Write writes the set as a JSON array with one record a line. It holds one
// record at a time.
func Write(ctx context.Context, w io.Writer, s Synthetic) error {
	if s.Prompt == (Length{}) {
		s.Prompt = DefaultPrompt
	}
	if s.Answer == (Length{}) {
		s.Answer = DefaultAnswer
	}
	switch {
	case s.Records < 0 || s.Bytes < 0:
		return errors.New("synthetic dataset: a negative size")
	case s.Records == 0 && s.Bytes == 0:
		return errors.New("synthetic dataset: no size is given; say how many records or bytes")
	}
	if err := errors.Join(s.Prompt.check("prompt"), s.Answer.check("answer")); err != nil {
		return err
	}
	out := &counted{w: bufio.NewWriterSize(w, 1<<16)}
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(false)
	out.text("[\n")
	for i := 0; s.more(i, out.n); i++ {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if i > 0 {
			out.text(",")
		}
		if err := lines.Encode(s.record(i)); err != nil {
			return err
		}
	}
	out.text("]\n")
	return out.w.Flush() // a bufio.Writer keeps its first error
}

func (s Synthetic) more(records int, written int64) bool {
	const end = int64(len("]\n"))
	return records == 0 || (s.Records == 0 || records < s.Records) && (s.Bytes == 0 || written+end < s.Bytes)
}

func (l Length) check(what string) error {
	if !(l.Median >= 1 && l.Median <= maxWords) || !(l.Sigma >= 0 && l.Sigma <= 5) {
		return fmt.Errorf("synthetic dataset: %s lengths with a median of %g and a sigma of %g: want a median of 1 to %d words and a sigma of 0 to 5", what, l.Median, l.Sigma, maxWords)
	}
	return nil
}

func (l Length) draw(r *rand.Rand) int {
	n := math.Round(l.Median * math.Exp(l.Sigma*r.NormFloat64()))
	return int(min(max(n, 1), maxWords))
}

// A Conversation is a record of the set.
type Conversation struct {
	ID            string `json:"id"`
	Conversations []Turn `json:"conversations"`
}

// A Turn is what one side said.
type Turn struct {
	From  string `json:"from"`
	Value string `json:"value"`
}

func (s Synthetic) record(i int) Conversation {
	r := rand.New(rand.NewPCG(s.Seed, uint64(i)))
	n := 1
	for n < maxExchanges && r.Float64() > 1/exchanges {
		n++
	}
	turns := make([]Turn, 0, 2*n+1)
	for range n {
		turns = append(turns, Turn{"human", prose(r, s.Prompt.draw(r))}, Turn{"gpt", prose(r, s.Answer.draw(r))})
	}
	if !s.Plain {
		turns = awkward(r, turns)
	}
	return Conversation{fmt.Sprintf("synthetic-%d_0", i), turns}
}

// awkward gives some conversations a shape that occurs in the public file.
func awkward(r *rand.Rand, turns []Turn) []Turn {
	switch p := r.Float64(); {
	case p < 0.007:
		return []Turn{}
	case p < 0.015:
		return turns[:1]
	case p < 0.025:
		return turns[1:]
	case p < 0.030:
		return append([]Turn{{"system", prose(r, 12)}}, turns...)
	case p < 0.035:
		turns[0].From, turns[1].From = "user", "chatgpt"
	case p < 0.040:
		turns[1].From = turns[0].From
	case p < awkwardShapes-0.005:
		turns[1].Value = ""
	case p < awkwardShapes:
		turns[0].Value = "<div class=\"note\">" + turns[0].Value + "</div>\n```go\nfmt.Println(\"héllo, 世界 🦙\")\n```"
	}
	return turns
}

type counted struct {
	w *bufio.Writer
	n int64
}

func (c *counted) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return c.w.Write(p)
}

func (c *counted) text(s string) {
	c.n += int64(len(s))
	c.w.WriteString(s)
}

// prose makes so many words into sentences and paragraphs. It reads like nothing,
// and splits into tokens like English: a token has about four letters.
func prose(r *rand.Rand, words int) string {
	var b bytes.Buffer
	for sentence := 0; words > 0; sentence++ {
		if sentence > 0 {
			b.WriteString([]string{" ", " ", " ", "\n\n"}[r.IntN(4)])
		}
		n := min(words, 4+r.IntN(16))
		for i := range n {
			// The square of a uniform number prefers the front of the list,
			// where the common words are.
			u := r.Float64()
			word := vocabulary[int(u*u*float64(len(vocabulary)))]
			if i == 0 {
				b.WriteByte(word[0] - 'a' + 'A')
				word = word[1:]
			} else {
				b.WriteByte(' ')
			}
			b.WriteString(word)
		}
		b.WriteString([]string{".", ".", ".", "?", ":"}[r.IntN(5)])
		words -= n
	}
	return b.String()
}
