package sharegpt

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Every shape of the public file and its relatives, one record each.
const shapes = `[
{"id":"plain","conversations":[{"from":"human","value":"q1"},{"from":"gpt","value":"a1"},{"from":"human","value":"q2"}]},
{"id":"other-key","conversation":[{"from":"user","value":"q"},{"from":"chatgpt","value":"a"}]},
{"id":"bing","conversations":[{"from":"human","value":"q"},{"from":"bing","value":"a"}]},
{"id":"bard","conversations":[{"from":"human","value":"q"},{"from":"bard","value":"a"}]},
{"id":"empty","conversations":[]},
{"id":"one-turn","conversations":[{"from":"human","value":"q"}]},
{"id":"continuation_1","conversations":[{"from":"gpt","value":"a0"},{"from":"human","value":"q1"},{"from":"gpt","value":"a1"}]},
{"id":"system","conversations":[{"from":"system","value":"s"},{"from":"human","value":"q"},{"from":"gpt","value":"a"}]},
{"id":"repeated","conversations":[{"from":"human","value":"q1"},{"from":"human","value":"q2"},{"from":"gpt","value":"a"}]},
{"id":"blank-first","conversations":[{"from":"human","value":" \n"},{"from":"gpt","value":"a1"},{"from":"human","value":"q2"},{"from":"gpt","value":"a2"}]},
{"id":"blank-answer","conversations":[{"from":"human","value":"q"},{"from":"gpt","value":""}]},
{"id":"only-gpt","conversations":[{"from":"gpt","value":"a1"},{"from":"gpt","value":"a2"}]},
{"id":"openai","messages":[{"role":"User","content":"q"},{"role":"assistant","content":"a"}]},
{"id":"exchange","prompt":"q","response":"a"},
{"id":"completion","prompt":"q","completion":"a"},
{"id":"output","prompt":"q","output":"a","answer":"b"},
{"id":"prompt-only","prompt":"q"},
{"id":"null","prompt":null,"conversations":null},
{"id":"wrong-type","conversations":"no list"},
{"id":"wrong-turns","conversations":[17,null,{"from":"human","value":["image"]},{"from":"human","value":"q"},{"from":"gpt","value":{"text":"a"}}]},
{"id":"nul","conversations":[{"from":"human","value":"q\u0000"},{"from":"gpt","value":"a"}]},
{"id":"escapes","conversations":[{"from":"human","value":"\"q\" \\ é\u00e9 \ud83e\udd99 }]"},{"from":"gpt","value":"\\"}]},
{"id":17,"conversations":[{"from":"human","value":"numeric id"},{"from":"gpt","value":"a"}]},
{"id":"line\nbreak","conversations":[{"from":"human","value":"bad id"},{"from":"gpt","value":"a"}]},
{"x":0,"conversations":[{"from":"human","value":"no id"},{"from":"gpt","value":"a"}]}
]`

// What each rule makes of them, in the order of the file.
func TestRules(t *testing.T) {
	path := file(t, []byte(shapes))
	human := []string{
		"plain: q1|a1", "other-key: q|a", "bing: q|a", "bard: q|a", "one-turn: q|", "continuation_1: q1|a1", "system: q|a",
		"repeated: q1|", "blank-first: q2|a2", "blank-answer: q|", "openai: q|a", "exchange: q|a", "completion: q|a",
		"output: q|a", "prompt-only: q|", "wrong-turns: q|", `escapes: "q" \ éé 🦙 }]|\`, "17: numeric id|a", "record-24: bad id|a", "record-25: no id|a",
	}
	two := []string{
		"plain: q1|a1", "other-key: q|a", "bing: q|a", "bard: q|a", "continuation_1: a0|q1", "system: s|q", "repeated: q1|q2",
		"blank-answer: q|", "only-gpt: a1|a2", "openai: q|a", "exchange: q|a", "completion: q|a", "output: q|a",
		`escapes: "q" \ éé 🦙 }]|\`, "17: numeric id|a", "record-24: bad id|a", "record-25: no id|a",
	}
	tests := map[string]struct {
		want   []string
		reason []Reason
	}{
		First:  {human, []Reason{{"no turns", 3}, {"NUL in the prompt", 1}, {"no human turn", 1}}},
		Human:  {human, []Reason{{"no turns", 3}, {"NUL in the prompt", 1}, {"no human turn", 1}}},
		VLLM:   {two, []Reason{{"fewer than two turns", 2}, {"no turns", 3}, {"blank prompt", 2}, {"NUL in the prompt", 1}}},
		SGLang: {two, []Reason{{"fewer than two turns", 2}, {"no turns", 3}, {"blank prompt", 2}, {"NUL in the prompt", 1}}},
	}
	if len(tests) != len(Rules()) {
		t.Fatalf("rules are %v", Rules())
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s, err := Sample(t.Context(), path, Selection{Rule: name, Sample: 1000, Repeat: true, MinPromptTokens: -1, MaxPromptTokens: -1, MinAnswerTokens: -1, MaxTotalTokens: -1}, nil)
			if err != nil {
				t.Fatal(err)
			}
			got := make([]string, 25)
			for _, p := range s.Prompts[:len(test.want)] {
				got[p.Record-1] = fmt.Sprintf("%s: %s|%s", p.ID, p.Text, p.Answer)
			}
			var found []string
			for _, line := range got {
				if line != "" {
					found = append(found, line)
				}
			}
			if d := cmp.Diff(test.want, found); d != "" {
				t.Error(d)
			}
			reasons := map[Reason]bool{}
			for _, r := range s.PassedOver {
				reasons[r] = true
			}
			for _, r := range test.reason {
				if !reasons[r] {
					t.Errorf("passed over %v, want %v among them", s.PassedOver, r)
				}
			}
			if s.Drawn != 25 || s.Records != 25 || s.Damaged.Count != 0 || s.Format != "json" {
				t.Errorf("drew %d of %d, %d damaged, format %s", s.Drawn, s.Records, s.Damaged.Count, s.Format)
			}
		})
	}
}

// exchange is a record whose prompt and answer have so many words.
func exchange(prompt, answer int) string {
	return fmt.Sprintf(`{"prompt":%q,"response":%q}`, strings.Repeat("w ", prompt), strings.Repeat("w ", answer))
}

// The limits on both sides of each bound.
func TestLimits(t *testing.T) {
	lengths := [][2]int{{1, 9}, {2, 1}, {2, 2}, {3, 4}, {4, 3}, {4, 4}, {1024, 1024}, {1025, 4}, {1024, 1025}, {2, 3000}, {9, 0}}
	var lines []string
	for _, l := range lengths {
		lines = append(lines, exchange(l[0], l[1]))
	}
	path := file(t, []byte(strings.Join(lines, "\n")))
	tests := map[string]struct {
		selection Selection
		want      [][2]int
	}{
		"vllm":              {Selection{Rule: VLLM}, [][2]int{{4, 4}, {1024, 1024}}},
		"vllm fixed":        {Selection{Rule: VLLM, OutputTokens: 1}, [][2]int{{4, 3}, {4, 4}, {1024, 1024}, {1024, 1025}}},
		"vllm fixed long":   {Selection{Rule: VLLM, OutputTokens: 1025}, [][2]int{{4, 3}, {4, 4}}},
		"sglang":            {Selection{Rule: SGLang}, [][2]int{{2, 2}, {3, 4}, {4, 3}, {4, 4}, {1024, 1024}, {1025, 4}, {1024, 1025}, {2, 3000}}},
		"sglang context":    {Selection{Rule: SGLang, MaxTotalTokens: 2048}, [][2]int{{2, 2}, {3, 4}, {4, 3}, {4, 4}, {1024, 1024}, {1025, 4}}},
		"sglang fixed":      {Selection{Rule: SGLang, OutputTokens: 2}, [][2]int{{2, 1}, {2, 2}, {3, 4}, {4, 3}, {4, 4}, {1024, 1024}, {1025, 4}, {1024, 1025}, {2, 3000}}},
		"human":             {Selection{Rule: Human}, lengths},
		"human, prompt max": {Selection{Rule: Human, MaxPromptTokens: 3}, [][2]int{{1, 9}, {2, 1}, {2, 2}, {3, 4}, {2, 3000}}},
		"first, min":        {Selection{Rule: First, MinPromptTokens: 9, MinAnswerTokens: 1025}, [][2]int{{1024, 1025}}},
		"vllm, no limits":   {Selection{Rule: VLLM, MinPromptTokens: -1, MaxPromptTokens: -1, MinAnswerTokens: -1, MaxTotalTokens: -1}, lengths[:10]},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.selection.Sample, test.selection.Repeat = len(test.want), true
			s, err := Sample(t.Context(), path, test.selection, new(words))
			if err != nil {
				t.Fatal(err)
			}
			want, got := map[[2]int]bool{}, map[[2]int]bool{}
			for _, l := range test.want {
				want[l] = true
			}
			for _, p := range s.Prompts {
				got[[2]int{p.Tokens, p.AnswerTokens}] = true
			}
			if d := cmp.Diff(want, got); d != "" {
				t.Error(d)
			}
			test.selection.Sample++
			test.selection.Repeat = false
			if _, err := Sample(t.Context(), path, test.selection, new(words)); err == nil || !strings.Contains(err.Error(), fmt.Sprintf("has %d prompts", len(test.want))) {
				t.Errorf("one more than there are: %v", err)
			}
		})
	}
}

func TestRefusedSelections(t *testing.T) {
	path := file(t, []byte(shapes))
	tests := map[string]struct {
		selection Selection
		counter   Counter
		want      string
	}{
		"no sample":       {Selection{}, nil, "sharegpt: a sample of 0 prompts: want at least 1"},
		"unknown rule":    {Selection{Rule: "vLLM", Sample: 1}, nil, `sharegpt: there is no rule "vLLM"; there are human, first, vllm, sglang`},
		"no counter":      {Selection{Rule: VLLM, Sample: 1}, nil, "rule vllm has limits in tokens, which need a running server"},
		"limit uncounted": {Selection{MaxPromptTokens: 9, Sample: 1}, nil, "rule human has limits in tokens"},
		"contradiction":   {Selection{Rule: VLLM, MaxPromptTokens: 3, Sample: 1}, new(words), "no prompt can have both"},
		"negative output": {Selection{OutputTokens: -1, Sample: 1}, nil, "-1 output tokens"},
		"counter fails":   {Selection{Sample: 1, Rule: First}, &words{err: errors.New("server is gone")}, "count the tokens of record 1's prompt: server is gone"},
		"too few": {Selection{Sample: 21}, nil,
			"has 20 prompts that rule human accepts, want 21; lower the sample (--num-samples) (of 25 records 0 are damaged; 3: no turns; 1: NUL in the prompt; 1: no human turn)"},
		"none": {Selection{Sample: 1, Repeat: true, MinPromptTokens: 99}, new(words), "has 0 prompts that rule human accepts, want 1; loosen the limits (of"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Sample(t.Context(), path, test.selection, test.counter)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
	if (Selection{Sample: 1}).NeedsCounter() || !(Selection{Sample: 1, MaxTotalTokens: 1}).NeedsCounter() || !(Selection{Sample: 1, Rule: SGLang}).NeedsCounter() {
		t.Error("NeedsCounter is wrong")
	}
}

// An id that would spoil a table or a log line is replaced.
func TestIDs(t *testing.T) {
	for id, want := range map[string]string{
		"a b": "a b", "": "record-1", strings.Repeat("x", 100): strings.Repeat("x", 100), strings.Repeat("x", 101): "record-1",
		"a\tb": "record-1", "\x1b[31m": "record-1", "\u202eabc": "record-1", "日本": "日本",
	} {
		record, err := json.Marshal(map[string]string{"id": id, "prompt": "q"})
		if err != nil {
			t.Fatal(err)
		}
		s, err := Sample(t.Context(), file(t, record), Selection{Sample: 1}, nil)
		if err != nil || s.Prompts[0].ID != want {
			t.Errorf("id %q becomes %+v, want %q; %v", id, s, want, err)
		}
	}
}

func TestRepeat(t *testing.T) {
	path := file(t, []byte(`{"id":"a","prompt":"1"}`+"\n"+`{"id":"b","prompt":"2"}`))
	s, err := Sample(t.Context(), path, Selection{Rule: First, Sample: 5, Repeat: true}, nil)
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, p := range s.Prompts {
		ids = append(ids, p.ID+p.Text)
	}
	if got := strings.Join(ids, " "); got != "a1 b2 a#21 b#22 a#31" {
		t.Error(got)
	}
}

// Of 500 records only what is drawn is counted: a server would take hours for
// all of the public file.
func TestCountsOnlyWhatIsDrawn(t *testing.T) {
	path := file(t, many(500))
	c := new(words)
	s, err := Sample(t.Context(), path, Selection{Sample: 10, Seed: 3, MaxPromptTokens: 2}, c)
	if err != nil {
		t.Fatal(err)
	}
	if s.Drawn != 10 || len(c.counted) != 20 {
		t.Errorf("drew %d, counted %d texts", s.Drawn, len(c.counted))
	}
}
