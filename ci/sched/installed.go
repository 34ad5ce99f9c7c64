package sched

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// An Installed is a known scheduler and where this machine has it.
type Installed struct {
	Scheduler
	Path string `json:"path"` // of its program, "" when it is not installed
}

// Installed lists the catalogue, and the programs named like schedulers that
// are installed beside it, sorted by name.
func (m *Manager) Installed() []Installed {
	var all []Installed
	for _, s := range Catalogue {
		path, _ := m.find(spec{program: s.Name, known: s})
		all = append(all, Installed{s, path})
	}
	for _, dir := range m.opts.Path {
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			name := e.Name()
			known := slices.ContainsFunc(all, func(i Installed) bool { return i.Name == name })
			if known || !strings.HasPrefix(name, "scx_") || slices.Contains(notSchedulers, name) {
				continue
			}
			if path, r := m.find(spec{program: filepath.Join(dir, name)}); r == nil {
				all = append(all, Installed{Scheduler{Name: name, Source: "unknown", Watchdog: kernelWatchdog, Note: "not in the catalogue"}, path})
			}
		}
	}
	slices.SortFunc(all, func(a, b Installed) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// notSchedulers are other programs of sched-ext/scx.
var notSchedulers = []string{"scx_loader", "scx_lib_selftests"}
