package llama

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/llama-regress/llama-regress/ci/internal/proc"
	"github.com/llama-regress/llama-regress/ci/record"
)

// Props is what a server says of itself.
type Props struct {
	Slots       int    // requests it works on at the same time
	SlotContext int    // context of each, tokens
	Model       string // path of the model
	Build       string // "b11669-Debian"
}

// Echo is what a trial's record keeps of the answer: the names of the
// configuration where it has one, else the server's.
func (p Props) Echo() map[string]string {
	return map[string]string{
		"parallel":       strconv.Itoa(p.Slots),
		"n_ctx_slot":     strconv.Itoa(p.SlotContext),
		"model_filename": p.Model,
		"build_info":     p.Build,
	}
}

// Props asks the server for its /props.
func (srv *Server) Props(ctx context.Context) (Props, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTimeout)
	defer cancel()
	data, err := srv.ask(ctx, http.MethodGet, "/props", nil)
	if err != nil {
		return Props{}, err
	}
	var answer struct {
		Slots    int    `json:"total_slots"`
		Model    string `json:"model_path"`
		Build    string `json:"build_info"`
		Defaults struct {
			Context int `json:"n_ctx"`
		} `json:"default_generation_settings"`
	}
	if err := json.Unmarshal(data, &answer); err != nil {
		return Props{}, fmt.Errorf("/props is not what llama-server answers: %w", err)
	}
	if answer.Slots <= 0 || answer.Defaults.Context <= 0 {
		return Props{}, fmt.Errorf("/props has no slots or no context: %.200q", proc.OneLine(string(data), 200))
	}
	return Props{
		Slots: answer.Slots, SlotContext: answer.Defaults.Context,
		Model: proc.Clean(proc.Shorten(answer.Model, 4096)), Build: proc.OneLine(answer.Build, 200),
	}, nil
}

// contextStep is what newer builds round the context of a slot up to.
const contextStep = 256

// checkProps holds what the server says against what it was asked for.
func (srv *Server) checkProps(p Props) *record.Failure {
	var differ []string
	if asked := atoi(srv.values["parallel"]); p.Slots != asked {
		differ = append(differ, fmt.Sprintf("parallel asked %d, got %d", asked, p.Slots))
	}
	share := atoi(srv.values["ctx_size"]) / atoi(srv.values["parallel"])
	most := (share + contextStep - 1) / contextStep * contextStep
	switch {
	case p.SlotContext < share:
		differ = append(differ, fmt.Sprintf("context of a slot asked %d, got %d, perhaps all that the model was trained for (lower ctx_size)", share, p.SlotContext))
	case p.SlotContext > most:
		differ = append(differ, fmt.Sprintf("context of a slot asked %d, got %d", share, p.SlotContext))
	}
	if !sameModel(srv.model, p.Model) {
		differ = append(differ, fmt.Sprintf("model asked %s, got %s", srv.model, p.Model))
	}
	if differ != nil {
		return failure(record.ParametersDiffer, "llama-server runs with other settings than asked for: %s; ask for what this build and model can do", strings.Join(differ, "; "))
	}
	if first, ok := srv.program.agrees(p.Build); !ok {
		return failure(record.BuildChanged, "llama-server calls itself %s, but was %s when the run began; measure builds that nobody rebuilds meanwhile", p.Build, first)
	}
	return nil
}
