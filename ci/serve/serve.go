// Package serve measures one trial of serving: a fresh llama-server, a load of
// prompts from a dataset, and what became of every request.
package serve

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"github.com/llama-regress/llama-regress/ci/config"
	"github.com/llama-regress/llama-regress/ci/device"
	"github.com/llama-regress/llama-regress/ci/endpoint"
	"github.com/llama-regress/llama-regress/ci/internal/sharegpt"
	"github.com/llama-regress/llama-regress/ci/llama"
	"github.com/llama-regress/llama-regress/ci/load"
	"github.com/llama-regress/llama-regress/ci/plan"
	"github.com/llama-regress/llama-regress/ci/record"
)

// A Bench measures the trials of serve cells. It must not be copied after its
// first use.
type Bench struct {
	Servers *llama.Servers

	Running endpoint.Servers // of arms that are servers which already run

	// API is the interface by which such a server is asked.
	API load.API

	// LogDir is an existing folder that gets one file a trial, ID.log: what its
	// server wrote. "" writes none.
	LogDir string

	// Requests is the file that gets a row for each request; see
	// record.AppendRequests. "" keeps none.
	Requests string

	Devices *device.Set // that are watched during a load; nil for none

	Observe func(load.Progress) // is told of each trial's load, one call at a time; nil for nobody

	rows  *record.RequestLog // of Requests, once one was added
	mu    sync.Mutex
	drawn map[string]drawn // by path of the model, whose tokens were counted

	dataset string // SHA-256 of the file that Datasets read, in hex; "" before
}

// drawn are the prompts of every trial of a model.
type drawn struct {
	prompts []load.Prompt
	sha256  string // of them in order
}

// Libraries are those of llama.cpp that the llama-server of an identified arm loads.
func (b *Bench) Libraries(arm string) []record.Library { return b.Servers.Libraries(arm) }

// Identify says which llama-server an arm runs.
func (b *Bench) Identify(ctx context.Context, arm record.Arm) (record.Build, error) {
	if arm.URL != "" {
		return b.Running.Identify(ctx, arm, b.API)
	}
	return b.Servers.Identify(ctx, arm)
}

// Glance looks at the first bytes of the plan's dataset and says why they are not
// those of JSON. It costs nothing, however large the file.
func Glance(p *plan.Plan) error {
	if p.Serve == nil {
		return nil
	}
	f, err := os.Open(p.Serve.DatasetPath)
	if err != nil {
		return fmt.Errorf("dataset: %w", err)
	}
	defer f.Close()
	head := make([]byte, 4096)
	n, err := io.ReadFull(f, head)
	if err != nil && err != io.ErrUnexpectedEOF && err != io.EOF {
		return fmt.Errorf("dataset: %w", err)
	}
	text := bytes.TrimSpace(bytes.TrimPrefix(head[:n], []byte("\ufeff")))
	if len(text) > 0 && text[0] != '[' && text[0] != '{' {
		return fmt.Errorf("dataset: %s: no ShareGPT file, which is JSON: it begins with %.20q; get one with 'llama-regress provision dataset'", p.Serve.DatasetPath, text)
	}
	return nil
}

// Datasets reads the plan's dataset once, so that a file that is missing,
// damaged or too small is found out before anything is measured. Limits in
// tokens need a server and are applied with the first trial of a model.
func (b *Bench) Datasets(ctx context.Context, p *plan.Plan) ([]record.Dataset, error) {
	if p.Serve == nil {
		return nil, nil
	}
	sel := selection(p.Serve)
	if sel.NeedsCounter() {
		sel.Rule, sel.Sample = sharegpt.Human, 1
		sel.MinPromptTokens, sel.MaxPromptTokens, sel.MinAnswerTokens, sel.MaxTotalTokens = 0, 0, 0, 0
	}
	s, err := sharegpt.Sample(ctx, p.Serve.DatasetPath, sel, nil)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("dataset: %w; correct the path, or get one with 'llama-regress provision dataset'", err)
	case err != nil:
		return nil, fmt.Errorf("dataset: %w", err)
	}
	b.dataset = s.SHA256
	d := p.Serve.Dataset
	return []record.Dataset{{
		Name: filepath.Base(p.Serve.DatasetPath), Path: p.Serve.DatasetPath, SHA256: s.SHA256, Bytes: s.Bytes,
		Records: s.Records, Damaged: s.Damaged.Count, DamagedAt: s.Damaged.Places,
		Rule: d.Rule, Seed: d.Seed, Sample: d.Sample,
	}}, nil
}

// selection is what the configuration asks of a dataset.
func selection(s *plan.Serve) sharegpt.Selection {
	d := s.Dataset
	sel := sharegpt.Selection{
		Rule: d.Rule, Sample: d.Sample, Seed: d.Seed,
		MinPromptTokens: d.MinPromptTokens, MaxPromptTokens: d.MaxPromptTokens, MaxTotalTokens: d.MaxTotalTokens,
	}
	if !s.Stop {
		sel.OutputTokens = s.OutputTokens
	}
	if s.Turns != (config.Turns{}) {
		sel.Turns = sharegpt.Turns(s.Turns)
		sel.Sample += s.Warmup // one that was held before would come from the cache
	}
	return sel
}

// prompts draws the prompts of a model's trials, once: every arm answers the
// same ones. Their tokens are counted by a server of the trial's arm that
// serves nothing else, so that no trial's own server has seen them before.
func (b *Bench) prompts(ctx context.Context, tr *trial) (drawn, *record.Failure, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if d, ok := b.drawn[tr.cell.ModelPath]; ok {
		return d, nil, nil
	}
	sel := selection(tr.plan.Serve)
	var counter sharegpt.Counter
	if sel.NeedsCounter() {
		srv, stop, failure, err := tr.open(ctx, nil)
		if failure != nil || err != nil {
			return drawn{}, failure, err
		}
		defer stop()
		counter = srv
	}
	s, err := sharegpt.Sample(ctx, tr.plan.Serve.DatasetPath, sel, counter)
	if ctx.Err() != nil {
		return drawn{}, nil, context.Cause(ctx)
	}
	if err != nil {
		return drawn{}, &record.Failure{Class: record.BadDataset, Message: err.Error()}, nil
	}
	if b.dataset != "" && s.SHA256 != b.dataset {
		return drawn{}, &record.Failure{Class: record.BadDataset, Message: fmt.Sprintf(
			"%s changed after the run began: sha256 was %.12s, is %.12s; leave the file alone while it is measured, and run again",
			tr.plan.Serve.DatasetPath, b.dataset, s.SHA256)}, nil
	}
	var d drawn
	hash := sha256.New()
	for _, p := range s.Prompts {
		d.prompts = append(d.prompts, turns(p)...)
	}
	for _, p := range d.prompts {
		fmt.Fprintf(hash, "%d\n%s", len(p.Text), p.Text)
	}
	d.sha256 = hex.EncodeToString(hash.Sum(nil))
	if tr.cell.Cell.Workload == record.RerankWorkload {
		d.prompts = withDocuments(d.prompts, tr.plan.Serve.DocumentsEach())
	}
	if b.drawn == nil {
		b.drawn = make(map[string]drawn)
	}
	b.drawn[tr.cell.ModelPath] = d
	return d, nil, nil
}
