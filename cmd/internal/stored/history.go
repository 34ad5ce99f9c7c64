package stored

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/llama"
	"github.com/llama-regress/llama-regress/ci/provision"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/store"
	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/cmd/internal/measure"
	"github.com/llama-regress/llama-regress/compare"
	"github.com/llama-regress/llama-regress/compare/history"
	"github.com/llama-regress/llama-regress/report"
)

// PastFlags say which stored sessions are the baseline in history mode.
type PastFlags struct {
	Machine  string
	sessions int
}

// Register defines the flags.
func (p *PastFlags) Register(f *pflag.FlagSet) {
	f.StringVar(&p.Machine, "machine", "", "what the store calls this machine (default the host's name)")
	f.IntVar(&p.sessions, "sessions", 20, "history mode: the latest so many stored sessions of a cell are its baseline")
}

// A Judgement is what history mode found.
type Judgement struct {
	Result *compare.Result
	Source report.Source
	Head   compare.Selection
	Memory history.Memory // of earlier verdicts

	choice     history.Choice
	past       []compare.Selection
	historical []compare.Comparison // as history has them, before any confirmation
	machine    string               // as the store calls it
	night      int                  // which session of the machine it is, from 1
	confirming *record.Run          // that measured what was suspected in turns with base; nil for none
	base       Rebuild
}

// ByHistory judges one session by the stored ones of its machine.
func ByHistory(ctx context.Context, a *cli.App, s store.Store, head compare.Selection, p PastFlags, policy compare.Policy) (*Judgement, error) {
	if p.sessions < 1 {
		return nil, fmt.Errorf("--sessions %d: at least one stored session is needed, and four for a verdict", p.sessions)
	}
	cache, err := provision.DefaultCacheDir()
	if err != nil {
		return nil, err
	}
	machine := store.Slug(cmp.Or(p.Machine, head.Run.Host.Name))
	contents, err := store.Load(ctx, s, store.LoadOptions{Machine: machine, Cache: cache})
	if err != nil {
		return nil, err
	}
	Complain(a, contents)
	j := &Judgement{Head: head, machine: machine, night: 1, Memory: history.Recall(contents, head.Run, machine)}
	for _, one := range contents.Sessions {
		if one.Run.ID != head.Run.ID && one.Key.Started.Before(head.Run.Started) {
			j.night++
		}
	}
	j.choice = history.Choose(contents, head.Run, history.Options{Machine: machine, Arm: head.Arm, Most: p.sessions, Policy: policy})
	if j.past, err = j.choice.Selections(ctx, s); err != nil {
		return nil, err
	}
	j.Result = compare.History(j.past, head, policy)
	j.Memory.Sentinel = j.choice.Sentinel
	history.Nominate(j.Result)
	j.Memory.Apply(j.Result, head)
	j.historical = slices.Clone(j.Result.Comparisons)
	for _, r := range j.choice.PassedOver {
		j.Result.Notes = append(j.Result.Notes, fmt.Sprintf("Stored sessions that are no baseline for this one: %d (%s).", r.Sessions, r.Why))
	}
	if len(contents.Sessions) == 0 {
		j.Result.Notes = append(j.Result.Notes, noSessions(ctx, s, machine))
	}
	j.Source = report.Source{
		Head: head.Run, BaseFile: fmt.Sprintf("%d sessions of %s", len(j.past), s),
		Memory: &j.Memory, Machine: machine, Store: s.String(),
	}
	if len(j.choice.Cells) == 0 {
		j.Source.BaseFile = s.String()
	}
	for _, session := range j.choice.Sessions() {
		j.Source.Stored = append(j.Source.Stored, report.Stored{
			Key: report.AsForeign(session.Key.String()), Started: session.Run.Started, Commit: report.AsForeign(short12(BaselineArm(&session.Run).Build.Commit)),
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

// BaselineArm is a run's baseline arm, the zero value when it has none.
func BaselineArm(run *record.Run) record.Arm {
	for _, arm := range run.Arms {
		if arm.Name == run.Baseline {
			return arm
		}
	}
	return record.Arm{}
}

func short12(commit string) string { return commit[:min(len(commit), 12)] }

// A Rebuild is the build to confirm a suspicion against.
type Rebuild struct {
	Dir    string // folder of its programs
	Commit string // as the latest stored session knows it; "" when unknown
	There  bool   // the folder still holds what that session measured
	same   bool   // it is what the session under test measured as well: the same files in the same place

	arm record.Arm // as that session measured it
	key string     // of that session; "" where a folder was named
}

// Altered names the files of an arm, measured now, that are not those of the stored
// session: nil where nothing is known to differ.
func (r Rebuild) Altered(now record.Arm) []string { return r.arm.OtherFiles(now) }

// BaseBuild finds the build of a stored session, the latest that was not worse and
// can be had, whose programs are still on this machine, byte for byte, and not those
// under test; without one it says which has to be built.
func (j *Judgement) BaseBuild() Rebuild {
	under := ArmOf(j.Head)
	head := under.Build
	latest, found := j.lastGood()
	for _, p := range slices.Backward(j.past) {
		arm := ArmOf(p)
		build := arm.Build
		same := build.Program == head.Program && build.Server == head.Server && build.Identity() == head.Identity()
		moved := build.Program == head.Program && build.Server == head.Server // another build lies there now
		if same || moved || build.SHA256+build.ServerSHA256 == "" || !j.notWorse(p) {
			continue
		}
		if unaltered(arm) {
			return Rebuild{Dir: filepath.Dir(cmp.Or(build.Program, build.Server)), Commit: short12(build.Commit), There: true, arm: arm, key: j.keyOf(p)}
		}
	}
	if !found && len(j.past) > 0 {
		latest = j.rebuildOf(j.past[len(j.past)-1])
	}
	return latest
}

// lastGood is the build of the latest stored session that was not worse.
func (j *Judgement) lastGood() (Rebuild, bool) {
	for _, p := range slices.Backward(j.past) {
		if j.notWorse(p) {
			return j.rebuildOf(p), true
		}
	}
	return Rebuild{}, false
}

func (j *Judgement) rebuildOf(p compare.Selection) Rebuild {
	under, arm := ArmOf(j.Head), ArmOf(p)
	head, build := under.Build, arm.Build
	return Rebuild{
		Dir: "build-" + cmp.Or(short12(build.Commit), "base") + "/bin", Commit: short12(build.Commit), arm: arm, key: j.keyOf(p),
		same: build.Program == head.Program && build.Server == head.Server && build.Identity() == head.Identity(),
	}
}

// keyOf is under which key a stored session lies.
func (j *Judgement) keyOf(p compare.Selection) string {
	for _, s := range j.choice.Sessions() {
		if s.Run.ID == p.Run.ID {
			return s.Key.String()
		}
	}
	return ""
}

// ArmOf is the selected arm, the zero value when the run has none of that name.
func ArmOf(s compare.Selection) record.Arm {
	for _, arm := range s.Run.Arms {
		if arm.Name == s.Arm {
			return arm
		}
	}
	return record.Arm{}
}

// unaltered reports whether the programs of an arm and the libraries that they
// loaded still are what they were. Programs with shared libraries may stay the same
// bytes from one build to the next. Of records of before 2026-12 only a digest of
// the libraries beside the program is known.
func unaltered(arm record.Arm) bool {
	build := arm.Build
	if !unmoved(build.Program, build.SHA256) || !unmoved(build.Server, build.ServerSHA256) {
		return false
	}
	if arm.Libraries == nil && build.Libraries != "" && build.Libraries != record.LibrariesSHA256([]record.Library{}) {
		return llama.LibrariesBeside(cmp.Or(build.Program, build.Server)) == build.Libraries
	}
	return !slices.ContainsFunc(arm.Libraries, func(l record.Library) bool { return !unmoved(l.Path, l.SHA256) })
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

// Suggest puts the confirming command into the report. again is the command
// that measured the session, nil when it is not known.
func (j *Judgement) Suggest(again []string) {
	cells, _ := j.Result.SuspectedCells()
	if len(cells) == 0 {
		return
	}
	base := j.BaseBuild()
	if base.same {
		j.Result.Notes = append(j.Result.Notes, "The latest stored session measured the same programs, in the same place"+whatElse(base.arm)+", so that what got slower is not the build.")
		return
	}
	if again == nil {
		again = measureAgain(j.Head)
	}
	if again == nil {
		return
	}
	j.Source.Confirm = append(again, "--base", base.Dir)
	for _, cell := range cells {
		j.Source.Confirm = append(j.Source.Confirm, "--cell", cell)
	}
	blocks, _ := j.ConfirmBlocks(measure.ConfirmBlocks)
	j.Source.Confirm = append(j.Source.Confirm, "--blocks", fmt.Sprint(blocks))
	if !base.There {
		j.Source.Rebuild = cmp.Or(base.Commit, "unknown")
	}
}

// whatElse says whether libraries are known to be the same too.
func whatElse(arm record.Arm) string {
	if arm.Build.Libraries == "" {
		return ", as far as is known: which libraries they load is not"
	}
	return ", with the same libraries"
}

// measureAgain is the command that would measure an arm's bench cells as they
// were, nil where flags cannot say it: serving, and arms with an environment.
func measureAgain(s compare.Selection) []string {
	arm := ArmOf(s)
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
			if !record.IsResource(m.Name) && !slices.Contains(tests, m.Name) {
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
		if name == record.BenchArgs {
			if len(values[name]) > 1 {
				return nil // one flag gives them to every cell
			}
			words = append(words, "--bench-args", values[name][0])
			continue
		}
		words = append(words, "--param", name+"="+strings.Join(values[name], ","))
	}
	return words
}

func sha256Of(r io.Reader) (string, error) {
	h := sha256.New()
	_, err := io.Copy(h, r)
	return hex.EncodeToString(h.Sum(nil)), err
}
