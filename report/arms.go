package report

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/compare"
)

// newArms lists the arms that were compared, baseline first and controls last.
func newArms(res *compare.Result, src Source) []Arm {
	var arms []Arm
	add := func(run *record.Run, name, file string, role Role) {
		if run == nil || slices.ContainsFunc(arms, func(a Arm) bool { return a.Name == name && a.Role == role && a.File == file }) {
			return
		}
		i := slices.IndexFunc(run.Arms, func(a record.Arm) bool { return a.Name == name })
		if i < 0 {
			return
		}
		a := run.Arms[i]
		arms = append(arms, Arm{Name: a.Name, Role: role, ControlOf: a.ControlOf, Build: a.Build, Params: a.Params, Env: withoutSecrets(a.Env), File: file})
	}
	for _, c := range res.Comparisons {
		add(src.Base, c.Baseline.Arm, src.BaseFile, Baseline)
	}
	for _, c := range res.Comparisons {
		add(src.Head, c.Candidate.Arm, src.HeadFile, Candidate)
	}
	for _, c := range res.Controls {
		add(src.Head, c.Candidate.Arm, src.HeadFile, Control)
	}
	return arms
}

// Details says what an arm ran and with which settings of its own, as far as
// that is known.
func (a Arm) Details() []Text {
	b := a.Build
	var parts []Text
	add := func(label, value string) {
		if value != "" {
			parts = append(parts, concat(say("%s ", label), quote(value)))
		}
	}
	add("control of", a.ControlOf)
	add("commit", b.Commit)
	if b.Number > 0 {
		parts = append(parts, say("build %d", b.Number))
	}
	add("version", b.Version)
	add("backends", b.Backends)
	add("processor", b.CPU)
	add("GPU", b.GPU)
	add("SHA-256", b.SHA256)
	add("program", b.Program)
	add("file", a.File)
	for _, name := range slices.Sorted(maps.Keys(a.Params)) {
		add("parameter", name+"="+a.Params[name])
	}
	for _, name := range slices.Sorted(maps.Keys(a.Env)) {
		add("environment", name+"="+a.Env[name])
	}
	return parts
}

// secret matches names of variables whose values must not be published.
var secret = regexp.MustCompile(`(?i)token|secret|passw|credential|api_?key|private|auth`)

const hidden = "(hidden)"

// withoutSecrets returns env with values hidden that look like secrets: a
// report is posted where everybody can read it.
func withoutSecrets(env map[string]string) map[string]string {
	shown := maps.Clone(env)
	for name := range shown {
		if secret.MatchString(name) {
			shown[name] = hidden
		}
	}
	return shown
}

// hardFirst returns the differences with those that forbid a comparison in
// front, otherwise in their order.
func hardFirst(list []compare.Difference) []compare.Difference {
	list = slices.Clone(list)
	for i, d := range list {
		if name, ok := strings.CutPrefix(d.Key, "env."); ok && secret.MatchString(name) {
			list[i].Baseline, list[i].Candidate = hidden, hidden
		}
	}
	slices.SortStableFunc(list, func(a, b compare.Difference) int {
		switch {
		case a.Hard == b.Hard:
			return 0
		case a.Hard:
			return -1
		}
		return 1
	})
	return list
}
