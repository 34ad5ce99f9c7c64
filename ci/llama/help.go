package llama

import (
	"regexp"
	"slices"
	"strings"
)

// capabilities is what a program of a build understands, learned from its own
// help: packagers' builds carry no usable build number, and branches move
// flags at other times than the main line.
type capabilities struct {
	forms map[string]string // flag, "-fa" or "--flash-attn", to the form of its value: "<on|off|auto>", "" for none
	texts map[string]string // flag to the whole of its entry in the help, on one line
}

// optionLine is a line of the help: "  -fa, --flash-attn <0|1>   (default: 0)".
var optionLine = regexp.MustCompile(`^ +((?:--?[A-Za-z][A-Za-z0-9_-]*(?:, *| |$))+) *(<[^>]*>)?`)

// readHelp reads the text that llama-bench -h prints. ok says whether it is
// llama-bench's at all: other programs of llama.cpp have some of its flags,
// none has these.
func readHelp(help string) (c capabilities, ok bool) {
	return readOptions(help, optionLine, "--model", "--n-prompt", "--n-gen", "--repetitions", "--output")
}

// readOptions reads the flags of a help, of which each line of a flag has the form
// of line: its names, then the form of its value. ok says whether all the typical
// flags are there.
func readOptions(help string, line *regexp.Regexp, typical ...string) (c capabilities, ok bool) {
	c.forms, c.texts = make(map[string]string), make(map[string]string)
	var entry []string // the flags of the entry that a line without flags goes on with
	for text := range strings.Lines(help) {
		text = strings.TrimRight(text, "\r\n")
		m := line.FindStringSubmatch(text)
		if m == nil {
			for _, flag := range entry {
				if len(c.texts[flag]) > mostText {
					break
				}
				c.texts[flag] += " " + strings.TrimSpace(text)
			}
			continue
		}
		entry = nil
		for _, flag := range strings.FieldsFunc(m[1], func(r rune) bool { return r == ',' || r == ' ' }) {
			if _, twice := c.forms[flag]; !twice {
				c.forms[flag], c.texts[flag] = m[2], text
				entry = append(entry, flag)
			}
		}
	}
	return c, !slices.ContainsFunc(typical, func(flag string) bool { return !c.has(flag) })
}

// mostText bounds the entry of a flag that is kept, in bytes.
const mostText = 2000

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
// and 1, nil when it lists none. llama-server also writes "[on|off]" and
// "{none,layer}".
func (c capabilities) choices(flag string) []string {
	form := c.forms[flag]
	separator := "|"
	if strings.HasPrefix(form, "{") {
		separator = ","
	}
	form = strings.Trim(form, "<>[]{}")
	if !strings.Contains(form, separator) {
		return nil
	}
	return strings.Split(form, separator)
}

// serverOption is a line of llama-server's help, "-fa,   --flash-attn
// [on|off|auto]       set Flash...": flags, one blank, the form of the value,
// and after two blanks or more what it does. The lines that only go on with
// that are indented further.
var serverOption = regexp.MustCompile(`^ {0,12}((?:--?[A-Za-z][A-Za-z0-9_-]*(?:, *|\b))+)(?: (\S.*?))?(?:  .*)?$`)

// readServerHelp reads the text that llama-server -h prints. ok says whether
// it is llama-server's: llama.cpp's other programs have most of its flags, but
// do not listen.
func readServerHelp(help string) (c capabilities, ok bool) {
	return readOptions(help, serverOption, "--host", "--port", "--model", "--ctx-size", "--parallel")
}
