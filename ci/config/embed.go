package config

import _ "embed"

//go:embed starter.yaml
var starter string

//go:embed schema.json
var schema string

// Starter returns the text of a short commented configuration to begin with.
// It is valid as it stands, though its builds and model are made up.
func Starter() string { return starter }

// Schema returns the JSON Schema (draft 2020-12) of the configuration, for
// editors. What it accepts may still be refused by Parse, which also knows what
// a schema cannot say: that names are unique, or lead somewhere.
func Schema() string { return schema }
