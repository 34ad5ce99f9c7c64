package llama

import (
	"maps"
	"regexp"
	"strings"

	"github.com/llama-regress/llama-regress/ci/record"
)

// A server tells of few settings once it runs. What it does where nobody sets
// one stands in its help: "(default: 2048)", "default: 'auto')".
var (
	toldDefault  = regexp.MustCompile(`default: '?([A-Za-z0-9_.+-]{1,40})'?[,) ]`)
	toldVariable = regexp.MustCompile(`\(env: ([A-Z0-9_]+)\)`)
	toldThreads  = regexp.MustCompile(`\bn_threads = (\d{1,5})\b`)
)

// unsetDefaults are the defaults of the parameters that values does not have, as
// far as the program's help tells them. One whose environment variable the arm
// sets is not known.
func unsetDefaults(p *program, values, env map[string]string) map[string]string {
	told := make(map[string]string)
	for _, s := range serverSettings {
		if _, set := values[s.param]; set || s.param == "threads" {
			continue
		}
		text := p.caps.texts[p.caps.first(s.flag, s.other)]
		m := toldDefault.FindStringSubmatch(text)
		if m == nil {
			continue
		}
		if variable := toldVariable.FindStringSubmatch(text); variable != nil {
			if _, set := env[variable[1]]; set {
				continue
			}
		}
		if value, ok := readDefault(s.param, m[1]); ok {
			told[s.param] = value
		}
	}
	return told
}

// readDefault reads a default as the configuration would say it.
func readDefault(param, text string) (value string, ok bool) {
	switch param {
	case "kv_offload", "op_offload", "repack", "cont_batching", "cpu_strict", record.CachePrompt:
		switch strings.ToLower(text) {
		case "enabled", "true", "1":
			return "on", true
		case "disabled", "false", "0":
			return "off", true
		}
		return "", false
	case "flash_attn":
		if text == "disabled" {
			return "off", true
		}
		return readSwitch(text), true
	case "gpu_layers":
		return readLayers(text), true
	case "mmap":
		if text == "enabled" {
			return "on", true
		}
		return readLoadMode(text), true
	}
	return text, true
}

// Defaults are the values of the parameters that nobody set, as far as the server
// tells them, by its help and its log.
func (srv *Server) Defaults() map[string]string {
	told := maps.Clone(srv.unset)
	if _, set := srv.values["threads"]; !set {
		if m := toldThreads.FindStringSubmatch(srv.log.String()); m != nil {
			told["threads"] = m[1]
		}
	}
	for name := range told {
		if p, ok := record.ParamByName(name); !ok || p.Held == record.HeldAlways {
			delete(told, name)
		}
	}
	return told
}
