package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A page that names a test is believed, so the test is there.
func TestCitedTestsExist(t *testing.T) {
	page := readDoc(t, ".github", "docs", "llama-cpp.md")
	cited := regexp.MustCompile("`(Test[A-Za-z0-9]+)`").FindAllStringSubmatch(page, -1)
	if len(cited) < 20 {
		t.Fatalf("%d tests are cited", len(cited))
	}
	there := make(map[string]bool)
	declared := regexp.MustCompile(`(?m)^func (Test\w+)\(t \*testing\.T\)`)
	err := filepath.WalkDir(filepath.Join(repository(t), "ci"), func(path string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, "_test.go") {
			return err
		}
		text, err := os.ReadFile(path)
		for _, m := range declared.FindAllSubmatch(text, -1) {
			there[string(m[1])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range cited {
		if !there[m[1]] {
			t.Errorf("llama-cpp.md names %s, which is no test", m[1])
		}
	}
}
