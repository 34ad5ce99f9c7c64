package html_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience bounds every wait. It decides no test on a working machine.
const patience = 3 * time.Minute

// chromium is the one browser of all tests, which TestMain ends; why not, when
// it could not be started.
var chromium struct {
	once sync.Once
	ctx  context.Context
	stop []context.CancelFunc
	err  error
}

func TestMain(m *testing.M) {
	code := m.Run()
	for i := len(chromium.stop) - 1; i >= 0; i-- {
		chromium.stop[i]()
	}
	os.Exit(code)
}

// browser is a headless Chromium that can reach no host. Without one the test
// is skipped or, if LLAMA_REGRESS_REQUIRE_CHROMIUM is 1, fails.
func browser(t testing.TB) context.Context {
	t.Helper()
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			program = path
			break
		}
	}
	if program == "" {
		if os.Getenv("LLAMA_REGRESS_REQUIRE_CHROMIUM") == "1" {
			t.Fatal("no Chromium found, and LLAMA_REGRESS_REQUIRE_CHROMIUM is 1; install the package chromium")
		}
		t.Skip("no Chromium found: the page is not opened; install the package chromium")
	}
	chromium.once.Do(func() { startChromium(program) })
	if chromium.err != nil {
		t.Fatalf("start %s: %v", program, chromium.err)
	}
	return chromium.ctx
}

// unseen are parts of the browser's own window, which nobody sees here. Each of them
// is a page, kept up to date with every page that is opened: they took a quarter of
// the processor time. The first two are those that chromedp itself turns off.
const unseen = "Translate,BlinkGenPropertyTrees," +
	"InitialWebUI,WebUIToolbar,WebUIReloadButton,WebUIBackForwardButton,WebUIHomeButton,WebUILocationBar,WebUISplitTabsButton,PreloadTopChromeWebUI,WebUIOmniboxPopup"

func startChromium(program string) {
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.WSURLReadTimeout(patience), chromedp.DisableGPU,
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND"), chromedp.Flag("disable-features", unseen))
	if os.Getuid() == 0 {
		options = append(options, chromedp.NoSandbox) // Chromium's sandbox refuses root
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(allocator)
	chromium.ctx, chromium.stop = ctx, []context.CancelFunc{stop, cancel}
	chromium.err = chromedp.Do(ctx)
}

// A tab is a page as a reader has it open. It records whatever a page must
// not do.
type tab struct {
	testing.TB
	ctx   context.Context
	close func()
	url   string

	mu         sync.Mutex
	complaints []string // console errors and warnings, exceptions, policy violations, dialogs
	requests   []string // whatever was asked for
}

// A look is how a page is opened.
type look struct {
	width, height int64 // 0 takes 1280 by 900
	dark          bool
	print         bool
	noScript      bool
	fragment      string // after the #
}

// open writes a page to a file and opens that.
func open(t testing.TB, browser context.Context, page []byte, how look) *tab {
	t.Helper()
	file := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(file, page, 0o644); err != nil {
		t.Fatal(err)
	}
	p := &tab{TB: t, url: (&url.URL{Scheme: "file", Path: filepath.ToSlash(file)}).String()}
	ctx, cancel := chromedp.NewContext(browser)
	t.Cleanup(cancel)
	ctx, stop := context.WithTimeout(ctx, patience)
	t.Cleanup(stop)
	p.ctx, p.close = ctx, cancel
	if err := chromedp.Listen(ctx, p.record); err != nil {
		t.Fatal(err)
	}
	if how.width == 0 {
		how.width, how.height = 1280, 900
	}
	address := p.url
	if how.fragment != "" {
		address += "#" + how.fragment
	}
	p.do(chromedp.EmulateViewport(how.width, how.height), emulate(how), chromedp.Navigate(address))
	return p
}

func emulate(how look) chromedp.Action[chromedp.Void] {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		scheme, media := "light", "screen"
		if how.dark {
			scheme = "dark"
		}
		if how.print {
			media = "print"
		}
		_, err := cdp.Call(ctx, t, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Media: media, Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		if err != nil {
			return err
		}
		_, err = cdp.Call(ctx, t, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: how.noScript})
		return err
	})
}

func (p *tab) record(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	complain := func(format string, args ...any) { p.complaints = append(p.complaints, fmt.Sprintf(format, args...)) }
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		p.requests = append(p.requests, e.Request.URL)
	case *runtime.EventConsoleAPICalled:
		complain("console.%s", e.Type)
	case *runtime.EventExceptionThrown:
		complain("exception: %s", e.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		complain("%s %s: %s", e.Entry.Source, e.Entry.Level, e.Entry.Text)
	case *page.EventJavascriptDialogOpening:
		complain("dialog: %s", e.Message)
	}
}

// noise returns what the page did that it must not: complaints, and requests
// for anything but itself and what lies within it.
func (p *tab) noise() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := append([]string(nil), p.complaints...)
	for _, r := range p.requests {
		if self, _, _ := strings.Cut(r, "#"); self != p.url && !strings.HasPrefix(r, "data:") {
			list = append(list, "asked for "+r)
		}
	}
	return list
}

// quiet checks that the page did nothing but show itself.
func (p *tab) quiet() {
	p.Helper()
	for _, what := range p.noise() {
		p.Errorf("the page made noise: %.300s", what)
	}
}

func (p *tab) do(steps ...chromedp.Action[chromedp.Void]) {
	p.Helper()
	if err := chromedp.Do(p.ctx, steps...); err != nil {
		p.Fatal(err)
	}
}

// eval returns the value of a JavaScript expression.
func eval[T any](p *tab, expression string) T {
	p.Helper()
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		p.Fatalf("%s: %v", expression, err)
	}
	return v
}

// wait waits until an expression is true. It asks from outside: waiting within
// the page would need the unsafe-eval that its policy forbids.
func (p *tab) wait(expression string) {
	p.Helper()
	for !eval[bool](p, "!!("+expression+")") {
		time.Sleep(20 * time.Millisecond)
	}
}

// photograph keeps a picture of the whole page where people want to look at it.
func (p *tab) photograph(name string) {
	p.Helper()
	dir := os.Getenv("LLAMA_REGRESS_SCREENSHOTS")
	if dir == "" {
		return
	}
	picture, err := chromedp.Run(p.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		p.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		p.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), picture, 0o644); err != nil {
		p.Fatal(err)
	}
}
