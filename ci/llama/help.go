package llama

import (
	"regexp"
	"strings"
)

// capabilities is what a llama-bench build understands, learned from its own
// help: packagers' builds carry no usable build number, and branches move
// flags at other times than the main line.
type capabilities struct {
	forms map[string]string // flag, "-fa" or "--flash-attn", to the form of its value: "<on|off|auto>", "" for none
}

// optionLine is a line of the help: "  -fa, --flash-attn <0|1>   (default: 0)".
var optionLine = regexp.MustCompile(`^ +((?:--?[A-Za-z][A-Za-z0-9_-]*(?:, *| |$))+) *(<[^>]*>)?`)

// readHelp reads the text that llama-bench -h prints. ok says whether it is
// llama-bench's at all: other programs of llama.cpp have some of its flags,
// none has these.
func readHelp(help string) (c capabilities, ok bool) {
	c.forms = make(map[string]string)
	for line := range strings.Lines(help) {
		m := optionLine.FindStringSubmatch(strings.TrimRight(line, "\r\n"))
		if m == nil {
			continue
		}
		for _, flag := range strings.FieldsFunc(m[1], func(r rune) bool { return r == ',' || r == ' ' }) {
			if _, twice := c.forms[flag]; !twice {
				c.forms[flag] = m[2]
			}
		}
	}
	for _, flag := range []string{"--model", "--n-prompt", "--n-gen", "--repetitions", "--output"} {
		if !c.has(flag) {
			return c, false
		}
	}
	return c, true
}

func (c capabilities) has(flag string) bool {
	_, ok := c.forms[flag]
	return ok
}

// first returns the first of the flags that the build has, "" for none.
func (c capabilities) first(flags ...string) string {
	for _, flag := range flags {
		if c.has(flag) {
			return flag
		}
	}
	return ""
}

// choices returns the values that the help lists for a flag, "<0|1>" being 0
// and 1, nil when it lists none.
func (c capabilities) choices(flag string) []string {
	form := strings.Trim(c.forms[flag], "<>")
	if !strings.Contains(form, "|") {
		return nil
	}
	return strings.Split(form, "|")
}
