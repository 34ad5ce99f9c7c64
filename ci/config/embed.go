package config

import _ "embed"

//go:embed starter.yaml
var starter string

// Starter returns the text of a short commented configuration to begin with.
// It is valid as it stands, though its builds and model are made up.
func Starter() string { return starter }
