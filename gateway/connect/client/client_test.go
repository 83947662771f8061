package client

import (
	"context"
	"testing"
	"time"

	"millrace/errs"
)

func TestParseURL(t *testing.T) {
	a, err := ParseURL("sc://db.example/;token=a%3Db;use_ssl=true;user_id=ann;x-tag=7;session_id=00112233-4455-6677-8899-aabbccddeeff")
	if err != nil {
		t.Fatal(err)
	}
	if a.Host != "db.example:15002" || a.Token != "a=b" || !a.TLS || a.User != "ann" || a.Metadata["x-tag"] != "7" ||
		a.SessionID != "00112233-4455-6677-8899-aabbccddeeff" {
		t.Errorf("%+v", a)
	}
	if a, err := ParseURL("sc://[::1]:7"); err != nil || a.Host != "[::1]:7" || a.SessionID == "" {
		t.Error(a, err)
	}
	for _, bad := range []string{"", "http://x", "sc://", "sc://x:99999", "sc://x/y", "sc://x/;token", "sc://x/;session_id=7"} {
		if a, err := ParseURL(bad); err == nil {
			t.Errorf("%q: %+v", bad, a)
		}
	}
}

func TestUnreachable(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if _, err := Dial(ctx, "sc://127.0.0.1:1"); !errs.Is(err, errs.Transient) {
		t.Error(err)
	}
}
