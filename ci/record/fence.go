package record

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Bounds of a run record: several times the largest session that a
// configuration can ask for. They hold for every record, wherever it comes from,
// so that what costs time or memory by the square of a number is small.
const (
	mostArms     = 100
	mostCells    = 20_000   // also of models and datasets, and of anything else in one list
	mostTrials   = 200_000  // in all
	mostOfOne    = 2_500    // trials of one arm in one cell: two stages of 1 000 blocks, and repeats of disturbed trials
	mostMetrics  = 1_000    // of one cell
	mostParams   = 200      // of one cell or arm, also of its environment
	mostValues   = 20_000   // of one measurement
	mostText     = 4 << 20  // bytes, as written
	foreignText  = 64 << 10 // of a record that a stranger made; ten times and more what the tool writes
	mostWords    = 1_000    // warnings of one trial, and other sentences about it
	mostDepth    = 32
	mostBlock    = 1_000_000 // number of a block
	mostNumber   = 1e60      // sums, differences, ratios and squares of such stay numbers that statistics take
	leastNumber  = 1e-60     // in size, of what is not 0: denormals lose digits
	mostDigits   = 400       // characters of a number
	plainDigits  = 50        // so many characters without exponent are within mostNumber
	rateAccuracy = 1e-9      // of a success rate, against its count
)

// A Tally counts the trials of each arm in each cell. Its zero value is ready.
type Tally struct {
	all int
	of  map[string]map[string]int
}

// Add counts one trial. It returns an error when a record cannot have that many.
func (t *Tally) Add(arm, cell string) error {
	if t.of == nil {
		t.of = make(map[string]map[string]int)
	}
	cells := t.of[arm]
	if cells == nil {
		cells = make(map[string]int)
		t.of[arm] = cells
	}
	t.all++
	cells[cell]++
	switch {
	case cells[cell] > mostOfOne:
		return fmt.Errorf("more than %d trials of arm %.80q in cell %.80q", mostOfOne, arm, cell)
	case t.all > mostTrials:
		return fmt.Errorf("more than %d trials", mostTrials)
	}
	return nil
}

// A fence looks at the text of a record while it is being read and ends the
// reading at the first thing that is beyond every session. So a record that was
// made to be large is refused before memory is spent on it. A fence does not
// check the grammar of JSON: the decoder does so afterwards, on what is bounded.
type fence struct {
	most    int // bytes of one text
	line    int // from 0
	levels  []level
	section string // the field of the record that the text is in
	field   string // of the trial
	trial   struct{ arm, cell string }
	tally   Tally

	inText, escaped bool
	text            []byte // of the text so far, as it is written; only where it is asked for
	length          int    // of the text so far
	number          []byte
	beyond          error // why the reading ended, with the line
}

// A level is one object or list around the text.
type level struct {
	object bool
	commas int
	name   bool // the next text is the name of a field
}

// Write looks at the next part of the text. Its error names the place.
func (f *fence) Write(p []byte) (int, error) {
	for i, b := range p {
		if f.beyond = f.byte(b); f.beyond != nil {
			return i, f.beyond
		}
	}
	return len(p), nil
}

func (f *fence) byte(b byte) error {
	if f.inText {
		return f.inside(b)
	}
	switch {
	case b >= '0' && b <= '9', b == '-', b == '+', b == '.', b|0x20 == 'e' && len(f.number) > 0:
		f.number = append(f.number, b)
		if len(f.number) > mostDigits {
			return f.fault("a number of more than %d characters", mostDigits)
		}
		return nil
	case len(f.number) > 0:
		if err := f.endNumber(); err != nil {
			return err
		}
	}
	switch b {
	case '"':
		f.inText, f.text, f.length = true, f.text[:0], 0
	case '{', '[':
		if len(f.levels) == mostDepth {
			return f.fault("nested deeper than %d", mostDepth)
		}
		f.levels = append(f.levels, level{object: b == '{', name: b == '{'})
	case '}', ']':
		return f.close()
	case ',':
		return f.comma()
	case ':':
		if at := f.at(); at != nil {
			at.name = false
		}
	case '\n':
		f.line++
	}
	return nil
}

func (f *fence) at() *level {
	if len(f.levels) == 0 {
		return nil
	}
	return &f.levels[len(f.levels)-1]
}

// inside takes one byte of a text.
func (f *fence) inside(b byte) error {
	switch {
	case f.escaped:
		f.escaped = false
	case b == '\\':
		f.escaped = true
	case b == '"':
		f.inText = false
		f.endText()
		return nil
	}
	if f.length++; f.length > f.most {
		return f.fault("a text of more than %d bytes", f.most)
	}
	if len(f.levels) == 1 || len(f.levels) == 3 {
		f.text = append(f.text, b)
	}
	return nil
}

func (f *fence) endText() {
	at := f.at()
	switch {
	case at == nil || !at.object:
	case at.name && len(f.levels) == 1:
		f.section = f.plain()
	case at.name && f.inTrial():
		f.field = f.plain()
	case f.inTrial() && strings.EqualFold(f.field, "arm"):
		f.trial.arm = f.plain()
	case f.inTrial() && strings.EqualFold(f.field, "cell"):
		f.trial.cell = f.plain()
	}
}

// plain is the last text as it is meant: one name can be written in many ways.
func (f *fence) plain() string {
	var s string
	if json.Unmarshal([]byte(`"`+string(f.text)+`"`), &s) != nil {
		return "" // the decoder refuses it
	}
	return s
}

// inTrial says whether the text is in a trial, at its fields.
func (f *fence) inTrial() bool {
	return len(f.levels) == 3 && strings.EqualFold(f.section, "trials")
}

func (f *fence) endNumber() error {
	text := string(f.number)
	f.number = f.number[:0]
	if len(text) < plainDigits && !strings.ContainsAny(text, "eE") {
		return nil
	}
	if v, err := strconv.ParseFloat(text, 64); err == nil && math.Abs(v) <= mostNumber {
		return nil
	}
	return f.fault("the number %.40s is not finite, or beyond %g in size", text, mostNumber)
}

func (f *fence) comma() error {
	at := f.at()
	if at == nil {
		return nil
	}
	at.commas++
	at.name = at.object
	most := mostCells
	if len(f.levels) == 2 && strings.EqualFold(f.section, "arms") {
		most = mostArms
	}
	if len(f.levels) == 2 && (strings.EqualFold(f.section, "trials") || strings.EqualFold(f.section, "looks")) {
		most = mostTrials
	}
	if at.commas >= most {
		return f.fault("more than %d of one list", most)
	}
	return nil
}

func (f *fence) close() error {
	var err error
	if f.inTrial() {
		err = f.tally.Add(f.trial.arm, f.trial.cell)
		if err != nil {
			err = f.fault("%w", err)
		}
		f.trial.arm, f.trial.cell = "", ""
	}
	if len(f.levels) > 0 {
		f.levels = f.levels[:len(f.levels)-1]
	}
	return err
}

// fault says where the text is: the line, and which part of the list that the
// section holds.
func (f *fence) fault(format string, args ...any) error {
	place := ""
	if f.section != "" {
		place = fmt.Sprintf("%.40s: ", f.section)
		if len(f.levels) > 1 && !f.levels[1].object {
			place = fmt.Sprintf("%.40s[%d]: ", f.section, f.levels[1].commas)
		}
	}
	return fmt.Errorf("%d: %s%w, which no session has", f.line+1, place, fmt.Errorf(format, args...))
}
