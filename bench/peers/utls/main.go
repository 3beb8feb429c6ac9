// Draws hellos of Chrome with uTLS for a while, and prints how many a second as JSON.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"
	"time"

	tls "github.com/refraction-networking/utls"
)

func main() {
	length := len(draw())
	if length < 1500 {
		log.Fatalf("A hello of %d bytes", length)
	}
	start, count := time.Now(), 0
	for time.Since(start) < 2*time.Second {
		draw()
		count++
	}
	result := map[string]any{
		"perS":   float64(count) / time.Since(start).Seconds(),
		"length": length,
		"hello":  fmt.Sprintf("%x", draw()),
	}
	if err := json.NewEncoder(os.Stdout).Encode(result); err != nil {
		log.Fatal(err)
	}
}

func draw() []byte {
	config := &tls.Config{ServerName: "www.example.com"}
	client := tls.UClient(nil, config, tls.HelloChrome_133)
	if err := client.BuildHandshakeState(); err != nil {
		log.Fatal(err)
	}
	return client.HandshakeState.Hello.Raw
}
