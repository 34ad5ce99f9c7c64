package record

import "time"

// Schema names the format of a run record. A reader refuses any other.
const Schema = "llama-regress/run/v1"

// A Run is everything one session measured, on one machine: immutable once
// written. Its trials stand in the order in which they ran.
type Run struct {
	Schema   string    `json:"schema"` // always Schema
	ID       string    `json:"id"`     // unique: start time and a random suffix
	Started  time.Time `json:"started"`
	Finished time.Time `json:"finished"` // of the last trial, also when the run was cut short
	Tool     Tool      `json:"tool"`
	Host     Host      `json:"host"`
	Plan     Plan      `json:"plan"`
	Baseline string    `json:"baseline"` // name of the baseline arm
	Arms     []Arm     `json:"arms"`
	Models   []Model   `json:"models"`
	Datasets []Dataset `json:"datasets,omitempty"` // of serve trials
	Cells    []Cell    `json:"cells"`
	Devices  []Device  `json:"devices,omitempty"` // accelerators of the machine, used or not; of a version before 2026-12 none
	Trials   []Trial   `json:"trials"`

	// Command is the program and the arguments that measured this, as typed; none of
	// a version before 2026-12, and none of a record that was merged from shards.
	Command []string `json:"command,omitempty"`

	// Interrupted is why fewer trials ran than were planned, "" when all ran:
	// "interrupt", "budget", "error", "killed".
	Interrupted string    `json:"interrupted,omitempty"`
	Interims    []Interim `json:"looks,omitempty"` // of a run whose cells may stop early, in their order
	Parts       []Part    `json:"parts,omitempty"` // of a record that was merged from shards: one each, none of a session's own record
	Notes       []string  `json:"notes,omitempty"` // what a reader of the results should know, one sentence each

	// Others are the programs beside it that used most of the processors, where
	// something disturbed the run; the busiest first.
	Others []Neighbour `json:"others,omitempty"`

	Sentinel *Sentinel `json:"sentinel,omitempty"` // that was measured beside the arms; nil where none was asked for

	Extra Extra `json:"-"` // fields of a newer writer, kept
}

// Tool is the llama-regress that wrote a record.
type Tool struct {
	Version string `json:"version"`
	Commit  string `json:"commit,omitempty"`
}

// Plan is what was planned before anything ran.
type Plan struct {
	ID          string `json:"id"`            // hash of everything that decides which trials run; a run resumes only under the same one
	ConfigSHA   string `json:"config_sha256"` // of the configuration file's bytes; "" without a file
	Seed        uint64 `json:"seed,string"`   // of cell order and first arm; a string because JSON numbers lose bits
	Blocks      int    `json:"blocks"`        // rounds
	Warmup      int    `json:"warmup"`        // repetitions of a trial that are dropped
	Repetitions int    `json:"repetitions"`   // repetitions of a trial that count
	Trials      int    `json:"trials"`        // planned in all; at most, where cells may stop early

	// Screen is how many blocks of every cell a run in two stages screens; the
	// blocks from that number on are fresh ones of the cells that may have lost,
	// and those cells are judged by them alone. 0: one stage.
	Screen int `json:"screen_blocks,omitempty"`
	// Interims are the numbers of blocks, after those of the screening, at which a
	// cell is judged and stops if that decides it, the last one the most it gets.
	// Empty: the number of blocks was fixed.
	Interims []int `json:"looks,omitempty"`

	Shard *Shard `json:"shard,omitempty"` // which part of a larger plan this is; nil for a whole one

	Extra Extra `json:"-"`
}

// A Neighbour is a program that ran beside what was measured.
type Neighbour struct {
	Name  string  `json:"name"`  // as the kernel knows it, at most 15 characters long; foreign
	Cores float64 `json:"cores"` // that all processes of that name kept busy, on average
}

// An Arm is one way of running the whole matrix.
type Arm struct {
	Name      string            `json:"name"`
	Bin       string            `json:"bin"`                   // folder of llama.cpp's programs; "" for a server that already runs
	URL       string            `json:"url,omitempty"`         // of that server, as ServerURL writes it
	Model     string            `json:"ask_model,omitempty"`   // the name by which it is asked for its model; "" for its only one
	KeyEnv    string            `json:"api_key_env,omitempty"` // the variable that held its key, which is kept nowhere
	Params    map[string]string `json:"params,omitempty"`      // parameters this arm sets on every cell
	Env       map[string]string `json:"env,omitempty"`         // environment this arm adds
	ControlOf string            `json:"control_of,omitempty"`  // the null control repeats this arm; never a candidate
	Build     Build             `json:"build"`
	Libraries []Library         `json:"libraries,omitempty"` // of llama.cpp that its programs load; of a version before 2026-12 none

	// Defaults are the values of parameters that neither a cell nor the arm set, by
	// workload and name, as the arm's programs told them. Records of versions that
	// passed every parameter have none: see Param.Default.
	Defaults map[string]map[string]string `json:"defaults,omitempty"`

	Extra Extra `json:"-"`
}

// Walked is how many trials of its plan a run has been through. A repeat of a
// disturbed trial is not one of the plan.
func (r *Run) Walked() int {
	n := 0
	for _, t := range r.Trials {
		if t.Repeats == "" {
			n++
		}
	}
	return n
}

// mostRepeats is how often a trial may be repeated, as a configuration may ask.
const mostRepeats = 10

// Uncounted are the IDs of the trials that measured something and yet do not
// count: those in whose place a repetition does, and repetitions where another
// trial of the block was not repeated with success. A block is replaced as a
// whole, so that all of its trials met the same machine.
func (r *Run) Uncounted() map[string]bool {
	repeated := false
	for i := range r.Trials {
		repeated = repeated || r.Trials[i].Repeats != ""
	}
	if !repeated {
		return nil
	}
	type round struct {
		cell  string
		block int
	}
	rounds := make(map[round][]string) // the trials that count so far
	again := make(map[string]string)   // trial -> the one that repeats it with success
	ids := make(map[string]bool)
	for _, t := range r.Trials {
		switch at := (round{t.Cell, t.Block}); {
		case t.Repeats == "":
			rounds[at] = append(rounds[at], t.ID)
		case t.Counts():
			again[t.Repeats] = t.ID
			ids[t.ID] = true
		}
	}
	if len(again) == 0 {
		return nil
	}
	for _, count := range rounds {
		for range mostRepeats { // an edited record's repetitions may go in a circle
			next := make([]string, 0, len(count))
			for _, id := range count {
				if by, ok := again[id]; ok {
					next = append(next, by)
				}
			}
			if len(next) < len(count) {
				break
			}
			for i := range count {
				ids[count[i]], ids[next[i]] = true, false
			}
			count = next
		}
	}
	return ids
}

// Build identifies the program an arm runs. Empty fields are not known.
type Build struct {
	Program      string `json:"program,omitempty"` // absolute path of llama-bench, where the arm runs it
	SHA256       string `json:"sha256,omitempty"`  // of that file
	Server       string `json:"server,omitempty"`  // absolute path of llama-server, where the arm serves
	ServerSHA256 string `json:"server_sha256,omitempty"`
	Libraries    string `json:"libraries_sha256,omitempty"` // of Arm.Libraries, see LibrariesSHA256; "" where they are not known
	Commit       string `json:"commit,omitempty"`           // as the program says it; Debian's says "Debian"
	Number       int    `json:"number,omitempty"`           // llama.cpp's build number, 0 when unknown
	Version      string `json:"version,omitempty"`          // whole version text where the build prints one
	Compiler     string `json:"compiler,omitempty"`         // "GNU 16.2.0 for Linux x86_64", as the program says it
	Backends     string `json:"backends,omitempty"`
	CPU          string `json:"cpu,omitempty"` // as the program names it
	GPU          string `json:"gpu,omitempty"`
	Model        string `json:"served_model,omitempty"` // of a server that already ran: what it calls the model that it answers with
}

// A Model is a file that was measured.
type Model struct {
	Name       string `json:"name"`
	Path       string `json:"path"`
	SHA256     string `json:"sha256,omitempty"`
	Bytes      int64  `json:"bytes"`
	Type       string `json:"type,omitempty"`       // llama.cpp's description: "llama 1B Q4_K - Medium"
	Parameters int64  `json:"parameters,omitempty"` // number of weights

	Extra Extra `json:"-"`
}

// A Cell is one point of the matrix.
type Cell struct {
	Key      string            `json:"key"`      // CellKey of the next three: the same on every machine
	Workload string            `json:"workload"` // of the catalogue: BenchWorkload, ServeWorkload
	Model    string            `json:"model"`    // Model.Name
	Params   map[string]string `json:"params,omitempty"`
	Metrics  []Metric          `json:"metrics"` // what a trial of this cell yields, in order

	// Objectives are what a request must meet to count for goodput, in seconds
	// by latency: "ttft", "tpot", "e2e".
	Objectives map[string]float64 `json:"objectives,omitempty"`

	Extra Extra `json:"-"`
}

// Metric returns the cell's metric of that name.
func (c Cell) Metric(name string) (Metric, bool) {
	for _, m := range c.Metrics {
		if m.Name == name {
			return m, true
		}
	}
	return Metric{}, false
}
