package main

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/llama-regress/llama-regress/ci/record"
)

// repository is the folder of go.mod, above the folder of this test.
func repository(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	for ; dir != filepath.Dir(dir); dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
	}
	t.Fatal("no go.mod above this test")
	return ""
}

func readDoc(t *testing.T, path ...string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(append([]string{repository(t)}, path...)...))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var (
	fenced  = regexp.MustCompile("(?ms)^```.*?^```$|`[^`\n]*`")
	links   = regexp.MustCompile(`\]\(([^()\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ +(.+?) *$`)
)

// brokenLinks lists the relative links of a Markdown file that lead nowhere:
// to no file, or to no heading of one.
func brokenLinks(path string) (broken []string, checked int, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, 0, err
	}
	for _, m := range links.FindAllStringSubmatch(fenced.ReplaceAllString(string(text), ""), -1) {
		if strings.Contains(m[1], ":") {
			continue // of the web
		}
		checked++
		file, anchor, _ := strings.Cut(m[1], "#")
		target := path
		if file != "" {
			target = filepath.Join(filepath.Dir(path), filepath.FromSlash(file))
		}
		info, err := os.Stat(target)
		if err != nil {
			broken = append(broken, m[1]+": there is no such file")
			continue
		}
		if anchor == "" || info.IsDir() {
			continue
		}
		page, err := os.ReadFile(target)
		if err != nil {
			return nil, 0, err
		}
		if !anchors(string(page))[anchor] {
			broken = append(broken, m[1]+": there is no such heading")
		}
	}
	return broken, checked, nil
}

// anchors are those that GitHub gives the headings of a page.
func anchors(page string) map[string]bool {
	all := make(map[string]bool)
	for _, m := range heading.FindAllStringSubmatch(page, -1) {
		all[strings.Map(func(r rune) rune {
			switch {
			case r == ' ':
				return '-'
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				return unicode.ToLower(r)
			}
			return -1
		}, m[1])] = true
	}
	return all
}

// Every relative link of every Markdown file leads somewhere.
func TestLinks(t *testing.T) {
	root, total := repository(t), 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || d.Name() == "testdata"):
			return filepath.SkipDir
		case d.IsDir() || filepath.Ext(path) != ".md" || strings.HasPrefix(path, filepath.Join(root, "llama-regress-out")):
			return nil
		}
		broken, checked, err := brokenLinks(path)
		for _, b := range broken {
			t.Errorf("%s: %s", path, b)
		}
		total += checked
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if total < 40 {
		t.Errorf("only %d relative links were seen", total)
	}
}

func TestBrokenLinks(t *testing.T) {
	dir := t.TempDir()
	page := filepath.Join(dir, "page.md")
	text := "# A `code`, and 2 words\n[a](page.md) [b](#a-code-and-2-words) [c](gone.md) [d](page.md#gone) [e](https://example.org/x)\n```\n[f](gone.md)\n```\n"
	if err := os.WriteFile(page, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	broken, checked, err := brokenLinks(page)
	if err != nil || checked != 4 || len(broken) != 2 || !strings.HasPrefix(broken[0], "gone.md:") || !strings.HasPrefix(broken[1], "page.md#gone:") {
		t.Errorf("%q of %d, %v", broken, checked, err)
	}
}

// The README stays short and keeps the commands that people and machines read
// off it.
func TestReadme(t *testing.T) {
	text := readDoc(t, "README.md")
	if len(text) > 6<<10 {
		t.Errorf("README.md has %d bytes, want at most 6 KiB: the manual is in .github/docs", len(text))
	}
	for _, want := range []string{"\ngo run ./cmd/llama-regress quickstart ", "\ngo test -race -timeout 40m ./... ", "-DBUILD_SHARED_LIBS=OFF"} {
		if !strings.Contains(text, want) {
			t.Errorf("README.md lacks %q", want)
		}
	}
}

// Every reason of an inconclusive comparison has its place in the page that
// says what to do, and in the table of decisions.
func TestReasonsAreExplained(t *testing.T) {
	page, table := readDoc(t, ".github", "docs", "inconclusive.md"), readDoc(t, ".github", "docs", "verdicts.md")
	codes := regexp.MustCompile(`ReasonCode = "(\w+)"`).FindAllStringSubmatch(readDoc(t, "compare", "verdict.go")+readDoc(t, "compare", "history", "withhold.go"), -1)
	if len(codes) < 10 {
		t.Fatalf("%d reasons in compare/verdict.go", len(codes))
	}
	for _, m := range codes {
		if !strings.Contains(page, "\n### `"+m[1]+"`\n") {
			t.Errorf("inconclusive.md does not say what to do about %s", m[1])
		}
		if m[1] != "unconfirmed" && !strings.Contains(table, "`"+m[1]+"`") { // which comes of the two stages, not of a decision
			t.Errorf("verdicts.md has no row for %s", m[1])
		}
	}
}

// The page on records names every class of failure.
func TestFailureClassesAreNamed(t *testing.T) {
	page := readDoc(t, ".github", "docs", "records.md")
	for _, class := range record.FailureClasses {
		if !strings.Contains(page, "`"+string(class)+"`") {
			t.Errorf("records.md does not name %s", class)
		}
	}
	for _, class := range record.RequestFailureClasses {
		if !strings.Contains(page, "`"+string(class)+"`") {
			t.Errorf("records.md does not name %s", class)
		}
	}
}

// Every exit code that the command says has a row in the README.
func TestTablesAreComplete(t *testing.T) {
	readme := readDoc(t, "README.md")
	for _, code := range []string{"0", "1", "2", "3", "4", "130"} {
		if !strings.Contains(readme, "\n| "+code+" | ") {
			t.Errorf("README.md has no exit code %s", code)
		}
	}
}

// Whoever uses a public package finds a sequence of calls in its overview, and
// examples that run.
func TestPublicPackagesAreExplained(t *testing.T) {
	root, examples := repository(t), 0
	for _, dir := range []string{"stats", "compare", "ci/record", "report", "report/html", "report/json", "report/junit", "report/markdown", "report/text"} {
		doc := readDoc(t, filepath.FromSlash(dir), "doc.go")
		if !strings.Contains(doc, "// # Calls\n") && !strings.Contains(doc, "// Write and WriteNightly ") {
			t.Errorf("%s/doc.go has no sequence of calls", dir)
		}
		files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(dir), "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, body := range strings.Split(string(text), "\nfunc Example")[1:] {
				if strings.Contains(body, "// Output:") {
					examples++
				}
			}
		}
	}
	if examples < 15 {
		t.Errorf("%d examples that run, want at least 15", examples)
	}
}
