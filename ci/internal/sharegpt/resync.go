package sharegpt

import (
	"errors"
	"regexp"
	"slices"
	"strings"
)

const (
	maxReread = 256 << 20 // bytes read more than once to find records after damaged ones
	maxStart  = 512       // bytes that tell the start of a record; more white space in it hides it
)

// firstKeys are the keys that a record may begin with. A turn begins with
// others, so they tell the next record from the next turn.
var firstKeys = []string{"id", "conversations", "conversation", "messages", "prompt"}

// turnKeys may not be learned.
var turnKeys = []string{"from", "value", "role", "content"}

// A resync finds the next record after a damaged one: an object whose first key
// is a record's, a list that begins with a turn, a string behind a comma, or in
// JSON lines a value of their kind at the start of a line. Text inside a
// string is not mistaken for one, whichever way the damage left the quotes: there
// quotes are escaped and line breaks too.
type resync struct {
	lines   bool
	kind    byte // what a record begins with
	start   *regexp.Regexp
	learned bool
	reread  int
	last    [2]byte // of what was passed over, without white space
}

func newResync(lines bool, kind byte) resync {
	r := resync{lines: lines, kind: kind}
	r.setKeys(firstKeys)
	return r
}

func (r *resync) setKeys(keys []string) {
	var quoted []string
	for _, k := range keys {
		quoted = append(quoted, regexp.QuoteMeta(k))
	}
	pattern := map[byte]string{
		'{': `\{\s*"(?:` + strings.Join(quoted, "|") + `)"\s*:`,
		'[': `\[\s*(?:\{\s*"(?:` + strings.Join(turnKeys, "|") + `)"\s*:|")`,
		'"': `,\s*"`,
	}[r.kind]
	if r.lines {
		pattern += `|\n` + regexp.QuoteMeta(string(r.kind))
	}
	r.start = regexp.MustCompile(pattern)
}

var firstKey = regexp.MustCompile(`^\{\s*"([^"\\]{1,100})"`)

// learn adds the first key of the first sound record.
func (r *resync) learn(record []byte) {
	if r.learned || r.kind != '{' {
		return
	}
	r.learned = true
	if m := firstKey.FindSubmatch(record); m != nil {
		if key := string(m[1]); !slices.Contains(firstKeys, key) && !slices.Contains(turnKeys, key) {
			r.setKeys(append(slices.Clone(firstKeys), key))
		}
	}
}

// pass moves the window from a damaged record to the next one's start, or to the
// end of the stream if there is none, and tells which. The damaged one was
// followed for n bytes, which is its length if complete. Records may start within
// these bytes.
func (r *resync) pass(w *window, n int, complete bool) (found bool, err error) {
	w.advance(1)
	n--
	for {
		b := w.bytes()
		if complete {
			b = b[:n]
		}
		if at := r.start.FindIndex(b); at != nil {
			i := at[0]
			if b[i] == '\n' || b[i] == ',' {
				i++
			}
			if r.reread += max(0, n-i); r.reread > maxReread {
				return false, errors.New("too much of the file is damaged to find its records; is it a dataset?")
			}
			w.advance(i)
			return true, nil
		}
		if complete {
			w.advance(n)
			return true, nil
		}
		r.remember(b)
		done := max(0, len(b)-maxStart) // a start may reach beyond what is read
		w.advance(done)
		n -= done
		if !w.more() {
			w.advance(len(w.bytes()))
			return false, nil
		}
	}
}

func (r *resync) remember(b []byte) {
	for i := max(0, len(b)-maxStart); i < len(b); i++ {
		if !isSpace(b[i]) {
			r.last = [2]byte{r.last[1], b[i]}
		}
	}
}

// ended tells whether what was passed over has the end of the array, which in an
// object is followed by the object's.
func (r *resync) ended(wrapped bool) bool {
	if wrapped {
		return r.last == [2]byte{']', '}'}
	}
	return r.last[1] == ']'
}
