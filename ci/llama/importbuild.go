package llama

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/llama-regress/llama-regress/ci/record"
)

// identify fills in build and machine, which every result repeats.
func (im *importer) identify(results []Result) error {
	arm := record.Arm{Name: im.opts.Arm}
	if arm.Name == "" {
		arm.Name = strings.TrimSuffix(baseName(im.name), path.Ext(im.name))
	}
	arm.Name = cmp.Or(arm.Name, "imported")
	first := results[0]
	builds, err := im.oneOf("builds", results, func(r Result) string {
		return strings.TrimSpace(fmt.Sprintf("%s %s", r.BuildCommit, nonZero(int64(r.BuildNumber))))
	})
	if err != nil {
		return err
	}
	machines, err := im.oneOf("machines", results, func(r Result) string { return strings.Trim(r.CPU+", "+r.GPU, ", ") })
	if err != nil {
		return err
	}
	if builds == 1 {
		arm.Build.Commit, arm.Build.Number = first.BuildCommit, first.BuildNumber
	}
	if machines == 1 {
		arm.Build.CPU, arm.Build.GPU = first.CPU, first.GPU
		setKey(im.run.Host.Hard, "cpu", first.CPU)
		setKey(im.run.Host.Hard, "gpu", first.GPU)
	}
	if len(distinct(results, func(r Result) string { return r.Backends })) == 1 {
		arm.Build.Backends = first.Backends
		setKey(im.run.Host.Soft, "backends", first.Backends)
	}
	im.run.Arms, im.run.Baseline = []record.Arm{arm}, arm.Name
	return nil
}

func setKey(keys map[string]string, name, value string) {
	if value != "" {
		keys[name] = value
	}
}

// oneOf counts the values of what should be one thing in a file.
func (im *importer) oneOf(what string, results []Result, value func(Result) string) (int, error) {
	values := distinct(results, value)
	if len(values) == 1 {
		return 1, nil
	}
	shown := fmt.Sprintf("%.300s", strings.Join(values, "; "))
	if !im.opts.Mixed {
		second := slices.IndexFunc(results, func(r Result) bool { return value(r) != values[0] })
		return 0, fmt.Errorf("%s:%d: results of %d %s in one file (%s): split it, or allow mixing", im.name, results[second].Line, len(values), what, shown)
	}
	im.note("%s mixes results of %d %s: %s", im.name, len(values), what, shown)
	return len(values), nil
}

// distinct returns the different values in order of appearance.
func distinct(results []Result, value func(Result) string) []string {
	var values []string
	seen := make(map[string]bool)
	for _, r := range results {
		if v := value(r); !seen[v] {
			seen[v] = true
			values = append(values, v)
		}
	}
	return values
}
