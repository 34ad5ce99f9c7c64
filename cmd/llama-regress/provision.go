package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/llama-regress/llama-regress/ci/gguf"
	"github.com/llama-regress/llama-regress/ci/provision"
)

// finding are the flags that say where llama.cpp's programs may come from.
type finding struct {
	provision.Options
}

func (o *finding) register(f *pflag.FlagSet) {
	f.StringVar(&o.LlamaDir, "llama-dir", "", "folder of llama.cpp's programs; nothing else is then looked for")
	f.StringVar(&o.Release, "release", "", "official release to download, such as b6082")
	f.StringVar(&o.SHA256, "sha256", "", "checksum its archive must have")
	f.BoolVar(&o.Offline, "offline", false, "use what is on this machine or in the cache, no network")
}

// find looks for programs and reports each step on standard error.
func (a *app) find(ctx context.Context, o finding, need ...string) (*provision.Llama, error) {
	o.Need = need
	o.Log = func(line string) { fmt.Fprintln(a.err, "provision: "+line) }
	found, err := provision.Find(ctx, o.Options)
	return found, unmeasured(err)
}

func (a *app) provisionCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "provision",
		Short: "Get llama.cpp's programs, a synthetic model or a dataset",
	}
	cmd.AddCommand(a.provisionLlamaCommand(), a.provisionModelCommand(), a.provisionDatasetCommand())
	return group(cmd)
}

func (a *app) provisionLlamaCommand() *cobra.Command {
	var (
		opts   finding
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "llama",
		Short: "Find llama.cpp's programs, or get them without root",
		Long: `Looks for llama.cpp's programs in the folder named by --llama-dir, then in PATH,
then in the system's package mirror (unpacked into the cache folder; nothing is
installed), then in an official release named by --release. Prints the folder.`,
		Example: `  llama-regress provision llama
  llama-regress gate --base "$(llama-regress provision llama)" --head build/bin --model model.gguf`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			found, err := a.find(cmd.Context(), opts, "llama-bench")
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(a.out).Encode(describe(found))
			}
			_, err = fmt.Fprintln(a.out, found.Dir)
			return err
		},
	}
	opts.register(cmd.Flags())
	cmd.Flags().BoolVar(&opts.Refresh, "refresh", false, "fetch anew although the cache has it")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, with every CPU backend")
	return cmd
}

func (a *app) provisionModelCommand() *cobra.Command {
	var (
		seed  uint64
		out   string
		force bool
	)
	cmd := &cobra.Command{
		Use:   "model " + strings.Join(gguf.Presets(), "|"),
		Short: "Make a synthetic GGUF model: a real shape with random weights",
		Long: `Speed depends on a model's shape and types, not on the values of its weights, so
a synthetic model gives honest throughput with no download. What it writes is
noise. Prints the file's path.`,
		Example: `  llama-regress provision model tiny
  llama-regress provision model tinyllama-1.1b --out tinyllama-f16.gguf`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("name one model to make: %s", strings.Join(gguf.Presets(), ", "))
			}
			return nil
		},
		ValidArgs: gguf.Presets(),
		RunE: func(cmd *cobra.Command, args []string) error {
			path, err := a.syntheticModel(cmd.Context(), args[0], seed, out, force)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(a.out, path)
			return err
		},
	}
	cmd.Flags().StringVarP(&out, "out", "o", "", "file to write (default: in the cache folder)")
	cmd.Flags().BoolVar(&force, "force", false, "replace the file if it is there")
	cmd.Flags().Uint64Var(&seed, "seed", 1, "seed of the weights")
	return cmd
}

// describe is what --json prints.
func describe(found *provision.Llama) any {
	type backend struct {
		Name   string `json:"name"`
		Dir    string `json:"dir"`
		Usable bool   `json:"usable"` // by this processor
	}
	backends := []backend{}
	for _, b := range found.Backends() {
		backends = append(backends, backend{b.Name, b.Dir, b.Usable})
	}
	return struct {
		Dir      string           `json:"dir"`
		Source   provision.Source `json:"source"`
		Version  string           `json:"version,omitempty"`
		Backend  string           `json:"backend,omitempty"`
		Backends []backend        `json:"backends"`
	}{found.Dir, found.Source, found.Version, found.Backend, backends}
}
