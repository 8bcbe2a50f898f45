//! Requests that are no requests: messages cut short, with bytes changed, or with pieces of one another in them.

use std::ops::Range;

use prost::Message;
use prost::bytes::{Buf, BufMut};
use tonic::{
    Code, Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::http::uri::PathAndQuery,
    transport::Channel,
};

use super::{
    dice::Dice,
    request::{Call, Reach},
};

/// How many requests the frames are made from.
const ORIGINALS: u64 = 400;

/// A request as it goes over the wire, and the call that it belongs to.
#[derive(Clone)]
struct Frame {
    call: &'static str,
    bytes: Vec<u8>,
}

/// Sends frames side by side; each is made from its seed.
pub(crate) async fn send(channel: &Channel, seeds: Range<u64>, lanes: u64) {
    let originals: Vec<Frame> = (0..ORIGINALS).map(|seed| frame(&Call::of(seed, Reach::Alone))).collect();
    let lanes = (0..lanes).map(|lane| {
        let (channel, seeds, originals) = (channel.clone(), seeds.clone(), originals.clone());
        tokio::spawn(async move {
            for seed in seeds.filter(|seed| seed % lanes == lane) {
                let broken = broken(&originals, &mut Dice::new(seed));
                if let Err(status) = ask(&channel, &broken).await {
                    judge(seed, &broken, &status);
                }
            }
        })
    });
    for lane in lanes.collect::<Vec<_>>() {
        lane.await.unwrap();
    }
}

fn frame(call: &Call) -> Frame {
    let (call, bytes) = match call {
        Call::Handshake(request) => ("Handshake", request.encode_to_vec()),
        Call::Attach(request) => ("Attach", request.encode_to_vec()),
        Call::Schema(request) => ("GetSchema", request.encode_to_vec()),
        Call::CheckConfig(request) => ("CheckConfig", request.encode_to_vec()),
        Call::DiffConfig(request) => ("DiffConfig", request.encode_to_vec()),
        Call::Configure(request) => ("Configure", request.encode_to_vec()),
        Call::Check(request) => ("Check", request.encode_to_vec()),
        Call::Diff(request) => ("Diff", request.encode_to_vec()),
        Call::Create(request) => ("Create", request.encode_to_vec()),
        Call::Read(request) => ("Read", request.encode_to_vec()),
        Call::Update(request) => ("Update", request.encode_to_vec()),
        Call::Delete(request) => ("Delete", request.encode_to_vec()),
        Call::Invoke(request) => ("Invoke", request.encode_to_vec()),
        Call::Mapping(request) => ("GetMapping", request.encode_to_vec()),
        Call::Mappings(request) => ("GetMappings", request.encode_to_vec()),
    };
    Frame { call, bytes }
}

fn broken(originals: &[Frame], dice: &mut Dice) -> Frame {
    let mut frame = dice.pick(originals).clone();
    if dice.one_in(20) {
        frame.call = dice.pick(originals).call;
    }
    for _ in 0..=dice.below(3) {
        let position = dice.below(frame.bytes.len() + 1);
        match dice.below(5) {
            0 => frame.bytes.truncate(position),
            1 => frame.bytes.insert(position, 0xFF),
            2 => frame.bytes.extend(&dice.pick(originals).bytes[..]),
            _ if position < frame.bytes.len() => frame.bytes[position] = dice.throw().to_le_bytes()[0],
            _ => {}
        }
    }
    frame
}

/// Tonic answers what is no message with `Internal`, and says what is wrong with it.
fn judge(seed: u64, frame: &Frame, status: &Status) {
    let text = status.message();
    let allowed = match status.code() {
        Code::FailedPrecondition | Code::InvalidArgument | Code::Aborted => true,
        Code::Internal => text.contains("failed to decode Protobuf message"),
        Code::Unknown => !status.details().is_empty(),
        _ => false,
    };
    let lower = text.to_lowercase();
    let fine = allowed
        && !text.is_empty()
        && !["panicked", "crashed", "this bug"].iter().any(|word| lower.contains(word));
    assert!(fine, "seed {seed}: {} answers {status:?} to {:?}", frame.call, frame.bytes);
}

async fn ask(channel: &Channel, frame: &Frame) -> Result<(), Status> {
    let mut grpc = Grpc::new(channel.clone()).max_decoding_message_size(400 << 20);
    grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
    let path = PathAndQuery::try_from(format!("/pulumirpc.ResourceProvider/{}", frame.call)).unwrap();
    grpc.unary(Request::new(frame.bytes.clone()), path, Raw).await.map(drop)
}

/// Bytes as they are.
#[derive(Clone, Copy)]
struct Raw;

impl Codec for Raw {
    type Encode = Vec<u8>;
    type Decode = ();
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, bytes: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&bytes);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = ();
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<()>, Status> {
        buffer.advance(buffer.remaining());
        Ok(Some(()))
    }
}
