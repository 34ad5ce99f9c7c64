// Package settings turns flags and llama-regress.yaml into what is to be
// measured, and how it is judged.
package settings

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
)

// Flags are the flags that say what to measure: a configuration file, or
// builds and models on the command line. Flags win over the file.
type Flags struct {
	File       string
	Base, Head string
	sentinel   string
	Models     []string
	tests      []string
	params     []string
	threads    string
	benchArgs  string
	serveArgs  string
	Cells      []string
	Serve      serveFlags
	Running    runningFlags
	count      string
	ops        []string
	opShapes   string
	sched      schedulerFlags

	blocks, repetitions, warmup int
	seed                        uint64
	timeout, Budget             time.Duration
	control                     string
	adaptive, confirm           string
}

// Register defines the flags.
func (s *Flags) Register(f *pflag.FlagSet) {
	f.StringVar(&s.Base, "base", "", "folder of the baseline's llama.cpp programs, or the address of a server that already runs; beside a configuration of one arm, what that is compared with")
	f.StringVar(&s.Head, "head", "", "the same of the candidate; with --base it needs no configuration")
	f.StringVar(&s.sentinel, "sentinel", "", "folder of a build that never changes, measured beside, but not in jobs of pull requests: where it moves, the machine did")
	s.Running.register(f)
	s.RegisterWork(f)
}

// RegisterWork registers the flags that say what a build has to do.
func (s *Flags) RegisterWork(f *pflag.FlagSet) {
	d := config.Default() // shown in the help; only flags that are given count
	f.StringVarP(&s.File, "config", "c", "", "configuration file (default "+cli.DefaultConfig+")")
	f.StringArrayVarP(&s.Models, "model", "m", nil, "GGUF file; repeat for several")
	f.StringSliceVar(&s.tests, "tests", nil, "llama-bench tests, such as pp512,tg128,tg128@d4096")
	f.StringVar(&s.count, "count", "", "count the instructions of tests, such as --count=pp64,tg16, beside what else is measured: a verdict without noise")
	f.Lookup("count").NoOptDefVal = "pp64,tg16"
	f.StringSliceVar(&s.ops, "ops", nil, "time single operators by test-backend-ops, such as --ops=MUL_MAT,FLASH_ATTN_EXT, beside what else is measured")
	f.Lookup("ops").NoOptDefVal = "MUL_MAT"
	f.StringVar(&s.opShapes, "op-shapes", "", "only cases of --ops whose parameters fit a regular expression, such as 'type_a=q4_0,.*n=1,'; each takes a second or more")
	f.StringVarP(&s.threads, "threads", "t", "", "thread counts, such as 2,8; each is a cell")
	f.StringArrayVar(&s.params, "param", nil, "vary a parameter: name=value,value; repeat for several")
	f.StringVar(&s.benchArgs, "bench-args", "", "arguments of llama-bench that no parameter stands for, in every cell, such as \"--prio 2\"")
	f.StringVar(&s.serveArgs, "serve-args", "", "the same of llama-server, such as \"-ot exps=CPU\"")
	f.StringArrayVar(&s.Cells, "cell", nil, "measure only the cell of this key; repeat for several ('llama-regress plan --full' lists them)")
	s.Serve.register(f)
	s.sched.register(f)
	f.IntVar(&s.blocks, "blocks", d.Sampling.Blocks, "rounds in which every arm of every cell runs once; of the first stage where there are two, before the first interim analysis where there are some")
	f.StringVar(&s.adaptive, "adaptive", "off", "measure each cell until its verdict is reached: on, or the most blocks it may get")
	f.Lookup("adaptive").NoOptDefVal = "on"
	f.StringVar(&s.confirm, "confirm-blocks", "", "fresh blocks of the cells that --blocks could not clear of a loss, or off (default: 20 from 20 cells on)")
	f.IntVar(&s.repetitions, "repetitions", d.Bench.Repetitions, "repetitions of each test in a trial that count")
	f.IntVar(&s.warmup, "warmup", d.Sampling.Warmup, "repetitions dropped before them")
	f.Uint64Var(&s.seed, "seed", 0, "seed of the order of cells and arms")
	f.DurationVar(&s.timeout, "timeout", d.Sampling.Timeout, "time limit of one trial")
	f.DurationVar(&s.Budget, "budget", 0, "wall time after which no block is begun, such as 30m; of cells that may stop early those closest to a verdict come first")
	f.StringVar(&s.control, "control", string(d.Sampling.Control), "null control, the baseline against itself: none, one or all cells")
}

// Load returns the configuration that the flags describe.
func (s *Flags) Load(cmd *cobra.Command) (*config.Config, error) {
	cfg, err := s.source()
	if err != nil {
		return nil, err
	}
	if err := s.override(cmd.Flags(), cfg); err != nil {
		return nil, err
	}
	if err := s.sched.apply(cmd, cfg); err != nil {
		return nil, err
	}
	cfg.Cells = s.Cells
	return cfg, cfg.Validate()
}

// source is the file, or a configuration of the builds on the command line.
func (s *Flags) source() (*config.Config, error) {
	if s.Head == "" && s.Running.url == "" && s.Serve.Programs() == nil && (s.Base == "" || s.File != "" || len(s.Models) == 0 && !isAddress(s.Base)) {
		path := s.File
		if path == "" {
			path = cli.DefaultConfig
		}
		cfg, err := config.Load(path)
		if errors.Is(err, fs.ErrNotExist) && s.File == "" {
			return nil, fmt.Errorf("no %s here; write one with 'llama-regress config init', or name two builds: --base DIR --head DIR --model FILE", cli.DefaultConfig)
		}
		if err == nil && s.Base != "" {
			err = Against(cfg, s.Base)
		}
		return cfg, err
	}
	arms, err := s.arms()
	switch {
	case err != nil:
		return nil, err
	case s.File != "":
		return nil, errors.New("--config excludes builds on the command line, but for the --base that its one arm is compared with; name them as arms in the configuration")
	case len(s.Models) == 0 && !(s.ops != nil && s.count == "" && len(s.tests) == 0 && !s.Serve.given()) && slices.ContainsFunc(arms, func(a config.Arm) bool { return a.URL == "" }):
		return nil, errors.New("no model: add --model FILE.gguf, or make one with 'llama-regress provision model tiny'")
	}
	cfg := config.Default()
	cfg.Arms, cfg.Baseline = arms, arms[0].Name
	if len(s.Models) == 0 && s.ops == nil {
		cfg.Models = []config.Model{{Name: config.ServedModel}}
	}
	if (s.Serve.given() || s.count != "" || s.ops != nil) && len(s.tests) == 0 && s.Serve.bench == "" {
		cfg.Bench.Tests = nil // who asks for serving or counting alone gets no llama-bench
	}
	cfg.Dir, err = os.Getwd()
	return cfg, err
}

// Against makes a build the baseline of a configuration's one arm, whose
// parameters and environment it shares.
func Against(cfg *config.Config, base string) error {
	if len(cfg.Arms) != 1 {
		return fmt.Errorf("--base: the configuration has %d arms and says itself which is the baseline; leave --base out", len(cfg.Arms))
	}
	named, err := absolute(armOf("base", base)) // the flag's path is the shell's
	if err != nil {
		return err
	}
	arm := cfg.Arms[0]
	if arm.URL != "" || named.URL != "" {
		arm = config.Arm{} // a server that already runs shares nothing with a build
	}
	arm.Name, arm.Bin, arm.URL = named.Name, named.Bin, named.URL
	if cfg.Arms[0].Name == arm.Name {
		arm.Name = "before"
	}
	cfg.Arms, cfg.Baseline = []config.Arm{arm, cfg.Arms[0]}, arm.Name
	return nil
}

// arms are the builds named on the command line: two to compare, or the
// programs of one to measure alone.
func (s *Flags) arms() ([]config.Arm, error) {
	programs := s.Serve.Programs()
	if err := s.Running.check(s.Head, programs); err != nil {
		return nil, err
	}
	head := armOf("head", s.Head)
	switch {
	case s.Running.url != "":
		head = armOf("head", s.Running.url)
		if s.Base == "" {
			head.Name = "server"
		}
	case programs != nil && s.Head != "":
		return nil, errors.New("--bench-binary and --server-binary name the same build as --head: choose")
	case programs != nil:
		bin, err := oneFolder(programs)
		if err != nil {
			return nil, err
		}
		head = config.Arm{Name: "build", Bin: bin}
	case s.Head == "":
		return nil, errors.New("--base without --head: name the build that is to be compared with it")
	}
	if s.Base == "" {
		return []config.Arm{head}, nil
	}
	return []config.Arm{armOf("base", s.Base), head}, nil
}

// override puts the flags that were given over what the configuration says.
func (s *Flags) override(f *pflag.FlagSet, cfg *config.Config) error {
	if len(s.Models) > 0 {
		cfg.Models = nil
		for _, path := range s.Models {
			path, err := filepath.Abs(path) // the flag's paths are the shell's, the file's are the file's
			if err != nil {
				return err
			}
			cfg.Models = append(cfg.Models, config.Model{Name: config.ModelName(path), Path: path})
		}
	}
	if len(s.tests) > 0 {
		cfg.Bench.Tests = nil
		for _, name := range s.tests {
			t, err := record.ParseTest(name)
			if err != nil {
				return fmt.Errorf("--tests: %w", err)
			}
			cfg.Bench.Tests = append(cfg.Bench.Tests, t)
		}
	}
	if err := s.counted(cfg); err != nil {
		return err
	}
	if err := s.operators(cfg); err != nil {
		return err
	}
	if err := s.Serve.override(f, cfg); err != nil {
		return err
	}
	if err := s.Running.override(f, cfg); err != nil {
		return err
	}
	if err := s.arguments(f, cfg); err != nil {
		return err
	}
	if s.threads != "" {
		s.params = append(s.params, "threads="+s.threads)
	}
	given := make(map[string]bool)
	for _, p := range s.params {
		name, values, ok := strings.Cut(p, "=")
		if name == record.BenchArgs || name == record.ServeArgs {
			return fmt.Errorf("--param %s: give arguments by --%s", p, strings.ReplaceAll(name, "_", "-"))
		}
		if _, known := record.ParamByName(name); !ok || !known {
			return fmt.Errorf("--param %s: want name=value,value with one of: %s", p, strings.Join(paramNames(), " "))
		}
		if given[name] {
			return fmt.Errorf("--param %s: %s is set twice; list its values: %s=value,value", p, name, name)
		}
		given[name] = true
		if cfg.Matrix.Params == nil {
			cfg.Matrix.Params = make(map[string][]string)
		}
		cfg.Matrix.Params[name] = strings.Split(values, ",")
	}
	if s.sentinel != "" {
		bin, err := filepath.Abs(s.sentinel) // the flag's path is the shell's
		if err != nil {
			return err
		}
		if cfg.Sentinel == nil {
			cfg.Sentinel = config.NewSentinel(bin)
		}
		cfg.Sentinel.Bin = bin
	}
	set := func(name string, apply func()) {
		if f.Changed(name) {
			apply()
		}
	}
	set("blocks", func() { cfg.Sampling.Blocks = s.blocks })
	var faults []error
	set("adaptive", func() { faults = append(faults, named("--adaptive", cfg.Sampling.SetAdaptive(s.adaptive))) })
	set("confirm-blocks", func() { faults = append(faults, named("--confirm-blocks", cfg.Sampling.SetConfirm(s.confirm))) })
	set("repetitions", func() { cfg.Bench.Repetitions = s.repetitions })
	set("warmup", func() { cfg.Sampling.Warmup = s.warmup })
	set("seed", func() { cfg.Sampling.Seed = s.seed })
	set("timeout", func() { cfg.Sampling.Timeout = s.timeout })
	set("budget", func() { cfg.Sampling.Budget = s.Budget })
	set("control", func() { cfg.Sampling.Control = config.Control(s.control) })
	return errors.Join(faults...)
}

// counted counts the tests of --count, under the tool that the configuration names.
func (s *Flags) counted(cfg *config.Config) error {
	if s.count == "" {
		return nil
	}
	c := config.DefaultCount()
	if cfg.Count != nil {
		c = *cfg.Count
	}
	c.Tests = nil
	for name := range strings.SplitSeq(s.count, ",") {
		t, err := record.ParseTest(name)
		if err != nil {
			return fmt.Errorf("--count: %w", err)
		}
		c.Tests = append(c.Tests, t)
	}
	cfg.Count = &c
	return nil
}

// operators times those of --ops, over what the configuration says of them.
func (s *Flags) operators(cfg *config.Config) error {
	if s.ops == nil && s.opShapes == "" {
		return nil
	}
	o := *config.DefaultOps()
	if there, ok := cfg.Sections[record.OpsWorkload].(*config.Ops); ok {
		o = *there
	} else if s.ops == nil {
		return errors.New("--op-shapes: no operator is timed: name some, --ops=MUL_MAT")
	}
	if s.ops != nil {
		o.Ops = s.ops
	}
	o.Shapes = cmp.Or(s.opShapes, o.Shapes)
	if err := o.Check(); err != nil {
		return fmt.Errorf("--ops: %w", err)
	}
	if cfg.Sections == nil {
		cfg.Sections = make(map[string]config.Section)
	}
	cfg.Sections[record.OpsWorkload] = &o
	return nil
}

// arguments gives every cell of a workload the arguments of its flag.
func (s *Flags) arguments(f *pflag.FlagSet, cfg *config.Config) error {
	for _, of := range []struct {
		flag, text, workload string
		there                bool
	}{
		{"bench-args", s.benchArgs, record.BenchWorkload, len(cfg.Bench.Tests) > 0 || cfg.Count != nil},
		{"serve-args", s.serveArgs, record.ServeWorkload, cfg.Serve != nil},
	} {
		if !f.Changed(of.flag) {
			continue
		}
		words, err := record.SplitArgs(of.text)
		if err == nil {
			err = record.CheckArgs(of.workload, words)
		}
		switch {
		case err != nil:
			return fmt.Errorf("--%s: %w", of.flag, err)
		case !of.there && of.workload == record.ServeWorkload:
			return fmt.Errorf("--%s: nothing is served: say with which prompts, --dataset FILE", of.flag)
		case !of.there:
			return fmt.Errorf("--%s: llama-bench measures nothing: name tests, --tests pp512,tg128", of.flag)
		case of.workload == record.ServeWorkload:
			cfg.Serve.Args = [][]string{words}
		default:
			cfg.Bench.Args = [][]string{words}
		}
	}
	return nil
}

// named says which flag an error is about.
func named(flag string, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", flag, err)
	}
	return nil
}

func paramNames() []string {
	var names []string
	for _, p := range record.Params {
		if p.Target != record.Arguments {
			names = append(names, p.Name)
		}
	}
	return names
}

// LoadOrDefault reads the configuration at path; without a path llama-regress.yaml
// if there is one, else the default.
func LoadOrDefault(path string) (*config.Config, error) {
	cfg, err := config.Load(cmp.Or(path, cli.DefaultConfig))
	if path == "" && errors.Is(err, fs.ErrNotExist) {
		return config.Default(), nil
	}
	return cfg, err
}
