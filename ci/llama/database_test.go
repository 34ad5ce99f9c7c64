package llama

import (
	"bytes"
	"database/sql"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// database makes a database of statements, beginning with what llama-bench -o sql
// printed, and returns its path.
func database(t *testing.T, change func(string) string, statements ...string) string {
	t.Helper()
	data, err := os.ReadFile(recorded + "matrix-sql.sql")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "llama-bench.sqlite")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, s := range append([]string{change(string(data))}, statements...) {
		if _, err := db.Exec(s); err != nil {
			t.Fatal(err)
		}
	}
	return path
}

func asPrinted(s string) string { return s }

// A database says of its results what the text that filled it says.
func TestImportDatabase(t *testing.T) {
	t.Parallel()
	path := database(t, asPrinted)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	run, err := ImportDatabase(path, ImportOptions{Arm: "x"})
	if err != nil {
		t.Fatal(err)
	}
	want, err := ImportFile(recorded+"matrix-sql.sql", ImportOptions{Arm: "x"})
	if err != nil {
		t.Fatal(err)
	}
	want.ID, want.Notes, run.Notes = run.ID, nil, nil
	if diff := cmp.Diff(want, run); diff != "" {
		t.Error(diff)
	}
	if again, err := ImportDatabase(path, ImportOptions{}); err != nil || again.ID != run.ID {
		t.Errorf("%v, %v", again.ID, err)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file was changed: %v", err)
	}
	if files, _ := os.ReadDir(filepath.Dir(path)); len(files) != 1 {
		t.Errorf("files were made beside it: %v", files)
	}
}

func TestImportDatabaseBuilds(t *testing.T) {
	t.Parallel()
	path := database(t, asPrinted,
		"UPDATE llama_bench SET build_commit = 'c0ffee11', build_number = 6090 WHERE n_threads = 2",
		"UPDATE llama_bench SET build_commit = NULL, build_number = NULL WHERE n_gen = 8")
	for _, c := range []struct {
		build  string
		trials int
		err    string
	}{
		{"", 0, "llama-bench.sqlite: results of 3 builds in one file (Debian 11669; ; c0ffee11 6090): choose one of them"},
		{"c0ff", 8, ""},
		{"6090", 8, ""},
		{"b11669", 8, ""},
		{"feed", 0, `llama-bench.sqlite: no result of a build "feed": it has Debian 11669;`},
	} {
		run, err := ImportDatabase(path, ImportOptions{Build: c.build})
		if (err == nil) != (c.err == "") || err != nil && !strings.Contains(err.Error(), c.err) {
			t.Errorf("%q: %v, want %q", c.build, err, c.err)
		}
		if err == nil && len(run.Trials) != c.trials {
			t.Errorf("%q: %d trials, want %d", c.build, len(run.Trials), c.trials)
		}
	}
	if run, err := ImportDatabase(path, ImportOptions{Mixed: true}); err != nil || len(run.Trials) != 32 {
		t.Errorf("mixed: %v", err)
	}
}

// Nothing that a file brings along is run, and nothing is half read.
func TestImportDatabaseRefused(t *testing.T) {
	t.Parallel()
	rename := "ALTER TABLE llama_bench RENAME TO kept"
	for name, c := range map[string]struct {
		change     func(string) string
		statements []string
		err        string
	}{
		"another table":   {asPrinted, []string{rename}, "it has no table llama_bench, as llama-bench -o sql makes it, but kept"},
		"view":            {asPrinted, []string{rename, "CREATE VIEW llama_bench AS SELECT * FROM kept"}, "llama_bench is a view or a virtual table"},
		"computed column": {asPrinted, []string{"ALTER TABLE llama_bench ADD COLUMN more TEXT GENERATED ALWAYS AS (upper(model_type)) VIRTUAL"}, "column more is computed by the file"},
		"decimal comma":   {func(s string) string { return strings.ReplaceAll(s, "'15193.992895'", "'15193,992895'") }, nil, `llama-bench.sqlite, row 1: avg_ts: "15193,992895" has a comma`},
		"no rate":         {asPrinted, []string{"UPDATE llama_bench SET avg_ts = NULL WHERE rowid = 3"}, "row 3: avg_ts: want a number"},
		"no rows":         {asPrinted, []string{"DELETE FROM llama_bench"}, "no result in its table llama_bench"},
		"no column":       {asPrinted, []string{"ALTER TABLE llama_bench DROP COLUMN avg_ts"}, "row 1: avg_ts: want a number"},
		"long value":      {asPrinted, []string{"UPDATE llama_bench SET cpu_info = hex(zeroblob(1000000))"}, "too big"},
	} {
		if _, err := ImportDatabase(database(t, c.change, c.statements...), ImportOptions{}); err == nil || !strings.Contains(err.Error(), c.err) {
			t.Errorf("%s: %v, want %q", name, err, c.err)
		}
	}
	// Triggers and indexes on expressions lie in the file, and rows are read beside them.
	beside := database(t, asPrinted,
		"CREATE TRIGGER t AFTER INSERT ON llama_bench BEGIN DELETE FROM llama_bench; END",
		"CREATE INDEX i ON llama_bench (upper(build_commit))", "CREATE VIEW v AS SELECT upper(model_type) FROM llama_bench")
	if run, err := ImportDatabase(beside, ImportOptions{}); err != nil || len(run.Trials) != 32 {
		t.Errorf("beside triggers, indexes and views: %v", err)
	}
}

func TestImportDatabaseWritten(t *testing.T) {
	t.Parallel()
	path := database(t, asPrinted)
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		data []byte
		err  string
	}{
		"header":      {data[:50], "breaks off in its first 100 bytes"},
		"first page":  {data[:4096], "damaged or cut short"},
		"last pages":  {data[:len(data)/2], "damaged or cut short"},
		"not a table": {append(bytes.Clone(data[:4096]), bytes.Repeat([]byte{0xff}, len(data)-4096)...), "damaged or cut short"},
	} {
		cut := filepath.Join(t.TempDir(), "cut.sqlite")
		if err := os.WriteFile(cut, c.data, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := ImportDatabase(cut, ImportOptions{}); err == nil || !strings.Contains(err.Error(), c.err) || !strings.HasPrefix(err.Error(), cut) {
			t.Errorf("%s: %v, want %q", name, err, c.err)
		}
	}
	writer, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	writer.SetMaxOpenConns(1)
	for _, s := range []string{"BEGIN EXCLUSIVE", "DELETE FROM llama_bench WHERE n_gen = 8"} {
		if _, err := writer.Exec(s); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := ImportDatabase(path, ImportOptions{}); err == nil || !strings.Contains(err.Error(), "a program is writing the database") {
		t.Errorf("while it is written: %v", err)
	}
	for _, s := range []string{"ROLLBACK", "PRAGMA journal_mode=WAL", "DELETE FROM llama_bench WHERE n_gen = 8"} {
		if _, err := writer.Exec(s); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := ImportDatabase(path, ImportOptions{}); err == nil || !strings.Contains(err.Error(), "llama-bench.sqlite-wal lies beside it") {
		t.Errorf("with a log beside it: %v", err)
	}
	if err := writer.Close(); err != nil {
		t.Fatal(err)
	}
	if run, err := ImportDatabase(path, ImportOptions{}); err != nil || len(run.Trials) != 16 {
		t.Errorf("closed in WAL mode: %v", err)
	}
}

// Whatever bytes a database is made of, it is refused or read, and not changed.
func FuzzImportDatabase(f *testing.F) {
	dir := f.TempDir()
	path := filepath.Join(dir, "seed.sqlite")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		f.Fatal(err)
	}
	if _, err := db.Exec("CREATE TABLE llama_bench (build_commit TEXT, build_number INTEGER, model_filename TEXT, n_prompt INTEGER, n_gen INTEGER, avg_ts REAL); INSERT INTO llama_bench VALUES ('5aa1105d', 6082, 'a.gguf', 512, 0, 100.5)"); err != nil {
		f.Fatal(err)
	}
	db.Close()
	data, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add(data[:len(data)/2])
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "f.sqlite")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		run, err := ImportDatabase(path, ImportOptions{Mixed: true})
		if err == nil && len(run.Trials) == 0 {
			t.Error("neither trials nor an error")
		}
		if after, err := os.ReadFile(path); err != nil || !bytes.Equal(data, after) {
			t.Errorf("the file was changed: %v", err)
		}
	})
}
