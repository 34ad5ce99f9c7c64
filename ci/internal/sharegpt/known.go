package sharegpt

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// Keys of the public files and of what is derived from them. Case does not count.
var (
	// listKeys hold the turns of a conversation.
	listKeys = []string{"conversations", "conversation", "messages", "items", "turns", "dialog", "dialogue", "data"}
	// promptKeys hold the one question of an exchange: "prompt" in many files,
	// "instruction" in Alpaca and Dolly, "question" in OpenOrca.
	promptKeys = []string{"prompt", "instruction", "question", "query", "input", "human", "user", "text"}
	// recordKeys are both, in the order in which they are tried.
	recordKeys = slices.Concat(listKeys[:3], promptKeys[:1], listKeys[3:], promptKeys[1:])
	// besideKeys hold what an instruction is about, and are sent behind it.
	besideKeys = []string{"input", "context"}
	answerKeys = []string{"response", "completion", "output", "answer", "assistant"}
	// arrayKeys hold all records of a file that is one object.
	arrayKeys = []string{"data", "rows", "records", "examples", "samples", "instances", "items", "train", "prompts", "questions"}

	roleKeys = []string{"from", "role"}
	textKeys = []string{"value", "content", "text"}
)

// Roles of the public files. Those that are neither ("system", "tool") are
// passed over.
var (
	humans     = []string{"human", "user"}
	assistants = []string{"gpt", "chatgpt", "bing", "bard", "assistant"}
)

// known says what a record may have.
func known() string {
	return fmt.Sprintf("known are turns in %s, each with %s and %s, its role %s; or a prompt in %s, its answer in %s",
		strings.Join(listKeys, ", "), strings.Join(roleKeys, "/"), strings.Join(textKeys, "/"), strings.Join(slices.Concat(humans, assistants), "/"),
		strings.Join(promptKeys, ", "), strings.Join(answerKeys, ", "))
}

const (
	maxFound     = 20 // names told of a file
	maxFoundName = 40 // bytes of one
)

// found collects the names that a file's unfit records have, for the message
// about them.
type found []string

func (f *found) add(name string) {
	if len(*f) >= maxFound {
		return
	}
	if len(name) > maxFoundName || name == "" || strings.ContainsFunc(name, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("_-.[]=", r)
	}) {
		name = strconv.QuoteToASCII(name[:min(len(name), maxFoundName)])
	}
	if !slices.Contains(*f, name) {
		*f = append(*f, name)
	}
}

// record adds the keys of a record, of its turns, and the roles of these.
func (f *found) record(record []byte) {
	turns := func(place string, list []byte) {
		for i, element := range elements(list) {
			if i == 10 || element[0] != '{' {
				return
			}
			for _, m := range members(element) {
				f.add(place + "[]." + m.key)
				if slices.Contains(roleKeys, strings.ToLower(m.key)) {
					f.add(place + "[]." + m.key + "=" + string(textOf(m.value)))
				}
			}
		}
	}
	switch record[0] {
	case '[':
		turns("", record)
	case '{':
		for _, m := range members(record) {
			f.add(m.key)
			if m.value[0] == '[' {
				turns(m.key, m.value)
			}
		}
	}
}
