package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/llama-regress/llama-regress/ci/github"
	"github.com/llama-regress/llama-regress/cmd/internal/annotate"
	"github.com/llama-regress/llama-regress/cmd/internal/baseline"
	"github.com/llama-regress/llama-regress/cmd/internal/bisect"
	"github.com/llama-regress/llama-regress/cmd/internal/calibrate"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/comment"
	"github.com/llama-regress/llama-regress/cmd/internal/compare"
	"github.com/llama-regress/llama-regress/cmd/internal/config"
	"github.com/llama-regress/llama-regress/cmd/internal/doctor"
	"github.com/llama-regress/llama-regress/cmd/internal/export"
	"github.com/llama-regress/llama-regress/cmd/internal/gate"
	"github.com/llama-regress/llama-regress/cmd/internal/measure"
	"github.com/llama-regress/llama-regress/cmd/internal/merge"
	"github.com/llama-regress/llama-regress/cmd/internal/nightly"
	"github.com/llama-regress/llama-regress/cmd/internal/plan"
	"github.com/llama-regress/llama-regress/cmd/internal/provision"
	"github.com/llama-regress/llama-regress/cmd/internal/quickstart"
	"github.com/llama-regress/llama-regress/cmd/internal/report"
	"github.com/llama-regress/llama-regress/cmd/internal/run"
	"github.com/llama-regress/llama-regress/cmd/internal/schedulers"
	"github.com/llama-regress/llama-regress/cmd/internal/track"
	"github.com/llama-regress/llama-regress/cmd/internal/version"
)

// execute is main without the process: it returns the exit code.
func execute(ctx context.Context, args []string, s cli.Streams) int {
	a := &cli.App{Streams: s, Args: args}
	root := root(a)
	root.SetArgs(args)
	root.SetIn(s.In)
	root.SetOut(s.Out)
	root.SetErr(s.Err)
	err := root.ExecuteContext(ctx)
	code := cli.CodeOf(ctx, err)
	var exit *cli.ExitError
	if err != nil && !(errors.As(err, &exit) && exit.Err == nil) {
		fmt.Fprintf(s.Err, "llama-regress: %s\n", github.Harmless(err.Error())) // it may quote anything
	}
	return code
}

func root(a *cli.App) *cobra.Command {
	root := &cobra.Command{
		Use:   "llama-regress",
		Short: "The performance gate for llama.cpp",
		Long: `llama-regress measures llama.cpp with the real llama-bench and llama-server,
compares what it measured by honest statistics, and says of every cell of the
matrix: regression, improvement, equivalent or inconclusive.

Exit codes: 0 nothing got worse, 1 regression, 2 usage or configuration,
3 inconclusive where the policy fails it or nothing to compare, 4 a measurement
failed, 130 interrupted.`,
		Example: `  llama-regress quickstart
  llama-regress gate --base build-base/bin --head build-head/bin --model model.gguf
  llama-regress compare base.jsonl head.jsonl`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       cli.Tool().Version,
	}
	root.PersistentFlags().StringVar(&a.Color, "color", "auto", "colour the terminal report: auto, always or never")
	root.SetFlagErrorFunc(flagMistake)
	root.AddCommand(
		quickstart.Command(a),
		gate.Command(a),
		run.Command(a),
		merge.Command(a),
		compare.Command(a),
		report.Command(a),
		comment.Command(a),
		annotate.Command(a),
		track.Command(a),
		bisect.Command(a),
		baseline.Command(a),
		nightly.Command(a),
		export.Command(a),
		plan.Command(a),
		doctor.Command(a),
		calibrate.Command(a),
		schedulers.Command(a),
		schedulers.HoldCommand(a),
		measure.EndCommand(a),
		provision.Command(a),
		config.Command(a),
		version.Command(a),
	)
	root.Args = cobra.ArbitraryArgs // so that cli.Group tells of a misspelt command
	cli.Group(root)
	completeValues(a, root)
	argumentMistakes(a, root)
	setHelp(a, root)
	return root
}
