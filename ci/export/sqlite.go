package export

import (
	"database/sql"
	"errors"
	"fmt"
	"strings"

	_ "modernc.org/sqlite" // the driver, in pure Go

	"github.com/llama-regress/llama-regress/ci/record"
)

type sqliteWriter struct {
	path   string
	db     *sql.DB
	tx     *sql.Tx
	insert *sql.Stmt
}

// NewSQLite makes the table llama_bench in a database at path, a file that is
// empty or not there, as llama-bench -o sql makes it and compare-llama-bench.py
// reads it: a row for each trial and test. The columns are those of current
// builds and use_mmap of older ones, none of them NULL: the script joins on
// equality. Serve trials have no place in it and are left out, as are failed
// ones.
func NewSQLite(path string) (Writer, error) {
	w := &sqliteWriter{path: path}
	if err := w.begin(); err != nil {
		if w.db != nil {
			w.db.Close()
		}
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return w, nil
}

func (w *sqliteWriter) begin() (err error) {
	if w.db, err = sql.Open("sqlite", w.path); err != nil {
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
		if t.Outcome != record.OK || cell.Workload != record.BenchWorkload {
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
				return fmt.Errorf("%s: %w", w.path, err)
			}
		}
	}
	return nil
}

func (w *sqliteWriter) Close() error {
	if err := errors.Join(w.tx.Commit(), w.db.Close()); err != nil {
		return fmt.Errorf("%s: %w", w.path, err)
	}
	return nil
}
