package json

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"

	"github.com/llama-regress/llama-regress/report"
)

// NightlySchema names the format of the nightly report.
const NightlySchema = "llama-regress/nightly/v1"

//go:embed nightly.schema.json
var nightlySchema []byte

// NightlyJSONSchema returns the JSON Schema that every nightly report meets.
// The schema of reports, parts of which it uses, is in it.
func NightlyJSONSchema() []byte {
	return bytes.Replace(nightlySchema, []byte(`"report": {}`), append([]byte(`"report": `), bytes.TrimSpace(schema)...), 1)
}

type nightly struct {
	Schema string `json:"schema"`
	report.Nightly
	Machines []nightlyMachine `json:"machines"`
}

type nightlyMachine struct {
	report.NightlyMachine
	Last *document `json:"last_night,omitempty"`
}

// WriteNightly writes n to w, as Write does a report.
func WriteNightly(w io.Writer, n report.Nightly) error {
	doc := nightly{NightlySchema, n, []nightlyMachine{}}
	for _, m := range n.Machines {
		nm := nightlyMachine{NightlyMachine: m}
		if m.Last != nil {
			nm.Last = &document{Schema, *m.Last}
		}
		doc.Machines = append(doc.Machines, nm)
	}
	data, err := json.Marshal(doc)
	if err != nil {
		return fmt.Errorf("json nightly: %w", err)
	}
	_, err = w.Write(append(data, '\n'))
	return err
}
