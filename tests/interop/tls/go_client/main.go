// A TLS 1.3 client of crypto/tls that connects twice and wants back what it sends. See ../../tls_server_peers_test.ts.
package main

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"os"
)

func main() {
	var options struct {
		Port     int
		Roots    string
		Curves   []tls.CurveID
		Protocol string
		Length   int
	}
	check(json.Unmarshal([]byte(os.Args[1]), &options))
	pem, err := os.ReadFile(options.Roots)
	check(err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	config := &tls.Config{
		RootCAs:            roots,
		ServerName:         "localhost",
		NextProtos:         []string{options.Protocol},
		CurvePreferences:   options.Curves,
		ClientSessionCache: tls.NewLRUClientSessionCache(1),
		MinVersion:         tls.VersionTLS13,
	}
	for range 2 {
		connection, err := tls.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", options.Port), config)
		check(err)
		sent := make([]byte, options.Length)
		rand.Read(sent)
		go connection.Write(sent)
		back := make([]byte, options.Length)
		_, err = io.ReadFull(connection, back)
		check(err)
		check(connection.CloseWrite()) // behind it Go follows no update of the server's key
		_, err = connection.Read(make([]byte, 1))
		if err != io.EOF {
			log.Fatal("no end: ", err)
		}
		state := connection.ConnectionState()
		fmt.Println(state.DidResume, state.NegotiatedProtocol, bytes.Equal(sent, back))
		connection.Close()
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
