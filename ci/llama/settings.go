package llama

import (
	"slices"
	"strconv"
	"strings"
)

// A setting ties a parameter of the configuration to the flags and the result
// fields of llama-bench, whose names and forms have changed with the builds.
type setting struct {
	param  string
	flags  []string // the first that a build has is used
	since  int      // build that brought the flag, 0 when older than every build we drive
	unset  string   // what the field says where the flag is not given, and what builds without it do; "" when it has a default of its own
	write  func(c capabilities, flag, value string) (string, bool)
	fields []string // the first that a result has is read
	read   func(text string) string
}

// settings covers every parameter of record.Params, in the order in which
// flags are passed.
var settings = []setting{
	{param: "threads", flags: []string{"-t"}, write: asIs, fields: []string{"n_threads"}, read: same},
	{param: "batch", flags: []string{"-b"}, write: asIs, fields: []string{"n_batch"}, read: same},
	{param: "ubatch", flags: []string{"-ub"}, write: asIs, fields: []string{"n_ubatch"}, read: same},
	{param: "flash_attn", flags: []string{"-fa"}, write: onOff, fields: []string{"flash_attn"}, read: readSwitch},
	{param: "gpu_layers", flags: []string{"-ngl"}, write: asIs, fields: []string{"n_gpu_layers"}, read: readLayers},
	{param: "type_k", flags: []string{"-ctk"}, write: asIs, fields: []string{"type_k"}, read: same},
	{param: "type_v", flags: []string{"-ctv"}, write: asIs, fields: []string{"type_v"}, read: same},
	{param: "mmap", flags: []string{"-lm", "-mmp"}, write: loadMode, fields: []string{"load_mode", "use_mmap"}, read: readLoadMode},
	{param: "poll", flags: []string{"--poll"}, since: 3644, write: asIs, fields: []string{"poll"}, read: same},
	{param: "split_mode", flags: []string{"-sm"}, write: asIs, fields: []string{"split_mode"}, read: same},
	{param: "main_gpu", flags: []string{"-mg"}, write: asIs, fields: []string{"main_gpu"}, read: same},
	{param: "tensor_split", flags: []string{"-ts"}, unset: "0", write: asIs, fields: []string{"tensor_split"}, read: readShares},
	{param: "kv_offload", flags: []string{"-nkvo"}, write: offOn, fields: []string{"no_kv_offload"}, read: readInverse},
	{param: "op_offload", flags: []string{"-nopo"}, since: 5346, unset: "on", write: offOn, fields: []string{"no_op_offload"}, read: readInverse},
	{param: "cpu_mask", flags: []string{"-C"}, since: 3644, unset: "0", write: asIs, fields: []string{"cpu_mask"}, read: readMask},
	{param: "cpu_strict", flags: []string{"--cpu-strict"}, since: 3644, unset: "off", write: onOff, fields: []string{"cpu_strict"}, read: readSwitch},
	{param: "numa", flags: []string{"--numa"}, write: asIs},
	{param: "n_cpu_moe", flags: []string{"-ncmoe"}, since: 6490, unset: "0", write: asIs, fields: []string{"n_cpu_moe"}, read: same},
	{param: "override_tensor", flags: []string{"-ot"}, since: 5200, unset: "none", write: asIs, fields: []string{"tensor_buft_overrides"}, read: same},
	{param: "repack", flags: []string{"--repack"}, since: 11469, unset: "on", write: onOff, fields: []string{"repack"}, read: readSwitch},
	{param: "devices", flags: []string{"-dev"}, since: 6522, unset: "auto", write: asIs, fields: []string{"devices"}, read: same},
}

// canonical brings a value asked for into the form in which results are read,
// so that "3/1" asked and "3.00/1.00" reported are equal.
func (s setting) canonical(value string) string {
	switch s.param {
	case "cpu_mask":
		return readMask(value)
	case "tensor_split":
		return readShares(value)
	}
	return value
}

// Writers: the value as the flag takes it, false when it cannot say it.

func asIs(c capabilities, flag, value string) (string, bool) {
	choices := c.choices(flag)
	return value, choices == nil || slices.Contains(choices, value)
}

// onOff writes a switch as the build wants it: <0|1> until b9437 for -fa,
// words after that. Only a build that lists auto has it.
func onOff(c capabilities, flag, value string) (string, bool) {
	words := slices.Contains(c.choices(flag), "on")
	switch {
	case words:
		return value, slices.Contains(c.choices(flag), value)
	case value == "on":
		return "1", true
	case value == "off":
		return "0", true
	}
	return "", false
}

// offOn writes a switch whose flag says "no".
func offOn(c capabilities, flag, value string) (string, bool) {
	return onOff(c, flag, inverse(value))
}

func loadMode(c capabilities, flag, value string) (string, bool) {
	if flag == "-mmp" {
		return onOff(c, flag, value)
	}
	if value == "on" {
		return asIs(c, flag, "mmap")
	}
	return asIs(c, flag, "none")
}

// Readers: a field's text as the configuration would say it. A text they do
// not know passes unchanged, and so differs from whatever was asked.

func same(text string) string { return text }

func readSwitch(text string) string {
	switch text {
	case "true", "1", "on":
		return "on"
	case "false", "0", "off":
		return "off"
	case "-1", "auto":
		return "auto"
	}
	return text
}

func readInverse(text string) string { return inverse(readSwitch(text)) }

func inverse(value string) string {
	switch value {
	case "on":
		return "off"
	case "off":
		return "on"
	}
	return value
}

func readLayers(text string) string {
	if text == "-1" {
		return "auto"
	}
	return text
}

func readLoadMode(text string) string {
	switch text {
	case "mmap":
		return "on"
	case "none":
		return "off"
	}
	return readSwitch(text)
}

// readShares reads "3.00/1.00/0.00" and "3;1" as "3/1", and no share at all as
// "0". Two decimals are all that llama-bench prints.
func readShares(text string) string {
	shares := strings.Split(strings.ReplaceAll(text, ";", "/"), "/")
	for i, share := range shares {
		f, err := strconv.ParseFloat(share, 64)
		if err != nil {
			return text
		}
		shares[i] = strconv.FormatFloat(f, 'f', 2, 64)
		shares[i] = strings.TrimRight(strings.TrimRight(shares[i], "0"), ".")
		if shares[i] == "" {
			shares[i] = "0"
		}
	}
	for len(shares) > 1 && shares[len(shares)-1] == "0" {
		shares = shares[:len(shares)-1]
	}
	return strings.Join(shares, "/")
}

// readMask reads "0x00FF" as "ff".
func readMask(text string) string {
	digits := strings.ToLower(text)
	digits = strings.TrimLeft(strings.TrimPrefix(digits, "0x"), "0")
	if digits == "" {
		return "0"
	}
	return digits
}
