package llama

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"math"
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

	// Build takes the results of one build of a file that holds several: its commit,
	// or the first characters of it that no other build has, or its number. "" takes
	// all.
	Build string

	// Mixed accepts results of several builds, machines or backends in one file.
	// Without it they are refused: their difference would pass for noise.
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

// Import reads the output of llama-bench, see ReadResults, as a run of one arm: each
// result is a trial, without block, of one metric. People get several invocations
// into one file with >>. Of a format that has the mean of the repetitions alone, the
// mean is the trial's value; its own ± is kept and never becomes the error of a
// comparison.
//
// A cell's key is the model's file name, without folder and .gguf (of a table the
// model's type and size), and the
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
		if len(results) > 0 {
			err = fmt.Errorf("%w\n%s: %d results are whole; --partial uses them and notes what was left out", err, name, len(results))
		}
		return nil, err
	}
	return importResults(name, hash.Sum(nil), results, err, opts)
}

// importResults makes a run of results; torn is what else was in their file.
func importResults(name string, sum []byte, results []Result, torn error, opts ImportOptions) (*record.Run, error) {
	im := &importer{name: name, opts: opts, models: make(map[string]*Configuration), cells: make(map[string]int), ignored: make(map[string]string), told: make(map[*Configuration]*told)}
	im.run = &record.Run{
		Schema: record.Schema,
		ID:     ImportedID + hex.EncodeToString(sum)[:12],
		Tool:   opts.Tool,
		Host:   record.Host{Hard: make(map[string]string), Soft: make(map[string]string)},
		Notes:  []string{fmt.Sprintf("%s holds raw llama-bench results: each is one trial of its own, in no block", name)},
	}
	if torn != nil {
		im.note("%s is not whole: %s", name, proc.OneLine(torn.Error(), 600))
	}
	if opts.Build != "" {
		var err error
		of := sha256.Sum256(append(sum, opts.Build...)) // two builds of one file are two measurements
		im.run.ID = ImportedID + hex.EncodeToString(of[:])[:12]
		if results, err = im.ofBuild(results); err != nil {
			return nil, err
		}
	}
	im.kinds(results)
	if err := im.identify(); err != nil {
		return nil, err
	}
	im.varying = varyingSettings(im.all)
	if err := im.addAll(results); err != nil {
		return nil, err
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

// ImportedID begins the ID of every run that was imported.
const ImportedID = "import-"

// An importer builds a run from results.
type importer struct {
	name    string
	opts    ImportOptions
	run     *record.Run
	all     []*Configuration // in order of appearance
	lines   []int            // of the first result of each
	varying map[string]bool  // settings that are not the same in all results

	models  map[string]*Configuration // first of each model's name
	cells   map[string]int            // index of each key in the run's cells
	ignored map[string]string         // values of ignored parameters
	told    map[*Configuration]*told
	repeats int // copies of results
}

// told is what all trials of one configuration have in common.
type told struct {
	line   int
	cell   string
	metric record.Metric
	echo   map[string]string
}

func (im *importer) note(format string, args ...any) {
	im.run.Notes = append(im.run.Notes, fmt.Sprintf(format, args...))
}

// kinds lists the configurations of results.
func (im *importer) kinds(results []Result) {
	for _, r := range results {
		if im.told[r.Configuration] == nil {
			im.told[r.Configuration] = &told{line: r.Line}
			im.all, im.lines = append(im.all, r.Configuration), append(im.lines, r.Line)
		}
	}
}

// addAll makes every result a trial that is no copy of another.
func (im *importer) addAll(results []Result) error {
	im.run.Trials = make([]record.Trial, 0, len(results))
	measured := make([]record.Measurement, 0, len(results)) // cut into trials
	seen := make(map[string]bool, len(results))
	var once []byte
	for _, r := range results {
		about := im.told[r.Configuration]
		if about.cell == "" {
			if err := im.describe(r.Configuration, about); err != nil {
				return fmt.Errorf("%s:%d: %w", im.name, r.Line, err)
			}
		}
		if once = r.appendPrint(once[:0], about.line); seen[string(once)] {
			im.repeats++
			continue
		}
		seen[string(once)] = true
		m := record.Measurement{Metric: about.metric.Name, Values: r.Throughput()}
		if len(r.SamplesNS) == 0 {
			m.Summary = &record.Summary{Deviation: r.Deviation}
		}
		measured = append(measured, m)
		im.add(r, about, measured[len(measured)-1:len(measured):len(measured)])
	}
	return nil
}

// appendPrint appends what no two invocations have in common.
func (r Result) appendPrint(b []byte, configuration int) []byte {
	b = binary.AppendVarint(b, r.Start.UnixNano())
	b = binary.AppendVarint(b, int64(r.Test.Prompt))
	b = binary.AppendVarint(b, int64(r.Test.Gen))
	b = binary.AppendVarint(b, int64(r.Test.Depth))
	if len(r.SamplesNS) == 0 {
		b = binary.BigEndian.AppendUint64(b, math.Float64bits(r.Mean))
		b = binary.BigEndian.AppendUint64(b, math.Float64bits(r.Deviation))
		if r.Start.IsZero() { // little tells two rows of tables apart: they are of one configuration at least
			b = binary.AppendVarint(b, int64(configuration))
		}
	}
	for _, ns := range r.SamplesNS {
		b = binary.AppendVarint(b, ns)
	}
	return b
}

// describe finds the cell of a configuration, and what its trials have in common.
func (im *importer) describe(c *Configuration, about *told) error {
	model, err := im.model(c)
	if err != nil {
		return err
	}
	params, err := im.key(c)
	if err != nil {
		return err
	}
	cell := im.cell(model, params)
	about.cell, about.metric, about.echo = cell.Key, c.Test.Metric(), c.echo()
	if _, has := cell.Metric(about.metric.Name); !has {
		cell.Metrics = append(cell.Metrics, about.metric)
	}
	return nil
}

// add makes one result a trial.
func (im *importer) add(r Result, about *told, measured []record.Measurement) {
	t := record.Trial{
		ID:           fmt.Sprintf("r%05d", len(im.run.Trials)),
		Arm:          im.run.Baseline,
		Cell:         about.cell,
		Block:        record.NoBlock,
		Order:        len(im.run.Trials),
		Start:        r.Start,
		Outcome:      record.OK,
		Measurements: measured,
		Echo:         about.echo,
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
}

// model returns the name of a configuration's model and notes it when it is new.
func (im *importer) model(c *Configuration) (string, error) {
	name := strings.TrimSuffix(baseName(c.ModelFile), ".gguf")
	if name == "" {
		name = strings.TrimSpace(c.ModelType + " " + c.ModelSize)
	}
	if name == "" {
		return "", fmt.Errorf("neither model_filename nor model_type says which model was measured")
	}
	known, ok := im.models[name]
	if !ok {
		im.models[name] = c
		im.run.Models = append(im.run.Models, c.model(name))
	} else if len(known.model(name).Compare(c.model(name))) > 0 {
		return "", fmt.Errorf("model %s is %s with %d bytes here, but %s with %d bytes on line %d; give the files different names",
			name, c.ModelType, c.ModelBytes, known.ModelType, known.ModelBytes, im.told[known].line)
	}
	return name, nil
}

// model is what a configuration says of the model it calls by that name.
func (c *Configuration) model(name string) record.Model {
	return record.Model{Name: name, Path: c.ModelFile, Bytes: c.ModelBytes, Type: c.ModelType, Parameters: c.ModelParams}
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
