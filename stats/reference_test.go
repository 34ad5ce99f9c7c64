package stats

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	cited = regexp.MustCompile(`(?i)\[?statistics` + ` reference(,? ?(?:section )?(\d+(?:\.\d+)?)((?:,| and) \d+\.\d+)*)?`)
	// A section is a heading or, where it is short, an item of a list.
	sections = regexp.MustCompile(`(?m)^(?:#+|-) (\d+(?:\.\d+)?) `)
	mentions = regexp.MustCompile(`[Ss]tatistics\b`) // as every citation does: the others are costly to look for
	number   = regexp.MustCompile(`\d+(?:\.\d+)?`)
	wrapped  = regexp.MustCompile(`\s*\n[ \t]*(?://|#|\*)?[ \t]*`) // a line that goes on, in a comment too
)

// Whoever cites the reference, in code, in a report's words or in Markdown,
// names a section that there is.
func TestReferenceHasWhatIsCited(t *testing.T) {
	page, err := os.ReadFile("REFERENCE.md")
	if err != nil {
		t.Fatal(err)
	}
	var known []string
	for _, m := range sections.FindAllStringSubmatch(string(page), -1) {
		known = append(known, m[1])
	}
	citations := 0
	err = filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if d != nil && d.Name() == ".git" {
				return filepath.SkipDir
			}
			return err
		}
		if ext := filepath.Ext(path); ext != ".go" && ext != ".md" && ext != ".tmpl" && ext != ".yaml" && ext != ".yml" {
			return nil
		}
		text, err := os.ReadFile(path)
		if !mentions.Match(text) {
			return err
		}
		for _, fault := range missing(string(text), known, path == filepath.Join("..", "stats", "REFERENCE.md")) {
			t.Errorf("%s: %s", path, fault)
		}
		citations += len(cited.FindAllString(wrapped.ReplaceAllString(string(text), " "), -1))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if citations < 10 || len(known) < 30 {
		t.Errorf("%d citations of %d sections: the test does not see them", citations, len(known))
	}
}

// missing lists the citations in a text that name no section, or none that is
// known. The page itself may speak of itself by name.
func missing(text string, known []string, itself bool) (faults []string) {
	for _, m := range cited.FindAllStringSubmatch(wrapped.ReplaceAllString(text, " "), -1) {
		numbers := number.FindAllString(m[1], -1)
		if len(numbers) == 0 && !itself && !strings.HasPrefix(m[0], "[") { // a link to the page
			faults = append(faults, "cites no section: "+m[0])
		}
		for _, n := range numbers {
			if !slices.Contains(known, n) {
				faults = append(faults, "section "+n+" does not exist: "+m[0])
			}
		}
	}
	return faults
}

func TestMissingSections(t *testing.T) {
	const name = "statistics" + " reference"
	known := []string{"7.4", "4"}
	for text, want := range map[string]int{
		"(" + name + " 7.4)":                    0,
		name + ", 7.4: why":                     0,
		"// " + "statistics\n\t// reference 4.": 0,
		name + ", section 4":                    0,
		name + " 7.4 and 7.9":                   1,
		name + " 99":                            1,
		"as the " + name + " has it":            1,
	} {
		if got := missing(text, known, false); len(got) != want {
			t.Errorf("%q: %q, want %d", text, got, want)
		}
	}
}
