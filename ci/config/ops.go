package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/llama-regress/llama-regress/ci/record"
)

// Ops is which operators test-backend-ops times.
type Ops struct {
	Ops      []string `yaml:"ops"`      // names, such as MUL_MAT
	Shapes   string   `yaml:"shapes"`   // regular expression of the program over the parameters of a case; "" for all
	Backends []string `yaml:"backends"` // as the program names them; each is a cell
}

// DefaultOps returns what is timed where nothing is said: the operator in which a
// model spends most of its time, on the processor.
func DefaultOps() *Ops { return &Ops{Ops: []string{"MUL_MAT"}, Backends: []string{"CPU"}} }

var (
	opForm      = regexp.MustCompile(`^[A-Z][A-Z0-9_]{0,63}$`)
	backendForm = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.:-]{0,63}$`)
)

// Check implements Section.
func (o *Ops) Check() error {
	if n := len(o.Ops); n == 0 || n > mostBatches {
		return fmt.Errorf("ops: want 1 to %d names, have %d", mostBatches, n)
	}
	seen := make(map[string]bool)
	for _, name := range o.Ops {
		if !opForm.MatchString(name) {
			return fmt.Errorf("ops: %q: want the name of an operator, such as MUL_MAT or FLASH_ATTN_EXT; 'test-backend-ops --list-ops' has them", short(name))
		}
		if seen[name] {
			return fmt.Errorf("ops: %s comes twice", name)
		}
		seen[name] = true
	}
	if len(o.Shapes) > 200 || strings.ContainsAny(o.Shapes, "\x00\n\r") {
		return errors.New("shapes: want a pattern of one line and at most 200 characters")
	}
	if _, err := regexp.Compile(o.Shapes); err != nil {
		return fmt.Errorf("shapes: %q is no regular expression: %v", short(o.Shapes), err)
	}
	if n := len(o.Backends); n == 0 || n > mostBatches {
		return fmt.Errorf("backends: want 1 to %d names, have %d", mostBatches, n)
	}
	for _, name := range o.Backends {
		if !backendForm.MatchString(name) || seen[name] {
			return fmt.Errorf("backends: %q: want the name of a backend, such as CPU or CUDA0, once", short(name))
		}
		seen[name] = true
	}
	return nil
}

var opsSection = section{
	name: record.OpsWorkload,
	schema: json.RawMessage(`{
  "description": "Single operators of a backend, timed by test-backend-ops perf, without a model. A process times all of them and is one trial.",
  "type": "object", "additionalProperties": false,
  "properties": {
    "ops": {"description": "names of operators; 'test-backend-ops --list-ops' has them", "type": "array", "minItems": 1, "maxItems": 32, "uniqueItems": true, "items": {"type": "string", "pattern": "^[A-Z][A-Z0-9_]{0,63}$"}, "default": ["MUL_MAT"]},
    "shapes": {"description": "regular expression over the parameters of a case, such as type_a=q4_0,.*n=1, (a case takes a second or more)", "type": "string", "maxLength": 200},
    "backends": {"description": "backends as the program names them; each is a cell", "type": "array", "minItems": 1, "maxItems": 32, "uniqueItems": true, "items": {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_.:-]{0,63}$"}, "default": ["CPU"]}
  }
}`),
	empty: func() Section { return DefaultOps() },
}
