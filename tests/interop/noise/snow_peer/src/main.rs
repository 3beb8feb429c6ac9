//! A Noise peer for tests, on snow.
//!
//! snow_peer PROTOCOL initiator|responder PRIVATE_KEY REMOTE_KEY|- PROLOGUE   (keys and prologue in hex)
//!
//! Prints `PORT n`, takes one connection on 127.0.0.1, and frames every message with its length as u16 big-endian.
//! Handshake message i carries the payload "snow i". Afterwards prints `HASH h` and `REMOTE k`, then echoes every
//! transport message; after echoing "rekey" it rekeys both directions. In pattern N, where it may not answer, it echoes in clear.

use ml_kem::kem::{Decapsulate, DecapsulationKey, Encapsulate, EncapsulationKey};
use ml_kem::{EncodedSizeUser, KemCore, MlKem768, MlKem768Params};
use rand_core::OsRng;
use snow::params::{CipherChoice, DHChoice, HashChoice, KemChoice, NoiseParams};
use snow::resolvers::{CryptoResolver, DefaultResolver};
use snow::types::{Cipher, Dh, Hash, Kem, Random};
use snow::{Builder, Error};
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Outcome<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [protocol, role, private, remote, prologue] = &args[..] else {
        return Err("want PROTOCOL ROLE PRIVATE REMOTE PROLOGUE".into());
    };
    let (private, prologue) = (unhex(private)?, unhex(prologue)?);
    let remote = if remote == "-" {
        None
    } else {
        Some(unhex(remote)?)
    };
    let mut builder = Builder::with_resolver(params(protocol)?, Box::new(Resolver))
        .local_private_key(&private)?
        .prologue(&prologue)?;
    if let Some(remote) = &remote {
        builder = builder.remote_public_key(remote)?;
    }
    let mut noise = if role == "initiator" {
        builder.build_initiator()?
    } else {
        builder.build_responder()?
    };

    let listener = TcpListener::bind("127.0.0.1:0")?;
    println!("PORT {}", listener.local_addr()?.port());
    let (mut socket, _) = listener.accept()?;
    let mut buffer = vec![0; 65535];
    let mut index = 0;
    while !noise.is_handshake_finished() {
        if noise.is_my_turn() {
            let length = noise.write_message(format!("snow {index}").as_bytes(), &mut buffer)?;
            send(&mut socket, &buffer[..length])?;
        } else {
            noise.read_message(&receive(&mut socket)?, &mut buffer)?;
        }
        index += 1;
    }
    println!("HASH {}", hex(noise.get_handshake_hash()));
    println!(
        "REMOTE {}",
        noise.get_remote_static().map_or("-".to_owned(), hex)
    );

    let one_way = protocol.starts_with("Noise_N_");
    let mut transport = noise.into_transport_mode()?;
    let mut plaintext = vec![0; 65535];
    while let Ok(message) = receive(&mut socket) {
        let length = transport.read_message(&message, &mut plaintext)?;
        if one_way {
            send(&mut socket, &plaintext[..length])?;
            continue;
        }
        let sealed = transport.write_message(&plaintext[..length], &mut buffer)?;
        send(&mut socket, &buffer[..sealed])?;
        if &plaintext[..length] == b"rekey" {
            transport.rekey_incoming();
            transport.rekey_outgoing();
        }
    }
    Ok(())
}

/// snow knows the name of one KEM only; its parsed parameters keep ours as the name, and `Resolver` gives ML-KEM-768.
fn params(protocol: &str) -> Outcome<NoiseParams> {
    let mut params: NoiseParams = protocol.replace("MLKEM768", "Kyber1024").parse()?;
    params.name = protocol.to_owned();
    Ok(params)
}

fn send(socket: &mut TcpStream, message: &[u8]) -> std::io::Result<()> {
    socket.write_all(&[&(message.len() as u16).to_be_bytes(), message].concat())
}

fn receive(socket: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut length = [0; 2];
    socket.read_exact(&mut length)?;
    let mut message = vec![0; u16::from_be_bytes(length).into()];
    socket.read_exact(&mut message)?;
    Ok(message)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Outcome<Vec<u8>> {
    let digits = |at| u8::from_str_radix(&text[at..at + 2], 16);
    Ok((0..text.len())
        .step_by(2)
        .map(digits)
        .collect::<Result<_, _>>()?)
}

struct Resolver;

impl CryptoResolver for Resolver {
    fn resolve_rng(&self) -> Option<Box<dyn Random>> {
        DefaultResolver.resolve_rng()
    }
    fn resolve_dh(&self, choice: &DHChoice) -> Option<Box<dyn Dh>> {
        DefaultResolver.resolve_dh(choice)
    }
    fn resolve_hash(&self, choice: &HashChoice) -> Option<Box<dyn Hash>> {
        DefaultResolver.resolve_hash(choice)
    }
    fn resolve_cipher(&self, choice: &CipherChoice) -> Option<Box<dyn Cipher>> {
        DefaultResolver.resolve_cipher(choice)
    }
    fn resolve_kem(&self, _: &KemChoice) -> Option<Box<dyn Kem>> {
        Some(Box::new(MlKem {
            key: None,
            public: Vec::new(),
        }))
    }
}

struct MlKem {
    key: Option<DecapsulationKey<MlKem768Params>>,
    public: Vec<u8>,
}

impl Kem for MlKem {
    fn name(&self) -> &'static str {
        "MLKEM768"
    }
    fn pub_len(&self) -> usize {
        1184
    }
    fn ciphertext_len(&self) -> usize {
        1088
    }
    fn shared_secret_len(&self) -> usize {
        32
    }
    fn generate(&mut self, _: &mut dyn Random) {
        let (key, public) = MlKem768::generate(&mut OsRng);
        self.public = public.as_bytes().to_vec();
        self.key = Some(key);
    }
    fn pubkey(&self) -> &[u8] {
        &self.public
    }
    fn encapsulate(
        &self,
        key: &[u8],
        secret: &mut [u8],
        out: &mut [u8],
    ) -> Result<(usize, usize), Error> {
        let key = key.try_into().map_err(|_| Error::Kem)?;
        let key = EncapsulationKey::<MlKem768Params>::from_bytes(&key);
        let (ciphertext, shared) = key.encapsulate(&mut OsRng).map_err(|_| Error::Kem)?;
        out.copy_from_slice(&ciphertext);
        secret.copy_from_slice(&shared);
        Ok((shared.len(), ciphertext.len()))
    }
    fn decapsulate(&self, ciphertext: &[u8], secret: &mut [u8]) -> Result<usize, Error> {
        let ciphertext = ciphertext.try_into().map_err(|_| Error::Kem)?;
        let key = self.key.as_ref().ok_or(Error::Kem)?;
        let shared = key.decapsulate(&ciphertext).map_err(|_| Error::Kem)?;
        secret.copy_from_slice(&shared);
        Ok(shared.len())
    }
}
