//! Open streams: agreeing with a device on a format, and carrying samples between its callback and a
//! lock-free ring. The callbacks never block.

use std::mem::ManuallyDrop;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

use cpal::traits::{DeviceTrait, StreamTrait};
use cpal::{BufferSize, ErrorKind, FromSample, Host, HostId, Sample, SampleFormat, SizedSample, Stream, StreamConfig};
use rtrb::{Consumer, Producer, RingBuffer};

use super::backend::{self, Target};
use super::{Direction, SAMPLE_RATE, convert};

/// A server that hangs is left alone after this time.
const TIMEOUT: Duration = Duration::from_secs(2);

/// Callbacks a second that are asked for. The default of PulseAudio would be one in two seconds.
const PERIODS: u32 = 100;

/// Parts of a second that fit in the ring: half a second, far more than any card's callback. A
/// loudspeaker fills it as far as it must; a microphone's is emptied at each callback.
const RING: u32 = 2;

/// Why a stream could not be opened.
#[derive(Debug, thiserror::Error)]
pub(super) enum StreamError {
    #[error("the device is not there any more")]
    Missing,
    #[error("its samples are {0}, which is not supported")]
    Format(SampleFormat),
    #[error(transparent)]
    Backend(#[from] cpal::Error),
}

impl StreamError {
    /// Other samples, or other callbacks, might be welcome.
    fn is_about_format(&self) -> bool {
        use ErrorKind::{DeviceBusy, DeviceNotAvailable, HostUnavailable, PermissionDenied, StreamInvalidated};
        let Self::Backend(error) = self else { return false };
        !matches!(
            error.kind(),
            DeviceBusy | DeviceNotAvailable | HostUnavailable | PermissionDenied | StreamInvalidated
        )
    }
}

/// What the callbacks of one stream tell the thread that the stream belongs to.
#[derive(Debug)]
pub(super) struct Signals {
    callbacks: AtomicU64,
    /// Most frames of a callback, since last asked.
    largest: AtomicUsize,
    /// Callbacks that found the ring too empty, or too full, since last asked.
    misses: AtomicU64,
    failed: AtomicBool,
    worker: Thread,
}

impl Signals {
    /// To the calling thread.
    pub(super) fn new() -> Self {
        Self {
            callbacks: AtomicU64::new(0),
            largest: AtomicUsize::new(0),
            misses: AtomicU64::new(0),
            failed: AtomicBool::new(false),
            worker: thread::current(),
        }
    }

    pub(super) fn callbacks(&self) -> u64 {
        self.callbacks.load(Ordering::Relaxed)
    }

    pub(super) fn failed(&self) -> bool {
        self.failed.load(Ordering::Relaxed)
    }

    pub(super) fn take_largest(&self) -> usize {
        self.largest.swap(0, Ordering::Relaxed)
    }

    pub(super) fn take_misses(&self) -> u64 {
        self.misses.swap(0, Ordering::Relaxed)
    }

    fn called(&self, frames: usize) {
        self.callbacks.fetch_add(1, Ordering::Relaxed);
        self.largest.fetch_max(frames, Ordering::Relaxed);
        self.worker.unpark();
    }

    fn missed(&self) {
        self.misses.fetch_add(1, Ordering::Relaxed);
    }

    fn error(&self, error: &cpal::Error) {
        match error.kind() {
            ErrorKind::Xrun => self.missed(),
            // The stream goes on.
            ErrorKind::DeviceChanged | ErrorKind::RealtimeDenied => {}
            _ => self.failed.store(true, Ordering::Relaxed),
        }
        self.worker.unpark();
    }
}

/// A stream that runs, and our end of its ring: mono samples at the device's rate.
pub(super) struct OpenStream<End> {
    pub(super) end: End,
    pub(super) rate: u32,
    _running: RunningStream,
}

impl<End> OpenStream<End> {
    /// With something around its end that also needs the rate.
    pub(super) fn map<Other>(self, wrap: impl FnOnce(End, u32) -> Other) -> OpenStream<Other> {
        OpenStream { end: wrap(self.end, self.rate), rate: self.rate, _running: self._running }
    }
}

/// The parts of a stream that block when they are dropped. The stream is the last to go: the server's
/// answer to its end is what ends the thread of the connection. On a machine that is very busy the
/// answer comes too soon, and that thread stays until the server ends (pulseaudio 0.3.2).
struct RunningStream(Option<(Host, Stream)>);

impl Drop for RunningStream {
    fn drop(&mut self) {
        // The driver of a stream that its server ended, or of a server that hangs, may never return. So
        // this is done on a thread of its own; without threads, the stream is better leaked.
        let parts = self.0.take().map(ManuallyDrop::new);
        let close = move || drop(parts.map(ManuallyDrop::into_inner));
        let _ = thread::Builder::new().name("card-close".into()).spawn(close);
    }
}

/// Opens a device for playing. Blocks for as long as the server hangs.
pub(super) fn open_output(target: &Target, signals: &Arc<Signals>) -> Result<OpenStream<Producer<f32>>, StreamError> {
    open(target, Direction::Output, |device, config, format| {
        let (producer, ring) = RingBuffer::new((config.sample_rate / RING) as usize);
        let outlet =
            PlaybackRing { ring, channels: config.channels.into(), primed: false, signals: Arc::clone(signals) };
        let stream = match format {
            SampleFormat::F32 => outlet.build::<f32>(device, config),
            SampleFormat::I16 => outlet.build::<i16>(device, config),
            SampleFormat::I24 => outlet.build::<cpal::I24>(device, config),
            SampleFormat::I32 => outlet.build::<i32>(device, config),
            SampleFormat::U8 => outlet.build::<u8>(device, config),
            other => return Err(StreamError::Format(other)),
        }?;
        Ok((stream, producer, config.sample_rate))
    })
}

/// Opens a device for recording. Blocks until it brings the first samples.
pub(super) fn open_input(target: &Target, signals: &Arc<Signals>) -> Result<OpenStream<Consumer<f32>>, StreamError> {
    open(target, Direction::Input, |device, config, format| {
        let (ring, consumer) = RingBuffer::new((config.sample_rate / RING) as usize);
        let inlet = Inlet { ring, channels: config.channels.into(), signals: Arc::clone(signals) };
        let stream = match format {
            SampleFormat::F32 => inlet.build::<f32>(device, config),
            SampleFormat::I16 => inlet.build::<i16>(device, config),
            SampleFormat::I24 => inlet.build::<cpal::I24>(device, config),
            SampleFormat::I32 => inlet.build::<i32>(device, config),
            SampleFormat::U8 => inlet.build::<u8>(device, config),
            other => return Err(StreamError::Format(other)),
        }?;
        Ok((stream, consumer, config.sample_rate))
    })
}

/// A stream that was built, our end of its ring, and its rate.
type Built<End> = (Stream, End, u32);

fn open<End>(
    target: &Target,
    direction: Direction,
    build: impl Fn(&cpal::Device, StreamConfig, SampleFormat) -> Result<Built<End>, StreamError>,
) -> Result<OpenStream<End>, StreamError> {
    let host = backend::host(target)?;
    let device = backend::find(&host, target, direction)?.ok_or(StreamError::Missing)?;
    let (stream, end, rate) = negotiate(&device, direction, |channels, sample_rate, format| {
        let buffer_size = BufferSize::Fixed((sample_rate / PERIODS).max(1));
        let config = StreamConfig { channels, sample_rate, buffer_size };
        match build(&device, config, format) {
            // A card may know its own periods only; PulseAudio knows all, and its default is of no use.
            Err(error) if error.is_about_format() && target.backend == HostId::Alsa => {
                build(&device, StreamConfig { buffer_size: BufferSize::Default, ..config }, format)
            }
            built => built,
        }
    })?;
    let running = RunningStream(Some((host, stream)));
    if let Some((_, stream)) = &running.0 {
        stream.play()?;
    }
    Ok(OpenStream { end, rate, _running: running })
}

/// Tries what needs no conversion, then what the device itself would take.
fn negotiate<Made>(
    device: &cpal::Device,
    direction: Direction,
    attempt: impl Fn(u16, u32, SampleFormat) -> Result<Made, StreamError>,
) -> Result<Made, StreamError> {
    match attempt(1, SAMPLE_RATE, SampleFormat::F32) {
        Err(error) if error.is_about_format() => {
            let own = match direction {
                Direction::Output => device.default_output_config(),
                Direction::Input => device.default_input_config(),
            }?;
            attempt(own.channels(), own.sample_rate(), own.sample_format())
        }
        made => made,
    }
}

/// The callback's end of a loudspeaker's ring.
struct PlaybackRing {
    ring: Consumer<f32>,
    channels: usize,
    /// There was something in the ring once: from now on, less than enough is an underrun.
    primed: bool,
    signals: Arc<Signals>,
}

impl PlaybackRing {
    fn build<T: SizedSample + FromSample<f32>>(
        mut self,
        device: &cpal::Device,
        config: StreamConfig,
    ) -> Result<Stream, cpal::Error> {
        let signals = Arc::clone(&self.signals);
        let play = move |out: &mut [T], _: &cpal::OutputCallbackInfo| self.play(out);
        device.build_output_stream(config, play, move |error| signals.error(&error), Some(TIMEOUT))
    }

    fn play<T: Sample + FromSample<f32>>(&mut self, out: &mut [T]) {
        let frames = out.len() / self.channels;
        let ready = self.ring.slots().min(frames);
        let mut samples = self.ring.read_chunk(ready).into_iter().flatten();
        for frame in out.chunks_mut(self.channels) {
            let sample = samples.next().map_or(T::EQUILIBRIUM, T::from_sample);
            convert::spread(sample, frame);
        }
        // Their room is free from here on, before the worker is woken to fill it.
        drop(samples);
        if self.primed && ready < frames {
            self.signals.missed();
        }
        self.primed |= ready > 0;
        self.signals.called(frames);
    }
}

/// The callback's end of a microphone's ring.
struct Inlet {
    ring: Producer<f32>,
    channels: usize,
    signals: Arc<Signals>,
}

impl Inlet {
    fn build<T: SizedSample>(mut self, device: &cpal::Device, config: StreamConfig) -> Result<Stream, cpal::Error>
    where
        f32: FromSample<T>,
    {
        let signals = Arc::clone(&self.signals);
        let record = move |samples: &[T], _: &cpal::InputCallbackInfo| self.record(samples);
        device.build_input_stream(config, record, move |error| signals.error(&error), Some(TIMEOUT))
    }

    fn record<T: Sample>(&mut self, samples: &[T])
    where
        f32: FromSample<T>,
    {
        let frames = samples.len() / self.channels;
        let room = self.ring.slots().min(frames);
        if let Ok(chunk) = self.ring.write_chunk_uninit(room) {
            chunk.fill_from_iter(samples.chunks_exact(self.channels).map(convert::average));
        }
        if room < frames {
            self.signals.missed();
        }
        self.signals.called(frames);
    }
}
