package client

import (
	"net"
	"net/url"
	"os"
	"os/user"
	"strconv"
	"strings"

	"github.com/google/uuid"

	"millrace/errs"
)

// DefaultPort is where a server listens unless it is told otherwise.
const DefaultPort = 15002

// Address is a parsed connection string.
type Address struct {
	Host      string // with port
	Token     string
	TLS       bool
	User      string
	SessionID string
	Metadata  map[string]string // sent with every call
}

// ParseURL reads sc://host[:port][/;key=value;…]. Known keys are token, use_ssl, user_id, session_id and user_agent; the
// others are sent with every call.
func ParseURL(text string) (*Address, error) {
	bad := func(why string) error {
		return errs.Newf(errs.Invalid, "%q is not a Spark Connect address: %s", text, why)
	}
	rest, ok := strings.CutPrefix(text, "sc://")
	if !ok {
		return nil, bad("it must begin with sc://")
	}
	hostport, params, _ := strings.Cut(rest, "/")
	if params != "" && !strings.HasPrefix(params, ";") {
		return nil, bad("what follows the host must begin with /;")
	}
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		host, port = strings.Trim(hostport, "[]"), strconv.Itoa(DefaultPort)
	}
	if n, err := strconv.Atoi(port); host == "" || err != nil || n < 1 || n > 65535 {
		return nil, bad("it has no host and port")
	}
	a := &Address{Host: net.JoinHostPort(host, port), User: currentUser(), Metadata: map[string]string{}}
	for pair := range strings.SplitSeq(params, ";") {
		if pair == "" {
			continue
		}
		key, value, ok := strings.Cut(pair, "=")
		value, err := url.PathUnescape(value)
		if !ok || err != nil || value == "" {
			return nil, bad("the parameter " + strconv.Quote(pair) + " has no value")
		}
		if err := a.set(key, value); err != nil {
			return nil, bad(err.Error())
		}
	}
	if a.SessionID == "" {
		a.SessionID = uuid.NewString()
	}
	return a, nil
}

func (a *Address) set(key, value string) error {
	switch key {
	case "token":
		a.Token = value
	case "use_ssl":
		a.TLS = strings.EqualFold(value, "true")
	case "user_id":
		a.User = value
	case "session_id":
		a.SessionID = value
		return uuid.Validate(value)
	case "user_agent":
	default:
		a.Metadata[strings.ToLower(key)] = value
	}
	return nil
}

func currentUser() string {
	if name := os.Getenv("SPARK_USER"); name != "" {
		return name
	}
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return ""
}
