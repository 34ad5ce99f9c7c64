package record

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// What Decode keeps is what encoding/json finds beside the fields, however names are
// spelt and whatever is nested.
func TestDecodeKeepsTheRest(t *testing.T) {
	type fields struct {
		A int            `json:"a"`
		B map[string]any `json:"b,omitempty"`
		C string         `json:"c,omitempty"`
	}
	for _, text := range []string{
		`{}`, `null`, `{"a":1}`, `{"a":1,"b":{"x":1,"y":{"z":[{"q":2}]}},"c":"d"}`, `{"z":1}`, `{"a":1,"z":{"a":2}}`, `{ "b" : {"a":1} , "z" : [1, "a"] }`,
		`{"A":1}`, `{"\u0061":1}`, `{"\u007a":1}`, `{"a":1,"a":2}`, `{"c":"x\"y,\"z\":1"}`, `{"c":"\\","z":1}`, `{"b":{"z":1},"c":"}"}`, `{"z\"":1}`, `{"":1}`, "{\n\t\"a\": 1,\n\t\"z\": 2\n}",
	} {
		var want Extra
		if err := json.Unmarshal([]byte(text), &want); err != nil {
			t.Fatal(text, err)
		}
		maps.DeleteFunc(want, func(name string, _ json.RawMessage) bool {
			return slices.ContainsFunc([]string{"a", "b", "c"}, func(k string) bool { return strings.EqualFold(k, name) })
		})
		got := Extra{"of": nil} // another one's, which must go
		if err := Decode([]byte(text), new(fields), &got); err != nil {
			t.Fatal(text, err)
		}
		names := func(e Extra) []string { return slices.Sorted(maps.Keys(e)) }
		if !reflect.DeepEqual(names(got), names(want)) {
			t.Errorf("%s: kept %v, want %v", text, names(got), names(want))
		}
	}
}
