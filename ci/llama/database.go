package llama

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"modernc.org/sqlite"

	"github.com/llama-regress/llama-regress/ci/record"
)

// databaseMagic is how a database of SQLite begins.
const databaseMagic = "SQLite format 3\x00"

const (
	mostDatabase = 4 << 30 // bytes
	mostCell     = 1 << 20 // bytes of one value
	mostColumns  = 200
	mostBuilds   = 10_000
)

// IsDatabase reports whether a file begins as a database of SQLite does.
func IsDatabase(begin []byte) bool { return bytes.HasPrefix(begin, []byte(databaseMagic)) }

// ImportDatabase imports the table llama_bench of a database of SQLite, as
// llama-bench -o sql fills it and compare-llama-bench.py reads it: a row is a trial,
// as in Import. Of several builds one is read, which ImportOptions.Build names.
//
// The file is not trusted and not changed. It is opened for reading; views,
// triggers, functions, computed columns and virtual tables are never run, and no
// extension is loaded. A database that is being written, or whose last writer left a
// transaction behind, is refused: no half of a transaction is read.
func ImportDatabase(path string, opts ImportOptions) (*record.Run, error) {
	run, err := importDatabase(path, opts)
	if err != nil && !strings.HasPrefix(err.Error(), path) {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return run, err
}

func importDatabase(path string, opts ImportOptions) (*record.Run, error) {
	ctx := context.Background()
	db, err := openDatabase(path)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, databaseError(err)
	}
	defer conn.Close()
	if err := fenced(conn); err != nil {
		return nil, err
	}
	columns, err := benchColumns(ctx, conn)
	if err != nil {
		return nil, databaseError(err)
	}
	where, err := ofOneBuild(ctx, conn, opts)
	if err != nil {
		return nil, databaseError(err)
	}
	found := &findings{name: path, row: true}
	sum := sha256.New()
	if err := readTable(ctx, conn, columns, where, newRows(found), sum); err != nil {
		return nil, databaseError(err)
	}
	if len(found.results) == 0 && found.faults == 0 {
		return nil, errors.New("no result in its table " + benchTable)
	}
	torn := found.end()
	if torn != nil && !(opts.Partial && len(found.results) > 0) {
		return nil, torn
	}
	return importResults(path, sum.Sum(nil), found.results, torn, opts)
}

// openDatabase opens a file that nobody is writing.
func openDatabase(path string) (*sql.DB, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > mostDatabase {
		return nil, fmt.Errorf("a database is read from a file of at most %d GiB", mostDatabase>>30)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var head [100]byte
	if _, err := io.ReadFull(f, head[:]); err != nil || !IsDatabase(head[:]) {
		return nil, fmt.Errorf("the database breaks off in its first 100 bytes: %w", ErrTruncated)
	}
	for _, beside := range []string{"-wal", "-journal"} {
		if info, err := os.Stat(path + beside); err == nil && info.Size() > 0 {
			return nil, fmt.Errorf("%s%s lies beside it: a program is writing the database, or ended in the middle of it; close that program, or run \"sqlite3 %s 'PRAGMA wal_checkpoint(TRUNCATE)'\"", filepath.Base(path), beside, filepath.Base(path))
		}
	}
	absolute, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	query := url.Values{"mode": {"ro"}, "_pragma": {"trusted_schema(0)", "cell_size_check(1)", "mmap_size(0)", "temp_store(2)", "query_only(1)"}}
	if head[18] == 2 { // in WAL mode, and closed: nothing is beside it, and nothing may be made there
		query.Set("immutable", "1")
	}
	return sql.Open("sqlite", (&url.URL{Scheme: "file", Path: absolute, RawQuery: query.Encode()}).String())
}

// fenced lets a connection read the table of results, and do nothing else.
func fenced(conn *sql.Conn) error {
	for id, most := range map[int]int{0: mostCell, 2: 2 * mostColumns} { // SQLITE_LIMIT_LENGTH, SQLITE_LIMIT_COLUMN
		if _, err := sqlite.Limit(conn, id, most); err != nil {
			return err
		}
	}
	return conn.Raw(func(driver any) error {
		c, ok := driver.(interface {
			RegisterAuthorizer(sqlite.AuthorizerFn) error
		})
		if !ok {
			return errors.New("this build of SQLite cannot be restrained")
		}
		return c.RegisterAuthorizer(func(action sqlite.AuthorizerActionCode, arg1, _, _, inside string) sqlite.AuthorizerReturnCode {
			table := arg1 == benchTable || arg1 == "sqlite_master" || arg1 == "sqlite_schema"
			if inside == "" && (action == sqlite.AuthSelect || action == sqlite.AuthRead && table || action == sqlite.AuthPragma && arg1 == "table_xinfo") {
				return sqlite.AuthorizerOK
			}
			return sqlite.AuthorizerDeny
		})
	})
}

// benchColumns are the names of the table's columns.
func benchColumns(ctx context.Context, conn *sql.Conn) (columns []string, err error) {
	rows, err := conn.QueryContext(ctx, "SELECT type, name, rootpage FROM sqlite_schema")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var names []string
	there := false
	for rows.Next() {
		var kind, name string
		var root int64
		if err := rows.Scan(&kind, &name, &root); err != nil {
			return nil, err
		}
		if name == benchTable {
			if there = kind == "table" && root > 0; !there {
				return nil, fmt.Errorf("%s is a view or a virtual table, which would run what the file says: write its rows to a table", name)
			}
		}
		if kind == "table" && len(names) < 8 {
			names = append(names, name)
		}
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if !there {
		return nil, fmt.Errorf("it has no table %s, as llama-bench -o sql makes it, but %s", benchTable, strings.Join(append(names, "no other")[:max(1, len(names))], ", "))
	}
	info, err := conn.QueryContext(ctx, "PRAGMA table_xinfo("+benchTable+")")
	if err != nil {
		return nil, err
	}
	defer info.Close()
	for info.Next() {
		var id, notNull, key, hidden int
		var name, kind string
		var preset any
		if err := info.Scan(&id, &name, &kind, &notNull, &preset, &key, &hidden); err != nil {
			return nil, err
		}
		if hidden != 0 {
			return nil, fmt.Errorf("column %s is computed by the file, and nothing in a file is run: write its values to a table", name)
		}
		columns = append(columns, name)
	}
	if len(columns) > mostColumns {
		return nil, fmt.Errorf("%d columns, at most %d are read", len(columns), mostColumns)
	}
	return columns, info.Err()
}

// rowsOf are the rows of one build in a database: what its columns hold as text, nil
// for NULL.
type rowsOf struct {
	commit, number any
	build          *Configuration
	n              int
}

// ofOneBuild finds the build whose rows are read, nil for all of them.
func ofOneBuild(ctx context.Context, conn *sql.Conn, opts ImportOptions) (*rowsOf, error) {
	rows, err := conn.QueryContext(ctx, "SELECT build_commit, build_number FROM "+benchTable+" NOT INDEXED")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	text := func(b sql.RawBytes) any {
		if b == nil {
			return nil
		}
		return string(b)
	}
	var commit, number sql.RawBytes
	var key []byte
	var all []*rowsOf
	known := make(map[string]*rowsOf)
	im := importer{opts: opts}
	for rows.Next() {
		if err := rows.Scan(&commit, &number); err != nil {
			return nil, err
		}
		key = append(append(append(key[:0], commit...), 0), number...)
		r := known[string(key)]
		if r == nil {
			if len(all) == mostBuilds {
				return nil, fmt.Errorf("results of more than %d builds", mostBuilds)
			}
			r = &rowsOf{commit: text(commit), number: text(number), build: &Configuration{BuildCommit: string(commit), BuildNumber: atoi(string(number))}}
			known[string(key)], all, im.all = r, append(all, r), append(im.all, r.build)
		}
		r.n++
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if opts.Build != "" {
		if err := im.onlyBuild(); err != nil {
			return nil, err
		}
		all = slices.DeleteFunc(all, func(r *rowsOf) bool { return !r.build.isBuild(opts.Build) })
	}
	if len(all) > 1 && !opts.Mixed {
		return nil, fmt.Errorf("results of %d builds in one file (%s): choose one of them (compare FILE -b COMMIT -c COMMIT; --build elsewhere), or mix them with --mixed",
			len(all), shortList(distinct(im.all, (*Configuration).build)))
	}
	n := 0
	for _, r := range all {
		n += r.n
	}
	if n > fileLimits.results {
		return nil, fmt.Errorf("%d results, at most %d are read at a time: choose a build (compare FILE -b COMMIT -c COMMIT; --build elsewhere), or delete old rows", n, fileLimits.results)
	}
	if len(all) != 1 {
		return nil, nil
	}
	return all[0], nil
}

// readTable reads the rows of a build.
func readTable(ctx context.Context, conn *sql.Conn, columns []string, of *rowsOf, into *rows, sum io.Writer) error {
	query := "SELECT * FROM " + benchTable + " NOT INDEXED"
	var values []any
	if of != nil {
		query += " WHERE CAST(build_commit AS TEXT) IS ? AND CAST(build_number AS TEXT) IS ?"
		values = []any{of.commit, of.number}
	}
	rows, err := conn.QueryContext(ctx, query, values...)
	if err != nil {
		return err
	}
	defer rows.Close()
	cells, at := make([]any, len(columns)), make([]any, len(columns))
	for i := range cells {
		at[i] = &cells[i]
	}
	texts := make([]string, len(columns))
	for n := 1; rows.Next(); n++ {
		if err := rows.Scan(at...); err != nil {
			return err
		}
		for i, c := range cells {
			texts[i] = cellText(c)
			fmt.Fprintf(sum, "%d:%s,", len(texts[i]), texts[i])
		}
		if err := into.add(columns, texts, n); err != nil {
			into.found.fault(&lineError{n, err})
		}
		if len(into.found.results) > fileLimits.results {
			return fmt.Errorf("more than %d results", fileLimits.results)
		}
	}
	return rows.Err()
}

func cellText(value any) string {
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case []byte:
		return string(v)
	case int64:
		return strconv.FormatInt(v, 10)
	case float64:
		return strconv.FormatFloat(v, 'g', -1, 64)
	case time.Time:
		return v.Format(time.RFC3339)
	}
	return fmt.Sprint(value)
}

// databaseError says what to do about an error of SQLite.
func databaseError(err error) error {
	var failed *sqlite.Error
	if !errors.As(err, &failed) {
		return err
	}
	switch failed.Code() & 0xff {
	case 5, 6: // SQLITE_BUSY, SQLITE_LOCKED
		return fmt.Errorf("a program is writing the database: wait until it has finished (%w)", err)
	case 11, 26: // SQLITE_CORRUPT, SQLITE_NOTADB
		return fmt.Errorf("the database is damaged or cut short: %w (%w)", ErrTruncated, err)
	case 23: // SQLITE_AUTH
		return fmt.Errorf("reading it would run what the file says, which is never done (%w)", err)
	}
	return err
}
