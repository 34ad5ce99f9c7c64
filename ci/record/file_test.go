package record_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-regress/llama-regress/ci/record"
)

// The names in the file are a format that other programs and older records
// depend on: a changed golden means a new schema or a mistake.
func TestFormat(t *testing.T) {
	data := encode(t, example())
	if *update {
		if err := os.WriteFile(golden, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(readGolden(t)), string(data)); diff != "" {
		t.Errorf("record differs from %s (-golden +now):\n%s", golden, diff)
	}
}

func TestReadGivesBackWhatWasWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.json")
	if err := record.WriteFile(path, example()); err != nil {
		t.Fatal(err)
	}
	got, err := record.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(example(), got); diff != "" {
		t.Errorf("-written +read:\n%s", diff)
	}
}

func TestReadSaysWhere(t *testing.T) {
	whole := string(encode(t, example()))
	line := func(text string) string { return "run.json:" + lineAfter(whole, text, 0) + ": " }
	replace := func(from, to string) string { return strings.Replace(whole, from, to, 1) }
	for _, c := range []struct{ name, data, want string }{
		{"empty", "", "run.json:1: not a run record: unexpected end of JSON input"},
		{"blank", " \n", "run.json:1: not a run record: unexpected end"},
		{"truncated", whole[:len(whole)-3], "unexpected end of JSON input"},
		{"two", whole + whole, "invalid character '{' after top-level value"},
		{"not JSON", "version: 1\n", "run.json:1: not a run record: invalid character"},
		{"bare nan", replace("137.70512345", "nan"), line("137.70512345") + "not a run record: invalid character"},
		{"a list", "[1]", "run.json:1: not a run record: want an object, have ["},
		{"a text", `"x"`, "run.json:1: not a run record: want an object, have x"},
		{"null", "null", `run.json: schema is "", this version reads`},
		{"another schema", replace("run/v1", "run/v2"), `run.json: schema is "llama-regress/run/v2", this version reads "llama-regress/run/v1"`},
		{"schema of another type", replace(`"llama-regress/run/v1"`, "1"), line(`"schema"`) + "not a run record: schema: want string, have number"},
		{"time", replace(`"started": "2026`, `"started": "26`), line(`"started"`) + "not a run record: started: "},
		{"seed as a number", replace(`"18446744073709551615"`, "18446744073709551615"), line(`"seed"`) + "not a run record: plan.seed: want string, have number"},
		{"seed too large", replace(`"18446744073709551615"`, `"18446744073709551616"`), line(`"seed"`) + "not a run record: plan.seed: want uint64, have number"},
		{"arms an object", replace(`"arms": [`, `"arms": {}, "armies": [`), line(`"arms"`) + "not a run record: arms: want a list, have {"},
		{"element", replace("  {\n   \"name\": \"base~control\"", "  7,\n  {\n   \"name\": \"base~control\""), "run.json:" + lineAfter(whole, `"name": "base~control"`, -1) + ": not a run record: arms[1]: want an object, have 7"},
		{"deep", replace(`138,`, `"138",`), line(`"values"`) + "not a run record: trials[0].measurements[0].values: want float64, have string"},
		{"pointer", replace(`"exit_code": 1`, `"exit_code": 1.5`), line(`"exit_code"`) + "not a run record: trials[1].failure.exit_code: want int, have number 1.5"},
		{"direction", replace(`"better": "lower"`, `"better": "sideways"`), line(`"better": "lower"`) + `not a run record: cells[0].metrics[1].better: metric direction "sideways": want higher or lower`},
		{"direction as a number", replace(`"better": "lower"`, `"better": 2`), line(`"better": "lower"`) + `not a run record: cells[0].metrics[1].better: `},
		{"after unknown parts", replace(`"seconds": 1.25`, `"new": {"a": [{"b": 1}, null]}, "seconds": "x"`), line(`"seconds": 1.25`) + "not a run record: trials[0].seconds: want float64, have string"},
		{"after null", strings.Replace(replace(`"echo": {`, `"failure": null, "resources": null, "echo": {`), `"interrupted": "budget"`, `"interrupted": 1`, 1), line(`"interrupted"`) + "not a run record: interrupted: want string, have number"},
		{"invalid", replace(`"baseline": "base"`, `"baseline": "bass"`), `run.json: baseline: no arm is named "bass"`},
	} {
		t.Run(c.name, func(t *testing.T) {
			run, err := record.Read(strings.NewReader(c.data), "run.json")
			if err == nil || run != nil {
				t.Fatalf("read %v, want an error", run)
			}
			if !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "run.json:") {
				t.Errorf("error %q\nwant one with %q", err, c.want)
			}
		})
	}
}

// lineAfter is the number of the first line of whole that holds text, plus more.
func lineAfter(whole, text string, more int) string {
	before, _, ok := strings.Cut(whole, text)
	if !ok {
		panic("the example has no " + text)
	}
	return strconv.Itoa(1 + strings.Count(before, "\n") + more)
}

func TestReadPassesOnTheReadersError(t *testing.T) {
	broken := errors.New("disk on fire")
	_, err := record.Read(io.MultiReader(strings.NewReader("{"), failing{broken}), "run.json")
	if !errors.Is(err, broken) {
		t.Errorf("error %v, want %v", err, broken)
	}
	if _, err := record.ReadFile(filepath.Join(t.TempDir(), "none.json")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v, want %v", err, os.ErrNotExist)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func TestWriteFileKeepsTheOldFileOnFailure(t *testing.T) {
	invalid := example()
	invalid.Baseline = "nobody"
	unwritable := example()
	unwritable.Extra = record.Extra{"new": []byte("{")}
	for _, c := range []struct {
		name string
		run  *record.Run
		want string
	}{
		{"invalid", invalid, `baseline: no arm is named "nobody"`},
		{"not encodable", unwritable, "JSON"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "run.json")
			if err := record.WriteFile(path, example()); err != nil {
				t.Fatal(err)
			}
			err := record.WriteFile(path, c.run)
			if err == nil || !strings.Contains(err.Error(), "write "+path) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
			onlyExample(t, dir)
		})
	}
	t.Run("no such folder", func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "none", "run.json")
		if err := record.WriteFile(path, example()); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), path) {
			t.Errorf("error %v", err)
		}
	})
	t.Run("the name is a folder", func(t *testing.T) {
		dir := t.TempDir()
		path := filepath.Join(dir, "run.json")
		if err := os.Mkdir(path, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := record.WriteFile(path, example()); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("error %v", err)
		}
		if left, _ := os.ReadDir(dir); len(left) != 1 {
			t.Errorf("left behind: %v", left)
		}
	})
}

// onlyExample checks that dir holds the example as run.json, whole, and no
// temporary file beside it.
func onlyExample(t *testing.T, dir string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "run.json"))
	if err != nil || !bytes.Equal(data, encode(t, example())) {
		t.Errorf("the old record is not as it was: %v\n%s", err, data)
	}
	if files, _ := os.ReadDir(dir); len(files) != 1 {
		t.Errorf("left behind: %v", files)
	}
}

// A reader that comes at any moment finds one whole record or the other.
func TestWriteFileIsAtomic(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.json")
	short, long := example(), example()
	long.Notes = append(long.Notes, strings.Repeat("x", 100<<10))
	if err := record.WriteFile(path, short); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	done := make(chan struct{})
	wg.Go(func() {
		defer close(done)
		for i := range 40 {
			if err := record.WriteFile(path, []*record.Run{long, short}[i%2]); err != nil {
				t.Error(err)
			}
		}
	})
	for {
		if _, err := record.ReadFile(path); err != nil {
			t.Error(err)
		}
		select {
		case <-done:
			wg.Wait()
			return
		default:
		}
	}
}
