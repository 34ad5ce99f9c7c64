package llama

import (
	"fmt"
	"maps"
	"slices"

	"github.com/llama-regress/llama-regress/ci/record"
)

// quietSettings are settings that are no parameter of ours and change what is
// measured, with the value that does not.
var quietSettings = map[string]string{
	"embeddings":  "false",
	"no_host":     "false",
	"lazy_mode":   "auto",
	"fit_target":  "0",
	"fit_min_ctx": "0",
}

// key returns the parameters by which a configuration's cell is told from others.
func (im *importer) key(c *Configuration) (map[string]string, error) {
	params, others := c.split()
	key := make(map[string]string)
	for name, value := range params {
		if name == "threads" || value != defaultOf(name) {
			key[name] = value
		}
	}
	for name, value := range others {
		if quiet, known := quietSettings[name]; known && value != quiet && value != "" || !known && im.varying[name] {
			key[name] = value
		}
	}
	maps.Copy(params, others)
	for _, name := range im.opts.Ignore {
		delete(key, name)
		value, ok := params[name]
		if !ok && isParam(name) {
			value, ok = defaultOf(name), true
		}
		if !ok {
			continue
		}
		if before, met := im.ignored[name]; met && before != value {
			return nil, fmt.Errorf("%s is ignored, but it is %s here and %s before: split the file by it", name, value, before)
		}
		im.ignored[name] = value
	}
	return key, nil
}

// defaultOf is what a build does that does not report the parameter.
func defaultOf(name string) string {
	if p, _ := record.ParamByName(name); p.Default != "" {
		return p.Default
	}
	i := slices.IndexFunc(settings, func(s setting) bool { return s.param == name })
	return settings[i].unset
}

func isParam(name string) bool {
	_, ok := record.ParamByName(name)
	return ok
}

// varyingSettings are the settings, under llama-bench's names, that are not
// the same in all results.
func varyingSettings(all []*Configuration) map[string]bool {
	varying := make(map[string]bool)
	first := all[0].Settings
	for _, c := range all {
		for _, pair := range [2][2]map[string]string{{first, c.Settings}, {c.Settings, first}} {
			for name, value := range pair[0] {
				if other, ok := pair[1][name]; !ok || other != value {
					varying[name] = true
				}
			}
		}
	}
	return varying
}
