package record

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// A Test is one llama-bench test: a prompt of Prompt tokens is processed, then
// Gen tokens are generated, both after Depth tokens already in the context.
type Test struct {
	Prompt int `json:"prompt"` // tokens, >= 0
	Gen    int `json:"gen"`    // tokens, >= 0; Prompt and Gen are not both 0
	Depth  int `json:"depth"`  // tokens, >= 0
}

// Name is llama-bench's own name for the test, without the blanks: "pp512",
// "tg128", "pp512+tg128", "tg128@d4096".
func (t Test) Name() string {
	var name string
	switch {
	case t.Gen == 0:
		name = "pp" + strconv.Itoa(t.Prompt)
	case t.Prompt == 0:
		name = "tg" + strconv.Itoa(t.Gen)
	default:
		name = fmt.Sprintf("pp%d+tg%d", t.Prompt, t.Gen)
	}
	if t.Depth > 0 {
		name += "@d" + strconv.Itoa(t.Depth)
	}
	return name
}

// Tokens is how many tokens one timed repetition handles; the depth is not timed.
func (t Test) Tokens() int { return t.Prompt + t.Gen }

// Metric is what the test yields: tokens per second, higher is better.
func (t Test) Metric() Metric {
	return Metric{Name: t.Name(), Kind: Throughput, Unit: "tok/s", Better: Higher}
}

var testName = regexp.MustCompile(`^(?:pp([1-9]\d{0,6}))?\+?(?:tg([1-9]\d{0,6}))?(?: ?@ ?d([1-9]\d{0,6}))?$`)

// ParseTest reads a test by its name, as Name writes it or as llama-bench
// prints it ("pp512 @ d4096").
func ParseTest(name string) (Test, error) {
	m := testName.FindStringSubmatch(name)
	if m == nil || m[1]+m[2] == "" {
		return Test{}, fmt.Errorf("bench test %q: want a name such as pp512, tg128, pp512+tg128 or tg128@d4096", name)
	}
	number := func(s string) int {
		n, _ := strconv.Atoi(s) // "" is 0; the pattern allows seven digits
		return n
	}
	t := Test{Prompt: number(m[1]), Gen: number(m[2]), Depth: number(m[3])}
	if strings.ReplaceAll(name, " ", "") != t.Name() { // "+pp512", "pp512tg128"
		return Test{}, fmt.Errorf("bench test %q: did you mean %s?", name, t.Name())
	}
	return t, nil
}
