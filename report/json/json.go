package json

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"io"

	"github.com/llama-regress/llama-regress/report"
)

// Schema names the format.
const Schema = "llama-regress/report/v1"

//go:embed report.schema.json
var schema []byte

// JSONSchema returns the JSON Schema (draft 2020-12) that every report meets.
func JSONSchema() []byte { return append([]byte(nil), schema...) }

// A document is the report under the name of its format.
type document struct {
	Schema string `json:"schema"`
	report.Report
}

// Write writes r to w as one object and a line feed. Text that is not valid
// UTF-8 is made so; nothing else of it is changed, since JSON has a way to
// write any character. It is an error if a number of r is not finite, which
// report.New excludes.
func Write(w io.Writer, r report.Report) error {
	data, err := json.Marshal(document{Schema, r})
	if err != nil {
		return fmt.Errorf("json report: %w", err)
	}
	_, err = w.Write(append(data, '\n'))
	return err
}
