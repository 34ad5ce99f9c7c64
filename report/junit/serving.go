package junit

import (
	"fmt"
	"strings"

	"github.com/llama-regress/llama-regress/report"
)

// served says what became of the requests of a cell, an arm after another: the
// numbers as properties of the test, named by the arm's role, and in lines what
// failures have in common.
func served(list []report.Serving) (properties, lines string) {
	var head, body strings.Builder
	seen := make(map[report.Role]int)
	for _, s := range list {
		name := string(s.Role)
		if seen[s.Role]++; seen[s.Role] > 1 {
			name += fmt.Sprint(seen[s.Role])
		}
		number := func(key string, x float64) { fmt.Fprintf(&head, "[[PROPERTY|%s.%s=%.6g]]\n", name, key, x) }
		number("requests", float64(s.Requests))
		number("failed", float64(s.Failed()))
		if s.ClientTTFT > 0 {
			number("ttft_s", s.ClientTTFT)
		}
		if s.Queue > 0 {
			number("queue_s", s.Queue)
		}
		if s.PromptTime > 0 {
			number("prompt_s", s.PromptTime)
		}
		if s.Warmup != nil {
			number("warmup_requests", float64(s.Warmup.Requests))
			number("warmup_failed", float64(s.Warmup.Failed))
		}
		if s.ServerTTFT > 0 {
			number("server_ttft_s", s.ServerTTFT)
		}
		if s.ServerOutputTPS > 0 {
			number("server_output_tps", s.ServerOutputTPS)
		}
		number("generator_delay_s", s.Delay)
		fmt.Fprintf(&body, "%s: %s", line(s.Arm), message(s.Summary))
		if len(s.Classes) > 0 {
			fmt.Fprintf(&body, " (%s)", message(s.Classes))
		}
		body.WriteByte('\n')
		if s.WarmupFailed() > 0 {
			body.WriteString("  " + message(s.Warmup.Summary) + "\n")
		}
		for _, t := range s.Common {
			body.WriteString("  " + message(t) + "\n")
		}
	}
	return head.String(), clip(body.String())
}
