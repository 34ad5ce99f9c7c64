package config

import (
	"fmt"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/sched"
	"github.com/llama-regress/llama-regress/ci/store"
)

// Validate checks a configuration that was built in Go, and returns all that is
// wrong with it, joined. Load and Parse have already done so. It changes nothing.
func (c *Config) Validate() error {
	return join("", c.check(nil))
}

// check returns what is wrong with the values, except where known already says
// that a value, or something in it, could not be read.
func (c *Config) check(known []fault) []fault {
	k := &checker{known: known}
	if c.Version != Version {
		k.fault("version", "want %d, have %d", Version, c.Version)
	}
	k.arms(c)
	k.runningMatrix(c)
	k.models(c)
	k.matrix(c)
	k.bench(c)
	k.serve(c)
	k.count(c.Count)
	k.sections(c)
	k.sampling(c.Sampling)
	k.sentinel(c)
	k.schedulers(c.Schedulers)
	k.placement("placement", c.Placement, c.Matrix)
	k.gate(c)
	if b := c.Build.Bin; b != "" && !filepath.IsLocal(b) {
		k.fault("build.bin", "want a folder within the checkout, such as build/bin, have %q", short(b))
	}
	if c.Store != "" && !storeForm.MatchString(c.Store) {
		k.fault("store", "want %s, have %q", store.Forms(), short(c.Store))
	}
	return k.faults
}

// sections checks those of registered workloads.
func (k *checker) sections(c *Config) {
	for _, name := range slices.Sorted(maps.Keys(c.Sections)) {
		if err := c.Sections[name].Check(); err != nil {
			key, why, _ := strings.Cut(err.Error(), ": ")
			k.fault(name+"."+key, "%s", why)
		}
	}
}

type checker struct {
	known  []fault
	faults []fault
}

// fault reports what is wrong at path, unless it could not be read anyway.
func (k *checker) fault(path, format string, args ...any) {
	if k.readable(path) {
		k.faults = append(k.faults, fault{path: path, msg: fmt.Sprintf(format, args...)})
	}
}

// readable says whether path, what it lies in and what lies in it were read
// without a fault, so that their values are those of the file.
func (k *checker) readable(path string) bool {
	return !slices.ContainsFunc(k.known, func(f fault) bool { return within(f.path, path) || within(path, f.path) })
}

func (k *checker) between(path string, v, low, high int) {
	if v < low || v > high {
		k.fault(path, "want %d to %d, have %d", low, high, v)
	}
}

var (
	nameForm  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$`)
	envForm   = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	hashForm  = regexp.MustCompile(`^[0-9a-fA-F]{64}$`)
	storeForm = regexp.MustCompile(store.Pattern())
)

const nameRule = `want at most 64 letters, digits and . _ + -, beginning with a letter or digit`

func (k *checker) arms(c *Config) {
	if len(c.Arms) == 0 {
		k.fault("arms", "at least one is needed, such as {name: base, bin: build/bin}")
		return
	}
	first := map[string]int{}
	for i, a := range c.Arms {
		path := fmt.Sprintf("arms[%d]", i)
		k.name(path, a.Name, first, i)
		switch {
		case a.URL != "":
			k.running(path, a, i, c)
		case a.Model != "":
			k.fault(path+".model", "is asked of a server that already runs, and this arm has no url")
		case a.KeyEnv != "":
			k.fault(path+".api_key_env", "is sent to a server that already runs, and this arm has no url")
		}
		if a.URL != "" {
			continue
		}
		if a.Bin == "" {
			k.fault(path+".bin", "missing: the folder that holds llama-bench; or, in its place, url: the address of a server that already runs")
		} else if strings.ContainsAny(a.Bin, "\x00\n\r") {
			k.fault(path+".bin", "want the path of a folder")
		}
		k.params(path+".params", a.Params)
		k.armArgs(path+".args", a.Args, c)
		if a.Scheduler != "" {
			k.param(path+".scheduler", record.SchedulerParam, a.Scheduler)
			switch {
			case a.Params[record.SchedulerParam] != "":
				k.fault(path+".scheduler", "params sets it as well; take it out of one of them")
			case c.Matrix.sets(record.SchedulerParam):
				k.fault(path+".scheduler", "the matrix sets scheduler as well; take it out of one of them")
			}
		}
		k.placement(path+".placement", a.Placement, c.Matrix)
		for name := range a.Placement {
			if a.Params[name] != "" {
				k.fault(path+".placement."+name, "params sets it as well; take it out of one of them")
			}
		}
		for _, name := range slices.Sorted(maps.Keys(a.Params)) {
			if c.Matrix.sets(name) {
				k.fault(path+".params."+name, "the matrix sets %s as well; take it out of one of them", name)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(a.Env)) {
			if !envForm.MatchString(name) {
				k.fault(path+".env."+name, "want a name of letters, digits and _")
			}
			if strings.ContainsRune(a.Env[name], 0) {
				k.fault(path+".env."+name, "holds a NUL character")
			}
			passed := func(param string) bool {
				p, _ := record.ParamByName(param)
				return a.Params[param] != "" || c.Matrix.sets(param) || p.HeldIn(c.Serve.client())
			}
			if err := record.CheckEnv(name, passed); err != nil {
				k.fault(path+".env."+name, "%v", err)
			}
		}
	}
	if _, ok := first[c.Baseline]; ok || !k.readable("arms") {
		return
	}
	if nameless := slices.ContainsFunc(c.Arms, func(a Arm) bool { return a.Name == "" }); c.Baseline != "" || !nameless {
		k.fault("baseline", "no arm is named %q%s", short(c.Baseline), Suggest(c.Baseline, slices.Sorted(maps.Keys(first))))
	}
}

// name checks the name of the i-th arm or model, at path.
func (k *checker) name(path, name string, first map[string]int, i int) {
	at := path + ".name"
	if name == "" {
		k.fault(at, "missing")
		return
	}
	if !nameForm.MatchString(name) {
		k.fault(at, "%q: %s", short(name), nameRule)
	}
	if j, ok := first[name]; ok {
		list, _, _ := strings.Cut(path, "[")
		k.fault(at, "%q is also the name of %s[%d]", short(name), list, j)
		return
	}
	first[name] = i
}

// params checks one value each of some parameters.
func (k *checker) params(path string, params map[string]string) {
	for _, name := range slices.Sorted(maps.Keys(params)) {
		k.param(path+"."+name, name, params[name])
	}
}

func (k *checker) param(path, name, value string) {
	p, ok := record.ParamByName(name)
	if !ok {
		k.fault(path, "no such parameter")
	} else if err := p.Check(value); err != nil {
		k.fault(path, "%s", strings.TrimPrefix(err.Error(), name+": "))
	} else if p.Target == record.System {
		if err := sched.CheckParam(name, value); err != nil {
			k.fault(path, "%v", err)
		}
	}
}

// placement checks one value each of some parameters of placement.
func (k *checker) placement(path string, params map[string]string, m Matrix) {
	k.params(path, params)
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if m.sets(name) {
			k.fault(path+"."+name, "the matrix sets %s as well; take it out of one of them", name)
		}
	}
}

func (k *checker) schedulers(s Schedulers) {
	if s.Settle < 0 || s.Settle > time.Hour {
		k.fault("schedulers.settle", "want at most 1h, have %v", s.Settle)
	}
	if s.StartTimeout < time.Second || s.StartTimeout > time.Hour {
		k.fault("schedulers.start_timeout", "want 1s to 1h, have %v", s.StartTimeout)
	}
}

func (k *checker) models(c *Config) {
	if len(c.Models) == 0 && !c.bare() {
		k.fault("models", "at least one is needed, such as {path: models/tiny.gguf}")
	}
	first, paths := map[string]int{}, map[string]int{}
	for i, m := range c.Models {
		path := fmt.Sprintf("models[%d]", i)
		if m.Path == "" && m.Name != "" && len(c.Arms) > 0 && !c.builds() {
			k.name(path, m.Name, first, i)
			continue
		}
		if m.Path == "" {
			k.fault(path+".path", "missing: a GGUF file")
			continue
		}
		if strings.ContainsAny(m.Path, "\x00\n\r") {
			k.fault(path+".path", "want the path of a GGUF file")
		}
		if j, ok := paths[filepath.Clean(m.Path)]; ok {
			k.fault(path+".path", "is also the path of models[%d]", j)
			continue
		}
		paths[filepath.Clean(m.Path)] = i
		k.name(path, m.Name, first, i)
		if m.SHA256 != "" && !hashForm.MatchString(m.SHA256) {
			k.fault(path+".sha256", "want 64 hexadecimal digits, have %q", short(m.SHA256))
		}
	}
}
