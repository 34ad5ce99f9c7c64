// Package stored finds sessions in a store, and judges a new one by them.
package stored

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/llama-regress/llama-regress/ci/provision"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/runner"
	"github.com/llama-regress/llama-regress/ci/store"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/settings"
)

// Complain names what cannot be used, or not yet. The rest can, so it is no failure.
func Complain(a *cli.App, c *store.Contents) {
	for _, f := range slices.Concat(c.Faults, c.Ahead) {
		fmt.Fprintf(a.Err, "left out: %s\n", cli.Printable(f.Error()))
	}
}

// ReadRun reads a run record, or the one that a folder holds.
func ReadRun(path string) (*record.Run, error) {
	run, err := record.ReadFile(runner.RecordAt(path))
	if os.IsNotExist(err) {
		return nil, fmt.Errorf("%w; measure with 'llama-regress run', or name a run.json", err)
	}
	return run, err
}

// Default is where records live when nobody says otherwise.
const Default = "dir:.llama-regress/store"

// Flags say which store, and which of its sessions.
type Flags struct {
	Ref     string
	Config  string
	Machine string
	since   string
}

// Register defines the flags.
func (s *Flags) Register(f *pflag.FlagSet) {
	s.RegisterRef(f)
	f.StringVarP(&s.Config, "config", "c", "", "configuration file whose store is used (default "+cli.DefaultConfig+", if there)")
}

// RegisterRef defines --store alone.
func (s *Flags) RegisterRef(f *pflag.FlagSet) {
	f.StringVar(&s.Ref, "store", "", store.Forms()+" (default the configuration's, else "+Default+")")
}

// RegisterFilter defines the flags that choose among the sessions.
func (s *Flags) RegisterFilter(f *pflag.FlagSet) {
	f.StringVar(&s.Machine, "machine", "", "only sessions of this machine")
	f.StringVar(&s.since, "since", "", "only sessions since a day, 2026-03-09, or of an age, 90d")
}

// Open opens the store that the flags name.
func (s *Flags) Open(a *cli.App) (store.Store, error) {
	ref := s.Ref
	if ref == "" {
		cfg, err := settings.LoadOrDefault(s.Config)
		if err != nil {
			return nil, err
		}
		ref = cmp.Or(cfg.Store, Default)
	}
	cache, err := provision.DefaultCacheDir()
	if err != nil {
		return nil, err
	}
	return store.Open(ref, store.Options{Cache: cache, Getenv: a.Getenv})
}

// OpenToWrite also refuses what must never write: a pull request's numbers are
// not the project's, and its code is not to be trusted with its history.
func (s *Flags) OpenToWrite(a *cli.App) (store.Store, error) {
	if event := a.PullRequest(); event != "" {
		return nil, fmt.Errorf("this job runs for a %s event, and pull requests never write to a store: do this on push or schedule", event)
	}
	return s.Open(a)
}

// Load opens the store and lists the sessions that the flags select; what is
// wrong with some of them is told.
func (s *Flags) Load(ctx context.Context, a *cli.App) (store.Store, *store.Contents, error) {
	from, err := s.Open(a)
	if err != nil {
		return nil, nil, err
	}
	o, err := s.Options(time.Now())
	if err != nil {
		return nil, nil, err
	}
	c, err := store.Load(ctx, from, o)
	if err != nil {
		return nil, nil, err
	}
	Complain(a, c)
	return from, c, nil
}

// Options are those of a Load: the filter, and where the index lies.
func (s *Flags) Options(now time.Time) (store.LoadOptions, error) {
	cache, err := provision.DefaultCacheDir()
	if err != nil {
		return store.LoadOptions{}, err
	}
	o := store.LoadOptions{Cache: cache}
	if s.Machine != "" {
		o.Machine = store.Slug(s.Machine)
	}
	if s.since != "" {
		if o.Since, err = Moment(s.since, now); err != nil {
			return o, fmt.Errorf("--since %w", err)
		}
	}
	return o, nil
}

// Moment reads a day, as 2026-03-09, or an age before now, as 90d or 12h.
func Moment(text string, now time.Time) (time.Time, error) {
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day, nil
	}
	age, err := time.ParseDuration(text)
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, numberErr := strconv.Atoi(days)
		age, err = time.Duration(n)*24*time.Hour, numberErr
		if n > 100_000 {
			err = strconv.ErrRange
		}
	}
	if err != nil || age <= 0 {
		return time.Time{}, fmt.Errorf("%q: want a day such as 2026-03-09 or an age such as 90d or 12h", text)
	}
	return now.Add(-age), nil
}
