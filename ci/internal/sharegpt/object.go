package sharegpt

import (
	"bytes"
	"errors"
	"fmt"
)

// An object is a JSON object, array or string that is followed to its end, as its
// bytes arrive.
type object struct {
	n     int // bytes followed
	depth int // of the brackets open
}

// follow goes on in b, which begins with the object and has grown since the last
// call. It reports whether the object ends in b, then n is its length. Where the
// brackets can be trusted no longer, it says why.
func (o *object) follow(b []byte) (complete bool, why error) {
	for o.n < len(b) {
		c := b[o.n]
		switch classes[c] {
		case quote:
			length, broken := stringAt(b[o.n:])
			switch {
			case broken:
				return false, errors.New("line break inside a string, or no quote at its end")
			case length == 0:
				return false, nil
			}
			o.n += length - 1
			if o.depth == 0 {
				o.n++
				return true, nil
			}
		case opening:
			o.depth++
		case closing:
			if o.depth--; o.depth == 0 {
				o.n++
				return true, nil
			}
		case foreign:
			return false, fmt.Errorf("unexpected %q at byte %d of it", c, o.n)
		}
		o.n++
	}
	return false, nil
}

// stringAt returns the length of the string that b begins with, quotes included,
// 0 if it does not end in b. A string with a line break is broken: JSON has
// none, so its end is another string's beginning.
func stringAt(b []byte) (length int, broken bool) {
	for end := 1; ; end++ {
		i := bytes.IndexByte(b[end:], '"')
		if i < 0 {
			return 0, bytes.IndexByte(b, '\n') >= 0
		}
		end += i
		escapes := 0
		for b[end-1-escapes] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			return end + 1, bytes.IndexByte(b[:end], '\n') >= 0
		}
	}
}

const (
	foreign = iota // outside a string
	quote
	opening
	closing
	other
)

var classes = func() (table [256]byte) {
	for _, c := range "truefalsnNIity+-.E0123456789:, \t\r\n" {
		table[c] = other
	}
	table['"'] = quote
	table['{'], table['['] = opening, opening
	table['}'], table[']'] = closing, closing
	return table
}()
