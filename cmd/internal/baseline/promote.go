package baseline

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/store"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/stored"
	"github.com/llama-regress/llama-regress/compare/history"
)

func promoteCommand(a *cli.App, where *stored.Flags) *cobra.Command {
	var g store.Segment
	cmd := &cobra.Command{
		Use:   "promote --reason TEXT",
		Short: "Accept a change: history begins anew with a session",
		Long: `Accepts a change of performance that was made on purpose. From the session on
that --from names, history begins anew; unless told otherwise that is the session
since which a confirmed regression is open, which is closed by it, else the latest:
earlier sessions are no baseline for later ones, and the step between them is
drawn as a break. Nothing that is stored changes; a marker with the reason is
added to it. --revoke takes a marker back.`,
		Example: `  llama-regress baseline promote --reason "flash attention is on by default now"
  llama-regress baseline promote --from 5aa1105d --cell bench/tiny/threads=2 --reason "b6082: smaller batches, agreed in review"
  llama-regress baseline promote --revoke segments/runner-1/20260309T211500Z-0123456789abcdef.json --reason "was noise"`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := where.OpenToWrite(a)
			if err != nil {
				return err
			}
			if !strings.ContainsFunc(g.Reason, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }) {
				return fmt.Errorf("--reason %q says nothing: write why, in one line, for whoever reads the history later", g.Reason)
			}
			g.Made = time.Now()
			g.By = cmp.Or(g.By, a.Getenv("GITHUB_ACTOR"), a.Getenv("USER"))
			if err := fillSegment(cmd.Context(), a, s, where.Machine, &g); err != nil {
				return err
			}
			key, err := store.Promote(cmd.Context(), s, g)
			if err != nil {
				return err
			}
			if g.From != "" {
				fmt.Fprintf(a.Err, "history of %s begins anew with %s\n", about(g), g.From)
			}
			_, err = fmt.Fprintln(a.Out, key)
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&g.Reason, "reason", "", "why, in one line, for whoever reads the history later")
	f.StringVar(&g.By, "by", "", "who accepts it (default GITHUB_ACTOR, else USER)")
	f.StringVar(&g.From, "from", "", "first session of the new segment: a key, a part of one, or latest (default the one since which a confirmed regression is open, else latest)")
	f.StringArrayVar(&g.Cells, "cell", nil, "only the history of this cell; repeat for several")
	f.StringVar(&g.Revokes, "revoke", "", "key of a marker to take back")
	f.StringVar(&where.Machine, "machine", "", "machine whose history it is, where the store has several")
	cmd.MarkFlagRequired("reason")
	cmd.MarkFlagsMutuallyExclusive("from", "revoke")
	cmd.MarkFlagsMutuallyExclusive("cell", "revoke")
	return cmd
}

// fillSegment completes what the flags leave open, and checks what they say
// against the store.
func fillSegment(ctx context.Context, a *cli.App, s store.Store, machine string, g *store.Segment) error {
	if g.Revokes != "" {
		g.From = ""
		g.Machine, _, _ = strings.Cut(strings.TrimPrefix(g.Revokes, "segments/"), "/")
		if _, err := s.List(ctx, ""); err != nil {
			return err
		}
		_, err := s.Get(ctx, g.Revokes)
		return err
	}
	if machine == "" {
		only, err := onlyMachine(ctx, s)
		if err != nil && (g.From == "latest" || g.From == "") {
			return err
		}
		machine = only
	}
	open, err := openOf(ctx, s, machine, g)
	if err != nil {
		return err
	}
	from, err := stored.Resolve(ctx, s, machine, g.From)
	if err != nil {
		return err
	}
	tellAccepted(a, open, from)
	run, err := store.Fetch(ctx, s, from.String())
	if err != nil {
		return err
	}
	for _, cell := range g.Cells {
		if !slices.ContainsFunc(run.Cells, func(c record.Cell) bool { return c.Key == cell }) {
			return fmt.Errorf("--cell %s: %s has no such cell; 'llama-regress baseline show' lists them", cell, from)
		}
	}
	g.From, g.Machine = from.String(), from.Machine
	return nil
}

// openOf lists the confirmed regressions that are open, of the cells that a segment
// is about, and fills in where it begins where nobody said.
func openOf(ctx context.Context, s store.Store, machine string, g *store.Segment) (open []history.Standing, err error) {
	c, err := store.Load(ctx, s, store.LoadOptions{Machine: store.Slug(machine)})
	if err != nil {
		return nil, err
	}
	for _, l := range history.Standings(c, store.Slug(machine)) {
		if l.State == history.Open && (len(g.Cells) == 0 || slices.Contains(g.Cells, l.Finding.Cell)) {
			open = append(open, l)
		}
	}
	if g.From != "" {
		return open, nil
	}
	g.From = "latest"
	if len(open) > 0 {
		for _, session := range c.Sessions { // the one it is open since, or the first after it that is left
			if !session.Key.Started.Before(open[0].Since()) {
				g.From = session.Key.String()
				break
			}
		}
	}
	return open, nil
}

// tellAccepted says which open regressions a segment accepts, and which it does not.
func tellAccepted(a *cli.App, open []history.Standing, from store.Key) {
	for _, l := range open {
		what := fmt.Sprintf("%s of %s, open since %s", cli.Printable(l.Finding.Metric.Name), cli.Printable(l.Finding.Cell), l.Since().Format(time.DateOnly))
		if from.Started.Before(l.Since()) {
			fmt.Fprintf(a.Err, "not accepted: %s, which is later than %s\n", what, from)
		} else {
			fmt.Fprintf(a.Err, "accepted: %s\n", what)
		}
	}
	if len(open) == 0 {
		fmt.Fprintln(a.Err, "no confirmed regression is open there: history begins anew all the same")
	}
}

// onlyMachine is the machine of a store that knows one.
func onlyMachine(ctx context.Context, s store.Store) (string, error) {
	objects, err := s.List(ctx, "runs/")
	if err != nil {
		return "", err
	}
	var machines []string
	for _, o := range objects {
		if key, err := store.ParseKey(o.Key); err == nil && !slices.Contains(machines, key.Machine) {
			machines = append(machines, key.Machine)
		}
	}
	if len(machines) > 1 {
		return "", fmt.Errorf("%s holds sessions of %s: say which with --machine", cli.Printable(s.String()), strings.Join(machines, ", "))
	}
	return strings.Join(machines, ""), nil
}
