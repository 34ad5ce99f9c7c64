package llama

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
)

// limits bound what one file may hold.
type limits struct {
	bytes   int64 // in all
	object  int   // of one result
	results int
}

// fileLimits leave room for thousands of times a real session; a result takes
// about 1 KiB.
var fileLimits = limits{bytes: 256 << 20, object: 4 << 20, results: 100_000}

const maxLineErrors = 10 // reported one by one; of the others the number

// A Result is what llama-bench prints for one test: the unit is one test of
// one process. Fields that a build does not print are empty.
type Result struct {
	Line           int // of its file, from 1, on which it begins
	*Configuration     // never nil; results that say the same share it, so it is not changed

	Start     time.Time // before the warm-up, whole seconds; zero when not printed
	SamplesNS []int64   // wall nanoseconds of each repetition in measured order, > 0; empty where Mean is all there is

	// Mean is the mean throughput of the repetitions, tok/s, > 0, where the format has
	// no more than that (csv, sql, md); else 0. Deviation is their standard deviation,
	// tok/s, as printed beside it; 0 for not known.
	Mean, Deviation float64
}

// A Configuration is what a result says of everything but time and figures.
type Configuration struct {
	BuildCommit string
	BuildNumber int
	CPU, GPU    string
	Backends    string
	ModelFile   string // as given to llama-bench; "" in a table
	ModelType   string // "llama 1B Q4_K - Medium"
	ModelSize   string // rounded, "3.56 GiB", as only tables print it
	ModelBytes  int64
	ModelParams int64 // number of weights
	Test        record.Test

	// Settings holds every other field with a single value, under llama-bench's
	// own name and as it printed it: "n_threads": "2", "flash_attn": "true".
	Settings map[string]string
}

// Throughput returns tokens per second of each repetition, in measured order, or
// their mean alone where that is all there is. It is computed from SamplesNS:
// llama-bench prints its own with six digits.
func (r Result) Throughput() []float64 {
	if len(r.SamplesNS) == 0 {
		return []float64{r.Mean}
	}
	ts := make([]float64, len(r.SamplesNS))
	for i, ns := range r.SamplesNS {
		ts[i] = 1e9 * float64(r.Test.Tokens()) / float64(ns)
	}
	return ts
}

// ReadResults reads the output of llama-bench in each of its formats, of any build
// since mid-2024: json, jsonl, csv, sql and md, and a dump of a database of them by
// sqlite3. It tells the formats apart by the content, line by line. A byte order
// mark is accepted anywhere, UTF-16 too (PowerShell's > writes that), marks of
// quoted text and fences around tables, and the time stamps of a CI log. Fields
// that builds added, dropped or retyped are accepted either way.
//
// name is used in messages, which all begin "name:line:". An error does not
// take back what was read: the results are those that are whole, wherever
// they stand, and the error, joined from up to ten, says what else there was. It
// matches ErrTruncated if the output ends early. A file without any result is an
// error. The averages that llama-bench prints beside samples are not read: stddev_ns
// overflows, and the rest follows from the samples.
func ReadResults(r io.Reader, name string) ([]Result, error) {
	return readResults(r, name, fileLimits)
}

func readResults(r io.Reader, name string, most limits) ([]Result, error) {
	found := &findings{name: name}
	src, err := newSource(r, most.bytes)
	if err != nil {
		return nil, found.stop(err)
	}
	in := &objects{source: src, maxObject: most.object}
	read := &reading{objects: in, decoder: newDecoder(), rows: newRows(found), findings: found}
	for {
		err := read.next()
		var misplaced *lineError
		switch {
		case in.exhausted(most.bytes) != nil:
			return found.results, found.stop(in.exhausted(most.bytes))
		case err == io.EOF:
			read.rows.end(in.line)
			return found.results, found.end()
		case errors.As(err, &misplaced):
			found.fault(misplaced)
		case err != nil:
			return found.results, found.stop(err)
		case len(found.results) > most.results:
			found.results = found.results[:most.results]
			return found.results, found.stop(fmt.Errorf("more than %d results; split it", most.results))
		}
	}
}

// A reading is a file that is being read.
type reading struct {
	objects  *objects
	decoder  *decoder
	rows     *rows
	findings *findings
}

// next reads one result, or a line that holds none.
func (r *reading) next() error {
	in := r.objects
	in.lineStart()
	if !in.begun && in.rescued == nil {
		at := in.line
		line, whole := in.peekLine()
		switch text := bytes.TrimSpace(line); {
		case whole && len(text) == 0 && in.in.Buffered() > 0: // and not the end
			in.skipLine()
			return nil
		case whole && len(text) > 0:
			if result, ok := r.decoder.again(text); ok {
				in.skipLine()
				r.findings.add(result, at)
				return nil
			}
			if taken, err := r.rows.read(text, at); taken {
				in.skipLine()
				return err
			}
		}
	}
	object, at, err := in.next()
	switch {
	case err == errLineEnd:
		return nil
	case err != nil:
		return err
	case object == nil:
		b, err := in.read()
		if err != nil {
			return err
		}
		return in.stray(b)
	}
	result, err := r.decoder.decode(object)
	if err != nil {
		return &lineError{at + offsetLines(object, err), err}
	}
	r.findings.add(result, at)
	return nil
}

// findings are the results of a file, and what else was in it.
type findings struct {
	name    string
	row     bool // lines are rows of a database
	results []Result
	errs    []error // placed; at most maxLineErrors, and one more that marks a truncation
	faults  int     // of which errs holds the first
}

func (f *findings) add(r Result, line int) {
	r.Line = line
	f.results = append(f.results, r)
}

func (f *findings) fault(err *lineError) {
	f.faults++
	if len(f.errs) < maxLineErrors || len(f.errs) == maxLineErrors && errors.Is(err, ErrTruncated) {
		format := "%s:%d: %w"
		if f.row {
			format = "%s, row %d: %w"
		}
		f.errs = append(f.errs, fmt.Errorf(format, f.name, err.line, err.err))
	}
}

// stop is the error of a file that was not read to its end.
func (f *findings) stop(err error) error {
	return errors.Join(append(f.errs, fmt.Errorf("%s: %w", f.name, err))...)
}

// end is the error of a file that was, if there is any.
func (f *findings) end() error {
	if more := f.faults - len(f.errs); more > 0 {
		f.errs = append(f.errs, fmt.Errorf("%s: and %d more lines that are not results", f.name, more))
	}
	if len(f.errs)+len(f.results) == 0 {
		return fmt.Errorf("%s: no llama-bench result in it; run llama-bench with -o jsonl", f.name)
	}
	return errors.Join(f.errs...)
}

// decodeResult reads one object. It takes numbers in strings and whole numbers
// with a fraction of zero; what it needs and cannot read is an error.
func decodeResult(object []byte) (Result, error) {
	var fields map[string]any
	decoder := json.NewDecoder(bytes.NewReader(plainNumbers(object)))
	decoder.UseNumber()
	if err := decoder.Decode(&fields); err != nil {
		return Result{}, fmt.Errorf("not a llama-bench result: %w", err)
	}
	if what := foreign(fields); what != "" {
		return Result{}, fmt.Errorf("not a llama-bench result: %s", what)
	}
	d := fieldDecoder{fields: fields}
	r := Result{Configuration: d.configuration(), Start: d.time("test_time"), SamplesNS: d.samples("samples_ns")}
	r.Settings = d.rest()
	return r, d.err
}

// configuration reads what a result says of everything but time and figures, but
// for its settings, which are what nobody takes.
func (d *fieldDecoder) configuration() *Configuration {
	c := &Configuration{
		BuildCommit: d.text("build_commit"),
		BuildNumber: int(d.whole("build_number", math.MaxInt32)),
		CPU:         d.text("cpu_info"),
		GPU:         d.text("gpu_info"),
		Backends:    d.backends(),
		ModelFile:   d.text("model_filename"),
		ModelType:   d.text("model_type"),
		ModelBytes:  d.whole("model_size", math.MaxInt64),
		ModelParams: d.whole("model_n_params", math.MaxInt64),
		Test: record.Test{
			Prompt: int(d.whole("n_prompt", maxTokens)),
			Gen:    int(d.whole("n_gen", maxTokens)),
			Depth:  int(d.whole("n_depth", maxTokens)),
		},
	}
	if d.err == nil && c.Test.Tokens() == 0 {
		d.err = errors.New("not a llama-bench result: n_prompt and n_gen are both 0 or missing")
	}
	return c
}

// maxTokens is what the name of a test has room for.
const maxTokens = 9_999_999

// offsetLines returns on which line of the object, from 0, encoding/json failed.
func offsetLines(object []byte, err error) int {
	var syntax *json.SyntaxError
	if !errors.As(err, &syntax) {
		return 0
	}
	before := max(0, min(syntax.Offset-1, int64(len(object)))) // the offset counts the byte that is wrong
	return bytes.Count(object[:before], []byte("\n"))
}

func atoi(digits string) int {
	n, _ := strconv.Atoi(digits) // what it is given has been matched by a pattern; out of range is "unknown"
	return n
}
