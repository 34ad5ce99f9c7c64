package llama

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-regress/llama-regress/ci/record"
)

// object is a minimal result; fields are added to it or replace its own.
func object(fields ...string) string {
	all := map[string]json.RawMessage{
		"build_commit": json.RawMessage(`"5aa1105d"`), "build_number": json.RawMessage(`6082`),
		"model_filename": json.RawMessage(`"models/a.gguf"`), "model_type": json.RawMessage(`"llama 1B F16"`),
		"n_threads": json.RawMessage(`2`), "n_prompt": json.RawMessage(`512`), "n_gen": json.RawMessage(`0`),
		"samples_ns": json.RawMessage(`[1000000000, 2000000000]`),
	}
	var bare []string // what json.RawMessage refuses to be
	for _, f := range fields {
		name, value, _ := strings.Cut(f, "=")
		delete(all, name)
		if value != "" {
			bare = append(bare, `"`+name+`": `+value)
		}
	}
	text, err := json.Marshal(all)
	if err != nil {
		panic(err)
	}
	return strings.TrimSuffix(string(text), "}") + strings.Join(append([]string{""}, bare...), ", ") + "}"
}

func names(results []Result) string {
	var list []string
	for _, r := range results {
		list = append(list, r.Test.Name())
	}
	return strings.Join(list, " ")
}

// What llama-bench b11669 printed for -p 64,16 -n 8 -pg 32,8 -d 0,128 -t 1,2 -r 3.
func TestReadRecorded(t *testing.T) {
	t.Parallel()
	f, err := os.Open(recorded + "matrix-jsonl.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	results, err := ReadResults(f, "matrix.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := names(results[:8]), "pp64 pp16 tg8 pp32+tg8 pp64@d128 pp16@d128 tg8@d128 pp32+tg8@d128"; got != want {
		t.Errorf("tests %s, want %s", got, want)
	}
	for i, r := range results {
		if r.Line != i+1 || len(r.SamplesNS) != 3 || r.BuildNumber != 11669 || r.BuildCommit != "Debian" ||
			r.ModelParams < 1e6 || r.ModelBytes < 1e6 || r.Backends != "CPU" || r.CPU != "AMD EPYC" || r.Start.IsZero() {
			t.Errorf("result %d: %+v", i, r)
		}
	}
	want := map[string]string{
		"threads": "1", "batch": "2048", "ubatch": "512", "flash_attn": "auto", "gpu_layers": "auto", "type_k": "f16", "type_v": "f16",
		"mmap": "auto", "poll": "50", "split_mode": "layer", "main_gpu": "0", "tensor_split": "0", "kv_offload": "on", "op_offload": "on",
		"cpu_mask": "0", "cpu_strict": "off", "n_cpu_moe": "0", "override_tensor": "none", "repack": "on", "devices": "auto",
	}
	if diff := cmp.Diff(want, results[0].Parameters()); diff != "" {
		t.Error(diff)
	}
}

// The throughput agrees with llama-bench's own to the digits that it prints.
func TestThroughput(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(recorded + "matrix-json.json")
	if err != nil {
		t.Fatal(err)
	}
	results, err := ReadResults(bytes.NewReader(data), "matrix.json")
	if err != nil || len(results) != 32 {
		t.Fatalf("%d results, %v", len(results), err)
	}
	var printed []struct {
		SamplesTS []float64 `json:"samples_ts"`
	}
	if err := json.Unmarshal(data, &printed); err != nil {
		t.Fatal(err)
	}
	for i, r := range results {
		for j, ts := range r.Throughput() {
			if own := printed[i].SamplesTS[j]; ts < own*(1-1e-5) || ts > own*(1+1e-5) {
				t.Errorf("%s[%d]: %v, llama-bench says %v", r.Test.Name(), j, ts, own)
			}
		}
	}
}

func utf16le(text string) string {
	var b bytes.Buffer
	b.WriteString("\xff\xfe")
	for _, u := range utf16.Encode([]rune(text)) {
		b.WriteByte(byte(u))
		b.WriteByte(byte(u >> 8))
	}
	return b.String()
}

func TestReadLayouts(t *testing.T) {
	t.Parallel()
	pp, tg := object(), object("n_prompt=0", "n_gen=128")
	pretty := func(text string) string {
		var b bytes.Buffer
		if err := json.Indent(&b, []byte(text), "", "  "); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	for name, text := range map[string]string{
		"jsonl":                  pp + "\n" + tg + "\n",
		"no last newline":        pp + "\n" + tg,
		"carriage returns":       pp + "\r\n" + tg + "\r\n",
		"byte order mark":        "\ufeff" + pp + "\n" + tg,
		"PowerShell":             utf16le(pp + "\r\n" + tg + "\r\n"),
		"array":                  "[" + pp + "," + tg + "]",
		"array of lines":         "[\n" + pp + ",\n" + tg + "\n]\n",
		"pretty array":           pretty("[" + pp + "," + tg + "]"),
		"pretty objects":         pretty(pp) + "\n" + pretty(tg),
		"arrays joined with cat": "[\n" + pp + "\n]\n[\n" + tg + "\n]\n",
		"blank lines":            "\n\n" + pp + "\n\n\n" + tg + "\n\n",
		"nan":                    object("stddev_ts=-nan", "avg_ts=nan") + "\n" + object("n_prompt=0", "n_gen=128", "stddev_ts=-nan(ind)", "avg_ts=inf"),
		"braces in strings":      object(`cpu_info="a } { \" nan \\"`) + "\n" + tg,
	} {
		results, err := ReadResults(strings.NewReader(text), "f")
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := names(results); got != "pp512 tg128" {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestReadEras(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		fields []string
		param  string
		want   string // "" for absent
	}{
		{[]string{"flash_attn=true"}, "flash_attn", "on"},
		{[]string{"flash_attn=false"}, "flash_attn", "off"},
		{[]string{"flash_attn=1"}, "flash_attn", "on"},
		{[]string{"flash_attn=-1"}, "flash_attn", "auto"},
		{[]string{`flash_attn="on"`}, "flash_attn", "on"},
		{nil, "flash_attn", ""},
		{[]string{"flash_attn=7"}, "flash_attn", "7"}, // whatever that is, it is not what was asked
		{[]string{"use_mmap=true"}, "mmap", "on"},
		{[]string{"use_mmap=false", "use_direct_io=false"}, "mmap", "off"},
		{[]string{"use_mmap=true", "use_direct_io=true"}, "mmap", "dio"},
		{[]string{`load_mode="mmap"`}, "mmap", "on"},
		{[]string{`load_mode="none"`}, "mmap", "off"},
		{[]string{`load_mode="mlock"`}, "mmap", "mlock"},
		{[]string{`load_mode="none"`, "use_mmap=true"}, "mmap", "off"}, // the newer field counts
		{[]string{"no_op_offload=0"}, "op_offload", "on"},
		{[]string{"no_op_offload=true"}, "op_offload", "off"},
		{[]string{"no_kv_offload=false"}, "kv_offload", "on"},
		{[]string{"n_gpu_layers=-1"}, "gpu_layers", "auto"},
		{[]string{"n_gpu_layers=99"}, "gpu_layers", "99"},
		{[]string{`tensor_split="0.00"`}, "tensor_split", "0"},
		{[]string{`tensor_split="3.00/1.00/0.00"`}, "tensor_split", "3/1"},
		{[]string{`tensor_split="0.33/0.67"`}, "tensor_split", "0.33/0.67"},
		{[]string{`tensor_split="10.00"`}, "tensor_split", "10"},
		{[]string{`cpu_mask="0x0"`}, "cpu_mask", "0"},
		{[]string{`cpu_mask="0x00FF"`}, "cpu_mask", "ff"},
		{[]string{"cpu_strict=true"}, "cpu_strict", "on"},
		{[]string{`n_threads="4"`}, "threads", "4"},
	} {
		results, err := ReadResults(strings.NewReader(object(c.fields...)), "f")
		if err != nil {
			t.Fatal(err)
		}
		if got := results[0].Parameters()[c.param]; got != c.want {
			t.Errorf("%v: %s is %q, want %q", c.fields, c.param, got, c.want)
		}
	}
	for want, fields := range map[string][]string{
		"CUDA":      {`backends="CUDA"`, "cuda=false"},
		"CUDA,BLAS": {"cuda=true", "vulkan=false", "gpu_blas=false", "blas=true", `rpc=""`},
		"RPC":       {"cuda=false", `rpc="host:50052"`, "blas=false"},
		"CPU":       {"cuda=false", "metal=false", "blas=false"},
		"":          nil,
	} {
		results, err := ReadResults(strings.NewReader(object(fields...)), "f")
		if err != nil || results[0].Backends != want {
			t.Errorf("%v: backends %q, want %q, %v", fields, results[0].Backends, want, err)
		}
	}
}

// Whatever is wrong has its place in the message, and does not take the
// results around it along.
func TestReadFaults(t *testing.T) {
	t.Parallel()
	pp, tg := object(), object("n_prompt=0", "n_gen=128")
	for _, c := range []struct {
		name, text string
		want       string // the tests read
		err        string
		truncated  bool
	}{
		{"empty", "", "", "f: no llama-bench result in it", false},
		{"blank", " \n\n", "", "f: no llama-bench result in it", false},
		{"empty array", "[\n]\n", "", "f: no llama-bench result in it", false},
		{"log line", pp + "\n" + tg + "\nggml_vulkan: Found 1 device\n" + pp, "pp512 tg128 pp512", `f:3: not a llama-bench result: "ggml_vulkan: Found 1 device"`, false},
		{"log line with a bracket", "[1/5] Building\n" + pp, "pp512", `f:1: not a llama-bench result: "[1/5] Building"`, false},
		{"log line in an array", "[\n" + pp + ",\nwarning: x\n" + tg + "]", "pp512 tg128", `f:3: not a llama-bench result: "warning: x"`, false},
		{"log text inside", pp + "\n" + strings.Replace(tg, "[", "[ ggml: x\n", 1) + "\n" + pp, "pp512 pp512", "f:2: not a llama-bench result: invalid character 'g'", false},
		{"broken line", pp + "\n" + tg[:40] + "\n" + tg, "pp512 tg128", "f:2: the line breaks off", true},
		{"broken string", pp + "\n" + `{"build_commit": "x` + "\n" + tg, "pp512 tg128", "f:2: the line breaks off", true},
		{"cut in a result", pp + "\n" + tg[:len(tg)-10], "pp512", "f:2: the last result breaks off", true},
		{"array not closed", "[\n" + pp + ",\n" + tg + "\n", "pp512 tg128", "f:4: the array is not closed", true},
		{"array cut", "[\n" + pp + ",\n{", "pp512", "f:3: the last result breaks off", true},
		{"other JSON", `{"schema": "x"}`, "", "f:1: not a llama-bench result: its fields are schema", false},
		{"list in place of text", object(`cpu_info=["a"]`), "", `f:1: cpu_info: want a text, have ["a"]`, false},
		{"no samples", object("samples_ns=[]"), "", "f:1: samples_ns: want at least one repetition", false},
		{"zero sample", pp + "\n" + object("samples_ns=[5, 0]"), "pp512", "f:2: samples_ns[1]: want nanoseconds greater than 0, have 0", false},
		{"negative sample", object("samples_ns=[-5]"), "", "f:1: samples_ns[0]: want", false},
		{"nan sample", object("samples_ns=[nan]"), "", "f:1: samples_ns[0]: want", false},
		{"no tokens", object("n_prompt=0"), "", "f:1: not a llama-bench result: n_prompt and n_gen are both 0 or missing", false},
		{"negative depth", object("n_depth=-1"), "", "f:1: n_depth: want a whole number from 0 to 9999999, have -1", false},
		{"huge number", object("n_gen=1e300"), "", "f:1: n_gen: want", false},
		{"usage", "usage: llama-bench [options]\n", "", "refused its arguments", false},
		{"deep", strings.Repeat(`{"a":`, 100), "", "f:1: the last result breaks off", true},
	} {
		results, err := ReadResults(strings.NewReader(c.text), "f")
		if got := names(results); got != c.want {
			t.Errorf("%s: read %q, want %q", c.name, got, c.want)
		}
		if err == nil || !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: error %v, want %s", c.name, err, c.err)
		}
		if errors.Is(err, ErrTruncated) != c.truncated {
			t.Errorf("%s: truncated is %v: %v", c.name, !c.truncated, err)
		}
	}
	_, err := ReadResults(strings.NewReader(pp+strings.Repeat("\nx", 50)), "f")
	if err == nil || strings.Count(err.Error(), "\n") != maxLineErrors || !strings.Contains(err.Error(), "and 40 more lines") {
		t.Errorf("fifty bad lines: %v", err)
	}
}

// endless repeats a text for as long as anyone cares to read.
type endless struct {
	text string
	next int
}

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = e.text[e.next]
		e.next = (e.next + 1) % len(e.text)
	}
	return len(p), nil
}

func TestReadBounded(t *testing.T) {
	most := limits{bytes: 1 << 20, object: 64 << 10, results: 20}
	for _, c := range []struct {
		in      io.Reader
		err     string
		results int
	}{
		{io.MultiReader(strings.NewReader(object()+"\n{\"a\": \""), &endless{text: "x"}), "f: line 2: a result longer than 64 KiB", 1},
		{&endless{text: "x"}, "f: larger than 1 MiB", 0},
		{&endless{text: "\n"}, "f: larger than 1 MiB", 0},
		{&endless{text: strings.Repeat("x", 1000) + "\n"}, "f: larger than 1 MiB", 0},
		{&endless{text: object() + "\n"}, "f: more than 20 results", 20},
	} {
		results, err := readResults(c.in, "f", most)
		if err == nil || !strings.Contains(err.Error(), c.err) || len(results) != c.results {
			t.Errorf("%d results, %v; want %d and %s", len(results), err, c.results, c.err)
		}
	}
}

func BenchmarkReadResults(b *testing.B) {
	text := strings.Repeat(object()+"\n", 1000)
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := ReadResults(strings.NewReader(text), "f"); err != nil {
			b.Fatal(err)
		}
	}
}

// Results are written back in llama-bench's form and read again: nothing that
// counts may differ. Whatever the input, errors have a place and results are sound.
func FuzzReadResults(f *testing.F) {
	seeds, _ := filepath.Glob(recorded + "[a-h]*.json*")
	more, _ := filepath.Glob(constructed + "*.jsonl")
	if len(seeds) < 5 || len(more) < 10 {
		f.Fatal("no fixtures to start from")
	}
	seeds = append(seeds, more...)
	for _, path := range seeds {
		data, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		f.Add(data[:len(data)/2])
	}
	for _, name := range []string{"matrix-csv.csv", "matrix-sql.sql", "matrix-md.md"} {
		data, err := os.ReadFile(recorded + name)
		if err != nil {
			f.Fatal(err)
		}
		data = data[:min(len(data), 4000)]
		f.Add(data)
		f.Add(append([]byte("> "), bytes.ReplaceAll(data, []byte("\n"), []byte("\r\n> "))...))
	}
	f.Add([]byte(laptop))
	f.Add([]byte(object("stddev_ts=-nan") + "\nlog\n" + object("flash_attn=true", "use_mmap=true")))
	f.Fuzz(func(t *testing.T, data []byte) {
		results, err := ReadResults(bytes.NewReader(data), "f")
		if err == nil && len(results) == 0 {
			t.Fatal("neither results nor an error")
		}
		var lines []byte
		var sampled []Result
		for _, r := range results {
			for _, ts := range r.Throughput() {
				if !(ts > 0) || ts > 1e17 {
					t.Fatalf("throughput %v of %+v", ts, r)
				}
			}
			if test, err := record.ParseTest(r.Test.Name()); err != nil || test != r.Test {
				t.Fatalf("test %+v is called %s: %v", r.Test, r.Test.Name(), err)
			}
			if r.Line < 1 || r.Line > 1+bytes.Count(data, []byte("\n"))+bytes.Count(data, []byte("\x00")) {
				t.Fatalf("line %d", r.Line)
			}
			if len(r.SamplesNS) == 0 && !(r.Mean > 0 && r.Deviation >= 0) {
				t.Fatalf("neither samples nor a mean: %+v", r)
			}
			if len(r.SamplesNS) > 0 { // a mean is not written back: json has samples
				sampled, lines = append(sampled, r), append(append(lines, write(t, r)...), '\n')
			}
		}
		if results == nil {
			return
		}
		run, err := Import("f", bytes.NewReader(data), ImportOptions{Mixed: true, Partial: true})
		if err != nil && !strings.Contains(err.Error(), "model") { // no name, or one name for two
			t.Fatalf("import: %v", err)
		}
		if err == nil && len(run.Trials) > len(results) {
			t.Fatalf("%d trials of %d results", len(run.Trials), len(results))
		}
		if sampled == nil {
			return
		}
		again, err := ReadResults(bytes.NewReader(lines), "f")
		if err != nil {
			t.Fatalf("%v\n%s", err, lines)
		}
		for i := range sampled {
			sampled[i].Line = i + 1
		}
		if diff := cmp.Diff(sampled, again); diff != "" {
			t.Fatal(diff)
		}
	})
}

// write is the inverse of decodeResult.
func write(t *testing.T, r Result) []byte {
	t.Helper()
	fields := map[string]any{
		"build_commit": r.BuildCommit, "build_number": r.BuildNumber, "cpu_info": r.CPU, "gpu_info": r.GPU, "backends": r.Backends,
		"model_filename": r.ModelFile, "model_type": r.ModelType, "model_size": r.ModelBytes, "model_n_params": r.ModelParams,
		"n_prompt": r.Test.Prompt, "n_gen": r.Test.Gen, "n_depth": r.Test.Depth, "samples_ns": r.SamplesNS,
	}
	if !r.Start.IsZero() {
		fields["test_time"] = r.Start.Format("2006-01-02T15:04:05.999999999Z07:00")
	}
	for name, text := range r.Settings {
		if _, ours := fields[name]; !ours && !slices.Contains(computed, name) {
			fields[name] = text
		}
	}
	data, err := json.Marshal(fields)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
