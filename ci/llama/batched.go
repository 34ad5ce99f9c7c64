package llama

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/llama-regress/llama-regress/ci/device"
	"github.com/llama-regress/llama-regress/ci/internal/proc"
	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
)

// NewBatched returns what measures the batched workload with llama-batched-bench. A
// process runs every batch as often as the plan says, by a list that names each that
// often; the first of them are the warm-up.
func NewBatched(logDir string, links *Links, devices *device.Set) *Tool {
	return newTool(tool{record.BatchedWorkload, "llama-batched-bench", readBatchedHelp, batchedArgs, readBatched}, logDir, links, devices)
}

// readBatchedHelp reads the text that llama-batched-bench -h prints.
func readBatchedHelp(help string) (capabilities, bool) {
	return readOptions(help, serverOption, "-npp", "-ntg", "-npl", "-c")
}

// batchedArgs are the arguments of one process.
func batchedArgs(m *measurement) ([]string, error) {
	b, err := workOf[plan.Batch](m.cell)
	if err != nil {
		return nil, err
	}
	if !m.program.caps.has("--output-format") {
		return nil, &badArgument{"output", "jsonl", "--output-format", "this build prints nothing but a rounded table", "llama.cpp has it since build 4060: use a newer one"}
	}
	values := make(map[string]string)
	for name, value := range m.values {
		if name != record.PromptParam && name != record.GenParam && name != record.SharedParam {
			values[name] = value
		}
	}
	set, err := batchedSettings(m.program.caps, values)
	if err != nil {
		return nil, err
	}
	var batches []string
	for range m.plan.Warmup + m.plan.Repetitions {
		for _, n := range b.Sequences {
			batches = append(batches, strconv.Itoa(n))
		}
	}
	// The program ends without waiting for what its log has still to print. The last
	// result is therefore one more than is needed.
	batches = append(batches, strconv.Itoa(slices.Min(b.Sequences)))
	args := []string{
		"-m", m.cell.ModelPath, "--output-format", "jsonl", "-c", strconv.Itoa(contextOf(b)),
		"-npp", strconv.Itoa(b.Prompt), "-ntg", strconv.Itoa(b.Gen), "-npl", strings.Join(batches, ","),
	}
	if b.Shared {
		args = append(args, "-pps")
	}
	return append(args, set...), nil
}

// contextOf is the context that every batch fits into, tokens. A build divides it over
// the sequences of the largest batch and rounds each share to 256; what does not fit
// it leaves out unsaid, or crashes.
func contextOf(b plan.Batch) int {
	share := (b.Prompt + b.Gen + 255) / 256 * 256
	return share * slices.Max(b.Sequences)
}

// batchedSettings spells the parameters, whose flags are llama-server's.
func batchedSettings(c capabilities, values map[string]string) ([]string, error) {
	var args []string
	left := make(map[string]bool)
	for name := range values {
		left[name] = true
	}
	for _, s := range serverSettings {
		value, given := values[s.param]
		delete(left, s.param)
		if !given {
			continue
		}
		if param, _ := record.ParamByName(s.param); param.Check(value) != nil {
			return nil, &badArgument{s.param, value, s.flag, param.Check(value).Error(), "correct the configuration"}
		}
		spelt, ok := s.write(c, value)
		if !ok && value != s.unset {
			return nil, &badArgument{s.param, value, s.flag, "this build does not take it", setting{param: s.param, since: s.since}.remedy()}
		}
		args = append(args, spelt...)
	}
	for name := range left {
		return nil, &badArgument{name, values[name], "none", "llama-batched-bench has no such parameter", "remove it from the matrix or the arm"}
	}
	return args, nil
}

// A batchedRow is one line of --output-format jsonl.
type batchedRow struct {
	Batch       *int    `json:"n_batch"`
	Microbatch  *int    `json:"n_ubatch"`
	FlashAttn   *int    `json:"flash_attn"`
	Layers      *int    `json:"n_gpu_layers"`
	Threads     *int    `json:"n_threads"`
	Shared      *int    `json:"is_pp_shared"`
	Prompt      int     `json:"pp"`
	Gen         int     `json:"tg"`
	Sequences   int     `json:"pl"`
	PromptSpeed float64 `json:"speed_pp"` // tok/s
	GenSpeed    float64 `json:"speed_tg"`
	Speed       float64 `json:"speed"`
	Seconds     float64 `json:"t"`
}

// mostBatchedRows bounds what is read.
const mostBatchedRows = 100_000

// readBatched reads what llama-batched-bench printed.
func readBatched(m *measurement, stdout []byte) (toolOutput, error) {
	b, err := workOf[plan.Batch](m.cell)
	if err != nil {
		return toolOutput{}, err
	}
	rows, faulty := batchedRows(stdout)
	out := toolOutput{}
	values := make(map[int]*[3][]float64) // pp, tg and total, by sequences
	for _, n := range b.Sequences {
		values[n] = new([3][]float64)
	}
	for _, r := range rows {
		if r.Prompt != b.Prompt || r.Gen != b.Gen || values[r.Sequences] == nil {
			return out, fmt.Errorf("a batch of npp %d, ntg %d, npl %d was not asked for; is the program a wrapper that adds arguments?", r.Prompt, r.Gen, r.Sequences)
		}
		if r.Shared != nil && (*r.Shared != 0) != b.Shared {
			return out, fmt.Errorf("is_pp_shared is %d, asked for %v; is the program a wrapper that passes other arguments?", *r.Shared, b.Shared)
		}
		for i, v := range []float64{r.PromptSpeed, r.GenSpeed, r.Speed} {
			values[r.Sequences][i] = append(values[r.Sequences][i], v)
		}
		out.took += time.Duration(math.Min(r.Seconds, 1e6) * float64(time.Second))
		out.echo = r.echo()
	}
	runs := m.plan.Warmup + m.plan.Repetitions
	for _, n := range b.Sequences {
		if n == slices.Min(b.Sequences) { // the one more
			for i, got := range values[n] {
				values[n][i] = got[:min(len(got), max(runs, len(got)-1))]
			}
		}
		for i, metric := range record.BatchedMetrics(n) {
			if got := values[n][i]; len(got) > m.plan.Warmup {
				out.measurements = append(out.measurements, record.Measurement{Metric: metric.Name, Values: got[m.plan.Warmup:], Warmup: got[:m.plan.Warmup:m.plan.Warmup]})
			}
		}
		switch got := len(values[n][0]); {
		case got > runs && faulty == nil:
			faulty = fmt.Errorf("batches of %d sequences are there %d times, asked for %d; is the program a wrapper that adds arguments?", n, got, runs)
		case got < runs && out.lost == "":
			out.lost = fmt.Sprintf("batches of %d sequences are there %d times, asked for %d", n, got, runs)
		}
	}
	if m.failure != nil || faulty != nil {
		return out, faulty
	}
	for name, got := range out.echo {
		if asked, set := m.values[name]; set && asked != got {
			m.fail(record.ParametersDiffer, "ran with %s=%s, asked for %s; ask for what this build and machine can do", name, got, asked)
		}
	}
	return out, nil
}

// batchedRows reads lines of JSON. The error says what is wrong with the first line
// that is none; those before it are whole.
func batchedRows(stdout []byte) (rows []batchedRow, err error) {
	number := 0
	for line := range bytes.Lines(stdout) {
		number++
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		var r batchedRow
		switch err := json.Unmarshal(line, &r); {
		case line[0] != '{':
			return rows, fmt.Errorf("line %d is no result: %s", number, proc.Shorten(proc.OneLine(string(line), 200), 80))
		case err != nil && !bytes.HasSuffix(line, []byte("}")):
			return rows, fmt.Errorf("line %d is cut off", number)
		case err != nil:
			return rows, fmt.Errorf("line %d is no result of llama-batched-bench: %w", number, err)
		case !speeds(r.PromptSpeed, r.GenSpeed, r.Speed):
			return rows, fmt.Errorf("line %d: speeds of %v, %v and %v tok/s: want numbers above 0", number, r.PromptSpeed, r.GenSpeed, r.Speed)
		case len(rows) == mostBatchedRows:
			return rows, fmt.Errorf("more than %d results", mostBatchedRows)
		}
		rows = append(rows, r)
	}
	return rows, nil
}

func speeds(all ...float64) bool {
	return !slices.ContainsFunc(all, func(v float64) bool { return !(v > 0 && v < 1e15) })
}

// echo are the settings that a result reports, in our own words.
func (r batchedRow) echo() map[string]string {
	echo := make(map[string]string)
	for name, v := range map[string]*int{"batch": r.Batch, "ubatch": r.Microbatch, "threads": r.Threads} {
		if v != nil {
			echo[name] = strconv.Itoa(*v)
		}
	}
	if r.FlashAttn != nil {
		echo["flash_attn"] = readSwitch(strconv.Itoa(*r.FlashAttn))
	}
	if r.Layers != nil {
		echo["gpu_layers"] = readLayers(strconv.Itoa(*r.Layers))
	}
	return echo
}
