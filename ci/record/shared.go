package record

import (
	"encoding/binary"
	"maps"
	"math"
)

// Shared counts the trials of an arm of another run that are trials of this arm too:
// of one start, with one echo and one set of values. of is how many that arm has.
// Two measurements share none.
func (r *Run) Shared(arm string, other *Run, otherArm string) (shared, of int) {
	seen := make(map[string]*Trial, len(r.Trials))
	var key []byte
	for i := range r.Trials {
		if t := &r.Trials[i]; t.Arm == arm && len(t.Measurements) > 0 {
			key = t.appendPrint(key[:0])
			seen[string(key)] = t
		}
	}
	for i := range other.Trials {
		if t := &other.Trials[i]; t.Arm == otherArm && len(t.Measurements) > 0 {
			of++
			key = t.appendPrint(key[:0])
			if same, ok := seen[string(key)]; ok && maps.Equal(same.Echo, t.Echo) {
				shared++
			}
		}
	}
	return shared, of
}

// appendPrint appends what no two measured trials have in common.
func (t *Trial) appendPrint(b []byte) []byte {
	b = binary.AppendVarint(b, t.Start.UnixNano())
	b = binary.BigEndian.AppendUint64(b, math.Float64bits(t.Seconds))
	for _, m := range t.Measurements {
		b = append(binary.AppendUvarint(b, uint64(len(m.Metric))), m.Metric...)
		b = binary.AppendUvarint(b, uint64(len(m.Values)))
		for _, v := range m.Values {
			b = binary.BigEndian.AppendUint64(b, math.Float64bits(v))
		}
	}
	return b
}
