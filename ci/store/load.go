package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"
)

// LoadOptions say what to load. The zero value loads everything, without index.
type LoadOptions struct {
	Machine string    // Slug of one machine; "" for all
	Since   time.Time // sessions begun before are left out

	// Cache is the folder in which the index is kept from one Load to the
	// next; "" keeps none, and every record is read again.
	Cache string

	Now time.Time // by the clock that is trusted; zero is time.Now
}

// Contents is what a store holds.
type Contents struct {
	Sessions []Session // by start, those of one second by key
	Segments []Segment // by the time they were made
	Verdicts []Verdict // by machine, then by the session that they are about
	Faults   []Fault   // objects that cannot be used, by key
	Ahead    []Fault   // sessions, then segments, that are dated after now; none of them is above
}

// A Fault is an object that cannot be used, and why. The others can.
type Fault struct {
	Key string // may hold any characters
	Err error
}

func (f Fault) Error() string {
	if msg := f.Err.Error(); strings.Contains(msg, short(f.Key)) {
		return msg
	}
	return fmt.Sprintf("%q: %v", short(f.Key), f.Err)
}

func (f Fault) Unwrap() error { return f.Err }

// Load reads the sessions of a store. Records are immutable, so each is read
// and checked once and then found in the index, as long as that lasts.
//
// A record that is broken, of a newer schema, too large or in the wrong place
// becomes a Fault; a store that cannot be reached, even in the middle, is an
// error: half a history would be another baseline.
func Load(ctx context.Context, s Store, o LoadOptions) (*Contents, error) {
	prefix := ""
	if o.Machine != "" {
		prefix = o.Machine + "/"
	}
	objects, err := s.List(ctx, runsFolder+prefix)
	if err != nil {
		return nil, err
	}
	c := new(Contents)
	ix := readIndex(o.Cache, s)
	var missing []Object
	for _, object := range objects {
		key, err := ParseKey(object.Key)
		switch {
		case err != nil:
			c.Faults = append(c.Faults, Fault{object.Key, err})
		case key.Started.Before(o.Since.Truncate(time.Second)):
		case object.Size > MaxBytes:
			c.Faults = append(c.Faults, Fault{object.Key, errTooLarge})
		default:
			if session, ok := ix.find(object); ok {
				c.Sessions = append(c.Sessions, session)
			} else {
				missing = append(missing, object)
			}
		}
	}
	if err := readAll(ctx, s, missing, c, ix); err != nil {
		return nil, err
	}
	if err := loadSegments(ctx, s, segmentsFolder+prefix, c); err != nil {
		return nil, err
	}
	if err := loadVerdicts(ctx, s, verdictsFolder+prefix, c); err != nil {
		return nil, err
	}
	if o.Machine == "" && o.Since.IsZero() {
		ix.keepOnly(objects)
	}
	ix.write()
	c.sort()
	c.dropDuplicates()
	if o.Now.IsZero() {
		o.Now = time.Now()
	}
	c.dropAhead(o.Now)
	return c, nil
}

// readAll reads records, several at once: object stores are far away, and
// decoding takes a processor.
func readAll(ctx context.Context, s Store, objects []Object, c *Contents, ix *index) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	jobs := make(chan Object)
	r := new(reader)
	var mu sync.Mutex // of c and ix
	var workers sync.WaitGroup
	decoding := make(chan struct{}, runtime.GOMAXPROCS(0))
	for range min(8, len(objects)) {
		workers.Go(func() {
			for object := range jobs {
				data, err := s.Get(ctx, object.Key)
				var session Session
				if err == nil {
					decoding <- struct{}{}
					session, err = r.decode(object.Key, data)
					<-decoding
				} else if errors.Is(err, ErrNotFound) {
					continue // pruned since it was listed
				} else if !errors.Is(err, errTooLarge) && !errors.Is(err, fs.ErrPermission) {
					stop(err)
					continue
				}
				mu.Lock()
				if err != nil {
					c.Faults = append(c.Faults, Fault{object.Key, err})
				} else {
					c.Sessions = append(c.Sessions, ix.add(object, session))
				}
				mu.Unlock()
			}
		})
	}
	for _, object := range objects {
		select {
		case jobs <- object:
			continue
		case <-ctx.Done():
		}
		break
	}
	close(jobs)
	workers.Wait()
	return context.Cause(ctx)
}

// decode reads a record and checks that it is the one its key promises.
func (r *reader) decode(name string, data []byte) (Session, error) {
	key, err := ParseKey(name)
	if err != nil {
		return Session{}, err
	}
	session, err := r.read(key, data)
	if err != nil {
		return Session{}, err
	}
	if want := KeyOf(&session.Run, key.Machine, key.Attempt); want.String() != name {
		return Session{}, fmt.Errorf("%s holds the record of %s: a record lies where it was put, or is none", name, want)
	}
	return session, nil
}

func (c *Contents) sort() {
	slices.SortFunc(c.Sessions, func(a, b Session) int { return oldestFirst(a.Key, b.Key) })
	slices.SortFunc(c.Faults, func(a, b Fault) int { return strings.Compare(a.Key, b.Key) })
}

// dropDuplicates takes out sessions that are stored under two machines' names:
// counted twice, a session would make a baseline look steadier than it is.
func (c *Contents) dropDuplicates() {
	type id struct {
		run     string
		attempt int
	}
	first := make(map[id]Key, len(c.Sessions))
	c.Sessions = slices.DeleteFunc(c.Sessions, func(s Session) bool {
		i := id{s.Run.ID, s.Key.Attempt}
		if other, twice := first[i]; twice {
			c.Faults = append(c.Faults, Fault{s.Key.String(), fmt.Errorf("the same session as %s, which counts", other)})
			return true
		}
		first[i] = s.Key
		return false
	})
}
