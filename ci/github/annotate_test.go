package github_test

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/llama-regress/llama-regress/ci/github"
	"github.com/llama-regress/llama-regress/report/reporttest"
)

// parse reads a command as the runner does: name, properties, data.
func parse(line string) (name, title, message string) {
	command, data, _ := strings.Cut(strings.TrimPrefix(line, "::"), "::")
	name, properties, _ := strings.Cut(command, " ")
	unescape := strings.NewReplacer("%3A", ":", "%2C", ",", "%0A", "\n", "%0D", "\r", "%25", "%")
	for _, p := range strings.Split(properties, ",") {
		if key, value, _ := strings.Cut(p, "="); key == "title" {
			title = unescape.Replace(value)
		}
	}
	return name, title, strings.NewReplacer("%0A", "\n", "%0D", "\r", "%25", "%").Replace(data)
}

func TestAnnotateEscapes(t *testing.T) {
	for _, text := range append(reporttest.Names, "100%0A::error::x", "a,b:c=d", "%25") {
		if len(text) > 200 || !utf8.ValidString(text) {
			continue
		}
		var b strings.Builder
		if err := github.Annotate(&b, []github.Annotation{{Severity: github.Error, Title: text, Message: text}}); err != nil {
			t.Fatal(err)
		}
		line := strings.TrimSuffix(b.String(), "\n")
		if strings.ContainsAny(line, "\n\r") {
			t.Fatalf("%q became several lines: %q", text, line)
		}
		if name, title, message := parse(line); name != "error" || title != text || message != text {
			t.Errorf("%q was read as %s, %q, %q from %q", text, name, title, message, line)
		}
	}
}

func TestAnnotateKeepsToTheBudget(t *testing.T) {
	var all []github.Annotation
	for i := range 11 {
		all = append(all, github.Annotation{Severity: github.Error, Title: fmt.Sprint("e", i)}, github.Annotation{Severity: github.Warning, Title: fmt.Sprint("w", i)})
	}
	for i := range 10 {
		all = append(all, github.Annotation{Severity: github.Notice, Title: fmt.Sprint("n", i)})
	}
	var b strings.Builder
	if err := github.Annotate(&b, all); err != nil {
		t.Fatal(err)
	}
	count := make(map[string]int)
	for _, line := range strings.Split(strings.TrimSpace(b.String()), "\n") {
		name, _, _ := parse(line)
		count[name]++
	}
	if count["error"] != 10 || count["warning"] != 10 || count["notice"] != 10 {
		t.Errorf("got %v, want 10 of each", count)
	}
	for want, there := range map[string]bool{"::error title=e8::": true, "::error title=e9::": false, "::error title=2 more::": true, "::notice title=n9::": true, "::notice title=1 more": false} {
		if strings.Contains(b.String(), want) != there {
			t.Errorf("%q there: %v, want %v in\n%s", want, !there, there, b.String())
		}
	}
}

func TestAnnotateCuts(t *testing.T) {
	var b strings.Builder
	long := strings.Repeat("ä🦙", 4096)
	if err := github.Annotate(&b, []github.Annotation{{Severity: github.Notice, Title: long, Message: long}}); err != nil {
		t.Fatal(err)
	}
	_, title, message := parse(strings.TrimSuffix(b.String(), "\n"))
	if len(title) > 255 || len(title) < 240 || len(message) > 4096 || len(message) < 4080 || !utf8.ValidString(title+message) || strings.ContainsRune(title+message, utf8.RuneError) {
		t.Errorf("title of %d, message of %d bytes", len(title), len(message))
	}
}

func TestVerbatim(t *testing.T) {
	var words []string
	for range 2 {
		var b strings.Builder
		if err := github.Verbatim(&b, func(w io.Writer) error {
			_, err := io.WriteString(w, "::error::x\n::stop-commands::y\n::y::\nend")
			return err
		}); err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(b.String(), "\n")
		word := strings.TrimPrefix(lines[0], "::stop-commands::")
		if len(word) < 20 || lines[len(lines)-2] != "::"+word+"::" || lines[len(lines)-3] != "end" {
			t.Errorf("got %q", b.String())
		}
		words = append(words, word)
	}
	if words[0] == words[1] {
		t.Error("the word can be guessed")
	}
	var b strings.Builder
	boom := errors.New("boom")
	if err := github.Verbatim(&b, func(io.Writer) error { return boom }); err != boom || strings.Count(b.String(), "\n") != 3 {
		t.Errorf("%v: commands stay off: %q", err, b.String())
	}
}

func TestHarmless(t *testing.T) {
	for text, want := range map[string]string{
		"plain: text::with ## [marks]": "plain: text::with ## [marks]",
		"::error::x":                   ": :error::x",
		"a\n \t::debug::b\n::c":        "a\n \t: :debug::b\n: :c",
		"a\r::error::x":                "a ::error::x",
		"x ##[error]y":                 "x # #[error]y",
		"####[error]":                  "### #[error]",
	} {
		if got := github.Harmless(text); got != want {
			t.Errorf("%q became %q, want %q", text, got, want)
		}
	}
}
