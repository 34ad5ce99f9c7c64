package report

import (
	"cmp"
	"fmt"
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
		if run == nil || slices.ContainsFunc(arms, func(a Arm) bool { return a.Name.text == name && a.Role == role && a.File.text == file }) {
			return
		}
		i := slices.IndexFunc(run.Arms, func(a record.Arm) bool { return a.Name == name })
		if i < 0 {
			return
		}
		a := run.Arms[i]
		arms = append(arms, Arm{Name: Foreign{a.Name}, Role: role, ControlOf: Foreign{a.ControlOf}, URL: Foreign{a.URL}, Build: Unworded[record.Build]{a.Build},
			Params: Unworded[map[string]string]{a.Params}, Env: Unworded[map[string]string]{withoutSecrets(a.Env)}, File: Foreign{file}, Said: Said(run, name)})
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

// Built names the build of an arm by its commit, else by its version, in at most
// limit characters; empty when neither is known.
func (a Arm) Built(limit int) Foreign {
	return Foreign{Line(cmp.Or(a.Build.value.Commit, a.Build.value.Version), limit)}
}

// Builds is a key of the builds that were compared, whatever they are called:
// 16 hexadecimal digits.
func (r Report) Builds() string {
	var builds strings.Builder
	for _, a := range r.Arms {
		if a.Role != Control {
			fmt.Fprintf(&builds, "%q %q %s\n", a.Name.text, a.Build.value.Commit, a.Build.value.Identity())
		}
	}
	return hashed(8, builds.String())
}

// Details says what an arm ran and with which settings of its own, as far as
// that is known.
func (a Arm) Details() []Text {
	b := a.Build.value
	var parts []Text
	add := func(label, value string) {
		if value != "" {
			parts = append(parts, concat(say("%s ", label), quote(value)))
		}
	}
	add("control of", a.ControlOf.text)
	add("server that already ran", a.URL.text)
	add("model", b.Model)
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
	add("file", a.File.text)
	for _, name := range slices.Sorted(maps.Keys(a.Params.value)) {
		add("parameter", name+"="+a.Params.value[name])
	}
	for _, name := range slices.Sorted(maps.Keys(a.Env.value)) {
		add("environment", name+"="+a.Env.value[name])
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

// A Difference is a property of machine, build, model or dataset that is not the
// same on both sides.
type Difference struct {
	Key       Foreign `json:"key"`
	Baseline  Foreign `json:"baseline"`
	Candidate Foreign `json:"contender"`
	Arm       Foreign `json:"arm"`  // the candidate
	Hard      bool    `json:"hard"` // it forbids a comparison
}

// hardFirst lists the differences with those that forbid a comparison in front,
// otherwise in their order.
func hardFirst(list []compare.Difference) (all []Difference) {
	for _, hard := range []bool{true, false} {
		for _, d := range list {
			if d.Hard != hard {
				continue
			}
			if name, ok := strings.CutPrefix(d.Key, "env."); ok && secret.MatchString(name) {
				d.Baseline, d.Candidate = hidden, hidden
			}
			all = append(all, Difference{Foreign{d.Key}, Foreign{d.Baseline}, Foreign{d.Candidate}, Foreign{d.Arm}, d.Hard})
		}
	}
	return all
}
