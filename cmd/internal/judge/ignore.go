package judge

import (
	"fmt"

	"github.com/spf13/pflag"

	"github.com/llama-regress/llama-regress/ci/llama"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
)

// Ignored is the flag that says in what two sides may differ and be compared all
// the same. Every report names what was ignored and differs.
type Ignored struct{ names []string }

// Register defines the flags.
func (i *Ignored) Register(f *pflag.FlagSet) {
	f.StringSliceVar(&i.names, "ignore", nil, "compare all the same what differs in these: parameters such as threads, or model, dataset (another one of the same name); reports say so")
}

// Apply divides the names among those who heed them: readers of files, and the policy.
func (i Ignored) Apply(raw *llama.ImportOptions, policy *compare.Policy) {
	raw.Ignore = nil
	for _, name := range i.names {
		switch name {
		case compare.IgnoreModel, compare.IgnoreDataset:
			policy.Ignore = append(policy.Ignore, name)
		default:
			raw.Ignore = append(raw.Ignore, name)
		}
	}
}

// Command is a compare of those files, with what is ignored already.
func (i Ignored) Command(files []string) []string {
	words := append([]string{"llama-regress", "compare"}, files...)
	for _, name := range i.names {
		words = append(words, "--ignore", name)
	}
	return words
}

// Check refuses what neither side has: a name that is misspelt.
func (i Ignored) Check(runs ...*record.Run) error {
	for _, name := range i.names {
		_, known := record.ParamByName(name)
		known = known || name == compare.IgnoreModel || name == compare.IgnoreDataset
		for _, run := range runs {
			for _, arm := range run.Arms {
				_, there := arm.Params[name]
				known = known || there
			}
		}
		if !known {
			return fmt.Errorf("--ignore %s: neither side has a parameter or setting of that name", name)
		}
	}
	return nil
}

// IgnoreIn does to a record what the importer does to a raw file.
func IgnoreIn(run *record.Run, path string, names []string) (*record.Run, error) {
	if err := run.Ignore(names); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return run, nil
}
