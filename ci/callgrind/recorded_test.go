package callgrind

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llama-regress/llama-regress/compare/work"
)

const recorded = "../../fixtures/callgrind/v3.19"

// unpacked is a recorded file.
func unpacked(t testing.TB, name string) []byte {
	t.Helper()
	f, err := os.Open(filepath.Join(recorded, name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func read(t testing.TB, data []byte) *Profile {
	t.Helper()
	p, err := Read(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// A row of callgrind_annotate has the costs of the events, of which Ir is the first,
// "file:function", and the object where it knows one.
var annotatedRow = regexp.MustCompile(`^ *([0-9,]+) (?: *[0-9,.]+ )* *(\S.*)$`)

// annotated is the self cost by file and function that callgrind_annotate told.
func annotated(t testing.TB, text []byte) map[string]int64 {
	t.Helper()
	functions := make(map[string]int64)
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		m := annotatedRow.FindStringSubmatch(lines.Text())
		if m == nil {
			continue
		}
		n, err := strconv.ParseInt(strings.ReplaceAll(m[1], ",", ""), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		name := m[2]
		if name == "PROGRAM TOTALS" { // the line "summary:", which is not that of the functions' sum
			continue
		}
		if i := max(strings.LastIndex(name, " [/"), strings.LastIndex(name, " [???]")); i >= 0 {
			name = name[:i]
		}
		file, function, _ := strings.Cut(name, ":")
		functions[file+":"+clipped([]byte(function))] += n
	}
	return functions
}

// TestAgainstAnnotate compares the self cost of each function of profiles of
// valgrind 3.19 with what its own callgrind_annotate tells. Of a second part that
// program takes what a call of the first went on to cost, "calls=0", for a cost of
// the caller, so that "combined" is left out; TestAlike has it.
func TestAgainstAnnotate(t *testing.T) {
	files, err := filepath.Glob(recorded + "/*.annotate.gz")
	if err != nil || len(files) < 7 { // all but blocks, whose positions it cannot read
		t.Fatalf("%d recorded files: %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".annotate.gz")
		if name == "combined" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			p := read(t, unpacked(t, name+".out.gz"))
			want := annotated(t, unpacked(t, name+".annotate.gz"))
			got := make(map[string]int64)
			for _, f := range p.Functions {
				file := f.File
				if file == "" {
					file = unknownName
				}
				got[file+":"+f.Name] += f.Instructions
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("functions (-callgrind_annotate +got):\n%.3000s", diff)
			}
			if !strings.HasPrefix(p.Creator, "callgrind-3.19") || p.Command == "" {
				t.Errorf("creator %q, command %q", p.Creator, p.Command)
			}
		})
	}
}

// TestAlike holds profiles of one program against each other: what it executed does
// not depend on how callgrind writes it down.
func TestAlike(t *testing.T) {
	plain := read(t, unpacked(t, "plain.out.gz"))
	threads := Sum(read(t, unpacked(t, "threads-01.out.gz")), read(t, unpacked(t, "threads-02.out.gz")))
	for name, p := range map[string]*Profile{
		"events": read(t, unpacked(t, "events.out.gz")), "uncompressed": read(t, unpacked(t, "uncompressed.out.gz")),
		"threads": threads, "combined": read(t, unpacked(t, "combined.out.gz")), "blocks": read(t, unpacked(t, "blocks.out.gz")),
	} {
		for _, f := range []string{"cmp", "sum", "main", "worker", "fib"} {
			if got, want := cost(p, f), cost(plain, f); got != want || want == 0 {
				t.Errorf("%s: %s has %d instructions, and %d in the plain profile", name, f, got, want)
			}
		}
	}
	if threads.Parts != 2 {
		t.Errorf("%d parts of two threads", threads.Parts)
	}
	if inlined := fileOf(plain, "sum"); !inlined["inl.h"] || !inlined["main.c"] {
		t.Errorf("sum, into which a function of inl.h is inlined, has lines of %v", inlined)
	}
}

// cost is that of a function with all that was inlined, and of its recursion.
func cost(p *Profile, name string) (sum int64) {
	for _, f := range Difference(p, &Profile{}) {
		if f.Name == name {
			sum += f.Instructions
		}
	}
	return sum
}

func fileOf(p *Profile, name string) map[string]bool {
	files := make(map[string]bool)
	for _, f := range p.Functions {
		if f.Name == name {
			files[filepath.Base(f.File)] = true
		}
	}
	return files
}

// TestMovedInRealCode has one program built in three ways: with a function inlined,
// not inlined, and with functions renamed. What only moved is neither a loss nor a
// gain.
func TestMovedInRealCode(t *testing.T) {
	of := func(name string) work.Side {
		functions, rest := Functions(read(t, unpacked(t, name+".out.gz")), &Profile{}, 1)
		return work.Side{Functions: functions, Rest: rest}
	}
	moved := func(base, head string) work.Line {
		d := work.Compare(of(base), of(head))
		at := slices.IndexFunc(d.Lines, func(l work.Line) bool { return l.Kind == work.Moved })
		if at < 0 {
			t.Fatalf("%s to %s: nothing moved: %+v", base, head, d.Lines[:5])
		}
		for _, l := range d.Lines {
			if l.Kind == work.New || l.Kind == work.Gone || l.Kind == work.Moved && l.File != d.Lines[at].File {
				t.Errorf("%s to %s: %+v", base, head, l)
			}
		}
		return d.Lines[at]
	}
	if l := moved("outofline", "plain"); filepath.Base(l.File) != "inl.h" || !slices.Equal(l.Vanished, []string{"square"}) || !slices.Equal(l.Came, []string{"sum"}) {
		t.Errorf("inlined: %+v", l)
	}
	if l := moved("plain", "renamed"); filepath.Base(l.File) != "main.c" || l.Change() != 0 || !slices.Equal(l.Vanished, []string{"sum"}) || !slices.Equal(l.Came, []string{"sum_of_squares"}) {
		t.Errorf("renamed: %+v", l)
	}
}

// TestRepetitions takes one repetition of a prompt of 64 tokens out of two real
// runs of llama-bench.
func TestRepetitions(t *testing.T) {
	few, many := read(t, unpacked(t, "llama-bench-r1.out.gz")), read(t, unpacked(t, "llama-bench-r3.out.gz"))
	work := Difference(many, few)
	var sum int64
	for _, f := range work {
		sum += f.Instructions
		if unnamed.MatchString(f.Name) || strings.Contains(f.Object, "/") || strings.Contains(f.Object, ".so.") {
			t.Errorf("not for a reader: %+v", f)
		}
	}
	if sum != many.Instructions-few.Instructions {
		t.Errorf("the functions' differences add up to %d, and that of the profiles is %d", sum, many.Instructions-few.Instructions)
	}
	if work[0].Name != "ggml_vec_dot_f16" || work[0].Object != "libggml-cpu-haswell.so" {
		t.Errorf("most was done in %+v", work[0])
	}
	if share := float64(work[0].Instructions) / float64(sum); share < 0.8 || share > 0.9 {
		t.Errorf("ggml_vec_dot_f16 has %.3f of the work", share)
	}
	if perToken := float64(sum) / 2 / 64; perToken < 3.19e6 || perToken > 3.21e6 {
		t.Errorf("%.0f instructions a token", perToken)
	}
}
