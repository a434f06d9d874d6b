//! From arguments, environment and file to a checked configuration.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use config::{ConfigError, FileFormat, Map, Source, Value, ValueKind};
use uuid::Uuid;

use crate::access::Scope;
use crate::announce::REPEATS;
use crate::rooms::HOME;

use super::Config;
use super::app_options::{self, AppOptions, OPTIONS_VARIABLE};
use super::error::LoadError;
use super::options::{ENVIRONMENT_PREFIX, OPTIONS, Opt, SUPERVISOR_VARIABLE, Texts, find};

/// Names the configuration file, where `--config` does not.
const FILE_VARIABLE: &str = "VOICE_RELAY_CONFIG";

/// What the program is asked to do.
#[derive(Debug, Clone, PartialEq)]
pub enum CliCommand {
    /// Relay voices.
    Serve,
    /// Ask the running daemon how it is.
    Health,
    /// Have the running daemon announce something.
    Say(SayCommand),
    /// Have the running daemon call somebody.
    Ring(RingCommand),
    /// List the sound devices of the machine.
    Devices,
    /// Make a token, or take one back.
    Token(TokenCommand),
    /// Say what is configured, and by what.
    PrintConfig,
    /// Write `docs/configuration.md` to the standard output.
    GenerateDocs,
}

/// What is to be announced.
#[derive(Debug, Clone, PartialEq)]
pub struct SayCommand {
    /// What it is.
    pub content: SayContent,
    /// The room's id, unless it is for other places.
    pub room: String,
    /// Those places, as they are written.
    pub to: Option<String>,
    /// How loud players are to be, in percent.
    pub player_volume: Option<u8>,
    /// A file of the library that is heard before.
    pub chime: Option<String>,
    /// In decibels.
    pub volume: f32,
    /// Times.
    pub repeat: u32,
    /// Interrupts what is not.
    pub urgent: bool,
    /// What permits it, where that is needed.
    pub token: Option<String>,
}

/// A call that is to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RingCommand {
    /// Who is called, as they are written.
    pub to: String,
    /// How whoever calls is called.
    pub name: Option<String>,
    /// Where whoever answers is heard.
    pub room: Option<String>,
    /// For how long it rings.
    pub seconds: Option<u64>,
    /// What permits it, where that is needed.
    pub token: Option<String>,
}

/// What somebody has announced from here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SayContent {
    /// A file of this machine.
    File(PathBuf),
    /// What Home Assistant speaks, in this language or the engine's own.
    Text(String, Option<String>),
}

/// What is to be done about tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenCommand {
    /// Make one.
    Make {
        /// What its holder may do.
        scopes: Vec<Scope>,
        /// Where; everywhere without it.
        room: Option<String>,
        /// How its holder is called.
        name: Option<String>,
        /// For how long.
        life: Duration,
    },
    /// Take back the one of this id.
    Revoke(Uuid),
}

/// A checked command line.
#[derive(Debug)]
pub struct Invocation {
    /// What to do.
    pub command: CliCommand,
    /// With which options.
    pub config: Config,
    /// By key: the value in force and where it comes from.
    pub origins: BTreeMap<&'static str, (String, String)>,
    /// Options of the Home Assistant app that this version does not know.
    pub unknown_app_options: Vec<String>,
}

/// Reads arguments (the program's name first), environment and file.
///
/// # Errors
/// See [`LoadError`]; each names the key and where it was set.
pub fn load(
    arguments: impl IntoIterator<Item = OsString>,
    environment: impl IntoIterator<Item = (String, String)>,
) -> Result<Invocation, LoadError> {
    let matches = command_line().try_get_matches_from(arguments).map_err(LoadError::Usage)?;
    let environment: BTreeMap<String, String> = environment.into_iter().collect();
    let path =
        |flag, variable| matches.get_one::<String>(flag).or_else(|| environment.get(variable)).map(PathBuf::from);
    let mut layers = vec![Layer::of("default", defaults())?];
    let mut unknown_app_options = Vec::new();
    if let Some(path) = path("options", OPTIONS_VARIABLE) {
        let AppOptions { texts, unknown } = app_options::read(&path)?;
        layers.push(Layer::of(&path.display().to_string(), texts)?);
        unknown_app_options = unknown;
    }
    if let Some(path) = path("config", FILE_VARIABLE) {
        layers.push(file_layer(&path)?);
    }
    layers.push(Layer::of("the environment", variables(&environment)?)?);
    layers.push(Layer::of("a flag", flags(&matches))?);
    let origins = layers.iter().flat_map(Layer::origins).collect();
    let mut builder = config::Config::builder();
    for layer in layers {
        builder = builder.add_source(layer);
    }
    let command = match matches.subcommand() {
        Some(("health", _)) => CliCommand::Health,
        Some(("say", asked)) => CliCommand::Say(say_command(asked)),
        Some(("ring", asked)) => CliCommand::Ring(ring_command(asked)),
        Some(("devices", _)) => CliCommand::Devices,
        Some(("token", asked)) => CliCommand::Token(token_command(asked)),
        Some(("generate-docs", _)) => CliCommand::GenerateDocs,
        _ if matches.get_flag("print-config") => CliCommand::PrintConfig,
        _ => CliCommand::Serve,
    };
    Ok(Invocation { command, config: builder.build()?.try_deserialize()?, origins, unknown_app_options })
}

fn command_line() -> clap::Command {
    let flag = |option: &'static Opt| {
        let help = format!("{} [default: {:?}]", option.help, option.default);
        let flag = clap::Arg::new(option.key)
            .long(option.flag())
            .value_name("VALUE")
            .help(help)
            .global(true)
            .overrides_with(option.key);
        if option.key == "media.advertise" { flag.visible_alias("advertise") } else { flag }
    };
    let file = clap::Arg::new("config").long("config").value_name("FILE").global(true);
    let options = clap::Arg::new("options").long("options").value_name("FILE").global(true);
    let print = clap::Arg::new("print-config").long("print-config").action(clap::ArgAction::SetTrue);
    clap::Command::new("voice-relay")
        .version(env!("CARGO_PKG_VERSION"))
        .about("A voice intercom for the house: talk in one browser, hear it in every other and on any player")
        .arg(file.help("Configuration file, .toml or .json [environment: VOICE_RELAY_CONFIG]"))
        .arg(options.help("Options of the Home Assistant app, .json [environment: VOICE_RELAY_OPTIONS]"))
        .arg(print.help("Say what is configured, and by what, and end"))
        .args(OPTIONS.iter().map(flag))
        .subcommand(clap::Command::new("health").about("Ask the running daemon how it is; exits 0 when it is healthy"))
        .subcommand(clap::Command::new("devices").about("List the loudspeakers and microphones of this machine"))
        .subcommand(say_arguments())
        .subcommand(ring_arguments())
        .subcommand(token_arguments())
        .subcommand(clap::Command::new("generate-docs").hide(true))
}

fn say_arguments() -> clap::Command {
    let argument = |name: &'static str| clap::Arg::new(name).long(name);
    let repeats = i64::from(*REPEATS.start())..=i64::from(*REPEATS.end());
    let volume = argument("volume").value_name("DECIBELS").value_parser(clap::value_parser!(f32)).default_value("0");
    clap::Command::new("say")
        .about("Have the running daemon announce a file or a text, and wait until it was heard")
        .arg(
            clap::Arg::new("file")
                .value_name("FILE")
                .required_unless_present("text")
                .conflicts_with("text")
                .value_parser(clap::value_parser!(PathBuf)),
        )
        .arg(argument("text").help("What Home Assistant speaks, in place of a file"))
        .arg(argument("language").requires("text").help("The language of the text, such as en or de-CH"))
        .arg(argument("room").default_value(HOME).help("The room's id"))
        .arg(
            argument("to").value_name("PLACES").conflicts_with("room").help(
                "Where instead: everybody, room:study, area:kitchen, media_player.kitchen, or several with commas",
            ),
        )
        .arg(
            argument("player-volume")
                .value_name("PERCENT")
                .requires("to")
                .value_parser(clap::value_parser!(u8).range(0..=100))
                .help("How loud media players are meanwhile"),
        )
        .arg(argument("chime").help("What is heard before: a file of the library, such as ding"))
        .arg(volume.allow_hyphen_values(true).help("How loud, from -60 to 20; 0 is as it is"))
        .arg(
            argument("repeat")
                .value_parser(clap::value_parser!(u32).range(repeats))
                .default_value("1")
                .help("How often"),
        )
        .arg(argument("urgent").action(clap::ArgAction::SetTrue).help("Interrupt what is not urgent"))
        .arg(argument("token").help("What permits it, where access is by token or the room is not open"))
}

fn say_command(asked: &clap::ArgMatches) -> SayCommand {
    const GIVEN: &str = "it is required, or has a default";
    let content = match asked.get_one::<String>("text") {
        Some(text) => SayContent::Text(text.clone(), asked.get_one("language").cloned()),
        None => SayContent::File(asked.get_one::<PathBuf>("file").expect(GIVEN).clone()),
    };
    SayCommand {
        content,
        room: asked.get_one::<String>("room").expect(GIVEN).clone(),
        to: asked.get_one("to").cloned(),
        player_volume: asked.get_one("player-volume").copied(),
        chime: asked.get_one("chime").cloned(),
        volume: *asked.get_one("volume").expect(GIVEN),
        repeat: *asked.get_one("repeat").expect(GIVEN),
        urgent: asked.get_flag("urgent"),
        token: asked.get_one("token").cloned(),
    }
}

fn ring_arguments() -> clap::Command {
    let argument = |name: &'static str| clap::Arg::new(name).long(name);
    clap::Command::new("ring")
        .about("Have the running daemon call somebody, and wait until they have answered; exits 0 when they have")
        .arg(
            clap::Arg::new("to")
                .value_name("WHO")
                .required(true)
                .help("everybody, hall-tablet, room:kitchen, or several with commas"),
        )
        .arg(argument("name").help("Who calls, such as \"Front door\""))
        .arg(argument("room").help("The id of a room: whoever answers talks there"))
        .arg(
            argument("seconds")
                .value_parser(clap::value_parser!(u64).range(5..=600))
                .help("For how long it rings, if not as long as calls.ring"),
        )
        .arg(argument("token").help("What permits it, where access is by token"))
}

fn ring_command(asked: &clap::ArgMatches) -> RingCommand {
    let text = |name| asked.get_one::<String>(name).cloned();
    RingCommand {
        to: text("to").unwrap_or_default(),
        name: text("name"),
        room: text("room"),
        seconds: asked.get_one("seconds").copied(),
        token: text("token"),
    }
}

/// Days of a token's life, where nothing else is said; and the longest.
const USUAL_DAYS: &str = "30";
const MOST_DAYS: u64 = 3_650;

fn token_arguments() -> clap::Command {
    let argument = |name: &'static str| clap::Arg::new(name).long(name);
    let scopes = ["listen", "talk", "admin", "share", "urgent"];
    clap::Command::new("token")
        .about("Make a token: the permission to listen, talk or more, for those who have none otherwise")
        .arg(
            argument("scope")
                .value_delimiter(',')
                .value_parser(scopes)
                .default_value("listen,talk")
                .help("What it permits"),
        )
        .arg(
            argument("days")
                .value_parser(clap::value_parser!(u64).range(1..=MOST_DAYS))
                .default_value(USUAL_DAYS)
                .help("How long"),
        )
        .arg(argument("room").help("In this room alone"))
        .arg(argument("name").help("How its holder is called"))
        .arg(
            argument("revoke")
                .value_name("ID")
                .value_parser(clap::value_parser!(Uuid))
                .help("Take back the token of this id instead"),
        )
}

fn token_command(asked: &clap::ArgMatches) -> TokenCommand {
    if let Some(id) = asked.get_one::<Uuid>("revoke") {
        return TokenCommand::Revoke(*id);
    }
    let scope = |word: &String| match word.as_str() {
        "listen" => Scope::Listen,
        "talk" => Scope::Talk,
        "admin" => Scope::Admin,
        "urgent" => Scope::Urgent,
        _ => Scope::Share,
    };
    TokenCommand::Make {
        scopes: asked.get_many("scope").into_iter().flatten().map(scope).collect(),
        room: asked.get_one("room").cloned(),
        name: asked.get_one("name").cloned(),
        life: Duration::from_secs(86_400) * asked.get_one::<u64>("days").map_or(0, |days| *days as u32),
    }
}

fn defaults() -> Texts {
    OPTIONS.iter().map(|option| (option, option.default.to_owned())).collect()
}

fn flags(matches: &clap::ArgMatches) -> Texts {
    // A flag of the subcommand is found here too: all of them are global.
    let given = |option: &'static Opt| Some((option, matches.get_one::<String>(option.key)?.clone()));
    OPTIONS.iter().filter_map(given).collect()
}

fn variables(environment: &BTreeMap<String, String>) -> Result<Texts, LoadError> {
    let is_ours = |name: &str| name.starts_with(ENVIRONMENT_PREFIX) || name == SUPERVISOR_VARIABLE;
    let ours = environment.iter().filter(|(name, _)| is_ours(name));
    ours.map(|(name, text)| {
        let option = OPTIONS.iter().find(|option| option.is_set_by(name));
        let unknown = || LoadError::UnknownKey { key: name.clone(), origin: "the environment".into() };
        Ok((option.ok_or_else(unknown)?, text.clone()))
    })
    .collect()
}

fn file_layer(path: &Path) -> Result<Layer, LoadError> {
    let broken = |source| LoadError::File { path: path.to_owned(), source };
    let format = match path.extension().and_then(|extension| extension.to_str()) {
        Some("toml") => FileFormat::Toml,
        Some("json") => FileFormat::Json,
        _ => return Err(broken(ConfigError::Message("it must be named .toml or .json".into()))),
    };
    let text = std::fs::read_to_string(path).map_err(|error| broken(ConfigError::Foreign(Box::new(error))))?;
    let values = config::File::from_str(&text, format).collect().map_err(broken)?;
    let origin = path.display().to_string();
    let mut texts = Vec::new();
    flatten("", &values, &mut texts);
    let known = texts.into_iter().map(|(key, text)| match find(&key) {
        Some(option) => Ok((option, text)),
        None => Err(LoadError::UnknownKey { key, origin: origin.clone() }),
    });
    Layer::of(&origin, known.collect::<Result<_, _>>()?)
}

/// Nested tables to keys with dots, and values to the texts that one would write.
fn flatten(prefix: &str, values: &Map<String, Value>, texts: &mut Vec<(String, String)>) {
    for (name, value) in values {
        let key = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
        match &value.kind {
            ValueKind::Table(inner) => flatten(&key, inner, texts),
            ValueKind::Array(items) => {
                let items: Vec<_> = items.iter().map(ToString::to_string).collect();
                texts.push((key, items.join(",")));
            }
            _ => texts.push((key, value.to_string())),
        }
    }
}

/// One layer of values, each checked by its option's kind.
#[derive(Debug, Clone)]
struct Layer {
    origin: String,
    values: BTreeMap<&'static str, (String, ValueKind)>,
}

impl Layer {
    fn of(origin: &str, texts: Texts) -> Result<Self, LoadError> {
        let check = |(option, value): (&'static Opt, String)| match option.kind.parse(&value) {
            Ok(kind) => Ok((option.key, (value, kind))),
            Err(expectation) => Err(LoadError::Value { key: option.key, value, origin: origin.into(), expectation }),
        };
        Ok(Self { origin: origin.into(), values: texts.into_iter().map(check).collect::<Result<_, _>>()? })
    }

    fn origins(&self) -> impl Iterator<Item = (&'static str, (String, String))> + '_ {
        self.values.iter().map(|(key, (text, _))| (*key, (text.clone(), self.origin.clone())))
    }
}

impl Source for Layer {
    fn clone_into_box(&self) -> Box<dyn Source + Send + Sync> {
        Box::new(self.clone())
    }

    fn collect(&self) -> Result<Map<String, Value>, ConfigError> {
        let value = |kind: &ValueKind| Value::new(Some(&self.origin), kind.clone());
        Ok(self.values.iter().map(|(key, (_, kind))| ((*key).to_owned(), value(kind))).collect())
    }
}

#[cfg(test)]
mod tests;
