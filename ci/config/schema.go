package config

import (
	"cmp"
	_ "embed"
	"encoding/json"
	"math"
	"slices"

	"github.com/llama-regress/llama-regress/ci/record"
)

// frame is the schema without what the catalogue says: without the metrics of
// gate, and without the parameters of llama.cpp's programs.
//
//go:embed schema.json
var frame []byte

// Schema returns the JSON Schema (draft 2020-12) of the configuration, for
// editors. What it accepts may still be refused by Parse, which also knows what
// a schema cannot say: that names are unique, or lead somewhere.
func Schema() string {
	var root object
	must(json.Unmarshal(frame, &root))
	top := root.at("properties")
	all := root.at("$defs", "params", "properties")
	for _, p := range record.Params {
		if p.Target == record.Arguments {
			continue // keys of an arm and of the sections
		}
		if _, written := all[p.Name]; !written {
			all[p.Name] = valueSchema(p)
		}
		one := object{"$ref": "#/$defs/params/properties/" + p.Name}
		top.at("matrix", "properties")[p.Name] = object{"description": p.Doc, "anyOf": []any{
			one, object{"type": "array", "minItems": 1, "uniqueItems": true, "items": one},
		}}
		if p.Target != record.System {
			top.at("serve", "properties", "server", "properties")[p.Name] = one
		}
	}
	gate := top.at("gate")
	gate["patternProperties"] = object{}
	for _, d := range record.Definitions() {
		margin := object{"$ref": "#/$defs/relative"}
		if d.Scale == record.Points {
			margin = object{"$ref": "#/$defs/absolute"}
		}
		if d.Pattern != "" {
			gate.at("patternProperties")["^"+d.Pattern+"$"] = margin
		} else {
			gate.at("properties")[d.Name] = margin
		}
		gate.at("properties")[d.Kind] = margin
	}
	top.at("store")["pattern"] = storeForm.String()
	for _, s := range sections {
		top[s.name] = s.schema
	}
	text, err := json.MarshalIndent(root, "", "  ")
	must(err)
	return string(text) + "\n"
}

// valueSchema says which values a parameter takes, as YAML writes them.
func valueSchema(p record.Param) object {
	switch {
	case p.Number:
		return object{"anyOf": []any{
			object{"type": "integer", "minimum": p.Min, "maximum": cmp.Or(p.Max, math.MaxInt32)},
			object{"type": "string", "pattern": "^(0|-?[1-9][0-9]{0,9})$"},
		}}
	case p.Values != nil:
		var values []any
		for _, v := range p.Values {
			values = append(values, v)
		}
		if slices.Contains(p.Values, "on") {
			values = append(values, true, false)
		}
		return object{"enum": values}
	}
	return object{"$ref": "#/$defs/free"}
}

// An object is one of JSON.
type object map[string]any

// at returns the object that the path of keys leads to, which exists.
func (o object) at(path ...string) object {
	for _, key := range path {
		switch next := o[key].(type) {
		case object:
			o = next
		case map[string]any:
			o = next
		}
	}
	return o
}

// must stops on a fault of the program itself: the frame is part of it.
func must(err error) {
	if err != nil {
		panic("config: schema: " + err.Error())
	}
}
