// A TLS 1.3 echo server of crypto/tls. Its argument is JSON: see ../../_tls_peers.ts.
package main

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net"
	"os"
)

func main() {
	var options struct {
		Key, Chain, Group string
		AsksClient        bool
	}
	check(json.Unmarshal([]byte(os.Args[1]), &options))
	certificate, err := tls.LoadX509KeyPair(options.Chain, options.Key)
	check(err)
	config := &tls.Config{
		Certificates: []tls.Certificate{certificate},
		MinVersion:   tls.VersionTLS13,
	}
	if options.Group == "P-384" {
		config.CurvePreferences = []tls.CurveID{tls.CurveP384}
	}
	if options.AsksClient {
		config.ClientAuth = tls.RequestClientCert
	}
	listener, err := tls.Listen("tcp", "127.0.0.1:0", config)
	check(err)
	fmt.Println("listening", listener.Addr().(*net.TCPAddr).Port)
	for {
		connection, err := listener.Accept()
		check(err)
		go func() {
			defer connection.Close()
			io.Copy(connection, connection)
		}()
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
