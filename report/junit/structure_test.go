package junit_test

import (
	"bytes"
	"encoding/xml"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	gojunit "github.com/jstemmer/go-junit-report/v2/junit"

	"github.com/llama-regress/llama-regress/report/reporttest"
)

// An element of junit-10.xsd of Jenkins' xunit plugin: what it may hold.
type element struct {
	children, required, optional []string
}

var schema = map[string]element{
	"testsuites": {[]string{"testsuite"}, nil, []string{"name", "time", "tests", "failures", "errors"}},
	"testsuite": {[]string{"properties", "testcase", "system-out", "system-err"}, []string{"name", "tests", "failures", "errors"},
		[]string{"group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"}},
	"properties": {[]string{"property"}, nil, nil},
	"property":   {nil, []string{"name", "value"}, nil},
	"testcase":   {[]string{"skipped", "error", "failure", "system-out", "system-err"}, []string{"name"}, []string{"time", "classname", "group"}},
	"skipped":    {nil, nil, []string{"type", "message"}},
	"error":      {nil, nil, []string{"type", "message"}},
	"failure":    {nil, nil, []string{"type", "message"}},
	"system-out": {}, "system-err": {},
}

// surefireTime is what every consumer parses: no exponent, three decimals.
var surefireTime = regexp.MustCompile(`^[0-9]+\.[0-9]{3}$`)

// checkStructure holds a file against the schema, and against what consumers
// do with it: counts that add up, names that occur once.
func checkStructure(t *testing.T, file []byte) {
	t.Helper()
	if !bytes.HasPrefix(file, []byte(xml.Header)) {
		t.Error("does not begin with the XML header")
	}
	var stack []string
	dec := xml.NewDecoder(bytes.NewReader(file))
	for {
		token, err := dec.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("does not parse: %v", err)
		}
		switch x := token.(type) {
		case xml.StartElement:
			parent := "testsuites"
			if len(stack) > 0 {
				parent = stack[len(stack)-1]
				if !slices.Contains(schema[parent].children, x.Name.Local) {
					t.Errorf("<%s> inside <%s>", x.Name.Local, parent)
				}
			} else if x.Name.Local != parent {
				t.Errorf("the root is <%s>", x.Name.Local)
			}
			stack = append(stack, x.Name.Local)
			checkAttributes(t, x)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		}
	}
	checkCounts(t, file)
}

func checkAttributes(t *testing.T, x xml.StartElement) {
	t.Helper()
	e, ok := schema[x.Name.Local]
	if !ok {
		t.Errorf("unknown element <%s>", x.Name.Local)
	}
	var have []string
	for _, a := range x.Attr {
		have = append(have, a.Name.Local)
		if !slices.Contains(e.required, a.Name.Local) && !slices.Contains(e.optional, a.Name.Local) {
			t.Errorf("<%s> has the attribute %s", x.Name.Local, a.Name.Local)
		}
		if a.Name.Local == "time" && !surefireTime.MatchString(a.Value) {
			t.Errorf("<%s time=%q>", x.Name.Local, a.Value)
		}
		if a.Name.Local == "name" && strings.TrimSpace(a.Value) == "" {
			t.Errorf("<%s> without a name", x.Name.Local)
		}
	}
	for _, name := range append([]string{"time"}, e.required...) {
		timed := strings.HasPrefix(x.Name.Local, "test")
		if !slices.Contains(have, name) && (name != "time" || timed) {
			t.Errorf("<%s> lacks %s", x.Name.Local, name)
		}
	}
}

func checkCounts(t *testing.T, file []byte) {
	t.Helper()
	all := parse(t, file)
	sum := [3]int{}
	suites := make(map[string]bool)
	for i, s := range all.Suites {
		if suites[s.Name] || s.ID != i {
			t.Errorf("suite %q, id %d: name used before or id out of order", s.Name, s.ID)
		}
		suites[s.Name] = true
		count := [3]int{}
		seconds := 0.0
		tests := make(map[string]bool)
		for _, tc := range s.Testcases {
			if tests[tc.Name] {
				t.Errorf("suite %q: two tests are called %q", s.Name, tc.Name)
			}
			tests[tc.Name] = true
			outcomes := 0
			for k, res := range []*gojunit.Result{tc.Failure, tc.Error, tc.Skipped} {
				if res != nil {
					count[k]++
					outcomes++
				}
			}
			if outcomes > 1 {
				t.Errorf("%q has %d outcomes", tc.Name, outcomes)
			}
			x, _ := strconv.ParseFloat(tc.Time, 64)
			seconds += x
		}
		if s.Tests != len(s.Testcases) || s.Failures != count[0] || s.Errors != count[1] || s.Skipped != count[2] {
			t.Errorf("suite %q says %d tests, %d failures, %d errors, %d skipped; has %d, %v", s.Name, s.Tests, s.Failures, s.Errors, s.Skipped, len(s.Testcases), count)
		}
		if x, _ := strconv.ParseFloat(s.Time, 64); x < seconds-0.01*float64(len(s.Testcases)) || x > seconds+0.01*float64(len(s.Testcases)) {
			t.Errorf("suite %q takes %s s, its tests %.3f s", s.Name, s.Time, seconds)
		}
		sum[0] += s.Tests
		sum[1] += s.Failures
		sum[2] += s.Errors
	}
	if sum != [3]int{all.Tests, all.Failures, all.Errors} {
		t.Errorf("the root says %d tests, %d failures, %d errors; the suites %v", all.Tests, all.Failures, all.Errors, sum)
	}
}

var ours = regexp.MustCompile(`^\[\[(?:PROPERTY\|(?:(?:baseline|contender|control)\d*\.)?[a-z_]+=[^\]\n]*|ATTACHMENT\|[^\]|\n]+)\]\]$`)

// checkForgery fails when output holds a property or attachment that a name
// could have put there: the writer's own stand in front, one a line.
func checkForgery(t *testing.T, file []byte) {
	t.Helper()
	for _, s := range parse(t, file).Suites {
		for _, tc := range s.Testcases {
			var texts []string
			if tc.SystemOut != nil {
				texts = append(texts, tc.SystemOut.Data)
			}
			for _, text := range texts {
				head := true
				for _, line := range strings.Split(text, "\n") {
					switch {
					case head && ours.MatchString(line):
					case strings.Contains(line, "[["):
						t.Errorf("%q: a line that a consumer takes for its own: %q", tc.Name, line)
					default:
						head = false
					}
				}
			}
		}
	}
}

func TestStructure(t *testing.T) {
	for _, c := range append(reporttest.Cases(), reporttest.Grid(500, 6)) {
		t.Run(c.Name, func(t *testing.T) {
			file := render(t, c.Report())
			checkStructure(t, file)
			checkForgery(t, file)
		})
	}
}

func FuzzNames(f *testing.F) {
	for _, name := range reporttest.Names {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		file := render(t, reporttest.Named(name).Report())
		checkStructure(t, file)
		checkForgery(t, file)
	})
}
