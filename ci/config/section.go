package config

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// A Section is what a configuration says of one workload, such as Bench is of
// llama-bench. Its fields have yaml tags.
type Section interface {
	// Check returns what is wrong with the values, nil when nothing is. An error
	// names the key first, followed by a colon.
	Check() error
}

// A section is how the section of a registered workload is read.
type section struct {
	name   string
	schema json.RawMessage
	empty  func() Section
}

var sections = []section{batchedSection, opsSection}

// Register makes the key name of a configuration a section of its own, read
// into what empty returns, a pointer to a struct with its defaults. schema is
// its JSON Schema. The section is found in Config.Sections. It returns what
// takes the section out again, and panics on a key that exists.
func Register(name string, schema json.RawMessage, empty func() Section) (unregister func()) {
	var r reader
	if _, exists := r.topKeys(&Config{}, new(bool))[name]; exists {
		panic(fmt.Sprintf("config: Register: the key %q exists", name))
	}
	before := sections
	sections = append(sections[:len(sections):len(sections)], section{name, schema, empty})
	return func() { sections = before }
}

// section reads the section of a registered workload.
func (r *reader) section(s section, c *Config) setter {
	return func(path string, n ast.Node) {
		v := s.empty()
		if err := yaml.NodeToValue(n, v, yaml.Strict()); err != nil {
			r.fault(path, "%s", cut(strings.SplitN(err.Error(), "\n", 2)[0], 200))
			return
		}
		if c.Sections == nil {
			c.Sections = make(map[string]Section)
		}
		c.Sections[s.name] = v
	}
}
