package main

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/cmd/internal/cli"
)

// What a shell is offered, by cobra's own protocol: a line each, then how to go on.
func TestCompletion(t *testing.T) {
	for line, want := range map[string]string{
		"gate --format ":            "html json junit markdown text :4",
		"gate --control ":           "none one all :4",
		"gate --out ":               "html= json= junit= markdown= text= :6",
		"gate --out html=":          ":0",
		"export --format ":          "csv benchfmt sqlite :4",
		"baseline export --format ": "csv benchfmt sqlite :4",
		"baseline list --store ":    "dir: git:origin#perf-data s3:// :6",
		"nightly --format ":         "html json junit markdown text :4",
		"compare --color ":          "auto always never :4",
	} {
		t.Run(line, func(t *testing.T) {
			var out bytes.Buffer
			args := append([]string{"__complete"}, strings.Split(line, " ")...)
			code := execute(context.Background(), args, cli.Streams{In: strings.NewReader(""), Out: &out, Err: &bytes.Buffer{}, Getenv: func(string) string { return "" }})
			if got := strings.Join(strings.Fields(out.String()), " "); code != cli.ExitPass || got != want {
				t.Errorf("offers %q, want %q", got, want)
			}
		})
	}
}
