// Package provision is the command that gets programs, models and datasets.
package provision

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/llama-regress/llama-regress/ci/gguf"
	"github.com/llama-regress/llama-regress/ci/provision"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/provide"
)

// Command is 'llama-regress provision'.
func Command(a *cli.App) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "provision",
		Short: "Get llama.cpp's programs, valgrind, a synthetic model or a dataset",
	}
	cmd.AddCommand(llamaCommand(a), valgrindCommand(a), modelCommand(a), datasetCommand(a))
	return cli.Group(cmd)
}

func llamaCommand(a *cli.App) *cobra.Command {
	var (
		opts   provide.Flags
		with   []string
		asJSON bool
	)
	cmd := &cobra.Command{
		Use:   "llama",
		Short: "Find llama.cpp's programs, or get them without root",
		Long: `Looks for llama.cpp's programs in the folder named by --llama-dir, then in PATH,
then in the system's package mirror (unpacked into the cache folder; nothing is
installed), then in an official release named by --release. Prints the folder.`,
		Example: `  llama-regress provision llama
  llama-regress provision llama --with llama-batched-bench,test-backend-ops
  llama-regress gate --base "$(llama-regress provision llama)" --head build/bin --model model.gguf`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			found, err := provide.Find(cmd.Context(), a, opts, append(with, "llama-bench")...)
			if err != nil {
				return err
			}
			if asJSON {
				return json.NewEncoder(a.Out).Encode(describe(found))
			}
			_, err = fmt.Fprintln(a.Out, found.Dir)
			return err
		},
	}
	opts.Register(cmd.Flags())
	cmd.Flags().BoolVar(&opts.Refresh, "refresh", false, "fetch anew although the cache has it")
	cmd.Flags().StringSliceVar(&with, "with", nil, "programs that must be there beside llama-bench, such as llama-batched-bench,test-backend-ops")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON, with every CPU backend")
	return cmd
}

func modelCommand(a *cli.App) *cobra.Command {
	var (
		of    provide.ModelOf
		find  provide.Flags
		out   string
		force bool
	)
	cmd := &cobra.Command{
		Use:   "model " + strings.Join(gguf.Presets(), "|"),
		Short: "Make a synthetic GGUF model: a real shape with random weights",
		Long: `Speed depends on a model's shape and types, not on the values of its weights, so
a synthetic model gives honest throughput with no download. What it writes is
noise. Prints the file's path.

--type quantises it with the llama-quantize of 'provision llama': most of
llama.cpp's kernels work on quantised weights alone. tiny-moe is a mixture of
experts, on which n_cpu_moe and override_tensor act.`,
		Example: `  llama-regress provision model tiny
  llama-regress provision model tiny --type q4_k_m
  llama-regress provision model tiny-moe --type q4_0
  llama-regress provision model tinyllama-1.1b --out tinyllama-f16.gguf`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("name one model to make: %s", strings.Join(gguf.Presets(), ", "))
			}
			return nil
		},
		ValidArgs: gguf.Presets(),
		RunE: func(cmd *cobra.Command, args []string) error {
			of.Preset = args[0]
			path, err := provide.Model(cmd.Context(), a, of, find, out, force)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(a.Out, path)
			return err
		},
	}
	cmd.Flags().StringVarP(&out, "out", "o", "", "file to write (default: in the cache folder)")
	cmd.Flags().BoolVar(&force, "force", false, "replace the file if it is there")
	cmd.Flags().Uint64Var(&of.Seed, "seed", 1, "seed of the weights")
	cmd.Flags().StringVar(&of.Type, "type", "f16", "type of the weights: "+strings.Join(provide.ModelTypes, ", "))
	if err := cmd.RegisterFlagCompletionFunc("type", cobra.FixedCompletions(provide.ModelTypes, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // there is no such flag
	}
	find.Register(cmd.Flags())
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
