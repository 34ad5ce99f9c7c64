package conversations

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
)

func parse(t *testing.T, data []byte) []Conversation {
	t.Helper()
	var all []Conversation
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&all); err != nil {
		t.Fatal(err)
	}
	return all
}

func made(t *testing.T, s Synthetic) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := Write(t.Context(), &b, s); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// The sample is clean: anything awkward in it would be measured, not tested.
func TestSample(t *testing.T) {
	all := parse(t, Sample())
	var words []int
	longer := 0
	for i, c := range all {
		if c.ID != fmt.Sprintf("sample-%03d", i+1) || len(c.Conversations) == 0 || len(c.Conversations)%2 != 0 {
			t.Errorf("%s has %d turns", c.ID, len(c.Conversations))
		}
		for j, turn := range c.Conversations {
			if want := []string{"human", "gpt"}[j%2]; turn.From != want || strings.TrimSpace(turn.Value) != turn.Value || turn.Value == "" {
				t.Errorf("%s: turn %d is %+v", c.ID, j, turn)
			}
		}
		words = append(words, len(strings.Fields(c.Conversations[0].Value)))
		if len(c.Conversations) > 2 {
			longer++
		}
	}
	slices.Sort(words)
	readme := fmt.Sprintf("%d conversations, %d to %d words, median %d, %d longer", len(all), words[0], words[len(words)-1], (words[39]+words[40])/2, longer)
	if readme != "80 conversations, 1 to 96 words, median 10, 14 longer" {
		t.Errorf("the README says otherwise: %s", readme)
	}
	Sample()[0] = 'x'
	if Sample()[0] != '[' {
		t.Error("a caller changed the sample")
	}
}

// A seed means the same set on every machine: stored runs name it by its hash.
func TestSyntheticIsFixed(t *testing.T) {
	got := fmt.Sprintf("%x", sha256.Sum256(made(t, Synthetic{Records: 500, Seed: 42})))
	if want := "f13f5dae4932481389bfc1c5ae04aecc1cb9f1cf9bf4eb781a08a527fd46a899"; got != want {
		t.Errorf("SHA-256 is %s, want %s", got, want)
	}
}

func TestSyntheticSizes(t *testing.T) {
	long, short := made(t, Synthetic{Records: 50, Seed: 1}), made(t, Synthetic{Records: 20, Seed: 1})
	if n := len(parse(t, long)); n != 50 {
		t.Errorf("%d records", n)
	}
	if !bytes.HasPrefix(long, short[:len(short)-2]) {
		t.Error("the longer set does not begin with the shorter")
	}
	if bytes.Equal(short, made(t, Synthetic{Records: 20, Seed: 2})) {
		t.Error("two seeds give the same set")
	}
	for _, size := range []int64{1, 1000, 100_000} {
		got := made(t, Synthetic{Bytes: size, Seed: 1})
		all := parse(t, got)
		last, err := json.Marshal(all[len(all)-1])
		if err != nil {
			t.Fatal(err)
		}
		if over := int64(len(got)) - size; over < 0 || over > int64(len(last)+len(",\n]\n")+1) {
			t.Errorf("%d bytes asked for, %d made", size, len(got))
		}
	}
	if n := len(parse(t, made(t, Synthetic{Bytes: 1e6, Records: 3}))); n != 3 {
		t.Errorf("%d records where both bounds are given", n)
	}
}

// The logarithms of the lengths have the mean and the deviation asked for.
func TestSyntheticLengths(t *testing.T) {
	all := parse(t, made(t, Synthetic{Records: 1500, Seed: 3, Plain: true, Prompt: Length{80, 0.5}, Answer: Length{200, 0}}))
	var logs []float64
	turns := 0
	for _, c := range all {
		turns += len(c.Conversations)
		for i, turn := range c.Conversations {
			n := len(strings.Fields(turn.Value))
			if i%2 == 1 && n != 200 {
				t.Fatalf("an answer has %d words, want 200", n)
			}
			if i%2 == 0 {
				logs = append(logs, math.Log(float64(n)))
			}
		}
	}
	var mean, variance float64
	for _, l := range logs {
		mean += l / float64(len(logs))
	}
	for _, l := range logs {
		variance += (l - mean) * (l - mean) / float64(len(logs))
	}
	// 5000 lengths: standard errors of 0.007 and 0.005.
	if math.Abs(mean-math.Log(80)) > 0.03 || math.Abs(math.Sqrt(variance)-0.5) > 0.02 {
		t.Errorf("median %.1f, sigma %.3f of %d prompts", math.Exp(mean), math.Sqrt(variance), len(logs))
	}
	if perConversation := float64(turns) / 1500 / 2; math.Abs(perConversation-exchanges) > 0.3 {
		t.Errorf("%.2f exchanges a conversation", perConversation)
	}
}

// Awkward records are there, in all their shapes, unless plain ones are asked for.
func TestSyntheticShapes(t *testing.T) {
	shapes := func(all []Conversation) map[string]int {
		count := map[string]int{}
		for _, c := range all {
			turns := c.Conversations
			switch {
			case len(turns) == 0:
				count["empty"]++
			case turns[0].From == "gpt":
				count["continuation"]++
			case turns[0].From == "system":
				count["system"]++
			case turns[0].From == "user":
				count["other roles"]++
			case len(turns) == 1:
				count["one turn"]++
			case turns[0].From == turns[1].From:
				count["same role"]++
			case turns[1].Value == "":
				count["blank"]++
			case strings.Contains(turns[0].Value, "🦙"):
				count["markup"]++
			default:
				count["plain"]++
			}
		}
		return count
	}
	got := shapes(parse(t, made(t, Synthetic{Records: 4000, Seed: 1, Prompt: Length{5, 0}, Answer: Length{5, 0}})))
	if awkward := 4000 - got["plain"]; len(got) != 9 || awkward < 150 || awkward > 250 {
		t.Errorf("%v", got)
	}
	if got := shapes(parse(t, made(t, Synthetic{Records: 1000, Seed: 1, Plain: true}))); got["plain"] != 1000 {
		t.Errorf("plain: %v", got)
	}
}

func TestSyntheticRefuses(t *testing.T) {
	for want, s := range map[string]Synthetic{
		"no size":         {},
		"a negative size": {Records: -1},
		"prompt lengths":  {Records: 1, Prompt: Length{0, 1}},
		"answer lengths":  {Records: 1, Answer: Length{math.NaN(), 1}},
		"sigma of +Inf":   {Records: 1, Answer: Length{10, math.Inf(1)}},
	} {
		if err := Write(t.Context(), io.Discard, s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", s, err, want)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	stop := errors.New("stop")
	cancel(stop)
	if err := Write(ctx, io.Discard, Synthetic{Records: 1}); !errors.Is(err, stop) {
		t.Errorf("cancelled: %v", err)
	}
	if err := Write(t.Context(), full{}, Synthetic{Records: 100}); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("full disk: %v", err)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }
