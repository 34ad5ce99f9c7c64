package sharegpt

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// A table is a file that is one object of columns: {"prompt": ["a", "b"]}, or by
// row numbers as pandas has it, {"prompt": {"0": "a", "1": "b"}}. Its rows are read
// by going along all columns at once.
type table struct {
	columns []column
	row     []byte // the current one, written as a record
}

type column struct {
	key     string
	rest    []byte // what of it is not read
	numbers bool   // its values have row numbers
}

// newTable takes the columns that a record can use.
func newTable(all []member) *table {
	t := new(table)
	for _, m := range all {
		key := strings.ToLower(m.key)
		if key != "id" && !slices.Contains(slices.Concat(listKeys, promptKeys, besideKeys, answerKeys), key) {
			continue
		}
		if c := m.value[0]; c == '[' || c == '{' {
			t.columns = append(t.columns, column{m.key, m.value[1:], c == '{'})
		}
	}
	return t
}

// next goes to the next row. It returns false behind the last one, and where the
// columns do not agree.
func (t *table) next() (bool, error) {
	var number []byte
	ended := 0
	t.row = append(t.row[:0], '{')
	for i := range t.columns {
		c := &t.columns[i]
		n, value := c.next()
		switch {
		case value == nil:
			ended++
			continue
		case n != nil && number == nil:
			number = n
		case n != nil && !bytes.Equal(n, number):
			return false, fmt.Errorf("is written column by column, and the columns have other rows: %s and %s; write one record a line", quoted(number), quoted(n))
		}
		t.row = fmt.Appendf(t.row, "%q:%s,", strings.ToLower(c.key), value)
	}
	switch ended {
	case len(t.columns):
		return false, nil
	case 0:
		t.row[len(t.row)-1] = '}'
		return true, nil
	}
	return false, fmt.Errorf("is written column by column, and its columns differ in length; write one record a line")
}

// next takes a value off the column, with its row number if it has one. It is nil
// behind the last.
func (c *column) next() (number, value []byte) {
	b := bytes.TrimLeft(c.rest, ", \t\r\n")
	if b[0] == ']' || b[0] == '}' {
		return nil, nil
	}
	if c.numbers {
		n, _ := valueAt(b)
		number = b[:n]
		b = bytes.TrimLeft(b[n:], ": \t\r\n")
	}
	n, _ := valueAt(b)
	c.rest = b[n:]
	return number, b[:n]
}

func quoted(b []byte) string {
	var f found
	f.add(string(textOf(b)))
	return f[0]
}
