package main

import (
	"bytes"
	"context"
	"encoding/json"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/llama-regress/llama-regress/cmd/internal/cli"
	"github.com/llama-regress/llama-regress/report/reporttest"
)

// What the report job may take for one artifact.
const (
	artifactMemory = 1 << 30          // bytes of heap, ever
	artifactTime   = 30 * time.Second // of the processor, which a busy machine does not lengthen
)

// FuzzCommentArtifact gives the report job records that anybody may have made:
// real ones, some of whose values are others, or are moved, repeated or missing.
// It reads and renders them or refuses them, within bounds, and never breaks.
func FuzzCommentArtifact(f *testing.F) {
	var records [][]byte
	for _, c := range append(reporttest.Cases(), reporttest.Hostile(), reporttest.Serving()) {
		if data, err := json.Marshal(c.Source.Head); err == nil && c.Source.Head != nil {
			records = append(records, data)
		}
	}
	for i := range records {
		f.Add(uint8(i), uint64(0), uint8(0), []byte(nil))
		f.Add(uint8(i), uint64(i), uint8(3), []byte(nil))
	}
	f.Add(uint8(0), uint64(0), uint8(0), []byte("not an archive"))
	f.Fuzz(func(t *testing.T, which uint8, seed uint64, edits uint8, archive []byte) {
		as := len(archive) == 0 && edits%8 == 0 // as it was made
		if len(archive) == 0 {
			data := altered(records[int(which)%len(records)], rand.New(rand.NewPCG(seed, 1)), int(edits%8))
			archive = zipped(t, map[string][]byte{"run.json": data})
		}
		path := filepath.Join(t.TempDir(), "run.zip")
		if err := os.WriteFile(path, archive, 0o600); err != nil {
			t.Fatal(err)
		}
		env := map[string]string{"GITHUB_API_URL": "http://127.0.0.1:1", "GITHUB_REPOSITORY": "o/r", "GITHUB_TOKEN": "x"}
		var out, said bytes.Buffer
		debug.FreeOSMemory() // what earlier inputs took is not this one's
		begun := processorTime(t)
		code := execute(context.Background(), []string{"comment", "--artifact", path, "--pr", "7", "--sha", headSHA, "--dry-run", "--api-wait", "1ns"},
			cli.Streams{In: strings.NewReader(""), Out: &out, Err: &said, Getenv: func(name string) string { return env[name] }})
		if code != cli.ExitBroken && code != cli.ExitPass {
			t.Errorf("exit code %d: %s", code, &said)
		}
		if whole := strings.Contains(out.String(), "comment on pull request 7, if none is there"); as && !whole && !strings.Contains(said.String(), "which no session has") {
			t.Errorf("record %d is refused: %s", int(which)%len(records), &said)
		}
		if took := processorTime(t) - begun; took > artifactTime {
			t.Errorf("took %v", took)
		}
		var m runtime.MemStats
		if runtime.ReadMemStats(&m); m.HeapSys-m.HeapReleased > artifactMemory {
			t.Errorf("took %d MiB", (m.HeapSys-m.HeapReleased)>>20)
		}
	})
}

// processorTime is what this process has used so far.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// altered changes a document in so many places.
func altered(data []byte, r *rand.Rand, edits int) []byte {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var doc any
	if dec.Decode(&doc) != nil {
		return data
	}
	for range edits {
		doc = alter(doc, r)
	}
	out, err := json.Marshal(doc)
	if err != nil {
		return data
	}
	return out
}

// alter walks down at random and changes what it comes to.
func alter(v any, r *rand.Rand) any {
	switch v := v.(type) {
	case map[string]any:
		if len(v) == 0 {
			break
		}
		n := r.IntN(len(v))
		key := slices.Sorted(maps.Keys(v))[n]
		switch r.IntN(20) {
		case 0:
			delete(v, key)
		case 1:
			v[key+"x"] = v[key]
		default:
			v[key] = alter(v[key], r)
		}
		return v
	case []any:
		if len(v) == 0 {
			break
		}
		i := r.IntN(len(v))
		switch r.IntN(20) {
		case 0:
			return append(v[:i:i], v[i+1:]...)
		case 1:
			for range 1 << r.IntN(11) {
				v = append(v, v[i])
			}
			return v
		}
		v[i] = alter(v[i], r)
		return v
	}
	extremes := []any{
		nil, true, false, "", "x", strings.Repeat("<b>&`|", 1000), json.Number("0"), json.Number("-1"), json.Number("1e308"), json.Number("1e151"), json.Number("-1e308"),
		json.Number("5e-324"), json.Number("9223372036854775807"), json.Number("1e999"), json.Number("0.5"), []any{}, map[string]any{}, []any{json.Number("1e151")},
	}
	return extremes[r.IntN(len(extremes))]
}
