package main

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/pflag"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/provision"
	"github.com/llama-regress/llama-regress/ci/store"
)

// defaultStore is where records live when nobody says otherwise.
const defaultStore = "dir:.llama-regress/store"

// storeFlags say which store, and which of its sessions.
type storeFlags struct {
	ref     string
	config  string
	machine string
	since   string
}

func (s *storeFlags) register(f *pflag.FlagSet) {
	s.registerRef(f)
	f.StringVarP(&s.config, "config", "c", "", "configuration file whose store is used (default "+defaultConfig+", if there)")
}

func (s *storeFlags) registerRef(f *pflag.FlagSet) {
	f.StringVar(&s.ref, "store", "", "dir:PATH, git:REMOTE#BRANCH or s3://BUCKET/PREFIX (default the configuration's, else "+defaultStore+")")
}

func (s *storeFlags) registerFilter(f *pflag.FlagSet) {
	f.StringVar(&s.machine, "machine", "", "only sessions of this machine")
	f.StringVar(&s.since, "since", "", "only sessions since a day, 2026-03-09, or of an age, 90d")
}

// open opens the store that the flags name.
func (s *storeFlags) open(a *app) (store.Store, error) {
	ref := s.ref
	if ref == "" {
		var err error
		if ref, err = s.configured(); err != nil {
			return nil, err
		}
	}
	cache, err := provision.DefaultCacheDir()
	if err != nil {
		return nil, err
	}
	return store.Open(ref, store.Options{Cache: cache, Getenv: a.getenv})
}

func (s *storeFlags) configured() (string, error) {
	path := s.config
	if path == "" {
		path = defaultConfig
	}
	cfg, err := config.Load(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && s.config == "":
		return defaultStore, nil
	case err != nil:
		return "", err
	case cfg.Store == "":
		return defaultStore, nil
	}
	return cfg.Store, nil
}

// openToWrite also refuses what must never write: a pull request's numbers are
// not the project's, and its code is not to be trusted with its history.
func (s *storeFlags) openToWrite(a *app) (store.Store, error) {
	event := a.getenv("GITHUB_EVENT_NAME")
	if strings.HasPrefix(event, "pull_request") || event == "merge_group" {
		return nil, fmt.Errorf("this job runs for a %s event, and pull requests never write to a store: do this on push or schedule", event)
	}
	return s.open(a)
}

// options are those of a Load: the filter, and where the index lies.
func (s *storeFlags) options(now time.Time) (store.LoadOptions, error) {
	cache, err := provision.DefaultCacheDir()
	if err != nil {
		return store.LoadOptions{}, err
	}
	o := store.LoadOptions{Cache: cache}
	if s.machine != "" {
		o.Machine = store.Slug(s.machine)
	}
	if s.since != "" {
		if o.Since, err = moment(s.since, now); err != nil {
			return o, fmt.Errorf("--since %w", err)
		}
	}
	return o, nil
}

// moment reads a day, as 2026-03-09, or an age before now, as 90d or 12h.
func moment(text string, now time.Time) (time.Time, error) {
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

// printable is text of a stored record, fit for a line of a terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}
