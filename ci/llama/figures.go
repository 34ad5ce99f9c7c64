package llama

import (
	"bytes"
	"encoding/json"
	"time"
)

// A decoder decodes the results of a file. Nearly all of a result's text says what
// was measured, in the words of other results: it is decoded once.
type decoder struct {
	known   map[string]*Configuration // by the text before test_time
	samples []int64                   // room for more, cut off as it is used
}

func newDecoder() *decoder { return &decoder{known: make(map[string]*Configuration)} }

var testTime = []byte(`"test_time"`)

const mostKnown = 20_000 // configurations whose text is kept

// decode decodes one object: what is not as current builds print it, field by field.
func (d *decoder) decode(object []byte) (Result, error) {
	at := bytes.Index(object, testTime)
	var f figures
	plain := at > 0 && f.read(object[at:])
	if plain {
		if c, ok := d.known[string(object[:at])]; ok {
			return Result{Configuration: c, Start: f.start, SamplesNS: d.keep(f.samples[:f.n])}, nil
		}
	}
	r, err := decodeResult(object)
	if err == nil && plain && len(d.known) < mostKnown && json.Valid(append(bytes.Clone(object[:at]), `"test_time":0}`...)) {
		d.known[string(object[:at])] = r.Configuration
	}
	return r, err
}

// again decodes a line that holds a result of a configuration that is known; false
// for any other.
func (d *decoder) again(line []byte) (Result, bool) {
	if line[0] != '{' {
		return Result{}, false
	}
	at := bytes.Index(line, testTime)
	if at < 0 {
		return Result{}, false
	}
	c, ok := d.known[string(line[:at])]
	var f figures
	if !ok || !f.read(line[at:]) {
		return Result{}, false
	}
	return Result{Configuration: c, Start: f.start, SamplesNS: d.keep(f.samples[:f.n])}, true
}

// keep copies samples to where they stay.
func (d *decoder) keep(samples []int64) []int64 {
	if len(samples) > cap(d.samples)-len(d.samples) {
		d.samples = make([]int64, 0, max(4096, len(samples)))
	}
	from := len(d.samples)
	d.samples = append(d.samples, samples...)
	return d.samples[from:len(d.samples):len(d.samples)]
}

// figures are the fields of a result from test_time on, as llama-bench prints them:
// what one invocation measured.
type figures struct {
	start   time.Time
	samples [64]int64
	n       int // of samples
	text    []byte
}

// read reports whether text holds these fields alone, each once, and the end of the
// object; where it does, decodeResult would read the same.
func (f *figures) read(text []byte) bool {
	f.text = text
	var seen [7]bool
	for {
		name, ok := f.quoted()
		if !ok || !f.past(':') {
			return false
		}
		field := -1
		switch string(name) {
		case "test_time":
			var value []byte
			value, ok = f.quoted()
			f.start, _ = time.Parse(time.RFC3339, string(value))
			field = 0
		case "avg_ns":
			field, ok = 1, f.number()
		case "stddev_ns":
			field, ok = 2, f.number()
		case "avg_ts":
			field, ok = 3, f.number()
		case "stddev_ts":
			field, ok = 4, f.number()
		case "samples_ns":
			field, ok = 5, f.durations()
		case "samples_ts":
			field, ok = 6, f.list()
		}
		if field < 0 || !ok || seen[field] {
			return false
		}
		seen[field] = true
		if f.past('}') {
			f.blanks()
			return len(f.text) == 0 && f.n > 0
		}
		if !f.past(',') {
			return false
		}
	}
}

func (f *figures) blanks() {
	for len(f.text) > 0 && (f.text[0] == ' ' || f.text[0] == '\n' || f.text[0] == '\r' || f.text[0] == '\t') {
		f.text = f.text[1:]
	}
}

// past consumes a character, and blanks before it.
func (f *figures) past(b byte) bool {
	f.blanks()
	if len(f.text) == 0 || f.text[0] != b {
		return false
	}
	f.text = f.text[1:]
	return true
}

// quoted consumes a text without escapes.
func (f *figures) quoted() ([]byte, bool) {
	if !f.past('"') {
		return nil, false
	}
	end := bytes.IndexByte(f.text, '"')
	if end < 0 || bytes.IndexByte(f.text[:end], '\\') >= 0 || bytes.IndexByte(f.text[:end], '\n') >= 0 {
		return nil, false
	}
	value := f.text[:end]
	f.text = f.text[end+1:]
	return value, true
}

// number consumes a number of JSON in its plain form.
func (f *figures) number() bool {
	f.blanks()
	n := 0
	if n < len(f.text) && f.text[n] == '-' {
		n++
	}
	whole := f.digits(&n)
	if whole == 0 || whole > 1 && f.text[n-whole] == '0' {
		return false
	}
	if n < len(f.text) && f.text[n] == '.' {
		n++
		if f.digits(&n) == 0 {
			return false
		}
	}
	if n < len(f.text) && (f.text[n] == 'e' || f.text[n] == 'E') {
		n++
		if n < len(f.text) && (f.text[n] == '-' || f.text[n] == '+') {
			n++
		}
		if f.digits(&n) == 0 {
			return false
		}
	}
	f.text = f.text[n:]
	return true
}

// digits moves n past digits and returns how many there were.
func (f *figures) digits(n *int) int {
	from := *n
	for *n < len(f.text) && f.text[*n] >= '0' && f.text[*n] <= '9' {
		*n++
	}
	return *n - from
}

// durations consumes a list of whole numbers above 0, each of up to 18 digits.
func (f *figures) durations() bool {
	if !f.past('[') {
		return false
	}
	for f.n < len(f.samples) {
		f.blanks()
		n := 0
		if d := f.digits(&n); d == 0 || d > 18 || f.text[0] == '0' {
			return false
		}
		var ns int64
		for _, b := range f.text[:n] {
			ns = 10*ns + int64(b-'0')
		}
		f.samples[f.n] = ns
		f.n++
		f.text = f.text[n:]
		if f.past(']') {
			return true
		}
		if !f.past(',') {
			return false
		}
	}
	return false
}

// list consumes a list of numbers, which nobody reads.
func (f *figures) list() bool {
	if !f.past('[') || f.past(']') {
		return false
	}
	for f.number() {
		if f.past(']') {
			return true
		}
		if !f.past(',') {
			return false
		}
	}
	return false
}
