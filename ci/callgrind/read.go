package callgrind

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

const (
	mostLine      = 256 << 10 // bytes
	mostLines     = 1 << 28
	mostEvents    = 64
	mostParts     = 1 << 14
	mostFunctions = 1 << 17 // of a profile, a file of each counted apart
	mostHeader    = 4000    // bytes that are kept of the command
)

// event is that of an instruction that was executed.
const event = "Ir"

// Read reads one file of callgrind to its end. The error of a file that is damaged,
// cut off, or of another format names the line. It keeps the functions alone, so
// that its memory does not grow with the number of lines.
func Read(r io.Reader) (*Profile, error) {
	left := mostNameBytes
	p := &parser{
		in:        bufio.NewReaderSize(r, mostLine),
		functions: newTable(&left), files: newTable(&left), objects: newTable(&left),
		places: make(map[place]int),
	}
	if err := p.read(); err != nil {
		return nil, fmt.Errorf("callgrind: line %d: %w", p.line, err)
	}
	return p.profile(), nil
}

// A place is where a line of costs belongs: places of the three tables.
type place struct{ function, file, object uint32 }

type parser struct {
	in   *bufio.Reader
	line int

	functions, files, objects *table

	places map[place]int // of sums
	sums   []int64

	header Profile
	// Of the part that is being read:
	begun     bool // it has a header
	open      bool // between its events and its totals
	positions int  // that begin a line of costs
	ir        int  // place of the instructions among the events
	events    int
	sum       int64 // of its instructions
	at        place
	file      bool // a file was named, and so on
	object    bool
	function  bool
	current   int  // sum of at; -1 when it is not known yet
	called    bool // the next line has the inclusive cost of a call
}

// read reads all lines.
func (p *parser) read() error {
	for {
		line, err := p.in.ReadSlice('\n')
		if len(line) > 0 {
			if p.line++; p.line > mostLines {
				return fmt.Errorf("the file has more than %d lines", mostLines)
			}
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			return fmt.Errorf("longer than %d bytes: not a profile of callgrind", mostLine)
		case err != nil && err != io.EOF:
			return err
		}
		if err == io.EOF && len(line) == 0 {
			return p.end()
		}
		if failed := p.take(bytes.TrimRight(line, "\r\n ")); failed != nil {
			return failed
		}
		if err == io.EOF {
			return errors.New("the last line has no end: the file was cut off")
		}
	}
}

// end checks that the file is whole.
func (p *parser) end() error {
	switch {
	case p.open || p.begun:
		return errors.New("the file ends before the totals of its last part: it was cut off, or its program is still running")
	case p.header.Parts == 0:
		return errors.New("the file ends without a line 'events:': it is empty, cut off, or not a profile of callgrind")
	}
	return nil
}

// take reads one line.
func (p *parser) take(line []byte) error {
	if p.line == 1 && !bytes.HasPrefix(line, []byte("# callgrind format")) && !bytes.HasPrefix(line, []byte("version:")) {
		return fmt.Errorf("it begins with %.40q: not a profile of callgrind, which begins with '# callgrind format'", line)
	}
	if len(line) == 0 || line[0] == '#' {
		return nil
	}
	if c := line[0]; c >= '0' && c <= '9' || c == '+' || c == '-' || c == '*' {
		return p.costs(line)
	}
	if p.called {
		return fmt.Errorf("%.60q follows 'calls=', and not the cost of the call", line)
	}
	end := bytes.IndexAny(line, "=:")
	if end <= 0 || bytes.IndexFunc(line[:end], func(r rune) bool { return r < 'a' || r > 'z' }) >= 0 {
		return fmt.Errorf("%.60q is neither a cost, a name nor a header", line)
	}
	if line[end] == ':' {
		return p.headed(string(line[:end]), bytes.TrimSpace(line[end+1:]))
	}
	return p.named(string(line[:end]), bytes.TrimSpace(line[end+1:]))
}

// headed reads a line "key: value". Keys that change no cost are passed over, so
// that newer versions may have more.
func (p *parser) headed(key string, value []byte) error {
	p.begun = key != "totals"
	switch key {
	case "version":
		if string(value) != "1" {
			return fmt.Errorf("version %.20q of the format; version 1 is read", value)
		}
	case "creator":
		p.header.Creator = clipped(value)
	case "cmd":
		p.header.Command = strings.ToValidUTF8(string(value[:min(len(value), mostHeader)]), "\uFFFD")
	case "positions":
		p.positions = len(bytes.Fields(value))
	case "events":
		return p.begin(bytes.Fields(value))
	case "totals":
		return p.totals(bytes.Fields(value))
	}
	return nil
}

// begin begins a part.
func (p *parser) begin(events [][]byte) error {
	if p.open {
		return errors.New("a part begins before the totals of the one before")
	}
	p.ir = slices.IndexFunc(events, func(e []byte) bool { return string(e) == event })
	switch {
	case len(events) > mostEvents:
		return fmt.Errorf("%d events, at most %d are read", len(events), mostEvents)
	case p.ir < 0:
		return fmt.Errorf("events %.60q without %s: it does not count instructions", bytes.Join(events, []byte(" ")), event)
	}
	if p.header.Parts++; p.header.Parts > mostParts {
		return fmt.Errorf("more than %d parts", mostParts)
	}
	if p.positions == 0 {
		p.positions = 1 // a line, when no header says which
	}
	p.open, p.events, p.sum = true, len(events), 0
	p.file, p.object, p.function = false, false, false
	return nil
}

// totals ends a part, whose costs must be what it states.
func (p *parser) totals(costs [][]byte) error {
	if !p.open {
		return errors.New("totals of no part")
	}
	var stated int64
	if p.ir < len(costs) {
		var err error
		if stated, err = number(costs[p.ir]); err != nil {
			return fmt.Errorf("totals: %.40q %w", costs[p.ir], err)
		}
	}
	if stated != p.sum {
		return fmt.Errorf("the functions of this part have %d instructions, and its totals say %d: the file is damaged", p.sum, stated)
	}
	if p.header.Instructions += p.sum; p.header.Instructions > mostNumber {
		return errors.New("more instructions than can be counted")
	}
	p.open, p.positions = false, 0
	return nil
}

// profile is what was read.
func (p *parser) profile() *Profile {
	costs := make(map[identity]int64, len(p.places))
	for at, sum := range p.places {
		costs[identity{p.functions.names[at.function], p.files.name(at.file), p.objects.name(at.object)}] += p.sums[sum]
	}
	out := p.header
	out.Functions = sorted(costs)
	return &out
}
