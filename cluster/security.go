package cluster

import (
	"crypto/tls"
	"crypto/x509"
	"os"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"millrace/errs"
)

// TLS is the flags of a process's certificate. With a CA, processes accept only each other.
type TLS struct {
	Cert string `name:"tls-cert" placeholder:"FILE" help:"Certificate of this process, PEM. Default: no TLS."`
	Key  string `name:"tls-key" placeholder:"FILE" help:"Key of --tls-cert, PEM. Default: none."`
	CA   string `name:"tls-ca" placeholder:"FILE" help:"Certificate authority of the cluster's processes, PEM; with it, workers take connections from them only. Default: none."`
}

// On reports whether TLS is wanted.
func (t *TLS) On() bool { return t.Cert != "" }

// Server is the credentials of a server. With mutual, clients must have a certificate of the CA.
func (t *TLS) Server(mutual bool) (grpc.ServerOption, error) {
	if !t.On() {
		return grpc.Creds(insecure.NewCredentials()), nil
	}
	c, err := t.config()
	if err != nil {
		return nil, err
	}
	if mutual && c.ClientCAs != nil {
		c.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return grpc.Creds(credentials.NewTLS(c)), nil
}

// Client is the credentials for calling other processes.
func (t *TLS) Client() (grpc.DialOption, error) {
	if !t.On() {
		return grpc.WithTransportCredentials(insecure.NewCredentials()), nil
	}
	c, err := t.config()
	if err != nil {
		return nil, err
	}
	return grpc.WithTransportCredentials(credentials.NewTLS(c)), nil
}

// config reads the files at each handshake again, so that a renewed certificate needs no restart.
func (t *TLS) config() (*tls.Config, error) {
	load := func() (*tls.Certificate, error) {
		c, err := tls.LoadX509KeyPair(t.Cert, t.Key)
		return &c, err
	}
	if _, err := load(); err != nil {
		return nil, errs.Newf(errs.Invalid, "--tls-cert %s and --tls-key %s cannot be used: %v", t.Cert, t.Key, err)
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2"},
		GetCertificate:       func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return load() },
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return load() }}
	if t.CA == "" {
		return c, nil
	}
	pem, err := os.ReadFile(t.CA)
	pool := x509.NewCertPool()
	if err != nil || !pool.AppendCertsFromPEM(pem) {
		return nil, errs.Newf(errs.Invalid, "--tls-ca %s cannot be used: %v", t.CA, err)
	}
	c.RootCAs, c.ClientCAs = pool, pool
	return c, nil
}
