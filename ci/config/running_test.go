package config_test

import (
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/plan"
)

const served = "serve: {dataset: {path: chats.json}, concurrency: [4]}\n"

// A server that already runs needs neither a model's file nor a bench section, and is
// asked by the interface that every server has.
func TestRunningServers(t *testing.T) {
	const arms = "version: 1\narms: [{name: base, url: 'http://127.0.0.1:8080/v1'}, {name: head, url: 'http://127.0.0.1:8081', model: m, api_key_env: LLAMA_REGRESS_API_KEY_HEAD}]\n"
	c, err := config.Parse([]byte(arms+served), "llama-regress.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if c.Serve.API != "chat" || len(c.Bench.Tests) != 0 || len(c.Models) != 1 || c.Models[0] != (config.Model{Name: "served"}) {
		t.Errorf("api %q, tests %v, models %v", c.Serve.API, c.Bench.Tests, c.Models)
	}
	p, err := plan.Expand(c)
	if err != nil {
		t.Fatal(err)
	}
	if a := p.Arms[0]; a.URL != "http://127.0.0.1:8080" || a.Bin != "" || a.KeyEnv != "LLAMA_REGRESS_API_KEY" {
		t.Errorf("base: %+v", a)
	}
	if a := p.Arms[1]; a.Model != "m" || a.KeyEnv != "LLAMA_REGRESS_API_KEY_HEAD" {
		t.Errorf("head: %+v", a)
	}
	if key := p.Cells[0].Cell.Key; key != "serve/served/concurrency=4" {
		t.Errorf("key %q", key)
	}
	said := strings.Replace(served, "serve: {", "serve: {api: completion, ", 1)
	if c, err := config.Parse([]byte(arms+said), "llama-regress.yaml"); err != nil || c.Serve.API != "completion" {
		t.Errorf("api as written: %v", err)
	}
	models := "models: [{name: big}]\n"
	if c, err := config.Parse([]byte(arms+models+served), "llama-regress.yaml"); err != nil || c.Models[0].Name != "big" {
		t.Errorf("a name of the model: %v", err)
	}
}

func TestRunningServersErrors(t *testing.T) {
	const nothing = "arm x is a server that already runs, of which nothing can be set"
	for text, want := range map[string]string{
		"arms: [{name: x, url: ftp://h}]\n" + served:                                                                       "arms[0].url: want http://HOST:PORT or https://HOST:PORT",
		"arms: [{name: x, url: 'http://u:secret@h'}]\n" + served:                                                           "arms[0].url: holds a name or a password, and addresses are published: put the key into the variable LLAMA_REGRESS_API_KEY",
		"arms: [{name: x, url: 'http://h', bin: b}]\n" + served:                                                            "arms[0].bin: this arm has a url as well; take out one of them",
		"arms: [{name: x, url: 'http://h', api_key_env: GITHUB_TOKEN}]\n" + served:                                         "arms[0].api_key_env: want LLAMA_REGRESS_API_KEY, or a name that goes on from it, such as LLAMA_REGRESS_API_KEY_HEAD: no other variable is ever sent to a server",
		"arms: [{name: x, url: 'http://h', params: {threads: 2}}]\n" + served:                                              "arms[0].params: " + nothing + ": take it out, or start the server that way",
		"arms: [{name: x, url: 'http://h', env: {A: b}}]\n" + served:                                                       "arms[0].env: " + nothing,
		"arms: [{name: x, url: 'http://h', scheduler: default}]\n" + served:                                                "arms[0].scheduler: " + nothing,
		"arms: [{name: x, url: 'http://h', placement: {cpus: 0-1}}]\n" + served:                                            "arms[0].placement: " + nothing,
		"arms: [{name: x, url: 'http://h', args: {serve: [-ot, exps=CPU]}}]\n" + served:                                    "arms[0].args: " + nothing,
		"arms: [{name: x, url: 'http://h'}]\nmatrix: {threads: [1, 2]}\n" + served:                                         "matrix.threads: " + nothing + ": take it out, or put one value into the params of the arms that are builds",
		"arms: [{name: x, url: 'http://h'}]\nplacement: {cpus: 0-1}\n" + served:                                            "placement: " + nothing,
		"arms: [{name: x, url: 'http://h'}]\nbench: {tests: [pp512]}\n" + served:                                           "bench.tests: arm x is a server that already runs, and llama-bench starts a program: take out the bench section",
		"arms: [{name: x, url: 'http://h'}]\nmodels: [{name: a}, {name: b}]\n" + served:                                    "models: " + nothing + ": leave one model, or measure one after the other",
		"arms: [{name: x, url: 'http://h'}]\nbench: {tests: []}\n":                                                         "arms[0].url: a server is measured by requests: add a serve section, or --dataset FILE",
		"arms: [{name: x, url: 'http://h'}, {name: y, url: 'HTTP://H:80/v1/'}]\n" + served:                                 "arms[1].url: is also the url of arms[0]: both arms would measure one server; name another one, or another model of it",
		"arms: [{name: x, url: 'http://h'}, {name: y, bin: b}]\nmodels: [{name: m}]\n" + served:                            "models[0].path: missing: a GGUF file",
		"arms: [{name: y, bin: b, model: m}]\nmodels: [{path: m.gguf}]\n":                                                  "arms[0].model: is asked of a server that already runs, and this arm has no url",
		"arms: [{name: y, bin: b, api_key_env: LLAMA_REGRESS_API_KEY}]\nmodels: [{path: m}]\n":                             "arms[0].api_key_env: is sent to a server that already runs, and this arm has no url",
		"arms: [{name: x, url: 'http://h'}]\n" + strings.Replace(served, "serve: {", "serve: {server: {parallel: 2}, ", 1): "serve.server.parallel: " + nothing,
		"arms: [{name: x, url: 'http://h'}]\n" + strings.Replace(served, "serve: {", "serve: {args: [-ot, exps=CPU], ", 1): "serve.args: " + nothing,
	} {
		_, err := config.Parse([]byte("version: 1\n"+text), "llama-regress.yaml")
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s\n got %v\nwant %s", text, err, want)
		}
	}
	two := "version: 1\narms: [{name: x, url: 'http://h', model: a}, {name: y, url: 'http://h', model: b}]\n" + served
	if _, err := config.Parse([]byte(two), "llama-regress.yaml"); err != nil {
		t.Errorf("two models of one server: %v", err)
	}
}
