package record

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
)

// Extra holds the fields of a JSON object that this version does not know, so
// that reading and writing a newer record loses nothing. Tool, Build and Metric
// have none: they are compared with ==, and a newer version that adds to them
// has to add beside them.
type Extra map[string]json.RawMessage

// Decode decodes data into fields, a pointer to a struct, and into extra what
// has no field there, without the blanks between its parts: they depend on the
// depth it was written at.
func Decode(data []byte, fields any, extra *Extra) error {
	if err := json.Unmarshal(data, fields); err != nil {
		return err
	}
	known := jsonNames(reflect.TypeOf(fields).Elem())
	if *extra = nil; holdsOnly(data, known) {
		return nil
	}
	var all Extra
	if err := json.Unmarshal(data, &all); err != nil {
		return err
	}
	maps.DeleteFunc(all, func(name string, _ json.RawMessage) bool {
		return slices.ContainsFunc(known, func(k string) bool { return strings.EqualFold(k, name) })
	})
	for name, value := range all {
		var tight bytes.Buffer
		if err := json.Compact(&tight, value); err != nil {
			return err
		}
		all[name] = tight.Bytes()
	}
	if len(all) > 0 {
		*extra = all
	}
	return nil
}

// holdsOnly says whether an object, which is valid JSON, surely has no names but those
// that are known: they are spelt as there.
func holdsOnly(object []byte, known []string) bool {
	depth, name := 0, false // name: a string that comes now is one of the object's names
	for i := 0; i < len(object); i++ {
		switch object[i] {
		case '{', '[':
			depth++
			name = depth == 1
		case '}', ']':
			depth--
		case ',':
			name = depth == 1
		case '"':
			from := i + 1
			for i++; object[i] != '"'; i++ {
				if object[i] == '\\' {
					i++
				}
			}
			if name && !slices.ContainsFunc(known, func(k string) bool { return k == string(object[from:i]) }) {
				return false
			}
			name = false
		}
	}
	return true
}

// Encode encodes the struct fields, of which at least one is never left out,
// followed by extra, sorted by name.
func Encode(fields any, extra Extra) ([]byte, error) {
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

// namesOf remembers the JSON names of structs.
var namesOf sync.Map

// jsonNames lists the JSON names of a struct's fields.
func jsonNames(t reflect.Type) []string {
	if known, ok := namesOf.Load(t); ok {
		return known.([]string)
	}
	var names []string
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		if name != "-" {
			names = append(names, name)
		}
	}
	namesOf.Store(t, names)
	return names
}

// Each type that keeps unknown fields has the same two methods. Its plain twin
// sheds them, so that encoding/json does not call them again.
type (
	plainRun         Run
	plainSentinel    Sentinel
	plainArm         Arm
	plainCell        Cell
	plainTrial       Trial
	plainMeasurement Measurement
	plainFailure     Failure
	plainPlan        Plan
	plainHost        Host
	plainModel       Model
	plainResources   Resources
	plainRequest     Request
	plainLoad        Load
	plainSamples     Samples
	plainDataset     Dataset
	plainPart        Part
	plainScheduler   Scheduler
	plainPreparation Preparation
	plainInterim     Interim
	plainQuantile    Quantile
	plainDevice      Device
	plainCounting    Counting
	plainCountedTest CountedTest
	plainSummary     Summary
)

func (r *Run) UnmarshalJSON(b []byte) error { return Decode(b, (*plainRun)(r), &r.Extra) }
func (r Run) MarshalJSON() ([]byte, error)  { return Encode(plainRun(r), r.Extra) }

func (s *Sentinel) UnmarshalJSON(b []byte) error {
	return Decode(b, (*plainSentinel)(s), &s.Extra)
}
func (s Sentinel) MarshalJSON() ([]byte, error) { return Encode(plainSentinel(s), s.Extra) }

func (a *Arm) UnmarshalJSON(b []byte) error { return Decode(b, (*plainArm)(a), &a.Extra) }
func (a Arm) MarshalJSON() ([]byte, error)  { return Encode(plainArm(a), a.Extra) }

func (c *Cell) UnmarshalJSON(b []byte) error { return Decode(b, (*plainCell)(c), &c.Extra) }
func (c Cell) MarshalJSON() ([]byte, error)  { return Encode(plainCell(c), c.Extra) }

func (t *Trial) UnmarshalJSON(b []byte) error { return Decode(b, (*plainTrial)(t), &t.Extra) }
func (t Trial) MarshalJSON() ([]byte, error)  { return Encode(plainTrial(t), t.Extra) }

func (m *Measurement) UnmarshalJSON(b []byte) error {
	return Decode(b, (*plainMeasurement)(m), &m.Extra)
}
func (m Measurement) MarshalJSON() ([]byte, error) { return Encode(plainMeasurement(m), m.Extra) }

func (f *Failure) UnmarshalJSON(b []byte) error { return Decode(b, (*plainFailure)(f), &f.Extra) }
func (f Failure) MarshalJSON() ([]byte, error)  { return Encode(plainFailure(f), f.Extra) }

func (p *Plan) UnmarshalJSON(b []byte) error { return Decode(b, (*plainPlan)(p), &p.Extra) }
func (p Plan) MarshalJSON() ([]byte, error)  { return Encode(plainPlan(p), p.Extra) }

func (h *Host) UnmarshalJSON(b []byte) error { return Decode(b, (*plainHost)(h), &h.Extra) }
func (h Host) MarshalJSON() ([]byte, error)  { return Encode(plainHost(h), h.Extra) }

func (m *Model) UnmarshalJSON(b []byte) error { return Decode(b, (*plainModel)(m), &m.Extra) }
func (m Model) MarshalJSON() ([]byte, error)  { return Encode(plainModel(m), m.Extra) }

func (r *Resources) UnmarshalJSON(b []byte) error { return Decode(b, (*plainResources)(r), &r.Extra) }
func (r Resources) MarshalJSON() ([]byte, error)  { return Encode(plainResources(r), r.Extra) }

func (q *Request) UnmarshalJSON(b []byte) error { return Decode(b, (*plainRequest)(q), &q.Extra) }
func (q Request) MarshalJSON() ([]byte, error)  { return Encode(plainRequest(q), q.Extra) }

func (l *Load) UnmarshalJSON(b []byte) error { return Decode(b, (*plainLoad)(l), &l.Extra) }
func (l Load) MarshalJSON() ([]byte, error)  { return Encode(plainLoad(l), l.Extra) }

func (s *Samples) UnmarshalJSON(b []byte) error { return Decode(b, (*plainSamples)(s), &s.Extra) }
func (s Samples) MarshalJSON() ([]byte, error)  { return Encode(plainSamples(s), s.Extra) }

func (d *Dataset) UnmarshalJSON(b []byte) error { return Decode(b, (*plainDataset)(d), &d.Extra) }
func (d Dataset) MarshalJSON() ([]byte, error)  { return Encode(plainDataset(d), d.Extra) }

func (p *Part) UnmarshalJSON(b []byte) error { return Decode(b, (*plainPart)(p), &p.Extra) }
func (p Part) MarshalJSON() ([]byte, error)  { return Encode(plainPart(p), p.Extra) }

func (s *Scheduler) UnmarshalJSON(b []byte) error { return Decode(b, (*plainScheduler)(s), &s.Extra) }
func (s Scheduler) MarshalJSON() ([]byte, error)  { return Encode(plainScheduler(s), s.Extra) }

func (p *Preparation) UnmarshalJSON(b []byte) error {
	return Decode(b, (*plainPreparation)(p), &p.Extra)
}
func (p Preparation) MarshalJSON() ([]byte, error) { return Encode(plainPreparation(p), p.Extra) }

func (l *Interim) UnmarshalJSON(b []byte) error { return Decode(b, (*plainInterim)(l), &l.Extra) }
func (l Interim) MarshalJSON() ([]byte, error)  { return Encode(plainInterim(l), l.Extra) }

func (q *Quantile) UnmarshalJSON(b []byte) error { return Decode(b, (*plainQuantile)(q), &q.Extra) }
func (q Quantile) MarshalJSON() ([]byte, error)  { return Encode(plainQuantile(q), q.Extra) }

func (c *Counting) UnmarshalJSON(b []byte) error { return Decode(b, (*plainCounting)(c), &c.Extra) }
func (c Counting) MarshalJSON() ([]byte, error)  { return Encode(plainCounting(c), c.Extra) }

func (t *CountedTest) UnmarshalJSON(b []byte) error {
	return Decode(b, (*plainCountedTest)(t), &t.Extra)
}
func (t CountedTest) MarshalJSON() ([]byte, error) { return Encode(plainCountedTest(t), t.Extra) }
func (s *Summary) UnmarshalJSON(b []byte) error    { return Decode(b, (*plainSummary)(s), &s.Extra) }
func (s Summary) MarshalJSON() ([]byte, error)     { return Encode(plainSummary(s), s.Extra) }

func (d *Device) UnmarshalJSON(b []byte) error { return Decode(b, (*plainDevice)(d), &d.Extra) }
func (d Device) MarshalJSON() ([]byte, error)  { return Encode(plainDevice(d), d.Extra) }
