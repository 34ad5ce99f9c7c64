// Package baseline is the command that keeps run records in a store.
package baseline

import (
	"fmt"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"github.com/llama-regress/llama-regress/ci/store"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/stored"
	"github.com/llama-regress/llama-regress/compare/history"
)

// Command is 'llama-regress baseline'.
func Command(a *cli.App) *cobra.Command {
	var where stored.Flags
	cmd := &cobra.Command{
		Use:   "baseline",
		Short: "Keep run records: list, show, put, promote, prune, export",
		Long: `A store keeps the records of measured sessions, which history mode and the
nightly report compare with. Records never change. They lie in a folder
(dir:PATH), on a branch of a git repository (git:origin#perf-data), or in
S3-compatible object storage (s3://BUCKET/PREFIX); what they say about a machine
is found again by its name.

Nothing is stored unless 'baseline put' or 'gate --record' stores it, and pull
requests never do.`,
		Example: `  llama-regress baseline put llama-regress-out --store git:origin#perf-data
  llama-regress baseline list --since 90d
  llama-regress baseline promote --reason "flash attention is on by default now"
  llama-regress baseline prune --keep 100 --older-than 365d`,
	}
	where.Register(cmd.PersistentFlags())
	cmd.AddCommand(
		listCommand(a, &where),
		showCommand(a, &where),
		putCommand(a, &where),
		promoteCommand(a, &where),
		pruneCommand(a, &where),
		exportCommand(a, &where),
	)
	return cli.Group(cmd)
}

func listCommand(a *cli.App, where *stored.Flags) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the stored sessions, oldest first, and where history begins anew",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, c, err := where.Load(cmd.Context(), a)
			if err != nil {
				return err
			}
			if asJSON {
				return listJSON(a, s, c)
			}
			if len(c.Sessions) == 0 {
				fmt.Fprintf(a.Err, "no session in %s; 'llama-regress baseline put' stores one\n", cli.Printable(s.String()))
			}
			return listText(a, c)
		},
	}
	where.RegisterFilter(cmd.Flags())
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

func listText(a *cli.App, c *store.Contents) error {
	lost := losses(c)
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	if len(c.Sessions) > 0 {
		fmt.Fprintln(w, "STARTED (UTC)\tMACHINE\tCOMMIT\tBUILD\tCELLS\tTRIALS\tKEY")
	}
	for _, s := range c.Sessions {
		for _, g := range c.Segments {
			if g.From == s.Key.String() {
				fmt.Fprintf(w, "-- history of %s begins anew: %s\t\t\t\t\t\t\n", about(g), cli.Printable(g.Reason))
			}
		}
		for _, l := range lost {
			if l.Verdict.Session == s.Key.String() {
				fmt.Fprintf(w, "-- confirmed, %+.1f%%, %s: %s of %s\t\t\t\t\t\t\n", 100*l.Finding.Change, l.State, cli.Printable(l.Finding.Metric.Name), cli.Printable(l.Finding.Cell))
			}
		}
		e := listEntry(s)
		trials := fmt.Sprint(e.Measured)
		if e.Failed > 0 {
			trials = fmt.Sprintf("%d, %d failed", e.Measured, e.Failed)
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%d\t%d\t%s\t%s\n", e.Started.Format("2006-01-02 15:04"), e.Machine, cli.Printable(e.Commit), e.Build, e.Cells, trials, e.Key)
	}
	return w.Flush()
}

// losses are the confirmed losses of all machines.
func losses(c *store.Contents) (all []history.Standing) {
	var machines []string
	for _, v := range c.Verdicts {
		if !slices.Contains(machines, v.Machine) {
			machines = append(machines, v.Machine)
			all = append(all, history.Standings(c, v.Machine)...)
		}
	}
	return all
}

func about(g store.Segment) string {
	switch len(g.Cells) {
	case 0:
		return g.Machine
	case 1:
		return g.Machine + ", " + cli.Printable(g.Cells[0])
	}
	return fmt.Sprintf("%s, %d cells", g.Machine, len(g.Cells))
}

// A listedSession is a line of the list. Its JSON is part of the interface.
type listedSession struct {
	Key         string    `json:"key"`
	Machine     string    `json:"machine"`
	Started     time.Time `json:"started"`
	Commit      string    `json:"commit"`
	Build       int       `json:"build"`
	Run         string    `json:"run"`
	Cells       int       `json:"cells"`
	Measured    int       `json:"measured"` // trials of its best measured metric, over all cells and arms
	Failed      int       `json:"failed"`
	Interrupted string    `json:"interrupted,omitempty"`
}

func listEntry(s store.Session) listedSession {
	e := listedSession{
		Key: s.Key.String(), Machine: s.Key.Machine, Started: s.Run.Started.UTC(), Run: s.Run.ID,
		Cells: len(s.Run.Cells), Interrupted: s.Run.Interrupted,
	}
	for _, arm := range s.Run.Arms {
		if arm.Name == s.Run.Baseline {
			e.Commit, e.Build = arm.Build.Commit, arm.Build.Number
		}
	}
	type pair struct{ arm, cell int32 }
	measured, failed := make(map[pair]int), make(map[pair]int)
	for _, x := range s.Samples {
		p := pair{x.Arm, x.Cell}
		measured[p] = max(measured[p], len(x.Values)+int(x.Beyond))
		failed[p] = max(failed[p], int(x.Failed))
	}
	for p := range measured {
		e.Measured += measured[p]
		e.Failed += failed[p]
	}
	return e
}

func listJSON(a *cli.App, s store.Store, c *store.Contents) error {
	type fault struct {
		Key   string `json:"key"`
		Error string `json:"error"`
	}
	type marker struct {
		Key string `json:"key"`
		store.Segment
	}
	type verdict struct {
		Key     string        `json:"key"`
		Session string        `json:"session"`
		State   history.State `json:"state"`
		Cell    string        `json:"cell"`
		Metric  string        `json:"metric"`
		Change  float64       `json:"change"`
	}
	list := struct {
		Store    string          `json:"store"`
		Sessions []listedSession `json:"sessions"`
		Segments []marker        `json:"segments"`
		Verdicts []verdict       `json:"verdicts"`
		Faults   []fault         `json:"faults"`
	}{s.String(), []listedSession{}, []marker{}, []verdict{}, []fault{}}
	for _, session := range c.Sessions {
		list.Sessions = append(list.Sessions, listEntry(session))
	}
	for _, g := range c.Segments {
		list.Segments = append(list.Segments, marker{g.Key, g})
	}
	for _, l := range losses(c) {
		list.Verdicts = append(list.Verdicts, verdict{l.Verdict.Key, l.Verdict.Session, l.State, l.Finding.Cell, l.Finding.Metric.Name, l.Finding.Change})
	}
	for _, f := range c.Faults {
		list.Faults = append(list.Faults, fault{f.Key, f.Err.Error()})
	}
	return a.PrintJSON(list)
}
