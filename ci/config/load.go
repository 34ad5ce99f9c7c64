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
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// What is refused before it is parsed. The YAML library can take time that grows
// with the square of what it is given. Within all these bounds it needs a second
// at worst.
const (
	maxBytes      = 64 << 10
	maxLines      = 2_000
	maxLineLength = 4 << 10 // bytes
	maxTokens     = 20_000
	maxDepth      = 16 // of brackets and braces
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
		_, says := r.places["serve.api"]
		c.complete(says)
		for _, f := range c.check(r.faults) {
			f.place = nearest(r.places, f.path)
			r.faults = append(r.faults, f)
		}
	}
	if err := join(name, r.faults); err != nil {
		return nil, err
	}
	return c, nil
}

// complete fills in what a file may leave out. Servers that already run are asked by
// OpenAI's chat interface, which all of them have, and conversations are held by it,
// unless the configuration says which.
func (c *Config) complete(saysAPI bool) {
	if c.Baseline == "" && len(c.Arms) > 0 {
		c.Baseline = c.Arms[0].Name
	}
	if len(c.Models) == 0 && len(c.Arms) > 0 && !c.builds() {
		c.Models = []Model{{Name: ServedModel}}
	}
	for i := range c.Models {
		if m := &c.Models[i]; m.Name == "" && m.Path != "" {
			m.Name = ModelName(m.Path)
		}
	}
	if c.Serve != nil && (c.Running() || c.Serve.Turns != Turns{}) && !saysAPI {
		c.Serve.API = "chat"
	}
}

// parse returns the one document of data.
func parse(data []byte, name string) (ast.Node, error) {
	fail := func(at place, format string, args ...any) error {
		return fault{bare: true, place: at, msg: fmt.Sprintf(format, args...)}.in(name)
	}
	start := place{1, 1}
	if len(data) > maxBytes {
		return nil, fail(start, "larger than %d KiB, which no configuration is", maxBytes>>10)
	}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	if line, why := unfit(data); why != "" {
		return nil, fail(place{line: line}, "%s", why)
	}
	// The lexer counts some line ends of Windows twice.
	tokens := lexer.Tokenize(strings.ReplaceAll(string(data), "\r\n", "\n"))
	if t := tooMuch(tokens); t != nil {
		return nil, fail(placeOf(t), "longer or more deeply nested than any configuration")
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey()) // the reader names both places
	if err != nil {
		var syntax *yaml.SyntaxError
		if errors.As(err, &syntax) && syntax.Token != nil {
			at := placeOf(syntax.Token)
			return nil, fail(at, "column %d: not valid YAML: %s", at.column, cut(syntax.Message, 200))
		}
		return nil, fail(start, "not valid YAML: %s", cut(err.Error(), 200))
	}
	var root ast.Node
	for _, doc := range file.Docs {
		if doc.Body == nil || doc.Body.Type() == ast.DirectiveType {
			continue
		}
		if root != nil {
			return nil, fail(placeOf(firstToken(doc.Body)), "a second YAML document; a configuration is one")
		}
		root = doc.Body
	}
	if root == nil {
		return nil, fail(start, "empty; 'llama-regress config init' writes one to start from")
	}
	return root, nil
}

// unfit says on which line data is something that the YAML library must not
// see, and why; "" when it may.
func unfit(data []byte) (line int, why string) {
	line, length := 1, 0
	for i := 0; i < len(data); {
		r, size := utf8.DecodeRune(data[i:])
		next := i + size
		switch {
		case r == utf8.RuneError && size == 1:
			return line, "not a text in UTF-8"
		case r == '\n':
			line, length = line+1, -size
		case r == '\r' && (next == len(data) || data[next] != '\n'):
			return line, "a carriage return that ends no line"
		case r < ' ' && r != '\t' && r != '\r', r == 0x7f:
			return line, fmt.Sprintf("a control character (U+%04X)", r)
		}
		if length += size; length > maxLineLength {
			return line, fmt.Sprintf("a line of more than %d bytes", maxLineLength)
		}
		i = next
	}
	if line > maxLines {
		return maxLines, fmt.Sprintf("more than %d lines, which no configuration has", maxLines)
	}
	return 0, ""
}

// tooMuch returns the token that exceeds the bounds, nil when none does.
func tooMuch(tokens token.Tokens) *token.Token {
	depth := 0
	for i, t := range tokens {
		switch t.Type {
		case token.MappingStartType, token.SequenceStartType:
			depth++
		case token.MappingEndType, token.SequenceEndType:
			depth--
		}
		if i >= maxTokens || depth > maxDepth {
			return t
		}
	}
	return nil
}
