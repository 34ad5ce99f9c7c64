package config

import (
	"strconv"

	"github.com/goccy/go-yaml/ast"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/sched"
)

// version insists that the first key says which version the rest is in.
func (r *reader) version(root ast.Node) {
	m, ok := root.(*ast.MappingNode)
	if !ok || len(m.Values) == 0 {
		r.wrong("", root, "a mapping that begins with version: 1")
		return
	}
	first := m.Values[0]
	key := first.Key.GetToken()
	r.places["version"] = placeOf(key)
	if key.Value != "version" {
		r.faultAt(key, "version", "the first key must be version: %d", Version)
		return
	}
	if have := first.Value.GetToken().Value; have != strconv.Itoa(Version) {
		r.fault("version", "have %s, this llama-regress reads version %d", short(have), Version)
	}
}

func (r *reader) config(n ast.Node, c *Config) {
	benched := false
	r.object("", n, r.topKeys(c, &benched))
	if (c.Serve != nil || c.Count != nil || len(c.Sections) > 0) && !benched {
		c.Bench.Tests = nil // who asks for another workload alone gets no llama-bench
	}
}

// topKeys are the keys of a configuration; benched learns whether bench is
// among those of a file.
func (r *reader) topKeys(c *Config, benched *bool) map[string]setter {
	keys := map[string]setter{
		"version":  r.whole(&c.Version),
		"arms":     r.list(func(path string, n ast.Node) { c.Arms = append(c.Arms, r.arm(path, n)) }),
		"baseline": r.text(&c.Baseline),
		"models":   r.list(func(path string, n ast.Node) { c.Models = append(c.Models, r.model(path, n)) }),
		"matrix":   func(path string, n ast.Node) { r.matrix(path, n, &c.Matrix) },
		"bench":    func(path string, n ast.Node) { *benched = true; r.bench(path, n, &c.Bench) },
		"serve":    func(path string, n ast.Node) { r.serve(path, n, &c.Serve) },
		"count":    func(path string, n ast.Node) { r.count(path, n, &c.Count) },
		"sampling": func(path string, n ast.Node) { r.sampling(path, n, &c.Sampling) },
		"gate":     func(path string, n ast.Node) { r.gate(path, n, &c.Gate) },
		"sentinel": func(path string, n ast.Node) { r.sentinel(path, n, &c.Sentinel) },
		"build":    func(path string, n ast.Node) { r.build(path, n, &c.Build) },
		"store":    r.text(&c.Store),
		"schedulers": func(path string, n ast.Node) {
			r.object(path, n, map[string]setter{
				"settle": r.duration(&c.Schedulers.Settle), "start_timeout": r.duration(&c.Schedulers.StartTimeout),
			})
		},
		"placement": r.placement(&c.Placement),
	}
	for _, s := range sections {
		keys[s.name] = r.section(s, c)
	}
	return keys
}

func (r *reader) arm(path string, n ast.Node) (a Arm) {
	r.object(path, n, map[string]setter{
		"name":   r.text(&a.Name),
		"bin":    r.text(&a.Bin),
		"url":    r.text(&a.URL),
		"model":  r.text(&a.Model),
		"params": func(path string, n ast.Node) { a.Params = r.params(path, n) },
		"args":   r.armArgs(&a.Args),
		"env":    r.texts(&a.Env),

		"scheduler": r.text(&a.Scheduler),
		"placement": r.placement(&a.Placement),

		"api_key_env": r.text(&a.KeyEnv),
	})
	return a
}

// placement reads one value each of some parameters of placement.
func (r *reader) placement(to *map[string]string) setter {
	return func(path string, n ast.Node) {
		*to = map[string]string{}
		keys := map[string]setter{}
		for _, name := range sched.PlacementParams {
			keys[name] = func(path string, n ast.Node) { (*to)[name] = r.param(path, n) }
		}
		r.object(path, n, keys)
	}
}

func (r *reader) model(path string, n ast.Node) (m Model) {
	r.object(path, n, map[string]setter{
		"name":   r.text(&m.Name),
		"path":   r.text(&m.Path),
		"sha256": r.text(&m.SHA256),
	})
	return m
}

func (r *reader) matrix(path string, n ast.Node, m *Matrix) {
	if _, ok := n.(*ast.NullNode); ok {
		return // a section whose lines are all commented out
	}
	m.Params = map[string][]string{}
	keys := map[string]setter{
		"include": r.list(func(path string, n ast.Node) { m.Include = append(m.Include, r.params(path, n)) }),
		"exclude": r.list(func(path string, n ast.Node) { m.Exclude = append(m.Exclude, r.params(path, n)) }),
	}
	for _, p := range settable() {
		keys[p.Name] = func(path string, n ast.Node) {
			m.Params[p.Name] = nil
			r.oneOrMore(func(path string, n ast.Node) { m.Params[p.Name] = append(m.Params[p.Name], r.param(path, n)) })(path, n)
		}
	}
	r.object(path, n, keys)
}

// params reads one value each of some parameters.
func (r *reader) params(path string, n ast.Node) map[string]string {
	values := map[string]string{}
	keys := map[string]setter{}
	for _, p := range settable() {
		keys[p.Name] = func(path string, n ast.Node) { values[p.Name] = r.param(path, n) }
	}
	r.object(path, n, keys)
	return values
}

// param reads the value of a parameter: a scalar as it is written, a boolean
// as on or off.
func (r *reader) param(path string, n ast.Node) string {
	s, _ := r.scalar(path, n, "a single value")
	if b, ok := n.(*ast.BoolNode); ok {
		return map[bool]string{true: "on", false: "off"}[b.Value]
	}
	return s
}

func (r *reader) build(path string, n ast.Node, b *Build) {
	r.object(path, n, map[string]setter{"command": r.text(&b.Command), "bin": r.text(&b.Bin)})
}

func (r *reader) bench(path string, n ast.Node, b *Bench) {
	r.object(path, n, map[string]setter{
		"args":        r.argsOrMore(&b.Args),
		"repetitions": r.whole(&b.Repetitions),
		"tests":       r.tests(&b.Tests),
	})
}

// tests reads the names of tests.
func (r *reader) tests(to *[]record.Test) setter {
	return func(path string, n ast.Node) {
		*to = nil
		r.list(func(path string, n ast.Node) {
			// A test that cannot be read keeps its place, so that those
			// after it keep theirs.
			var t record.Test
			if name, ok := r.scalar(path, n, "the name of a test"); ok {
				var err error
				if t, err = record.ParseTest(name); err != nil {
					r.fault(path, "%v", err)
				}
			}
			*to = append(*to, t)
		})(path, n)
	}
}

func (r *reader) sampling(path string, n ast.Node, s *Sampling) {
	if word, ok := n.(*ast.StringNode); ok && word.Value == "adaptive" {
		s.Adaptive = defaultMost
		return
	}
	r.object(path, n, map[string]setter{
		"blocks":  r.whole(&s.Blocks),
		"warmup":  r.whole(&s.Warmup),
		"seed":    r.seed(&s.Seed),
		"budget":  r.duration(&s.Budget),
		"timeout": r.duration(&s.Timeout),
		"control": r.text((*string)(&s.Control)),

		"adaptive":       r.wholeOrOff(&s.Adaptive, defaultMost),
		"confirm_blocks": r.wholeOrOff(&s.ConfirmBlocks, defaultConfirm),

		"repeat_contaminated": r.whole(&s.RepeatDisturbed),
		"cool_below":          r.coolBelow(s),
		"cool_limit":          r.duration(&s.CoolLimit),
	})
}

// coolBelow reads degrees of the processor, or an object of processor and devices.
func (r *reader) coolBelow(s *Sampling) setter {
	return func(path string, n ast.Node) {
		if _, ok := n.(*ast.IntegerNode); ok {
			r.whole(&s.CoolBelow)(path, n)
			return
		}
		r.object(path, n, map[string]setter{"cpu": r.whole(&s.CoolBelow), "gpu": r.whole(&s.CoolDevices)})
	}
}

// wholeOrOff reads a whole number, off for 0, or on for what is meant then.
func (r *reader) wholeOrOff(to *int, on int) setter {
	return func(path string, n ast.Node) {
		switch n := n.(type) {
		case *ast.BoolNode:
			*to = map[bool]int{true: on}[n.Value]
			return
		case *ast.StringNode, *ast.IntegerNode:
			if v, err := parseBlocks(n.GetToken().Value, on); err == nil {
				*to = v
				return
			}
		}
		r.wrong(path, n, wantBlocks)
	}
}
