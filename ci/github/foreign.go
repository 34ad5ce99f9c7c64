package github

import (
	"fmt"
	"io"
	"reflect"

	"github.com/llama-regress/llama-regress/ci/record"
)

// readForeign reads a run record as strictly as can be: bounded in every
// direction, and without a field that this version does not know. Numbers are
// finite and references lead somewhere, as record.Read demands of every record.
func readForeign(r io.Reader, name string) (*record.Run, error) {
	run, err := record.ReadForeign(r, name, maxRecord)
	if err != nil {
		return nil, err
	}
	if field := unknownField(run); field != "" {
		return nil, fmt.Errorf("%s: unknown field %q; use the same version of llama-regress to measure and to report", name, cutName(field))
	}
	return run, nil
}

// unknownField returns the name of a field that the record's writer had and
// this version has not, wherever it stands, "" when there is none.
func unknownField(run *record.Run) string { return unknownIn(reflect.ValueOf(run)) }

var extras = reflect.TypeFor[record.Extra]()

func unknownIn(v reflect.Value) string {
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() {
			return unknownIn(v.Elem())
		}
	case reflect.Slice:
		if t := v.Type().Elem(); t.Kind() != reflect.Struct && t.Kind() != reflect.Pointer {
			return "" // texts and numbers have no fields
		}
		for i := range v.Len() {
			if name := unknownIn(v.Index(i)); name != "" {
				return name
			}
		}
	case reflect.Struct:
		for i := range v.NumField() {
			field := v.Field(i)
			if field.Type() == extras {
				for _, name := range field.MapKeys() {
					return name.String()
				}
			} else if name := unknownIn(field); name != "" {
				return name
			}
		}
	}
	return ""
}
