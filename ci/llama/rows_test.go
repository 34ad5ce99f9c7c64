package llama

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-regress/llama-regress/ci/record"
)

// Every format of one command says the same of its results, but for what it lacks.
func TestReadFormatsAlike(t *testing.T) {
	t.Parallel()
	read := func(name string) []Result {
		t.Helper()
		data, err := os.ReadFile(recorded + name)
		if err != nil {
			t.Fatal(err)
		}
		results, err := ReadResults(bytes.NewReader(data), name)
		if err != nil || len(results) != 32 {
			t.Fatalf("%s: %d results, %v", name, len(results), err)
		}
		return results
	}
	want := read("matrix-jsonl.jsonl")
	for _, name := range []string{"matrix-csv.csv", "matrix-sql.sql"} {
		for i, r := range read(name) {
			if diff := cmp.Diff(want[i].echo(), r.echo()); diff != "" || r.Test != want[i].Test || r.Start.IsZero() || r.SamplesNS != nil || !(r.Mean > 100) || !(r.Deviation > 0) {
				t.Errorf("%s, result %d: %+v %s", name, i, r, diff)
			}
		}
	}
	table := read("matrix-md.md")
	for i, r := range table {
		if r.Test != want[i].Test || r.Backends != "CPU" || r.Settings["n_threads"] != want[i].Settings["n_threads"] || r.BuildCommit != "Debian" || r.BuildNumber != 11669 || len(r.Settings) != 1 {
			t.Errorf("matrix-md.md, result %d: %+v", i, r.Configuration)
		}
	}
	if r := table[0]; r.Mean != 19050.39 || r.Deviation != 70.07 || r.Line != 3 || r.ModelType != "llama ?B Q4_K - Medium" || r.ModelSize != "1.77 MiB" {
		t.Errorf("%+v %+v", r, r.Configuration)
	}
}

const laptop = `| model                          |       size |     params | backend    | ngl |          test |                  t/s |
| ------------------------------ | ---------: | ---------: | ---------- | --: | ------------: | -------------------: |
| llama 1B Q4_K - Medium         | 636.18 MiB |     1.10 B | SYCL       |  99 |         pp512 |      629.25 ± 288.96 |
| llama 1B Q4_K - Medium         | 636.18 MiB |     1.10 B | SYCL       |  99 |         tg128 |         58.31 ± 1.75 |

build: 5aa1105d (6082)
`

// A table may come out of a mail, a comment or a terminal.
func TestReadPasted(t *testing.T) {
	t.Parallel()
	replace := func(from, to string) string { return strings.ReplaceAll(laptop, from, to) }
	lines := strings.SplitAfter(laptop, "\n")
	for name, text := range map[string]string{
		"as printed":      laptop,
		"Windows":         replace("\n", "\r\n"),
		"UTF-16":          utf16le(laptop),
		"indented":        "    " + replace("\n", "\n    "),
		"quoted":          "> " + replace("\n", "\n> "),
		"quoted twice":    "> > " + replace("\n", "\n> > "),
		"fenced":          "```\n" + laptop + "```\n",
		"without heading": strings.Join(lines[2:], ""),
		"narrow":          replace("  ", ""),
		"plus minus":      replace("±", "+-"),
		"plus/minus":      replace("±", "+/-"),
		"Latin 1":         replace("±", "\xb1"),
		"twice decoded":   replace("±", "Â±"),
		"mark":            "\ufeff" + laptop,
		"time stamps":     "2026-11-30T12:00:00Z " + replace("\n", "\n2026-11-30T12:00:00Z "),
	} {
		results, err := ReadResults(strings.NewReader(text), "f")
		if err != nil || names(results) != "pp512 tg128" {
			t.Errorf("%s: %s, %v", name, names(results), err)
			continue
		}
		r := results[0]
		if r.Mean != 629.25 || r.Deviation != 288.96 || r.Backends != "SYCL" || r.Settings["n_gpu_layers"] != "99" || r.BuildCommit != "5aa1105d" || r.BuildNumber != 6082 {
			t.Errorf("%s: %+v %+v", name, r, r.Configuration)
		}
	}
}

// What cannot be read as it was meant is refused with its place.
func TestReadRowFaults(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(recorded + "matrix-csv.csv")
	if err != nil {
		t.Fatal(err)
	}
	csv := strings.Join(strings.SplitAfter(string(data), "\n")[:3], "")
	data, err = os.ReadFile(recorded + "matrix-sql.sql")
	if err != nil {
		t.Fatal(err)
	}
	sql := strings.Join(strings.SplitAfter(string(data), "\n")[:47], "")
	row := strings.SplitAfter(sql, "\n")[45]
	for name, c := range map[string]struct {
		text, want, err string
		truncated       bool
	}{
		"csv":        {csv, "pp64 pp16", "", false},
		"csv twice":  {csv + csv, "pp64 pp16 pp64 pp16", "", false},
		"semicolons": {strings.ReplaceAll(csv, ",", ";"), "pp64 pp16", "", false},
		"tabs":       {strings.ReplaceAll(csv, ",", "\t"), "pp64 pp16", "", false},
		"csv, decimal comma": {strings.ReplaceAll(strings.ReplaceAll(csv, ",", ";"), "12922.288128", "12922,288128"), "pp16",
			`f:2: avg_ts: "12922,288128" has a comma`, false},
		"csv, bare comma":    {strings.ReplaceAll(csv, `"12922.288128"`, "12922,288128"), "pp16", "f:2: a row of 43 fields under a heading of 42; a decimal comma", true},
		"csv cut":            {csv[:len(csv)-20], "pp64", "f:3: a text without its closing quote", true},
		"csv cut, heading":   {"build_commit,build_number,cpu_info\n\"x\",\"1\",\"y\"\n", "", "f:1: a heading without n_prompt, n_gen, avg_ts", false},
		"csv, log line":      {strings.Replace(csv, "\n", "\nggml_vulkan: Found 1 device\n", 1), "pp64 pp16", `f:2: not a llama-bench result: "ggml_vulkan: Found 1 device"`, false},
		"csv, no rate":       {strings.ReplaceAll(csv, `"12922.288128"`, `""`), "pp16", "f:2: avg_ts: want a number", false},
		"csv, zero rate":     {strings.ReplaceAll(csv, `"12922.288128"`, `"0.000000"`), "pp16", "f:2: avg_ts: want tokens per second greater than 0", false},
		"csv, two alike":     {strings.ReplaceAll(csv, "n_ubatch", "n_batch"), "", "f:2: n_batch stands in two columns", false},
		"sql":                {sql, "pp64 pp16", "", false},
		"sql cut":            {sql[:len(sql)-20], "pp64", "f:47: ", true},
		"sql cut, schema":    {sql[:200], "", "CREATE TABLE is not closed", true},
		"sql, another table": {strings.ReplaceAll(sql, "INTO llama_bench", "INTO ops"), "", "f:46: a row of the table ops, which is none of llama-bench", false},
		"sql, quotes":        {strings.ReplaceAll(sql, "'AMD EPYC'", "'AMD''s, (EPYC)'"), "pp64 pp16", "", false},
		"sql, expression":    {strings.ReplaceAll(sql, "'4265222'", "abs(-1)"), "pp16", "f:46: want a number or a text in quotes", false},
		"sql, another statement": {sql + "DELETE FROM llama_bench;\n", "pp64 pp16",
			`f:48: not a llama-bench result: "DELETE FROM llama_bench;"`, false},
		"dump":                 {"PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n" + sql[:strings.Index(sql, "INSERT")] + row[:strings.Index(row, "(")] + row[strings.Index(row, "VALUES"):] + "COMMIT;\n", "pp64", "", false},
		"row without columns":  {row[:strings.Index(row, "(")] + row[strings.Index(row, "VALUES"):], "", "f:1: a row without the names of its columns", false},
		"table, decimal comma": {strings.ReplaceAll(laptop, "629.25", "629,25"), "tg128", `f:3: t/s: "629,25" has a comma`, false},
		"table, groups":        {strings.ReplaceAll(laptop, "629.25", "1,629.25"), "tg128", `f:3: t/s: "1,629.25" has a comma`, false},
		"table cut":            {laptop[:strings.Index(laptop, "58.31")], "pp512", "f:4: a row of 6 cells under a heading of 7", true},
		"another unit":         {strings.ReplaceAll(laptop, "t/s |", "ms  |"), "", "f:1: a table that llama-bench did not print", false},
		"another table":        {"| Model | Speedup |\n| --- | --- |\n| x | 1.05 |\n", "", "f:1: a table that llama-bench did not print", false},
		"prose":                {"I measured this:\n" + laptop, "pp512 tg128", `f:1: not a llama-bench result: "I measured this:"`, false},
		"nine cells alone":     {"| llama 1B | 636.18 MiB | 1.10 B | SYCL | 99 | 1 | pp512 | 629.25 ± 288.96 |", "", "whose columns cannot be known", false},
	} {
		results, err := ReadResults(strings.NewReader(c.text), "f")
		if got := names(results); got != c.want {
			t.Errorf("%s: read %q, want %q (%v)", name, got, c.want, err)
		}
		if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: error %v, want %q", name, err, c.err)
		}
		if errors.Is(err, ErrTruncated) != c.truncated {
			t.Errorf("%s: truncated is %v: %v", name, !c.truncated, err)
		}
	}
}

// A row is one trial: its mean is the value, its ± is kept beside it.
func TestImportMeans(t *testing.T) {
	t.Parallel()
	run, err := Import("f.md", strings.NewReader(laptop+laptop), ImportOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if len(run.Trials) != 2 || !strings.Contains(strings.Join(run.Notes, "\n"), "2 results have the time and the samples of an earlier one") {
		t.Errorf("a table pasted twice: %d trials, %q", len(run.Trials), run.Notes)
	}
	want := []record.Measurement{{Metric: "pp512", Values: []float64{629.25}, Summary: &record.Summary{Deviation: 288.96}}}
	if diff := cmp.Diff(want, run.Trials[0].Measurements); diff != "" {
		t.Error(diff)
	}
	if m := run.Models[0]; m.Name != "llama 1B Q4_K - Medium 636.18 MiB" || m.Type != "llama 1B Q4_K - Medium" || run.Arms[0].Build.Backends != "SYCL" {
		t.Errorf("%+v, %+v", m, run.Arms)
	}
	again, err := Import("f.md", strings.NewReader(laptop+strings.ReplaceAll(laptop, "58.31", "58.32")), ImportOptions{})
	if err != nil || len(again.Trials) != 3 {
		t.Errorf("another measurement: %v", err)
	}
	if _, err := Import("f.md", strings.NewReader(laptop+strings.ReplaceAll(laptop, "SYCL", "CPU")), ImportOptions{}); err == nil || !strings.Contains(err.Error(), "results of 2 backends in one file (SYCL; CPU)") {
		t.Errorf("two backends: %v", err)
	}
}
