package record

import (
	"fmt"
	"time"
)

// An Outcome says whether a trial measured anything.
type Outcome string

const (
	OK     Outcome = "ok"     // all its metrics that exist were measured
	Failed Outcome = "failed" // see Trial.Failure and Trial.Counts
)

// NoBlock is the block of a trial that belongs to none, such as one read from
// a raw llama-bench file. Such trials are never paired.
const NoBlock = -1

// A Trial is one process invocation of one arm of one cell in one block: the
// unit of replication.
type Trial struct {
	ID      string    `json:"id"` // unique in its run
	Arm     string    `json:"arm"`
	Cell    string    `json:"cell"`  // Cell.Key
	Block   int       `json:"block"` // from 0, or NoBlock
	Order   int       `json:"order"` // position in the plan, from 0
	Start   time.Time `json:"start"`
	Seconds float64   `json:"seconds"` // wall time of the whole trial, warm-up and loading included
	Outcome Outcome   `json:"outcome"`

	Measurements []Measurement     `json:"measurements,omitempty"`
	Failure      *Failure          `json:"failure,omitempty"` // set exactly when Outcome is Failed
	Command      []string          `json:"command,omitempty"` // program and arguments
	Echo         map[string]string `json:"echo,omitempty"`    // settings as the program reported them back
	Resources    *Resources        `json:"resources,omitempty"`
	Samples      *Samples          `json:"samples,omitempty"`
	Preparation  *Preparation      `json:"preparation,omitempty"`
	Load         *Load             `json:"load,omitempty"`      // of a serve trial
	Counting     *Counting         `json:"counting,omitempty"`  // of a count trial
	Scheduler    *Scheduler        `json:"scheduler,omitempty"` // of a trial that asked for one
	Placement    map[string]string `json:"placement,omitempty"` // where its process ran, as the kernel said, by parameter
	Devices      []string          `json:"devices,omitempty"`   // that it used: Device.ID of each
	Warnings     []string          `json:"warnings,omitempty"`  // such as a debug build's own warning

	// Disturbed says, a sentence each, what the machine did during every trial
	// of the block that makes their numbers unfit. It is decided by conditions
	// alone, never by what was measured. Records of older versions have it of single
	// trials, which a reader who has their Samples judges anew.
	Disturbed []string `json:"contaminated,omitempty"`
	// Repeats is the ID of the disturbed trial that this one repeats, in the same
	// block; see Run.Uncounted for which of the two counts.
	Repeats string `json:"repeats,omitempty"`

	Extra Extra `json:"-"`
}

// Measurement returns the trial's measurement of the metric, if it has one.
func (t *Trial) Measurement(metric string) (Measurement, bool) {
	for i := range t.Measurements {
		if t.Measurements[i].Metric == metric {
			return t.Measurements[i], true
		}
	}
	return Measurement{}, false
}

// Counts says whether the trial's measurements count. Those of a failed one do
// where it served: a server that broke down under its load, or answered
// nothing, was measured all the same, and its success rate is the result.
// Another trial that failed, such as an invocation of llama-bench that crashed,
// has no measurement that counts.
func (t *Trial) Counts() bool {
	_, served := t.Measurement(SuccessRate)
	return t.Outcome == OK || served
}

// Fault is why the trial is no pass: its failure, or that none of its requests
// succeeded, which records of older versions call ok. It is nil for a trial
// without fault.
func (t *Trial) Fault() *Failure {
	if t.Failure != nil {
		return t.Failure
	}
	m, ok := t.Measurement(EventualRate)
	if !ok {
		m, ok = t.Measurement(SuccessRate)
	}
	if !ok || m.Count == nil || m.Count.Succeeded > 0 {
		return nil
	}
	message := fmt.Sprintf("none of %d requests succeeded", m.Count.Total)
	if t.Load != nil && len(t.Load.Failures) > 0 {
		message += ": " + t.Load.failures()
	}
	return &Failure{Class: NoneSucceeded, Message: message}
}

// A Measurement holds the repetitions of one metric in measured order, in the
// metric's unit, finite; throughputs are positive. Repetitions are correlated:
// they are never the unit of replication.
type Measurement struct {
	Metric string    `json:"metric"`
	Values []float64 `json:"values"`           // the repetitions that count, at least one
	Warmup []float64 `json:"warmup,omitempty"` // the repetitions dropped before them
	Count  *Count    `json:"count,omitempty"`  // of a success rate: what its one value is the ratio of

	// Censored says that the true value lies beyond Values[0], on the bad side,
	// where it could not be measured: a quantile that falls among failed
	// requests, or the throughput of none that succeeded. It is never averaged.
	Censored bool `json:"censored,omitempty"`

	Quantile *Quantile `json:"quantile,omitempty"` // of a latency: what its one value was estimated from
	Summary  *Summary  `json:"summary,omitempty"`  // of a value that is the mean of repetitions which nobody kept

	Extra Extra `json:"-"`
}

// A Summary is what is known of repetitions whose mean is all that was kept: of
// llama-bench's tables, csv and sql.
type Summary struct {
	// Deviation is the standard deviation of the repetitions, in the metric's unit,
	// as the program printed it; 0 for not known. They share a process, so that it
	// is shown to a reader and is never the error of a comparison.
	Deviation float64 `json:"deviation"`

	Extra Extra `json:"-"`
}

// Fallback says that the value is an estimate of second choice: it must not be
// set beside values of HarrellDavis.
func (m Measurement) Fallback() bool {
	return m.Quantile != nil && m.Quantile.Estimator == OrderStatistic
}

// A Quantile is what stands behind a latency quantile of a serve trial, in
// seconds. Failed requests are infinitely slow, except where said.
type Quantile struct {
	Estimator Estimator `json:"estimator,omitempty"` // of the measurement's value; "" where it is censored
	Requests  int       `json:"requests"`            // that have such a latency or failed; 1 or more
	Failed    int       `json:"failed,omitempty"`    // of them

	// Order is the sample's own quantile, the ⌈nq⌉-th smallest; nil where that
	// is a failed request. Trials of which one has no Harrell-Davis estimate
	// are compared by it, so that both sides have the same estimator.
	Order *float64 `json:"order_statistic,omitempty"`

	// Succeeded is the Harrell-Davis quantile of the requests that succeeded,
	// for a reader; nil for none. It is never judged: it gets better when the
	// slow ones fail.
	Succeeded *float64 `json:"of_succeeded,omitempty"`

	Extra Extra `json:"-"`
}

// An Estimator is how a quantile was estimated.
type Estimator string

const (
	HarrellDavis   Estimator = "harrell_davis"   // the usual one: it varies least from trial to trial
	OrderStatistic Estimator = "order_statistic" // where failures hold too much of the weights of the other
)

// A Count is how many of a trial's requests succeeded.
type Count struct {
	Succeeded int `json:"succeeded"` // 0 to Total
	Total     int `json:"total"`     // requests issued, at least 1
}

// A Failure says what is wrong with a trial.
type Failure struct {
	Class    FailureClass `json:"class"`
	Message  string       `json:"message"`             // one sentence with the next step
	ExitCode *int         `json:"exit_code,omitempty"` // nil when the process was ended by a signal or never ran
	Signal   string       `json:"signal,omitempty"`    // such as "segmentation fault"
	Stderr   string       `json:"stderr,omitempty"`    // its last lines, at most 8 KiB, valid UTF-8

	Extra Extra `json:"-"`
}

// A FailureClass groups failures by what to do about them.
type FailureClass string

const (
	StartFailed      FailureClass = "start_failed"      // the program could not be started
	ExitStatus       FailureClass = "exit_status"       // it ended with a status other than 0
	Crashed          FailureClass = "crashed"           // a signal ended it
	OutOfMemory      FailureClass = "out_of_memory"     // the kernel, or its own allocation, ended it
	TimedOut         FailureClass = "timed_out"         // it ran past the trial's time limit and was ended
	ModelLoad        FailureClass = "model_load"        // it could not load the model
	BadArgument      FailureClass = "bad_argument"      // the build does not understand a flag or value
	BadOutput        FailureClass = "bad_output"        // its output is not what llama-bench prints
	MissingTest      FailureClass = "missing_test"      // a test asked for is not in its output
	ParametersDiffer FailureClass = "parameters_differ" // it ran with other settings than asked for
	NoSpeculation    FailureClass = "no_speculation"    // a draft was asked for, and no token was drafted
	NoCounter        FailureClass = "no_counter"        // nothing on this machine can count the instructions of this build
	NoDevice         FailureClass = "no_device"         // a backend of a GPU found no device, and layers were to be kept on one
	BuildChanged     FailureClass = "build_changed"     // the program or model is not the one this run began with
	NoneSucceeded    FailureClass = "none_succeeded"    // a server was there, and not one request to it succeeded
	NotReady         FailureClass = "not_ready"         // the server did not become healthy in its start time
	PortTaken        FailureClass = "port_taken"        // something else listens where the server should
	Unreachable      FailureClass = "unreachable"       // a server that already ran does not answer any more
	GeneratorLate    FailureClass = "generator_late"    // the load generator was too late to measure this: see Load.Delay
	BadDataset       FailureClass = "bad_dataset"       // no prompts could be had from the dataset

	SchedulerNotLoaded FailureClass = "scheduler_not_loaded" // the scheduler could not be put in force
	SchedulerEjected   FailureClass = "scheduler_ejected"    // it was in force and did not stay so
	PlacementDiffers   FailureClass = "placement_differs"    // the process did not run where or how it was asked to
)

// FailureClasses lists all classes in the order in which a trial can come upon
// them.
var FailureClasses = []FailureClass{
	StartFailed, ExitStatus, Crashed, OutOfMemory, TimedOut, ModelLoad, BadArgument, BadOutput, MissingTest,
	ParametersDiffer, NoSpeculation, NoCounter, NoDevice, BuildChanged, NoneSucceeded, NotReady, PortTaken, Unreachable, GeneratorLate, BadDataset,
	SchedulerNotLoaded, SchedulerEjected, PlacementDiffers,
}

// Preparation is what was done before a trial so that it differs from others by
// its arm alone.
type Preparation struct {
	Padding int    `json:"env_padding_bytes"` // by which the environment of its process was longer; drawn from the plan's seed
	Link    string `json:"link,omitempty"`    // path by which the program was started, as long as that of every arm; "": its own

	Cooled       float64  `json:"cooled_s,omitempty"`      // waited for processor and devices to cool down, seconds
	TemperatureC *float64 `json:"temp_c,omitempty"`        // of the hottest processor as the trial began; nil where nothing tells
	DeviceC      *float64 `json:"device_temp_c,omitempty"` // of the hottest device that earlier trials used; nil where none is known

	Extra Extra `json:"-"`
}

// Resources is what a trial's processes used, as the kernel accounts it.
type Resources struct {
	UserSeconds   float64 `json:"user_s"`
	SystemSeconds float64 `json:"system_s"`
	MaxRSSBytes   int64   `json:"max_rss_bytes"` // of the largest process; 0 when the system does not tell

	Extra Extra `json:"-"`
}

// A Scheduler is what the kernel said of its scheduler around a trial. Both
// counts of loads are equal when none was loaded meanwhile.
type Scheduler struct {
	Asked     string   `json:"asked"`             // "default", or a sched_ext scheduler's program and arguments
	Command   []string `json:"command,omitempty"` // of the scheduler that was loaded for it
	State     string   `json:"state,omitempty"`   // of sched_ext before the trial: "enabled" or "disabled"; "" for a kernel without it
	Ops       string   `json:"ops,omitempty"`     // name of the scheduler as the kernel reported it; "" for its own
	SeqBefore int      `json:"enable_seq_before"` // loads of any scheduler since the machine started
	SeqAfter  int      `json:"enable_seq_after"`
	Rejected  int      `json:"nr_rejected"`       // tasks that the kernel refused to the scheduler
	Settle    float64  `json:"settle_s"`          // waited after it was loaded, before the first trial under it
	Ejected   string   `json:"ejected,omitempty"` // why it did not stay in force
	Kernel    []string `json:"kernel,omitempty"`  // messages of the kernel about it, where they may be read

	Extra Extra `json:"-"`
}
