package llama

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"maps"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/llama-regress/llama-regress/ci/device"
	"github.com/llama-regress/llama-regress/ci/internal/proc"
	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
)

// opsProgram is the program that times single operators.
const opsProgram = "test-backend-ops"

// NewOps returns what measures the ops workload with test-backend-ops.
func NewOps(logDir string, links *Links, devices *device.Set) *Tool {
	return newTool(tool{record.OpsWorkload, opsProgram, readOpsHelp, opsArgs, readOps}, logDir, links, devices)
}

// opsOption is a line of its help: "  -o <op|regex,..>   comma separated ...", or, in
// builds before the formats, the one line of its usage.
var opsFlag = regexp.MustCompile(`(?:^|[\s\[])(--?[a-z][a-z-]*)(?: <([^>]*)>)?`)

// readOpsHelp reads the text that test-backend-ops -h prints.
func readOpsHelp(help string) (c capabilities, ok bool) {
	c.forms, c.texts = make(map[string]string), make(map[string]string)
	for _, m := range opsFlag.FindAllStringSubmatch(help, -1) {
		if _, twice := c.forms[m[1]]; !twice {
			c.forms[m[1]] = "<" + m[2] + ">"
		}
	}
	return c, c.has("-o") && c.has("-b") && strings.Contains(help, "perf")
}

// opsArgs are the arguments of one process. Without a backend the program leaves the
// processor out and ends well, so that one is always named.
func opsArgs(m *measurement) ([]string, error) {
	f, err := workOf[plan.OpFilter](m.cell)
	if err != nil {
		return nil, err
	}
	c := m.program.caps
	args := []string{"perf", "-b", f.Backend, "-o", strings.Join(f.Ops, ",")}
	if f.Shapes != "" {
		if !c.has("-p") {
			return nil, &badArgument{record.ShapesParam, f.Shapes, "-p", "this build cannot choose shapes", "llama.cpp has it since build 5176: use a newer one, or leave shapes out"}
		}
		args = append(args, "-p", f.Shapes)
	}
	if slices.Contains(c.choices("--output"), "sql") {
		args = append(args, "--output", "sql")
	}
	var unheard []string
	for name := range m.plan.Arms[m.arm].Params {
		if p, ok := record.ParamByName(name); ok && p.Target != record.System {
			unheard = append(unheard, name)
		}
	}
	if slices.Sort(unheard); unheard != nil {
		m.warn("%s takes no parameters: %s of the arm is without effect here", opsProgram, strings.Join(unheard, ", "))
	}
	return args, nil
}

// mostCases is how many cases a process may time: each has up to three metrics.
const mostCases = 330

// readOps reads what test-backend-ops printed: statements of SQL, or the text of
// builds that have no other form.
func readOps(m *measurement, stdout []byte) (toolOutput, error) {
	f, err := workOf[plan.OpFilter](m.cell)
	if err != nil {
		return toolOutput{}, err
	}
	text := colour.ReplaceAllString(string(stdout), "")
	read := readOpsText
	if strings.Contains(text, "CREATE TABLE") || strings.Contains(text, "INSERT INTO") {
		read = readOpsSQL
	}
	cases, faulty := read(text, f.Backend)
	out := toolOutput{echo: map[string]string{"backends": f.Backend}}
	seen := make(map[string]bool)
	for _, c := range cases {
		switch {
		case !record.IsOpCase(c.Name()):
			return out, fmt.Errorf("%s is no name of a case", proc.Shorten(proc.OneLine(c.Name(), 600), 120))
		case !slices.Contains(f.Ops, c.Op):
			return out, fmt.Errorf("%s was timed, and only %s was asked for; is the program a wrapper that adds arguments?", c.Op, strings.Join(f.Ops, ", "))
		case seen[c.Name()]:
			return out, fmt.Errorf("%s is there twice; is the program a wrapper that adds arguments?", c.Name())
		case !speeds(c.Seconds) || c.Flops < 0 || c.Bandwidth < 0 || math.IsNaN(c.Flops+c.Bandwidth) || math.IsInf(c.Flops+c.Bandwidth, 0):
			return out, fmt.Errorf("%s takes %v s: want a number above 0", c.Name(), c.Seconds)
		case len(seen) == mostCases:
			return out, fmt.Errorf("more than %d cases in a process: name fewer operators, or choose shapes by a pattern", mostCases)
		}
		seen[c.Name()] = true
		out.measurements = append(out.measurements, c.Measurements()...)
	}
	if len(cases) == 0 && faulty == nil && m.failure == nil {
		m.fail(record.MissingTest, "%s timed nothing: it has no backend %s, or none of its cases of %s fits; 'test-backend-ops perf -b %s -o %s' shows what there is, and in %s",
			opsProgram, f.Backend, strings.Join(f.Ops, ", "), f.Backend, strings.Join(f.Ops, ","), "--list-ops what operators")
	}
	return out, faulty
}

// colour is what terminals are told.
var colour = regexp.MustCompile("\x1b\\[[0-9;]*m")

// readOpsSQL reads the program's own INSERT statements, a line each; nothing is
// executed.
func readOpsSQL(text, backend string) (cases []record.OpCase, err error) {
	number := 0
	for line := range strings.Lines(text) {
		number++
		line = strings.TrimSpace(line)
		rest, ok := strings.CutPrefix(line, "INSERT INTO test_backend_ops (")
		if !ok {
			continue
		}
		names, rest, ok := strings.Cut(rest, ") VALUES (")
		if !ok || !strings.HasSuffix(rest, ");") {
			return cases, fmt.Errorf("line %d is cut off", number)
		}
		values, err := sqlTexts(strings.TrimSuffix(rest, ");"))
		columns := strings.Split(names, ", ")
		if err != nil || len(values) != len(columns) {
			return cases, fmt.Errorf("line %d: %d values for %d columns", number, len(values), len(columns))
		}
		row := make(map[string]string)
		for i, name := range columns {
			row[name] = values[i]
		}
		if row["test_mode"] != "perf" || row["backend_name"] != backend || row["supported"] == "0" {
			continue
		}
		c := record.OpCase{Op: row["op_name"], Params: row["op_params"]}
		for name, to := range map[string]*float64{"time_us": &c.Seconds, "flops": &c.Flops, "bandwidth_gb_s": &c.Bandwidth} {
			if text, there := row[name]; there {
				if *to, err = strconv.ParseFloat(text, 64); err != nil {
					return cases, fmt.Errorf("line %d: %s is %.40q", number, name, text)
				}
			}
		}
		if _, timed := row["time_us"]; !timed {
			return cases, fmt.Errorf("line %d has no time_us; it has %s", number, strings.Join(slices.Sorted(maps.Keys(row)), ", "))
		}
		c.Seconds /= 1e6
		cases = append(cases, c)
	}
	return cases, nil
}

// sqlTexts splits 'a', 'b”c' into a and b'c. It is CSV with another quote.
func sqlTexts(list string) ([]string, error) {
	if strings.ContainsAny(list, "\"\r\n") {
		return nil, errors.New("a quote or line end that the program does not print")
	}
	r := csv.NewReader(bytes.NewReader([]byte(strings.ReplaceAll(strings.ReplaceAll(list, "'", "\""), ", \"", ",\""))))
	return r.Read()
}

// timedCase is a line of the text: "  ADD(type=f32,...):  9 runs - 1.50 us/run - 48 kB/run - 30.44 GB/s".
var timedCase = regexp.MustCompile(`^\s*([A-Z][A-Z0-9_]*)\((.*)\):\s+(\d+) runs -\s+([0-9.]+) us/run -\s+(?:(\d+) kB/run -\s+([0-9.]+) GB/s|([0-9.]+) ([MGT]?FLOP)/run -\s+([0-9.]+) ([MGT]?)FLOPS)`)

// readOpsText reads the text, whose figures are rounded.
func readOpsText(text, backend string) (cases []record.OpCase, err error) {
	of := ""
	for line := range strings.Lines(text) {
		if m := backendLine.FindStringSubmatch(line); m != nil {
			of = m[1]
		}
		m := timedCase.FindStringSubmatch(line)
		if m == nil || of != "" && of != backend {
			continue
		}
		number := func(text string) float64 {
			v, _ := strconv.ParseFloat(text, 64) // 0 is refused, or no rate
			return v
		}
		c := record.OpCase{Op: m[1], Params: m[2], Seconds: number(m[4]) / 1e6, Bandwidth: number(m[6])}
		c.Flops = number(m[9]) * map[string]float64{"": 1, "M": 1e6, "G": 1e9, "T": 1e12}[m[10]]
		cases = append(cases, c)
	}
	return cases, nil
}

var backendLine = regexp.MustCompile(`^Backend \d+/\d+: (\S+)`)
