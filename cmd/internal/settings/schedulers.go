package settings

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/sched"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
)

// schedulerFlags make arms of schedulers, under the names that the old
// benchmark scripts gave them.
type schedulerFlags struct {
	names      string
	production bool
}

func (s *schedulerFlags) register(f *pflag.FlagSet) {
	f.StringVar(&s.names, "schedulers", "", "kernel schedulers to compare, such as default,scx_lavd, an arm each; all: those installed here")
	f.BoolVar(&s.production, "production-only", false, "of these only those that their authors call fit for production")
}

// apply makes an arm of the one build under each scheduler. The kernel's own is
// the baseline, and is added where it was not named.
func (s *schedulerFlags) apply(cmd *cobra.Command, cfg *config.Config) error {
	if s.names == "" && !s.production {
		return nil
	}
	if len(cfg.Arms) != 1 {
		return fmt.Errorf("--schedulers and --production-only make arms of one build, and there are %d: name one build, --bench-binary FILE or --server-binary FILE, or give each arm of the configuration its scheduler", len(cfg.Arms))
	}
	if setsScheduler(cfg) {
		return errors.New("--schedulers: the configuration says which schedulers to use; leave one of them out")
	}
	names, err := s.choose(cmd)
	if err != nil {
		return err
	}
	build := cfg.Arms[0]
	cfg.Arms, cfg.Baseline = nil, sched.Default
	taken := make(map[string]bool)
	for _, scheduler := range names {
		arm := build
		arm.Name, arm.Scheduler = armName(scheduler, taken), scheduler
		cfg.Arms = append(cfg.Arms, arm)
	}
	return nil
}

func setsScheduler(cfg *config.Config) bool {
	arm := cfg.Arms[0]
	_, matrix := cfg.Matrix.Params[record.SchedulerParam]
	return matrix || arm.Scheduler != "" || arm.Params[record.SchedulerParam] != ""
}

// choose lists the schedulers, the kernel's own first.
func (s *schedulerFlags) choose(cmd *cobra.Command) ([]string, error) {
	a := &cli.App{Streams: cli.Streams{Getenv: os.Getenv}}
	names := []string{sched.Default}
	var left []string
	if s.names == "" || s.names == "all" {
		opts, err := SchedulerOptions(a)
		if err != nil {
			return nil, err
		}
		for _, i := range sched.New(opts).Installed() {
			if i.Path != "" {
				names = append(names, i.Name)
			}
		}
	} else {
		for _, name := range strings.Split(s.names, ",") {
			name = strings.TrimSpace(name)
			if err := sched.CheckScheduler(name); err != nil {
				return nil, fmt.Errorf("--schedulers: %w", err)
			}
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	if s.production {
		names = slices.DeleteFunc(names, func(name string) bool {
			known, _ := sched.ByName(filepath.Base(strings.Fields(name)[0]))
			if name == sched.Default || known.Production {
				return false
			}
			left = append(left, name)
			return true
		})
	}
	if len(left) > 0 {
		fmt.Fprintf(cmd.ErrOrStderr(), "--production-only leaves out %s\n", strings.Join(left, ", "))
	}
	if len(names) == 1 {
		return nil, errors.New("--schedulers: nothing to compare the kernel's own scheduler with; 'llama-regress schedulers' lists what is installed")
	}
	return names, nil
}

// armName is the scheduler's, made a name of an arm that is not taken.
func armName(scheduler string, taken map[string]bool) string {
	fields := strings.Fields(scheduler)
	base := filepath.Base(fields[0])
	for _, option := range fields[1:] {
		base += "_" + strings.TrimLeft(option, "-")
	}
	name := strings.TrimLeft(strings.Map(func(r rune) rune {
		if r == '.' || r == '_' || r == '+' || r == '-' || '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
			return r
		}
		return '-'
	}, base), "._+-")
	if len(name) > 60 {
		name = name[:60]
	}
	if name == "" {
		name = "scheduler"
	}
	for n := 2; taken[name]; n++ {
		name = fmt.Sprintf("%.58s-%d", name, n)
	}
	taken[name] = true
	return name
}
