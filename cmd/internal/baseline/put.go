package baseline

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/llama-regress/llama-regress/ci/llama"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/store"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/judge"
	"github.com/llama-regress/llama-regress/cmd/internal/measure"
	"github.com/llama-regress/llama-regress/cmd/internal/stored"
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
