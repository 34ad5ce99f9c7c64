package llama

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/llama-regress/llama-regress/ci/internal/proc"
	"github.com/llama-regress/llama-regress/ci/record"
)

// ImportOptions say how to read a raw file. The zero value is strict.
type ImportOptions struct {
	// Arm is the name of the only arm; "" is the file's name without ending.
	Arm string

	// Ignore names parameters that do not tell cells apart, so that files
	// which differ in them on purpose can be compared: "threads", or a setting
	// by llama-bench's name. Within one file an ignored parameter must not vary:
	// it becomes one of the arm, so that reports tell where two files differ in it.
	Ignore []string

	// Mixed accepts results of several builds or machines in one file. Without
	// it they are refused: their difference would pass for noise.
	Mixed bool

	// Partial keeps the whole results of a file that also holds other text or
	// breaks off, and notes what was left out. Without it such a file is refused.
	Partial bool

	Tool record.Tool // who reads
}

// ImportFile imports the file at path; see Import.
func ImportFile(path string, opts ImportOptions) (*record.Run, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return Import(path, f, opts)
}

// Import reads the output of llama-bench -o json or -o jsonl as a run of one
// arm: each object is a trial, without block, of one metric. People get
// several invocations into one file with >>.
//
// A cell's key is the model's file name, without folder and .gguf, and the
// parameters that differ from record.Params' defaults, normalised over builds;
// threads are always in it. Builds that do not report a parameter thus match
// those that report its default. Settings that are no parameter of ours are in
// the key where they are known to matter and not at their default, or vary
// within the file. Machine and build are what llama-bench says; the run's ID
// is derived from the content.
func Import(name string, r io.Reader, opts ImportOptions) (*record.Run, error) {
	hash := sha256.New()
	results, err := ReadResults(io.TeeReader(r, hash), name)
	if err != nil && !(opts.Partial && len(results) > 0) {
		return nil, err
	}
	im := &importer{name: name, opts: opts, models: make(map[string]Result), cells: make(map[string]int), tests: make(map[[2]string]bool), ignored: make(map[string]string)}
	im.run = &record.Run{
		Schema: record.Schema,
		ID:     "import-" + hex.EncodeToString(hash.Sum(nil))[:12],
		Tool:   opts.Tool,
		Host:   record.Host{Hard: make(map[string]string), Soft: make(map[string]string)},
		Notes:  []string{fmt.Sprintf("%s holds raw llama-bench results: each is one trial of its own, in no block", name)},
	}
	if err != nil {
		im.note("%s is not whole: %s", name, proc.OneLine(err.Error(), 600))
	}
	if err := im.identify(results); err != nil {
		return nil, err
	}
	varying := varyingSettings(results)
	seen := make(map[string]bool, len(results))
	for _, result := range results {
		if once := fmt.Sprint(result.Start, result.SamplesNS, result.Test); seen[once] {
			im.repeats++
			continue
		} else {
			seen[once] = true
		}
		if err := im.add(result, varying); err != nil {
			return nil, fmt.Errorf("%s:%d: %w", name, result.Line, err)
		}
	}
	for name, value := range im.ignored {
		if arm := &im.run.Arms[0]; value != "" {
			if arm.Params == nil {
				arm.Params = make(map[string]string)
			}
			arm.Params[name] = value
		}
	}
	if im.repeats > 0 {
		im.note("%d results have the time and the samples of an earlier one: they are copies and left out", im.repeats)
	}
	im.run.Plan.Trials = len(im.run.Trials)
	if err := im.run.Validate(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return im.run, nil
}

// An importer builds a run from results.
type importer struct {
	name    string
	opts    ImportOptions
	run     *record.Run
	models  map[string]Result  // first result of each model's name
	cells   map[string]int     // index of each key in the run's cells
	tests   map[[2]string]bool // that a cell has as a metric, by its key and name
	ignored map[string]string  // values of ignored parameters
	repeats int                // copies of results
}

func (im *importer) note(format string, args ...any) {
	im.run.Notes = append(im.run.Notes, fmt.Sprintf(format, args...))
}

// add makes one result a trial.
func (im *importer) add(r Result, varying map[string]bool) error {
	model, err := im.model(r)
	if err != nil {
		return err
	}
	params, err := im.key(r, varying)
	if err != nil {
		return err
	}
	cell := im.cell(model, params)
	metric := r.Test.Metric()
	if test := [2]string{cell.Key, metric.Name}; !im.tests[test] {
		im.tests[test] = true
		cell.Metrics = append(cell.Metrics, metric)
	}
	t := record.Trial{
		ID:           fmt.Sprintf("r%05d", len(im.run.Trials)),
		Arm:          im.run.Baseline,
		Cell:         cell.Key,
		Block:        record.NoBlock,
		Order:        len(im.run.Trials),
		Start:        r.Start,
		Outcome:      record.OK,
		Measurements: []record.Measurement{{Metric: metric.Name, Values: r.Throughput()}},
		Echo:         r.echo(),
	}
	for _, ns := range r.SamplesNS {
		t.Seconds += float64(ns) / 1e9 // warm-up and loading are not in the file
	}
	end := t.Start.Add(time.Duration(t.Seconds * float64(time.Second)))
	if !t.Start.IsZero() && (im.run.Started.IsZero() || t.Start.Before(im.run.Started)) {
		im.run.Started = t.Start
	}
	if !t.Start.IsZero() && end.After(im.run.Finished) {
		im.run.Finished = end
	}
	im.run.Trials = append(im.run.Trials, t)
	return nil
}

// model returns the name of a result's model and notes it when it is new.
func (im *importer) model(r Result) (string, error) {
	name := strings.TrimSuffix(baseName(r.ModelFile), ".gguf")
	if name == "" {
		name = r.ModelType
	}
	if name == "" {
		return "", fmt.Errorf("neither model_filename nor model_type says which model was measured")
	}
	known, ok := im.models[name]
	if !ok {
		im.models[name] = r
		im.run.Models = append(im.run.Models, r.model(name))
	} else if len(known.model(name).Compare(r.model(name))) > 0 {
		return "", fmt.Errorf("model %s is %s with %d bytes here, but %s with %d bytes on line %d; give the files different names",
			name, r.ModelType, r.ModelBytes, known.ModelType, known.ModelBytes, known.Line)
	}
	return name, nil
}

// model is what the result says of the model it calls by that name.
func (r Result) model(name string) record.Model {
	return record.Model{Name: name, Path: r.ModelFile, Bytes: r.ModelBytes, Type: r.ModelType, Parameters: r.ModelParams}
}

// cell finds or makes the cell.
func (im *importer) cell(model string, params map[string]string) *record.Cell {
	key := record.CellKey(record.BenchWorkload, model, params)
	i, ok := im.cells[key]
	if !ok {
		i = len(im.run.Cells)
		im.cells[key] = i
		im.run.Cells = append(im.run.Cells, record.Cell{Key: key, Workload: record.BenchWorkload, Model: model, Params: params})
	}
	return &im.run.Cells[i]
}
