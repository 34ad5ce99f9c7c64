package sharegpt

import (
	"bytes"
	"encoding/json"
	"iter"
	"strings"
)

const maxMembers = 1000 // of one object: a record can have millions

// A member is a key of an object and its value, which goes as far as the text
// does: the text may break off in it.
type member struct {
	key   string
	value []byte
	at    int // where in the text the value begins
}

// members returns the first members of the object that b begins with, in their
// order. Of an object that breaks off or is damaged it returns those before that,
// and the one in which that is.
func members(b []byte) (all []member) {
	length := len(b)
	b = b[1:]
	for len(all) < maxMembers {
		b = bytes.TrimLeft(b, ", \t\r\n")
		if len(b) == 0 || b[0] != '"' {
			return all
		}
		n, broken := stringAt(b)
		if n == 0 || broken {
			return all
		}
		key := string(textOf(b[:n]))
		if b = bytes.TrimLeft(b[n:], " \t\r\n"); len(b) == 0 || b[0] != ':' {
			return all
		}
		if b = bytes.TrimLeft(b[1:], " \t\r\n"); len(b) == 0 {
			return all
		}
		n, complete := valueAt(b)
		all = append(all, member{key, b[:n], length - len(b)})
		if !complete {
			return all
		}
		b = b[n:]
	}
	return all
}

// elements yields the elements of the array that b begins with, as members does,
// with their number.
func elements(b []byte) iter.Seq2[int, []byte] {
	return func(yield func(int, []byte) bool) {
		b := b[1:]
		for i := 0; ; i++ {
			b = bytes.TrimLeft(b, ", \t\r\n")
			if len(b) == 0 || b[0] == ']' {
				return
			}
			n, complete := valueAt(b)
			if !yield(i, b[:n]) || !complete {
				return
			}
			b = b[n:]
		}
	}
}

// firstElement returns what the array that b begins with has first, nil if there
// is no array or nothing in it.
func firstElement(b []byte) []byte {
	if len(b) == 0 || b[0] != '[' {
		return nil
	}
	for _, e := range elements(b) {
		return e
	}
	return nil
}

// valueAt returns the length of the value that b begins with, at least 1, and
// whether it ends in b.
func valueAt(b []byte) (n int, complete bool) {
	switch classes[b[0]] {
	case quote, opening:
		var o object
		complete, why := o.follow(b)
		if why != nil {
			return max(o.n, 1), false
		}
		return o.n, complete
	}
	if n = bytes.IndexAny(b, ",]} \t\r\n"); n < 0 {
		return len(b), false
	}
	return max(n, 1), n > 0
}

// get returns the value of the last member with that key, nil if there is none.
func get(all []member, key string) []byte {
	for i := len(all) - 1; i >= 0; i-- {
		if strings.EqualFold(all[i].key, key) {
			return all[i].value
		}
	}
	return nil
}

// textOf is the text of a string or number. Anything else in its place is empty.
func textOf(b []byte) (s text) {
	switch {
	case len(b) == 0:
	case b[0] == '"':
		if json.Unmarshal(b, (*string)(&s)) != nil {
			return ""
		}
	case b[0] == '-' || b[0] >= '0' && b[0] <= '9':
		return text(b)
	}
	return s
}
