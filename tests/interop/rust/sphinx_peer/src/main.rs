//! Nym's crate `sphinx-packet` for tests: one request a line on stdin, one answer a line on stdout, fields in hex and
//! separated by spaces. A route is `address,publicKey,delayNs` for each hop, separated by `;`.
//!
//! build PAYLOAD_SIZE ROUTE DESTINATION IDENTIFIER MESSAGE        -> ok PACKET
//! unwrap PRIVATE_KEY PACKET                                      -> forward ADDRESS DELAY_NS PACKET
//!                                                                 | final DESTINATION IDENTIFIER PAYLOAD
//! recover PAYLOAD                                                -> ok MESSAGE
//! surb ROUTE DESTINATION IDENTIFIER                              -> ok SURB HANDLE
//! reply PAYLOAD_SIZE SURB MESSAGE                                -> ok PACKET ADDRESS
//! unseal HANDLE PAYLOAD                                          -> ok MESSAGE
//! time PRIVATE_KEY ROUNDS PACKET...                              -> ok SECONDS   (to unwrap each, ROUNDS times)
//!
//! What fails is answered `error TEXT`.

use sphinx_packet::header::delays::Delay;
use sphinx_packet::packet::builder::SphinxPacketBuilder;
use sphinx_packet::payload::Payload;
use sphinx_packet::route::{Destination, DestinationAddressBytes, Node, NodeAddressBytes};
use sphinx_packet::surb::{SURB, SURBMaterial, SurbReplyRecovery};
use sphinx_packet::version::SINGLE_SEED_SURB_VERSION;
use sphinx_packet::{ProcessedPacketData, SphinxPacket};
use std::io::{BufRead, Write};
use std::time::Instant;
use x25519_dalek::{PublicKey, StaticSecret};

type Outcome<T> = Result<T, String>;

fn main() {
    let mut kept = Vec::new();
    let mut out = std::io::stdout().lock();
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("stdin");
        let answer = answer(&line, &mut kept).unwrap_or_else(|error| format!("error {error}"));
        writeln!(out, "{}", answer.replace('\n', " ")).expect("stdout");
        out.flush().expect("stdout");
    }
}

fn answer(line: &str, kept: &mut Vec<SurbReplyRecovery>) -> Outcome<String> {
    let fields: Vec<&str> = line.split(' ').collect();
    match fields[..] {
        ["build", size, route, destination, identifier, message] => {
            let (nodes, delays) = parse_route(route)?;
            let packet = SphinxPacketBuilder::new()
                .with_payload_size(number(size)? as usize)
                .build_packet(
                    unhex(message)?,
                    &nodes,
                    &parse_destination(destination, identifier)?,
                    &delays,
                )
                .map_err(text)?;
            Ok(format!("ok {}", hex(&packet.to_bytes())))
        }
        ["unwrap", key, packet] => {
            let packet = SphinxPacket::from_bytes(&unhex(packet)?).map_err(text)?;
            let key = StaticSecret::from(array::<32>(key)?);
            match packet.process(&key).map_err(text)?.data {
                ProcessedPacketData::ForwardHop {
                    next_hop_packet,
                    next_hop_address,
                    delay,
                } => Ok(format!(
                    "forward {} {} {}",
                    hex(&next_hop_address.to_bytes()),
                    delay.to_nanos(),
                    hex(&next_hop_packet.to_bytes())
                )),
                ProcessedPacketData::FinalHop {
                    destination,
                    identifier,
                    payload,
                } => Ok(format!(
                    "final {} {} {}",
                    hex(&destination.as_bytes()),
                    hex(&identifier),
                    hex(payload.as_bytes())
                )),
            }
        }
        ["recover", payload] => {
            let payload = Payload::from_bytes(&unhex(payload)?).map_err(text)?;
            Ok(format!(
                "ok {}",
                hex(&payload.recover_plaintext().map_err(text)?)
            ))
        }
        ["surb", route, destination, identifier] => {
            let (nodes, delays) = parse_route(route)?;
            let destination = parse_destination(destination, identifier)?;
            let (surb, recovery) =
                SURBMaterial::new(nodes, delays, destination, SINGLE_SEED_SURB_VERSION)
                    .construct_recoverable_SURB()
                    .map_err(text)?;
            kept.push(recovery);
            Ok(format!("ok {} {}", hex(&surb.to_bytes()), kept.len() - 1))
        }
        ["reply", size, surb, message] => {
            let surb = SURB::from_bytes(&unhex(surb)?).map_err(text)?;
            let (packet, address) = surb
                .use_surb(&unhex(message)?, number(size)? as usize)
                .map_err(text)?;
            Ok(format!(
                "ok {} {}",
                hex(&packet.to_bytes()),
                hex(&address.to_bytes())
            ))
        }
        ["unseal", handle, payload] => {
            let recovery = kept.get(number(handle)? as usize).ok_or("no such handle")?;
            let payload = Payload::from_bytes(&unhex(payload)?).map_err(text)?;
            Ok(format!(
                "ok {}",
                hex(&recovery.recover_plaintext(payload).map_err(text)?)
            ))
        }
        ["time", key, rounds, ..] => {
            let key = StaticSecret::from(array::<32>(key)?);
            let packets = fields[3..]
                .iter()
                .map(|packet| unhex(packet))
                .collect::<Outcome<Vec<_>>>()?;
            let start = Instant::now();
            for _ in 0..number(rounds)? {
                for bytes in &packets {
                    let packet = SphinxPacket::from_bytes(bytes).map_err(text)?;
                    std::hint::black_box(packet.process(&key).map_err(text)?);
                }
            }
            Ok(format!("ok {}", start.elapsed().as_secs_f64()))
        }
        _ => Err("no such request".into()),
    }
}

fn parse_route(route: &str) -> Outcome<(Vec<Node>, Vec<Delay>)> {
    let hops = route.split(';').map(|hop| {
        let [address, key, delay] = hop.split(',').collect::<Vec<_>>()[..] else {
            return Err("want address,key,delay".to_string());
        };
        let node = Node::new(
            NodeAddressBytes::from_bytes(array::<32>(address)?),
            PublicKey::from(array::<32>(key)?),
        );
        Ok((node, Delay::from_bytes(number(delay)?.to_be_bytes())))
    });
    Ok(hops.collect::<Outcome<Vec<_>>>()?.into_iter().unzip())
}

fn parse_destination(address: &str, identifier: &str) -> Outcome<Destination> {
    let address = DestinationAddressBytes::from_bytes(array::<32>(address)?);
    Ok(Destination::new(address, array::<16>(identifier)?))
}

fn number(text: &str) -> Outcome<u64> {
    text.parse().map_err(|_| "want a number".into())
}

fn array<const N: usize>(text: &str) -> Outcome<[u8; N]> {
    unhex(text)?
        .try_into()
        .map_err(|_| format!("want {N} bytes"))
}

fn unhex(text: &str) -> Outcome<Vec<u8>> {
    let digits = text.as_bytes().chunks(2);
    digits
        .map(|pair| {
            let pair = std::str::from_utf8(pair).map_err(|_| "want hex")?;
            u8::from_str_radix(pair, 16).map_err(|_| "want hex".to_string())
        })
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}
