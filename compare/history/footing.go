package history

import (
	"maps"
	"reflect"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/store"
)

// A footing numbers runs of sessions that measured the same in the same way on the
// same machine, from 1: nothing between them can break a trend, so that nobody needs
// to look.
type footing struct {
	number int

	cells *record.Cell // the first of the list that the sessions share
	of    *store.Session
	arm   record.Arm
	level int
	begun int
}

// step goes on to the next session, with its arm, its level of the machine, and how
// many marks of its history have begun.
func (f *footing) step(s *store.Session, arm record.Arm, r Reading, begun int) {
	var cells *record.Cell
	if len(s.Run.Cells) > 0 {
		cells = &s.Run.Cells[0]
	}
	next := footing{number: f.number, cells: cells, of: s, arm: arm, level: r.Level, begun: begun}
	if f.of == nil || cells == nil || !f.same(next) {
		next.number++
	}
	*f = next
}

func (f *footing) same(next footing) bool {
	return f.cells == next.cells && f.level == next.level && f.begun == next.begun &&
		maps.Equal(f.of.Run.Host.Hard, next.of.Run.Host.Hard) &&
		maps.Equal(f.arm.Params, next.arm.Params) && maps.Equal(f.arm.Env, next.arm.Env) && reflect.DeepEqual(f.arm.Defaults, next.arm.Defaults) &&
		reflect.DeepEqual(f.of.Run.Models, next.of.Run.Models) && reflect.DeepEqual(f.of.Run.Datasets, next.of.Run.Datasets)
}
