package sched

import (
	"slices"
	"time"
)

// A Scheduler is a sched_ext scheduler that people know.
type Scheduler struct {
	Name       string        `json:"name"`           // of its program
	Source     string        `json:"source"`         // rust: sched-ext/scx; kernel: tools/sched_ext of the kernel, or scx-c-examples
	Production bool          `json:"production"`     // fit for production by its authors' word
	Args       []string      `json:"args,omitempty"` // without which it does not run
	Watchdog   time.Duration `json:"watchdog_ns"`    // a task that waits longer than this for a processor ends the scheduler
	Note       string        `json:"note,omitempty"` // what its authors say of it
}

// kernelWatchdog is what a scheduler gets that sets no limit of its own: the
// most that the kernel allows.
const kernelWatchdog = 30 * time.Second

func rust(name string, production bool, watchdog time.Duration, note string) Scheduler {
	return Scheduler{Name: name, Source: "rust", Production: production, Watchdog: watchdog, Note: note}
}

func kernelTree(name string, production bool, note string) Scheduler {
	return Scheduler{Name: name, Source: "kernel", Production: production, Watchdog: kernelWatchdog, Note: note}
}

// Catalogue lists the known schedulers, sorted by name. Source: the README
// files of sched-ext/scx at 7a58a3a1a (August 2026) and of tools/sched_ext; the
// watchdog's limits are timeout_ms of each scheduler's operations.
var Catalogue = sorted(
	rust("scx_beerland", true, 5*time.Second, ""),
	rust("scx_bpfland", true, 5*time.Second, ""),
	rust("scx_cake", false, 5*time.Second, "its authors do not say"),
	rust("scx_chaos", false, 30*time.Second, "disturbs on purpose, to find bugs"),
	rust("scx_cosmos", true, 5*time.Second, ""),
	rust("scx_flash", true, 5*time.Second, ""),
	rust("scx_flow", false, 5*time.Second, "experimental"),
	rust("scx_forge", false, 5*time.Second, "not meant for production"),
	rust("scx_lavd", true, 30*time.Second, ""),
	with(rust("scx_layered", true, kernelWatchdog, "needs layers for the machine at hand; the example's are used"), "--run-example"),
	rust("scx_mitosis", false, kernelWatchdog, "its authors do not say"),
	rust("scx_p2dq", true, 25*time.Second, "tested at Meta"),
	rust("scx_pandemonium", false, 10*time.Second, "its authors do not say"),
	rust("scx_rlfifo", false, kernelWatchdog, "an example"),
	rust("scx_rustland", false, kernelWatchdog, "decides in user space; not for speed"),
	rust("scx_rusty", true, 10*time.Second, "may need tuning"),
	rust("scx_tickless", false, 5*time.Second, "experimental"),
	kernelTree("scx_central", false, "an example: one processor decides for all"),
	kernelTree("scx_cpu0", false, "an example: everything on one processor"),
	kernelTree("scx_flatcg", true, ""),
	kernelTree("scx_nest", false, "for some loads only"),
	kernelTree("scx_pair", false, "an example"),
	kernelTree("scx_prev", false, "its authors do not say"),
	with5s(kernelTree("scx_qmap", false, "an example")),
	kernelTree("scx_sdt", false, "an example"),
	kernelTree("scx_simple", false, "for some loads only"),
	kernelTree("scx_userland", false, "an example: decides in user space"),
)

func with(s Scheduler, args ...string) Scheduler { s.Args = args; return s }
func with5s(s Scheduler) Scheduler               { s.Watchdog = 5 * time.Second; return s }

func sorted(all ...Scheduler) []Scheduler {
	slices.SortFunc(all, func(a, b Scheduler) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return all
}

// ByName finds a scheduler of the catalogue by its program's name.
func ByName(name string) (Scheduler, bool) {
	i := slices.IndexFunc(Catalogue, func(s Scheduler) bool { return s.Name == name })
	if i < 0 {
		return Scheduler{}, false
	}
	return Catalogue[i], true
}
