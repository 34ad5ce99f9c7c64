package runner

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/llama-regress/llama-regress/ci/record"
)

// Merging says what Merge puts up with.
type Merging struct {
	Partial bool // shards that are missing
	Mixed   bool // arms whose build is not the same file on every machine
}

// Merge makes one record of the records of a plan's shards, which are not
// changed; names are what messages call them, one each. All that keeps them
// apart is in the error, each fault with the records it lies between.
//
// Machines may differ: a cell is measured and compared on one of them. The
// merged host then has, for a key that differs, what each shard has, so that
// history takes the record for one of the same machines or for none.
func Merge(runs []*record.Run, names []string, how Merging) (*record.Run, error) {
	if len(runs) == 0 {
		return nil, errors.New("nothing to merge: name the records of the shards")
	}
	m := &merger{how: how}
	for i, run := range runs {
		m.add(shardRun{run, names[i]})
	}
	m.missing()
	if len(m.faults) > 0 {
		return nil, errors.Join(m.faults...)
	}
	run := m.merged()
	if err := run.Validate(); err != nil {
		return nil, fmt.Errorf("the merged record does not hold together: %w", err)
	}
	return run, nil
}

// A shardRun is a shard's record and its name in messages.
type shardRun struct {
	*record.Run
	name string
}

type merger struct {
	how    Merging
	shards []shardRun
	faults []error
	notes  []string
}

func (m *merger) fault(format string, args ...any) {
	m.faults = append(m.faults, fmt.Errorf(format, args...))
}

// add holds a record against those before it.
func (m *merger) add(s shardRun) {
	switch shard := s.Plan.Shard; {
	case len(s.Parts) > 0:
		m.fault("%s: it is merged already: name the records of the shards", s.name)
		return
	case shard == nil:
		m.fault("%s: it is no shard but a whole run: measure with run --shard i/n", s.name)
		return
	case shard.Index < 1 || shard.Index > shard.Of || shard.Of > record.MostShards:
		m.fault("%s: there is no shard %s", s.name, shard)
		return
	}
	for _, other := range m.shards {
		if other.Plan.Shard.Index == s.Plan.Shard.Index {
			m.fault("%s and %s: both are shard %s: keep one of them", other.name, s.name, s.Plan.Shard)
		}
	}
	if len(m.shards) > 0 {
		first := m.shards[0]
		m.samePlan(first, s)
		m.sameArms(first, s)
		m.sameFiles(s)
		if first.Tool != s.Tool {
			m.notes = append(m.notes, fmt.Sprintf("shard %s was measured by llama-regress %s, shard %s by %s", first.Plan.Shard, first.Tool.Version, s.Plan.Shard, s.Tool.Version))
		}
	}
	m.shards = append(m.shards, s)
}

func (m *merger) samePlan(a, b shardRun) {
	if a.Plan.Shard.Of != b.Plan.Shard.Of {
		m.fault("%s is shard %s, %s is shard %s: the plan was cut in two ways", a.name, a.Plan.Shard, b.name, b.Plan.Shard)
	}
	if a.Plan.Shard.Plan == b.Plan.Shard.Plan {
		return
	}
	var differ []string
	number := func(what string, x, y any) {
		if x != y {
			differ = append(differ, fmt.Sprintf("%s (%v and %v)", what, x, y))
		}
	}
	number("blocks", a.Plan.Blocks, b.Plan.Blocks)
	number("blocks of the screening", a.Plan.Screen, b.Plan.Screen)
	number("interim analyses", fmt.Sprint(a.Plan.Interims), fmt.Sprint(b.Plan.Interims))
	number("warmup", a.Plan.Warmup, b.Plan.Warmup)
	number("repetitions", a.Plan.Repetitions, b.Plan.Repetitions)
	number("baseline", printable(a.Baseline), printable(b.Baseline))
	if a.Plan.ConfigSHA != b.Plan.ConfigSHA {
		differ = append(differ, "the configuration file")
	}
	if len(differ) == 0 {
		differ = []string{"arms, cells, models, tests, load or seed"}
	}
	m.fault("%s and %s are of different plans (%.12s and %.12s): %s differ; measure both with one configuration",
		a.name, b.name, a.Plan.Shard.Plan, b.Plan.Shard.Plan, strings.Join(differ, ", "))
}

// sameArms holds the arms against each other, build by build. What one of them
// does not know is no difference: a shard of serving alone has no llama-bench.
func (m *merger) sameArms(a, b shardRun) {
	if len(a.Arms) != len(b.Arms) {
		m.fault("%s has %d arms, %s has %d", a.name, len(a.Arms), b.name, len(b.Arms))
		return
	}
	for i, x := range a.Arms {
		y := b.Arms[i]
		if x.Name != y.Name || x.ControlOf != y.ControlOf || !maps.Equal(x.Params, y.Params) || !maps.Equal(x.Env, y.Env) {
			m.fault("%s and %s: arm %d is %s in one and %s in the other, or is set otherwise", a.name, b.name, i+1, printable(x.Name), printable(y.Name))
			continue
		}
		differences := []struct{ what, a, b string }{
			{"llama-bench", x.Build.SHA256, y.Build.SHA256},
			{"llama-server", x.Build.ServerSHA256, y.Build.ServerSHA256},
			{"the build's version", x.Build.Version, y.Build.Version},
			{"the build's commit", x.Build.Commit, y.Build.Commit},
		}
		for _, l := range x.Libraries {
			if at := slices.IndexFunc(y.Libraries, func(m record.Library) bool { return m.Name == l.Name }); at >= 0 {
				differences = append(differences, struct{ what, a, b string }{printable(l.Name), l.SHA256, y.Libraries[at].SHA256})
			}
		}
		for _, d := range differences {
			if d.a == "" || d.b == "" || d.a == d.b {
				continue
			}
			text := fmt.Sprintf("arm %s: %s is %.12q in %s and %.12q in %s", printable(x.Name), d.what, d.a, a.name, d.b, b.name)
			if m.how.Mixed {
				m.notes = append(m.notes, text)
			} else {
				m.fault("%s: build once and give every job the same files, or take them as they are with --mixed", text)
			}
		}
	}
}

// sameFiles holds the models and datasets against those of all before.
func (m *merger) sameFiles(s shardRun) {
	for _, other := range m.shards {
		for _, x := range other.Models {
			for _, y := range s.Models {
				if x.Name == y.Name && len(x.Compare(y)) > 0 {
					m.fault("model %s is %s: give every job the same file", printable(x.Name), apart(x.Compare(y), other.name, s.name))
				}
			}
		}
		for _, x := range other.Datasets {
			for _, y := range s.Datasets {
				if x.Name == y.Name && len(x.Compare(y)) > 0 {
					m.fault("dataset %s is %s: give every job the same file", printable(x.Name), apart(x.Compare(y), other.name, s.name))
				}
			}
		}
		for _, x := range s.Cells {
			if slices.ContainsFunc(other.Cells, func(c record.Cell) bool { return c.Key == x.Key }) {
				m.fault("cell %s is in %s and in %s: a cell is measured in one shard", printable(x.Key), other.name, s.name)
			}
		}
	}
}

// apart words in what the two records differ.
func apart(diffs []record.KeyDiff, a, b string) string {
	var parts []string
	for _, d := range diffs {
		parts = append(parts, fmt.Sprintf("%s %.12s in %s and %.12s in %s", d.Key, printable(d.A), a, printable(d.B), b))
	}
	return strings.Join(parts, ", ")
}

// missing looks for the shards that nobody named.
func (m *merger) missing() {
	if len(m.shards) == 0 {
		return
	}
	of := m.shards[0].Plan.Shard.Of
	var absent []string
	for i := 1; i <= of; i++ {
		if !slices.ContainsFunc(m.shards, func(s shardRun) bool { return s.Plan.Shard.Index == i }) {
			absent = append(absent, record.Shard{Index: i, Of: of}.String())
		}
	}
	if len(absent) == 0 {
		return
	}
	text := fmt.Sprintf("shards %s are missing", strings.Join(absent, ", "))
	if len(absent) == 1 {
		text = fmt.Sprintf("shard %s is missing", absent[0])
	}
	if m.how.Partial {
		m.notes = append(m.notes, text+"; its cells were not measured")
	} else {
		m.fault("%s: name its record too, or merge what there is with --partial", text)
	}
}

// merged puts the shards together, in their order.
func (m *merger) merged() *record.Run {
	slices.SortFunc(m.shards, func(a, b shardRun) int { return cmp.Compare(a.Plan.Shard.Index, b.Plan.Shard.Index) })
	first := m.shards[0]
	run := &record.Run{
		Schema: record.Schema, Started: first.Started, Finished: first.Finished,
		Tool: first.Tool, Host: m.host(), Plan: first.Plan, Baseline: first.Baseline, Arms: slices.Clone(first.Arms),
	}
	run.Plan.ID, run.Plan.Shard, run.Plan.Trials, run.Plan.Extra = first.Plan.Shard.Plan, nil, 0, nil
	ids := sha256.New()
	for _, s := range m.shards {
		fmt.Fprintln(ids, s.ID)
		part := record.Part{Shard: *s.Plan.Shard, ID: s.ID, Started: s.Started, Finished: s.Finished, Host: s.Host, Interrupted: s.Interrupted}
		for _, c := range s.Cells {
			part.Cells = append(part.Cells, c.Key)
		}
		run.Parts = append(run.Parts, part)
		run.Cells = append(run.Cells, s.Cells...)
		run.Interims = append(run.Interims, s.Interims...)
		for _, t := range s.Trials {
			t.Order += run.Plan.Trials
			run.Trials = append(run.Trials, t)
		}
		run.Plan.Trials += s.Plan.Trials
		for i, a := range s.Arms {
			known(&run.Arms[i], a)
			run.Arms[i].Defaults = knownDefaults(run.Arms[i].Defaults, a.Defaults)
		}
		for _, x := range s.Models {
			if !slices.ContainsFunc(run.Models, func(y record.Model) bool { return x.Name == y.Name }) {
				run.Models = append(run.Models, x)
			}
		}
		for _, x := range s.Datasets {
			if !slices.ContainsFunc(run.Datasets, func(y record.Dataset) bool { return x.Name == y.Name }) {
				run.Datasets = append(run.Datasets, x)
			}
		}
		if s.Started.Before(run.Started) {
			run.Started = s.Started
		}
		if s.Finished.After(run.Finished) {
			run.Finished = s.Finished
		}
		run.Interrupted = cmp.Or(run.Interrupted, s.Interrupted)
		for _, note := range s.Notes {
			run.Notes = append(run.Notes, fmt.Sprintf("shard %s: %s", s.Plan.Shard, note))
		}
	}
	run.ID = run.Started.UTC().Format("20060102-150405-") + hex.EncodeToString(ids.Sum(nil)[:3])
	for _, s := range m.shards {
		run.Others = append(run.Others, s.Others...)
		for _, d := range s.Devices {
			if !slices.ContainsFunc(run.Devices, func(x record.Device) bool { return x.ID == d.ID && x.Name == d.Name }) {
				run.Devices = append(run.Devices, d)
			}
		}
	}
	run.Notes = append(run.Notes, m.notes...)
	return run
}

// known fills in what the builds of other shards tell.
func known(arm *record.Arm, other record.Arm) {
	b, more := &arm.Build, other.Build
	arm.Libraries = record.JoinLibraries(arm.Libraries, other.Libraries)
	b.Program, b.SHA256 = cmp.Or(b.Program, more.Program), cmp.Or(b.SHA256, more.SHA256)
	b.Libraries = cmp.Or(record.LibrariesSHA256(arm.Libraries), b.Libraries, more.Libraries)
	b.Server, b.ServerSHA256 = cmp.Or(b.Server, more.Server), cmp.Or(b.ServerSHA256, more.ServerSHA256)
	b.Commit, b.Number, b.Version = cmp.Or(b.Commit, more.Commit), cmp.Or(b.Number, more.Number), cmp.Or(b.Version, more.Version)
	b.Compiler = cmp.Or(b.Compiler, more.Compiler)
	b.Backends, b.CPU, b.GPU = cmp.Or(b.Backends, more.Backends), cmp.Or(b.CPU, more.CPU), cmp.Or(b.GPU, more.GPU)
}

// host is what the machines have in common, and shard by shard what they have
// not.
func (m *merger) host() record.Host {
	var names []string
	for _, s := range m.shards {
		if !slices.Contains(names, s.Host.Name) {
			names = append(names, s.Host.Name)
		}
	}
	h := record.Host{Name: strings.Join(names, ", ")}
	var hard []string
	h.Hard, hard = m.keys(func(s shardRun) map[string]string { return s.Host.Hard })
	h.Soft, _ = m.keys(func(s shardRun) map[string]string { return s.Host.Soft })
	if len(hard) > 0 {
		m.notes = append(m.notes, fmt.Sprintf("the shards ran on machines that differ in %s: numbers of different cells cannot be set beside each other", strings.Join(hard, ", ")))
	}
	return h
}

func (m *merger) keys(of func(shardRun) map[string]string) (all map[string]string, differ []string) {
	all = make(map[string]string)
	for _, s := range m.shards {
		for key := range of(s) {
			all[key] = ""
		}
	}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		value, same := of(m.shards[0])[key], true
		var each []string
		for _, s := range m.shards {
			v := of(s)[key]
			same = same && v == value
			each = append(each, fmt.Sprintf("%s %s", s.Plan.Shard, cmp.Or(v, "unknown")))
		}
		if !same {
			value = strings.Join(each, "; ")
			differ = append(differ, key)
		}
		all[key] = value
	}
	return all, differ
}

// knownDefaults is all that is known of an arm's defaults; the first told stays.
func knownDefaults(a, b map[string]map[string]string) map[string]map[string]string {
	if len(b) == 0 {
		return a
	}
	all := make(map[string]map[string]string)
	for _, of := range []map[string]map[string]string{b, a} {
		for workload, values := range of {
			if all[workload] == nil {
				all[workload] = make(map[string]string)
			}
			maps.Copy(all[workload], values)
		}
	}
	return all
}
