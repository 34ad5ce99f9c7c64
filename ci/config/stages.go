package config

import (
	"fmt"
	"strconv"
)

// AutoConfirm as Sampling.ConfirmBlocks leaves it to the number of cells
// whether there are two stages.
const AutoConfirm = -1

// What is not said.
const (
	defaultMost    = 20 // blocks of an adaptive run
	defaultConfirm = 20 // fresh blocks of a cell that may have lost; why so many: stats/MACHINE-TIME.md
	manyCells      = 20 // from there on measuring all cells to the end costs more than it tells
	leastFirst     = 4  // blocks below which nothing can be judged
)

// SetAdaptive sets Adaptive from text as a configuration has it: on, off or the
// most blocks a cell may get.
func (s *Sampling) SetAdaptive(text string) (err error) {
	s.Adaptive, err = parseBlocks(text, defaultMost)
	return err
}

// SetConfirm sets ConfirmBlocks from text as a configuration has it: on, off or
// how many.
func (s *Sampling) SetConfirm(text string) (err error) {
	s.ConfirmBlocks, err = parseBlocks(text, defaultConfirm)
	return err
}

const wantBlocks = "a number of blocks, on or off"

// parseBlocks reads how many blocks; on stands for so many, off for none.
func parseBlocks(text string, on int) (int, error) {
	switch text {
	case "on", "true":
		return on, nil
	case "off", "false":
		return 0, nil
	}
	v, err := strconv.ParseInt(text, 10, 32)
	if err != nil || v < 0 {
		return 0, fmt.Errorf("want %s, have %q", wantBlocks, short(text))
	}
	return int(v), nil
}

// Stages is how the blocks of a run are laid out.
type Stages struct {
	Blocks   int   // of a cell at most, in all
	Screen   int   // blocks of every cell before the fresh ones of those that may have lost; 0 for one stage
	Interims []int // blocks, after those of the screening, at which a cell may stop; the last is the most it gets; nil for a fixed number
}

// Stages lays out the blocks of a plan with so many cells, and candidates
// besides the baseline arm. Without a candidate nothing is judged, and every
// cell gets the same blocks.
//
// Left to AutoConfirm there are two stages from 20 cells on, unless the first of
// them would have as many blocks as the second.
func (s Sampling) Stages(cells, candidates int) Stages {
	confirm := s.ConfirmBlocks
	if confirm == AutoConfirm {
		confirm = 0
		if cells >= manyCells && s.Blocks >= leastFirst && s.Blocks < defaultConfirm {
			confirm = defaultConfirm
			if s.Adaptive > 0 {
				confirm = s.Adaptive
			}
		}
	}
	switch {
	case candidates == 0 || confirm == 0 && s.Adaptive == 0:
		return Stages{Blocks: s.Blocks}
	case confirm == 0:
		return Stages{Blocks: s.Adaptive, Interims: interims(s.Blocks, s.Adaptive)}
	}
	st := Stages{Blocks: s.Blocks + confirm, Screen: s.Blocks}
	if s.Adaptive > 0 {
		st.Interims = interims(min(s.Blocks, confirm), confirm)
	}
	return st
}

// interims spreads four interim analyses from the first to the last as 6, 10, 15, 20 are,
// fewer where they would lie closer than a 50th of the last.
func interims(first, last int) []int {
	list := []int{last}
	for _, part := range []float64{9. / 14, 4. / 14, 0} {
		if n := first + int(part*float64(last-first)+0.5); n < list[0] && (list[0]-n)*50 >= last {
			list = append([]int{n}, list...)
		}
	}
	return list
}
