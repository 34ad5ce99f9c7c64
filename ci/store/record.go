package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
)

// born is the day of llama.cpp's first commit: no session is older, so an
// earlier date is a clock that was never set.
var born = time.Date(2023, 3, 10, 0, 0, 0, 0, time.UTC)

// RecordOptions say how a run is stored.
type RecordOptions struct {
	Machine string    // what the runner is called in keys; "" is the host's name
	Attempt int       // 0 is 1
	Now     time.Time // by the clock that is trusted; zero is time.Now
}

// A Receipt says what Record did.
type Receipt struct {
	Key      string
	Was      bool     // the same record was there before; nothing has changed
	Warnings []string // about the record, one sentence each
}

// Record stores a run for good. Storing the same run twice is no error, so a
// caller that does not know whether it succeeded may try again; another run
// under the same key is ErrExists.
func Record(ctx context.Context, s Store, run *record.Run, o RecordOptions) (Receipt, error) {
	if err := run.Validate(); err != nil {
		return Receipt{}, err
	}
	if len(run.Trials) == 0 {
		return Receipt{}, fmt.Errorf("run %s holds no trial: there is nothing to store", run.ID)
	}
	if o.Attempt == 0 {
		o.Attempt = 1
	}
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	key := KeyOf(run, o.Machine, o.Attempt)
	r := Receipt{Key: key.String()}
	if _, err := ParseKey(r.Key); err != nil {
		return r, err
	}
	switch {
	case run.Started.Before(born):
		return r, fmt.Errorf("run %s began on %s, before llama.cpp did: set the machine's clock and measure again", run.ID, run.Started.Format(time.DateOnly))
	case ahead(run.Started, o.Now):
		return r, fmt.Errorf("run %s began at %s, which is still to come: it would stay the latest session until then; set the machine's clock and measure again", run.ID, run.Started.Format(time.RFC3339))
	case run.Finished.Before(run.Started):
		r.Warnings = append(r.Warnings, fmt.Sprintf("the machine's clock went back during the session: it ended %v before it began", run.Started.Sub(run.Finished)))
	}
	if run.Interrupted != "" {
		r.Warnings = append(r.Warnings, "the session was cut short ("+run.Interrupted+"): "+fmt.Sprintf("%d of %d trials ran", len(run.Trials), run.Plan.Trials))
	}
	data, err := json.Marshal(run) // without indentation half as large
	if err != nil {
		return r, err
	}
	data = append(data, '\n')
	if len(data) > MaxBytes {
		return r, fmt.Errorf("%s: %w", r.Key, errTooLarge)
	}
	warning, err := outOfOrder(ctx, s, key, o.Now)
	if err != nil {
		return r, err
	}
	if warning != "" {
		r.Warnings = append(r.Warnings, warning)
	}
	err = s.Put(ctx, r.Key, data)
	if errors.Is(err, ErrExists) {
		there, readErr := s.Get(ctx, r.Key)
		if readErr == nil && bytes.Equal(there, data) {
			r.Was = true
			return r, nil
		}
		return r, errors.Join(fmt.Errorf("%w; to keep another measurement under the same ID, give it the next attempt", err), readErr)
	}
	return r, err
}

// outOfOrder warns of a session dated before one that is stored: the clock went
// back, or history is being filled in. One that is dated after now is none to go by.
func outOfOrder(ctx context.Context, s Store, key Key, now time.Time) (string, error) {
	objects, err := s.List(ctx, runsFolder+key.Machine+"/")
	if err != nil {
		return "", err
	}
	for i := len(objects) - 1; i >= 0; i-- {
		if last, err := ParseKey(objects[i].Key); err == nil && !last.Ahead(now) {
			if last.Started.After(key.Started) {
				return fmt.Sprintf("the session is dated before the latest one stored, %s: it takes the place that its date gives it", last), nil
			}
			break
		}
	}
	return "", nil
}

// Fetch reads the record under key.
func Fetch(ctx context.Context, s Store, key string) (*record.Run, error) {
	data, err := s.Get(ctx, key)
	if err != nil {
		return nil, err
	}
	return record.Read(bytes.NewReader(data), key)
}
