package store

import (
	"slices"
	"time"
)

// Retention says which sessions a store keeps. The zero value keeps all.
type Retention struct {
	Keep   int       // the latest so many of every machine stay whatever their age; at least 1
	Before time.Time // of the others, those begun before then go; zero keeps them all

	// Now is by the clock that is trusted; zero is time.Now. Sessions dated after it stay
	// and are none of the latest.
	Now time.Time
}

// Prunable returns the keys that a retention rule lets go, oldest first. It
// goes by keys alone: what is no record's is nothing it touches, and segments
// stay.
func Prunable(objects []Object, r Retention) []string {
	if r.Now.IsZero() {
		r.Now = time.Now()
	}
	machines := make(map[string][]Key)
	for _, o := range objects {
		if key, err := ParseKey(o.Key); err == nil && !key.Ahead(r.Now) {
			machines[key.Machine] = append(machines[key.Machine], key)
		}
	}
	var gone []Key
	for _, keys := range machines {
		slices.SortFunc(keys, oldestFirst)
		for _, key := range keys[:max(0, len(keys)-max(r.Keep, 1))] {
			if key.Started.Before(r.Before) {
				gone = append(gone, key)
			}
		}
	}
	slices.SortFunc(gone, oldestFirst)
	names := make([]string, len(gone))
	for i, key := range gone {
		names[i] = key.String()
	}
	return names
}
