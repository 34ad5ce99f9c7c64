package github

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/llama-regress/llama-regress/ci/record"
)

// A field that this version does not know is seen wherever a record can keep one.
func TestUnknownFieldInEveryPlace(t *testing.T) {
	places := 0
	var fill func(v reflect.Value, path string, run *record.Run)
	fill = func(v reflect.Value, path string, run *record.Run) {
		switch v.Kind() {
		case reflect.Pointer:
			if v.Type().Elem().Kind() == reflect.Struct {
				v.Set(reflect.New(v.Type().Elem()))
				fill(v.Elem(), path, run)
				v.SetZero()
			}
		case reflect.Slice:
			if k := v.Type().Elem().Kind(); k == reflect.Struct {
				v.Set(reflect.MakeSlice(v.Type(), 2, 2))
				fill(v.Index(1), path+"[1]", run)
				v.SetZero()
			}
		case reflect.Struct:
			for i := range v.NumField() {
				f := v.Type().Field(i)
				if f.Type != extras {
					if f.IsExported() {
						fill(v.Field(i), path+"."+f.Name, run)
					}
					continue
				}
				places++
				v.Field(i).Set(reflect.ValueOf(record.Extra{"newer": json.RawMessage("1")}))
				if got := unknownField(run); got != "newer" {
					t.Errorf("%s.Extra: not seen", path)
				}
				v.Field(i).SetZero()
			}
		}
	}
	run := new(record.Run)
	fill(reflect.ValueOf(run).Elem(), "run", run)
	if got := unknownField(run); got != "" || places < 18 {
		t.Errorf("%q in an empty record; %d places, want all of them", got, places)
	}
}
