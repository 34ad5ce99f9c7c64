package config

// SetMargin sets the margin of a metric, or of a kind of metric, from text as a
// configuration has it: "3%", "0.03", and "2pp" for success_rate.
func (g *Gate) SetMargin(metric, text string) error {
	name, err := metricName(metric)
	if err != nil {
		return err
	}
	margin, err := parseMargin(text, name == successRate)
	if err != nil {
		return err
	}
	g.Margins[name] = margin
	return nil
}
