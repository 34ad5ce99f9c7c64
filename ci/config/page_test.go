package config_test

import (
	"cmp"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/record"
)

var update = flag.Bool("update", false, "write the page of the configuration")

// The page that describes the configuration is what the schema says.
func TestPageIsGenerated(t *testing.T) {
	root, err := filepath.Abs(".")
	for ; err == nil; root = filepath.Dir(root) {
		if _, missing := os.Stat(filepath.Join(root, "go.mod")); missing == nil || root == filepath.Dir(root) {
			break
		}
	}
	file := filepath.Join(root, ".github", "docs", "configuration.md")
	var schema map[string]any
	if err := json.Unmarshal([]byte(config.Schema()), &schema); err != nil {
		t.Fatal(err)
	}
	want := page{schema: schema}.text()
	if *update {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(have) != want {
		t.Errorf("%s is not what the schema says; run this test with -update", file)
	}
}

// A page is the configuration's schema in words.
type page struct {
	schema map[string]any
	b      strings.Builder
}

const head = "# `llama-regress.yaml`\n\n" +
	"Generated from the schema (`go test ./ci/config -run Page -update`), which `llama-regress config schema` prints for editors. " +
	"`llama-regress config init` writes a commented file to start from, `config check` says what is wrong in one, with its line, or what it would run. " +
	"Unknown keys are errors. Paths are relative to the file.\n"

func (p page) text() string {
	w := &p
	w.b.WriteString(head)
	properties := child(p.schema, "properties")
	first := []string{"version", "arms", "baseline", "models", "matrix", "bench", "serve", "placement", "schedulers", "sampling", "gate", "build", "store"}
	for _, name := range append(first, sorted(properties)...) {
		if node, ok := properties[name].(map[string]any); ok {
			w.section(name, node)
			delete(properties, name)
		}
	}
	w.b.WriteString("\n## Parameters\n\nOf `matrix`, of an arm's `params`, and, those of llama-server, of `serve: {server: ...}`. A list in `matrix` makes a cell of each value.\n\n")
	w.b.WriteString("| parameter | values | meaning |\n|---|---|---|\n")
	params := child(p.schema, "$defs", "params", "properties")
	for _, name := range sorted(params) {
		doc := ""
		if i := slices.IndexFunc(record.Params, func(q record.Param) bool { return q.Name == name }); i >= 0 {
			doc = record.Params[i].Doc
		}
		node := w.resolved(params[name])
		w.row(name, node, cmp.Or(description(node), doc))
	}
	return p.b.String()
}

func (p *page) section(name string, node map[string]any) {
	fmt.Fprintf(&p.b, "\n## `%s`\n\n", name)
	inner := p.resolved(node)
	if text := description(inner); text != "" {
		fmt.Fprintf(&p.b, "%s.\n\n", strings.TrimSuffix(text, "."))
	}
	if name == "gate" {
		p.gate(inner)
		return
	}
	if items, ok := inner["items"].(map[string]any); ok {
		p.b.WriteString("A list; each entry has\n\n")
		inner = p.resolved(items)
	}
	if child(inner, "properties") == nil {
		fmt.Fprintf(&p.b, "Value: %s\n", p.values(inner))
		return
	}
	p.b.WriteString("| key | values | meaning |\n|---|---|---|\n")
	p.rows("", inner)
}

// rows lists the keys of an object and, indented by their path, those of the
// objects in it. Parameters have a table of their own.
func (p *page) rows(path string, node map[string]any) {
	properties := child(node, "properties")
	required, _ := node["required"].([]any)
	for _, name := range sorted(properties) {
		if slices.ContainsFunc(record.Params, func(q record.Param) bool { return q.Name == name }) && path != "" || path == "" && isMatrix(node, name) {
			continue
		}
		inner := p.resolved(properties[name])
		text := description(inner)
		if slices.Contains(required, any(name)) {
			text = strings.TrimPrefix(text+". Required", ". ")
		}
		p.row(path+name, inner, text)
		if child(inner, "properties") != nil && name != "params" {
			p.rows(path+name+".", inner)
		}
	}
}

func isMatrix(node map[string]any, name string) bool {
	_, matrix := child(node, "properties")["include"]
	return matrix && name != "include" && name != "exclude"
}

func (p *page) gate(node map[string]any) {
	p.b.WriteString("| key | values | default | judges |\n|---|---|---|---|\n")
	margins := record.DefaultMargins()
	row := func(name, values, margin, judges string) {
		fmt.Fprintf(&p.b, "| `%s` | %s | %s | %s |\n", name, values, margin, judges)
	}
	row("fail", p.values(p.resolved(child(node, "properties", "fail"))), "`regression`", "what fails: see [inconclusive](inconclusive.md)")
	seen := map[string]bool{}
	for _, d := range record.Definitions() {
		for _, name := range []string{d.Kind, d.Name} {
			if seen[name] {
				continue
			}
			seen[name] = true
			values, margin := "`{margin: 3%}`", "shown, not judged"
			if d.Scale == record.Points {
				values = "`{margin: 2pp}`"
			}
			if m := margins[name]; m != 0 && d.Scale == record.Points {
				margin = fmt.Sprintf("%gpp", 100*m)
			} else if m != 0 {
				margin = fmt.Sprintf("%g%%", 100*m)
			} else if m := margins[d.Kind]; m != 0 && name != d.Kind {
				margin = "that of `" + d.Kind + "`"
			}
			meaning := d.Meaning
			if name == d.Kind && d.Kind != d.Name {
				meaning = "every metric of this kind"
			}
			row(name, values, margin, escape(cmp.Or(meaning, "as the row before")))
		}
	}
}

func (p *page) row(name string, node map[string]any, text string) {
	fmt.Fprintf(&p.b, "| `%s` | %s | %s |\n", name, p.values(node), escape(text))
}

// values words what a node accepts.
func (p *page) values(node map[string]any) string {
	if c, ok := node["const"]; ok {
		return fmt.Sprintf("`%v`", c)
	}
	if list, ok := node["enum"].([]any); ok {
		var words []string
		for _, v := range list {
			if _, ok := v.(bool); !ok {
				words = append(words, fmt.Sprintf("`%v`", v))
			}
		}
		return strings.Join(words, ", ")
	}
	if list, ok := node["anyOf"].([]any); ok {
		var words []string
		for _, one := range list {
			inner := p.resolved(one)
			if inner["pattern"] != nil && inner["type"] == "string" && len(words) > 0 {
				continue // the same number, in quotes
			}
			if text := p.values(inner); text != "" && !slices.Contains(words, text) {
				words = append(words, text)
			}
		}
		return strings.Join(words, " or ")
	}
	kind := "text"
	switch t := node["type"].(type) {
	case string:
		kind = t
	case []any:
		if slices.Contains(t, any("object")) {
			kind = "object"
		}
	}
	switch kind {
	case "integer", "number":
		return bounds(kind, node)
	case "boolean":
		return "`true`, `false`"
	case "array":
		if items, ok := node["items"]; ok {
			return "list of " + strings.TrimPrefix(p.values(p.resolved(items)), "an ")
		}
		return "list"
	case "object":
		return "keys"
	}
	if pattern, _ := node["pattern"].(string); strings.Contains(pattern, "ns|us") {
		return "duration, such as `30s`"
	}
	return "text"
}

func bounds(kind string, node map[string]any) string {
	name := map[string]string{"integer": "whole number", "number": "number"}[kind]
	number := func(key string) (string, bool) {
		x, ok := node[key].(float64)
		if x >= 1e9 {
			return "", false // no bound that anybody meets
		}
		return fmt.Sprintf("%.12g", x), ok
	}
	if low, ok := number("minimum"); ok {
		name += " from " + low
	} else if low, ok := number("exclusiveMinimum"); ok {
		name += " above " + low
	}
	if high, ok := number("maximum"); ok {
		name += " to " + high
	} else if high, ok := number("exclusiveMaximum"); ok {
		name += " below " + high
	}
	return name
}

// resolved follows $ref and allOf; what a node says itself wins.
func (p *page) resolved(node any) map[string]any {
	n, _ := node.(map[string]any)
	out := maps.Clone(n)
	merge := func(other map[string]any) {
		for k, v := range other {
			if _, ok := out[k]; !ok {
				out[k] = v
			}
		}
	}
	if ref, ok := n["$ref"].(string); ok {
		merge(p.resolved(child(p.schema, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)))
	}
	if all, ok := n["allOf"].([]any); ok {
		for _, one := range all {
			merge(p.resolved(one))
		}
	}
	return out
}

func child(node map[string]any, path ...string) map[string]any {
	for _, key := range path {
		node, _ = node[key].(map[string]any)
	}
	return node
}

func description(node map[string]any) string {
	text, _ := node["description"].(string)
	return text
}

func escape(text string) string { return strings.NewReplacer("|", `\|`, "\n", " ").Replace(text) }

func sorted(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }
