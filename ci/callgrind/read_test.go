package callgrind

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// small has what the format knows, and totals of 90 instructions.
const small = `# callgrind format
version: 1
creator: callgrind-3.19.0
cmd:  ./prog <b> & "x"
part: 1
positions: instr line
events: Dr Ir Bc
summary: 9 99

ob=(1) /opt/libfoo.so.1.2
fl=(1) /src/foo/foo.c
fn=(1) foo
0x10 16 1 10
+3 +1 0 20 7
-2 * 0
fi=(2) /src/foo/inl.h
* -4 1 5
fe=(1)
* +4 0 5
cob=(2) libc.so.6
cfi=(3) ???
cfn=(2) malloc
calls=3 0x20 0
* * 500 4000 30
jfi=(2)
jfn=(3) elsewhere
jcnd=3/4 +8 *
* *
jump=7 +8 *
* *

fn=(4) foo'2
0 0 0 10

totals: 2 50 7

part: 2
positions: line
events: Ir

ob=(2)
fl=(3)
fn=(2) malloc
+7 15
fn=0x00000000000a0010
12 5
fn=(below main)
3 20

totals: 40
`

func TestRead(t *testing.T) {
	want := &Profile{
		Creator: "callgrind-3.19.0", Command: `./prog <b> & "x"`, Parts: 2, Instructions: 90,
		Functions: []Function{
			{"foo", "/src/foo/foo.c", "/opt/libfoo.so.1.2", 35},
			{"(below main)", "", "libc.so.6", 20},
			{"malloc", "", "libc.so.6", 15},
			{"foo'2", "/src/foo/foo.c", "/opt/libfoo.so.1.2", 10},
			{"0x00000000000a0010", "", "libc.so.6", 5},
			{"foo", "/src/foo/inl.h", "/opt/libfoo.so.1.2", 5},
		},
	}
	if diff := cmp.Diff(want, read(t, []byte(small))); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	crlf := strings.ReplaceAll(small, "\n", "\r\n")
	if diff := cmp.Diff(want, read(t, []byte(crlf))); diff != "" {
		t.Errorf("with CRLF (-want +got):\n%s", diff)
	}
}

// TestRefused changes one line of the small file, or cuts it.
func TestRefused(t *testing.T) {
	for _, test := range []struct{ old, new, want string }{
		{small, "", "line 0: the file ends without a line 'events:'"},
		{small, "# callgrind format\n", "line 1: the file ends without a line 'events:'"},
		{"# callgrind format\n", "<html>\n", "line 1: it begins with \"<html>\""},
		{"# callgrind format\n", "", ""},
		{"version: 1", "version: 2", "line 2: version \"2\""},
		{"events: Dr Ir Bc", "events: Dr Dw", "line 7: events \"Dr Dw\" without Ir"},
		{"events: Ir\n", "", "a cost before 'events:' or after 'totals:'"},
		{"totals: 2 50 7", "totals: 2 51 7", "line 35: the functions of this part have 50 instructions, and its totals say 51"},
		{"totals: 2 50 7", "totals: 2 5x 7", "\"5x\" is not a number"},
		{"totals: 2 50 7\n", "", "line 38: a part begins before the totals of the one before"},
		{"totals: 40\n", "", "the file ends before the totals of its last part"},
		{"totals: 40", "totals: 4", "have 40 instructions, and its totals say 4"},
		{"totals: 40", "totals: 40\ntotals: 40", "totals of no part"},
		{"+3 +1 0 20 7", "+3 +1 0 2000000000000000000000 7", "line 14: the cost \"2000000000000000000000\" is not a number"},
		{"+3 +1 0 20 7", "+3 +1 0 -20 7", "line 14: the cost \"-20\" is not a number"},
		{"+3 +1 0 20 7", "+3 +1 0 20 7 1", "line 14: more costs than the 3 events"},
		{"+3 +1 0 20 7", "+3", "line 14: the position \"\" is not a number"},
		{"+3 +1 0 20 7", "+3 ** 0 20 7", "line 14: the position \"**\" is not a number"},
		{"+3 +1 0 20 7", "+3 +1 0 4611686018427387903 7", "line 14: more instructions than can be counted"},
		{"+3 +1 0 20 7", "\x00\x01\x02", "line 14: \"\\x00\\x01\\x02\" is neither a cost, a name nor a header"},
		{"calls=3 0x20 0\n", "calls=3 0x20 0\nfn=(1)\n", "line 24: \"fn=(1)\" follows 'calls=', and not the cost of the call"},
		{"calls=3 0x20 0\n", "calls=three 0x20 0\n", "line 23: the count \"three\" is not a number"},
		{"calls=3 0x20 0\n", "", "line 34: the functions of this part have 4050 instructions"},
		{"jcnd=3/4 +8 *", "jcnd=3/ +8 *", "the count \"+8\" is not a number"},
		{"fl=(3)\n", "fl=(9)\n", "fl=: (9) stands for a name that the file has not told yet"},
		{"fn=(2) malloc", "fn=(2) free", "fn=: (2) is the name \"malloc\" now and was \"free\""},
		{"fn=(1) foo\n", "", "line 12: a cost before 'fn='"},
		{"fn=(1) foo\n", "fn=(1) " + strings.Repeat("f", mostLine) + "\n", "line 12: longer than 262144 bytes"},
	} {
		_, err := Read(strings.NewReader(strings.Replace(small, test.old, test.new, 1)))
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%.40q for %.40q: %v", test.new, test.old, err)
		case test.want != "" && (err == nil || !strings.Contains(err.Error(), test.want) || !strings.Contains(err.Error(), "callgrind: line ")):
			t.Errorf("%.40q for %.40q: error %v, want %q", test.new, test.old, err, test.want)
		}
	}
}

// TestCutAnywhere cuts a file after each of its bytes. Between two parts alone it is
// whole.
func TestCutAnywhere(t *testing.T) {
	first := strings.Index(small, "\npart: 2")
	for n := range len(small) {
		if _, err := Read(strings.NewReader(small[:n])); (err == nil) != (n == first || n == first+1) {
			t.Errorf("cut after %d of %d bytes, at %q: %v", n, len(small), small[max(0, n-20):n], err)
		}
	}
}

// TestBounds gives more of everything than a profile may have.
func TestBounds(t *testing.T) {
	many := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, format, i)
		}
		return b.String()
	}
	head := "# callgrind format\nevents: Ir\n"
	for _, test := range []struct{ text, want string }{
		{head + many(mostNames+1, "fn=(%d) f\n"), "more than 131072 names"},
		{head + many(mostFunctions/2+1, "fl=a\nfn=f%[1]d\n1 1\nfl=b\nfn=f%[1]d\n1 1\n"), "more than 131072 functions"},
		{"# callgrind format\nevents:" + strings.Repeat(" Ir", mostEvents+1), "65 events, at most 64 are read"},
		{"# callgrind format\n" + strings.Repeat("events: Ir\ntotals: 0\n", mostParts+1), "more than 16384 parts"},
		{head + many(mostNameBytes/mostName+1, "fn=%0"+fmt.Sprint(mostName)+"d\n"), "or 16 MiB of them"},
	} {
		if _, err := Read(strings.NewReader(test.text)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%.40q...: error %v, want %q", test.text, err, test.want)
		}
	}
}

// TestLongNames keeps two names of one long beginning apart, and bounds both.
func TestLongNames(t *testing.T) {
	long := strings.Repeat("é", 5000)
	text := "# callgrind format\nevents: Ir\nfn=(1) " + long + "a\n1 1\nfn=(2) " + long + "b\n1 2\nfn=\xff\xfe\n1 4\ntotals: 7\n"
	p := read(t, []byte(text))
	if len(p.Functions) != 3 || p.Functions[0].Name != "\uFFFD" {
		t.Fatalf("%d functions: %v", len(p.Functions), p.Functions)
	}
	for _, f := range p.Functions {
		if len(f.Name) > mostName || !strings.HasPrefix(f.Name, "é") && f.Name != "\uFFFD" || strings.ToValidUTF8(f.Name, "") != f.Name {
			t.Errorf("%d bytes: %.40q", len(f.Name), f.Name)
		}
	}
}

func TestDifference(t *testing.T) {
	few := &Profile{Functions: []Function{
		{"load", "/a/src/load.c", "/a/lib.so.1", 100}, {"f", "/a/src/f.c", "/a/lib.so.1", 10}, {"gone", "", "", 3},
	}}
	many := &Profile{Functions: []Function{
		{"load", "/a/src/load.c", "/a/lib.so.1", 100}, {"f", "/a/src/f.c", "/a/lib.so.1", 20}, {"f'2", "/a/src/f.c", "/a/lib.so.1", 7},
		{"f.part.0.cold", "/a/src/f.c", "/a/lib.so.1", 1}, {"f [clone .constprop.0]", "/a/src/f.c", "/a/lib.so.1", 2},
		{"f._omp_fn.0", "/a/src/f.c", "/a/lib.so.1", 9}, {"0x000000000000a010", "", "/a/lib.so.1.2.3", 4}, {"???", "", "/b/lib.so", 4},
	}}
	want := []Function{
		{"f", "src/f.c", "lib.so", 20}, {"f._omp_fn.0", "src/f.c", "lib.so", 9}, {"", "", "lib.so", 8}, {"gone", "", "", -3},
	}
	if diff := cmp.Diff(want, Difference(many, few)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// FuzzRead reads any bytes: what is read adds up and is within bounds.
func FuzzRead(f *testing.F) {
	f.Add([]byte(small))
	f.Add(unpacked(f, "threads-02.out.gz"))
	f.Add([]byte("# callgrind format\nevents: Ir\nfn=(1) a\n1 1\ncalls=1 1\n1 9\ntotals: 1\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Read(bytes.NewReader(data))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "callgrind: line ") {
				t.Errorf("without its line: %v", err)
			}
			return
		}
		var sum int64
		for _, f := range p.Functions {
			sum += f.Instructions
			if f.Instructions <= 0 || max(len(f.Name), len(f.File), len(f.Object)) > mostName {
				t.Errorf("function %.200q", fmt.Sprint(f))
			}
		}
		if sum != p.Instructions || p.Instructions < 0 {
			t.Errorf("%d instructions, and functions of %d", p.Instructions, sum)
		}
		double := Difference(Sum(p, p), p)
		for _, f := range double {
			sum -= f.Instructions
		}
		if p.Instructions < mostNumber/2 && sum != 0 {
			t.Errorf("twice the profile less itself leaves %d", sum)
		}
	})
}
