// Package conversations holds conversations to try things with: a small set written
// for this project, and a generator for sets of any size. What reads such files
// is ci/internal/sharegpt.
package conversations

import _ "embed"

//go:embed sample.json
var sample string

// Sample returns the small set: a JSON array of short conversations in the form
// of the public ShareGPT file. The caller may change what it gets.
func Sample() []byte { return []byte(sample) }
