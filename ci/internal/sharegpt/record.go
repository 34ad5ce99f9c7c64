package sharegpt

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// A conversation is a record in any of its forms. Keys are those of the public
// files and of what is derived from them.
type conversation struct {
	ID            text  `json:"id"`
	Conversations turns `json:"conversations"`
	Conversation  turns `json:"conversation"`
	Messages      turns `json:"messages"`
	Prompt        *text `json:"prompt"`
	Response      text  `json:"response"`
	Completion    text  `json:"completion"`
	Output        text  `json:"output"`
	Answer        text  `json:"answer"`
}

// turns are the first maxTurns of a conversation: a record can have millions,
// and a prompt is in the first few.
type turns []turn

const maxTurns = 1000

func (t *turns) UnmarshalJSON(b []byte) error {
	if b[0] != '[' {
		return nil
	}
	d := json.NewDecoder(bytes.NewReader(b))
	if _, err := d.Token(); err != nil {
		return err
	}
	for d.More() && len(*t) < maxTurns {
		var one turn
		var wrong *json.UnmarshalTypeError
		if err := d.Decode(&one); err != nil && !errors.As(err, &wrong) {
			return err
		}
		*t = append(*t, one) // an empty one in place of what is no object
	}
	return nil
}

type turn struct {
	From    text `json:"from"`
	Value   text `json:"value"`
	Role    text `json:"role"`
	Content text `json:"content"`
}

func (t turn) role() string { return strings.ToLower(string(either(t.From, t.Role))) }
func (t turn) text() string { return string(either(t.Value, t.Content)) }

// A text is a string or a number. Anything else in its place is empty, so that
// a list of images loses a turn and not the conversation.
type text string

func (t *text) UnmarshalJSON(b []byte) error {
	switch {
	case b[0] == '"':
		return json.Unmarshal(b, (*string)(t))
	case b[0] == '-' || b[0] >= '0' && b[0] <= '9':
		*t = text(b)
	}
	return nil
}

// read makes a prompt of a record, which is valid JSON, or says why it gives none.
func (m method) read(record []byte, number int) (p Prompt, unfit string) {
	var c conversation
	if err := json.Unmarshal(record, &c); err != nil {
		return p, err.Error() // not seen: every field takes any value
	}
	turns := c.turns()
	if len(turns) == 0 {
		return p, "no turns"
	}
	p = Prompt{ID: c.id(number), Record: number}
	p.Text, p.Answer, unfit = m.pick(turns)
	if unfit == "" && m.turns.Least > 0 {
		p.Turns, unfit = m.turns.of(turns)
	}
	if unfit == "" && p.contains(0) {
		unfit = "NUL in the prompt" // which ends it early in much that is written in C
	}
	return p, unfit
}

func (c *conversation) turns() turns {
	for _, t := range []turns{c.Conversations, c.Conversation, c.Messages} {
		if len(t) > 0 {
			return t
		}
	}
	if c.Prompt == nil {
		return nil
	}
	t := turns{{From: "human", Value: *c.Prompt}}
	if answer := either(c.Response, c.Completion, c.Output, c.Answer); answer != "" {
		t = append(t, turn{From: "gpt", Value: answer})
	}
	return t
}

// id is the record's own where it can stand in a table and a log line.
func (c *conversation) id(number int) string {
	id := string(c.ID)
	if id == "" || len(id) > 100 || strings.ContainsFunc(id, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return fmt.Sprintf("record-%d", number)
	}
	return id
}

func either(texts ...text) text {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
