package export

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	_ "modernc.org/sqlite" // the driver, in pure Go

	"github.com/llama-regress/llama-regress/ci/record"
)

// A sqliteWriter fills a database beside its final name, which it takes when
// it is whole.
type sqliteWriter struct {
	path, temp string
	db         *sql.DB
	tx         *sql.Tx
	insert     *sql.Stmt
	err        error // the first
}

// NewSQLite writes the table llama_bench, as llama-bench -o sql makes it and
// compare-llama-bench.py reads it: a row for each trial and test. The columns
// are those of current builds and use_mmap of older ones, none of them NULL:
// the script joins on equality. Serve trials have no place in it and are left
// out, as are failed ones. An existing file at path is replaced by Close.
func NewSQLite(path string) (Writer, error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return nil, err
	}
	w := &sqliteWriter{path: path, temp: f.Name()}
	if err := errors.Join(f.Chmod(0o644), f.Close(), w.begin()); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), w.abandon())
	}
	return w, nil
}

func (w *sqliteWriter) begin() (err error) {
	if w.db, err = sql.Open("sqlite", w.temp); err != nil {
		return err
	}
	w.db.SetMaxOpenConns(1)
	if w.tx, err = w.db.Begin(); err != nil {
		return err
	}
	var definitions, names, places []string
	for _, c := range columns {
		definitions = append(definitions, c.name+" "+c.kind)
		names, places = append(names, c.name), append(places, "?")
	}
	if _, err := w.tx.Exec("CREATE TABLE llama_bench (" + strings.Join(definitions, ", ") + ")"); err != nil {
		return err
	}
	w.insert, err = w.tx.Prepare("INSERT INTO llama_bench (" + strings.Join(names, ", ") + ") VALUES (" + strings.Join(places, ", ") + ")")
	return err
}

func (w *sqliteWriter) Add(run *record.Run) error {
	arms, cells := tables(run)
	models := make(map[string]record.Model)
	for _, m := range run.Models {
		models[m.Name] = m
	}
	for _, t := range run.Trials {
		cell := cells[t.Cell]
		if t.Outcome != record.OK || cell.Workload != "bench" {
			continue
		}
		for _, m := range t.Measurements {
			test, err := record.ParseTest(m.Metric)
			if err != nil || m.Censored {
				continue // no test of llama-bench
			}
			r := row{arm: arms[t.Arm], cell: cell, model: models[cell.Model], host: run.Host, trial: t, test: test, values: m.Values}
			cells := make([]any, len(columns))
			for i, c := range columns {
				cells[i] = c.value(r)
			}
			if _, err := w.insert.Exec(cells...); err != nil {
				w.err = fmt.Errorf("%s: %w", w.path, err)
				return w.err
			}
		}
	}
	return nil
}

func (w *sqliteWriter) Close() error {
	err := w.err
	if err == nil {
		err = w.tx.Commit()
	}
	err = errors.Join(err, w.db.Close())
	if err == nil {
		err = os.Rename(w.temp, w.path)
	}
	if err != nil {
		os.Remove(w.temp)
		return fmt.Errorf("%s: %w", w.path, err)
	}
	return nil
}

func (w *sqliteWriter) abandon() error {
	if w.db != nil {
		w.db.Close()
	}
	return os.Remove(w.temp)
}
