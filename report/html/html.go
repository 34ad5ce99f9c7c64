package html

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"io"
	"strings"
	"sync"

	"github.com/llama-regress/llama-regress/report"
)

// ECharts 6.1.0, the full build of the npm package "echarts"; its licence and
// notice lie beside it and in the page.
//
//go:embed assets/echarts-6.1.0.min.js
var echarts string

//go:embed assets/echarts-NOTICE
var echartsNotice string

//go:embed charts.js
var chartScript string

//go:embed serving.js
var servingScript string

//go:embed common.js
var commonScript string

//go:embed page.js
var pageScript string

//go:embed page.css
var pageStyle string

//go:embed page.html.tmpl
var pageText string

// page is read when the first is written: most processes of the command write none.
var page = sync.OnceValue(func() *template.Template {
	return template.Must(template.New("page").Funcs(functions).Parse(pageText))
})

// Options say how the page is written. The zero value is what people open.
type Options struct {
	// WithoutCharts leaves ECharts out, and with it a megabyte: tables only.
	WithoutCharts bool
}

// Write writes the page of r to w. The same report gives the same bytes.
func Write(w io.Writer, r report.Report, o Options) error {
	data, err := json.Marshal(newCharts(r))
	if err != nil {
		return fmt.Errorf("charts: %w", err)
	}
	library, script := echarts, chartScript+servingScript+commonScript+pageScript
	if o.WithoutCharts {
		library = ""
	}
	var b bytes.Buffer
	err = page().Execute(&b, map[string]any{
		"View":    newView(r),
		"Policy":  policy(library, script),
		"Style":   template.CSS(pageStyle),
		"Library": template.JS(library),
		"Script":  template.JS(script),
		// json.Marshal has turned <, > and & into \u escapes: nothing in it can
		// end the element it stands in.
		"Charts": template.JS(data),
		"Notice": strings.TrimSpace(echartsNotice),
	})
	if err != nil {
		return fmt.Errorf("html report: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

// policy is the page's Content-Security-Policy: nothing is fetched, and no
// script runs but those given. Styles may be inline, because ECharts sets them
// on what it draws.
func policy(scripts ...string) string {
	allowed := ""
	for _, s := range scripts {
		if s != "" {
			sum := sha256.Sum256([]byte(s))
			allowed += " 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
		}
	}
	return "default-src 'none'; script-src" + allowed +
		"; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
}
