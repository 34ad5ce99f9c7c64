package llama

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// benchTable is the table that llama-bench -o sql fills.
const benchTable = "llama_bench"

var (
	insertInto  = regexp.MustCompile(`(?i)^INSERT INTO ["'\x60\[]?(\w+)["'\x60\]]?\s*(?:\(([^()]*)\)\s*)?VALUES\s*\(`)
	createTable = regexp.MustCompile(`(?i)^CREATE TABLE (?:IF NOT EXISTS )?["'\x60\[]?(\w+)["'\x60\]]?\s*\((.*)$`)
	passed      = regexp.MustCompile(`(?i)^(?:PRAGMA foreign_keys ?= ?\w+|BEGIN(?: TRANSACTION)?|COMMIT);$`) // of a dump by sqlite3
)

// isStatement reports whether a line begins a statement of SQL that llama-bench or
// a dump of its database has.
func isStatement(line []byte) bool {
	for _, word := range []string{"INSERT INTO ", "CREATE TABLE ", "PRAGMA ", "BEGIN", "COMMIT"} {
		if len(line) >= len(word) && bytes.EqualFold(line[:len(word)], []byte(word)) {
			return true
		}
	}
	return false
}

// statement reads one statement. Nothing is ever executed: only the texts and
// numbers of rows are read.
func (r *rows) statement(line []byte, at int) error {
	text := string(line)
	if passed.MatchString(text) {
		return nil
	}
	if m := createTable.FindStringSubmatch(text); m != nil {
		r.created, r.schema = nil, true
		if !strings.EqualFold(m[1], benchTable) {
			r.schema = false
			return fmt.Errorf("a table %s, which is none of llama-bench", m[1])
		}
		if m[2] == "" {
			return nil
		}
		return r.column([]byte(m[2]))
	}
	m := insertInto.FindStringSubmatch(text)
	if m == nil {
		return fmt.Errorf("not a statement of llama-bench -o sql: %.60q", text)
	}
	if !strings.EqualFold(m[1], benchTable) {
		return fmt.Errorf("a row of the table %s, which is none of llama-bench", m[1])
	}
	columns := r.created
	if m[2] != "" {
		columns = nil
		for name := range strings.SplitSeq(m[2], ",") {
			columns = append(columns, strings.Trim(name, " \t\"`[]"))
		}
	}
	if columns == nil {
		return errors.New("a row without the names of its columns, and no CREATE TABLE before it")
	}
	values, err := sqlValues(text[len(m[0]):])
	if err != nil {
		return err
	}
	if len(values) != len(columns) {
		return fmt.Errorf("a row of %d values for %d columns", len(values), len(columns))
	}
	return r.add(columns, values, at)
}

var columnName = regexp.MustCompile(`^\s*["'\x60\[]?([A-Za-z_]\w*)["'\x60\]]?(?:\s+[A-Za-z]+)?\s*$`)

// column reads a line of CREATE TABLE: names of columns, or its end.
func (r *rows) column(line []byte) error {
	text, closed := strings.CutSuffix(strings.TrimSpace(string(line)), ");")
	r.schema = !closed
	for part := range strings.SplitSeq(text, ",") {
		if strings.TrimSpace(part) == "" {
			continue
		}
		m := columnName.FindStringSubmatch(part)
		if m == nil || len(r.created) > maxSettings {
			r.schema, r.created = false, nil
			return fmt.Errorf("CREATE TABLE: want a name and a type, have %.60q", part)
		}
		r.created = append(r.created, m[1])
	}
	return nil
}

// sqlValues reads values up to the closing bracket: numbers, NULL, and texts in
// single quotes, in which a doubled quote is one.
func sqlValues(text string) ([]string, error) {
	var values []string
	for {
		text = strings.TrimLeft(text, " \t")
		var value string
		if strings.HasPrefix(text, "'") {
			rest := text[1:]
			for {
				end := strings.IndexByte(rest, '\'')
				if end < 0 {
					return nil, fmt.Errorf("a text without its closing quote: %w", ErrTruncated)
				}
				value += rest[:end]
				rest = rest[end+1:]
				if !strings.HasPrefix(rest, "'") {
					break
				}
				value += "'"
				rest = rest[1:]
			}
			text = strings.TrimLeft(rest, " \t")
		} else {
			end := strings.IndexAny(text, ",)")
			if end < 0 {
				return nil, fmt.Errorf("the row breaks off: %w", ErrTruncated)
			}
			if value, text = strings.TrimSpace(text[:end]), text[end:]; strings.EqualFold(value, "NULL") {
				value = ""
			} else if !point.MatchString(value) {
				return nil, fmt.Errorf("want a number or a text in quotes, have %.40q", value)
			}
		}
		values = append(values, value)
		switch {
		case strings.HasPrefix(text, ","):
			text = text[1:]
		case text == ");":
			return values, nil
		case text == "" || text == ")":
			return nil, fmt.Errorf("the row breaks off: %w", ErrTruncated)
		default:
			return nil, fmt.Errorf("want a comma or the end of the row, have %.40q", text)
		}
	}
}
