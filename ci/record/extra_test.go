package record_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-regress/llama-regress/ci/record"
)

// newer is a field that this version does not know; %d tells one from another.
const newer = `{"list":[1,2.50,null,"<&>\u2028"],"n":%d}`

// TestUnknownFieldsSurvive puts a field nobody knows into every object of a
// record whose type keeps such, and looks for all of them after a round trip.
func TestUnknownFieldsSurvive(t *testing.T) {
	var tree any
	decode(t, readGolden(t), &tree)
	kept := 0
	addUnknown(t, tree, reflect.TypeFor[record.Run](), &kept)
	if kept < 15 {
		t.Fatalf("only %d objects keep unknown fields", kept)
	}
	before := encode(t, tree)

	run, err := record.Read(bytes.NewReader(before), "run.json")
	if err != nil {
		t.Fatal(err)
	}
	after := encode(t, run)
	var again any
	decode(t, after, &again)
	if diff := cmp.Diff(tree, again); diff != "" {
		t.Errorf("-before +after:\n%s", diff)
	}
	for n := 1; n <= kept; n++ {
		if !bytes.Contains(after, fmt.Appendf(nil, `"n": %d`, n)) {
			t.Errorf("unknown field %d is lost", n)
		}
	}

	second, err := record.Read(bytes.NewReader(after), "run.json")
	if err != nil {
		t.Fatal(err)
	}
	if twice := encode(t, second); !bytes.Equal(after, twice) {
		t.Errorf("a second round trip changes the bytes:\n%s", cmp.Diff(string(after), string(twice)))
	}
}

// addUnknown walks a decoded record along its Go type.
func addUnknown(t *testing.T, v any, typ reflect.Type, count *int) {
	if typ.Kind() == reflect.Pointer {
		typ = typ.Elem()
	}
	switch v := v.(type) {
	case []any:
		for _, element := range v {
			addUnknown(t, element, typ.Elem(), count)
		}
	case map[string]any:
		if typ.Kind() != reflect.Struct {
			return
		}
		for i := range typ.NumField() {
			name, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
			if part, ok := v[name]; ok {
				addUnknown(t, part, typ.Field(i).Type, count)
			}
		}
		if _, keeps := typ.FieldByName("Extra"); keeps {
			*count++
			var value any
			decode(t, fmt.Appendf(nil, newer, *count), &value)
			v["from_a_newer_version"] = value
		}
	}
}

// decode keeps numbers as they are written.
func decode(t *testing.T, data []byte, to any) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	if err := dec.Decode(to); err != nil {
		t.Fatal(err)
	}
}

// A journal keeps trials alone, one a line.
func TestUnknownFieldsOfATrialAlone(t *testing.T) {
	const line = `{"id":"x","arm":"a","cell":"c","block":0,"order":0,"start":"2026-03-09T21:15:00Z","seconds":1,"outcome":"ok","thermals":{"max":91}}`
	var trial record.Trial
	if err := json.Unmarshal([]byte(strings.ReplaceAll(line, ":{", ": {\n\t")), &trial); err != nil {
		t.Fatal(err)
	}
	if got := string(trial.Extra["thermals"]); got != `{"max":91}` || len(trial.Extra) != 1 {
		t.Errorf("extra is %s", trial.Extra)
	}
	data, err := json.Marshal(trial)
	if err != nil || string(data) != line {
		t.Errorf("%v\ngot  %s\nwant %s", err, data, line)
	}
}

// encoding/json matches names whatever their case; such a field is known.
func TestCaseOfAKnownFieldIsNotUnknown(t *testing.T) {
	var arm record.Arm
	if err := json.Unmarshal([]byte(`{"NAME":"base","Bin":"/b"}`), &arm); err != nil {
		t.Fatal(err)
	}
	if arm.Name != "base" || arm.Bin != "/b" || arm.Extra != nil {
		t.Errorf("got %+v", arm)
	}
}
