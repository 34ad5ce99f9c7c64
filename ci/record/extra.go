package record

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Extra holds the fields of a JSON object that this version does not know, so
// that reading and writing a newer record loses nothing. Tool, Build and Metric
// have none: they are compared with ==, and a newer version that adds to them
// has to add beside them.
type Extra map[string]json.RawMessage

// unmarshalKeeping decodes data into fields, a pointer to a struct, and
// returns what has no field there, without the blanks between its parts: they
// depend on the depth it was written at.
func unmarshalKeeping(data []byte, fields any) (Extra, error) {
	if err := json.Unmarshal(data, fields); err != nil {
		return nil, err
	}
	var all Extra
	if err := json.Unmarshal(data, &all); err != nil {
		return nil, err
	}
	known := jsonNames(reflect.TypeOf(fields).Elem())
	maps.DeleteFunc(all, func(name string, _ json.RawMessage) bool {
		return slices.ContainsFunc(known, func(k string) bool { return strings.EqualFold(k, name) })
	})
	if len(all) == 0 {
		return nil, nil
	}
	for name, value := range all {
		var tight bytes.Buffer
		if err := json.Compact(&tight, value); err != nil {
			return nil, err
		}
		all[name] = tight.Bytes()
	}
	return all, nil
}

// marshalKeeping encodes the struct fields, of which at least one is never left
// out, followed by extra, sorted by name.
func marshalKeeping(fields any, extra Extra) ([]byte, error) {
	data, err := json.Marshal(fields)
	if err != nil || len(extra) == 0 {
		return data, err
	}
	rest, err := json.Marshal(extra)
	if err != nil {
		return nil, err
	}
	return slices.Concat(bytes.TrimSuffix(data, []byte("}")), []byte(","), rest[1:]), nil
}

// jsonNames lists the JSON names of a struct's fields.
func jsonNames(t reflect.Type) []string {
	var names []string
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if name != "-" {
			names = append(names, name)
		}
	}
	return names
}

// Each type that keeps unknown fields has the same two methods; the local type
// sheds them, so that encoding/json does not call them again.

func (r *Run) UnmarshalJSON(data []byte) (err error) {
	type fields Run
	r.Extra, err = unmarshalKeeping(data, (*fields)(r))
	return err
}

func (r Run) MarshalJSON() ([]byte, error) {
	type fields Run
	return marshalKeeping(fields(r), r.Extra)
}

func (a *Arm) UnmarshalJSON(data []byte) (err error) {
	type fields Arm
	a.Extra, err = unmarshalKeeping(data, (*fields)(a))
	return err
}

func (a Arm) MarshalJSON() ([]byte, error) {
	type fields Arm
	return marshalKeeping(fields(a), a.Extra)
}

func (c *Cell) UnmarshalJSON(data []byte) (err error) {
	type fields Cell
	c.Extra, err = unmarshalKeeping(data, (*fields)(c))
	return err
}

func (c Cell) MarshalJSON() ([]byte, error) {
	type fields Cell
	return marshalKeeping(fields(c), c.Extra)
}

func (t *Trial) UnmarshalJSON(data []byte) (err error) {
	type fields Trial
	t.Extra, err = unmarshalKeeping(data, (*fields)(t))
	return err
}

func (t Trial) MarshalJSON() ([]byte, error) {
	type fields Trial
	return marshalKeeping(fields(t), t.Extra)
}

func (m *Measurement) UnmarshalJSON(data []byte) (err error) {
	type fields Measurement
	m.Extra, err = unmarshalKeeping(data, (*fields)(m))
	return err
}

func (m Measurement) MarshalJSON() ([]byte, error) {
	type fields Measurement
	return marshalKeeping(fields(m), m.Extra)
}

func (f *Failure) UnmarshalJSON(data []byte) (err error) {
	type fields Failure
	f.Extra, err = unmarshalKeeping(data, (*fields)(f))
	return err
}

func (f Failure) MarshalJSON() ([]byte, error) {
	type fields Failure
	return marshalKeeping(fields(f), f.Extra)
}

func (p *Plan) UnmarshalJSON(data []byte) (err error) {
	type fields Plan
	p.Extra, err = unmarshalKeeping(data, (*fields)(p))
	return err
}

func (p Plan) MarshalJSON() ([]byte, error) {
	type fields Plan
	return marshalKeeping(fields(p), p.Extra)
}

func (h *Host) UnmarshalJSON(data []byte) (err error) {
	type fields Host
	h.Extra, err = unmarshalKeeping(data, (*fields)(h))
	return err
}

func (h Host) MarshalJSON() ([]byte, error) {
	type fields Host
	return marshalKeeping(fields(h), h.Extra)
}

func (m *Model) UnmarshalJSON(data []byte) (err error) {
	type fields Model
	m.Extra, err = unmarshalKeeping(data, (*fields)(m))
	return err
}

func (m Model) MarshalJSON() ([]byte, error) {
	type fields Model
	return marshalKeeping(fields(m), m.Extra)
}

func (r *Resources) UnmarshalJSON(data []byte) (err error) {
	type fields Resources
	r.Extra, err = unmarshalKeeping(data, (*fields)(r))
	return err
}

func (r Resources) MarshalJSON() ([]byte, error) {
	type fields Resources
	return marshalKeeping(fields(r), r.Extra)
}

func (q *Request) UnmarshalJSON(data []byte) (err error) {
	type fields Request
	q.Extra, err = unmarshalKeeping(data, (*fields)(q))
	return err
}

func (q Request) MarshalJSON() ([]byte, error) {
	type fields Request
	return marshalKeeping(fields(q), q.Extra)
}

func (l *Load) UnmarshalJSON(data []byte) (err error) {
	type fields Load
	l.Extra, err = unmarshalKeeping(data, (*fields)(l))
	return err
}

func (l Load) MarshalJSON() ([]byte, error) {
	type fields Load
	return marshalKeeping(fields(l), l.Extra)
}

func (s *Samples) UnmarshalJSON(data []byte) (err error) {
	type fields Samples
	s.Extra, err = unmarshalKeeping(data, (*fields)(s))
	return err
}

func (s Samples) MarshalJSON() ([]byte, error) {
	type fields Samples
	return marshalKeeping(fields(s), s.Extra)
}

func (d *Dataset) UnmarshalJSON(data []byte) (err error) {
	type fields Dataset
	d.Extra, err = unmarshalKeeping(data, (*fields)(d))
	return err
}

func (d Dataset) MarshalJSON() ([]byte, error) {
	type fields Dataset
	return marshalKeeping(fields(d), d.Extra)
}

func (p *Part) UnmarshalJSON(data []byte) (err error) {
	type fields Part
	p.Extra, err = unmarshalKeeping(data, (*fields)(p))
	return err
}

func (p Part) MarshalJSON() ([]byte, error) {
	type fields Part
	return marshalKeeping(fields(p), p.Extra)
}

func (s *Scheduler) UnmarshalJSON(data []byte) (err error) {
	type fields Scheduler
	s.Extra, err = unmarshalKeeping(data, (*fields)(s))
	return err
}

func (s Scheduler) MarshalJSON() ([]byte, error) {
	type fields Scheduler
	return marshalKeeping(fields(s), s.Extra)
}

func (p *Preparation) UnmarshalJSON(data []byte) (err error) {
	type fields Preparation
	p.Extra, err = unmarshalKeeping(data, (*fields)(p))
	return err
}

func (p Preparation) MarshalJSON() ([]byte, error) {
	type fields Preparation
	return marshalKeeping(fields(p), p.Extra)
}

func (l *Look) UnmarshalJSON(data []byte) (err error) {
	type fields Look
	l.Extra, err = unmarshalKeeping(data, (*fields)(l))
	return err
}

func (l Look) MarshalJSON() ([]byte, error) {
	type fields Look
	return marshalKeeping(fields(l), l.Extra)
}
