package llama

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"

	"github.com/llama-regress/llama-regress/ci/record"
)

// tableFields are llama-bench's names of fields by what its tables call them; what
// they call by its own name is not here.
var tableFields = map[string]string{
	"model": "model_type", "size": "model_size_text", "params": "", "backend": "backends",
	"ngl": "n_gpu_layers", "threads": "n_threads", "sm": "split_mode", "mg": "main_gpu", "nkvo": "no_kv_offload", "fa": "flash_attn",
	"mmap": "use_mmap", "dio": "use_direct_io", "lm": "load_mode", "embd": "embeddings", "nopo": "no_op_offload", "noh": "no_host",
	"dev": "devices", "ts": "tensor_split", "ot": "tensor_buft_overrides", "ncmoe": "n_cpu_moe", "fitt": "fit_target", "fitc": "fit_min_ctx",
}

// tableRow reads a row of a table in Markdown: a heading, the rule below it, or a
// result.
func (r *rows) tableRow(line []byte, at int) error {
	if r.foreign {
		return nil
	}
	cells := tableCells(line)
	if cells == nil {
		return fmt.Errorf("the row breaks off: %w", ErrTruncated)
	}
	rule := true
	for _, c := range cells {
		rule = rule && strings.Trim(c, "-:") == "" && c != ""
	}
	if rule {
		return nil
	}
	if h := tableHeading(cells); h != nil {
		r.table = h
		return nil
	}
	if r.table == nil {
		if r.table = guessed(cells); r.table == nil {
			r.foreign = true
			return fmt.Errorf("a table that llama-bench did not print, or rows without their heading, whose columns cannot be known: %.80q; paste the heading too", strings.Join(cells, " | "))
		}
	}
	if len(cells) != len(r.table.columns) {
		return fmt.Errorf("a row of %d cells under a heading of %d: %w", len(cells), len(r.table.columns), ErrTruncated)
	}
	return r.tableResult(cells, at)
}

// tableResult reads what the heading says of a row.
func (r *rows) tableResult(cells []string, at int) error {
	var columns, values []string
	for i, name := range r.table.columns {
		switch name {
		case "test":
			test, err := record.ParseTest(strings.ReplaceAll(cells[i], " ", ""))
			if err != nil {
				return err
			}
			columns = append(columns, "n_prompt", "n_gen", "n_depth")
			values = append(values, fmt.Sprint(test.Prompt), fmt.Sprint(test.Gen), fmt.Sprint(test.Depth))
		case "t/s":
			mean, deviation, err := figure(cells[i])
			if err != nil {
				return fmt.Errorf("t/s: %w", err)
			}
			columns, values = append(columns, "avg_ts", "stddev_ts"), append(values, mean, deviation)
		default:
			columns, values = append(columns, name), append(values, cells[i])
		}
	}
	return r.add(columns, values, at)
}

// tableHeading reads the heading of llama-bench's table, nil where cells are none.
func tableHeading(cells []string) *heading {
	h := new(heading)
	there := make(map[string]bool)
	for _, c := range cells {
		name, renamed := tableFields[c]
		if !renamed {
			name = c
		}
		there[c] = true
		h.columns = append(h.columns, name)
	}
	if !there["model"] || !there["test"] || !there["t/s"] {
		return nil
	}
	return h
}

var sizeText = regexp.MustCompile(`^\d+\.\d+ [KMGT]iB$`)

// guessed is the heading that rows without one have by default, nil where that
// cannot be: then the seven cells before the figures are not known.
func guessed(cells []string) *heading {
	if len(cells) != 7 || !sizeText.MatchString(cells[1]) {
		return nil
	}
	fifth := "n_gpu_layers"
	for _, name := range []string{"CPU", "BLAS", "ZenDNN"} { // as llama-bench itself decides it
		if strings.Contains(cells[3], name) {
			fifth = "n_threads"
		}
	}
	return &heading{columns: []string{"model_type", "model_size_text", "", "backends", fifth, "test", "t/s"}}
}

// tableCells are the cells of a row, nil without its last bar.
func tableCells(line []byte) []string {
	if len(line) < 2 || !bytes.HasSuffix(line, []byte("|")) {
		return nil
	}
	cells := strings.Split(string(line[1:len(line)-1]), "|")
	for i, c := range cells {
		cells[i] = strings.TrimSpace(c)
	}
	return cells
}

// spread matches the ± of a figure, whatever a terminal, a pipe or a keyboard made
// of it.
var spread = regexp.MustCompile(`^(\S+?)\s*(?:±|Â±|\+/?-|[\x{fffd}ñ]|â±)\s*(\S+)$`)

// figure splits "629.25 ± 288.96" into its two numbers; the second is "" where it
// is missing.
func figure(cell string) (mean, deviation string, err error) {
	cell = strings.ToValidUTF8(cell, "\ufffd")
	mean = cell
	if m := spread.FindStringSubmatch(cell); m != nil {
		mean, deviation = m[1], m[2]
		if _, err := decimal(deviation); err != nil && notNumber([]byte(deviation)) != len(deviation) {
			return "", "", err
		}
	}
	_, err = decimal(mean)
	return mean, deviation, err
}
