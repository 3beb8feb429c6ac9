// Judges certificate chains with crypto/x509: one JSON object a line in, "good" or the reason a line out.
package main

import (
	"bufio"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"
)

type question struct {
	Chain, Roots [][]byte
	Host         string
	TimeMs       int64
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var q question
		if err := json.Unmarshal(lines.Bytes(), &q); err != nil {
			panic(err)
		}
		verdict := "good"
		if err := judge(q); err != nil {
			verdict = strings.ReplaceAll(err.Error(), "\n", " ")
		}
		fmt.Println(verdict)
	}
}

func judge(q question) error {
	if len(q.Chain) == 0 {
		return fmt.Errorf("no certificate")
	}
	server, err := x509.ParseCertificate(q.Chain[0])
	if err != nil {
		return err
	}
	intermediates, err := pool(q.Chain[1:])
	if err != nil {
		return err
	}
	roots, err := pool(q.Roots)
	if err != nil {
		return err
	}
	_, err = server.Verify(x509.VerifyOptions{
		DNSName:       q.Host,
		Intermediates: intermediates,
		Roots:         roots,
		CurrentTime:   time.UnixMilli(q.TimeMs),
	})
	return err
}

func pool(ders [][]byte) (*x509.CertPool, error) {
	pool := x509.NewCertPool()
	for _, der := range ders {
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			return nil, err
		}
		pool.AddCert(certificate)
	}
	return pool, nil
}
