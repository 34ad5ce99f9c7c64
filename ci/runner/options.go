package runner

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/llama-regress/llama-regress/ci/device"
	"github.com/llama-regress/llama-regress/ci/disturbance"
	"github.com/llama-regress/llama-regress/ci/host"
	"github.com/llama-regress/llama-regress/ci/record"
)

// Names of what a run leaves in its folder.
const (
	RecordFile  = "run.json"      // the run record, once the run has ended
	JournalFile = "journal.jsonl" // every finished trial of a run that is not complete
	LogFolder   = "logs"          // made for the logs a Bench may write; the runner writes none
	lockFile    = ".lock"         // held while a run is under way; left behind, empty of meaning
)

// RecordAt returns the file of the run record that path names: a folder stands for
// the record of its run.
func RecordAt(path string) string {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		return filepath.Join(path, RecordFile)
	}
	return path
}

// ReadFolder reads the run of a folder: its record, or as far as the journal goes of
// a run that was killed. The error wraps fs.ErrNotExist where there is neither.
func ReadFolder(dir string) (*record.Run, error) {
	run, err := record.ReadFile(filepath.Join(dir, RecordFile))
	if errors.Is(err, fs.ErrNotExist) {
		return Recover(dir)
	}
	return run, err
}

// Options say where and how a plan is run. The zero value of every field but
// Dir is usable.
type Options struct {
	Dir    string        // output folder, created when missing
	Resume bool          // go on with the run that Dir holds; start one when it holds none
	Budget time.Duration // of this call; no block is begun that would overrun it. 0: no limit

	// Decider stops cells of a plan that has interim analyses or stages; nil measures all of
	// it.
	Decider Decider

	// Conditions says, a sentence each, what the machine did during all of the
	// trials that ran in turns that makes their numbers unfit; nil:
	// disturbance.Standard. Repeat is how often such a round is run again at most,
	// in all for a fifth of the plan's trials; the disturbed one is kept.
	Conditions func(round ...*record.Samples) []string
	Repeat     int

	// Before each trial the processor is waited for until it is no warmer than
	// CoolBelow, in °C, where something tells, and CoolLimit at most: by the same
	// rule for every arm, and no longer than it takes. 0: not at all.
	CoolBelow   float64
	CoolLimit   time.Duration
	Temperature func() (celsius float64, ok bool) // of the processor; nil: host.ProcessorTemperature

	// Devices are the machine's accelerators, nil for none. A device that earlier trials
	// used is waited for in the same way until it is no warmer than CoolDevices, in °C.
	// 0: not at all.
	Devices     *device.Set
	CoolDevices float64

	Sleep func(ctx context.Context, d time.Duration) bool // false when ctx ended first; nil: by the clock

	// Alone gets the machine for this run before any program is started, and
	// release gives it back; nil measures beside others. See LockMachine. The
	// notes are what a reader of the record should know about the machine now.
	Alone func(ctx context.Context) (release func(), notes []string, err error)

	Schedulers Schedulers // where trials ask for one; nil refuses such a plan

	Host record.Host // this machine; host.Describe
	Tool record.Tool // this program

	// Command is the program and the arguments that the record says measured it.
	Command []string

	Notes []string // what a reader of the record should know about how it was called

	Observer   Observer                     // told what happens as it happens; nil: nobody
	CheckModel func(path string) error      // says why a file is not a model; nil: interims for GGUF's magic
	Now        func() time.Time             // nil: time.Now. Durations are differences of what it returns, monotonic by default
	NewID      func(start time.Time) string // of a new run; nil: its start and a random suffix
}

// Schedulers put the kernel's scheduler that a trial asks for in force. Package
// sched brings them.
type Schedulers interface {
	// Check says why some of them cannot be had on this machine.
	Check(ctx context.Context, schedulers []string) error

	// Under runs measure under a scheduler, and makes it a failed trial where
	// that was not in force all the time. An error ends the run.
	Under(ctx context.Context, scheduler string, measure func(context.Context) (record.Trial, error)) (record.Trial, error)

	// Close brings the kernel's own scheduler back.
	Close() error
}

func (o Options) withDefaults() Options {
	if o.Conditions == nil {
		o.Conditions = disturbance.Standard().Round
	}
	if o.Temperature == nil {
		o.Temperature = host.ProcessorTemperature
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	if o.Alone == nil {
		o.Alone = func(context.Context) (func(), []string, error) { return func() {}, nil, nil }
	}
	if o.Observer == nil {
		o.Observer = nobody{}
	}
	if o.CheckModel == nil {
		o.CheckModel = checkMagic
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.NewID == nil {
		o.NewID = newID
	}
	return o
}

// newID is such as "20261123-121805-9f3b01": sorted by name is sorted by time.
func newID(start time.Time) string {
	var suffix [3]byte
	rand.Read(suffix[:]) // never fails
	return start.UTC().Format("20060102-150405-") + hex.EncodeToString(suffix[:])
}

// checkMagic is the least a model file must have: the four bytes "GGUF".
func checkMagic(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	magic := make([]byte, 4)
	if _, err := io.ReadFull(f, magic); err != nil || !bytes.Equal(magic, []byte("GGUF")) {
		return fmt.Errorf("%s: not a GGUF file: it begins with %q", path, magic)
	}
	return nil
}
