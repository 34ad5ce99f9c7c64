package sharegpt

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// each writes six records by a pattern in which 1 stands for the number.
func each(pattern, between string) string {
	var all []string
	for i := range 6 {
		all = append(all, strings.ReplaceAll(pattern, "1", fmt.Sprint(i+1)))
	}
	return strings.Join(all, between)
}

// layouts are the shapes in which people have six questions, "Q 1?" to "Q 6?", and
// their answers, "A 1".
var layouts = map[string]struct {
	text     string
	question string // "" means "Q 1?"
	answer   string // "" means "A 1"
}{
	"lists of messages, a line each": {text: each(`[{"role":"user","content":"Q 1?"},{"role":"assistant","content":"A 1"}]`, "\n")},
	"list of lists of messages":      {text: "[" + each(`[{"role":"user","content":"Q 1?"},{"role":"assistant","content":"A 1"}]`, ",\n") + "]"},
	"parts":                          {text: each(`{"messages":[{"role":"user","content":[{"type":"text","text":"Q 1?"}]},{"role":"assistant","content":[{"type":"text","text":"A 1"}]}]}`, "\n")},
	"two parts": {text: each(`{"messages":[{"role":"user","content":[{"type":"text","text":"Q 1?"},{"type":"text","text":"Why?"}]},{"role":"assistant","content":"A 1"}]}`, "\n"),
		question: "Q 1?\nWhy?"},
	"Alpaca":               {text: "[" + each(`{"instruction":"Q 1?","input":"","output":"A 1","text":"Below is Q 1?"}`, ",") + "]"},
	"Alpaca with input":    {text: "[" + each(`{"instruction":"Q 1?","input":"It is 1.","output":"A 1"}`, ",") + "]", question: "Q 1?\n\nIt is 1."},
	"Alpaca with NaN":      {text: each(`{"instruction":"Q 1?","input":NaN,"output":"A 1"}`, "\n")},
	"Dolly":                {text: each(`{"instruction":"Q 1?","context":"It is 1.","response":"A 1","category":"closed_qa"}`, "\n"), question: "Q 1?\n\nIt is 1."},
	"OpenOrca":             {text: each(`{"id":"flan.1","system_prompt":"Be brief.","question":"Q 1?","response":"A 1"}`, "\n")},
	"UltraChat":            {text: each(`{"id":"1","data":["Q 1?","A 1","Why?","So."]}`, "\n")},
	"MT-Bench":             {text: each(`{"question_id":1,"category":"math","turns":["Q 1?","Why?"]}`, "\n"), answer: "-"},
	"old ShareGPT":         {text: each(`{"id":"1","items":[{"from":"human","value":"Q 1?"},{"from":"gpt","value":"A 1"}]}`, "\n")},
	"input and output":     {text: each(`{"input":"Q 1?","output":"A 1"}`, "\n")},
	"human and assistant":  {text: each(`{"human":"Q 1?","assistant":"A 1"}`, "\n")},
	"text":                 {text: each(`{"text":"Q 1?"}`, "\n"), answer: "-"},
	"messages as prompt":   {text: each(`{"prompt":[{"role":"user","content":"Q 1?"}],"completion":[{"role":"assistant","content":"A 1"}]}`, "\n")},
	"turns in a string":    {text: each(`{"conversations":"[{\"from\":\"human\",\"value\":\"Q 1?\"},{\"from\":\"gpt\",\"value\":\"A 1\"}]"}`, "\n")},
	"strings":              {text: "[" + each(`"Q 1?"`, ", ") + "]", answer: "-"},
	"strings, a line each": {text: each(`"Q 1?"`, "\n"), answer: "-"},
	"lists of strings":     {text: each(`["Q 1?", "A 1"]`, "\n")},
	"list of pairs":        {text: "[" + each(`["Q 1?", "A 1"]`, ",") + "]"},
	"data":                 {text: `{"data": [` + each(`{"prompt":"Q 1?","response":"A 1"}`, ",\n") + "]}\n"},
	"data behind others":   {text: `{"version":"1.0","license":["MIT"],"data": [` + each(`{"instruction":"Q 1?","output":"A 1"}`, ",\n") + `],"n":6}`},
	"data of strings":      {text: `{"data": [` + each(`"Q 1?"`, ",\n") + "]}\n", answer: "-"},
	"data of lists":        {text: `{"data": [` + each(`[{"role":"user","content":"Q 1?"},{"role":"assistant","content":"A 1"}]`, ",") + `]}`},
	"another name":         {text: `{"about":[{"x":1}],"dialogs": [` + each(`{"messages":[{"role":"user","content":"Q 1?"},{"role":"assistant","content":"A 1"}]}`, ",\n") + "]}\n"},
	"dataset viewer":       {text: `{"features":[{"name":"question"}],"rows":[` + each(`{"row_idx":1,"row":{"question":"Q 1?","answer":"A 1"},"truncated_cells":[]}`, ",") + `],"num_rows_total":6}`},
	"columns":              {text: `{"id":[1,2,3,4,5,6],"instruction":[` + each(`"Q 1?"`, ",") + `],"output":[` + each(`"A 1"`, ",") + `]}`},
	"columns of pandas":    {text: `{"question":{` + each(`"1":"Q 1?"`, ",") + `},"answer":{` + each(`"1":"A 1"`, ",") + `},"score":{` + each(`"1":NaN`, ",") + `}}`},
	"columns of lists":     {text: `{"conversations":[` + each(`[{"from":"human","value":"Q 1?"},{"from":"gpt","value":"A 1"}]`, ",") + `]}`},
	"arrays of records":    {text: "[" + each(`{"prompt":"Q 1?","response":"A 1"}`, "]\n[") + "]\n"},
	"other keys beside":    {text: each(`{"items":[{"x":1}],"data":["a"],"prompt":"Q 1?","response":"A 1"}`, "\n")},
}

// Six questions come out of every shape, and out of the shape within white space.
func TestLayouts(t *testing.T) {
	for name, layout := range layouts {
		t.Run(name, func(t *testing.T) {
			if layout.question == "" {
				layout.question = "Q 1?"
			}
			if layout.answer == "" {
				layout.answer = "A 1"
			}
			want := strings.Split(each(layout.question+"|"+strings.TrimPrefix(layout.answer, "-"), "&"), "&")
			for _, text := range []string{layout.text, " \r\n" + layout.text + "\n \n"} {
				s, err := Sample(t.Context(), file(t, []byte(text)), Selection{Rule: First, Sample: 6}, nil)
				if err != nil {
					t.Fatal(err)
				}
				var got []string
				for _, p := range s.Prompts {
					got = append(got, p.Text+"|"+p.Answer)
				}
				if d := cmp.Diff(want, got); d != "" || s.Records != 6 || s.Damaged.Count != 0 {
					t.Errorf("%d records, %+v: %s", s.Records, s.Damaged, d)
				}
			}
		})
	}
}

// All turns of a conversation are read, whatever its shape.
func TestAllTurns(t *testing.T) {
	want := "user:Q assistant:A user:Why? assistant:So."
	for _, record := range []string{
		`{"messages":[{"role":"user","content":"Q"},{"role":"assistant","content":"A"},{"role":"user","content":"Why?"},{"role":"assistant","content":"So."}]}`,
		`[{"role":"user","content":"Q"},{"role":"assistant","content":[{"type":"text","text":"A"}]},{"role":"user","content":"Why?"},{"role":"assistant","content":"So."}]`,
		`["Q","A","Why?","So."]`,
		`{"data":["Q","A","Why?","So."]}`,
		`{"row":{"dialog":"[\"Q\",\"A\",\"Why?\",\"So.\"]"}}`,
		`{"prompt":[{"role":"user","content":"Q"},{"role":"assistant","content":"A"},{"role":"user","content":"Why?"}],"completion":[{"role":"assistant","content":"So."}]}`,
	} {
		_, list := conversation([]byte(record))
		var got []string
		for _, turn := range list {
			got = append(got, turn.role()+":"+turn.text())
		}
		if s := strings.Join(got, " "); s != want {
			t.Errorf("%s: %q, want %q", record, s, want)
		}
	}
}

// Where no record gives a prompt, the message has what was found and what is known.
func TestNothingUsable(t *testing.T) {
	const knownKeys = "known are turns in conversations, conversation, messages, items"
	tests := map[string]struct {
		text  string
		wants []string
	}{
		"other keys":       {each(`{"title":"T 1","paragraphs":[{"qas":1}]}`, "\n"), []string{"has 0 prompts", "want 3; found are title, paragraphs, paragraphs[].qas; ", knownKeys, "6: no turns"}},
		"other turns":      {each(`{"messages":[{"speaker":"A","utterance":"Q 1?"}]}`, "\n"), []string{"found are messages, messages[].speaker, messages[].utterance; "}},
		"other roles":      {each(`{"messages":[{"role":"A","content":"Q 1?"}]}`, "\n"), []string{"found are messages, messages[].role, messages[].role=A, messages[].content; ", "its role human/user/gpt", "6: no human turn"}},
		"image":            {each(`{"messages":[{"role":"user","content":[{"type":"text","text":"What is it?"},{"type":"image_url","image_url":{"url":"a.png"}}]}]}`, "\n"), []string{"6: the prompt is not only text: image_url"}},
		"unknown part":     {each(`{"messages":[{"role":"user","content":[{"type":"hologram 1"}]}]}`, "\n"), []string{"6: the prompt is not only text: an unknown type"}},
		"hostile keys":     {`{"a\u001b[31m":1,"<b>":2,"` + strings.Repeat("k", 300) + `":3}`, []string{`found are "a\x1b[31m", "<b>", "` + strings.Repeat("k", 40) + `"; `}},
		"of a list":        {each(`[{"role":"tool","content":"Q 1?"}]`, "\n"), []string{"found are [].role, [].role=tool, [].content; "}},
		"uneven columns":   {`{"prompt":["a","b"],"response":["c"]}`, []string{"its columns differ in length"}},
		"other rows":       {`{"prompt":{"0":"a","1":"b"},"response":{"0":"c","2":"d"}}`, []string{"the columns have other rows: 1 and 2"}},
		"split":            {`{"columns":["prompt"],"index":[0],"data":[["a"]]}`, []string{`orient="records" and lines=True`}},
		"long columns":     {`{"prompt":["` + strings.Repeat(`x","`, maxRecord/4) + `"]}`, []string{"is written column by column, and longer than 16 MiB; write one record a line"}},
		"damaged columns":  {`{"prompt":["a",tru]}`, []string{"is written column by column, and damaged: invalid character"}},
		"truncated column": {`{"prompt":["a","b"`, []string{"is written column by column, and the file ends inside it: it is truncated"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := Sample(t.Context(), file(t, []byte(test.text)), Selection{Sample: 3}, nil)
			for _, want := range test.wants {
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("error %v, want %q", err, want)
				}
			}
			if err != nil && (strings.Contains(err.Error(), "num-samples") || len(err.Error()) > 1500) {
				t.Errorf("%d bytes, or advice that cannot help: %v", len(err.Error()), err)
			}
		})
	}
}

// An object of more than a record's length is streamed where an array in it holds
// the records, and an array of messages is read to its end.
func TestLongLayouts(t *testing.T) {
	filling := strings.Repeat("w ", 50000)
	record := `{"prompt":"` + filling + `"}`
	n := maxRecord/len(record) + 10
	text := `{"about":"x","data":[` + strings.Repeat(record+",", n-1) + record + "]}"
	got := scan(strings.NewReader(text))
	if len(got.Records) != n || got.Err != "" || got.Damaged.Count != 0 {
		t.Errorf("%d records of %d, %+v, %s", len(got.Records), n, got.Damaged, got.Err)
	}
	text = "[" + strings.Repeat(`"`+filling+`",`, n) + `"last"]`
	if got := scan(strings.NewReader(text)); got.Records[len(got.Records)-1] != `"last"` || got.Err != "" {
		t.Errorf("%d strings, %s", len(got.Records), got.Err)
	}
}
