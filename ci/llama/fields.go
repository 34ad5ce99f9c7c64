package llama

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A fieldDecoder takes fields out of a decoded object and keeps the first
// error. What has not been taken is left for rest.
type fieldDecoder struct {
	fields map[string]any
	taken  []string
	err    error
}

func (d *fieldDecoder) take(name string) any {
	d.taken = append(d.taken, name)
	return d.fields[name]
}

func (d *fieldDecoder) fail(name, want string, got any) {
	if d.err == nil {
		text, _ := json.Marshal(got)
		d.err = fmt.Errorf("%s: want %s, have %.40s", name, want, text)
	}
}

func (d *fieldDecoder) text(name string) string {
	value, ok := scalar(d.take(name))
	if !ok {
		d.fail(name, "a text", d.fields[name])
	}
	return value
}

// whole reads a whole number from 0 to most; missing is 0.
func (d *fieldDecoder) whole(name string, most int64) int64 {
	text, ok := scalar(d.take(name))
	if ok && text == "" {
		return 0
	}
	n, ok := wholeNumber(text)
	if !ok || n < 0 || n > most {
		d.fail(name, fmt.Sprintf("a whole number from 0 to %d", most), d.fields[name])
		return 0
	}
	return n
}

func (d *fieldDecoder) time(name string) time.Time {
	text, _ := scalar(d.take(name))
	t, _ := time.Parse(time.RFC3339, text) // what cannot be read is not known
	return t
}

// samples reads the repetitions, without which a result is worthless.
func (d *fieldDecoder) samples(name string) []int64 {
	list, ok := d.take(name).([]any)
	if !ok || len(list) == 0 {
		d.fail(name, "at least one repetition", d.fields[name])
		return nil
	}
	samples := make([]int64, len(list))
	for i, item := range list {
		text, _ := scalar(item)
		n, ok := wholeNumber(text)
		if !ok || n <= 0 {
			d.fail(fmt.Sprintf("%s[%d]", name, i), "nanoseconds greater than 0", item)
			return nil
		}
		samples[i] = n
	}
	return samples
}

// oldBackends are the fields that said which backends a build has, before
// "backends" did (b4080).
var oldBackends = []struct{ field, name string }{
	{"cuda", "CUDA"}, {"vulkan", "Vulkan"}, {"kompute", "Kompute"}, {"metal", "Metal"},
	{"sycl", "SYCL"}, {"rpc", "RPC"}, {"gpu_blas", "GPU BLAS"}, {"blas", "BLAS"},
}

func (d *fieldDecoder) backends() string {
	if _, ok := d.fields["backends"]; ok {
		return d.text("backends")
	}
	var names []string
	for _, b := range oldBackends {
		switch text, _ := scalar(d.take(b.field)); text { // rpc was a text, the others booleans
		case "", "0", "false":
		default:
			names = append(names, b.name)
		}
	}
	if names == nil && d.fields["blas"] != nil {
		return "CPU"
	}
	return strings.Join(names, ",")
}

// computed are the fields that follow from the samples.
var computed = []string{"avg_ns", "stddev_ns", "avg_ts", "stddev_ts", "samples_ts"}

const maxSettings, maxSettingLength = 100, 500

// rest returns the fields with a single value that nobody has taken.
func (d *fieldDecoder) rest() map[string]string {
	settings := make(map[string]string)
	for _, name := range slices.Sorted(maps.Keys(d.fields)) {
		text, ok := scalar(d.fields[name])
		if !ok || slices.Contains(d.taken, name) || slices.Contains(computed, name) {
			continue
		}
		if len(name)+len(text) > maxSettingLength || len(settings) == maxSettings {
			d.fail(fmt.Sprintf("%.40q", name), fmt.Sprintf("at most %d settings of %d characters", maxSettings, maxSettingLength), "more")
			break
		}
		settings[name] = text
	}
	return settings
}

// scalar returns a value as text, "" for null or none; false for lists and objects.
func scalar(value any) (string, bool) {
	switch v := value.(type) {
	case nil:
		return "", true
	case string:
		return v, true
	case bool:
		return strconv.FormatBool(v), true
	case json.Number:
		return v.String(), true
	}
	return "", false
}

// wholeNumber reads "5", and "5.0" and "5e3" up to 2^53.
func wholeNumber(text string) (int64, bool) {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, true
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || f != float64(int64(f)) || f < -1<<53 || f > 1<<53 {
		return 0, false
	}
	return int64(f), true
}
