package config

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/llama-regress/llama-regress/ci/record"
)

// Running says whether an arm is a server that already runs.
func (c *Config) Running() bool {
	return slices.ContainsFunc(c.Arms, func(a Arm) bool { return a.URL != "" })
}

// builds says whether an arm is a build, which needs the model's file.
func (c *Config) builds() bool {
	return slices.ContainsFunc(c.Arms, func(a Arm) bool { return a.URL == "" })
}

// running checks the i-th arm, a server that already runs: of how it runs nothing can be
// set, and so nothing may be asked for.
func (k *checker) running(path string, a Arm, i int, c *Config) {
	url, err := record.ServerURL(a.URL)
	if err != nil {
		k.fault(path+".url", "%v", err)
	}
	for j, other := range c.Arms[:i] {
		if there, err := record.ServerURL(other.URL); err == nil && there == url && other.Model == a.Model {
			k.fault(path+".url", "is also the url of arms[%d]: both arms would measure one server; name another one, or another model of it", j)
		}
	}
	if a.Bin != "" {
		k.fault(path+".bin", "this arm has a url as well; take out one of them")
	}
	if a.KeyEnv != "" {
		if err := record.CheckKeyVariable(a.KeyEnv); err != nil {
			k.fault(path+".api_key_env", "%v", err)
		}
	}
	if len(a.Model) > 200 || strings.ContainsFunc(a.Model, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		k.fault(path+".model", "want the name of a model, of at most 200 characters")
	}
	for name, set := range map[string]bool{
		"params": len(a.Params) > 0, "args": len(a.Args.Bench)+len(a.Args.Serve) > 0, "env": len(a.Env) > 0, "scheduler": a.Scheduler != "", "placement": len(a.Placement) > 0,
	} {
		if set {
			k.fault(path+"."+name, "arm %s is a server that already runs, of which nothing can be set: take it out, or start the server that way", a.Name)
		}
	}
}

// runningMatrix checks what all arms share beside a server that already runs.
func (k *checker) runningMatrix(c *Config) {
	i := slices.IndexFunc(c.Arms, func(a Arm) bool { return a.URL != "" })
	if i < 0 {
		return
	}
	of := fmt.Sprintf("arm %s is a server that already runs, of which nothing can be set", short(c.Arms[i].Name))
	for _, name := range slices.Sorted(maps.Keys(c.Matrix.Params)) {
		k.fault("matrix."+name, "%s: take it out, or put one value into the params of the arms that are builds", of)
	}
	for path, set := range map[string]bool{"matrix.include": len(c.Matrix.Include) > 0, "placement": len(c.Placement) > 0} {
		if set {
			k.fault(path, "%s: take it out, or put it into the arms that are builds", of)
		}
	}
	if len(c.Bench.Tests) > 0 {
		k.fault("bench.tests", "arm %s is a server that already runs, and llama-bench starts a program: take out the bench section", short(c.Arms[i].Name))
	}
	if len(c.Models) > 1 {
		k.fault("models", "%s: leave one model, or measure one after the other", of)
	}
	if c.Serve == nil {
		k.fault(fmt.Sprintf("arms[%d].url", i), "a server is measured by requests: add a serve section, or --dataset FILE")
		return
	}
	for _, name := range slices.Sorted(maps.Keys(c.Serve.Server.Params)) {
		k.fault("serve.server."+name, "%s: take it out, or put it into the params of the arms that are builds", of)
	}
	if len(c.Serve.Args) > 0 {
		k.fault("serve.args", "%s: take it out, or put it into the args of the arms that are builds", of)
	}
}
