//! The client: requests are encoded once, and every answer is decoded and judged.

use std::{
    fmt::Debug,
    marker::PhantomData,
    sync::Arc,
    time::{Duration, Instant},
};

use prost::{Message, bytes::BufMut};
use tokio::{task::JoinSet, time::timeout};
use tonic::{
    Request, Status,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::{Bytes, http::uri::PathAndQuery},
    transport::{Channel, Endpoint},
};

use crate::Result;

const MESSAGE: usize = 400 << 20;
/// Only against hanging.
const PATIENCE: Duration = Duration::from_mins(2);

/// A request that is made again and again.
pub(crate) struct Call<T> {
    path: PathAndQuery,
    request: Bytes,
    is_right: Box<dyn Fn(&T) -> bool + Send + Sync>,
}

/// What a window of requests took.
pub(crate) struct Load {
    pub(crate) per_second: f64,
    pub(crate) requests: usize,
    /// Of one request, in ascending order.
    latencies: Vec<Duration>,
}

impl Load {
    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        let last = self.latencies.len().saturating_sub(1);
        self.latencies.get(last * percent / 100).copied().unwrap_or_default()
    }
}

pub(crate) async fn connect(port: u16) -> Result<Channel> {
    let endpoint = Endpoint::from_shared(format!("http://127.0.0.1:{port}"))?;
    Ok(timeout(PATIENCE, endpoint.tcp_nodelay(true).connect()).await??)
}

impl<T: Message + Default + Debug + 'static> Call<T> {
    pub(crate) fn new(
        method: &'static str,
        request: &impl Message,
        is_right: impl Fn(&T) -> bool + Send + Sync + 'static,
    ) -> Self {
        let path = match method {
            "Check" => PathAndQuery::from_static("/pulumirpc.ResourceProvider/Check"),
            _ => PathAndQuery::from_static("/pulumirpc.ResourceProvider/Diff"),
        };
        Self { path, request: request.encode_to_vec().into(), is_right: Box::new(is_right) }
    }

    pub(crate) async fn once(&self, channel: &Channel) -> Result<()> {
        timeout(PATIENCE, self.make(channel.clone())).await?.map_err(Into::into)
    }

    async fn make(&self, channel: Channel) -> std::result::Result<(), Status> {
        let mut client =
            Grpc::new(channel).max_decoding_message_size(MESSAGE).max_encoding_message_size(MESSAGE);
        client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
        let request = Request::new(self.request.clone());
        let answer = client.unary(request, self.path.clone(), Encoded(PhantomData)).await?;
        if (self.is_right)(answer.get_ref()) {
            return Ok(());
        }
        Err(Status::internal(format!("a wrong answer: {:.2000}", format!("{:?}", answer.get_ref()))))
    }
}

/// As many requests as come through when so many are under way at any time.
pub(crate) async fn load<T: Message + Default + Debug + 'static>(
    call: &Arc<Call<T>>,
    channel: &Channel,
    at_once: usize,
    window: Duration,
) -> Result<Load> {
    let begin = Instant::now();
    let mut callers = JoinSet::new();
    for _ in 0..at_once {
        let (call, channel) = (Arc::clone(call), channel.clone());
        callers.spawn(async move {
            let mut latencies = Vec::new();
            while begin.elapsed() < window {
                let asked = Instant::now();
                call.make(channel.clone()).await?;
                latencies.push(asked.elapsed());
            }
            Ok::<_, Status>(latencies)
        });
    }
    let mut latencies = Vec::new();
    while let Some(caller) = timeout(window + PATIENCE, callers.join_next()).await? {
        latencies.extend(caller??);
    }
    let took = begin.elapsed();
    latencies.sort_unstable();
    let requests = latencies.len();
    Ok(Load { per_second: crate::figures::count(requests) / took.as_secs_f64(), requests, latencies })
}

/// Requests go out as they are; answers are decoded.
#[derive(Clone)]
struct Encoded<T>(PhantomData<T>);

impl<T: Message + Default + 'static> Codec for Encoded<T> {
    type Encode = Bytes;
    type Decode = T;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self(PhantomData)
    }

    fn decoder(&mut self) -> Self {
        Self(PhantomData)
    }
}

impl<T> Encoder for Encoded<T> {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, item: Bytes, buffer: &mut EncodeBuf<'_>) -> std::result::Result<(), Status> {
        buffer.put(item);
        Ok(())
    }
}

impl<T: Message + Default> Decoder for Encoded<T> {
    type Item = T;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> std::result::Result<Option<T>, Status> {
        T::decode(buffer).map(Some).map_err(|error| Status::internal(error.to_string()))
    }
}
