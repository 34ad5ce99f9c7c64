package json_test

import (
	"bytes"
	stdjson "encoding/json"
	"errors"
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

func renderNightly(t testing.TB, n report.Nightly) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := json.WriteNightly(&b, n); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func nightlySchema(t testing.TB, strict bool) *jsonschema.Schema {
	t.Helper()
	doc := decode(t, json.NightlyJSONSchema())
	if strict {
		forbidUnknown(doc)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("nightly.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("nightly.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestNightlyMeetsTheSchema(t *testing.T) {
	strict := nightlySchema(t, true)
	for _, n := range reporttest.Nights(t) {
		if err := strict.Validate(decode(t, renderNightly(t, n.Nightly))); err != nil {
			t.Errorf("%s: %v", n.Name, err)
		}
	}
	whole := string(renderNightly(t, reporttest.YearOfNights(t)))
	for _, c := range [][3]string{
		{"another schema", `nightly/v1"`, `nightly/v2"`},
		{"a state nobody knows", `"state":"open"`, `"state":"fine"`},
		{"a change point that moved nothing", `"rows":[{`, `"rowz":[{`},
		{"a value as text", `"value":1`, `"value":"1","x":1`},
		{"a last night of another schema", `llama-regress/report/v1"`, `llama-regress/report/v2"`},
	} {
		spoilt := strings.Replace(whole, c[1], c[2], 1)
		if spoilt == whole || strict.Validate(decode(t, []byte(spoilt))) == nil {
			t.Errorf("%s: accepted, or not in the report", c[0])
		}
	}
}

// Nightlies of earlier versions stay valid.
func TestNightlyGolden(t *testing.T) {
	published := nightlySchema(t, false)
	for _, n := range reporttest.Nights(t) {
		if n.Name != "suspected" && n.Name != "nothing-stored" {
			continue // large; what they hold is in the others too
		}
		t.Run(n.Name, func(t *testing.T) {
			for i := range n.Nightly.Machines {
				n.Nightly.Machines[i].Last = nil // a report, which has goldens of its own
			}
			path, got := filepath.Join("testdata", "nightly-"+n.Name+".json"), renderNightly(t, n.Nightly)
			if reporttest.Updating() {
				var indented bytes.Buffer
				if err := errors.Join(stdjson.Indent(&indented, got, "", " "), os.WriteFile(path, indented.Bytes(), 0o644)); err != nil {
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
			var a, b any
			if err := errors.Join(stdjson.Unmarshal(golden, &a), stdjson.Unmarshal(got, &b)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(a, b, cmpopts.EquateApprox(1e-9, 1e-12)); diff != "" {
				t.Errorf("%s differs (-want +got):\n%s", path, diff)
			}
		})
	}
}
