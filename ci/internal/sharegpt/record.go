package sharegpt

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// turns are the first maxTurns of a conversation: a record can have millions,
// and a prompt is in the first few.
type turns []turn

const maxTurns = 1000

// turnsOf reads a list of turns: objects, or strings, to which the roles are given
// one after another, again and again (UltraChat). Among objects, what is none gives
// an empty turn. A list may also be written as JSON within a string. Anything else
// has no turns.
func turnsOf(b []byte, roles ...text) (list turns) {
	if len(b) > 0 && b[0] == '"' {
		b = bytes.TrimSpace([]byte(textOf(b)))
		if !json.Valid(b) {
			return nil
		}
	}
	if len(b) == 0 || b[0] != '[' {
		return nil
	}
	plain := len(roles) > 0
	for i, element := range elements(b) {
		if i == maxTurns {
			break
		}
		plain = plain && element[0] == '"'
		var one turn
		var wrong *json.UnmarshalTypeError
		if err := json.Unmarshal(element, &one); err != nil && !errors.As(err, &wrong) {
			return nil // not seen: a turn takes any value
		}
		list = append(list, one)
	}
	if !plain {
		return list
	}
	for i, element := range elements(b) {
		if i == len(list) {
			break
		}
		list[i] = turn{Role: roles[i%len(roles)], Content: content{text: textOf(element)}}
	}
	return list
}

// speak tells whether somebody says something.
func (t turns) speak() bool {
	return slices.ContainsFunc(t, func(t turn) bool { return t.role() != "" && (t.text() != "" || t.foreign() != "") })
}

type turn struct {
	From    text    `json:"from"`
	Value   content `json:"value"`
	Role    text    `json:"role"`
	Content content `json:"content"`
	Text    content `json:"text"`
}

func (t turn) role() string { return strings.ToLower(string(either(t.From, t.Role))) }
func (t turn) text() string { return string(either(t.Value.text, t.Content.text, t.Text.text)) }

// foreign names the kind of what is in the turn beside text, "" if there is only text.
func (t turn) foreign() string {
	return string(either(t.Value.foreign, t.Content.foreign, t.Text.foreign))
}

// A text is a string or a number. Anything else in its place is empty, so that
// a list of images loses a turn and not the conversation.
type text string

func (t *text) UnmarshalJSON(b []byte) error {
	*t = textOf(b)
	return nil
}

// A content is a text, or a list of parts as OpenAI's interface has it, whose
// texts are joined by line breaks, as llama-server does. A part that is no text
// is not passed over: a question about an image is another one without it.
type content struct {
	text    text
	foreign text // the type of the first part that is no text
}

// partTypes are the parts that are named. Other names come from the file, and
// could be as many as its parts.
var partTypes = []string{"image_url", "image", "input_image", "input_audio", "audio", "audio_url", "video", "video_url", "file", "input_file",
	"tool_use", "tool_result", "refusal"}

func (c *content) UnmarshalJSON(b []byte) error {
	c.text = textOf(b)
	if b[0] != '[' {
		return nil
	}
	var joined []string
	for i, element := range elements(b) {
		var part struct{ Type, Text text }
		if i == maxTurns || element[0] != '{' || json.Unmarshal(element, &part) != nil {
			continue
		}
		switch kind := string(part.Type); {
		case kind == "text" || kind == "input_text" || kind == "output_text" || kind == "" && part.Text != "":
			joined = append(joined, string(part.Text))
		case c.foreign != "":
		case slices.Contains(partTypes, kind):
			c.foreign = part.Type
		default:
			c.foreign = "an unknown type"
		}
	}
	c.text = text(strings.Join(joined, "\n"))
	return nil
}

// read makes a prompt of a record, which is valid JSON, or says why it gives none.
func (m method) read(record []byte, number int) (p Prompt, unfit string) {
	id, turns := conversation(record)
	if len(turns) == 0 {
		return p, "no turns"
	}
	p = Prompt{ID: printable(id, number), Record: number}
	p.Text, p.Answer, unfit = m.pick(turns)
	if unfit == "" && m.turns.Least > 0 {
		p.Turns, unfit = m.turns.of(turns)
	}
	if unfit == "" && p.contains(0) {
		unfit = "NUL in the prompt" // which ends it early in much that is written in C
	}
	return p, unfit
}

// conversation reads a record in any of its forms: an object, a list of turns,
// or a prompt alone.
func conversation(record []byte) (id text, list turns) {
	switch record[0] {
	case '"':
		return "", turns{{Role: "user", Content: content{text: textOf(record)}}}
	case '[':
		return "", turnsOf(record, "user", "assistant")
	}
	all := members(record)
	if row := get(all, "row"); len(row) > 0 && row[0] == '{' { // of the dataset viewer
		all = append(all, members(row)...)
	}
	return textOf(get(all, "id")), turnsIn(all)
}

// turnsIn returns the turns of a record with these members. A key under which
// nothing is said counts only where no other has something.
func turnsIn(all []member) (list turns) {
	for _, key := range recordKeys {
		var found turns
		switch value := get(all, key); {
		case key == "turns":
			found = turnsOf(value, "user") // MT-Bench has questions only
		case slices.Contains(listKeys, key):
			found = turnsOf(value, "user", "assistant")
		default:
			found = asked(all, key)
		}
		if found.speak() {
			return found
		}
		if list == nil {
			list = found
		}
	}
	return list
}

// asked returns the prompt under a key, with what the record has beside it.
func asked(all []member, key string) turns {
	list := said("human", get(all, key))
	if len(list) == 0 {
		return nil
	}
	if key == "instruction" {
		for _, beside := range besideKeys {
			if s := textOf(get(all, beside)); !blank(string(s)) {
				list[0].Value.text += "\n\n" + s
			}
		}
	}
	for _, key := range answerKeys {
		if answer := said("gpt", get(all, key)); answer.speak() {
			return append(list, answer...)
		}
	}
	return list
}

// said is what a key of an exchange holds: the turn of that role where it is a
// text, or a list of messages, as trainers have it. It is nil for anything else.
func said(role text, b []byte) turns {
	switch {
	case len(b) == 0:
		return nil
	case b[0] == '[' && len(firstElement(b)) > 0 && firstElement(b)[0] == '{':
		return turnsOf(b)
	case b[0] == '"' || textOf(b) != "":
		return turns{{From: role, Value: content{text: textOf(b)}}}
	}
	return nil
}

// printable is the record's own id where it can stand in a table and a log line.
func printable(id text, number int) string {
	if id == "" || len(id) > 100 || strings.ContainsFunc(string(id), func(r rune) bool { return !unicode.IsPrint(r) }) {
		return fmt.Sprintf("record-%d", number)
	}
	return string(id)
}

func either(texts ...text) text {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}
