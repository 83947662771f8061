package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestPagesAreShells(t *testing.T) {
	s, _ := page(t)
	for target, status := range map[string]int{"/": 200, "/table?name=loans": 200, "/table?name=none": 404, "/table": 400, "/query?id=op1": 200, "/query?id=no": 404,
		"/static/style.css": 200, "/static/table.js": 200, "/static/none.js": 404, "/favicon.ico": 200, "/nothing": 404} {
		w := get(t, s, target)
		if w.Code != status {
			t.Errorf("%s gives %d", target, w.Code)
		}
		h := w.Header()
		if !strings.Contains(h.Get("Content-Security-Policy"), "script-src 'self'") || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s has the headers %v", target, h)
		}
	}
}

var outside = regexp.MustCompile(`(?i)(?:src|href|action)="(?:[a-z]+:)?//|@import|url\(|\bon[a-z]+=|style="|<script>`)

func TestNothingFromElsewhereAndNoInlineScript(t *testing.T) {
	s, _ := page(t)
	for _, target := range []string{"/", "/table?name=loans", "/query?id=op1", "/static/style.css"} {
		if found := outside.FindString(get(t, s, target).Body.String()); found != "" {
			t.Errorf("%s holds %q", target, found)
		}
	}
}

func TestNamesAreEscaped(t *testing.T) {
	s, _ := page(t)
	for _, target := range []string{"/table?path=", "/table?name=", "/query?id="} {
		body := get(t, s, target+url.QueryEscape(`<img src=x onerror=alert(1)>`)).Body.String()
		if strings.Contains(body, "<img src=x") || !strings.Contains(body, "&lt;img src=x") {
			t.Errorf("%s: %s", target, body)
		}
	}
}

func TestFilesAreNotSentAgain(t *testing.T) {
	s, _ := page(t)
	w := get(t, s, "/static/style.css")
	again := get(t, s, "/static/style.css", "If-None-Match", w.Header().Get("ETag"))
	if again.Code != http.StatusNotModified || again.Body.Len() != 0 {
		t.Errorf("%d with %d bytes", again.Code, again.Body.Len())
	}
}

func TestOnlyItsOwnPageMayCancel(t *testing.T) {
	s, _ := page(t)
	for site, want := range map[string]int{"same-origin": 200, "cross-site": 403, "same-site": 403} {
		r := httptest.NewRequest(http.MethodPost, "/api/v1/queries/op1/cancel", nil)
		r.Header.Set("Sec-Fetch-Site", site)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("a request that is %s gives %d", site, w.Code)
		}
	}
	if w := get(t, s, "/api/v1/queries/op1/cancel"); w.Code != http.StatusMethodNotAllowed {
		t.Errorf("GET cancels with %d", w.Code)
	}
}

func signIn(s *Server, token, to string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/login", strings.NewReader(url.Values{"token": {token}, "to": {to}}.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func TestToken(t *testing.T) {
	now := begin
	s, _ := page(t, func(o *Options) { o.Token = "secret"; o.Now = func() time.Time { return now } })
	if w := get(t, s, "/api/v1/cluster"); w.Code != http.StatusUnauthorized || w.Header().Get("WWW-Authenticate") == "" {
		t.Errorf("the API without a token gives %d", w.Code)
	}
	if w := get(t, s, "/api/v1/cluster", "Authorization", "Bearer secret"); w.Code != http.StatusOK {
		t.Errorf("the API with the token gives %d", w.Code)
	}
	if w := get(t, s, "/api/v1/cluster", "Authorization", "Bearer other"); w.Code != http.StatusUnauthorized {
		t.Errorf("the API with another token gives %d", w.Code)
	}
	w := get(t, s, "/table?name=loans")
	if to := w.Header().Get("Location"); w.Code != http.StatusSeeOther || to != "/login?to=%2Ftable%3Fname%3Dloans" {
		t.Errorf("a page gives %d to %s", w.Code, to)
	}
	if w := signIn(s, "wrong", "/"); w.Code != http.StatusForbidden || len(w.Result().Cookies()) != 0 {
		t.Errorf("a wrong token gives %d", w.Code)
	}
	in := signIn(s, " secret ", "/table?name=loans")
	cookies := in.Result().Cookies()
	if in.Code != http.StatusSeeOther || in.Header().Get("Location") != "/table?name=loans" || len(cookies) != 1 {
		t.Fatalf("the token gives %d, %v", in.Code, in.Header())
	}
	c := cookies[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || strings.Contains(c.Value, "secret") {
		t.Errorf("the cookie is %v", c)
	}
	if w := get(t, s, "/", "Cookie", c.Name+"="+c.Value); w.Code != http.StatusOK {
		t.Errorf("with the cookie a page gives %d", w.Code)
	}
	for _, forged := range []string{"", "x", "99999999999", "99999999999." + c.Value[len(c.Value)-43:], c.Value + "a"} {
		if w := get(t, s, "/", "Cookie", c.Name+"="+forged); w.Code != http.StatusSeeOther {
			t.Errorf("the cookie %q opens the page", forged)
		}
	}
	now = begin.Add(cookieLife + time.Second)
	if w := get(t, s, "/", "Cookie", c.Name+"="+c.Value); w.Code != http.StatusSeeOther {
		t.Error("the cookie is good after its time")
	}
}

func TestLoginLeadsNowhereElse(t *testing.T) {
	s, _ := page(t, func(o *Options) { o.Token = "secret" })
	for _, to := range []string{"https://evil.example/", "//evil.example", `/\evil.example`, "javascript:alert(1)", "table"} {
		if w := signIn(s, "secret", to); w.Header().Get("Location") != "/" {
			t.Errorf("%s leads to %s", to, w.Header().Get("Location"))
		}
	}
}
