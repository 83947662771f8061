package coordinator

import (
	"os"
	"path/filepath"
	"testing"

	"millrace/cluster"
)

func TestSelf(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(secret, []byte("a;b\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		config  Config
		address string
		want    string
	}{
		{Config{Listen: "127.0.0.1:0"}, "127.0.0.1:15", "sc://127.0.0.1:15/"},
		{Config{Listen: "0.0.0.0:15", Advertise: "far.example"}, "far.example:15", "sc://127.0.0.1:15/"},
		{Config{Listen: ":15", Advertise: "far.example", TokenFile: secret}, "far.example:15", "sc://127.0.0.1:15/;token=a%3Bb"},
		{Config{Listen: "10.0.0.5:15", Advertise: "far.example"}, "far.example:15", "sc://10.0.0.5:15/"},
		{Config{Listen: "0.0.0.0:15", TLS: cluster.TLS{Cert: "c"}}, "far.example:15", "sc://far.example:15/;use_ssl=true"},
	} {
		coordinator := &Coordinator{Config: c.config, Address: c.address}
		if got, _ := coordinator.self(); got != c.want {
			t.Errorf("%+v: got %s, want %s", c.config, got, c.want)
		}
	}
}
