package callgrind

import (
	"errors"
	"fmt"
	"hash/fnv"
	"strconv"
	"strings"
)

const (
	mostName      = 1000      // bytes that are kept of a name
	mostNames     = 1 << 17   // of functions, files and objects each
	mostNameBytes = 16 << 20  // of all names together
	unknownName   = "???"     // how callgrind writes a file or an object that it does not know
	mostNumber    = 1<<62 - 1 // of instructions
)

// A table has the names of one kind. A file gives each a number where it first uses
// it, "(12) malloc", and then writes the number alone, "(12)"; or it writes names
// in full each time.
type table struct {
	byNumber map[uint64]uint32
	byName   map[string]uint32
	names    []string
	left     *int // bytes that names may still take; shared by all tables
}

func newTable(left *int) *table {
	return &table{byNumber: make(map[uint64]uint32), byName: make(map[string]uint32), left: left}
}

// find returns the place of what a file wrote for a name.
func (t *table) find(spec []byte) (uint32, error) {
	number, name, compressed := cutNumber(spec)
	if !compressed {
		return t.add(name)
	}
	place, known := t.byNumber[number]
	if len(name) == 0 {
		if !known {
			return 0, fmt.Errorf("(%d) stands for a name that the file has not told yet", number)
		}
		return place, nil
	}
	if known { // parts of a file repeat what they name
		if t.names[place] != clipped(name) {
			return 0, fmt.Errorf("(%d) is the name %.60q now and was %.60q", number, name, t.names[place])
		}
		return place, nil
	}
	if len(t.byNumber) >= mostNames {
		return 0, fmt.Errorf("more than %d names", mostNames)
	}
	place, err := t.add(name)
	if err == nil {
		t.byNumber[number] = place
	}
	return place, err
}

// add returns the place of a name, new or not.
func (t *table) add(name []byte) (uint32, error) {
	if place, ok := t.byName[string(name)]; ok && len(name) <= mostName {
		return place, nil
	}
	kept := clipped(name)
	if place, ok := t.byName[kept]; ok {
		return place, nil
	}
	if *t.left -= len(kept); *t.left < 0 || len(t.names) >= mostNames {
		return 0, fmt.Errorf("more than %d names, or %d MiB of them", mostNames, mostNameBytes>>20)
	}
	place := uint32(len(t.names))
	t.names = append(t.names, kept)
	t.byName[kept] = place
	return place, nil
}

// cutNumber splits "(12) malloc" and "(12)". A name in brackets, such as "(below
// main)", has no number.
func cutNumber(spec []byte) (number uint64, name []byte, compressed bool) {
	if len(spec) < 3 || spec[0] != '(' {
		return 0, spec, false
	}
	end := 1
	for end < len(spec) && spec[end] >= '0' && spec[end] <= '9' {
		end++
	}
	if end == 1 || end == len(spec) || spec[end] != ')' {
		return 0, spec, false
	}
	number, err := strconv.ParseUint(string(spec[1:end]), 10, 64)
	if err != nil {
		return 0, spec, false
	}
	name = spec[end+1:]
	for len(name) > 0 && name[0] == ' ' {
		name = name[1:]
	}
	return number, name, true
}

// clipped is a name as it is kept: valid UTF-8, and of a longer one its beginning
// and a checksum, so that two of one beginning stay two.
func clipped(name []byte) string {
	text := strings.ToValidUTF8(string(name), "\uFFFD")
	if len(text) <= mostName {
		return text
	}
	sum := fnv.New32a()
	sum.Write(name)
	return strings.ToValidUTF8(text[:mostName-12], "") + fmt.Sprintf("...%08x", sum.Sum32())
}

// name is that at a place, "" where callgrind does not know it.
func (t *table) name(place uint32) string {
	if n := t.names[place]; n != unknownName {
		return n
	}
	return ""
}

// errNumber is the error of a number that is none.
var errNumber = errors.New("is not a number")

// number reads a decimal or hexadecimal number as the format has it, without sign.
func number(word []byte) (int64, error) {
	if len(word) > 2 && word[0] == '0' && word[1] == 'x' {
		n, err := strconv.ParseUint(string(word[2:]), 16, 64)
		if err != nil || n > mostNumber {
			return 0, errNumber
		}
		return int64(n), nil
	}
	if len(word) == 0 || len(word) > 19 {
		return 0, errNumber
	}
	var n int64
	for _, c := range word {
		if c < '0' || c > '9' {
			return 0, errNumber
		}
		n = n*10 + int64(c-'0')
		if n > mostNumber || n < 0 {
			return 0, errNumber
		}
	}
	return n, nil
}
