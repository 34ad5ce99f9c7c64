package llama

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Parameters returns the settings of a result under our own names and in our
// own words, equal for equal settings whatever the build: flash_attn is "on"
// for true, 1 and "on". Parameters that the build does not report are absent.
func (c *Configuration) Parameters() map[string]string {
	params, _ := c.split()
	return params
}

// split divides the settings into our parameters and the rest, which keeps
// llama-bench's names.
func (c *Configuration) split() (params, others map[string]string) {
	params = make(map[string]string)
	others = make(map[string]string)
	for name, text := range c.Settings {
		if quiet := quietSettings[name]; quiet == "true" || quiet == "false" {
			text = readBool(text)
		}
		others[name] = text
	}
	for _, s := range settings {
		for _, field := range s.fields {
			if text, ok := c.Settings[field]; ok && text != "" {
				if _, newer := params[s.param]; !newer {
					params[s.param] = s.read(text)
				}
			}
			delete(others, field)
		}
	}
	if direct, ok := others["use_direct_io"]; ok { // b7718 to b10105, beside use_mmap
		if readSwitch(direct) == "on" {
			params["mmap"] = "dio"
		}
		delete(others, "use_direct_io")
	}
	return params, others
}

// echo is what a trial's record keeps of a result: its parameters, its other
// settings, and who the program says it is.
func (c *Configuration) echo() map[string]string {
	echo, others := c.split()
	for name, text := range others {
		if _, ours := echo[name]; !ours {
			echo[name] = text
		}
	}
	for name, text := range map[string]string{
		"build_commit":   c.BuildCommit,
		"build_number":   nonZero(int64(c.BuildNumber)),
		"backends":       c.Backends,
		"cpu_info":       c.CPU,
		"gpu_info":       c.GPU,
		"model_filename": c.ModelFile,
		"model_type":     c.ModelType,
		"model_size":     nonZero(c.ModelBytes),
		"model_n_params": nonZero(c.ModelParams),
	} {
		if text != "" {
			echo[name] = text
		}
	}
	return echo
}

// readBool reads a switch that json has as true and false, csv and sql as 1 and 0.
func readBool(text string) string {
	switch text {
	case "0":
		return "false"
	case "1":
		return "true"
	}
	return text
}

func nonZero(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// differences compares what was asked for with what a result reports. It
// returns one entry a parameter that differs, "threads asked 4, got 2", and
// the parameters that the build does not report.
func differences(values, got map[string]string) (differ, silent []string) {
	for _, s := range settings {
		value, given := values[s.param]
		if !given {
			continue
		}
		want := s.canonical(value)
		switch have, ok := got[s.param]; {
		case ok && have != want:
			differ = append(differ, fmt.Sprintf("%s asked %s, got %s", s.param, want, have))
		case !ok && want != s.unset:
			silent = append(silent, s.param)
		}
	}
	return differ, silent
}

// baseName is the last element of a path of any system.
func baseName(path string) string {
	return path[strings.LastIndexAny(path, `/\`)+1:]
}

// sameModel compares the model asked for with the one reported. Some builds
// print the path as given, others a cleaned one.
func sameModel(asked, got string) bool {
	return got == "" || baseName(asked) == baseName(got)
}

// testNames joins the names of tests for a message.
func testNames(results []Result) []string {
	var names []string
	for _, r := range results {
		if !slices.Contains(names, r.Test.Name()) {
			names = append(names, r.Test.Name())
		}
	}
	return names
}
