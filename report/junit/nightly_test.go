package junit_test

import (
	"bytes"
	"testing"

	"github.com/llama-regress/llama-regress/report/junit"
	"github.com/llama-regress/llama-regress/report/reporttest"
)

func TestNightlyGolden(t *testing.T) {
	for _, n := range reporttest.Nights(t) {
		t.Run(n.Name, func(t *testing.T) {
			var b bytes.Buffer
			if err := junit.WriteNightly(&b, n.Nightly); err != nil {
				t.Fatal(err)
			}
			checkStructure(t, b.Bytes())
			checkCounts(t, b.Bytes())
			checkForgery(t, b.Bytes())
			reporttest.Golden(t, "nightly-"+n.Name+".xml", b.String())
		})
	}
}
