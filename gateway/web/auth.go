package web

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// A browser that has presented the token gets a cookie "EXPIRY.MAC", which says nothing of the token and is worthless after
// EXPIRY (Unix seconds) or when the token changes.
const (
	cookieName = "millrace"
	cookieLife = 7 * 24 * time.Hour
)

func (s *Server) seal(expiry string) string {
	h := hmac.New(sha256.New, []byte(s.o.Token))
	h.Write([]byte("millrace page until " + expiry))
	return expiry + "." + base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

func same(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// allowed reports whether a request shows the token or the cookie of one that did.
func (s *Server) allowed(r *http.Request) bool {
	if s.o.Token == "" {
		return true
	}
	if given, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer "); ok {
		return same(given, s.o.Token)
	}
	c, err := r.Cookie(cookieName)
	if err != nil {
		return false
	}
	expiry, _, _ := strings.Cut(c.Value, ".")
	until, err := strconv.ParseInt(expiry, 10, 64)
	return err == nil && s.o.Now().Unix() < until && same(c.Value, s.seal(expiry))
}

// guard asks for the token: programs get an error, people the form.
func (s *Server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case s.allowed(r):
			next.ServeHTTP(w, r)
		case strings.HasPrefix(r.URL.Path, "/api/"):
			w.Header().Set("WWW-Authenticate", "Bearer")
			writeJSON(w, http.StatusUnauthorized, map[string]any{"error": Problem{Message: "the token is missing or wrong; send Authorization: Bearer TOKEN"}})
		default:
			http.Redirect(w, r, "/login?to="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
		}
	})
}

// destination is where to go after the login: a path of this server, whatever the form says.
func destination(to string) string {
	u, err := url.Parse(to)
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(u.Path, "/") || strings.HasPrefix(to, "//") || strings.Contains(to, `\`) {
		return "/"
	}
	return u.RequestURI()
}

func (s *Server) loginPage(w http.ResponseWriter, r *http.Request) {
	if s.allowed(r) {
		http.Redirect(w, r, destination(r.FormValue("to")), http.StatusSeeOther)
		return
	}
	s.render(w, http.StatusOK, "login", map[string]any{"Title": "Sign in", "To": destination(r.FormValue("to"))})
}

func (s *Server) login(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	to := destination(r.PostFormValue("to"))
	if !same(strings.TrimSpace(r.PostFormValue("token")), s.o.Token) {
		s.render(w, http.StatusForbidden, "login", map[string]any{"Title": "Sign in", "To": to, "Wrong": true})
		return
	}
	until := s.o.Now().Add(cookieLife)
	http.SetCookie(w, &http.Cookie{Name: cookieName, Value: s.seal(strconv.FormatInt(until.Unix(), 10)), Path: "/", Expires: until,
		HttpOnly: true, Secure: r.TLS != nil, SameSite: http.SameSiteStrictMode})
	http.Redirect(w, r, to, http.StatusSeeOther)
}
