// A Noise peer for tests, on flynn/noise. Arguments and behaviour are those of snow_peer, with payloads "flynn i";
// it has no hybrid form.
package main

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strings"

	"github.com/flynn/noise"
	"golang.org/x/crypto/curve25519"
)

func main() {
	if len(os.Args) != 6 {
		log.Fatal("want PROTOCOL ROLE PRIVATE REMOTE PROLOGUE")
	}
	state, err := noise.NewHandshakeState(config(os.Args[1:]))
	check(err)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	fmt.Println("PORT", listener.Addr().(*net.TCPAddr).Port)
	socket, err := listener.Accept()
	check(err)

	initiator := os.Args[2] == "initiator"
	var first, second *noise.CipherState
	for index := 0; first == nil; index++ {
		if (index%2 == 0) == initiator {
			var message []byte
			message, first, second, err = state.WriteMessage(nil, []byte(fmt.Sprint("flynn ", index)))
			check(err)
			send(socket, message)
		} else {
			_, first, second, err = state.ReadMessage(nil, receive(socket))
			check(err)
		}
	}
	fmt.Printf("HASH %x\n", state.ChannelBinding())
	fmt.Printf("REMOTE %x\n", state.PeerStatic())

	outgoing, incoming := first, second
	if !initiator {
		outgoing, incoming = second, first
	}
	for {
		plaintext, err := incoming.Decrypt(nil, nil, receive(socket))
		check(err)
		message, err := outgoing.Encrypt(nil, nil, plaintext)
		check(err)
		send(socket, message)
		if string(plaintext) == "rekey" {
			incoming.Rekey()
			outgoing.Rekey()
		}
	}
}

func config(args []string) noise.Config {
	name := strings.Split(args[0], "_")
	hash := map[string]noise.HashFunc{"SHA256": noise.HashSHA256, "BLAKE2s": noise.HashBLAKE2s}[name[4]]
	pattern := map[string]noise.HandshakePattern{
		"XK": noise.HandshakeXK, "XX": noise.HandshakeXX, "IK": noise.HandshakeIK,
	}[name[1]]
	private := unhex(args[2])
	public, err := curve25519.X25519(private, curve25519.Basepoint)
	check(err)
	config := noise.Config{
		CipherSuite:   noise.NewCipherSuite(noise.DH25519, noise.CipherChaChaPoly, hash),
		Pattern:       pattern,
		Initiator:     args[1] == "initiator",
		StaticKeypair: noise.DHKey{Private: private, Public: public},
		Prologue:      unhex(args[4]),
	}
	if args[3] != "-" {
		config.PeerStatic = unhex(args[3])
	}
	return config
}

func send(socket net.Conn, message []byte) {
	_, err := socket.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(message))), message...))
	check(err)
}

func receive(socket net.Conn) []byte {
	length := make([]byte, 2)
	if _, err := io.ReadFull(socket, length); err == io.EOF {
		os.Exit(0)
	}
	message := make([]byte, binary.BigEndian.Uint16(length))
	_, err := io.ReadFull(socket, message)
	check(err)
	return message
}

func unhex(text string) []byte {
	bytes, err := hex.DecodeString(text)
	check(err)
	return bytes
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
