//! The crate `bp7` for tests: one request a line on stdin, its answers on stdout, fields separated by spaces, bytes in hex.
//!
//! read BUNDLE              -> ok DESTINATION SOURCE REPORT_TO TIME SEQUENCE LIFETIME_MS PAYLOAD AGAIN
//!                             (AGAIN: the bundle as the crate writes it, check values made anew)
//! random SEED COUNT        -> COUNT lines of that form, of bundles that the crate has made
//! time ROUNDS SIZE         -> ok CRC_TYPE CREATE ENCODE DECODE VALIDATE BUNDLE, for each CRC type: seconds for ROUNDS of each with a
//!                             payload of SIZE bytes; CREATE encodes too, VALIDATE decodes and checks
//!
//! What fails is answered `error TEXT`.

use bp7::bundle::BundleBuilder;
use bp7::canonical::{
    BUNDLE_AGE_BLOCK, CanonicalBlock, CanonicalData, HOP_COUNT_BLOCK, PREVIOUS_NODE_BLOCK,
    new_bundle_age_block, new_canonical_block, new_hop_count_block, new_payload_block,
    new_previous_node_block,
};
use bp7::crc::{CRC_16, CRC_32, CRC_NO, CrcBlock};
use bp7::dtntime::CreationTimestamp;
use bp7::flags::BlockControlFlags;
use bp7::primary::PrimaryBlockBuilder;
use bp7::{Bundle, EndpointID};
use std::convert::TryFrom;
use std::hint::black_box;
use std::io::{BufRead, BufWriter, Write};
use std::time::{Duration, Instant};

type Outcome<T> = Result<T, String>;

fn main() {
    let mut out = BufWriter::new(std::io::stdout().lock());
    let mut input = std::io::stdin().lock();
    let mut line = String::new();
    while input.read_line(&mut line).expect("stdin") > 0 {
        let answer = answer(line.trim_end()).unwrap_or_else(|error| format!("error {error}"));
        writeln!(out, "{}", answer).expect("stdout");
        out.flush().expect("stdout");
        line.clear();
    }
}

fn answer(line: &str) -> Outcome<String> {
    let fields: Vec<&str> = line.split(' ').collect();
    match fields[..] {
        ["read", bundle] => {
            let mut bundle = Bundle::try_from(unhex(bundle)?).map_err(text)?;
            bundle.validate().map_err(|errors| format!("{errors:?}"))?;
            if !bundle.crc_valid() {
                return Err("crc".into());
            }
            Ok(describe(&mut bundle))
        }
        ["random", seed, count] => {
            let mut random = Random(number(seed)?);
            let lines: Vec<String> = (0..number(count)?)
                .map(|_| describe(&mut random_bundle(&mut random)))
                .collect();
            Ok(lines.join("\n"))
        }
        ["time", rounds, size] => {
            let (rounds, size) = (number(rounds)?, number(size)? as usize);
            let lines: Vec<String> = [CRC_NO, CRC_16, CRC_32]
                .iter()
                .map(|crc| time(*crc, rounds, size))
                .collect();
            Ok(lines.join("\n"))
        }
        _ => Err("unknown request".into()),
    }
}

fn describe(bundle: &mut Bundle) -> String {
    let again = bundle.to_cbor();
    let primary = &bundle.primary;
    format!(
        "ok {} {} {} {} {} {} {} {}",
        primary.destination,
        primary.source,
        primary.report_to,
        primary.creation_timestamp.dtntime(),
        primary.creation_timestamp.seqno(),
        primary.lifetime.as_millis(),
        hex(bundle.payload().map_or(&[], |payload| payload)),
        hex(&again)
    )
}

fn random_bundle(random: &mut Random) -> Bundle {
    let crc = [CRC_NO, CRC_16, CRC_32];
    let source = random_endpoint(random);
    let mut flags = [0, 0x20, 0x40, 0x4000, 0x10000, 0x20000, 0x40000]
        .iter()
        .fold(0, |flags, flag| flags | flag * random.below(2));
    let mut payload = random.bytes(40);
    if random.below(20) == 0 {
        payload = random.bytes(70_000);
    }
    let mut primary = PrimaryBlockBuilder::default()
        .destination(random_endpoint(random))
        .source(source.clone())
        .report_to(if random.below(2) == 0 {
            source
        } else {
            random_endpoint(random)
        })
        .creation_timestamp(CreationTimestamp::with_time_and_seq(
            1 + random.wide(),
            random.wide(),
        ))
        .lifetime(Duration::from_millis(random.wide()));
    if random.below(4) == 0 {
        flags |= 1;
        let offset = random.below(1_000_000);
        let length = offset + payload.len() as u64 + random.below(1_000);
        primary = primary
            .fragmentation_offset(offset)
            .total_data_length(length);
    } else if random.below(2) == 0 {
        flags |= 4;
    }
    let primary = primary
        .bundle_control_flags(flags)
        .build()
        .expect("primary");
    let mut blocks = vec![new_payload_block(random_flags(random), payload)];
    let mut number = 2 + random.below(3);
    for _ in 0..random.below(5) {
        blocks.push(random_block(random, number, &blocks));
        number += 1 + random.below(300);
    }
    let mut bundle = BundleBuilder::new()
        .primary(primary)
        .canonicals(blocks)
        .build()
        .expect("bundle");
    bundle.primary.set_crc_type(crc[random.below(3) as usize]);
    for block in &mut bundle.canonicals {
        block.set_crc_type(crc[random.below(3) as usize]);
    }
    bundle.calculate_crc();
    bundle.validate().expect("valid");
    bundle
}

fn random_block(random: &mut Random, number: u64, others: &[CanonicalBlock]) -> CanonicalBlock {
    let flags = random_flags(random);
    let has = |kind| others.iter().any(|block| block.block_type == kind);
    match random.below(4) {
        0 if !has(HOP_COUNT_BLOCK) => {
            new_hop_count_block(number, flags, 1 + random.below(255) as u8)
        }
        1 if !has(BUNDLE_AGE_BLOCK) => new_bundle_age_block(number, flags, random.wide() >> 11),
        2 if !has(PREVIOUS_NODE_BLOCK) => {
            new_previous_node_block(number, flags, random_endpoint(random))
        }
        _ => new_canonical_block(
            20 + random.below(236),
            number,
            flags.bits(),
            CanonicalData::Unknown(random.bytes(300)),
        ),
    }
}

fn random_flags(random: &mut Random) -> BlockControlFlags {
    BlockControlFlags::from_bits_truncate([0, 1, 2, 4, 0x10, 0x17][random.below(6) as usize])
}

fn random_endpoint(random: &mut Random) -> EndpointID {
    if random.below(2) == 0 {
        let node = 1 + (random.wide() >> 32);
        return EndpointID::with_ipn(node, random.wide() >> 32).expect("ipn");
    }
    let services = ["", "in", "~group", "a/b?c=d", "x~!*'();:@&=+$,"];
    let service = services[random.below(5) as usize];
    EndpointID::with_dtn(&format!("node{}.x-y_z/{service}", random.below(100_000))).expect("dtn")
}

fn time(crc: u8, rounds: u64, size: usize) -> String {
    let seconds = |run: &mut dyn FnMut()| {
        let start = Instant::now();
        for _ in 0..rounds {
            run();
        }
        start.elapsed().as_secs_f64()
    };
    let mut bundle = timed_bundle(crc, size);
    let bytes = bundle.to_cbor();
    let create = seconds(&mut || {
        black_box(timed_bundle(black_box(crc), size).to_cbor());
    });
    let encode = seconds(&mut || {
        black_box(bundle.to_cbor());
    });
    let decode = seconds(&mut || {
        black_box(Bundle::try_from(black_box(bytes.as_slice())).expect("bundle"));
    });
    let validate = seconds(&mut || {
        let bundle = Bundle::try_from(black_box(bytes.as_slice())).expect("bundle");
        bundle.validate().expect("valid");
        black_box(bundle);
    });
    let bytes = hex(&bytes);
    format!("ok {crc} {create} {encode} {decode} {validate} {bytes}")
}

/// What `cargo bench` of the crate makes: a payload, and a bundle age.
fn timed_bundle(crc: u8, size: usize) -> Bundle {
    let source = EndpointID::with_dtn("node1/123456").expect("source");
    let primary = PrimaryBlockBuilder::default()
        .destination(EndpointID::with_dtn("node2/inbox").expect("destination"))
        .source(source.clone())
        .report_to(source)
        .creation_timestamp(CreationTimestamp::with_time_and_seq(849_000_000_000, 0))
        .lifetime(Duration::from_secs(60 * 60))
        .build()
        .expect("primary");
    let blocks = vec![
        new_bundle_age_block(2, BlockControlFlags::empty(), 0),
        new_payload_block(BlockControlFlags::empty(), vec![65; size]),
    ];
    let mut bundle = Bundle::new(primary, blocks);
    bundle.set_crc(crc);
    bundle
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e3779b97f4a7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58476d1ce4e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d049bb133111eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// Of any number of bits up to 64.
    fn wide(&mut self) -> u64 {
        let shift = self.below(64);
        self.next() >> shift >> 1
    }

    fn bytes(&mut self, limit: u64) -> Vec<u8> {
        let length = self.below(limit);
        (0..length).map(|_| self.next() as u8).collect()
    }
}

fn number(digits: &str) -> Outcome<u64> {
    digits.parse().map_err(text)
}

fn unhex(digits: &str) -> Outcome<Vec<u8>> {
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(digits.get(at..at + 2).ok_or("odd hex")?, 16).map_err(text))
        .collect()
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut out = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        out.push(DIGITS[usize::from(byte >> 4)] as char);
        out.push(DIGITS[usize::from(byte & 15)] as char);
    }
    out
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string().replace('\n', " ")
}
