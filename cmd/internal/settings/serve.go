package settings

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/llama-regress/llama-regress/ci/config"
)

// serveFlags say how a server is loaded, under the names that the old
// benchmark scripts gave them.
type serveFlags struct {
	dataset     string
	samples     int
	concurrency string
	rate        string
	parallel    int
	output      int
	turns       string
	think       time.Duration
	bench       string // path of one llama-bench
	server      string // path of one llama-server
	api         string
}

func (s *serveFlags) register(f *pflag.FlagSet) {
	d := config.DefaultServe()
	f.StringVar(&s.dataset, "dataset", "", "ShareGPT file: measures llama-server answering its prompts")
	f.IntVar(&s.samples, "num-samples", d.Dataset.Sample, "prompts drawn from the dataset; as many requests a trial")
	f.StringVar(&s.concurrency, "max-concurrent", "", "requests under way at a time, such as 4,16; each is a cell (default 4)")
	f.StringVar(&s.rate, "rate", "", "requests a second instead, such as 0.5,2; each is a cell")
	f.IntVar(&s.parallel, "parallel", 0, "slots of llama-server (default 4)")
	f.IntVar(&s.output, "output-tokens", d.OutputTokens, "tokens of each answer")
	f.StringVar(&s.api, "api", d.API, "interface of the server: completion (llama-server's own), completions or chat (OpenAI's), embeddings or rerank; chat for servers that already run")
	f.StringVar(&s.turns, "turns", "", "hold conversations of so many turns, such as 4 or 2-8, by the chat interface; --num-samples, --max-concurrent and --rate then count conversations")
	f.DurationVar(&s.think, "think-time", 0, "pause between an answer and the next turn, such as 2s")
	f.StringVar(&s.bench, "bench-binary", "", "one llama-bench to measure alone, without a configuration")
	f.StringVar(&s.server, "server-binary", "", "one llama-server to measure alone, without a configuration")
}

// given says whether serving is asked for on the command line.
func (s *serveFlags) given() bool { return s.dataset != "" }

// Programs are those named one by one.
func (s *serveFlags) Programs() (paths []string) {
	for _, path := range []string{s.bench, s.server} {
		if path != "" {
			paths = append(paths, path)
		}
	}
	return paths
}

// oneFolder is where all programs of an arm lie.
func oneFolder(programs []string) (string, error) {
	bin := filepath.Dir(programs[0])
	for _, path := range programs {
		if filepath.Dir(path) != bin {
			return "", fmt.Errorf("%s and %s lie in different folders; the programs of one build lie together", programs[0], path)
		}
	}
	return bin, nil
}

// named refuses a program that is not the one its flag is for: what is measured
// is found by its name in the same folder.
func (s *serveFlags) named() error {
	for _, flag := range []struct{ name, path, want string }{
		{"bench-binary", s.bench, "llama-bench"},
		{"server-binary", s.server, "llama-server"},
	} {
		if flag.path != "" && strings.TrimSuffix(filepath.Base(flag.path), ".exe") != flag.want {
			return fmt.Errorf("--%s %s: want the path of a program named %s", flag.name, flag.path, flag.want)
		}
	}
	return nil
}

// override puts the flags that were given over the serve section.
func (s *serveFlags) override(f *pflag.FlagSet, cfg *config.Config) error {
	if err := s.named(); err != nil {
		return err
	}
	if s.given() {
		path, err := filepath.Abs(s.dataset) // the flag's path is the shell's, the file's is the file's
		if err != nil {
			return err
		}
		if cfg.Serve == nil {
			cfg.Serve = config.DefaultServe()
			cfg.Serve.Concurrency = []int{4}
			if cfg.Running() {
				cfg.Serve.API = "chat" // which every server has
			}
		}
		cfg.Serve.Dataset.Path = path
	}
	for _, name := range []string{"num-samples", "max-concurrent", "rate", "parallel", "output-tokens", "turns", "think-time", "api"} {
		if f.Changed(name) && cfg.Serve == nil {
			return fmt.Errorf("--%s loads a server: say with which prompts, --dataset FILE", name)
		}
	}
	if s.server != "" && cfg.Serve == nil {
		return errors.New("--server-binary needs prompts: add --dataset FILE; 'llama-regress provision dataset' gets one")
	}
	if cfg.Serve == nil {
		return nil
	}
	if f.Changed("max-concurrent") {
		cfg.Serve.Concurrency, cfg.Serve.Rate = nil, nil
		if err := each(s.concurrency, func(text string) error {
			n, err := strconv.Atoi(text)
			cfg.Serve.Concurrency = append(cfg.Serve.Concurrency, n)
			return err
		}); err != nil {
			return fmt.Errorf("--max-concurrent %s: want whole numbers, such as 4,16", s.concurrency)
		}
	}
	if f.Changed("rate") {
		if !f.Changed("max-concurrent") {
			cfg.Serve.Concurrency = nil
		}
		cfg.Serve.Rate = nil
		if err := each(s.rate, func(text string) error {
			r, err := strconv.ParseFloat(text, 64)
			cfg.Serve.Rate = append(cfg.Serve.Rate, r)
			return err
		}); err != nil {
			return fmt.Errorf("--rate %s: want requests a second, such as 0.5,2", s.rate)
		}
	}
	if f.Changed("num-samples") {
		cfg.Serve.Dataset.Sample = s.samples
	}
	if f.Changed("api") {
		cfg.Serve.API = s.api
	}
	if f.Changed("output-tokens") {
		cfg.Serve.OutputTokens = s.output
	}
	if f.Changed("turns") {
		t, err := config.ParseTurns(s.turns)
		if err != nil {
			return fmt.Errorf("--turns %s: %w", s.turns, err)
		}
		if !f.Changed("api") && cfg.Serve.Turns == (config.Turns{}) && cfg.Serve.API == config.DefaultServe().API {
			cfg.Serve.API = "chat"
		}
		cfg.Serve.Turns = t
	}
	if f.Changed("think-time") {
		cfg.Serve.ThinkTime = s.think
	}
	if f.Changed("parallel") {
		if cfg.Serve.Server.Params == nil {
			cfg.Serve.Server.Params = make(map[string]string)
		}
		cfg.Serve.Server.Params["parallel"] = strconv.Itoa(s.parallel)
	}
	return nil
}

// each calls set with every element of a list written with commas.
func each(list string, set func(string) error) error {
	for _, text := range strings.Split(list, ",") {
		if err := set(strings.TrimSpace(text)); err != nil {
			return err
		}
	}
	return nil
}
