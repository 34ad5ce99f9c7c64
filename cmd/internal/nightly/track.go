package nightly

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/llama-regress/llama-regress/ci/github"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/posting"
	"github.com/llama-regress/llama-regress/compare/history"
	"github.com/llama-regress/llama-regress/report"
	"github.com/llama-regress/llama-regress/report/markdown"
)

// mostNewIssues is how many issues one night may open: a night that needs more
// has one cause.
const mostNewIssues = 10

// moves is how far a change point may be placed from where its issue has it,
// beyond its own range: with more nights it is placed better.
const moves = 4 * 24 * time.Hour

func trackCommand(a *cli.App) *cobra.Command {
	var (
		what    lookback
		how     posting.API
		require bool
	)
	cmd := &cobra.Command{
		Use:   "track",
		Short: "Keep one issue for each open change point",
		Long: `Opens an issue, labelled llama-regress, for each change point that made something
worse and is still so, brings it up to date night after night, and closes it
when the loss is taken back, accepted with 'baseline promote', or turns out to
have been none. An issue that a person closed stays closed. What was measured
with one build on either side is the machine's doing and gets no issue.

Needs GITHUB_TOKEN with the permission issues: write.`,
		Example: `  llama-regress nightly track --store git:origin#perf-data --checkout llama.cpp
  llama-regress nightly track --dry-run`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if event := a.PullRequest(); event != "" {
				return fmt.Errorf("this job runs for a %s event, and pull requests open no issues: do this on push or schedule", event)
			}
			where, err := how.Connect(a)
			if err != nil {
				return err
			}
			n, err := lookAtNights(cmd.Context(), a, what)
			if err != nil {
				return err
			}
			err = posting.ErrMute
			if !where.Mute {
				err = trackNights(cmd.Context(), a, where, n)
			}
			if err = errors.Join(err, where.Flush(a)); err == nil || require {
				return err
			}
			fmt.Fprintf(a.Err, "llama-regress: not posted: %s\n", github.Harmless(err.Error()))
			if a.Getenv("GITHUB_ACTIONS") == "true" {
				return github.Annotate(a.Out, []github.Annotation{{Severity: github.Warning, Title: "llama-regress: not posted", Message: err.Error()}})
			}
			return nil
		},
	}
	what.register(cmd.Flags())
	how.Register(cmd.Flags())
	cmd.Flags().BoolVar(&require, "require-post", false, "exit 2 when a post fails")
	return cmd
}

// trackNights makes the issues agree with what the nights say, one machine
// after the other. One that fails does not keep the others from being tried.
func trackNights(ctx context.Context, a *cli.App, where *posting.Destination, n report.Nightly) error {
	var faults []error
	opened := 0
	for _, m := range n.Machines {
		old, err := where.Client.TrackedIssues(ctx, issuePrefix(m.Name), "")
		if err != nil {
			return err
		}
		for _, t := range followUp(m, old) {
			if t.fresh {
				if opened++; opened > mostNewIssues {
					continue
				}
			}
			issue, err := t.issue(where)
			var posted github.Posted
			if err == nil {
				posted, err = where.Client.TrackIssue(ctx, issue)
			}
			if err != nil {
				faults = append(faults, err)
				continue
			}
			fmt.Fprintf(a.Out, "%s: %s: issue %s%s%s\n", m.Name, t.point.Summary, posted.Action, cli.Prefixed(": ", posted.Why), cli.Prefixed(" ", posted.URL))
		}
	}
	if opened > mostNewIssues {
		fmt.Fprintf(a.Err, "%d more change points got no issue tonight: they are in the nightly report\n", opened-mostNewIssues)
	}
	if opened == 0 && len(faults) == 0 && !slices.ContainsFunc(n.Machines, func(m report.NightlyMachine) bool { return slices.ContainsFunc(m.ChangePoints, tracked) }) {
		fmt.Fprintln(a.Out, "no change point to follow")
	}
	return errors.Join(faults...)
}

// tracked says whether a change point is one to have an issue.
func tracked(p report.ChangePoint) bool { return p.Open() && p.Blamable }

// A followed change point is one whose issue is to be written.
type followed struct {
	key    string
	point  report.ChangePoint
	closes report.Text // why it is over; nil while it lasts
	fresh  bool        // it has no issue yet
}

// followUp says which issues of a machine are to be written: of the open change
// points, and of those that have one and are over.
func followUp(m report.NightlyMachine, old []github.TrackedIssue) (list []followed) {
	taken := make(map[string]bool)
	find := func(p report.ChangePoint) (issue github.TrackedIssue, found bool) {
		for _, issue := range old {
			if !taken[issue.Key] && aboutPoint(issue, p) {
				taken[issue.Key] = true
				return issue, true
			}
		}
		return issue, false
	}
	for _, p := range m.ChangePoints {
		if !tracked(p) {
			continue
		}
		if issue, found := find(p); found {
			list = append(list, followed{key: issue.Key, point: p})
		} else {
			list = append(list, followed{key: issueKey(p), point: p, fresh: true})
		}
	}
	for _, p := range m.ChangePoints {
		if tracked(p) || !p.Worse || p.State == history.OutOfSight {
			continue
		}
		if issue, found := find(p); found && issue.Open {
			list = append(list, followed{key: issue.Key, point: p, closes: p.Standing})
		}
	}
	for _, issue := range old {
		if taken[issue.Key] || !issue.Open {
			continue
		}
		if why := gone(m, issue); len(why) > 0 {
			list = append(list, followed{key: issue.Key, point: report.ChangePoint{Machine: m.Name, Summary: "a change that is none any more"}, closes: why})
		}
	}
	return list
}

// issuePrefix begins the keys of a machine's issues, and of no other machine's.
func issuePrefix(machine string) string {
	sum := sha256.Sum256([]byte(machine))
	name := strings.NewReplacer("-", "_", ".", "_").Replace(machine)
	return "cp." + name[:min(len(name), 16)] + "_" + hex.EncodeToString(sum[:3]) + "."
}

const keyTime = "20060102t150405"

// issueKey names a change point by its machine and first bad night, which may
// be placed elsewhere later: the issue keeps its key.
func issueKey(p report.ChangePoint) string {
	sum := sha256.Sum256([]byte(p.Machine + "\n" + strings.Join(p.Series, "\n")))
	return issuePrefix(p.Machine) + p.FirstBad.Started.UTC().Format(keyTime) + "." + hex.EncodeToString(sum[:4])
}

// seriesLine is the hidden line of an issue that says which trends it is about.
var seriesLine = regexp.MustCompile(`(?m)^<!-- llama-regress:v1:series=([0-9a-f.]+) -->\r?$`)

// placeOf reads when an issue's first bad night was, and which trends it is about.
func placeOf(issue github.TrackedIssue) (at time.Time, series []string, ok bool) {
	parts := strings.Split(issue.Key, ".")
	if len(parts) < 4 {
		return at, nil, false
	}
	at, err := time.Parse(keyTime, parts[len(parts)-2])
	if m := seriesLine.FindStringSubmatch(issue.Body); m != nil {
		series = strings.Split(m[1], ".")
	}
	return at, series, err == nil
}

// aboutPoint says whether an issue is about a change point: one of its trends
// moved then, or thereabouts.
func aboutPoint(issue github.TrackedIssue, p report.ChangePoint) bool {
	at, series, ok := placeOf(issue)
	if !ok || at.Before(p.SurelyGood.Started.Add(-moves)) || at.After(p.SurelyBad.Started.Add(moves)) {
		return false
	}
	return slices.ContainsFunc(p.Series, func(s string) bool { return slices.Contains(series, s) })
}

// gone says why a change point that an issue is about is none any more, nil
// where that cannot be known: what is not looked at is not over.
func gone(m report.NightlyMachine, issue github.TrackedIssue) report.Text {
	at, series, ok := placeOf(issue)
	if !ok {
		return nil
	}
	seen := false
	for _, t := range m.Trends {
		if !slices.Contains(series, t.ID) || t.Gone || len(t.Nights) == 0 || !t.Nights[0].Started.Before(at) {
			continue
		}
		for _, b := range t.Breaks {
			switch night := t.Nights[b.At]; {
			case night.Started.Before(at.Add(-moves)):
			case b.Accepted:
				return report.Text{{Words: "accepted: "}, {Foreign: b.Why}}
			default:
				return nil // the machine changed: nothing is known of it
			}
		}
		seen = true
	}
	if !seen {
		return nil
	}
	return report.Text{{Words: "with the nights since, no lasting change is to be seen there"}}
}

// issue words an issue.
func (f followed) issue(where *posting.Destination) (github.Issue, error) {
	var body bytes.Buffer
	marker := github.IssueMarker(f.key)
	if len(f.point.Rows) == 0 {
		fmt.Fprintf(&body, "%s\n**Over:** %s\n", marker, markdown.Inline(f.closes))
	} else {
		o := markdown.Options{Marker: marker}
		if good, bad := f.point.LastGood.Commit.Commit(), f.point.FirstBad.Commit.Commit(); len(f.point.Commits) > 0 {
			o.Links = []markdown.Link{{Text: "Compare the two builds", URL: where.Page + "/compare/" + good + "..." + bad}}
		}
		if err := markdown.WriteChangePoint(&body, f.point, f.closes, o); err != nil {
			return github.Issue{}, err
		}
	}
	series := f.point.Series[:min(len(f.point.Series), 200)]
	text := body.String()
	if len(series) > 0 {
		text = strings.Replace(text, marker+"\n", marker+"\n<!-- llama-regress:v1:series="+strings.Join(series, ".")+" -->\n", 1)
	}
	return github.Issue{Key: f.key, Lasts: len(f.closes) == 0, Title: fmt.Sprintf("Performance on %s: %s", f.point.Machine, f.point.Summary), Body: text}, nil
}
