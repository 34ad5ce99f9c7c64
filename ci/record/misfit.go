package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
)

// misfit says where data is not a run record, given the error of decoding it.
// A syntax error knows its offset. An error of type does not: encoding/json
// counts from the start of the innermost object that decodes itself, so the
// place is looked for again.
func misfit(name string, data []byte, err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("%s:%d: not a run record: %w", name, lineAt(data, syntax.Offset-1), err)
	}
	f := finder{dec: json.NewDecoder(bytes.NewReader(data))}
	if f.value(reflect.TypeFor[Run](), "", false) {
		return fmt.Errorf("%s: not a run record: %w", name, err)
	}
	for f.offset < int64(len(data)) && strings.IndexByte(" \t\r\n,:", data[f.offset]) >= 0 {
		f.offset++ // to where the value begins
	}
	if f.path != "" {
		f.path += ": "
	}
	return fmt.Errorf("%s:%d: not a run record: %s%w", name, lineAt(data, f.offset), f.path, f.why)
}

// lineAt counts lines from 1.
func lineAt(data []byte, offset int64) int {
	return 1 + bytes.Count(data[:min(max(offset, 0), int64(len(data)))], []byte("\n"))
}

// A finder looks for the first value that does not fit its Go type.
type finder struct {
	dec    *json.Decoder // over valid JSON
	path   string        // of the value at fault, "" for the whole
	offset int64         // just before it
	why    error         // nil when all fits
}

// value reads one value and returns whether it fits t; quoted is the JSON tag's
// "string".
func (f *finder) value(t reflect.Type, path string, quoted bool) bool {
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	f.path, f.offset = path, f.dec.InputOffset()
	switch {
	case ours(t):
		return f.inside('{', "an object", func() bool { return f.field(t, path) })
	case t.Kind() == reflect.Slice && ours(t.Elem()):
		i := -1
		return f.inside('[', "a list", func() bool {
			i++
			return f.value(t.Elem(), fmt.Sprintf("%s[%d]", path, i), false)
		})
	}
	to := reflect.New(t).Interface()
	if quoted {
		var text string
		if f.why = f.dec.Decode(&text); f.why == nil {
			f.why = json.Unmarshal([]byte(text), to)
		}
	} else {
		f.why = f.dec.Decode(to)
	}
	var kind *json.UnmarshalTypeError
	if errors.As(f.why, &kind) {
		f.why = fmt.Errorf("want %s, have %s", kind.Type, kind.Value)
	}
	return f.why == nil
}

// ours says whether t is one of this package's structs; others, such as
// time.Time, are read as a whole.
func ours(t reflect.Type) bool {
	return t.Kind() == reflect.Struct && t.PkgPath() == reflect.TypeFor[Run]().PkgPath()
}

// inside reads an object or a list, each part by next, and returns whether all
// of it fits.
func (f *finder) inside(open json.Delim, want string, next func() bool) bool {
	token, err := f.dec.Token()
	switch {
	case err != nil:
		f.why = err
	case token == nil: // null fits everything
		return true
	case token != open:
		f.why = fmt.Errorf("want %s, have %v", want, token)
	}
	for f.why == nil && f.dec.More() {
		if !next() {
			return false
		}
	}
	if f.why == nil {
		_, f.why = f.dec.Token()
	}
	return f.why == nil
}

// field reads a key of t and its value, which may be anything if t has no such
// field.
func (f *finder) field(t reflect.Type, path string) bool {
	key, err := f.dec.Token()
	if err != nil {
		f.why = err
		return false
	}
	at := strings.TrimPrefix(fmt.Sprintf("%s.%v", path, key), ".")
	for i := range t.NumField() {
		name, option, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if name != "-" && strings.EqualFold(name, fmt.Sprint(key)) {
			return f.value(t.Field(i).Type, at, option == "string")
		}
	}
	return f.value(reflect.TypeFor[json.RawMessage](), at, false)
}
