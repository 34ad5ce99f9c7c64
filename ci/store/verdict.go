package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/llama-regress/llama-regress/ci/record"
)

// VerdictSchema names the format of a stored verdict.
const VerdictSchema = "llama-regress/verdict/v1"

const verdictsFolder = "verdicts/"

// A Verdict is what was found out about a session and outlasts it: which losses
// were confirmed by measuring both builds in turns, and which earlier ones are
// over. It lies beside the records as an object of its own, and is never changed:
// the verdict of a later session closes what that of an earlier one opened.
type Verdict struct {
	Schema  string            `json:"schema"` // always VerdictSchema
	Machine string            `json:"machine"`
	Session string            `json:"session"`          // key of the session that was judged
	Night   int               `json:"night,omitempty"`  // which session of the machine it was, from 1; 0 when not known
	Arm     string            `json:"arm"`              // of the session; foreign, as are all texts below
	Commit  string            `json:"commit,omitempty"` // of that arm's build
	Host    map[string]string `json:"host,omitempty"`   // hard keys of the machine
	Against []string          `json:"against"`          // keys of the stored sessions that it was judged by, oldest first
	Made    time.Time         `json:"made"`

	Confirmed *Confirmed `json:"confirmed,omitempty"` // nil where nothing is opened
	Findings  []Finding  `json:"findings"`

	Extra record.Extra `json:"-"` // fields of a newer version
	Key   string       `json:"-"` // where it is stored
}

// A Confirmed run measured two builds in turns.
type Confirmed struct {
	Run    string `json:"run"`                        // its ID
	Blocks int    `json:"blocks"`                     // most of any finding
	Good   string `json:"good,omitempty"`             // key of the stored session whose build was the other arm; "" where a folder was named
	Commit string `json:"commit,omitempty"`           // of that build
	Last   string `json:"last_good"`                  // key of the latest session that was not worse
	LastOf string `json:"last_good_commit,omitempty"` // the commit it measured
}

// The states of a finding.
const (
	FindingOpen   = "open"
	FindingClosed = "closed"
)

// A Finding is about one metric of one cell.
type Finding struct {
	State    string            `json:"state"`            // FindingOpen or FindingClosed
	Opened   string            `json:"opened,omitempty"` // of one that is closed: key of the verdict that opened it
	Cell     string            `json:"cell"`
	Workload string            `json:"workload"`
	Model    string            `json:"model"`
	Params   map[string]string `json:"params,omitempty"`
	Metric   record.Metric     `json:"metric"`

	// Change is that of the confirmation where the finding is opened, and of the
	// session against those of Verdict.Against where it is closed: as
	// compare.Comparison.Change, with the bounds of its interval.
	Change     float64  `json:"change"`
	Low        float64  `json:"low"`
	High       float64  `json:"high"`
	Confidence float64  `json:"confidence"`       // of the interval
	Trials     []string `json:"trials,omitempty"` // IDs of those of the confirming run that it rests on
}

type plainVerdict Verdict

// UnmarshalJSON keeps fields that this version does not know.
func (v *Verdict) UnmarshalJSON(b []byte) error {
	return record.Decode(b, (*plainVerdict)(v), &v.Extra)
}

// MarshalJSON writes them back.
func (v Verdict) MarshalJSON() ([]byte, error) { return record.Encode(plainVerdict(v), v.Extra) }

// Start is when the session that was judged began.
func (v Verdict) Start() time.Time {
	key, _ := ParseKey(v.Session) // checked as it was read
	return key.Started
}

var verdictForm = regexp.MustCompile(`^verdicts/([a-z0-9][a-z0-9._-]{0,63})/(\d{8}T\d{6}Z)-[0-9a-f]{16}\.json$`)

// Bounds of what a verdict says.
const (
	maxVerdictBytes = 8 << 20
	maxFindings     = 100_000
	maxKeys         = 10_000
)

func (v Verdict) validate() error {
	session, err := ParseKey(v.Session)
	switch {
	case v.Schema != VerdictSchema:
		return fmt.Errorf("schema is %q, this version reads %q", short(v.Schema), VerdictSchema)
	case v.Machine == "" || Slug(v.Machine) != v.Machine:
		return fmt.Errorf("machine %q", short(v.Machine))
	case err != nil:
		return fmt.Errorf("session: %w", err)
	case session.Machine != v.Machine:
		return fmt.Errorf("session: %s is one of another machine than %s", v.Session, v.Machine)
	case v.Night < 0:
		return fmt.Errorf("night %d", v.Night)
	case len(v.Findings) == 0 || len(v.Findings) > maxFindings:
		return fmt.Errorf("%d findings: want 1 to %d", len(v.Findings), maxFindings)
	case len(v.Against) > maxKeys:
		return fmt.Errorf("against: %d sessions, more than %d", len(v.Against), maxKeys)
	}
	for i, f := range v.Findings {
		if err := f.validate(v.Confirmed != nil); err != nil {
			return fmt.Errorf("findings[%d]: %w", i, err)
		}
	}
	return nil
}

func (f Finding) validate(confirmed bool) error {
	switch {
	case f.Cell == "" || f.Metric.Name == "":
		return errors.New("no cell or no metric")
	case f.Metric.Better != record.Higher && f.Metric.Better != record.Lower:
		return fmt.Errorf("metric %q: whether more is better is not said", short(f.Metric.Name))
	case f.State == FindingOpen && !confirmed:
		return errors.New("open, and no run confirmed it")
	case f.State == FindingOpen && f.Opened != "":
		return errors.New("open, and opened by another verdict")
	case f.State == FindingClosed && !verdictForm.MatchString(f.Opened):
		return fmt.Errorf("closed, and %q is no key of the verdict that opened it", short(f.Opened))
	case f.State != FindingOpen && f.State != FindingClosed:
		return fmt.Errorf("state %q: want %s or %s", short(f.State), FindingOpen, FindingClosed)
	}
	return nil
}

// RecordVerdict stores a verdict for good and returns its key. Schema is filled
// in. Storing the same verdict twice is no error.
func RecordVerdict(ctx context.Context, s Store, v Verdict) (string, error) {
	data, err := MarshalVerdict(v)
	if err != nil {
		return "", err
	}
	key := fmt.Sprintf("%s%s/%s-%s.json", verdictsFolder, v.Machine, v.Start().Format(keyTime), digest(string(data)))
	if err = s.Put(ctx, key, data); errors.Is(err, ErrExists) { // its key is its content
		err = nil
	}
	return key, err
}

// MarshalVerdict writes a verdict as it is stored.
func MarshalVerdict(v Verdict) ([]byte, error) {
	v.Schema, v.Made = VerdictSchema, v.Made.UTC().Truncate(time.Second)
	if v.Against == nil {
		v.Against = []string{}
	}
	if err := v.validate(); err != nil {
		return nil, fmt.Errorf("verdict: %w", err)
	}
	data, err := json.MarshalIndent(v, "", " ")
	if err == nil && len(data) > maxVerdictBytes {
		err = fmt.Errorf("verdict: %d bytes, more than %d", len(data), maxVerdictBytes)
	}
	return append(data, '\n'), err
}

// ReadVerdict reads and checks a verdict of at most 8 MiB. name stands in errors.
func ReadVerdict(name string, data []byte) (v Verdict, err error) {
	if len(data) > maxVerdictBytes {
		return v, fmt.Errorf("%s: %d bytes, which no verdict has", name, len(data))
	}
	if err := json.Unmarshal(data, &v); err != nil {
		return Verdict{}, fmt.Errorf("%s: not a verdict: %w", name, err)
	}
	if err := v.validate(); err != nil {
		return Verdict{}, fmt.Errorf("%s: %w", name, err)
	}
	return v, nil
}

// loadVerdicts adds the verdicts, by the session that they are about.
func loadVerdicts(ctx context.Context, s Store, prefix string, c *Contents) error {
	objects, err := s.List(ctx, prefix)
	if err != nil {
		return err
	}
	for _, object := range objects { // their keys sort by machine, then by session
		v, err := readVerdict(ctx, s, object)
		var unreachable *unreachableError
		switch {
		case errors.As(err, &unreachable):
			return unreachable.error
		case err != nil:
			c.Faults = append(c.Faults, Fault{object.Key, err})
		default:
			c.Verdicts = append(c.Verdicts, v)
		}
	}
	return nil
}

func readVerdict(ctx context.Context, s Store, o Object) (v Verdict, err error) {
	form := verdictForm.FindStringSubmatch(o.Key)
	if form == nil {
		return v, errors.New("no key of a verdict")
	}
	data, err := getBounded(ctx, s, o, maxVerdictBytes, "verdict")
	if err != nil {
		return v, err
	}
	if v, err = ReadVerdict(o.Key, data); err != nil {
		return v, err
	}
	if v.Machine != form[1] || v.Start().Format(keyTime) != form[2] {
		return Verdict{}, fmt.Errorf("%s is about %s: a verdict lies where it was put, or is none", o.Key, v.Session)
	}
	v.Key = o.Key
	return v, nil
}

// A LostVerdict is one that cannot be read: whether a loss of its session is open
// is not known.
type LostVerdict struct {
	Fault
	Session time.Time // when the session began that it was about, by its key; zero where that says nothing
}

// LostVerdicts lists the verdicts of a machine that cannot be read and that no
// accepted change of the whole machine has left behind.
func (c *Contents) LostVerdicts(machine string) (lost []LostVerdict) {
	for _, f := range c.Faults {
		rest, ok := strings.CutPrefix(f.Key, verdictsFolder+machine+"/")
		if !ok {
			continue
		}
		l := LostVerdict{Fault: f}
		if form := verdictForm.FindStringSubmatch(f.Key); form != nil {
			l.Session, _ = time.Parse(keyTime, form[2])
		}
		if g, ok := c.Segment(machine, ""); ok && rest != "" && !l.Session.IsZero() && !g.Start().Before(l.Session) {
			continue
		}
		lost = append(lost, l)
	}
	return lost
}
