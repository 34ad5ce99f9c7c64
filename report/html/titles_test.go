package html_test

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/report"
)

// The pages take the titles of sections from the report, as the other media do.
func TestTitlesAreShared(t *testing.T) {
	titles := reflect.ValueOf(report.Titles)
	for _, name := range []string{"page.html.tmpl", "nightly.html.tmpl"} {
		page, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for i := range titles.NumField() {
			if title := titles.Field(i).String(); strings.Contains(string(page), ">"+title+"<") || strings.Contains(string(page), ">"+title+" (") {
				t.Errorf("%s spells %q itself", name, title)
			}
		}
	}
}
