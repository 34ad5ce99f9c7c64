package llama

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

// ErrTruncated marks output that ends in the middle: of a result, or of the
// JSON array that llama-bench closes only at a clean end. The results before
// it are whole.
var ErrTruncated = errors.New("the output is cut short")

// A lineError is an error that has a place.
type lineError struct {
	line int
	err  error
}

func (e *lineError) Error() string { return e.err.Error() }
func (e *lineError) Unwrap() error { return e.err }

// objects splits llama-bench's output into its JSON objects, however they are
// laid out: one a line, pretty-printed in an array, or several of these
// one after the other. It finds their ends itself because encoding/json
// cannot go on after an error, and llama-bench prints numbers that are not
// JSON.
type objects struct {
	in        *bufio.Reader
	maxObject int  // bytes
	line      int  // of the next byte, from 1
	column    int  // of the next byte, from 0
	inArray   bool // after [ and before ]
}

// next returns the next object and the line on which it begins. It returns
// io.EOF after the last, a *lineError for what is not an object (the next call
// goes on behind it), and any other error of the reader as it is.
func (o *objects) next() ([]byte, int, error) {
	for {
		b, err := o.read()
		if err == io.EOF && o.inArray {
			o.inArray = false
			return nil, 0, &lineError{o.line, fmt.Errorf("the array is not closed: llama-bench did not finish: %w", ErrTruncated)}
		}
		if err != nil {
			return nil, 0, err
		}
		switch {
		case b == ' ' || b == '\t' || b == '\r' || b == '\n':
		case b == '[' && !o.inArray && o.opensArray():
			o.inArray = true
		case b == ',' && o.inArray:
		case b == ']' && o.inArray:
			o.inArray = false
		case b == '{':
			return o.object()
		default:
			return nil, 0, o.stray(b)
		}
	}
}

// object reads on from an opening brace to the one that closes it.
func (o *objects) object() ([]byte, int, error) {
	start := o.line
	text := []byte{'{'}
	depth, inString, escaped := 1, false, false
	for depth > 0 {
		// No layout has a brace in the first column inside an object: this is
		// the next line of a JSON Lines file whose last one broke off.
		if ahead, _ := o.in.Peek(1); o.column == 0 && len(ahead) == 1 && ahead[0] == '{' && len(text) > 1 {
			return nil, 0, &lineError{start, fmt.Errorf("the line breaks off: %w", ErrTruncated)}
		}
		b, err := o.read()
		if err == io.EOF {
			o.inArray = false // one complaint is enough
			return nil, 0, &lineError{start, fmt.Errorf("the last result breaks off: %w", ErrTruncated)}
		}
		if err != nil {
			return nil, 0, err
		}
		if len(text) == o.maxObject {
			return nil, 0, fmt.Errorf("line %d: a result longer than %d KiB, which llama-bench never prints", start, o.maxObject>>10)
		}
		text = append(text, b)
		switch {
		case escaped:
			escaped = false
		case inString:
			escaped = b == '\\'
			inString = b != '"'
		case b == '"':
			inString = true
		case b == '{':
			depth++
		case b == '}':
			depth--
		}
	}
	return text, start, nil
}

// stray reads the rest of a line that is not part of any object.
func (o *objects) stray(first byte) error {
	const shown = 60
	line := o.line
	text := []byte{first}
	for {
		b, err := o.read()
		if err != nil || b == '\n' {
			break
		}
		if len(text) <= shown {
			text = append(text, b)
		}
	}
	excerpt := strings.TrimSpace(string(text))
	if len(text) > shown {
		excerpt = string(text[:shown]) + "..."
	}
	return &lineError{line, fmt.Errorf("not a llama-bench result: %q%s", excerpt, otherFormat(text))}
}

// otherFormat says so where a line is llama-bench's, but not JSON.
func otherFormat(line []byte) string {
	for start, name := range map[string]string{"| model": "md", "build_commit,": "csv", `"build_commit"`: "csv", "CREATE TABLE": "sql"} {
		if bytes.HasPrefix(line, []byte(start)) {
			return fmt.Sprintf(" (llama-bench's %s format has no repetitions: run it with -o jsonl)", name)
		}
	}
	if bytes.HasPrefix(line, []byte("usage: ")) {
		return " (llama-bench refused its arguments and printed its help)"
	}
	return ""
}

// opensArray looks past a bracket for what belongs into an array: log lines
// may begin with a bracket too.
func (o *objects) opensArray() bool {
	for n := 1; n <= 64; n++ {
		ahead, _ := o.in.Peek(n)
		if len(ahead) < n {
			return true // nothing but blanks up to the end of the file
		}
		switch ahead[n-1] {
		case ' ', '\t', '\r', '\n':
		case '{', ']':
			return true
		default:
			return false
		}
	}
	return false
}

func (o *objects) read() (byte, error) {
	b, err := o.in.ReadByte()
	if err != nil {
		return 0, err
	}
	o.column++
	if b == '\n' {
		o.line++
		o.column = 0
	}
	return b, nil
}

// plainNumbers replaces the numbers that C prints and JSON lacks (nan, -nan,
// inf, and Windows' -nan(ind)) by null, outside strings. llama-bench prints
// them in its averages, which nobody here reads.
func plainNumbers(object []byte) []byte {
	var out []byte // nil until something is replaced
	inString, copied := false, 0
	for i := 0; i < len(object); i++ {
		switch b := object[i]; {
		case inString && b == '\\':
			i++
		case b == '"':
			inString = !inString
		case !inString && (b == '-' || b == 'n' || b == 'i'):
			if n := notNumber(object[i:]); n > 0 {
				out = append(append(out, object[copied:i]...), "null"...)
				copied = i + n
				i = copied - 1
			}
		}
	}
	if out == nil {
		return object
	}
	return append(out, object[copied:]...)
}

// notNumber returns the length of a nan or infinity at the start of text.
func notNumber(text []byte) int {
	for _, word := range []string{"nan(ind)", "nan(snan)", "nan", "infinity", "inf"} {
		for _, sign := range []string{"", "-"} {
			if bytes.HasPrefix(text, []byte(sign+word)) {
				return len(sign + word)
			}
		}
	}
	return 0
}
