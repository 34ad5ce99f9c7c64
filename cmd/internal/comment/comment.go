// Package comment is the command that keeps a pull-request comment up to date.
package comment

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/llama-regress/llama-regress/ci/github"
	"github.com/llama-regress/llama-regress/ci/runner"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/judge"
	"github.com/llama-regress/llama-regress/cmd/internal/posting"
	"github.com/llama-regress/llama-regress/report"
)

// Command is 'llama-regress comment'.
func Command(a *cli.App) *cobra.Command {
	var c commenting
	cmd := &cobra.Command{
		Use:   "comment [DIR | BASE HEAD]",
		Short: "Keep one pull-request comment up to date",
		Long: `Judges a measured run again, by the margins given here, and writes the report as
the one comment of llama-regress on the pull request, which it finds again by a
hidden marker and its author. A run never overwrites what a newer one said.

The pull request is the one of the event: its own for pull_request; for
workflow_run the open one whose head is exactly what was measured. With
--artifact event the run is read from the artifact that the finished run left
behind, as a fork's pull request needs it. That archive may come from anybody:
it is read within bounds and decides nothing but what the report says.

Needs GITHUB_TOKEN with the permission pull-requests: write, with --check also
checks: write, with --artifact event also actions: read. When a post fails, the
report goes to the step summary and the exit code stays 0, unless --require-post.`,
		Example: `  llama-regress comment
  llama-regress comment --artifact event --accept "add the label perf-accepted"
  llama-regress comment --dry-run --repo OWNER/NAME --pr 7 --sha "$(git rev-parse HEAD)"`,
		Args: cobra.MaximumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			if c.artifact != "" && len(args) > 0 {
				return errors.New("--artifact and a folder or files exclude each other")
			}
			return comment(cmd.Context(), a, c, args)
		},
	}
	c.register(cmd.Flags())
	return cmd
}

// commenting are the flags of comment.
type commenting struct {
	judge.Flags
	place        place
	artifact     string
	artifactName string
	policy       string
	key          string
	author       string
	check        string
	requirePost  bool
}

func (c *commenting) register(f *pflag.FlagSet) {
	c.Flags.Register(f)
	c.place.register(f)
	f.StringVar(&c.artifact, "artifact", "", "read the run from a zip FILE, or 'event': from the artifact of the run that started this workflow")
	f.StringVar(&c.artifactName, "artifact-name", "llama-regress", "name of that artifact, before -ATTEMPT")
	f.StringVar(&c.policy, "policy", string(github.OnChange), "on-change (no first comment when all is well), always or never")
	f.StringVar(&c.key, "key", "main", "which comment: each key has its own; a-z, 0-9, _ and .")
	f.StringVar(&c.author, "author", github.ActionsBot, "login that the token writes as")
	f.StringVar(&c.check, "check", "", "also keep a check run of this name")
	f.BoolVar(&c.requirePost, "require-post", false, "exit 2 when a post fails")
}

// comment reads, judges and posts. What is wrong with the input is an error;
// what GitHub refuses is one only with --require-post.
func comment(ctx context.Context, a *cli.App, c commenting, args []string) error {
	switch github.Policy(c.policy) {
	case github.OnChange, github.Always, github.Never:
	default:
		return fmt.Errorf("--policy %q: want on-change, always or never", c.policy)
	}
	where, err := c.place.open(a)
	if err != nil {
		return err
	}
	rep, err := commentReport(ctx, a, c, where, args)
	var gone *github.NoArtifactError
	if errors.As(err, &gone) && !c.requirePost {
		fmt.Fprintf(a.Err, "nothing to report: %s\n", github.Harmless(err.Error()))
		return markStale(ctx, a, c, where)
	}
	if err != nil {
		return err
	}
	err = post(ctx, a, c, where, rep)
	if flushed := where.Flush(a); err == nil {
		err = flushed
	}
	var none *github.NoPullError
	switch {
	case err == nil:
		return nil
	case c.requirePost || c.place.DryRun:
		return err
	case errors.As(err, &none):
		fmt.Fprintf(a.Err, "no comment: %s\n", github.Harmless(err.Error()))
		return nil
	}
	return posting.FallBack(a, rep, err)
}

// commentReport reads the run from where the flags say and judges it.
func commentReport(ctx context.Context, a *cli.App, c commenting, where *posting.Destination, args []string) (report.Report, error) {
	switch c.artifact {
	case "":
		return c.Read(args)
	case "event":
		if where.Event == nil || where.Event.WorkflowRun == nil {
			return report.Report{}, errors.New("--artifact event: this workflow was not started by workflow_run")
		}
		archive, err := where.Client.DownloadArtifact(ctx, where.Event.WorkflowRun, c.artifactName)
		if err != nil {
			return report.Report{}, err
		}
		return c.judgeArtifact(archive)
	}
	archive, err := readBounded(c.artifact, github.MaxArtifact)
	if err != nil {
		return report.Report{}, err
	}
	return c.judgeArtifact(archive)
}

func (c *commenting) judgeArtifact(archive []byte) (report.Report, error) {
	run, err := github.ReadArtifact(archive)
	if err != nil {
		return report.Report{}, err
	}
	return c.Judge(run, runner.RecordFile)
}

// post writes the comment and, if asked for, the check run, and says what
// became of each.
func post(ctx context.Context, a *cli.App, c commenting, where *posting.Destination, rep report.Report) error {
	if where.Mute {
		return posting.ErrMute
	}
	pull, err := pull(ctx, where, c.place)
	if err != nil {
		return err
	}
	marker := github.Marker{Key: c.key, Run: where.Run, Attempt: where.Attempt, SHA: pull.SHA}
	links := links(where, pull)
	bodies, err := commentBodies(rep, marker, links)
	if err != nil {
		return err
	}
	if c.place.DryRun {
		where.Print("comment on %s, if none is there:\n%s\n", named(pull), bodies[0])
	} else {
		var posted github.Posted
		if posted, err = where.Client.PostComment(ctx, github.Comment{
			Pull: pull.Number, Marker: marker, Author: c.author, Policy: github.Policy(c.policy), Quiet: quiet(rep), Bodies: bodies,
		}); err == nil {
			say(a, "comment on "+named(pull), posted)
		}
	}
	if c.check == "" || pull.SHA == "" {
		return err
	}
	check, failed := checkOf(c.check, rep, marker, links)
	if failed == nil {
		var posted github.Posted
		if posted, failed = where.Client.PostCheck(ctx, check); failed == nil && !c.place.DryRun {
			say(a, "check run", posted)
		}
	}
	return errors.Join(err, failed)
}

// named names the pull request, which a dry run may not know.
func named(p github.Pull) string {
	if p.Number == 0 {
		return "the pull request"
	}
	return fmt.Sprintf("pull request %d", p.Number)
}

func say(a *cli.App, what string, p github.Posted) {
	fmt.Fprintf(a.Out, "%s %s%s%s\n", what, p.Action, cli.Prefixed(": ", p.Why), cli.Prefixed(" ", p.URL))
}

// markStale is for a run that left nothing to report: the comment of an earlier
// commit must not pass for one about this one. It is no failure of the job if
// that cannot be said.
func markStale(ctx context.Context, a *cli.App, c commenting, where *posting.Destination) error {
	if where.Mute {
		return nil
	}
	pull, err := pull(ctx, where, c.place)
	if err == nil {
		var posted github.Posted
		posted, err = where.Client.MarkStale(ctx, pull.Number, github.Marker{Key: c.key, Run: where.Run, Attempt: where.Attempt, SHA: pull.SHA}, c.author)
		if err == nil {
			say(a, fmt.Sprintf("comment on pull request %d", pull.Number), posted)
		}
	}
	if err != nil {
		fmt.Fprintf(a.Err, "no comment: %s\n", github.Harmless(err.Error()))
	}
	return where.Flush(a)
}

// readBounded reads a file of at most most bytes.
func readBounded(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(data)) > most {
		err = fmt.Errorf("%s: larger than %d MiB", path, most>>20)
	}
	return data, err
}
