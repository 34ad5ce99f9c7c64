package endpoint

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/llama-regress/llama-regress/ci/record"
)

// told is what a server tells of itself. Empty fields were not told.
type told struct {
	models []string // that it lists, in its order
	server string   // the Server header of its answers
	llama  bool     // it has /props, as llama-server does
	props  props
	params map[string]string // number of weights, by model, where the list has it
}

// props are those of llama-server.
type props struct {
	Slots    int    `json:"total_slots"`
	Model    string `json:"model_path"`
	Build    string `json:"build_info"`
	Defaults struct {
		Context int `json:"n_ctx"`
	} `json:"default_generation_settings"`
}

// buildInfo is what llama-server calls its build: "b11669-5aa1105d".
var buildInfo = regexp.MustCompile(`^b(\d{1,9})-([0-9A-Za-z._+-]{1,64})$`)

// build is what a record keeps of it.
func (t told) build(model string) record.Build {
	b := record.Build{Version: cmp.Or(t.props.Build, t.server), Model: model}
	if m := buildInfo.FindStringSubmatch(t.props.Build); m != nil {
		b.Number, _ = strconv.Atoi(m[1])
		b.Commit = m[2]
	}
	return b
}

// echo is what a trial's record keeps of it.
func (t told) echo(model string) map[string]string {
	all := make(map[string]string)
	add := func(name, value string) {
		if value != "" && value != "0" {
			all[name] = value
		}
	}
	add("server", t.server)
	add("served_model", model)
	add("model_type", model) // so that sessions of another model are no history of this one
	add("model_n_params", t.params[model])
	add("build_info", t.props.Build)
	add("parallel", strconv.Itoa(t.props.Slots))
	add("n_ctx_slot", strconv.Itoa(t.props.Defaults.Context))
	add("model_filename", t.props.Model)
	return all
}

// differs says in what another answer differs, "" for nothing.
func (t told) differs(now told) string {
	for _, of := range []struct{ what, was, is string }{
		{"build", t.props.Build, now.props.Build},
		{"model file", t.props.Model, now.props.Model},
		{"slots", strconv.Itoa(t.props.Slots), strconv.Itoa(now.props.Slots)},
		{"context of a slot", strconv.Itoa(t.props.Defaults.Context), strconv.Itoa(now.props.Defaults.Context)},
		{"Server header", t.server, now.server},
		{"models", strings.Join(t.models, ", "), strings.Join(now.models, ", ")},
	} {
		if of.was != of.is {
			return fmt.Sprintf("%s was %s, is %s", of.what, short(of.was), short(of.is))
		}
	}
	return ""
}

func short(s string) string { return fmt.Sprintf("%.100q", s) }

// choose is the model to ask for: the one that the arm names, else the only one.
func (t told) choose(named string) (string, error) {
	switch {
	case named != "" && len(t.models) > 0 && !slices.Contains(t.models, named) && !t.llama:
		return "", fmt.Errorf("it serves no model %q, but %s", named, listed(t.models))
	case named != "":
		return named, nil
	case len(t.models) > 1:
		return "", fmt.Errorf("it serves %d models, %s: say which is meant, model: NAME in the arm or --served-model NAME", len(t.models), listed(t.models))
	case len(t.models) == 1:
		return t.models[0], nil
	}
	return "", nil
}

func listed(names []string) string {
	const most = 5
	var quoted []string
	for _, name := range names[:min(len(names), most)] {
		quoted = append(quoted, short(name))
	}
	if n := len(names) - most; n > 0 {
		quoted = append(quoted, fmt.Sprintf("%d more", n))
	}
	return strings.Join(quoted, ", ")
}
