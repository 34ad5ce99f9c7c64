package posting

import (
	"bytes"
	"fmt"

	"github.com/llama-regress/llama-regress/ci/github"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/report"
	"github.com/llama-regress/llama-regress/report/markdown"
)

// Summarize appends the report to a step summary, after a notice of our own.
func Summarize(path string, rep report.Report, notice string) error {
	return github.AppendSummary(path, func(room int) ([]byte, error) {
		var b bytes.Buffer
		if notice != "" {
			fmt.Fprintf(&b, "> [!WARNING]\n> %s\n\n", notice)
		}
		err := markdown.Write(&b, rep, markdown.Options{MaxBytes: room - b.Len()})
		return b.Bytes(), err
	})
}

// FallBack says that a post failed where people will see it, and puts the
// report there too.
func FallBack(a *cli.App, rep report.Report, err error) error {
	fmt.Fprintf(a.Err, "llama-regress: not posted: %s\n", github.Harmless(err.Error()))
	if a.Getenv("GITHUB_ACTIONS") == "true" {
		if err := github.Annotate(a.Out, []github.Annotation{{Severity: github.Warning, Title: "llama-regress: not posted", Message: err.Error()}}); err != nil {
			return err
		}
	}
	summary := a.Getenv("GITHUB_STEP_SUMMARY")
	if summary == "" {
		fmt.Fprintln(a.Err, "'llama-regress report --format markdown' prints the report without GitHub")
		return nil
	}
	return Summarize(summary, rep, "This report could not be posted on the pull request; the log of this step says why.")
}
