package llama

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"time"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"

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
	Line        int // of its file, from 1, on which it begins
	BuildCommit string
	BuildNumber int
	CPU, GPU    string
	Backends    string
	ModelFile   string // as given to llama-bench
	ModelType   string // "llama 1B Q4_K - Medium"
	ModelBytes  int64
	ModelParams int64 // number of weights
	Test        record.Test
	Start       time.Time // before the warm-up, whole seconds; zero when not printed
	SamplesNS   []int64   // wall nanoseconds of each repetition in measured order, > 0, at least one

	// Settings holds every other field with a single value, under llama-bench's
	// own name and as it printed it: "n_threads": "2", "flash_attn": "true".
	Settings map[string]string
}

// Throughput returns tokens per second of each repetition, in measured order.
// It is computed from SamplesNS: llama-bench prints its own with six digits.
func (r Result) Throughput() []float64 {
	ts := make([]float64, len(r.SamplesNS))
	for i, ns := range r.SamplesNS {
		ts[i] = 1e9 * float64(r.Test.Tokens()) / float64(ns)
	}
	return ts
}

// ReadResults reads the output of llama-bench -o json or -o jsonl, of any
// build since mid-2024; it tells the formats apart by the content. A byte order
// mark is accepted, UTF-16 after one too (PowerShell's > writes that). Fields
// that builds added, dropped or retyped are accepted either way.
//
// name is used in messages, which all begin "name:line:". An error does not
// take back what was read: the results are those that are whole, wherever
// they stand, and the error, joined from up to ten, says what else there was. It
// matches ErrTruncated if the output ends early. A file without any result is an
// error. The averages that llama-bench computes are not read: stddev_ns
// overflows, and the rest follows from the samples.
func ReadResults(r io.Reader, name string) ([]Result, error) {
	return readResults(r, name, fileLimits)
}

func readResults(r io.Reader, name string, most limits) ([]Result, error) {
	limited := &io.LimitedReader{R: r, N: most.bytes + 1}
	decoded := transform.NewReader(limited, unicode.BOMOverride(transform.Nop))
	in := &objects{in: bufio.NewReaderSize(decoded, 64<<10), line: 1, maxObject: most.object}
	found := &findings{name: name}
	if begin, _ := in.in.Peek(512); bytes.IndexByte(begin, 0) >= 0 {
		return nil, found.stop(errors.New("a binary file, and no output of llama-bench -o jsonl"))
	}
	for {
		result, line, err := in.nextResult()
		var misplaced *lineError
		switch {
		case limited.N == 0:
			return found.results, found.stop(fmt.Errorf("larger than %d MiB; split it", most.bytes>>20))
		case err == io.EOF:
			return found.results, found.end()
		case errors.As(err, &misplaced):
			found.fault(misplaced)
		case err != nil:
			return found.results, found.stop(err)
		case len(found.results) == most.results:
			return found.results, found.stop(fmt.Errorf("more than %d results; split it", most.results))
		default:
			result.Line = line
			found.results = append(found.results, result)
		}
	}
}

// nextResult is next, decoded.
func (o *objects) nextResult() (Result, int, error) {
	object, line, err := o.next()
	if err != nil {
		return Result{}, 0, err
	}
	result, err := decodeResult(object)
	if err != nil {
		return Result{}, 0, &lineError{line + offsetLines(object, err), err}
	}
	return result, line, nil
}

// findings are the results of a file, and what else was in it.
type findings struct {
	name    string
	results []Result
	errs    []error // placed; at most maxLineErrors, and one more that marks a truncation
	faults  int     // of which errs holds the first
}

func (f *findings) fault(err *lineError) {
	f.faults++
	if len(f.errs) < maxLineErrors || len(f.errs) == maxLineErrors && errors.Is(err, ErrTruncated) {
		f.errs = append(f.errs, fmt.Errorf("%s:%d: %w", f.name, err.line, err.err))
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
	d := fieldDecoder{fields: fields}
	r := Result{
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
		Start:     d.time("test_time"),
		SamplesNS: d.samples("samples_ns"),
	}
	if d.err == nil && r.Test.Tokens() == 0 {
		d.err = errors.New("not a llama-bench result: n_prompt and n_gen are both 0 or missing")
	}
	r.Settings = d.rest()
	return r, d.err
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
