package llama

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"
)

// ErrTruncated marks output that ends in the middle: of a result, or of the
// JSON array that llama-bench closes only at a clean end. The results before
// it are whole.
var ErrTruncated = errors.New("the output is cut short")

// errLineEnd says that another line begins, which may be one of another format.
var errLineEnd = errors.New("the line ends")

// A lineError is an error that has a place.
type lineError struct {
	line int
	err  error
}

func (e *lineError) Error() string { return e.err.Error() }
func (e *lineError) Unwrap() error { return e.err }

// opening is how every result of llama-bench begins.
var opening = []byte(`{"build_commit"`)

// objects splits llama-bench's output into its JSON objects, however they are
// laid out: one a line, pretty-printed in an array, or several of these
// one after the other. It finds their ends itself because encoding/json
// cannot go on after an error, and llama-bench prints numbers that are not
// JSON.
type objects struct {
	*source
	maxObject int    // bytes
	inArray   bool   // after [ and before ]
	broken    bool   // something broke off: brackets may be of an array whose other end is lost
	rescued   []byte // a result that began in the middle of a line that is none, to be read next
	rescuedAt int    // its line
}

// next returns the next object and the line on which it begins. It returns
// io.EOF after the last, a *lineError for what is not an object (the next call
// goes on behind it), errLineEnd at the end of a line, and any other error of the
// reader as it is. It returns nothing at all before a line that begins with what is
// no JSON.
func (o *objects) next() ([]byte, int, error) {
	if text := o.rescued; text != nil {
		o.rescued = nil
		return text, o.rescuedAt, nil
	}
	for {
		o.lineStart()
		if ahead, _ := o.in.Peek(1); !o.begun && len(ahead) == 1 && !bytes.ContainsAny(ahead, " \t\r\n[]{,") {
			return nil, 0, nil
		}
		begun := o.begun
		b, err := o.read()
		if err == io.EOF && o.inArray {
			o.inArray = false
			return nil, 0, &lineError{o.line, fmt.Errorf("the array is not closed: llama-bench did not finish: %w", ErrTruncated)}
		}
		if err != nil {
			return nil, 0, err
		}
		switch {
		case b == '\n':
			return nil, 0, errLineEnd
		case b == ' ' || b == '\t' || b == '\r':
		case b == mark[0] && o.passMark():
		case b == '[' && o.opensArray():
			if o.inArray && !o.broken && !begun {
				return nil, 0, &lineError{o.line, fmt.Errorf("a second array begins, and the one before it is not closed: llama-bench did not finish: %w", ErrTruncated)}
			}
			o.inArray, o.broken = true, false
		case b == ',' && (o.inArray || o.broken):
		case b == ']' && (o.inArray || o.broken):
			o.inArray, o.broken = false, false
		case b == '{':
			return o.object()
		default:
			return nil, 0, o.stray(b)
		}
	}
}

// passMark consumes the rest of a byte order mark.
func (o *objects) passMark() bool {
	ahead, _ := o.in.Peek(len(mark) - 1)
	if !bytes.Equal(ahead, mark[1:]) {
		return false
	}
	_, _ = o.in.Discard(len(ahead))
	return true
}

// object reads on from an opening brace to the one that closes it.
func (o *objects) object() ([]byte, int, error) {
	start := o.line
	text := []byte{'{'}
	depth, inString, escaped := 1, false, false
	for depth > 0 {
		// No layout has a bracket in the first column inside an object, or a text that
		// goes over a line: the result broke off and another one begins.
		o.lineStart()
		if ahead, _ := o.in.Peek(1); !o.begun && len(ahead) == 1 && (ahead[0] == '{' || ahead[0] == '[' || inString) {
			return nil, 0, o.brokeOff(text, start, "the line breaks off")
		}
		b, err := o.read()
		if err == io.EOF {
			o.inArray = false // one complaint is enough
			return nil, 0, o.brokeOff(text, start, "the last result breaks off")
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

// unquoted is what builds before b3539 printed on Windows.
var unquoted = regexp.MustCompile(`"cpu_info": ?"[^"\n]*(?:, |,?\r?\n\s*)"gpu_info`)

// brokeOff is the error of an object that was not read to its end.
func (o *objects) brokeOff(text []byte, start int, what string) error {
	o.rescue(text, start)
	o.broken = o.broken || o.inArray
	if unquoted.Match(text) {
		return &lineError{start, fmt.Errorf("cpu_info has no closing quote, as builds before b3539 print it on Windows: put the quote there, or measure with a newer build: %w", ErrTruncated)}
	}
	return &lineError{start, fmt.Errorf("%s: %w", what, ErrTruncated)}
}

// rescue finds a whole result that begins in the middle of a text.
func (o *objects) rescue(text []byte, line int) {
	if i := bytes.LastIndex(text, opening); i > 0 {
		text = bytes.TrimSpace(text[i:])
		if bytes.HasSuffix(text, []byte("}")) {
			o.rescued, o.rescuedAt = bytes.Clone(text), line
		}
	}
}

// stray reads the rest of a line that is not part of any object.
func (o *objects) stray(first byte) error {
	const shown = 60
	line := o.line
	ahead, _ := o.peekLine()
	text := append([]byte{first}, ahead...)
	o.rescue(text, line)
	if o.rescued != nil {
		text = text[:bytes.LastIndex(text, opening)]
	}
	o.skipLine()
	excerpt := strings.TrimSpace(string(text))
	if len(excerpt) > shown {
		excerpt = excerpt[:shown] + "..."
	}
	if bytes.HasPrefix(text, []byte("usage: ")) {
		return &lineError{line, fmt.Errorf("not a llama-bench result: %q (llama-bench refused its arguments and printed its help)", excerpt)}
	}
	return &lineError{line, fmt.Errorf("not a llama-bench result: %q", excerpt)}
}

// opensArray looks past a bracket for what belongs into an array: log lines
// may begin with a bracket too.
func (o *objects) opensArray() bool {
	ahead, _ := o.in.Peek(160)
	for len(ahead) > 0 {
		b := ahead[0]
		ahead = ahead[1:]
		switch b {
		case ' ', '\t', '\r':
		case '\n':
			ahead = ahead[quoteMarks(ahead):]
			ahead = ahead[len(stamp.Find(ahead)):]
		case '{', ']':
			return true
		default:
			return false
		}
	}
	return true // nothing but blanks up to the end of the file
}

// plainNumbers replaces the numbers that C and scripts print and JSON lacks (nan,
// -nan, inf, Windows' -nan(ind), NaN, Infinity) by null, outside strings.
// llama-bench prints them in its averages, which nobody here reads.
func plainNumbers(object []byte) []byte {
	var out []byte // nil until something is replaced
	inString, copied := false, 0
	for i := 0; i < len(object); i++ {
		switch b := object[i]; {
		case inString && b == '\\':
			i++
		case b == '"':
			inString = !inString
		case !inString && (b == '-' || b == '+' || b == 'n' || b == 'i' || b == 'N' || b == 'I'):
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
	sign := 0
	if len(text) > 0 && (text[0] == '-' || text[0] == '+') {
		sign = 1
	}
	for _, word := range [...]string{"nan(ind)", "nan(snan)", "nan", "infinity", "inf"} {
		if end := sign + len(word); len(text) >= end && strings.EqualFold(string(text[sign:end]), word) {
			return end
		}
	}
	return 0
}
