package llama

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/llama-regress/llama-regress/ci/record"
)

// identify fills in build and machine, which every result repeats.
func (im *importer) identify() error {
	arm := record.Arm{Name: im.opts.Arm}
	if arm.Name == "" && im.opts.Build != "" {
		arm.Name = im.all[0].BuildCommit // the file is that of other arms too
	}
	if arm.Name == "" {
		arm.Name = strings.TrimSuffix(baseName(im.name), path.Ext(im.name))
	}
	arm.Name = cmp.Or(arm.Name, "imported")
	first := im.all[0]
	builds, err := im.oneOf("builds", (*Configuration).build)
	if err != nil {
		return err
	}
	machines, err := im.oneOf("machines", func(c *Configuration) string { return strings.Trim(c.CPU+", "+c.GPU, ", ") })
	if err != nil {
		return err
	}
	backends, err := im.oneOf("backends", func(c *Configuration) string { return c.Backends })
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
	if backends == 1 {
		arm.Build.Backends = first.Backends
		setKey(im.run.Host.Soft, "backends", first.Backends)
	}
	im.run.Arms, im.run.Baseline = []record.Arm{arm}, arm.Name
	return nil
}

// build is how a result's build is called in messages: "5aa1105d 6082".
func (c *Configuration) build() string {
	return strings.TrimSpace(fmt.Sprintf("%s %s", c.BuildCommit, nonZero(int64(c.BuildNumber))))
}

func setKey(keys map[string]string, name, value string) {
	if value != "" {
		keys[name] = value
	}
}

// oneOf counts the values of what should be one thing in a file.
func (im *importer) oneOf(what string, value func(*Configuration) string) (int, error) {
	values := distinct(im.all, value)
	if len(values) == 1 {
		return 1, nil
	}
	shown := fmt.Sprintf("%.300s", strings.Join(values, "; "))
	if !im.opts.Mixed {
		second := slices.IndexFunc(im.all, func(c *Configuration) bool { return value(c) != values[0] })
		choose := ""
		if what == "builds" {
			choose = "choose one of them (compare FILE -b COMMIT -c COMMIT; --build elsewhere), "
		}
		return 0, fmt.Errorf("%s:%d: results of %d %s in one file (%s): split it, %sor mix them with --mixed", im.name, im.lines[second], len(values), what, shown, choose)
	}
	im.note("%s mixes results of %d %s: %s", im.name, len(values), what, shown)
	return len(values), nil
}

// ofBuild keeps the results of the build that the options name.
func (im *importer) ofBuild(results []Result) ([]Result, error) {
	im.kinds(results)
	if err := im.onlyBuild(); err != nil {
		return nil, fmt.Errorf("%s: %w", im.name, err)
	}
	results = slices.DeleteFunc(slices.Clone(results), func(r Result) bool { return !r.isBuild(im.opts.Build) })
	im.all, im.lines = nil, nil
	clear(im.told)
	return results, nil
}

// onlyBuild checks that the options name one build.
func (im *importer) onlyBuild() error {
	builds := make(map[string]bool)
	for _, c := range im.all {
		if c.isBuild(im.opts.Build) {
			builds[c.build()] = true
		}
	}
	there := shortList(distinct(im.all, (*Configuration).build))
	switch {
	case len(builds) == 0:
		return fmt.Errorf("no result of a build %q: it has %s", im.opts.Build, there)
	case len(builds) > 1:
		return fmt.Errorf("%q is several builds, of %s: name more of the commit", im.opts.Build, there)
	}
	return nil
}

// isBuild reports whether name is the build: its number, or its commit, where one of
// the two may be cut short.
func (c *Configuration) isBuild(name string) bool {
	if c.BuildNumber != 0 && strings.TrimPrefix(name, "b") == strconv.Itoa(c.BuildNumber) {
		return true
	}
	name, commit := strings.ToLower(name), strings.ToLower(c.BuildCommit)
	return len(name) >= leastCommit && len(commit) >= leastCommit && (strings.HasPrefix(commit, name) || strings.HasPrefix(name, commit))
}

// leastCommit is how much of a commit has to be named, as in git.
const leastCommit = 4

func shortList(names []string) string {
	if len(names) > 8 {
		names = append(slices.Clone(names[:8]), fmt.Sprintf("and %d more", len(names)-8))
	}
	return strings.Join(names, "; ")
}

// distinct returns the different values in order of appearance.
func distinct(all []*Configuration, value func(*Configuration) string) []string {
	var values []string
	seen := make(map[string]bool)
	for _, c := range all {
		if v := value(c); !seen[v] {
			seen[v] = true
			values = append(values, v)
		}
	}
	return values
}
