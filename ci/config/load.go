package config

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// What is refused before it is parsed. The parser takes time that grows with
// the square of keys and of nesting: within these bounds well under a second,
// for a megabyte of brackets most of an hour.
const (
	maxBytes  = 1 << 20
	maxTokens = 20_000
	maxDepth  = 16
)

// Load reads and checks the configuration file at path.
func Load(path string) (*Config, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxBytes+1))
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	return Parse(data, path)
}

// Parse reads and checks a configuration. name is the path of its file, used in
// messages and to resolve relative paths. The error joins all that is wrong, in
// the order of the lines: see Error.
func Parse(data []byte, name string) (*Config, error) {
	dir, err := filepath.Abs(filepath.Dir(name))
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	root, err := parse(data, name)
	if err != nil {
		return nil, err
	}
	c := Default()
	c.Dir = dir
	sum := sha256.Sum256(data)
	c.SHA256 = hex.EncodeToString(sum[:])

	r := &reader{places: map[string]place{"": {1, 1}}}
	if r.version(root); len(r.faults) == 0 { // of another version we know no keys
		r.config(root, c)
		c.complete()
		r.faults = append(r.faults, c.check(r.faults)...)
	}
	if err := placed(name, r.places, r.faults); err != nil {
		return nil, err
	}
	return c, nil
}

// complete fills in what a file may leave out.
func (c *Config) complete() {
	if c.Baseline == "" && len(c.Arms) > 0 {
		c.Baseline = c.Arms[0].Name
	}
	for i := range c.Models {
		if m := &c.Models[i]; m.Name == "" && m.Path != "" {
			m.Name = ModelName(m.Path)
		}
	}
}

// parse returns the one document of data.
func parse(data []byte, name string) (ast.Node, error) {
	fail := func(at *token.Position, format string, args ...any) error {
		e := &Error{File: name, Line: 1, Msg: fmt.Sprintf(format, args...)}
		if at != nil {
			e.Line, e.Column = at.Line, at.Column
		}
		return e
	}
	if len(data) > maxBytes {
		return nil, fail(nil, "larger than %d KiB, which no configuration is", maxBytes>>10)
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if line, ok := textual(data); !ok {
		return nil, fail(&token.Position{Line: line}, "not a text in UTF-8")
	}
	tokens := lexer.Tokenize(string(data))
	if at := tooMuch(tokens); at != nil {
		return nil, fail(at, "longer or more deeply nested than any configuration")
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey()) // the reader names both places
	if err != nil {
		var syntax *yaml.SyntaxError
		if errors.As(err, &syntax) && syntax.Token != nil {
			at := syntax.Token.Position
			return nil, fail(at, "column %d: not valid YAML: %s", at.Column, syntax.Message)
		}
		return nil, fail(nil, "not valid YAML: %v", err)
	}
	var root ast.Node
	for _, doc := range file.Docs {
		switch body := doc.Body.(type) {
		case nil, *ast.DirectiveNode:
		default:
			if root != nil {
				return nil, fail(body.GetToken().Position, "a second YAML document; a configuration is one")
			}
			root = body
		}
	}
	if root == nil {
		return nil, fail(nil, "empty; llama-regress config init writes one to start from")
	}
	return root, nil
}

// textual says whether data is UTF-8 without control characters, and if not,
// on which line.
func textual(data []byte) (line int, ok bool) {
	line = 1
	for len(data) > 0 {
		r, size := utf8.DecodeRune(data)
		switch {
		case r == '\n':
			line++
		case r == utf8.RuneError && size == 1, r < ' ' && r != '\t' && r != '\r', r == 0x7f:
			return line, false
		}
		data = data[size:]
	}
	return line, true
}

// tooMuch returns where tokens exceed the bounds, nil when they do not.
func tooMuch(tokens token.Tokens) *token.Position {
	depth := 0
	for i, t := range tokens {
		switch t.Type {
		case token.MappingStartType, token.SequenceStartType:
			depth++
		case token.MappingEndType, token.SequenceEndType:
			depth--
		}
		if i >= maxTokens || depth > maxDepth {
			return t.Position
		}
	}
	return nil
}
