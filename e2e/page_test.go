package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// chromium is a browser on this machine; without one, or without what drives it, the test is skipped.
func chromium(t *testing.T) string {
	t.Helper()
	if _, err := os.Stat(filepath.Join(root(), ".cache", "playwright", "node_modules", "playwright-core")); err != nil {
		t.Skip("playwright-core is not in .cache: make e2e fetches it where there is npm")
	}
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if exe, err := exec.LookPath(name); err == nil {
			return exe
		}
	}
	t.Skip("there is no Chromium on this machine")
	return ""
}

// proxy stands between the browser and the page, so that the connection can be cut.
type proxy struct {
	t       *testing.T
	address string
	target  string
	mu      sync.Mutex
	l       net.Listener
	open    map[net.Conn]bool
}

func newProxy(t *testing.T, target string) *proxy {
	p := &proxy{t: t, address: "127.0.0.1:0", target: target, open: map[net.Conn]bool{}}
	p.mend()
	t.Cleanup(p.cut)
	return p
}

// mend listens, on the same port as before.
func (p *proxy) mend() {
	l, err := net.Listen("tcp", p.address)
	if err != nil {
		p.t.Fatal(err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.l, p.address = l, l.Addr().String()
	go func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			go p.join(in)
		}
	}()
}

func (p *proxy) join(in net.Conn) {
	out, err := net.Dial("tcp", p.target)
	if err != nil {
		in.Close()
		return
	}
	p.mu.Lock()
	p.open[in], p.open[out] = true, true
	p.mu.Unlock()
	pass := func(to, from net.Conn) {
		_, _ = io.Copy(to, from)
		to.Close()
		from.Close()
	}
	go pass(in, out)
	pass(out, in)
	p.mu.Lock()
	delete(p.open, in)
	delete(p.open, out)
	p.mu.Unlock()
}

// cut breaks all connections and takes no new ones.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.l.Close()
	for c := range p.open {
		c.Close()
	}
}

// browser is a page in Chromium, driven by e2e/js/page.mjs.
type browser struct {
	t   *testing.T
	in  io.Writer
	out *bufio.Reader
}

func newBrowser(t *testing.T, exe, base string) *browser {
	t.Helper()
	cmd := exec.Command("node", filepath.Join(root(), "e2e", "js", "page.mjs"), exe, base)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the browser's script: %v", err)
		}
	})
	return &browser{t, in, bufio.NewReader(out)}
}

// do asks the script for something and puts the answer into result.
func (b *browser) do(action string, result any, pairs ...any) {
	b.t.Helper()
	request := map[string]any{"do": action}
	for i := 0; i+1 < len(pairs); i += 2 {
		request[pairs[i].(string)] = pairs[i+1]
	}
	if err := json.NewEncoder(b.in).Encode(request); err != nil {
		b.t.Fatal(err)
	}
	line, err := b.out.ReadBytes('\n')
	if err != nil {
		b.t.Fatalf("%v: %v", request, err)
	}
	var answer struct {
		Result json.RawMessage
		Error  string
	}
	if err := json.Unmarshal(line, &answer); err != nil || answer.Error != "" {
		b.t.Fatalf("%v: %s %v", request, answer.Error, err)
	}
	if result != nil {
		if err := json.Unmarshal(answer.Result, result); err != nil {
			b.t.Fatalf("%v: %v", request, err)
		}
	}
}

// quiet checks that the browser had nothing to say, but for what allowed stands in.
func (b *browser) quiet(allowed ...string) {
	b.t.Helper()
	var messages []string
	b.do("messages", &messages)
	for _, m := range messages {
		ok := false
		for _, a := range allowed {
			ok = ok || strings.Contains(m, a)
		}
		if !ok {
			b.t.Errorf("the browser's console says %q", m)
		}
	}
}

// drawing is what the table's page shows.
type drawing struct {
	Version, Total string
	Tiles          map[string]struct{ Value, Text, Title string }
	Bars           []struct {
		Key, Value, Text string
		Length           float64
	}
	History [][]string
}

// shows waits for a version of the table and holds every tile and bar against the query's sums.
func (b *browser) shows(version string, sums map[string]int64) drawing {
	b.t.Helper()
	var d drawing
	b.do("settle", &d, "version", version)
	total, want := int64(0), make([]string, 0, len(sums))
	for state, n := range sums {
		total += n
		want = append(want, state)
	}
	sort.Slice(want, func(i, k int) bool {
		return sums[want[i]] > sums[want[k]] || sums[want[i]] == sums[want[k]] && want[i] < want[k]
	})
	for state, tile := range d.Tiles {
		n, there := sums[state]
		value, text := "", "–"
		if there {
			value, text = strconv.FormatInt(n, 10), grouped(n)
		}
		if tile.Value != value || tile.Text != text || there && !strings.Contains(tile.Title, ": "+grouped(n)) {
			b.t.Errorf("version %s: the tile %s shows %+v, the query says %d", version, state, tile, n)
		}
	}
	if len(d.Tiles) != 51 || len(d.Bars) != len(want) || d.Total != grouped(total) {
		b.t.Errorf("version %s: %d tiles, %d bars of %d, the total is %s of %d", version, len(d.Tiles), len(d.Bars), len(want), d.Total, total)
		return d
	}
	for i, bar := range d.Bars {
		n := sums[want[i]]
		ratio := float64(n) / float64(sums[want[0]])
		if bar.Key != want[i] || bar.Value != strconv.FormatInt(n, 10) || bar.Text != grouped(n) || bar.Length/d.Bars[0].Length-ratio > .001 || ratio-bar.Length/d.Bars[0].Length > .001 {
			b.t.Errorf("version %s: bar %d is %+v, the query says %s: %d", version, i, bar, want[i], n)
		}
	}
	return d
}

// grouped writes a number as the page does: 12,345.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func sumsOf(t *testing.T, c *cluster, action string) map[string]int64 {
	t.Helper()
	out := strings.Split(strings.TrimSpace(python(t, client, "page.py", c.Remote, action)), "\n")
	sums := map[string]int64{}
	if err := json.Unmarshal([]byte(out[len(out)-1]), &sums); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	return sums
}

func TestPageInARealBrowser(t *testing.T) {
	exe := chromium(t)
	c := up(t)
	u, err := url.Parse(c.UI)
	if err != nil {
		t.Fatal(err)
	}
	line := newProxy(t, u.Host)
	b := newBrowser(t, exe, "http://"+line.address)

	sums := sumsOf(t, c, "make")
	if len(sums) < 40 {
		t.Fatalf("the loans are of %d states", len(sums))
	}
	b.do("open", nil, "path", "/table?name=loan_by_state")
	before := b.shows("0", sums)
	if len(before.History) != 1 || !strings.HasPrefix(before.History[0][2], "CREATE TABLE AS SELECT") {
		t.Errorf("the history is %v", before.History)
	}

	sums = sumsOf(t, c, "append") // while the page is open
	after := b.shows("1", sums)
	if after.Tiles["NV"].Value == before.Tiles["NV"].Value || after.Bars[0].Key != "NV" || len(after.History) != 2 {
		t.Errorf("after the append: %+v, %v", after.Tiles["NV"], after.History)
	}
	b.quiet()

	b.do("offline", nil, "yes", true) // the machine loses its network
	b.do("pulse", nil, "state", "lost")
	sums = sumsOf(t, c, "append")
	b.do("offline", nil, "yes", false)
	b.shows("2", sums)
	b.quiet()

	line.cut() // the server goes away
	b.do("pulse", nil, "state", "lost")
	sums = sumsOf(t, c, "append")
	line.mend()
	b.do("pulse", nil, "state", "live")
	b.shows("3", sums)
	b.quiet("Failed to load resource: net::ERR_") // the browser's own words on a broken connection

	b.looks(t)
	b.overview(t)
}

// looks checks both themes and a narrow screen.
func (b *browser) looks(t *testing.T) {
	for _, scheme := range []string{"light", "dark"} {
		var least struct {
			Ratio        float64
			State, Value string
		}
		b.do("scheme", &least, "scheme", scheme)
		if least.Ratio < 4.5 {
			t.Errorf("in the %s theme the tile %s has the contrast %.2f", scheme, least.State, least.Ratio)
		}
	}
	for _, width := range []int{1360, 700, 360} {
		var wide int
		b.do("size", &wide, "width", width)
		if wide > width {
			t.Errorf("on a screen of %d pixels the page is %d wide", width, wide)
		}
	}
}

func (b *browser) overview(t *testing.T) {
	b.do("open", nil, "path", "/")
	b.do("wait", nil, "selector", "#tables", "text", "loan_by_state")
	b.do("wait", nil, "selector", "#recent", "text", "write loan_by_state")
	var workers string
	b.do("text", &workers, "selector", "#figures")
	if !strings.Contains(workers, "Workers\n2") {
		t.Errorf("the front page shows %q", workers)
	}
	var wide int
	if b.do("size", &wide, "width", 360); wide > 360 {
		t.Errorf("on a screen of 360 pixels the front page is %d wide", wide)
	}
	b.quiet()
	b.do("open", nil, "path", fmt.Sprintf("/table?name=loan_by_state&by=%s&value=%s", "addr_state", url.QueryEscape("*")))
	b.do("wait", nil, "selector", "#bars-title", "text", "rows by addr_state")
	b.quiet()
}
