package settings

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/record"
)

// runningFlags name a server that already runs, and say how it is asked.
type runningFlags struct {
	url    string
	model  string
	keyEnv string
}

func (r *runningFlags) register(f *pflag.FlagSet) {
	f.StringVar(&r.url, "url", "", "a server that already runs, in place of --head: llama-server or any other with OpenAI's interface; --base and --head take such addresses too")
	f.StringVar(&r.model, "served-model", "", "the model to ask such a server for (default the only one that it has)")
	f.StringVar(&r.keyEnv, "api-key-env", "", "environment variable that holds the key of such a server (default "+record.KeyVariable+"); the key is kept nowhere")
}

// isAddress says whether a text names a server rather than a folder.
func isAddress(text string) bool {
	scheme, _, found := strings.Cut(text, "://")
	return found && !strings.ContainsAny(scheme, "/\\.")
}

// armOf is an arm that is a build in a folder, or a server that already runs.
func armOf(name, where string) config.Arm {
	if isAddress(where) {
		return config.Arm{Name: name, URL: where}
	}
	return config.Arm{Name: name, Bin: where}
}

// absolute is an arm whose folder is the shell's, for a configuration that has another one.
func absolute(a config.Arm) (config.Arm, error) {
	if a.URL != "" {
		return a, nil
	}
	bin, err := filepath.Abs(a.Bin)
	a.Bin = bin
	return a, err
}

// override puts the flags that were given over the arms that are such servers.
func (r *runningFlags) override(f *pflag.FlagSet, cfg *config.Config) error {
	for _, flag := range []struct {
		name, value string
		of          func(*config.Arm) *string
	}{
		{"served-model", r.model, func(a *config.Arm) *string { return &a.Model }},
		{"api-key-env", r.keyEnv, func(a *config.Arm) *string { return &a.KeyEnv }},
	} {
		if !f.Changed(flag.name) {
			continue
		}
		if !cfg.Running() {
			return fmt.Errorf("--%s is of a server that already runs: name one, --url http://HOST:PORT", flag.name)
		}
		for i := range cfg.Arms {
			if a := &cfg.Arms[i]; a.URL != "" {
				*flag.of(a) = flag.value
			}
		}
	}
	return nil
}

// check refuses a server that is named twice over.
func (r *runningFlags) check(head string, programs []string) error {
	switch {
	case r.url == "":
		return nil
	case head != "":
		return errors.New("--url and --head both name what is measured: choose")
	case programs != nil:
		return errors.New("--url names a server that already runs, --bench-binary and --server-binary a build: name the build by --base, and the server is compared with it")
	case !isAddress(r.url):
		return errors.New("--url: want http://HOST:PORT or https://HOST:PORT")
	}
	return nil
}
