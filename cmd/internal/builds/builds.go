// Package builds has what the commands share that build llama.cpp themselves: the
// flags that say from which checkout and how, and the arms that the builds become.
package builds

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"time"

	"github.com/spf13/pflag"

	"github.com/llama-regress/llama-regress/ci/build"
	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/gguf"
	"github.com/llama-regress/llama-regress/ci/llama"
	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/provision"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/runner"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/settings"
)

// Flags say how llama.cpp is built. The repository is its command's own flag.
type Flags struct {
	command, bin, kept string
	timeout            time.Duration
}

// Register defines the flags.
func (b *Flags) Register(f *pflag.FlagSet) {
	d := build.DefaultBuilder()
	f.StringVar(&b.command, "build", "", "shell command that builds a checkout (default the configuration's, else CMake's release build of what is measured)")
	f.StringVar(&b.bin, "bin", "", "folder of the programs in a checkout after it (default the configuration's, else "+d.Bin+")")
	f.DurationVar(&b.timeout, "build-timeout", d.Timeout, "time limit of one build")
	f.StringVar(&b.kept, "builds", "", "folder in which builds are kept for the next time (default builds in the cache folder)")
}

// Load returns the configuration with two arms of those names that differ in their
// builds alone, for which Point names the folders once they are built.
func Load(load func() (*config.Config, error), what *settings.Flags, names [2]string) (*config.Config, error) {
	what.Base, what.Head = "", ""
	if what.File == "" && len(what.Models) > 0 { // needs no configuration
		what.Base, what.Head = names[0], names[1]
	}
	cfg, err := load()
	if err != nil {
		return nil, err
	}
	if cfg.Running() {
		return nil, errors.New("an arm of the configuration is a server that already runs (url), and builds are to be made here and compared: take its url out, and name a bin")
	}
	plain := func(a config.Arm) config.Arm { a.Name, a.Bin = "", ""; return a }
	for _, arm := range cfg.Arms[1:] {
		if !reflect.DeepEqual(plain(arm), plain(cfg.Arms[0])) {
			return nil, fmt.Errorf("arms %s and %s of the configuration differ in more than their build, and two builds of one repository are to be compared: leave one of them", cfg.Arms[0].Name, arm.Name)
		}
	}
	one := cfg.Arms[0]
	cfg.Arms = nil
	for _, name := range names {
		one.Name, one.Bin = name, name
		cfg.Arms = append(cfg.Arms, one)
	}
	cfg.Baseline = names[0]
	return cfg, cfg.Validate()
}

// Point makes the two arms of a configuration run these builds.
func Point(cfg *config.Config, pair [2]build.Build) {
	cfg.Arms = append([]config.Arm(nil), cfg.Arms...)
	for i := range cfg.Arms {
		cfg.Arms[i].Bin = pair[i].Bin
	}
}

// Open finds the repository and what is kept of it. What a measurement will want
// beside the builds has to be there already: a build takes longer than a look.
func (b *Flags) Open(ctx context.Context, repo string, cfg *config.Config) (*build.Kept, error) {
	p, err := plan.Expand(cfg)
	if err != nil {
		return nil, err
	}
	builder := builderFor(p, llama.BeyondValgrind())
	builder.Command = cmp.Or(b.command, cfg.Build.Command, builder.Command)
	builder.Bin = cmp.Or(b.bin, cfg.Build.Bin, builder.Bin)
	builder.Programs, builder.Timeout = Programs(p), b.timeout
	if !filepath.IsLocal(builder.Bin) {
		return nil, fmt.Errorf("--bin %s: want a folder within the checkout, such as %s", builder.Bin, build.DefaultBuilder().Bin)
	}
	r, err := build.Open(ctx, repo)
	if err != nil {
		return nil, err
	}
	without := *p
	without.Arms = nil
	faults := []error{runner.Missing(&without)}
	for _, m := range p.Models {
		if faults[0] == nil {
			_, err := gguf.Inspect(m.Path)
			faults = append(faults, err)
		}
	}
	if err := errors.Join(faults...); err != nil {
		return nil, cli.Unmeasured(err)
	}
	dir := b.kept
	if dir == "" {
		cache, err := provision.DefaultCacheDir()
		if err != nil {
			return nil, err
		}
		dir = filepath.Join(cache, "builds")
	}
	if dir, err = filepath.Abs(dir); err != nil {
		return nil, err
	}
	return build.Keep(ctx, r, dir, builder)
}

// builderFor is how a plan's programs are built where nobody says how. Where nothing is
// timed valgrind is to be able to run them.
func builderFor(p *plan.Plan, beyondValgrind bool) build.Builder {
	timed := slices.ContainsFunc(p.Cells, func(c plan.Cell) bool { return c.Cell.Workload != record.CountWorkload })
	if beyondValgrind && !timed && p.Count.Tool != string(record.Perf) {
		return build.ForValgrind()
	}
	return build.DefaultBuilder()
}

// Programs are those that a plan's cells run.
func Programs(p *plan.Plan) []string {
	var programs []string
	for _, w := range record.Workloads() {
		measured := slices.ContainsFunc(p.Cells, func(c plan.Cell) bool { return c.Cell.Workload == w.Name })
		if measured && w.Program != "" && !slices.Contains(programs, w.Program) {
			programs = append(programs, w.Program)
		}
	}
	return programs
}
