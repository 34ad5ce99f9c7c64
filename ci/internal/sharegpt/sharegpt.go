// Package sharegpt turns a file of conversations into prompts for a load test.
//
// The file is streamed: a sample of a few hundred prompts from the public
// 670 MB file needs some tens of megabytes. It may be
//
//   - a JSON array of records, one record after another (JSON lines), an object
//     with the array in it ({"data": [...]}), or an object of columns (of at most
//     16 MiB);
//   - plain, gzip or zstd, told by its first bytes and not by its name.
//
// A record is one of these, told by its keys; other keys are ignored:
//
//   - a conversation, {"id", "conversations": [{"from", "value"}]}, or with another
//     of listKeys, or with "role" and "content"; or the list of turns alone; a turn's
//     content may be a list of parts, all of them text;
//   - one exchange, {"prompt", "response"}, or with others of promptKeys and
//     answerKeys: Alpaca, Dolly and OpenOrca. What an instruction is about ("input",
//     "context") is sent behind it; a system prompt is not sent;
//   - a prompt alone, as a string.
//
// What cannot be read is passed over and counted, never guessed at: see
// [Sampled.Damaged]. A file that ends inside a record is an error, because what
// it lacks would change the sample without a word.
package sharegpt

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// A Prompt is one request to come.
type Prompt struct {
	// ID is the record's own, else "record-N". A repeated prompt adds "#2",
	// "#3" and so on. Files exist in which two records have the same one.
	ID string
	// Record is the number of its record in the file, from 1, damaged ones
	// counted too.
	Record int
	Text   string // never blank, valid UTF-8, without NUL
	Answer string // the reference answer; "" where the record has none
	Turns  []Turn // of a conversation, the first with Text; nil without Selection.Turns
	// Tokens and AnswerTokens are what the Counter said, 0 without one.
	Tokens, AnswerTokens int
}

// A Counter counts the tokens of a text as the server under test does, beginning
// of sequence included if the server adds one. Sample calls it from one
// goroutine.
type Counter interface {
	CountTokens(ctx context.Context, text string) (int, error)
}

// Sampled is what Sample drew and what it saw of the file.
type Sampled struct {
	Prompts []Prompt // in the order drawn
	SHA256  string   // of the file as stored, 64 hexadecimal digits
	Bytes   int64    // of the file as stored
	Format  string   // "json" or "jsonl", and "+gzip" or "+zstd"
	Records int      // in the file, damaged ones included
	Damaged Damaged
	// Drawn counts the records looked at, in the order of the rule, until the
	// sample was full. PassedOver says why some of them gave no prompt, the
	// commonest reason first.
	Drawn      int
	PassedOver []Reason
}

// Damaged are the records that are not JSON objects in UTF-8, or too large.
type Damaged struct {
	Count int
	// Places are the first few: "record 17 (byte 12345): why". Bytes are
	// counted from 0, after decompression.
	Places []string
}

// A Reason is why records gave no prompt.
type Reason struct {
	Text  string
	Count int
}

// Sample draws sel.Sample prompts from the file at path. The same file and
// selection give the same prompts on every machine, and with a Counter that
// agrees, the same after its limits.
//
// A nil Counter counts nothing; it is an error where the selection has limits in
// tokens, since a guess at them would change the workload unseen. Sample opens
// the file anew for each pass: one, unless most of what was drawn is passed
// over. It is an error if the file changes in between, has fewer prompts than
// asked for (unless sel.Repeat), or none.
func Sample(ctx context.Context, path string, sel Selection, c Counter) (*Sampled, error) {
	how, err := sel.resolve()
	if err != nil {
		return nil, fmt.Errorf("sharegpt: %w", err)
	}
	if c == nil && how.limited() {
		return nil, fmt.Errorf("sharegpt: rule %s has limits in tokens, which need a running server to count them; choose rule %s or %s without limits, or bring a counter",
			how.name, Human, First)
	}
	s, err := how.sample(ctx, path, sel, c)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return s, nil
}

func (how method) sample(ctx context.Context, path string, sel Selection, c Counter) (*Sampled, error) {
	var s *Sampled
	var size int
	passedOver := map[string]int{}
	var limits bool
	var names found
	from := uint64(0)
	for passes := 0; ; passes++ {
		d := newDraw(how.order(sel.Seed), sel.Sample, passes, from)
		seen, err := pass(ctx, path, d)
		if err != nil {
			return nil, err
		}
		if s == nil {
			s = seen
		} else if s.SHA256 != seen.SHA256 {
			return nil, fmt.Errorf("changed while it was read")
		}
		for _, candidate := range d.sorted() {
			p, why := how.read(candidate.record, candidate.number)
			if why != "" {
				names.record(candidate.record)
			} else if why, err = how.check(ctx, c, &p); err != nil {
				return nil, err
			} else if why != "" {
				limits = true
			}
			s.Drawn++
			if why != "" {
				passedOver[why]++
				continue
			}
			if size += p.size(); size > maxSample {
				return nil, fmt.Errorf("a sample of %d prompts holds more than %d MiB of text; ask for fewer, or limit their length", sel.Sample, maxSample>>20)
			}
			if s.Prompts = append(s.Prompts, p); len(s.Prompts) == sel.Sample {
				s.PassedOver = byCount(passedOver)
				return s, nil
			}
		}
		if !d.overflowed {
			s.PassedOver = byCount(passedOver)
			return s, s.fill(sel, how.name, limits, names)
		}
		from = d.cutoff
	}
}

// pass reads the whole file once and offers each sound record to the draw.
func pass(ctx context.Context, path string, d *draw) (*Sampled, error) {
	f, err := open(ctx, path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	records, err := newScanner(f)
	if err != nil {
		return nil, err
	}
	for records.next() {
		d.offer(records.number, records.record)
	}
	if err := records.err; err != nil {
		return nil, err
	}
	s := &Sampled{Format: records.format() + f.suffix, Records: records.number, Damaged: records.damaged}
	s.SHA256, s.Bytes = f.sum()
	switch {
	case s.Records == 0:
		return nil, fmt.Errorf("has no records")
	case s.Records == s.Damaged.Count:
		return nil, fmt.Errorf("none of its %d records can be read: %s", s.Records, s.Damaged.Places[0])
	}
	return s, nil
}

// fill ends a sample that the file could not fill: by repeating it from its
// start where that was asked for. Its error says what can help: another sample
// or other limits where the records are of a known shape.
func (s *Sampled) fill(sel Selection, rule string, limits bool, names found) error {
	have := len(s.Prompts)
	if err := sel.Turns.noneSo(s); err != nil {
		return err
	}
	if have == 0 || !sel.Repeat {
		var advice []string
		if have > 0 {
			advice = append(advice, "lower the sample (--num-samples)")
		}
		if limits {
			advice = append(advice, "loosen the limits")
		}
		help := strings.Join(advice, " or ")
		if help == "" {
			help = fmt.Sprintf("found are %s; %s", strings.Join(names, ", "), known())
		}
		var why strings.Builder
		for _, r := range s.PassedOver {
			fmt.Fprintf(&why, "; %d: %s", r.Count, r.Text)
		}
		return fmt.Errorf("has %d prompts that rule %s accepts, want %d; %s (of %d records %d are damaged%s)",
			have, rule, sel.Sample, help, s.Records, s.Damaged.Count, why.String())
	}
	for i := have; i < sel.Sample; i++ {
		p := s.Prompts[i%have]
		p.ID = fmt.Sprintf("%s#%d", p.ID, i/have+1)
		s.Prompts = append(s.Prompts, p)
	}
	return nil
}

func byCount(reasons map[string]int) []Reason {
	var all []Reason
	for text, n := range reasons {
		all = append(all, Reason{text, n})
	}
	slices.SortFunc(all, func(a, b Reason) int {
		if a.Count != b.Count {
			return b.Count - a.Count
		}
		return strings.Compare(a.Text, b.Text)
	})
	return all
}
