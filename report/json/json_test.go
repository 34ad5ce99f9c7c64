package json_test

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/llama-regress/llama-regress/report"
	"github.com/llama-regress/llama-regress/report/json"
	"github.com/llama-regress/llama-regress/report/reporttest"
)

func render(t testing.TB, r report.Report) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := json.Write(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func decode(t testing.TB, data []byte) any {
	t.Helper()
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// compile reads the published schema; strict makes it refuse every field that
// it does not describe, so that none can be added without being described.
func compile(t testing.TB, strict bool) *jsonschema.Schema {
	t.Helper()
	doc := decode(t, json.JSONSchema())
	if strict {
		forbidUnknown(doc)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("report.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("report.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func forbidUnknown(v any) {
	switch x := v.(type) {
	case map[string]any:
		if _, ok := x["properties"]; ok && x["type"] != nil {
			x["additionalProperties"] = false
		}
		for _, child := range x {
			forbidUnknown(child)
		}
	case []any:
		for _, child := range x {
			forbidUnknown(child)
		}
	}
}

func TestMeetsTheSchema(t *testing.T) {
	strict := compile(t, true)
	for _, c := range append(reporttest.Cases(), reporttest.Grid(60, 6)) {
		if err := strict.Validate(decode(t, render(t, c.Report()))); err != nil {
			t.Errorf("%s: %v", c.Name, err)
		}
	}
}

func FuzzNames(f *testing.F) {
	for _, name := range reporttest.Names {
		f.Add(name)
	}
	strict := compile(f, true)
	f.Fuzz(func(t *testing.T, name string) {
		if err := strict.Validate(decode(t, render(t, reporttest.Named(name).Report()))); err != nil {
			t.Error(err)
		}
	})
}

// Reports of earlier versions stay valid: the goldens are such reports, and
// only ever gain fields.
func TestGolden(t *testing.T) {
	published := compile(t, false)
	for _, c := range []reporttest.Case{reporttest.Regression(), reporttest.Reasons(), reporttest.RawFiles(), reporttest.Counted(), reporttest.Empty()} {
		t.Run(c.Name, func(t *testing.T) {
			path := filepath.Join("testdata", c.Name+".json")
			got := render(t, c.Report())
			if reporttest.Updating() {
				var indented bytes.Buffer
				if err := stdjson.Indent(&indented, got, "", " "); err != nil {
					t.Fatal(err)
				}
				if err := os.MkdirAll("testdata", 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, indented.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			golden, err := os.ReadFile(path)
			if err != nil {
				t.Fatalf("%v; run with -update to write it", err)
			}
			if err := published.Validate(decode(t, golden)); err != nil {
				t.Errorf("the golden is no longer valid: %v", err)
			}
			var a, b any // numbers to nine digits: the last ones depend on the processor
			if err := errors.Join(stdjson.Unmarshal(golden, &a), stdjson.Unmarshal(got, &b)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(a, b, cmpopts.EquateApprox(1e-9, 1e-12)); diff != "" {
				t.Errorf("%s differs (-want +got):\n%s", path, diff)
			}
		})
	}
}

// A schema that refuses nothing proves nothing.
func TestSchemaRefuses(t *testing.T) {
	published := compile(t, false)
	whole := string(render(t, reporttest.Regression().Report()))
	tests := []struct{ name, from, to string }{
		{"another schema", `"llama-regress/report/v1"`, `"llama-regress/report/v2"`},
		{"an outcome nobody knows", `"outcome":"regression"`, `"outcome":"fine"`},
		{"a verdict nobody knows", `"verdict":"equivalent"`, `"verdict":"ok"`},
		{"a direction nobody knows", `"better":"lower"`, `"better":"sideways"`},
		{"a row without numbers", `"comparison":`, `"comparsion":`},
		{"a change as text", `"change":-0.`, `"change":"x","y":-0.`},
		{"no interval, not even null", `"interval":{`, `"intervall":{`},
		{"a p-value above 1", `"worse":`, `"worse":2,"x":`},
		{"an inconclusive one without a reason", `"reason":{"code"`, `"raisin":{"code"`},
		{"a regression with a reason", `"verdict":"regression"`, `"verdict":"regression","reason":{"code":"x"}`},
		{"an id that is not an anchor", `"id":"c-`, `"id":"<b>`},
	}
	for _, test := range tests {
		spoilt := strings.Replace(whole, test.from, test.to, 1)
		if spoilt == whole {
			t.Errorf("%s: %q is not in the report", test.name, test.from)
			continue
		}
		if published.Validate(decode(t, []byte(spoilt))) == nil {
			t.Errorf("%s: accepted", test.name)
		}
	}
}

// What report.New has not seen to is refused, never written.
func TestNotFiniteIsRefused(t *testing.T) {
	r := reporttest.Regression().Report()
	nan := math.NaN()
	r.Rows[0].Comparison.Change = &nan
	var b bytes.Buffer
	if err := json.Write(&b, r); err == nil || b.Len() > 0 {
		t.Errorf("error %v, %d bytes written", err, b.Len())
	}
}

func TestJSONSchemaIsACopy(t *testing.T) {
	json.JSONSchema()[0] = 'x'
	if json.JSONSchema()[0] != '{' {
		t.Error("a caller can change the schema")
	}
}
