package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/gob"
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/llama-regress/llama-regress/ci/record"
)

// An index remembers the sessions of one store in a file of the cache folder.
// It is derived from the records and never the truth: whatever is wrong with
// it, the records are read again. An entry holds only as long as key, size and
// version of its object do.
type index struct {
	path    string // "" for an index that is not kept
	changed bool
	entries map[string]entry
	tables  map[string][]record.Cell       // one for all sessions that measured the same cells
	shared  map[*record.Cell][]record.Cell // those tables, by the first cell of lists that equal them
}

type entry struct {
	Size    int64
	Version string
	Session Session
	Table   int32 // in the file: which list of cells the session has
}

// indexFile is the index as it is written. Name says which program can read it.
type indexFile struct {
	Entries []entry
	Tables  [][]record.Cell
}

// indexName changes whenever Session, or how it is derived, does.
const indexName = "llama-regress index 3\n"

// readIndex returns the index of a store, empty when there is none to be used.
func readIndex(cache string, s Store) *index {
	ix := &index{entries: make(map[string]entry), tables: make(map[string][]record.Cell), shared: make(map[*record.Cell][]record.Cell)}
	if cache == "" {
		return ix
	}
	ix.path = filepath.Join(cache, "index", digest(identity(s)))
	data, err := os.ReadFile(ix.path)
	if err != nil {
		return ix
	}
	sum := sha256.Size
	rest, ok := bytes.CutPrefix(data, []byte(indexName))
	if !ok || len(rest) < sum || sha256.Sum256(rest[sum:]) != [32]byte(rest[:sum]) {
		return ix
	}
	var file indexFile
	if err := gob.NewDecoder(bytes.NewReader(rest[sum:])).Decode(&file); err != nil {
		return ix
	}
	for _, table := range file.Tables {
		ix.table(table)
	}
	for _, e := range file.Entries {
		if int(e.Table) >= len(file.Tables) {
			continue
		}
		e.Session.Run.Cells = file.Tables[e.Table]
		ix.entries[e.Session.Key.String()] = e
	}
	return ix
}

// identity tells stores apart also where their references are relative.
func identity(s Store) string {
	if d, ok := s.(*dirStore); ok {
		if path, err := filepath.Abs(d.path); err == nil {
			return "dir:" + path
		}
	}
	return s.String()
}

// find returns the session of an object that has not changed.
func (ix *index) find(o Object) (Session, bool) {
	e, ok := ix.entries[o.Key]
	return e.Session, ok && e.Size == o.Size && e.Version == o.Version
}

// add remembers a session and returns it with the cells it shares with others.
func (ix *index) add(o Object, s Session) Session {
	s.Run.Cells = ix.table(s.Run.Cells)
	ix.entries[o.Key] = entry{Size: o.Size, Version: o.Version, Session: s}
	ix.changed = true
	return s
}

// table returns the one copy of a list of cells.
func (ix *index) table(cells []record.Cell) []record.Cell {
	if len(cells) == 0 {
		return cells
	}
	if t, ok := ix.shared[&cells[0]]; ok && len(t) == len(cells) {
		return t
	}
	name := tableName(cells)
	if _, ok := ix.tables[name]; !ok {
		ix.tables[name] = cells
	}
	ix.shared[&cells[0]] = ix.tables[name]
	return ix.tables[name]
}

func tableName(cells []record.Cell) string {
	text, _ := json.Marshal(cells) // valid cells can be encoded
	sum := sha256.Sum256(text)
	return string(sum[:])
}

// keepOnly forgets what the store holds no more.
func (ix *index) keepOnly(objects []Object) {
	there := make(map[string]bool, len(objects))
	for _, o := range objects {
		there[o.Key] = true
	}
	for key := range ix.entries {
		if !there[key] {
			delete(ix.entries, key)
			ix.changed = true
		}
	}
}

// write replaces the file. An index that cannot be written is only slow.
func (ix *index) write() {
	if ix.path == "" || !ix.changed {
		return
	}
	var file indexFile
	number := make(map[*record.Cell]int32) // of a table, by its first cell
	for _, e := range ix.entries {
		cells := e.Session.Run.Cells
		if len(cells) == 0 {
			continue // nothing to compare
		}
		n, ok := number[&cells[0]]
		if !ok {
			n = int32(len(file.Tables))
			number[&cells[0]] = n
			file.Tables = append(file.Tables, cells)
		}
		e.Table, e.Session.Run.Cells = n, nil
		file.Entries = append(file.Entries, e)
	}
	var text bytes.Buffer
	text.WriteString(indexName)
	text.Write(make([]byte, sha256.Size)) // the sum of what follows
	if err := gob.NewEncoder(&text).Encode(file); err != nil {
		return
	}
	data := text.Bytes()
	sum := sha256.Sum256(data[len(indexName)+sha256.Size:])
	copy(data[len(indexName):], sum[:])
	if os.MkdirAll(filepath.Dir(ix.path), 0o755) == nil {
		record.WriteAtomically(ix.path, data)
	}
}
