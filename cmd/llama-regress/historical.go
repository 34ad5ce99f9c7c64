package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/provision"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/store"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/compare/history"
	"github.com/llama-regress/llama-regress/report"
)

// confirmBlocks is how many blocks a nomination is confirmed with: as many as
// the second stage of a gate has (statistics reference, 7.6).
const confirmBlocks = 12

// pastFlags say which stored sessions are the baseline in history mode.
type pastFlags struct {
	machine  string
	sessions int
}

func (p *pastFlags) register(f *pflag.FlagSet) {
	f.StringVar(&p.machine, "machine", "", "what the store calls this machine (default the host's name)")
	f.IntVar(&p.sessions, "sessions", 20, "history mode: the latest so many stored sessions of a cell are its baseline")
}

// A pastJudgement is what history mode found.
type pastJudgement struct {
	res    *compare.Result
	src    report.Source
	choice history.Choice
	past   []compare.Selection
	head   compare.Selection
}

// byHistory judges one session by the stored ones of its machine.
func (a *app) byHistory(ctx context.Context, s store.Store, head compare.Selection, p pastFlags, policy compare.Policy) (*pastJudgement, error) {
	if p.sessions < 1 {
		return nil, fmt.Errorf("--sessions %d: at least one stored session is needed, and four for a verdict", p.sessions)
	}
	cache, err := provision.DefaultCacheDir()
	if err != nil {
		return nil, err
	}
	machine := store.Slug(cmp.Or(p.machine, head.Run.Host.Name))
	contents, err := store.Load(ctx, s, store.LoadOptions{Machine: machine, Cache: cache})
	if err != nil {
		return nil, err
	}
	a.complain(contents)
	j := &pastJudgement{head: head}
	j.choice = history.Choose(contents, head.Run, history.Options{Machine: machine, Arm: head.Arm, Most: p.sessions, Ignore: policy.Ignore})
	if j.past, err = j.choice.Selections(ctx, s); err != nil {
		return nil, err
	}
	j.res = compare.History(j.past, head, policy)
	for _, r := range j.choice.PassedOver {
		j.res.Notes = append(j.res.Notes, fmt.Sprintf("Stored sessions that are no baseline for this one: %d (%s).", r.Sessions, r.Why))
	}
	if len(contents.Sessions) == 0 {
		j.res.Notes = append(j.res.Notes, noSessions(ctx, s, machine))
	}
	j.src = report.Source{Head: head.Run, BaseFile: fmt.Sprintf("%d sessions of %s", len(j.past), s)}
	if len(j.choice.Cells) == 0 {
		j.src.BaseFile = s.String()
	}
	for _, session := range j.choice.Sessions() {
		j.src.Stored = append(j.src.Stored, report.Stored{
			Key: session.Key.String(), Started: session.Run.Started, Commit: short12(baselineArm(&session.Run).Build.Commit),
		})
	}
	return j, nil
}

// noSessions says why there is no baseline at all.
func noSessions(ctx context.Context, s store.Store, machine string) string {
	var others []string
	objects, _ := s.List(ctx, "runs/") // to be more helpful; the store was read before
	for _, o := range objects {
		if key, err := store.ParseKey(o.Key); err == nil && !slices.Contains(others, key.Machine) {
			others = append(others, key.Machine)
		}
	}
	if len(others) == 0 {
		return fmt.Sprintf("%s holds no session yet; 'llama-regress baseline put', or gate --record, stores one.", s)
	}
	return fmt.Sprintf("%s holds no session of machine %s, but of %s; --machine says what it calls this one.", s, machine, strings.Join(others, ", "))
}

func baselineArm(run *record.Run) record.Arm {
	for _, arm := range run.Arms {
		if arm.Name == run.Baseline {
			return arm
		}
	}
	return record.Arm{}
}

func short12(commit string) string { return commit[:min(len(commit), 12)] }

// A rebuild is the build to confirm a nomination against.
type rebuild struct {
	dir    string // folder of its programs
	commit string // as the latest stored session knows it; "" when unknown
	there  bool   // the folder still holds what that session measured
	same   bool   // it is what the session under test measured as well: the same files in the same place
}

// baseBuild finds the build of a stored session, the latest that can be had,
// whose programs are still on this machine, byte for byte, and not those under
// test; without one it says which has to be built.
func (j *pastJudgement) baseBuild() rebuild {
	head := armOf(j.head).Build
	var latest rebuild
	for i, p := range slices.Backward(j.past) {
		build := armOf(p).Build
		// Programs with shared libraries may be the same bytes in two builds, so
		// that the place counts too.
		same := build.Program == head.Program && build.SHA256 == head.SHA256 && build.Server == head.Server && build.ServerSHA256 == head.ServerSHA256
		if i == len(j.past)-1 {
			latest = rebuild{dir: "build-" + cmp.Or(short12(build.Commit), "base") + "/bin", commit: short12(build.Commit), same: same}
		}
		moved := build.Program == head.Program && build.Server == head.Server // another build lies there now
		if same || moved || build.SHA256+build.ServerSHA256 == "" {
			continue
		}
		if unmoved(build.Program, build.SHA256) && unmoved(build.Server, build.ServerSHA256) {
			return rebuild{dir: filepath.Dir(cmp.Or(build.Program, build.Server)), commit: short12(build.Commit), there: true}
		}
	}
	return latest
}

func armOf(s compare.Selection) record.Arm {
	for _, arm := range s.Run.Arms {
		if arm.Name == s.Arm {
			return arm
		}
	}
	return record.Arm{}
}

// unmoved reports whether a file is still what it was, or was never there.
func unmoved(path, sum string) bool {
	if path == "" {
		return true
	}
	f, err := os.Open(path)
	if err != nil {
		return false
	}
	defer f.Close()
	now, err := sha256Of(f)
	return err == nil && now == sum
}

// suggest puts the confirming command into the report. again is the command
// that measured the session, nil when it is not known.
func (j *pastJudgement) suggest(again []string) {
	cells, _ := j.res.Nominated()
	if len(cells) == 0 {
		return
	}
	base := j.baseBuild()
	if base.same {
		j.res.Notes = append(j.res.Notes, "The latest stored session measured the same programs, in the same place: unless their libraries are others now, what got slower is not the build.")
		return
	}
	if again == nil {
		again = measureAgain(j.head)
	}
	if again == nil {
		return
	}
	j.src.Confirm = append(again, "--base", base.dir)
	for _, cell := range cells {
		j.src.Confirm = append(j.src.Confirm, "--cell", cell)
	}
	j.src.Confirm = append(j.src.Confirm, "--blocks", fmt.Sprint(confirmBlocks))
	if !base.there {
		j.src.Rebuild = cmp.Or(base.commit, "unknown")
	}
}

// measureAgain is the command that would measure an arm's bench cells as they
// were, nil where flags cannot say it: serving, and arms with an environment.
func measureAgain(s compare.Selection) []string {
	arm := armOf(s)
	if len(arm.Env) > 0 || arm.Build.Program == "" {
		return nil
	}
	words := []string{"llama-regress", "gate", "--head", filepath.Dir(arm.Build.Program)}
	for _, m := range s.Run.Models {
		words = append(words, "--model", m.Path)
	}
	var tests []string
	values := make(map[string][]string)
	add := func(params map[string]string) {
		for name, value := range params {
			if !slices.Contains(values[name], value) {
				values[name] = append(values[name], value)
			}
		}
	}
	for _, c := range s.Run.Cells {
		if c.Workload != record.BenchWorkload {
			return nil
		}
		for _, m := range c.Metrics {
			if !slices.Contains(tests, m.Name) {
				tests = append(tests, m.Name)
			}
		}
		add(c.Params)
	}
	if len(arm.Params) > 0 {
		return nil // would become part of the cells' keys
	}
	words = append(words, "--tests", strings.Join(tests, ","))
	if d := config.Default(); s.Run.Plan.Repetitions != d.Bench.Repetitions || s.Run.Plan.Warmup != d.Sampling.Warmup {
		words = append(words, "--repetitions", fmt.Sprint(s.Run.Plan.Repetitions), "--warmup", fmt.Sprint(s.Run.Plan.Warmup))
	}
	names := make([]string, 0, len(values))
	for name := range values {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		words = append(words, "--param", name+"="+strings.Join(values[name], ","))
	}
	return words
}
