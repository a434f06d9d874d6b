//! The daemon as a whole: every port bound before anything runs, the parts joined, and at the end
//! everything told and drained.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::access::{Access, Tokens};
use crate::announce::Announcer;
use crate::audio::AudioStats;
use crate::automation::{AutomationStats, Automations};
use crate::bridge::Bridge;
use crate::config::{Config, TlsMode, WhenIdle};
use crate::core::{Relay, RelayConfig};
use crate::critical::{Critical, Ended};
use crate::data::DataFolder;
use crate::dispatch::{Dispatcher, DispatcherParts};
use crate::domain::Track;
use crate::engine::{self, Connected, Engine, MediaEvents, NewTracks, ThreadId};
use crate::entities::{Entities, EntitiesStats};
use crate::hass::{CoreFeed, CoreLink, Home, HousePlayers, InvalidAddress, SpeechMaker};
use crate::http::{self, Fanouts, Files, Gate, Handshakes, House, HttpPort, HttpStats, PortKind, Preludes, Shared};
use crate::library::{Catalogue, Folder};
use crate::limits::{Allotments, MediaPlaces, Places};
use crate::live::{Clips, Mounts};
use crate::net::{Admission, Carries, MediaSocket, MediaThread, host_addresses, keep_addresses_fresh};
use crate::rooms::{Rooms, RoomsHandle};
use crate::sound::Sound;
use crate::tls::{Certificates, Keeper};
use crate::transfer::{FileServer, FileServerLimits};

/// Clients have so long to take note of a shutdown.
const DRAIN_TIMEOUT: Duration = Duration::from_millis(1_200);

/// The word for the usual folders of files, and the one of Home Assistant.
const AUTO_FOLDERS: &str = "auto";
const MEDIA_FOLDER: &str = "/media";

/// What is open is looked at so often, whether it is still permitted; and addresses that have been quiet are forgotten.
const REVIEW_INTERVAL: Duration = Duration::from_secs(60);

/// The daemon could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// A port cannot be had.
    #[error("cannot listen on {key} = {port} at {address}: {source}; is another program using it?")]
    HttpPort {
        /// The configuration key of the port.
        key: &'static str,
        /// Its number.
        port: u16,
        /// Where it was to listen.
        address: IpAddr,
        /// What the operating system said.
        source: io::Error,
    },
    /// The media thread cannot be had.
    #[error("cannot start the media thread: {0}")]
    MediaThread(io::Error),
    /// TLS cannot be spoken.
    #[error("cannot speak TLS: {0}")]
    Tls(tokio_rustls::rustls::Error),
    /// The sound card is to be in a room that there is not.
    #[error("sound.room = {0}: there is no such room")]
    Room(String),
    /// The sound card cannot be used, for other reasons than that it is not there.
    #[error("cannot use the sound card: {0}")]
    Sound(io::Error),
    /// Home Assistant cannot be where it is said to be.
    #[error("hass.url: {0}")]
    Hass(InvalidAddress),
}

/// A running daemon.
pub struct App {
    /// Where it really listens.
    pub ports: Ports,
    relay: Engine,
    media: Vec<MediaThread>,
    files: Vec<MediaThread>,
    files_relay: Engine,
    admission: Arc<Admission>,
    shutdown: CancellationToken,
    tracker: TaskTracker,
    critical: Critical,
    ended: Ended,
}

/// Where a daemon really listens, also when it was told port 0.
#[derive(Debug, Clone, Copy)]
pub struct Ports {
    /// Page, signalling, API.
    pub http: SocketAddr,
    /// MP3 streams.
    pub mp3: SocketAddr,
    /// WebRTC media, UDP, of the first media thread.
    pub media: SocketAddr,
    /// Files over data channels, UDP.
    pub files: SocketAddr,
    /// Page, signalling, API with TLS, if there is a certificate.
    pub https: Option<SocketAddr>,
    /// Home Assistant's panel, if there is one.
    pub ingress: Option<SocketAddr>,
}

impl std::fmt::Display for Ports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "http={} mp3={} media={}/udp", self.http.port(), self.mp3.port(), self.media.port())?;
        self.https.map_or(Ok(()), |https| write!(f, " https={}", https.port()))?;
        write!(f, " files={}/udp", self.files.port())
    }
}

/// Every port, bound.
struct Bound {
    http: HttpPort,
    mp3: HttpPort,
    /// One for each media thread.
    media: Vec<MediaSocket>,
    files: MediaSocket,
    https: Option<HttpPort>,
    ingress: Option<HttpPort>,
}

impl Bound {
    fn bind(config: &Config, home: &Home, places: &Allotments) -> Result<Self, StartError> {
        let failed = |key, port| move |source| StartError::HttpPort { key, port, address: config.bind, source };
        let (http, mp3) = (config.http.port, config.mp3.port);
        let tls = Some(config.http.tls_port).filter(|_| config.tls.mode != TlsMode::Off);
        let bind_tls =
            |tls| HttpPort::bind(config.bind, tls, places.https.clone()).map_err(failed("http.tls_port", tls));
        Ok(Self {
            http: HttpPort::bind(config.bind, http, places.http.clone()).map_err(failed("http.port", http))?,
            mp3: HttpPort::bind(config.bind, mp3, places.mp3.clone()).map_err(failed("mp3.port", mp3))?,
            media: media_ports(config)
                .map(|port| MediaSocket::bind(config.bind, port).map_err(failed("media.port", port)))
                .collect::<Result<_, _>>()?,
            files: MediaSocket::bind(config.bind, config.files.port)
                .map_err(failed("files.port", config.files.port))?,
            https: tls.map(bind_tls).transpose()?,
            ingress: match home.ingress_port {
                // All who come there come by the Supervisor.
                Some(port) => {
                    let places = Places::unshared(config.limits.connections);
                    Some(HttpPort::bind(config.bind, port, places).map_err(failed("ingress_port", port))?)
                }
                None => None,
            },
        })
    }

    fn ports(&self) -> Ports {
        let (media, files) = (self.media[0].bound(), self.files.bound());
        let https = self.https.as_ref().map(HttpPort::address);
        let ingress = self.ingress.as_ref().map(HttpPort::address);
        Ports { http: self.http.address(), mp3: self.mp3.address(), media, files, https, ingress }
    }
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
        let (media, Connected { engine: relay, new_tracks, rooms: room_events, .. }) =
            start_media(config, bound.media, &advertise, &admission, (&critical, &places))?;
        let (files, files_relay) = start_files(config, bound.files, &advertise, &admission, (&critical, &places))?;
        let app = Self { ports, relay, media, files, files_relay, admission, shutdown, tracker, critical, ended };
        let bridge = app.open_rooms(config, room_events);
        app.keep_certificate_good(keeper, advertise.clone());
        app.keep_addresses_fresh(&media_addresses, &advertise);
        let clips = app.record_clips(config, new_tracks);
        let shared = app.shared(config, bridge, clips, (certificates, places))?;
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
            name => return self.critical.abort(name),
        }
        true
    }

    /// Ends every connection, telling the clients, and stops every part. Takes two seconds at most.
    pub async fn stop(self) {
        self.shutdown.cancel();
        self.relay.close_all().await;
        self.files_relay.close_all().await;
        self.tracker.close();
        if tokio::time::timeout(DRAIN_TIMEOUT, self.tracker.wait()).await.is_err() {
            tracing::warn!(left = self.tracker.len(), "some clients did not take note of the shutdown");
        }
        self.media.into_iter().chain(self.files).for_each(MediaThread::stop);
    }

    /// Runs what must not end before the shutdown.
    fn spawn(&self, name: &'static str, task: impl Future<Output = ()> + Send + 'static) {
        self.critical.spawn(&self.tracker, name, task);
    }

    fn keep_addresses_fresh(&self, media: &[SocketAddr], advertise: &[IpAddr]) {
        let media = media.iter().enumerate().map(|(thread, bound)| (&self.relay, thread, *bound));
        for (relay, thread, bound) in media.chain([(&self.files_relay, 0, self.ports.files)]) {
            let admission = Arc::clone(&self.admission);
            let refresh = keep_addresses_fresh(relay.clone(), thread.into(), admission, bound, advertise.to_vec());
            self.spawn("addresses", refresh);
        }
    }

    /// The files, and whoever brings them.
    fn serve_files(&self, config: &Config) -> Files {
        let (folders, sounds) = folders(config);
        let data = DataFolder::new(config.data_dir.clone());
        let catalogue = Catalogue::new(folders, sounds, &data, config.files.max, config.files.default.clone());
        self.spawn("catalogue", catalogue.clone().keep_fresh());
        let crate::config::FilesConfig { clients, per_address, idle, .. } = config.files;
        let limits = FileServerLimits { clients, per_address, idle };
        let file_server = FileServer::new(self.files_relay.clone(), catalogue.clone(), limits);
        Files { catalogue, file_server, port: self.ports.files.port() }
    }

    /// Home Assistant's media players, where there is a Home Assistant.
    fn link_to_core(&self, config: &Config) -> Result<Option<Linked>, StartError> {
        let Some(address) = config.hass.core() else { return Ok(None) };
        let (link, mut task) = CoreLink::new(&address, config.hass.token.clone()).map_err(StartError::Hass)?;
        let (players, followers) = HousePlayers::new(
            link.clone(),
            task.feed(&link),
            DataFolder::new(config.data_dir.clone()),
            config.limits.share,
        );
        let speech = SpeechMaker::new(link.clone(), players.clone(), &address, &config.hass);
        let feed = task.feed(&link);
        self.spawn("hass", task.run(self.shutdown.clone()));
        self.spawn("players", followers.run(self.shutdown.clone()));
        Ok(Some(Linked { link, feed, players, speech }))
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

    fn open_rooms(&self, config: &Config, events: MediaEvents) -> Bridge {
        let rooms = RoomsHandle::new(Rooms::new(config.house(), Instant::now(), SystemTime::now()));
        let tokens = Tokens::new(DataFolder::new(config.data_dir.clone()));
        if let Err(error) = tokens.check_key_file() {
            tracing::error!("{error}");
        }
        let access = Access::new(tokens, rooms.clone());
        let bridge = Bridge::new(rooms.clone(), self.relay.clone(), access);
        self.spawn("rooms", rooms.keep_time());
        self.spawn("bridge", bridge.clone().carry(events));
        bridge
    }

    fn serve_http(&self, shared: &Shared, main: HttpPort, mp3: HttpPort) {
        let main_service = shared.gate.guard(PortKind::Main, warp::service(http::main_routes(shared.clone())));
        let mp3_service = shared.gate.guard(PortKind::Mp3, warp::service(http::mp3_routes(shared.clone())));
        let (shutdown, tracker) = (&self.shutdown, &self.tracker);
        let main_stats = Arc::clone(&shared.stats.main_port);
        let mp3_stats = Arc::clone(&shared.stats.mp3_port);
        let admission = || Arc::clone(&self.admission);
        self.spawn("http", main.serve(main_service, admission(), main_stats, shutdown.clone(), tracker.clone()));
        self.spawn("mp3", mp3.serve(mp3_service, admission(), mp3_stats, shutdown.clone(), tracker.clone()));
    }

    /// The main port once more, with TLS.
    fn serve_https(&self, shared: &Shared, port: HttpPort) -> Result<(), StartError> {
        let acceptor = shared.certificates.acceptor().map_err(StartError::Tls)?;
        let (places, timeout) = (shared.places.handshakes.clone(), shared.limits.handshake_timeout);
        let handshakes = Handshakes::new(acceptor, places, timeout, Arc::clone(&shared.stats.handshakes));
        let service = shared.gate.guard(PortKind::Main, warp::service(http::main_routes(shared.clone())));
        let (admission, stats) = (Arc::clone(&self.admission), Arc::clone(&shared.stats.tls_port));
        let (shutdown, tracker) = (self.shutdown.clone(), self.tracker.clone());
        self.spawn("https", port.with_tls(handshakes).serve(service, admission, stats, shutdown, tracker));
        Ok(())
    }

    /// Home Assistant's panel: the main port's routes, for the Supervisor alone.
    fn serve_ingress(&self, shared: &Shared, port: HttpPort, supervisor: IpAddr) {
        let service = shared.gate.guard(PortKind::Ingress, warp::service(http::main_routes(shared.clone())));
        let (admission, stats) = (Arc::new(Admission::only(supervisor)), Arc::clone(&shared.stats.ingress_port));
        self.spawn("ingress", port.serve(service, admission, stats, self.shutdown.clone(), self.tracker.clone()));
    }

    fn gate(&self, config: &Config, certificates: Certificates, access: Access) -> Gate {
        let (origins, admission) = (config.http.origins.clone(), Arc::clone(&self.admission));
        let gate = Gate::new(config.access, origins, admission, certificates, access, &config.limits);
        let tidying = gate.clone();
        let tidy = async move {
            loop {
                tokio::time::sleep(REVIEW_INTERVAL).await;
                tidying.tidy();
                tidying.access().review();
            }
        };
        self.spawn("limits", tidy);
        gate
    }

    fn shared(
        &self,
        config: &Config,
        bridge: Bridge,
        clips: Clips,
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
        let (files, linked) = (self.serve_files(config), self.link_to_core(config)?);
        let players = linked.as_ref().map(|linked| linked.players.clone());
        let house = linked.as_ref().map(|linked| (linked.players.clone(), linked.speech.clone()));
        let dispatcher = self.dispatcher(config, &announcer, (&access, &rooms), &files, house);
        let automation = linked.map(|linked| self.speak_with_automations(linked, &dispatcher, &rooms));
        let shared = Shared {
            relay: self.relay.clone(),
            bridge,
            fanouts: Fanouts::new(mounts.clone(), rooms.clone(), self.relay.clone(), shutdown.clone(), tracker.clone()),
            preludes: Preludes::default(),
            house: House::new(clips, files, sound, mounts, announcer, players),
            automation,
            entities: self.show_entities(config, &dispatcher, &rooms),
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
        self.spawn("access", shared.clone().enforce(self.files_relay.clone()));
        Ok(shared)
    }

    fn dispatcher(
        &self,
        config: &Config,
        announcer: &Announcer,
        (access, rooms): (&Access, &RoomsHandle),
        files: &Files,
        house: Option<(HousePlayers, SpeechMaker)>,
    ) -> Dispatcher {
        Dispatcher::new(DispatcherParts {
            announcer: announcer.clone(),
            access: access.clone(),
            rooms: rooms.clone(),
            catalogue: files.catalogue.clone(),
            house,
            engine: self.relay.clone(),
            data: DataFolder::new(config.data_dir.clone()),
            mp3_port: self.ports.mp3.port(),
            tracker: self.tracker.clone(),
        })
    }

    /// Automations hear of the house, and ask something of it; gives what is counted.
    fn speak_with_automations(
        &self,
        Linked { link, feed, .. }: Linked,
        dispatcher: &Dispatcher,
        rooms: &RoomsHandle,
    ) -> Arc<AutomationStats> {
        let automations = Automations::new(link, feed, dispatcher.clone(), rooms.clone());
        let stats = automations.stats();
        self.spawn("automations", automations.run(self.shutdown.clone()));
        stats
    }

    /// Home Assistant has entities of the house, where there is a broker; gives what is counted.
    fn show_entities(
        &self,
        config: &Config,
        dispatcher: &Dispatcher,
        rooms: &RoomsHandle,
    ) -> Option<Arc<EntitiesStats>> {
        let data = DataFolder::new(config.data_dir.clone());
        let entities = Entities::new(config, data, rooms.clone(), dispatcher.clone())?;
        let stats = entities.stats();
        self.spawn("entities", entities.run(self.shutdown.clone()));
        Some(stats)
    }
}

/// What there is of Home Assistant, where there is one.
struct Linked {
    link: CoreLink,
    /// For its automations.
    feed: CoreFeed,
    players: HousePlayers,
    speech: SpeechMaker,
}

/// The ports of the media threads: what follows the first one is for files, as a rule, and the others come then.
fn media_ports(config: &Config) -> impl Iterator<Item = u16> {
    let first = config.media.port;
    let further = move |thread| if first == 0 { 0 } else { first.saturating_add(thread) };
    std::iter::once(first).chain((2..).map(further)).take(config.media.threads)
}

/// The threads that carry voices: the first has the senders and the rooms.
fn start_media(
    config: &Config,
    sockets: Vec<MediaSocket>,
    advertise: &[IpAddr],
    admission: &Arc<Admission>,
    (critical, places): (&Critical, &Allotments),
) -> Result<(Vec<MediaThread>, Connected), StartError> {
    let relay = |(thread, socket): (usize, &MediaSocket)| {
        let addresses = host_addresses(socket.bound(), advertise);
        tracing::debug!(thread, port = socket.port(), "media thread");
        Relay::new(
            RelayConfig { first_peer: ThreadId::from(thread).first_peer(), ..relay_config(config, addresses) },
            Instant::now(),
        )
    };
    let mut relays = sockets.iter().enumerate().map(relay);
    let first = relays.next().expect("there is one media thread");
    let mut connected = engine::connect(first, relays.collect()).within(&places.media);
    let relays = std::mem::take(&mut connected.threads);
    let threads = MediaThread::start_all(Carries::Voices, sockets, relays, admission, critical)
        .map_err(StartError::MediaThread)?;
    Ok((threads, connected))
}

/// The thread that carries files, and the way to it: a relay like that of the voices, which never hears one.
fn start_files(
    config: &Config,
    socket: MediaSocket,
    advertise: &[IpAddr],
    admission: &Arc<Admission>,
    (critical, places): (&Critical, &Allotments),
) -> Result<(Vec<MediaThread>, Engine), StartError> {
    let addresses = host_addresses(socket.bound(), advertise);
    let relay = RelayConfig { addresses, max_peers: config.files.clients, ..RelayConfig::default() };
    let places = MediaPlaces { peers: places.files.clone(), ..MediaPlaces::default() };
    let connected = engine::connect(Relay::new(relay, Instant::now()), vec![]).within(&places);
    let Connected { engine, threads, .. } = connected;
    let threads = MediaThread::start_all(Carries::Files, vec![socket], threads, admission, critical);
    Ok((threads.map_err(StartError::MediaThread)?, engine))
}

/// The folders of files, and the one among them where we make chimes.
fn folders(config: &Config) -> (Vec<Folder>, Option<PathBuf>) {
    if config.files.folders != [PathBuf::from(AUTO_FOLDERS)] {
        return (config.files.folders.iter().cloned().map(Folder::at).collect(), None);
    }
    let sounds = config.data_dir.join("sounds");
    let media = Some(PathBuf::from(MEDIA_FOLDER)).filter(|media| media.is_dir());
    ([sounds.clone()].into_iter().chain(media).map(Folder::at).collect(), Some(sounds))
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

fn relay_config(config: &Config, addresses: Vec<SocketAddr>) -> RelayConfig {
    RelayConfig {
        addresses,
        max_peers: config.limits.peers.div_ceil(config.media.threads),
        max_streams: config.limits.streams,
        publisher_timeout: config.relay.publisher_timeout,
        cleanup_interval: config.relay.cleanup_interval,
        stale_after: config.relay.stale_after,
        tap_all: config.clips.count > 0,
        room_bitrate: config.rooms.bitrate * 1_000,
        first_peer: 0,
    }
}
