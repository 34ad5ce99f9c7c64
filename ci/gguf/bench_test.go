package gguf

import (
	"io"
	"testing"
)

// BenchmarkWrite states the budget for making a model: at least 500 MB/s before
// hashing and the disk. Run it alone: go test -bench Write ./ci/gguf
func BenchmarkWrite(b *testing.B) {
	for _, t := range []Type{F16, F32, Q8_0, Q4_0} {
		b.Run(t.String(), func(b *testing.B) {
			s, _ := Preset("small")
			s.Type = t
			b.SetBytes(s.TensorBytes())
			for b.Loop() {
				if err := Write(io.Discard, s, 1); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
