package github_test

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"io/fs"
	"strings"
	"testing"

	"github.com/llama-regress/llama-regress/ci/github"
	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/report/reporttest"
)

// recordJSON is an honest run record.
func recordJSON(t testing.TB) []byte {
	t.Helper()
	data, err := json.Marshal(reporttest.Regression().Source.Head)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// An archiver makes archives as hostile as they come.
type archiver struct {
	t testing.TB
	b bytes.Buffer
	z *zip.Writer
}

func newArchiver(t testing.TB) *archiver {
	a := &archiver{t: t}
	a.z = zip.NewWriter(&a.b)
	return a
}

func (a *archiver) add(name string, data []byte) *archiver {
	return a.header(&zip.FileHeader{Name: name, Method: zip.Deflate}, data)
}

func (a *archiver) header(h *zip.FileHeader, data []byte) *archiver {
	a.t.Helper()
	w, err := a.z.CreateHeader(h)
	if err != nil {
		a.t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		a.t.Fatal(err)
	}
	return a
}

func (a *archiver) mode(name string, mode fs.FileMode, data []byte) *archiver {
	h := &zip.FileHeader{Name: name}
	h.SetMode(mode)
	return a.header(h, data)
}

// claiming adds data with sizes that are not true.
func (a *archiver) claiming(name string, data []byte, packed, unpacked uint64) *archiver {
	a.t.Helper()
	w, err := a.z.CreateRaw(&zip.FileHeader{Name: name, Method: zip.Store, CRC32: crc32.ChecksumIEEE(data), CompressedSize64: packed, UncompressedSize64: unpacked})
	if err != nil {
		a.t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		a.t.Fatal(err)
	}
	return a
}

func (a *archiver) bytes() []byte {
	a.t.Helper()
	if err := a.z.Close(); err != nil {
		a.t.Fatal(err)
	}
	return a.b.Bytes()
}

func TestReadArtifact(t *testing.T) {
	good := recordJSON(t)
	for name, archive := range map[string][]byte{
		"alone":             newArchiver(t).add("run.json", good).bytes(),
		"beside others":     newArchiver(t).add("report.html", []byte("<p>")).add("logs/", nil).add("logs/a b.log", []byte("x")).add("run.json", good).bytes(),
		"in a folder":       newArchiver(t).add("llama-regress-out/run.json", good).bytes(),
		"stored unpacked":   newArchiver(t).header(&zip.FileHeader{Name: "run.json"}, good).bytes(),
		"highly compressed": newArchiver(t).add("run.json", append(bytes.Repeat([]byte(" "), 900_000), good...)).bytes(),
	} {
		run, err := github.ReadArtifact(archive)
		if err != nil || run.Baseline != "base" || len(run.Trials) == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestHostileArchives(t *testing.T) {
	good := recordJSON(t)
	many := newArchiver(t).add("run.json", good)
	for i := range 2000 {
		many.add(fmt.Sprint("f", i), nil)
	}
	encrypted := newArchiver(t)
	encrypted.claiming("run.json", good, uint64(len(good)), uint64(len(good)))
	locked := encrypted.bytes()
	for _, at := range []int{6, bytes.LastIndex(locked, []byte("PK\x01\x02")) + 8} { // the flags, in both headers
		locked[at] |= 1
	}
	cases := map[string]struct {
		archive []byte
		want    string
	}{
		"no zip":             {[]byte("PK\x03\x04 not really"), "zip"},
		"empty":              {nil, "zip"},
		"no record":          {newArchiver(t).add("report.md", []byte("## ok")).bytes(), "no run.json"},
		"two records":        {newArchiver(t).add("a/run.json", good).add("b/run.json", good).bytes(), "several run.json"},
		"twice":              {newArchiver(t).add("run.json", good).add("run.json", good).bytes(), "there twice"},
		"twice, folded":      {newArchiver(t).add("run.json", good).add("x/A", nil).add("x/a", nil).bytes(), "there twice"},
		"slip":               {newArchiver(t).add("run.json", good).add("../../else", nil).bytes(), "leads out"},
		"slip inside":        {newArchiver(t).add("run.json", good).add("a/../../else", nil).bytes(), "leads out"},
		"slip of the record": {newArchiver(t).add("../run.json", good).bytes(), "leads out"},
		"absolute":           {newArchiver(t).add("run.json", good).add("/a/b", nil).bytes(), "leads out"},
		"backslashes":        {newArchiver(t).add("run.json", good).add(`..\..\else`, nil).bytes(), "leads out"},
		"drive":              {newArchiver(t).add("run.json", good).add(`C:else`, nil).bytes(), "leads out"},
		"dots":               {newArchiver(t).add("run.json", good).add("..", nil).bytes(), "leads out"},
		"roundabout":         {newArchiver(t).add("./run.json", good).bytes(), "leads out"},
		"command in a name":  {newArchiver(t).add("run.json", good).add("a\n::error::x", nil).bytes(), "not a plain name"},
		"no text":            {newArchiver(t).add("run.json", good).add("a\xff", nil).bytes(), "not a plain name"},
		"long name":          {newArchiver(t).add("run.json", good).add(strings.Repeat("x", 600), nil).bytes(), "not a plain name"},
		"link":               {newArchiver(t).add("run.json", good).mode("logs", fs.ModeSymlink|0o777, []byte("/a")).bytes(), "neither a file"},
		"linked record":      {newArchiver(t).mode("run.json", fs.ModeSymlink|0o777, []byte("/a/b")).bytes(), "neither a file"},
		"device":             {newArchiver(t).add("run.json", good).mode("tty", fs.ModeDevice|0o666, nil).bytes(), "neither a file"},
		"encrypted":          {locked, "encrypted"},
		"too many":           {many.bytes(), "2001 entries"},
		"bomb":               {newArchiver(t).add("run.json", bytes.Repeat([]byte(" "), 3<<20)).bytes(), "packed into"},
		"bomb beside it":     {newArchiver(t).add("run.json", good).add("x", bytes.Repeat([]byte("0"), 3<<20)).bytes(), "packed into"},
		"large in all":       {newArchiver(t).add("run.json", good).claiming("a", make([]byte, 100), 300<<20, 300<<20).claiming("b", make([]byte, 100), 300<<20, 300<<20).bytes(), "more than 512 MiB"},
		"large record":       {newArchiver(t).claiming("run.json", make([]byte, 100), 65<<20, 65<<20).bytes(), "larger than 64 MiB"},
		"more than it says":  {newArchiver(t).claiming("run.json", good, uint64(len(good)), 10).bytes(), "zip"},
		"less than it says":  {newArchiver(t).claiming("run.json", good, uint64(len(good)), uint64(len(good))+5).bytes(), "EOF"},
		"large archive":      {make([]byte, github.MaxArtifact+1), "want at most"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			run, err := github.ReadArtifact(c.archive)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got %v, %v; want %q", run, err, c.want)
			}
			if strings.Contains(err.Error(), "\n") || len(err.Error()) > 400 {
				t.Errorf("the message is not one short line: %q", err)
			}
		})
	}
}

func TestHostileRecords(t *testing.T) {
	good := string(recordJSON(t))
	replace := func(old, new string) []byte {
		if !strings.Contains(good, old) {
			t.Fatalf("the record has no %s", old)
		}
		return []byte(strings.Replace(good, old, new, 1))
	}
	many := *reporttest.Regression().Source.Head
	for i := range 101 {
		many.Arms = append(many.Arms, record.Arm{Name: fmt.Sprint("arm", i)})
	}
	crowded, err := json.Marshal(&many)
	if err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		data []byte
		want string
	}{
		"not JSON":           {[]byte("<html>"), "invalid character"},
		"another schema":     {replace(record.Schema, "llama-regress/run/v9"), "schema"},
		"two documents":      {[]byte(good + good), ""},
		"unknown field":      {replace(`"baseline"`, `"pull_request":1,"baseline"`), `unknown field "pull_request"`},
		"unknown deep field": {replace(`"measurements":[{`, `"measurements":[{"else":1,`), `unknown field "else"`},
		"infinite":           {replace(`"seconds":6`, `"seconds":1e999`), "not finite"},
		"not a number":       {replace(`"seconds":6`, `"seconds":NaN`), "invalid character"},
		"long text":          {replace(`"baseline"`, `"notes":["`+strings.Repeat("x", 65<<10)+`"],"baseline"`), "a text of"},
		"long name of field": {replace(`"baseline"`, `"`+strings.Repeat("x", 65<<10)+`":1,"baseline"`), "a text of"},
		"deep":               {replace(`"baseline"`, `"x":`+strings.Repeat("[", 40)+strings.Repeat("]", 40)+`,"baseline"`), "nested deeper"},
		"wrong type":         {replace(`"seconds":6`, `"seconds":"6"`), "seconds"},
		"many arms":          {crowded, "more than 100 of one list, which no session has"},
		"many blocks":        {replace(`"trials":[`, `"trials":[`+strings.Repeat(`{"arm":"head","cell":"c"},`, 60_000)), `trials[2500]: more than 2500 trials of arm "head" in cell "c"`},
		"no share":           {replace(`"name":"pp512","kind":"throughput"`, `"name":"pp512","kind":"success_rate"`), "want a share of requests"},
		"beyond statistics":  {replace(`"values":[`, `"values":[1e151,`), "beyond 1e+60 in size"},
		"dangling":           {replace(`"baseline":"base"`, `"baseline":"nobody"`), "baseline"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			run, err := github.ReadArtifact(newArchiver(t).add("run.json", c.data).bytes())
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, %.300v; want %q", run != nil, err, c.want)
			}
		})
	}
}

func FuzzReadArtifact(f *testing.F) {
	good := recordJSON(f)
	f.Add(newArchiver(f).add("run.json", good).bytes())
	f.Add(newArchiver(f).add("run.json", []byte("{}")).add("../x", nil).bytes())
	f.Add(newArchiver(f).mode("run.json", fs.ModeSymlink|0o777, []byte("/a/b")).bytes())
	f.Fuzz(func(t *testing.T, data []byte) {
		run, err := github.ReadArtifact(data)
		if err == nil && run.Validate() != nil {
			t.Error("an invalid record was taken")
		}
	})
}
