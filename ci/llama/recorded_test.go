package llama

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
)

// Outputs of the real llama-bench, and ones constructed for builds that could
// not be run; see the README there.
const (
	recorded    = "../../fixtures/llamabench/b11669/"
	constructed = "../../fixtures/llamabench/constructed/"
)

// What each file holds: the number of results, and what is wrong with it.
func TestReadFixtures(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		results int
		err     string // "" for none
	}{
		recorded + "matrix-json.json":      {32, ""},
		recorded + "matrix-jsonl.jsonl":    {32, ""},
		recorded + "both.jsonl":            {2, ""},
		recorded + "flash.jsonl":           {6, ""},
		recorded + "cache.jsonl":           {4, ""},
		recorded + "explicit.jsonl":        {2, ""},
		recorded + "modes.jsonl":           {3, ""},
		recorded + "no-repetition.jsonl":   {0, "no-repetition.jsonl:1: samples_ns: want at least one repetition, have []"},
		recorded + "nothing-json.json":     {0, "no llama-bench result in it"},
		recorded + "nothing-jsonl.jsonl":   {0, "no llama-bench result in it"},
		recorded + "half-json.json":        {2, "the array is not closed"},
		recorded + "half-jsonl.jsonl":      {2, ""}, // nothing in the file says that more was to come
		recorded + "missing-json.json":     {0, "the array is not closed"},
		recorded + "bad-flag.txt":          {0, "refused its arguments and printed its help"},
		recorded + "matrix-csv.csv":        {32, ""},
		recorded + "matrix-md.md":          {32, ""},
		recorded + "matrix-sql.sql":        {32, ""},
		recorded + "missing-csv.csv":       {0, "no llama-bench result in it"},
		recorded + "missing-md.md":         {0, "no llama-bench result in it"},
		constructed + "nan.jsonl":          {4, ""},
		constructed + "minus-nan.jsonl":    {4, ""},
		constructed + "future.jsonl":       {4, ""},
		constructed + "crlf.jsonl":         {4, ""},
		constructed + "powershell.jsonl":   {4, ""},
		constructed + "log-lines.jsonl":    {4, "log-lines.jsonl:1: not a llama-bench result: "},
		constructed + "log-inside.jsonl":   {0, "log-inside.jsonl:3: the line breaks off"}, // in the middle of a text
		constructed + "truncated.jsonl":    {1, "truncated.jsonl:2: the last result breaks off"},
		constructed + "no-samples.jsonl":   {0, "no-samples.jsonl:1: samples_ns: want at least one repetition, have null"},
		constructed + "zero-ns.jsonl":      {0, "zero-ns.jsonl:1: samples_ns[0]: want nanoseconds greater than 0, have 0"},
		constructed + "text-threads.jsonl": {2, ""},
		constructed + "empty.jsonl":        {0, "no llama-bench result in it"},
	} {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		results, err := ReadResults(f, filepath.Base(name))
		f.Close()
		if len(results) != want.results || (err == nil) != (want.err == "") || err != nil && !strings.Contains(err.Error(), want.err) {
			t.Errorf("%s: %d results, %v; want %d, %q", name, len(results), err, want.results, want.err)
		}
		if strings.Contains(want.err, "breaks off") != errors.Is(err, ErrTruncated) && strings.Contains(want.err, "not closed") != errors.Is(err, ErrTruncated) {
			t.Errorf("%s: truncation: %v", name, err)
		}
	}
}

// Every recorded failure is classified, and its message names the cause.
func TestClassifyRecorded(t *testing.T) {
	t.Parallel()
	want := map[string]struct {
		class record.FailureClass
		says  string
	}{
		"missing-json":  {record.ModelLoad, "failed to open GGUF file 'models/none.gguf' (No such file or directory)"},
		"missing-jsonl": {record.ModelLoad, "No such file or directory"},
		"missing-md":    {record.ModelLoad, "No such file or directory"},
		"missing-csv":   {record.ModelLoad, "No such file or directory"},
		"half-json":     {record.ModelLoad, "No such file or directory"},
		"half-jsonl":    {record.ModelLoad, "No such file or directory"},
		"page":          {record.ModelLoad, "invalid magic characters: '<!DO', expected 'GGUF'"},
		"cut":           {record.ModelLoad, "data is not within the file bounds, model is corrupted or incomplete"},
		"context":       {record.ExitStatus, "quantized V cache requires flash_attn to be enabled"},
		"bad-flag":      {record.BadArgument, "invalid parameter for argument: --frobnicate"},
		"bad-flash":     {record.BadArgument, "invalid parameter for argument: -fa"},
		"bad-switch":    {record.BadArgument, "-nkvo"},
		"bad-range":     {record.BadArgument, "-p"},
		"bad-number":    {record.BadArgument, "-r"},
		"bad-format":    {record.BadArgument, "-o"},
		"bad-device":    {record.BadArgument, "invalid device: CUDA0"},
		"no-value":      {record.BadArgument, "-p"},
		"mmap-flag":     {record.BadArgument, "-mmp"},
		"cpu-mask":      {record.BadArgument, "failed to parse cpu-mask: zz"},
		"abort":         {record.Crashed, "GGML_ASSERT"},
	}
	commands, _ := filepath.Glob(recorded + "*.command")
	failures := 0
	for _, path := range commands {
		name := strings.TrimSuffix(filepath.Base(path), ".command")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		_, after, _ := strings.Cut(string(text), "\nstatus ")
		status, err := strconv.Atoi(strings.Fields(after)[0])
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		stderr, err := os.ReadFile(strings.TrimSuffix(path, "command") + "stderr")
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("/bin/sh", "-c", "exit "+strconv.Itoa(status))
		_ = cmd.Run()
		failure := failureOf(&childEnd{state: cmd.ProcessState, stderr: string(stderr)}, childSpec{}, false)
		if status == 0 {
			if failure != nil {
				t.Errorf("%s: %+v", name, failure)
			}
			continue
		}
		failures++
		if w, ok := want[name]; !ok || failure.Class != w.class || !strings.Contains(failure.Message, w.says) {
			t.Errorf("%s: %s: %s; want %s: %s", name, failure.Class, failure.Message, w.class, w.says)
		}
	}
	if failures != len(want) {
		t.Errorf("%d recorded failures, want %d", failures, len(want))
	}
}
