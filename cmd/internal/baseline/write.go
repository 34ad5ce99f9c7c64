package baseline

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/cobra"

	"github.com/llama-regress/llama-regress/ci/llama"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/store"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/judge"
	"github.com/llama-regress/llama-regress/cmd/internal/measure"
	"github.com/llama-regress/llama-regress/cmd/internal/stored"
	"github.com/llama-regress/llama-regress/compare/history"
)

func putCommand(a *cli.App, where *stored.Flags) *cobra.Command {
	var how store.RecordOptions
	var at string
	raw := llama.ImportOptions{Tool: cli.Tool()}
	cmd := &cobra.Command{
		Use:   "put [RUN...]",
		Short: "Store measured sessions for good",
		Long: `Stores run records: files, or folders that hold a run.json; without any, the
folder that 'run' and 'gate' write to. What a gate found out about a session lies in
its folder and is stored with it. Storing the same record again changes
nothing, so a job may be repeated. The keys go to standard output.

Raw output of llama-bench, in any of its formats, is stored too, a file a session;
--build takes one build of a file with several. It
does not name its machine: --machine does. --at says when it was measured, where
the file does not or is wrong; a record of a machine whose clock was wrong gets its
right place by it, too.`,
		Example: `  llama-regress baseline put
  llama-regress baseline put nightly/run.json --machine gpu-runner --store s3://perf/llama.cpp
  llama-regress baseline put night-0309.jsonl --machine gpu-runner --at 2026-03-09T02:17:00Z`,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := where.OpenToWrite(a)
			if err != nil {
				return err
			}
			if len(args) == 0 {
				args = []string{"llama-regress-out"}
			}
			if at != "" && len(args) > 1 {
				return errors.New("--at with several files: each has a time of its own")
			}
			for _, path := range args {
				if err := put(cmd.Context(), a, s, path, at, how, raw); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&how.Machine, "machine", "", "what the store calls this machine (default the host's name)")
	cmd.Flags().IntVar(&how.Attempt, "attempt", 1, "number of this measurement, where another one has the same run ID")
	judge.RegisterRaw(cmd.Flags(), &raw)
	judge.RegisterBuild(cmd.Flags(), &raw)
	cmd.Flags().StringVar(&at, "at", "", "when it was measured, where the file does not say or its clock was wrong: 2026-03-09T02:17:00Z, or a day")
	return cmd
}

// put stores one session, and what was found out about it.
func put(ctx context.Context, a *cli.App, s store.Store, path, at string, how store.RecordOptions, raw llama.ImportOptions) error {
	run, err := readSession(path, at, how.Machine, raw)
	if err != nil {
		return err
	}
	receipt, err := store.Record(ctx, s, run, how)
	if err != nil {
		return err
	}
	for _, warning := range receipt.Warnings {
		fmt.Fprintf(a.Err, "%s: %s\n", path, cli.Printable(warning))
	}
	if receipt.Was {
		fmt.Fprintf(a.Err, "%s: was stored before\n", path)
	}
	fmt.Fprintln(a.Out, receipt.Key)
	v, err := verdictIn(path, run)
	if v == nil || err != nil {
		return err
	}
	return stored.PutVerdict(ctx, a, s, *v, receipt.Key)
}

// readSession reads a run record, or raw output of llama-bench as one.
func readSession(path, at, machine string, how llama.ImportOptions) (*record.Run, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() || os.IsNotExist(err) {
		run, err := stored.ReadRun(path)
		if err != nil {
			return nil, err
		}
		return run, moveTo(run, at)
	}
	run, err := judge.ReadMeasured(path, how)
	if err != nil {
		return nil, err
	}
	raw := strings.HasPrefix(run.ID, llama.ImportedID)
	switch {
	case !raw:
		return run, moveTo(run, at)
	case machine == "":
		return nil, fmt.Errorf("%s is raw output of llama-bench, which does not name its machine: say it with --machine", path)
	}
	run.Host.Name = machine
	if err := moveTo(run, at); err != nil {
		return nil, err
	}
	if run.Started.IsZero() {
		return nil, fmt.Errorf("%s does not say when it was measured: say it with --at", path)
	}
	return run, nil
}

// moveTo moves a run to the time that --at says, nowhere for "".
func moveTo(run *record.Run, at string) error {
	if at == "" {
		return nil
	}
	begun, err := time.Parse(time.RFC3339, at)
	if err != nil {
		if begun, err = time.Parse(time.DateOnly, at); err != nil {
			return fmt.Errorf("--at %q: want a time such as 2026-03-09T02:17:00Z, or a day such as 2026-03-09", at)
		}
	}
	shift(run, begun.UTC())
	return nil
}

// shift moves a run to another time.
func shift(run *record.Run, begun time.Time) {
	lasted := run.Finished.Sub(run.Started)
	was := run.Started
	run.Started, run.Finished = begun, begun.Add(lasted)
	move := func(at *time.Time) {
		if !at.IsZero() {
			*at = begun.Add(at.Sub(was))
		}
	}
	trials := func(list []record.Trial) {
		for i := range list {
			move(&list[i].Start)
		}
	}
	trials(run.Trials)
	if run.Sentinel != nil {
		move(&run.Sentinel.Started)
		trials(run.Sentinel.Trials)
	}
	for i := range run.Parts {
		move(&run.Parts[i].Started)
		move(&run.Parts[i].Finished)
	}
}

// verdictIn reads what was found out about the run that a folder holds, nil for
// nothing.
func verdictIn(path string, run *record.Run) (*store.Verdict, error) {
	if info, err := os.Stat(path); err != nil || !info.IsDir() {
		return nil, nil
	}
	name := filepath.Join(path, measure.VerdictFile)
	f, err := os.Open(name)
	if os.IsNotExist(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, store.MaxBytes))
	if err != nil {
		return nil, err
	}
	v, err := store.ReadVerdict(name, data)
	if err != nil {
		return nil, err
	}
	if key, err := store.ParseKey(v.Session); err != nil || key.Run != store.KeyOf(run, "", 1).Run {
		return nil, fmt.Errorf("%s is about %s, which is not the run beside it: it is not stored", name, v.Session)
	}
	return &v, nil
}

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

func pruneCommand(a *cli.App, where *stored.Flags) *cobra.Command {
	var (
		keep  int
		older string
		yes   bool
	)
	cmd := &cobra.Command{
		Use:   "prune --older-than AGE",
		Short: "Delete old sessions; shows what would go until told --yes",
		Long: `Deletes sessions begun longer ago than AGE, and keeps the latest --keep of every
machine whatever their age. Without --yes it only lists them. Markers of segments
stay. On a git branch, earlier commits keep what is deleted.`,
		Example: `  llama-regress baseline prune --older-than 365d --keep 100
  llama-regress baseline prune --older-than 365d --keep 100 --yes`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			before, err := stored.Moment(older, time.Now())
			if err != nil {
				return fmt.Errorf("--older-than %w", err)
			}
			if keep < 1 {
				return fmt.Errorf("--keep %d: the latest session of a machine always stays", keep)
			}
			s, err := where.OpenToWrite(a)
			if err != nil {
				return err
			}
			prefix := "runs/"
			if where.Machine != "" {
				prefix += store.Slug(where.Machine) + "/"
			}
			objects, err := s.List(cmd.Context(), prefix)
			if err != nil {
				return err
			}
			keys := store.Prunable(objects, store.Retention{Keep: keep, Before: before})
			for _, key := range keys {
				fmt.Fprintln(a.Out, key)
			}
			switch {
			case len(keys) == 0:
				fmt.Fprintln(a.Err, "nothing to delete")
			case !yes:
				fmt.Fprintf(a.Err, "%d of %d sessions would be deleted; --yes deletes them\n", len(keys), len(objects))
			default:
				if err := s.Remove(cmd.Context(), keys); err != nil {
					return err
				}
				fmt.Fprintf(a.Err, "%d of %d sessions deleted\n", len(keys), len(objects))
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.IntVar(&keep, "keep", 30, "the latest so many sessions of every machine stay")
	f.StringVar(&older, "older-than", "", "age, such as 365d, or day, such as 2026-03-09")
	f.StringVar(&where.Machine, "machine", "", "only sessions of this machine")
	f.BoolVar(&yes, "yes", false, "delete them")
	cmd.MarkFlagRequired("older-than")
	return cmd
}
