package githubtest

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// shapes.json is cut out of GitHub's own description; its head says from which.
//
//go:embed shapes.json
var shapesJSON []byte

// An operation is one thing that GitHub's API does.
type operation struct {
	Operation string          `json:"operation"`
	Method    string          `json:"method"`
	Path      string          `json:"path"`
	Success   string          `json:"success"` // status of the regular answer
	Query     []string        `json:"query"`   // parameters that it knows
	Body      json.RawMessage `json:"body"`    // JSON Schema; nil when it takes none
	Answer    json.RawMessage `json:"answer"`  // GitHub's example

	pattern *regexp.Regexp
	schema  *jsonschema.Schema
}

// operations are read when a server first needs them: the command's test binary
// starts many times as the command, which needs none.
var operations = sync.OnceValue(loadOperations)

func loadOperations() []*operation {
	var doc struct{ Operations []*operation }
	if err := json.Unmarshal(shapesJSON, &doc); err != nil {
		panic(err)
	}
	for _, op := range doc.Operations {
		op.pattern = regexp.MustCompile("^" + regexp.MustCompile(`\\\{(\w+)\\\}`).ReplaceAllString(regexp.QuoteMeta(op.Path), `(?P<$1>[^/]+)`) + "$")
		if op.Body == nil {
			continue
		}
		schema, err := jsonschema.UnmarshalJSON(strings.NewReader(string(op.Body)))
		if err != nil {
			panic(err)
		}
		c := jsonschema.NewCompiler()
		if err := c.AddResource("body.json", schema); err != nil {
			panic(err)
		}
		op.schema = c.MustCompile("body.json")
	}
	return doc.Operations
}

// find returns the operation that a request asks for and the parts of its path.
func find(r *http.Request) (*operation, map[string]string) {
	path, ok := strings.CutPrefix(r.URL.EscapedPath(), Prefix)
	if !ok {
		return nil, nil
	}
	for _, op := range operations() {
		parts := op.pattern.FindStringSubmatch(path)
		if parts == nil || op.Method != r.Method {
			continue
		}
		vars := make(map[string]string)
		for i, name := range op.pattern.SubexpNames() {
			vars[name] = parts[i]
		}
		if vars["owner"]+"/"+vars["repo"] != Repo {
			return nil, nil
		}
		return op, vars
	}
	return nil, nil
}

// check holds a request against the published shape and returns its body.
func (op *operation) check(r *http.Request) (map[string]any, error) {
	for name := range r.URL.Query() {
		if !slices.Contains(op.Query, name) {
			return nil, fmt.Errorf("query parameter %q is not one of %v", name, op.Query)
		}
	}
	if !strings.Contains(r.Header.Get("Accept"), "application/vnd.github") || r.Header.Get("X-GitHub-Api-Version") == "" || r.UserAgent() == "" {
		return nil, fmt.Errorf("accept %q, version %q, user agent %q: GitHub wants all three", r.Header.Get("Accept"), r.Header.Get("X-GitHub-Api-Version"), r.UserAgent())
	}
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if op.schema == nil {
		if len(data) > 0 {
			return nil, fmt.Errorf("it takes no body, got %.100q", data)
		}
		return nil, nil
	}
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(string(data)))
	if err != nil {
		return nil, err
	}
	if err := op.schema.Validate(value); err != nil {
		return nil, err
	}
	body, ok := value.(map[string]any)
	if !ok {
		return nil, errors.New("the body is no object")
	}
	return body, nil
}

// example returns a fresh copy of GitHub's own answer, of which a list or a
// page holds one entry under the key.
func (op *operation) example(key string) map[string]any {
	var any any
	if err := json.Unmarshal(op.Answer, &any); err != nil {
		panic(err)
	}
	return entry(any, key)
}

func entry(v any, key string) map[string]any {
	switch v := v.(type) {
	case []any:
		return v[0].(map[string]any)
	case map[string]any:
		if list, ok := v[key].([]any); ok {
			return list[0].(map[string]any)
		}
		return v
	}
	panic(fmt.Sprintf("no entry in %T", v))
}
