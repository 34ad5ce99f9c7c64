package load

import (
	"fmt"
	"strings"

	"github.com/llama-regress/llama-regress/ci/record"
)

// A Key is what a server wants to know before it answers. It is sent as a bearer token
// and printed nowhere: what a server says is searched for it.
type Key string

// leastHidden is how much of a key, from its beginning, is hidden where the rest was cut
// off. Less tells nobody anything.
const leastHidden = 8

// Check says why a text is no key that can be sent. It does not repeat the key.
func (k Key) Check() error {
	for i := range len(k) {
		if k[i] <= ' ' || k[i] > '~' {
			return fmt.Errorf("the key has a space, a line end or another character that no header can hold, at place %d of %d", i+1, len(k))
		}
	}
	return nil
}

// header is the line of a request's head, "" without a key.
func (k Key) header() string {
	if k == "" {
		return ""
	}
	return "Authorization: Bearer " + string(k) + "\r\n"
}

// Hide returns text without the key, also where only its beginning is left.
func (k Key) Hide(text string) string {
	if k == "" {
		return text
	}
	first := string(k[:min(len(k), leastHidden)])
	var b strings.Builder
	for {
		before, after, found := strings.Cut(text, first)
		b.WriteString(before)
		if !found {
			return b.String()
		}
		b.WriteString("(API key)")
		rest := string(k[len(first):])
		for rest != "" && after != "" && after[0] == rest[0] {
			rest, after = rest[1:], after[1:]
		}
		text = after
	}
}

// String and GoString keep the key out of every printed structure.
func (k Key) String() string   { return "(API key)" }
func (k Key) GoString() string { return k.String() }

// MarshalText keeps it out of every written one.
func (k Key) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// hide takes the key out of what a failure says.
func (k Key) hide(f *record.RequestFailure) {
	if f != nil && k != "" {
		f.Message, f.Body = k.Hide(f.Message), k.Hide(f.Body)
	}
}
