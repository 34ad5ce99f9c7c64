package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A change point of a nightly says where to search; one that cannot says why.
func TestReadChangePoint(t *testing.T) {
	point := func(id, state, good, bad, class string) string {
		return `{"id":"` + id + `","state":"` + state + `","worse":true,"title":"t","rows":[{"class":"` + class + `","comparison":{"cell":"bench/m","metric":{"name":"tg128"}}}],
			"surely_good":{"commit":"` + good + `"},"surely_bad":{"commit":"` + bad + `"}}`
	}
	doc := func(points ...string) string {
		return `{"schema":"llama-regress/nightly/v1","machines":[{"change_points":[` + strings.Join(points, ",") + `]}]}`
	}
	two := doc(point("over", "recovered", "a", "b", "regression"), point("first", "open", "c", "d", "regression"), point("second", "open", "e", "f", "regression"))
	for name, tt := range map[string]struct{ text, id, want, fault string }{
		"the worst open one": {two, "", "c..d", ""},
		"by its ID":          {two, "second", "e..f", ""},
		"one that is over":   {two, "over", "a..b", ""},
		"no such ID":         {two, "third", "", `no change point is "third"; open are first, second`},
		"none is open":       {doc(point("over", "recovered", "a", "b", "regression")), "", "", "no regression is open"},
		"a gain":             {doc(point("x", "open", "a", "b", "improvement")), "", "", "nothing of change point x got worse"},
		"no commit":          {doc(point("x", "open", "", "b", "regression")), "", "", "name them with --good and --bad"},
		"one commit":         {doc(point("x", "open", "a", "a", "regression")), "", "", "no commit is to blame"},
		"another report":     {`{"schema":"llama-regress/report/v1"}`, "", "", "nightly --json"},
		"no JSON":            {`<html>`, "", "", "invalid character"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "night.json")
			if err := os.WriteFile(path, []byte(tt.text), 0o644); err != nil {
				t.Fatal(err)
			}
			got, err := readChangePoint(path, tt.id)
			if tt.fault != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fault) || !strings.Contains(err.Error(), path) {
					t.Errorf("got %v, want %q", err, tt.fault)
				}
				return
			}
			if err != nil || got.good+".."+got.bad != tt.want || got.cell != "bench/m" || got.metric != "tg128" {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}
