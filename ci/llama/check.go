package llama

import (
	"fmt"
	"slices"
	"strings"

	"github.com/llama-regress/llama-regress/ci/record"
)

// check compares what llama-bench reports with what it was asked: model,
// parameters, build, tests and repetitions.
func (m *measurement) check() {
	var differ []string
	for _, r := range m.results {
		if !sameModel(m.cell.ModelPath, r.ModelFile) {
			differ = add(differ, "model asked "+m.cell.ModelPath+", got "+r.ModelFile)
		}
		d, silent := differences(m.values, r.Parameters())
		differ = add(differ, d...)
		for _, param := range silent {
			m.warn("%s=%s was passed, but this build does not report it back", param, m.values[param])
		}
	}
	if differ != nil {
		m.fail(record.ParametersDiffer, "ran with other settings than asked for: %s; ask for what this build and machine can do", strings.Join(differ, "; "))
	}
	m.checkDevice()
	m.checkBuild()
	m.checkTests()
}

// deviceSince is the build from which on gpu_info names the devices of every
// backend; packagers' builds may have no number.
const deviceSince = 4080

// checkDevice fails a trial that was to use a GPU and ran on the processors alone:
// llama-bench names the backend all the same.
func (m *measurement) checkDevice() {
	for _, r := range m.results {
		settings := r.Parameters() // what nobody set is the build's own
		for name, value := range m.values {
			settings[name] = value
		}
		if !wantsGPU(settings) || r.GPU != "" || r.BuildNumber > 1 && r.BuildNumber < deviceSince {
			continue
		}
		if computesOnGPU(r.Backends) {
			m.fail(record.NoDevice, "backend %s found no device, so that the processors did the work of gpu_layers=%s; %s", r.Backends, settings["gpu_layers"], deviceAdvice)
			return
		}
		if i := slices.IndexFunc(m.warnings, driverless.MatchString); i >= 0 && m.values["gpu_layers"] != "" {
			m.fail(record.NoDevice, "%s, so that the processors did the work of gpu_layers=%s; %s", m.warnings[i], m.values["gpu_layers"], deviceAdvice)
			return
		}
	}
}

// checkBuild holds every result against the arm's first one.
func (m *measurement) checkBuild() {
	for _, r := range m.results {
		build := fmt.Sprintf("%s (%d)", r.BuildCommit, r.BuildNumber)
		if first, ok := m.program.agrees(build); !ok {
			m.fail(record.BuildChanged, "llama-bench calls itself %s, but was %s when the run began; measure builds that nobody rebuilds meanwhile", build, first)
		}
	}
}

func (m *measurement) checkTests() {
	repetitions := m.plan.Warmup + m.plan.Repetitions
	times := make(map[record.Test]int)
	for _, r := range m.results {
		times[r.Test]++
		switch {
		case !slices.Contains(m.cell.Tests, r.Test):
			m.warn("llama-bench also ran %s, which was not asked for", r.Test.Name())
		case len(r.SamplesNS) != repetitions:
			m.fail(record.BadOutput, "%s has %d repetitions, asked for %d; is the program a wrapper that passes other arguments?", r.Test.Name(), len(r.SamplesNS), repetitions)
		}
	}
	for _, test := range m.cell.Tests {
		switch {
		case times[test] == 0:
			m.fail(record.MissingTest, "%s is not in the output, which has %s", test.Name(), strings.Join(testNames(m.results), ", "))
		case times[test] > 1:
			m.fail(record.BadOutput, "%s is in the output %d times; is the program a wrapper that adds arguments?", test.Name(), times[test])
		}
	}
}

// measurements turns the results of the cell's tests into metrics, without
// the repetitions that only warm up. Of a failed trial it has what was finished.
func (m *measurement) measurements() []record.Measurement {
	var all []record.Measurement
	for _, test := range m.cell.Tests {
		i := slices.IndexFunc(m.results, func(r Result) bool { return r.Test == test })
		if i < 0 || len(m.results[i].SamplesNS) <= m.plan.Warmup {
			continue
		}
		ts := m.results[i].Throughput()
		measured := record.Measurement{Metric: test.Name(), Values: ts[m.plan.Warmup:]}
		if m.plan.Warmup > 0 {
			measured.Warmup = ts[:m.plan.Warmup]
		}
		all = append(all, measured)
	}
	return all
}

// add appends what is not there yet.
func add(list []string, items ...string) []string {
	for _, item := range items {
		if !slices.Contains(list, item) {
			list = append(list, item)
		}
	}
	return list
}
