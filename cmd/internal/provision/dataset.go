package provision

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/llama-regress/llama-regress/ci/conversations"
	"github.com/llama-regress/llama-regress/ci/provision"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
)

func datasetCommand(a *cli.App) *cobra.Command {
	var d provision.Dataset
	cmd := &cobra.Command{
		Use:   "dataset",
		Short: "Get conversations for the load on a server: public, small or synthetic",
		Long: `Fetches a file of conversations, checks its SHA-256 and prints its path. Without
--url that is the public ShareGPT file, 673 MB, which other serving benchmarks
use; its card declares the licence Apache-2.0. A file that is there already is
not fetched again, and a broken download goes on where it stopped.

The subcommands need no network.`,
		Example: `  llama-regress provision dataset
  llama-regress provision dataset --url https://example.org/set.json.zst --sha256 HEX
  llama-regress provision dataset sample --out sample.json
  llama-regress provision dataset synthetic --records 10000 --seed 1 --out set.json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d.Log = func(line string) { fmt.Fprintln(a.Err, "provision: "+line) }
			if err := d.Validate(); err != nil {
				return err
			}
			path, err := provision.FetchDataset(cmd.Context(), d)
			if err != nil {
				return cli.Unmeasured(fmt.Errorf("%w\nwithout a network there are: llama-regress provision dataset sample, and synthetic", err))
			}
			_, err = fmt.Fprintln(a.Out, path)
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&d.URL, "url", "", "address of another file")
	f.StringVar(&d.SHA256, "sha256", "", "its checksum")
	f.StringVarP(&d.Out, "out", "o", "", "file to write (default: in the cache folder)")
	f.BoolVar(&d.Force, "force", false, "replace the file if another is there")
	f.BoolVar(&d.Offline, "offline", false, "no network: only say whether the file is there")
	cmd.MarkFlagsRequiredTogether("url", "sha256")
	cmd.AddCommand(sampleCommand(a), syntheticCommand(a))
	return cmd
}

func sampleCommand(a *cli.App) *cobra.Command {
	var to outFile
	cmd := &cobra.Command{
		Use:   "sample",
		Short: "Write the small set that comes with llama-regress",
		Long: `Writes 80 short conversations, made for llama-regress and in the public domain.
Enough to try a load test with, too few and too short to stand for real users.`,
		Example: `  llama-regress provision dataset sample --out sample.json`,
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return to.write(a, func(w io.Writer) error {
				_, err := w.Write(conversations.Sample())
				return err
			})
		},
	}
	to.register(cmd)
	return cmd
}

func syntheticCommand(a *cli.App) *cobra.Command {
	var (
		to             outFile
		s              conversations.Synthetic
		prompt, answer = conversations.DefaultPrompt, conversations.DefaultAnswer
	)
	cmd := &cobra.Command{
		Use:   "synthetic",
		Short: "Make conversations of any number and length",
		Long: `Writes conversations whose lengths follow a lognormal distribution. The words are
English and the sentences mean nothing. The same flags write the same file on
every machine.`,
		Example: `  llama-regress provision dataset synthetic --records 10000 --out set.json
  llama-regress provision dataset synthetic --records 500 --prompt-words 700 --prompt-sigma 0 --out long.json
  llama-regress provision dataset synthetic --bytes 670000000 --out - | zstd > large.json.zst`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s.Prompt, s.Answer = prompt, answer
			return to.write(a, func(w io.Writer) error { return conversations.Write(cmd.Context(), w, s) })
		},
	}
	to.register(cmd)
	f := cmd.Flags()
	f.IntVar(&s.Records, "records", 0, "number of conversations")
	f.Int64Var(&s.Bytes, "bytes", 0, "size of the file: it ends after the conversation that reaches it")
	f.Uint64Var(&s.Seed, "seed", 1, "seed of the conversations")
	lengthFlags(f, "prompt", &prompt)
	lengthFlags(f, "answer", &answer)
	f.BoolVar(&s.Plain, "plain", false, "no empty, one-turn or otherwise awkward conversations")
	cmd.MarkFlagsOneRequired("records", "bytes")
	return cmd
}

func lengthFlags(f *pflag.FlagSet, what string, l *conversations.Length) {
	f.Float64Var(&l.Median, what+"-words", l.Median, "median length of a "+what+" in words")
	f.Float64Var(&l.Sigma, what+"-sigma", l.Sigma, "standard deviation of its logarithm; 0 makes all equal")
}

// An outFile is where a command writes the file it makes.
type outFile struct {
	path  string
	force bool
}

func (t *outFile) register(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&t.path, "out", "o", "", "file to write, - for standard output")
	cmd.Flags().BoolVar(&t.force, "force", false, "replace the file if it is there")
	if err := cmd.MarkFlagRequired("out"); err != nil {
		panic(err) // there is no such flag
	}
}

// write lets make fill the file, which appears under its name only when it is
// complete, and prints its path. A file that is there and the same is left alone.
func (t *outFile) write(a *cli.App, make func(io.Writer) error) error {
	if t.path == "-" {
		return make(a.Out)
	}
	if err := os.MkdirAll(filepath.Dir(t.path), 0o755); err != nil {
		return err
	}
	err := record.ReplaceFile(t.path, func(f *os.File) error {
		h := sha256.New()
		if err := make(io.MultiWriter(f, h)); err != nil {
			return err
		}
		switch there, same, err := holds(t.path, h.Sum(nil)); {
		case err != nil:
			return err
		case same:
			return errSame
		case there && !t.force:
			return errors.New("another file is there already; name another one, or replace it with --force")
		}
		return nil
	})
	if err != nil && !errors.Is(err, errSame) {
		return fmt.Errorf("%s: %w", t.path, err)
	}
	_, err = fmt.Fprintln(a.Out, t.path)
	return err
}

var errSame = errors.New("the file is there and the same")

// holds says whether path is there, and whether its bytes have that SHA-256.
func holds(path string, sum []byte) (there, same bool, err error) {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, false, nil
	}
	if err != nil || !info.Mode().IsRegular() {
		return true, false, err
	}
	f, err := os.Open(path)
	if err != nil {
		return true, false, err
	}
	defer f.Close()
	h := sha256.New()
	_, err = io.Copy(h, f)
	return true, bytes.Equal(h.Sum(nil), sum), err
}
