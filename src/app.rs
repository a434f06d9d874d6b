//! The daemon as a whole: every port bound before anything runs, the parts joined, and at the end
//! everything told and drained.

mod error;
mod files;
mod hass;
mod media;
mod ports;
mod serving;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::access::{Access, Tokens};
use crate::announce::Announcer;
use crate::audio::AudioStats;
use crate::bridge::Bridge;
use crate::calls::{CallEvent, CallsHandle};
use crate::config::{AccessMode, Config, WhenIdle};
use crate::critical::{Critical, Ended};
use crate::data::DataFolder;
use crate::dispatch::{Dispatcher, DispatcherParts};
use crate::domain::Track;
use crate::engine::{Connected, Engine, MediaEvents, NewTracks};
use crate::hass::{Home, HousePlayers, SpeechMaker};
use crate::http::{Fanouts, Files, House, HttpStats, Preludes, Shared};
use crate::limits::Allotments;
use crate::live::{Clips, Mounts};
use crate::mailbox::MailboxHandle;
use crate::net::{Admission, MediaSocket, MediaThread, host_addresses, keep_addresses_fresh};
use crate::rooms::{RoomOptionsKeeper, Rooms, RoomsHandle};
use crate::sound::Sound;
use crate::tls::{Certificates, Keeper};

pub use error::StartError;
use media::{start_files, start_media, start_video};
use ports::Bound;
pub use ports::Ports;

/// Clients have so long to take note of a shutdown.
const DRAIN_TIMEOUT: Duration = Duration::from_millis(1_200);

/// What is open is looked at so often, whether it is still permitted; and addresses that have been quiet are forgotten.
const REVIEW_INTERVAL: Duration = Duration::from_secs(60);

/// A running daemon.
pub struct App {
    /// Where it really listens.
    pub ports: Ports,
    relay: Engine,
    media: Vec<MediaThread>,
    files: Vec<MediaThread>,
    files_relay: Engine,
    video: Vec<MediaThread>,
    video_relay: Engine,
    admission: Arc<Admission>,
    shutdown: CancellationToken,
    tracker: TaskTracker,
    critical: Critical,
    ended: Ended,
}

impl App {
    /// Binds every port, then starts every part. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// When a port or a thread cannot be had; nothing runs then.
    pub fn start(config: &Config, home: &Home) -> Result<Self, StartError> {
        DataFolder::new(config.data_dir.clone()).tidy();
        let advertise = [&config.media.advertise[..], &home.addresses].concat();
        let places = config.allotments();
        let mut bound = Bound::bind(config, home, &places)?;
        let (certificates, keeper) = certificates(config, bound.http.address().ip(), &advertise);
        // Why there is none is logged.
        bound.https.take_if(|_| certificates.served().is_none());
        let ports = bound.ports();
        let admission = Arc::new(Admission::new(config.access));
        let media_addresses: Vec<_> = bound.media.iter().map(MediaSocket::bound).collect();
        let (shutdown, tracker) = (CancellationToken::new(), TaskTracker::new());
        let (critical, ended) = Critical::new(shutdown.clone());
        let (media, Connected { engine: relay, new_tracks, voice_messages, rooms: room_events, .. }) =
            start_media(config, bound.media, &advertise, &admission, (&critical, &places))?;
        let (files, files_relay) = start_files(config, bound.files, &advertise, &admission, (&critical, &places))?;
        let (video, Connected { engine: video_relay, rooms: video_events, .. }) =
            start_video(config, bound.video, &advertise, &admission, (&critical, &places))?;
        let app = Self {
            ports,
            relay,
            media,
            files,
            files_relay,
            video,
            video_relay,
            admission,
            shutdown,
            tracker,
            critical,
            ended,
        };
        let bridge = app.open_rooms(config, (room_events, video_events));
        app.keep_certificate_good(keeper, advertise.clone());
        app.keep_addresses_fresh(&media_addresses, &advertise);
        let clips = app.record_clips(config, new_tracks);
        let shared = app.shared((config, home), bridge, (clips, voice_messages), (certificates, places))?;
        app.serve_http(&shared, bound.http, bound.mp3);
        if let Some(https) = bound.https {
            app.serve_https(&shared, https)?;
        }
        if let Some(ingress) = bound.ingress {
            app.serve_ingress(&shared, ingress, home.supervisor);
        }
        Ok(app)
    }

    /// Waits until a thread or task ends that is not to end by itself; gives its name.
    pub async fn failed(&mut self) -> &'static str {
        match self.ended.recv().await {
            Some(name) => name,
            // Not while `self.critical` is there.
            None => std::future::pending().await,
        }
    }

    /// Live streams, oldest first, with those that nobody is told of: for tests.
    #[doc(hidden)]
    pub fn live(&self) -> Arc<[Track]> {
        self.relay.live()
    }

    /// Ends a thread or task as a fault would: for tests. False: there is none of this name.
    #[doc(hidden)]
    pub async fn kill(&self, name: &str) -> bool {
        match name {
            "media" => self.relay.crash().await,
            "files" => self.files_relay.crash().await,
            "video" => self.video_relay.crash().await,
            name => return self.critical.abort(name),
        }
        true
    }

    /// Ends every connection, telling the clients, and stops every part. Takes two seconds at most.
    pub async fn stop(self) {
        self.shutdown.cancel();
        self.relay.close_all().await;
        self.files_relay.close_all().await;
        self.video_relay.close_all().await;
        self.tracker.close();
        if tokio::time::timeout(DRAIN_TIMEOUT, self.tracker.wait()).await.is_err() {
            tracing::warn!(left = self.tracker.len(), "some clients did not take note of the shutdown");
        }
        self.media.into_iter().chain(self.files).chain(self.video).for_each(MediaThread::stop);
    }

    /// Runs what must not end before the shutdown.
    fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        self.critical.spawn(&self.tracker, name, task);
    }

    fn keep_addresses_fresh(&self, media: &[SocketAddr], advertise: &[IpAddr]) {
        let media = media.iter().enumerate().map(|(thread, bound)| (&self.relay, thread, *bound));
        for (relay, thread, bound) in
            media.chain([(&self.files_relay, 0, self.ports.files), (&self.video_relay, 0, self.ports.video)])
        {
            let admission = Arc::clone(&self.admission);
            let refresh = keep_addresses_fresh(relay.clone(), thread.into(), admission, bound, advertise.to_vec());
            self.spawn("addresses", refresh);
        }
    }

    fn keep_certificate_good(&self, keeper: Keeper, advertised: Vec<IpAddr>) {
        let bound = self.ports.http.ip();
        let keep = keeper.run(move || addresses(bound, &advertised));
        self.spawn("certificate", keep);
    }

    fn record_clips(&self, config: &Config, new_tracks: NewTracks) -> Clips {
        let clips = Clips::new(config.clips.clone().into());
        if config.clips.count > 0 {
            self.spawn("clips", clips.clone().record(new_tracks));
        }
        clips
    }

    fn open_rooms(&self, config: &Config, (events, video_events): (MediaEvents, MediaEvents)) -> Bridge {
        let rooms = RoomsHandle::new(Rooms::new(config.house(), Instant::now(), SystemTime::now()));
        let tokens = Tokens::new(DataFolder::new(config.data_dir.clone()));
        if let Err(error) = tokens.check_key_file() {
            tracing::error!("{error}");
        }
        let access = Access::new(tokens, rooms.clone());
        let bridge = Bridge::new(rooms.clone(), self.relay.clone(), self.video_relay.clone(), access);
        self.spawn("rooms", rooms.keep_time());
        self.spawn("bridge", bridge.clone().carry(events, video_events));
        bridge
    }

    /// Stations and calls, as they were kept.
    fn open_calls(&self, config: &Config, rooms: &RoomsHandle, phones: bool) -> CallsHandle {
        let data = DataFolder::new(config.data_dir.clone());
        let (calls, keeper) = CallsHandle::open(config.calling(phones), &data, rooms.clone());
        self.critical.spawn_to_its_end(&self.tracker, "calls", keeper.run(self.shutdown.clone()));
        calls
    }

    /// Voice messages, as they were kept. After the stations, for which they are.
    fn open_mailbox(
        &self,
        config: &Config,
        (rooms, calls): (&RoomsHandle, &CallsHandle),
        voice_messages: NewTracks,
    ) -> MailboxHandle {
        let data = DataFolder::new(config.data_dir.clone());
        let mailbox = MailboxHandle::open(config.mailbox(), &data, rooms.clone());
        let run = mailbox.clone().run(voice_messages, calls.events(), self.shutdown.clone());
        self.critical.spawn_to_its_end(&self.tracker, "mailbox", run);
        mailbox
    }

    fn shared(
        &self,
        (config, home): (&Config, &Home),
        bridge: Bridge,
        (clips, voice_messages): (Clips, NewTracks),
        (certificates, places): (Certificates, Allotments),
    ) -> Result<Shared, StartError> {
        let (audio, stats) = (Arc::<AudioStats>::default(), Arc::<HttpStats>::default());
        let outlast = config.mp3.when_idle == WhenIdle::Silence;
        let mounts = Mounts::new(self.relay.clone(), outlast, Arc::clone(&audio));
        let rooms = bridge.rooms().clone();
        let room = rooms.find(&config.sound.room).ok_or_else(|| StartError::Room(config.sound.room.clone()))?;
        let access = bridge.access().clone();
        let sound =
            Sound::start(&config.sound, room, &mounts, &self.relay, &access, &rooms).map_err(StartError::Sound)?;
        let announcer = Announcer::new(self.relay.clone(), rooms.clone(), config.announcing(), self.shutdown.clone());
        let (shutdown, tracker) = (self.shutdown.clone(), self.tracker.clone());
        let trust = hass::trust(config)?;
        let (files, linked) = (self.serve_files(config), self.link_to_core(config, home, &trust)?);
        let house = linked.as_ref().map(|linked| (linked.players.clone(), linked.speech.clone()));
        let room_options = RoomOptionsKeeper::open(rooms.clone(), DataFolder::new(config.data_dir.clone()));
        let phones = linked.as_ref().is_some_and(|linked| linked.page.is_some());
        let calls = self.open_calls(config, &rooms, phones);
        self.spawn("room options", forget_options(room_options.clone(), calls.events(), self.shutdown.clone()));
        let mailbox = self.open_mailbox(config, (&rooms, &calls), voice_messages);
        let dispatcher = self.dispatcher(config, &announcer, (&access, &rooms, &calls), &files, house);
        let service_calls = linked.as_ref().map(|linked| linked.service_calls.clone());
        let speaking = linked.map(|linked| {
            self.speak_with_automations(config, linked, &dispatcher, (&access, &rooms, &calls, &mailbox))
        });
        let (automation, home_assistant) = speaking.unzip();
        let entities =
            self.show_entities(config, &dispatcher, (&access, &rooms, &calls, &mailbox), (service_calls, trust));
        let shared = Shared {
            relay: self.relay.clone(),
            bridge,
            fanouts: Fanouts::new(mounts.clone(), rooms.clone(), self.relay.clone(), shutdown.clone(), tracker.clone()),
            preludes: Preludes::default(),
            house: House::new(clips, files, sound, mounts, announcer, (calls, mailbox, room_options), home_assistant),
            automation,
            entities,
            dispatcher,
            audio,
            gate: self.gate(config, certificates.clone(), access),
            stats,
            places,
            limits: config.limits.clone(),
            when_idle: config.mp3.when_idle,
            icy: config.mp3.icy,
            mp3_port: self.ports.mp3.port(),
            tls_port: self.ports.https.map(|https| https.port()),
            http_port: self.ports.http.port(),
            certificates,
            started: Instant::now(),
            shutdown,
            tracker,
        };
        self.spawn("access", shared.clone().enforce([self.files_relay.clone(), self.video_relay.clone()]));
        Ok(shared)
    }

    fn dispatcher(
        &self,
        config: &Config,
        announcer: &Announcer,
        (access, rooms, calls): (&Access, &RoomsHandle, &CallsHandle),
        files: &Files,
        house: Option<(HousePlayers, SpeechMaker)>,
    ) -> Dispatcher {
        Dispatcher::new(DispatcherParts {
            announcer: announcer.clone(),
            access: access.clone(),
            rooms: rooms.clone(),
            calls: calls.clone(),
            catalogue: files.catalogue.clone(),
            house,
            engine: self.relay.clone(),
            data: DataFolder::new(config.data_dir.clone()),
            mp3_port: self.ports.mp3.port(),
            needs_token: config.access == AccessMode::Token,
            tracker: self.tracker.clone(),
        })
    }
}

/// What was chosen of the room of a device goes with the device, also from the disk.
async fn forget_options(
    options: RoomOptionsKeeper,
    mut called: broadcast::Receiver<CallEvent>,
    shutdown: CancellationToken,
) {
    loop {
        let event = tokio::select! {
            () = shutdown.cancelled() => return,
            event = called.recv() => event,
        };
        match event {
            Ok(CallEvent::Forgotten(_)) | Err(broadcast::error::RecvError::Lagged(_)) => {
                let options = options.clone();
                let kept = tokio::task::spawn_blocking(move || options.keep()).await;
                if let Ok(Err(error)) = kept {
                    tracing::warn!(%error, "options of rooms cannot be kept");
                }
            }
            Ok(_) => {}
            Err(broadcast::error::RecvError::Closed) => return,
        }
    }
}

/// The certificate for a daemon that is bound to this address, and whoever sees to it from now on.
fn certificates(config: &Config, bound: IpAddr, advertised: &[IpAddr]) -> (Certificates, Keeper) {
    let host = gethostname::gethostname().to_string_lossy().into_owned();
    let certificates = Certificates::default();
    let mut keeper = Keeper::new(config.tls.clone(), &config.data_dir, host, certificates.clone());
    keeper.look(&addresses(bound, advertised), SystemTime::now());
    (certificates, keeper)
}

/// What clients may have in their address bar, besides names.
fn addresses(bound: IpAddr, advertised: &[IpAddr]) -> Vec<IpAddr> {
    host_addresses(SocketAddr::new(bound, 0), advertised).iter().map(SocketAddr::ip).collect()
}
