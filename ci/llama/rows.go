package llama

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// rows reads the formats that have a row for each result and one figure for its
// repetitions, their mean: md, csv and sql. One line is one row.
type rows struct {
	found *findings
	known map[string]*Configuration // by all fields but time and figures
	same  []byte                    // those fields of the row that is being read

	csv     *heading // that holds, nil outside of csv
	table   *heading // of the table that is being read
	foreign bool     // the table is somebody else's, which was said
	created []string // columns of the table of a dump
	schema  bool     // between CREATE TABLE and its end
	unbuilt int      // index of the first result of tables whose build no line has said
	ofBuild map[buildOf]*Configuration
}

// A heading says what stands in which column.
type heading struct {
	columns   []string // by llama-bench's own names of fields; "" for none that is read
	separator byte     // of csv
}

// buildOf is a row of a table, and the build that the line after it says.
type buildOf struct {
	row    *Configuration
	commit string
	number int
}

func newRows(found *findings) *rows {
	return &rows{found: found, known: make(map[string]*Configuration), ofBuild: make(map[buildOf]*Configuration)}
}

// buildLine is what llama-bench prints after its table.
var buildLine = regexp.MustCompile(`^build: (\S{1,64}) \((\d{1,9})\)$`)

// read reads a line without blanks around it, and reports whether it is one of
// these formats.
func (r *rows) read(line []byte, at int) (taken bool, err error) {
	fail := func(err error) (bool, error) {
		if err != nil {
			err = &lineError{at, err}
		}
		return true, err
	}
	if line[0] != '|' {
		r.table, r.foreign = nil, false
	}
	switch {
	case r.schema:
		return fail(r.column(line))
	case line[0] == '{' || line[0] == '[' || line[0] == ']' || line[0] == ',':
		r.csv = nil
		return false, nil
	case line[0] == '|':
		return fail(r.tableRow(line, at))
	case bytes.HasPrefix(line, []byte("```")) || bytes.HasPrefix(line, []byte("~~~")):
		return true, nil
	case isStatement(line):
		return fail(r.statement(line, at))
	}
	if m := buildLine.FindSubmatch(line); m != nil {
		r.built(string(m[1]), atoi(string(m[2])))
		return true, nil
	}
	if h := csvHeading(line); h != nil {
		r.csv = h
		return fail(h.check())
	}
	if r.csv != nil && bytes.IndexByte(line, r.csv.separator) >= 0 {
		return fail(r.csvRow(line, at))
	}
	return false, nil
}

// end is called at the end of the file.
func (r *rows) end(line int) {
	if r.schema {
		r.found.fault(&lineError{line, fmt.Errorf("CREATE TABLE is not closed: %w", ErrTruncated)})
	}
}

// built says of which build the tables before are.
func (r *rows) built(commit string, number int) {
	results := r.found.results
	for i := r.unbuilt; i < len(results); i++ {
		c := results[i].Configuration
		if results[i].Mean == 0 || c.ModelSize == "" || c.BuildCommit != "" {
			continue // no row of a table
		}
		key := buildOf{c, commit, number}
		if r.ofBuild[key] == nil {
			copied := *c
			copied.BuildCommit, copied.BuildNumber = commit, number
			r.ofBuild[key] = &copied
		}
		results[i].Configuration = r.ofBuild[key]
	}
	r.unbuilt = len(results)
}

// add makes a row of fields a result.
func (r *rows) add(columns, values []string, at int) error {
	r.same = r.same[:0]
	row := make(map[string]any, 3)
	for i, name := range columns {
		switch {
		case name == "test_time" || name == "avg_ts" || name == "stddev_ts":
			row[name] = values[i]
		case name != "" && !slices.Contains(computed, name):
			r.same = append(append(append(append(r.same, name...), '='), values[i]...), 0)
		}
	}
	d := fieldDecoder{fields: row}
	result := Result{Start: d.time("test_time"), Mean: d.rate("avg_ts"), Deviation: d.deviation("stddev_ts")}
	if result.Configuration = r.known[string(r.same)]; result.Configuration == nil {
		d.fields = make(map[string]any, len(columns))
		for i, name := range columns {
			if _, twice := d.fields[name]; twice && d.err == nil {
				d.err = fmt.Errorf("%s stands in two columns", name)
			}
			if name != "" {
				d.fields[name] = values[i]
			}
		}
		size := d.text("model_size_text")
		result.Configuration = d.configuration()
		result.ModelSize = size
		result.Settings = d.rest()
		if d.err == nil && len(r.known) < mostKnown {
			r.known[string(r.same)] = result.Configuration
		}
	}
	if d.err == nil {
		r.found.add(result, at)
	}
	return d.err
}

// rate reads tokens per second, without which a row is worthless.
func (d *fieldDecoder) rate(name string) float64 {
	text, _ := scalar(d.take(name))
	x, err := decimal(text)
	switch {
	case err != nil && d.err == nil:
		d.err = fmt.Errorf("%s: %w", name, err)
	case err == nil && !(x > 0 && x < 1e15):
		d.fail(name, "tokens per second greater than 0", d.fields[name])
	}
	return x
}

// deviation reads a standard deviation, 0 where there is none that can be read.
func (d *fieldDecoder) deviation(name string) float64 {
	text, _ := scalar(d.take(name))
	x, err := decimal(text)
	if err != nil || !(x >= 0 && x < 1e15) {
		return 0
	}
	return x
}

var (
	point     = regexp.MustCompile(`^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?$`)
	commaText = regexp.MustCompile(`^[+-]?\d[\d., '’\x{a0}\x{202f}]*$`)
)

// decimal reads a number with a decimal point, and no other form.
func decimal(text string) (float64, error) {
	text = strings.TrimSpace(text)
	if point.MatchString(text) {
		return strconv.ParseFloat(text, 64)
	}
	if commaText.MatchString(text) && strings.ContainsAny(text, ",'’ ") {
		return 0, fmt.Errorf("%q has a comma or groups of digits, which are read in several ways: write numbers as llama-bench does, 1234.56", text)
	}
	return 0, fmt.Errorf("want a number, have %.40q", text)
}

// check refuses a heading without what a result needs.
func (h *heading) check() error {
	var missing []string
	for _, name := range []string{"n_prompt", "n_gen", "avg_ts"} {
		if !slices.Contains(h.columns, name) {
			missing = append(missing, name)
		}
	}
	if missing != nil {
		return fmt.Errorf("a heading without %s: no csv of llama-bench", strings.Join(missing, ", "))
	}
	return nil
}

// csvHeading reads the first line of csv, nil where the line is none.
func csvHeading(line []byte) *heading {
	begins := bytes.HasPrefix(bytes.TrimPrefix(line, []byte(`"`)), []byte("build_commit"))
	if !begins && (!bytes.Contains(line, []byte("avg_ts")) || !bytes.Contains(line, []byte("n_gen"))) {
		return nil
	}
	h := &heading{separator: ','}
	for _, b := range []byte{';', '\t'} {
		if bytes.Count(line, []byte{b}) > bytes.Count(line, []byte{h.separator}) {
			h.separator = b
		}
	}
	var err error
	if h.columns, err = splitCSV(string(line), h.separator); err != nil {
		return nil
	}
	return h
}

func (r *rows) csvRow(line []byte, at int) error {
	values, err := splitCSV(string(line), r.csv.separator)
	if err != nil {
		return err
	}
	if len(values) != len(r.csv.columns) {
		why := ""
		if len(values) > len(r.csv.columns) && r.csv.separator == ',' {
			why = "; a decimal comma makes two fields of a number"
		}
		return fmt.Errorf("a row of %d fields under a heading of %d%s: %w", len(values), len(r.csv.columns), why, ErrTruncated)
	}
	return r.add(r.csv.columns, values, at)
}

// splitCSV splits a line at its separators; a text in double quotes may hold them,
// and doubled quotes (RFC 4180).
func splitCSV(line string, separator byte) ([]string, error) {
	var values []string
	for {
		var value string
		if strings.HasPrefix(line, `"`) {
			rest := line[1:]
			for {
				end := strings.IndexByte(rest, '"')
				if end < 0 {
					return nil, fmt.Errorf("a text without its closing quote: %w", ErrTruncated)
				}
				value += rest[:end]
				rest = rest[end+1:]
				if !strings.HasPrefix(rest, `"`) {
					break
				}
				value += `"`
				rest = rest[1:]
			}
			if line = rest; line != "" && line[0] != separator {
				return nil, errors.New("a closing quote in the middle of a field")
			}
		} else {
			end := strings.IndexByte(line, separator)
			if end < 0 {
				end = len(line)
			}
			value, line = line[:end], line[end:]
		}
		values = append(values, strings.TrimSpace(value))
		if line == "" {
			return values, nil
		}
		line = line[1:]
	}
}
