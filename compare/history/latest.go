package history

import (
	"context"
	"fmt"

	"github.com/llama-regress/llama-regress/ci/record"
	"github.com/llama-regress/llama-regress/ci/store"
	"github.com/llama-regress/llama-regress/compare"
)

// A Latest is a machine's last night in the light of those before it.
type Latest struct {
	Run    *record.Run
	Choice Choice
	Result *compare.Result
	Memory Memory // of earlier verdicts
}

// Judge compares the last night of a machine with the stored sessions before
// it, in history mode: what it finds is suspected and never proven.
func Judge(ctx context.Context, s store.Store, c *store.Contents, m Machine, policy compare.Policy) (Latest, error) {
	night := m.Last()
	run, err := store.Fetch(ctx, s, night.Key.String())
	if err != nil {
		return Latest{}, fmt.Errorf("read the last night of %s: %w", m.Name, err)
	}
	choice := Choose(c, run, Options{Machine: m.Name, Arm: night.Arm, Policy: policy})
	past, err := choice.Selections(ctx, s)
	if err != nil {
		return Latest{}, err
	}
	head := compare.Selection{Run: run, Arm: night.Arm}
	l := Latest{Run: run, Choice: choice, Result: compare.History(past, head, policy), Memory: Recall(c, run, m.Name)}
	l.Memory.Sentinel = choice.Sentinel
	Nominate(l.Result)
	l.Memory.Apply(l.Result, head)
	return l, nil
}
