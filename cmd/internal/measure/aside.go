package measure

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/runner"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/output"
)

// PreviousFolder holds, within the output folder, the runs that it held before.
const PreviousFolder = "previous"

// setAside moves the run that a folder holds into its previous folder, so that
// measuring again takes one command and loses nothing. A run is finished that was
// complete or ended at its budget. One that was interrupted or killed is to be gone on
// with, and moved away only where that is asked for.
func setAside(a *cli.App, dir string, fresh bool) error {
	run, err := runner.ReadFolder(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	_, journal := os.Stat(filepath.Join(dir, runner.JournalFile))
	if journal == nil && run.Interrupted != "budget" && !fresh {
		return fmt.Errorf("%s holds a run that ended after %d of %d trials (%s): go on with it (--resume), start over (--fresh), which keeps it in %s, or choose another folder (--dir)",
			dir, run.Walked(), run.Plan.Trials, run.Interrupted, filepath.Join(dir, PreviousFolder))
	}
	aside := filepath.Join(dir, PreviousFolder, filepath.Base(run.ID))
	names := []string{ConfirmFolder, SentinelFolder, VerdictFile, record.RequestFile, runner.LogFolder}
	for _, k := range output.Kinds {
		names = append(names, k.File)
	}
	names = append(names, runner.RecordFile, runner.JournalFile) // these last: as long as they are there, the move is tried again
	if err := Move(dir, aside, names...); err != nil {
		return err
	}
	fmt.Fprintf(a.Err, "the run that %s held was moved to %s\n", cli.Printable(dir), cli.Printable(aside))
	return nil
}

// resuming says what going on with a folder's run will do.
func resuming(a *cli.App, dir string) {
	switch run, err := runner.ReadFolder(dir); {
	case errors.Is(err, fs.ErrNotExist):
		fmt.Fprintf(a.Err, "%s holds no run to go on with: one is begun\n", cli.Printable(dir))
	case err == nil && run.Interrupted != "":
		fmt.Fprintf(a.Err, "going on with the run of %s: %d of %d trials are there\n", cli.Printable(dir), run.Walked(), run.Plan.Trials)
	case err == nil:
		fmt.Fprintf(a.Err, "the run of %s is complete: nothing is measured\n", cli.Printable(dir))
	} // else the runner says what is wrong
}

// Move moves files and folders from one folder to another, in their order, as far as
// they are there.
func Move(from, to string, names ...string) error {
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	for _, name := range slices.Compact(names) {
		if err := os.Rename(filepath.Join(from, name), filepath.Join(to, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("setting the previous run aside: %w", err)
		}
	}
	return nil
}
