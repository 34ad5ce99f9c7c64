package record

import "strings"

// A HeldFlag is a setting of llama-server that nobody can change, because
// measuring needs it: what adapts to the moment, or hides what is polled. What would
// flatter a repeated prompt are parameters: see HeldPrompts.
type HeldFlag struct {
	Words []string // as they are passed, by a build that has the flag
	Names string   // every name of the flag, joined by blanks, and of those that undo it
}

// HeldFixed lists them in the order in which they are passed.
var HeldFixed = []HeldFlag{
	{[]string{"--metrics"}, "--metrics"},
	{[]string{"--slots"}, "--slots --no-slots"}, // on by default since b6337
	{[]string{"--no-webui"}, "--webui --no-webui"},
	{[]string{"--no-ui"}, "--ui --no-ui"},                                       // the same, by its new name; one is enough
	{[]string{"--fit", "off"}, "-fit --fit -fitt --fit-target -fitc --fit-ctx"}, // b7407: would shrink context and layers to free memory
	{[]string{"--no-kv-unified"}, "-kvu --kv-unified -no-kvu --no-kv-unified"},  // each slot has its share of the context to itself
	{[]string{"--no-context-shift"}, "--context-shift --no-context-shift"},      // b6206 turned it off
	{[]string{"--jinja"}, "--jinja --no-jinja"},                                 // b~7353 turned it on
	{[]string{"--timeout", "3600"}, "-to --timeout"},                            // b9412 raised it to this
}

func heldFlags() string {
	var names []string
	for _, h := range HeldFixed {
		names = append(names, h.Names)
	}
	return strings.Join(names, " ")
}
