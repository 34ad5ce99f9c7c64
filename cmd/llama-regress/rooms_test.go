package main

import (
	"go/parser"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Each command is a package, which only the root command imports: what two of
// them need lies below both.
func TestCommandsImportNoCommand(t *testing.T) {
	const rooms = "github.com/llama-regress/llama-regress/cmd/internal/"
	files, err := filepath.Glob("../internal/*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	commands, imports := make(map[string]bool), make(map[string]map[string]bool)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		room := filepath.Base(filepath.Dir(file))
		if strings.Contains(string(text), "\nfunc Command(") {
			commands[room] = true
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, text, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		for _, spec := range parsed.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(imported, rooms) {
				if imports[room] == nil {
					imports[room] = make(map[string]bool)
				}
				imports[room][path.Base(imported)] = true
			}
		}
	}
	if len(commands) < 15 {
		t.Fatalf("%d commands in %d files", len(commands), len(files))
	}
	for room, all := range imports {
		for imported := range all {
			if commands[imported] {
				t.Errorf("cmd/internal/%s imports the command %s", room, imported)
			}
		}
	}
}
