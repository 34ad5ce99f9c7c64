// Package track is the command that keeps one issue for each regression of a
// night.
package track

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/llama-regress/llama-regress/ci/github"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/judge"
	"github.com/llama-regress/llama-regress/cmd/internal/posting"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/report"
	"github.com/llama-regress/llama-regress/report/markdown"
)

// Command is 'llama-regress track'.
func Command(a *cli.App) *cobra.Command {
	var (
		what    judge.Flags
		how     posting.API
		machine string
		require bool
	)
	cmd := &cobra.Command{
		Use:   "track [DIR | BASE HEAD] --machine NAME",
		Short: "Keep one issue for each regression that a night found",
		Long: `Judges a measured run again. A regression between its two builds opens an issue
with the report, labelled llama-regress; the same builds measured again on the
same machine bring that issue up to date, or close it when the regression is
gone. An issue that a person closed stays closed. What lasts over many nights is
followed by 'llama-regress nightly track'.

Needs GITHUB_TOKEN with the permission issues: write.`,
		Example: `  llama-regress track measured --machine bench-01
  llama-regress track measured --machine bench-01 --dry-run`,
		Args: cobra.MaximumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !machineName.MatchString(machine) {
				return fmt.Errorf("--machine %q: want a name of letters, digits, dots, hyphens and underscores", machine)
			}
			where, err := how.Connect(a)
			if err != nil {
				return err
			}
			rep, err := what.Read(args)
			if err != nil {
				return err
			}
			if rep.Outcome != compare.Regressed && rep.Status != "Pass" {
				_, err := fmt.Fprintf(a.Out, "issue left as it is: %s\n", rep.Lead) // nothing here shows that a regression is there, or gone
				return err
			}
			issue, err := issueOf(rep, machine)
			if err != nil {
				return err
			}
			posted, err := github.Posted{}, posting.ErrMute
			if !where.Mute {
				posted, err = where.Client.TrackIssue(cmd.Context(), issue)
			}
			if err = errors.Join(err, where.Flush(a)); err == nil {
				_, err = fmt.Fprintf(a.Out, "issue %s%s%s\n", posted.Action, cli.Prefixed(": ", posted.Why), cli.Prefixed(" ", posted.URL))
				return err
			}
			if require {
				return err
			}
			return posting.FallBack(a, rep, err)
		},
	}
	what.Register(cmd.Flags())
	how.Register(cmd.Flags())
	cmd.Flags().StringVar(&machine, "machine", "", "name of the machine that measured")
	cmd.Flags().BoolVar(&require, "require-post", false, "exit 2 when the post fails")
	return cmd
}

var machineName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,31}$`)

// issueOf words the issue. Its key is of the machine and the builds compared;
// their names may hold anything, so only their hash is in it.
func issueOf(rep report.Report, machine string) (github.Issue, error) {
	key := strings.ReplaceAll(strings.ToLower(machine), "-", "_") + "." + rep.Builds()
	var body bytes.Buffer
	err := markdown.Write(&body, rep, markdown.Options{Marker: github.IssueMarker(key)})
	return github.Issue{Key: key, Lasts: rep.Outcome == compare.Regressed, Title: fmt.Sprintf("Performance on %s: %s", machine, rep.Headline), Body: body.String()}, err
}
