package sharegpt

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// shape finds how the records lie in the stream: one after another, in an array,
// in an array within an object, or column by column. The first byte of a file is
// the same for most of these, so its first value is looked at, and what follows it.
func (s *scanner) shape(first byte) error {
	s.kind = first
	switch first {
	case '{':
		return s.shapeOfObject()
	case '[':
		s.shapeOfArray()
	case '"':
	default:
		return fmt.Errorf("is not a dataset: it begins with %q; want a JSON array, or one JSON object a line", first)
	}
	return nil
}

// shapeOfObject tells the first of many records from an object that holds them all.
func (s *scanner) shapeOfObject() error {
	n, complete, why := s.follow(0)
	if complete {
		if _, more := s.ahead(n); more {
			return nil // one of many
		}
	}
	all := members(s.bytes()[:n])
	switch formOf(all) {
	case aRecord:
		return nil
	case aTable:
		if why != nil {
			return fmt.Errorf("is written column by column, and %w; write one record a line (pandas: orient=\"records\", lines=True)", why)
		}
		whole, why := sound(s.bytes()[:n])
		if why != nil {
			return fmt.Errorf("is written column by column, and damaged: %w", why)
		}
		s.table = newTable(members(whole))
		return nil
	}
	if get(all, "columns") != nil && get(all, "data") != nil {
		return errors.New(`is a table as pandas writes it with orient="split"; write it with orient="records" and lines=True`)
	}
	if list := arrayOfRecords(all); list != nil {
		s.array, s.wrapped, s.kind = true, true, firstElement(list.value)[0]
		s.advance(list.at + 1)
	}
	return nil
}

// arrayOfRecords returns the member of an object that holds the records of the
// file, nil if none does: it has one of the usual names, or its first element
// is a record.
func arrayOfRecords(all []member) *member {
	for _, key := range arrayKeys {
		for i, m := range all {
			if e := firstElement(m.value); strings.EqualFold(m.key, key) && len(e) > 0 && strings.IndexByte(`{["`, e[0]) >= 0 {
				return &all[i]
			}
		}
	}
	for i, m := range all {
		if e := firstElement(m.value); len(e) > 0 && e[0] == '{' && formOf(members(e)) == aRecord {
			return &all[i]
		}
	}
	return nil
}

// shapeOfArray tells an array of records from a record that is a list of turns.
func (s *scanner) shapeOfArray() {
	at, _ := s.ahead(1)
	s.array, s.kind = true, '{'
	switch first := s.bytes()[at:]; {
	case len(first) == 0:
	case first[0] == '{':
		n, _, _ := s.follow(at)
		if formOf(members(s.bytes()[at:at+n])) == aTurn {
			s.array, s.kind = false, '['
		}
	case first[0] == '[':
		s.kind = '['
	case first[0] == '"', first[0] == ']': // a list of prompts, unless other lists follow
		s.kind = '"'
		if n, complete, _ := s.follow(0); complete {
			if next, more := s.ahead(n); more && s.bytes()[next] == '[' {
				s.array, s.kind = false, '['
			}
		}
	}
	if s.array {
		s.advance(1)
	}
}

// A form is what an object seems to be.
type form int

const (
	unknown form = iota
	aRecord
	aTurn
	aTable // of columns
)

// formOf tells what an object with these members is. A key that can hold a text
// or a list of turns holds many of them in a table: as a list, or by row numbers.
func formOf(all []member) form {
	found := unknown
	var role, said bool
	for _, m := range all {
		key := strings.ToLower(m.key)
		role = role || slices.Contains(roleKeys, key)
		said = said || slices.Contains(textKeys, key)
		var inside byte
		if e := firstElement(m.value); len(e) > 0 {
			inside = e[0]
		}
		list, prompt := slices.Contains(listKeys, key) && key != "data" && key != "items", slices.Contains(promptKeys, key)
		switch first := m.value[0]; {
		case !list && !prompt:
		case first == '"', list && (inside == '{' || inside == '"'), prompt && inside == '{', prompt && textOf(m.value) != "":
			if !(role && said) {
				return aRecord
			}
		case first == '{', list && inside == '[', prompt && first == '[':
			found = aTable
		}
	}
	switch {
	case role && said:
		return aTurn
	case found == unknown && get(all, "id") != nil:
		if turnsOf(get(all, "data"), "user").speak() || turnsOf(get(all, "items")).speak() {
			return aRecord
		}
	}
	return found
}
