package html

import (
	"bytes"
	"os"
	"testing"

	"github.com/llama-regress/llama-regress/report/reporttest"
)

func TestScratch(t *testing.T) {
	for _, c := range append(reporttest.Cases(), reporttest.Grid(500, 20)) {
		var b bytes.Buffer
		if err := Write(&b, c.Report(), Options{}); err != nil {
			t.Errorf("%s: %v", c.Name, err)
		}
		os.WriteFile("/tmp/pages/"+c.Name+".html", b.Bytes(), 0o644)
		t.Log(c.Name, b.Len())
	}
}
