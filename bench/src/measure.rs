//! One repetition for one plugin: its start, its life under load, one large request, and its end.

use std::{fmt::Debug, sync::Arc, time::Duration};

use prost::Message;
use tokio::time::{sleep, timeout};
use tonic::{Code, Status, transport::Channel};

use crate::{
    Result,
    client::{self, Call},
    figures::{Figures, Kind, Row},
    plugin::{Plugin, Running},
    process,
    proto::{self, resource_provider_client::ResourceProviderClient},
    requests,
};

/// In one repetition: a start is short, and varies more than the rest.
const STARTS: usize = 3;
const WARM_UP: Duration = Duration::from_millis(500);
const WINDOW: Duration = Duration::from_secs(3);
/// What a plugin gets to come to rest before its memory is read.
const REST: Duration = Duration::from_millis(500);
/// Only against hanging.
const PATIENCE: Duration = Duration::from_secs(30);
const MIB: f64 = 1_048_576.0;

pub(crate) struct Plan<'a> {
    pub(crate) engine: String,
    pub(crate) plugins: &'a [Plugin],
}

impl Plan<'_> {
    pub(crate) async fn measure(&self, which: usize, figures: &mut Figures) -> Result<()> {
        let plugin = &self.plugins[which];
        let mut note = |row, value| figures.note(row, which, value);
        if let Some(bytes) = plugin.size()? {
            note(Row::Size, mebibytes(bytes));
        }
        for _ in 0..STARTS {
            self.start_and_end(plugin, &mut note).await?;
        }
        self.life(plugin, &mut note).await?;
        self.large(plugin, &mut note).await
    }

    async fn start_and_end(&self, plugin: &Plugin, note: &mut impl FnMut(Row, f64)) -> Result<()> {
        let running = plugin.start(&self.engine)?;
        note(Row::Port, milliseconds(running.port_after));
        note(Row::PortCpu, milliseconds(running.cpu));
        let channel = client::connect(running.port).await?;
        let configure = timeout(PATIENCE, begin(&channel)).await??;
        note(Row::Ready, milliseconds(running.started.elapsed()));
        note(Row::Configure, milliseconds(configure));
        plugin.check().once(&channel).await?;
        note(Row::FirstCheck, milliseconds(running.started.elapsed()));
        end(running, channel, note).await
    }

    async fn life(&self, plugin: &Plugin, note: &mut impl FnMut(Row, f64)) -> Result<()> {
        let running = plugin.start(&self.engine)?;
        let id = running.id();
        sleep(REST).await;
        note(Row::Idle, mebibytes(process::memory(id)));
        let channel = client::connect(running.port).await?;
        timeout(PATIENCE, begin(&channel)).await??;
        sleep(REST).await;
        note(Row::Configured, mebibytes(process::memory(id)));
        load(Kind::Check, plugin.check(), &running, &channel, note).await?;
        load(Kind::DiffUnchanged, plugin.diff_unchanged(), &running, &channel, note).await?;
        load(Kind::DiffChanged, plugin.diff_changed(), &running, &channel, note).await?;
        sleep(REST).await;
        note(Row::Loaded, mebibytes(process::memory(id)));
        note(Row::Peak, mebibytes(process::peak(id)));
        end(running, channel, note).await
    }

    /// In a process of its own, because what it takes shows in the peak of all that comes after.
    async fn large(&self, plugin: &Plugin, note: &mut impl FnMut(Row, f64)) -> Result<()> {
        let running = plugin.start(&self.engine)?;
        let channel = client::connect(running.port).await?;
        timeout(PATIENCE, begin(&channel)).await??;
        let check = plugin.large_check();
        let asked = std::time::Instant::now();
        check.once(&channel).await?;
        note(Row::Large, asked.elapsed().as_secs_f64());
        note(Row::LargePeak, mebibytes(process::peak(running.id())));
        drop(channel);
        running.end().map(drop)
    }
}

/// What the engine asks before the first resource. It takes no for an answer, except from Configure, whose time this is.
pub(crate) async fn begin(channel: &Channel) -> Result<Duration> {
    let mut client = ResourceProviderClient::new(channel.clone());
    optional(client.handshake(proto::ProviderHandshakeRequest::default()).await)?;
    optional(client.get_plugin_info(()).await)?;
    optional(client.check_config(requests::check_config()).await)?;
    optional(client.diff_config(requests::diff_config()).await)?;
    let asked = std::time::Instant::now();
    client.configure(requests::configure()).await?;
    Ok(asked.elapsed())
}

fn optional<T>(answer: std::result::Result<T, Status>) -> Result<()> {
    match answer {
        Err(status) if status.code() != Code::Unimplemented => Err(status.into()),
        _ => Ok(()),
    }
}

async fn load<T: Message + Default + Debug + 'static>(
    kind: Kind,
    call: Call<T>,
    running: &Running,
    channel: &Channel,
    note: &mut impl FnMut(Row, f64),
) -> Result<()> {
    let call = Arc::new(call);
    for at_once in [1, 64] {
        client::load(&call, channel, at_once, WARM_UP).await?;
        let before = process::cpu(running.id());
        let load = client::load(&call, channel, at_once, WINDOW).await?;
        let spent = process::cpu(running.id()).saturating_sub(before);
        note(Row::PerSecond(kind, at_once), load.per_second);
        note(Row::Median(kind, at_once), milliseconds(load.percentile(50)));
        note(Row::Slowest(kind, at_once), milliseconds(load.percentile(99)));
        let each = spent.as_secs_f64() * 1e6 / crate::figures::count(load.requests);
        note(Row::Cpu(kind, at_once), each);
    }
    Ok(())
}

/// The connection is closed first, as the engine does. The runtime gets a moment to do it.
async fn end(running: Running, channel: Channel, note: &mut impl FnMut(Row, f64)) -> Result<()> {
    drop(channel);
    sleep(Duration::from_millis(20)).await;
    note(Row::End, milliseconds(running.end()?));
    Ok(())
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

#[allow(clippy::cast_precision_loss, reason = "no file and no memory here has 2^53 bytes")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / MIB
}
